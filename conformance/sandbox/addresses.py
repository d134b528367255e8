"""The shipping address: how a change is merged into it, and when a sandbox may refuse the change."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from orderproof.sandbox.amounts import open_refusal
from orderproof.sandbox.calls import NOT_ALLOWED, Call, Context, Refusal
from orderproof.sandbox.orders import Fields, Order

# Postal codes of the countries where the guides show orders; a country that is not here takes any.
_POSTAL_CODES: Mapping[str, str] = MappingProxyType(
    {
        "AT": r"\d{4}",
        "AU": r"\d{4}",
        "BE": r"\d{4}",
        "CA": r"[A-Z]\d[A-Z] ?\d[A-Z]\d",
        "CH": r"\d{4}",
        "CZ": r"\d{3} ?\d{2}",
        "DE": r"\d{5}",
        "DK": r"\d{4}",
        "ES": r"\d{5}",
        "FI": r"\d{5}",
        "FR": r"\d{5}",
        "GB": r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}",
        "GR": r"\d{3} ?\d{2}",
        "IT": r"\d{5}",
        "NL": r"\d{4} ?[A-Z]{2}",
        "NO": r"\d{4}",
        "NZ": r"\d{4}",
        "PL": r"\d{2}-\d{3}",
        "PT": r"\d{4}-\d{3}",
        "SE": r"\d{3} ?\d{2}",
        "US": r"\d{5}(-\d{4})?",
    }
)


def merged_address(order: Order, call: Call) -> Fields:
    """Return the shipping address after the call: fields sent replace, empty ones clear, the others stay."""
    merged = {**order.shipping_address, **call.body.get("shipping_address", {})}
    return {name: value for name, value in merged.items() if value != ""}


def fits_country(address: Fields) -> bool:
    """Tell whether the postal code and the region can be those of the country.

    What is missing or empty fits.
    """
    country = address.get("country", "").upper()
    if country and not re.fullmatch(r"[A-Z]{2}", country):
        return False
    code = address.get("postal_code", "").upper()
    if code and not re.fullmatch(_POSTAL_CODES.get(country, ".*"), code):
        return False
    region = address.get("region", "").upper()
    return country != "US" or not region or re.fullmatch(r"[A-Z]{2}", region) is not None


def change_not_approved(order: Order, call: Call, context: Context) -> Refusal | None:
    """Refuse a change, where the sandbox is told that the risk check says no. An empty change asks no one."""
    if context.open.address_update == "taken" or not call.body.get("shipping_address"):
        return None
    return Refusal(403, NOT_ALLOWED, "The change of the shipping address was not approved.")


def billing_address_sent(order: Order, call: Call, context: Context) -> Refusal | None:
    """Refuse a call that sends a billing address, where the sandbox is told to; it is ignored otherwise."""
    if "billing_address" not in call.unknown:
        return None
    return open_refusal(context.open.billing_in_update, NOT_ALLOWED, "billing_address: it cannot be changed.")


def unfit_address(order: Order, call: Call, context: Context) -> Refusal | None:
    """Refuse an address whose parts contradict each other, where the sandbox is told to."""
    if context.open.address_fit == "taken" or fits_country(call.body.get("shipping_address", {})):
        return None
    message = "shipping_address: country, postal code and region do not fit together."
    return Refusal(int(context.open.address_fit), "INVALID_ADDRESS", message)
