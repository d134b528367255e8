"""Servers that misjudge request bodies: bounds, types, closed lists, JSON itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.gallery.books import Json, Refusal, Task
from tests.gallery.catalogue import lie
from tests.gallery.fields import (
    INT64,
    LINE,
    MOST_MONEY,
    PARCEL,
    SHAPES,
    Items,
    OneOf,
    Text,
    Thing,
    Whole,
    converted,
    reshaped,
)
from tests.gallery.lies_wire import texts_in
from tests.gallery.server import Fake
from tests.gallery.wire import Answer, Call

LINES = ("capture.order_lines", "refund.order_lines", "update_authorization.order_lines")
PARCELS = (
    "capture.shipping_info",
    "append_order_shipping.shipping_info",
    "append_capture_shipping.shipping_info",
)
ADDRESS = "update_customer.shipping_address."


def in_lines(path: str) -> list[str]:
    return [f"{lines}.[].{path}" for lines in LINES]


def in_parcels(path: str) -> list[str]:
    return [f"{parcels}.[].{path}" for parcels in PARCELS]


def _reruled(change: Callable[[Any], Any]) -> dict[str, Thing]:
    """The shapes of all bodies but that of an order's creation, every rule put through `change`."""
    return {op: shape if op == "create" else converted(shape, change) for op, shape in SHAPES.items()}


def _is_line(rule: Any) -> bool:
    return isinstance(rule, Thing) and "unit_price" in rule.fields


# --- one more than the bound ------------------------------------------------------------------------------


@lie("GEN-VAL-1", when="value")
class OrderAmountOneAbove(Fake):
    """An order amount of 200,000,001 is taken."""

    shapes = reshaped("update_authorization.order_amount", to=Whole(0, MOST_MONEY + 1))


@lie("GEN-VAL-1", "ORD-SUM-5", "ORD-SUM-6", "GEN-HTTP-1", when="value")
class NegativeCapture(Fake):
    """A capture of a negative amount is taken."""

    shapes = reshaped("capture.captured_amount", to=Whole(-MOST_MONEY, MOST_MONEY))


@lie("GEN-VAL-1", "ORD-SUM-5", "ORD-SUM-6", when="value")
class NegativeRefund(Fake):
    """A refund of a negative amount is taken."""

    shapes = reshaped("refund.refunded_amount", to=Whole(-MOST_MONEY, MOST_MONEY))


@lie("GEN-VAL-1", when="value")
class CaptureReferenceOneLonger(Fake):
    """A capture reference of 256 characters is taken."""

    shapes = reshaped("capture.reference", to=Text(256))


@lie("GEN-VAL-1", when="value")
class RefundDescriptionOneLonger(Fake):
    """A refund description of 256 characters is taken."""

    shapes = reshaped("refund.description", to=Text(256))


@lie("GEN-VAL-1", when="value")
class CaptureDescriptionUnbounded(Fake):
    """A capture description of any length is taken."""

    shapes = reshaped("capture.description", to=Text())


@lie("GEN-VAL-1", when="value")
class UpdateDescriptionOneLonger(Fake):
    """A description of an authorization update of 256 characters is taken."""

    shapes = reshaped("update_authorization.description", to=Text(256))


@lie("GEN-VAL-1", when="value")
class SecondReferenceOneLonger(Fake):
    """A second merchant reference of 256 characters is taken."""

    shapes = reshaped("update_references.merchant_reference2", to=Text(256))


@lie("GEN-VAL-1", when="value")
class GivenNameOneLonger(Fake):
    """A given name of 101 characters is taken."""

    shapes = reshaped(ADDRESS + "given_name", to=Text(101))


@lie("GEN-VAL-1", when="value")
class PostalCodeOneLonger(Fake):
    """A postal code of 11 characters is taken."""

    shapes = reshaped(ADDRESS + "postal_code", to=Text(11))


@lie("GEN-VAL-1", when="value")
class TitleOneLonger(Fake):
    """A title of 21 characters is taken."""

    shapes = reshaped(ADDRESS + "title", to=Text(21))


@lie("GEN-VAL-1", when="value")
class SecondStreetOneLonger(Fake):
    """A second line of the street address of 101 characters is taken."""

    shapes = reshaped(ADDRESS + "street_address2", to=Text(101))


@lie("GEN-VAL-1", when="value")
class CityOneLonger(Fake):
    """A city of 201 characters is taken."""

    shapes = reshaped(ADDRESS + "city", to=Text(201))


@lie("GEN-VAL-1", when="value")
class EmailTwiceAsLong(Fake):
    """An e-mail address of 200 characters is taken."""

    shapes = reshaped(ADDRESS + "email", to=Text(200))


@lie("GEN-VAL-1", when="value")
class LineNameOneLonger(Fake):
    """The name of a refunded line may have 256 characters."""

    shapes = reshaped("refund.order_lines.[].name", to=Text(256))


@lie("GEN-VAL-1", when="value")
class QuantityUnitOneLonger(Fake):
    """A quantity unit of 11 characters is taken."""

    shapes = reshaped(*in_lines("quantity_unit"), to=Text(11))


@lie("GEN-VAL-1", when="value")
class LineDataOneLonger(Fake):
    """Merchant data of a line of 1025 characters are taken when it is captured."""

    shapes = reshaped("capture.order_lines.[].merchant_data", to=Text(1025))


@lie("GEN-VAL-1", when="value")
class ImageUrlOneLonger(Fake):
    """An image address of 1025 characters is taken."""

    shapes = reshaped(*in_lines("image_url"), to=Text(1025))


@lie("GEN-VAL-1", when="value")
class BrandOneLonger(Fake):
    """A brand of 71 characters is taken."""

    shapes = reshaped(*in_lines("product_identifiers.brand"), to=Text(71))


@lie("GEN-VAL-1", when="value")
class CategoryUnbounded(Fake):
    """A category path of any length is taken in an authorization update."""

    path = "update_authorization.order_lines.[].product_identifiers.category_path"
    shapes = reshaped(path, to=Text())


@lie("GEN-VAL-1", when="value")
class NegativeDiscount(Fake):
    """A negative discount is taken."""

    shapes = reshaped(*in_lines("total_discount_amount"), to=Whole(-1, MOST_MONEY))


@lie("GEN-VAL-1", when="value")
class NegativeTaxRate(Fake):
    """A negative tax rate is taken."""

    shapes = reshaped(*in_lines("tax_rate"), to=Whole(-1))


@lie("GEN-VAL-1", when="value")
class NegativeQuantity(Fake):
    """A negative quantity is taken when refunding."""

    shapes = reshaped("refund.order_lines.[].quantity", to=Whole(-INT64))


@lie("GEN-VAL-1", when="value")
class UnitPriceOneAbove(Fake):
    """A unit price of 200,000,001 is taken."""

    shapes = reshaped(*in_lines("unit_price"), to=Whole(-MOST_MONEY, MOST_MONEY + 1))


@lie("GEN-VAL-1", when="value")
class LineTaxUnbounded(Fake):
    """A line's tax has no upper bound."""

    shapes = reshaped(*in_lines("total_tax_amount"), to=Whole())


@lie("GEN-VAL-1", when="value")
class NoInterval(Fake):
    """A subscription with an interval count of zero is taken."""

    shapes = reshaped(*in_lines("subscription.interval_count"), to=Whole(0))


@lie("GEN-VAL-1", when="value")
class OneLineMore(Fake):
    """A capture with 1001 lines is taken."""

    shapes = reshaped("capture.order_lines", to=Items(LINE, 0, 1001))


@lie("SHP-4", "GEN-VAL-1", when="value")
class OneParcelMore(Fake):
    """501 items of shipping info are appended to an order."""

    shapes = reshaped("append_order_shipping.shipping_info", to=Items(PARCEL, 1, 501))


@lie("GEN-VAL-1", when="value")
class OneParcelMoreCaptured(Fake):
    """A capture with 501 items of shipping info is taken."""

    shapes = reshaped("capture.shipping_info", to=Items(PARCEL, 0, 501))


@lie("SHP-4", "GEN-VAL-1", when="value")
class NoParcels(Fake):
    """An empty list of shipping info is taken for a capture."""

    shapes = reshaped("append_capture_shipping.shipping_info", to=Items(PARCEL, 0, 500))


@lie("GEN-VAL-1", "SHP-4", when="value")
class TrackingNumberOneLonger(Fake):
    """A tracking number of 101 characters is taken."""

    shapes = reshaped(*in_parcels("tracking_number"), to=Text(101))


@lie("GEN-VAL-1", "SHP-4", when="value")
class ReturnTrackingUriOneLonger(Fake):
    """A tracking address for returns of 1025 characters is taken."""

    shapes = reshaped(*in_parcels("return_tracking_uri"), to=Text(1025))


# --- too strict -------------------------------------------------------------------------------------------


@lie("GEN-VAL-4", "CAP-1", when="value")
class CaptureDescriptionOneShorter(Fake):
    """A capture description of 255 characters is refused."""

    shapes = reshaped("capture.description", to=Text(254))


@lie("GEN-VAL-4", "REF-1", when="value")
class ReferenceOneShorter(Fake):
    """A merchant reference of 255 characters is refused."""

    shapes = reshaped("update_references.merchant_reference1", to=Text(254))


@lie("GEN-VAL-4", "CUS-1", when="value")
class FamilyNameOneShorter(Fake):
    """A family name of 100 characters is refused."""

    shapes = reshaped(ADDRESS + "family_name", to=Text(99))


@lie("GEN-VAL-4", "CAP-1", "RFD-1", "AUT-1", when="value")
class LineReferenceAsInOldDays(Fake):
    """A line's reference of more than 64 characters is refused."""

    shapes = reshaped(*in_lines("reference"), to=Text(64))


@lie("GEN-VAL-4", "CAP-1", when="value")
class OneLineLess(Fake):
    """A capture with 1000 lines is refused."""

    shapes = reshaped("capture.order_lines", to=Items(LINE, 0, 999))


@lie("GEN-VAL-4", "SHP-1", when="value")
class OneParcelLess(Fake):
    """500 items of shipping info are refused for an order."""

    shapes = reshaped("append_order_shipping.shipping_info", to=Items(PARCEL, 1, 499))


@lie("GEN-VAL-4", "CAP-1", "RFD-1", "AUT-1", when="value")
class QuantityFromOne(Fake):
    """A line with a quantity of zero is refused."""

    shapes = reshaped(*in_lines("quantity"), to=Whole(1))


@lie("GEN-VAL-4", "CAP-1", "RFD-1", "AUT-1", when="value")
class QuantityIn32Bits(Fake):
    """A line with a quantity of more than 32 bits is refused."""

    shapes = reshaped(*in_lines("quantity"), to=Whole(0, 2**31 - 1))


@lie("GEN-VAL-4", "CAP-1", "RFD-1", "AUT-1", when="value")
class TaxRateAtMostWhole(Fake):
    """A tax rate of more than 100 % is refused."""

    shapes = reshaped(*in_lines("tax_rate"), to=Whole(0, 10_000))


@lie("GEN-VAL-4", "CAP-1", "RFD-1", "AUT-1", when="value")
class NoNegativeLines(Fake):
    """A line with a negative total, such as a discount, is refused."""

    shapes = reshaped(*in_lines("total_amount"), to=Whole(0, MOST_MONEY))


@lie("GEN-VAL-4", "RFD-1", "CAP-1", "AUT-1", when="value")
class NoNegativePrices(Fake):
    """A line with a negative unit price is refused."""

    shapes = reshaped(*in_lines("unit_price"), to=Whole(0, MOST_MONEY))


@lie("GEN-VAL-4", "AUT-1", when="value")
class HalfTheMoney(Fake):
    """Order amounts over 100,000,000 are refused, as by older servers."""

    shapes = reshaped("update_authorization.order_amount", to=Whole(0, 100_000_000))


@lie("GEN-VAL-4", "CAP-1", "RFD-1", "AUT-1", when="value")
class OldLineTypes(Fake):
    """Lines of type surcharge or gift_card are refused, as by older servers."""

    shapes = reshaped(
        *in_lines("type"),
        to=OneOf(
            ("physical", "discount", "shipping_fee", "sales_tax", "store_credit", "digital", "return_fee")
        ),
    )


@lie("GEN-VAL-4", "SHP-1", "SHP-2", "CAP-1", when="value")
class OldShippingMethods(Fake):
    """The newer shipping methods, such as PalletDelivery, are refused, as by older servers."""

    methods = ("PickUpStore", "Home", "BoxReg", "BoxUnreg", "PickUpPoint", "Own", "Postal")
    shapes = reshaped(
        *in_parcels("shipping_method"), to=OneOf((*methods, "DHLPackstation", "Digital", "Undefined"))
    )


def _required(op: str, *names: str) -> dict[str, Thing]:
    return {**SHAPES, op: replace(SHAPES[op], required=(*SHAPES[op].required, *names))}


@lie("GEN-VAL-4", "CAP-1", when="value")
class CaptureNeedsLines(Fake):
    """A capture without order lines is refused."""

    shapes = _required("capture", "order_lines")


@lie("GEN-VAL-4", "RFD-1", when="value")
class RefundNeedsDescription(Fake):
    """A refund without a description is refused."""

    shapes = _required("refund", "description")


@lie("GEN-VAL-4", "REF-1", when="value")
class BothReferencesNeeded(Fake):
    """An update of one merchant reference alone is refused."""

    shapes = _required("update_references", "merchant_reference1", "merchant_reference2")


@lie("GEN-VAL-4", "CUS-1", when="value")
class ShippingAddressNeeded(Fake):
    """An address update without an address is refused."""

    shapes = _required("update_customer", "shipping_address")


@lie("GEN-VAL-4", "CAP-1", "RFD-1", "AUT-1", when="value")
class LinesNeedType(Fake):
    """An order line without a type is refused."""

    shapes = _reruled(
        lambda rule: replace(rule, required=(*rule.required, "type")) if _is_line(rule) else rule
    )


class _Bytes(Text):
    def length(self, value: str) -> int:
        return len(value.encode())


@lie("GEN-VAL-4", "REF-1", "CAP-1", "RFD-1", "CUS-1", when="value")
class BytesCounted(Fake):
    """The length of text is counted in bytes of UTF-8."""

    shapes = _reruled(lambda rule: _Bytes(rule.most) if type(rule) is Text else rule)


class _Refuses(Fake):
    """Refuses some valid bodies as invalid."""

    def valid(self, value: Any, shape: Thing, task: Task) -> Json:
        body = super().valid(value, shape, task)
        if task.op != "create" and self.dislikes(body, task):
            raise self.invalid("The body is not to our liking.")
        return body

    def dislikes(self, body: Json, task: Task) -> bool:
        return False


@lie("GEN-VAL-4", "REF-1", "CAP-1", "RFD-1", "CUS-1", "SHP-1", when="value")
class QuotesRefused(_Refuses):
    """Text with a quotation mark or an apostrophe is refused."""

    def dislikes(self, body: Json, task: Task) -> bool:
        return any(mark in text for text in texts_in(body) for mark in "'\"")


@lie("GEN-VAL-4", "CUS-1", when="value")
class LatinNamesOnly(_Refuses):
    """A name in another script than Latin is refused."""

    def dislikes(self, body: Json, task: Task) -> bool:
        address = body.get("shipping_address", {})
        names = address.get("given_name", "") + address.get("family_name", "") + address.get("city", "")
        return any(letter > "\u024f" for letter in names)


@lie("GEN-VAL-4", "REF-1", "CAP-1", "RFD-1", "CUS-1", when="value")
class AstralRefused(_Refuses):
    """Text beyond the BMP is refused."""

    def dislikes(self, body: Json, task: Task) -> bool:
        return any(letter > "\uffff" for text in texts_in(body) for letter in text)


@lie("GEN-VAL-4", "CUS-1", when="value")
class PhoneInDigits(_Refuses):
    """A phone number that starts with a plus is refused."""

    def dislikes(self, body: Json, task: Task) -> bool:
        return str(body.get("shipping_address", {}).get("phone", "")).startswith("+")


@lie("GEN-VAL-4", "REF-1", when="value")
class EmptyReferenceRefused(_Refuses):
    """An empty merchant reference is refused instead of clearing it."""

    def dislikes(self, body: Json, task: Task) -> bool:
        return task.op == "update_references" and "" in body.values()


@lie("GEN-VAL-4", "CUS-1", when="value")
class EmptyAddressFieldRefused(_Refuses):
    """An empty field of an address is refused instead of clearing it."""

    def dislikes(self, body: Json, task: Task) -> bool:
        return "" in body.get("shipping_address", {}).values()


@lie("GEN-VAL-4", "SHP-1", "SHP-2", "CAP-1", when="value")
class MethodNeeded(_Refuses):
    """Shipping info without a method is refused."""

    def dislikes(self, body: Json, task: Task) -> bool:
        return any("shipping_method" not in one for one in body.get("shipping_info", []))


@lie("GEN-VAL-4", "CAP-1", "RFD-1", "AUT-1", when="value")
class LargeBodyRefused(Fake):
    """A body of more than 64 KiB is refused with 400."""

    def parsed(self, call: Call) -> Any:
        if len(call.body) > 65536:
            raise self.invalid("The body is too large.")
        return super().parsed(call)


# --- types ------------------------------------------------------------------------------------------------


class _Lax(Fake):
    """Bends a body until it is valid."""

    def valid(self, value: Any, shape: Thing, task: Task) -> Json:
        bent = value if task.op == "create" or not isinstance(value, dict) else self.bent(value, task)
        return super().valid(bent, shape, task)

    def bent(self, body: Json, task: Task) -> Json:
        return body


def _number(value: Any) -> Any:
    return int(value) if isinstance(value, str) and value.isdecimal() else value


@lie("GEN-VAL-1", when="value")
class TextForAmount(_Lax):
    """An amount may be a text of digits."""

    def bent(self, body: Json, task: Task) -> Json:
        amounts = ("captured_amount", "refunded_amount", "order_amount")
        return {name: _number(one) if name in amounts else one for name, one in body.items()}


@lie("GEN-VAL-1", when="value")
class TextForRefundedAmount(_Lax):
    """The amount of a refund may be a text of digits."""

    def bent(self, body: Json, task: Task) -> Json:
        return {name: _number(one) if name == "refunded_amount" else one for name, one in body.items()}


@lie("GEN-VAL-1", when="value")
class TextForLineNumbers(_Lax):
    """The numbers of an order line may be texts of digits."""

    def bent(self, body: Json, task: Task) -> Json:
        lines = body.get("order_lines")
        if not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines):
            return body
        numbers = {name for name, rule in LINE.fields.items() if isinstance(rule, Whole)}
        bent = [
            {name: _number(one) if name in numbers else one for name, one in line.items()} for line in lines
        ]
        return {**body, "order_lines": bent}


@lie("GEN-VAL-1", "DUE-3", when="value")
class TextForDays(_Lax):
    """A number of days may be a text of digits."""

    def bent(self, body: Json, task: Task) -> Json:
        return {name: _number(one) if name == "number_of_days" else one for name, one in body.items()}


@lie("GEN-VAL-1", when="value")
class TrueForOne(_Lax):
    """An amount of true is taken as 1."""

    def bent(self, body: Json, task: Task) -> Json:
        return {name: int(one) if isinstance(one, bool) else one for name, one in body.items()}


@lie("GEN-VAL-1", when="value")
class FractionsCut(_Lax):
    """A fraction of an amount is cut off."""

    def bent(self, body: Json, task: Task) -> Json:
        return {
            name: int(one) if isinstance(one, float) and one < 1e18 else one for name, one in body.items()
        }


@lie("GEN-VAL-1", when="value")
class NumberForText(_Lax):
    """A reference may be a number."""

    def bent(self, body: Json, task: Task) -> Json:
        texts = ("reference", "merchant_reference1", "merchant_reference2", "description")
        return {name: str(one) if name in texts and type(one) is int else one for name, one in body.items()}


@lie("GEN-VAL-1", when="value")
class NullForAbsent(_Lax):
    """A null is as good as no field."""

    def bent(self, body: Json, task: Task) -> Json:
        return {name: one for name, one in body.items() if one is not None}


@lie("GEN-VAL-1", when="value")
class NullForLines(_Lax):
    """A null is taken for order lines."""

    def bent(self, body: Json, task: Task) -> Json:
        return {name: one for name, one in body.items() if name != "order_lines" or one is not None}


@lie("GEN-VAL-1", when="value")
class NullInAddress(_Lax):
    """A null is taken for a field of an address."""

    def bent(self, body: Json, task: Task) -> Json:
        address = body.get("shipping_address")
        if not isinstance(address, dict):
            return body
        return {**body, "shipping_address": {name: one for name, one in address.items() if one is not None}}


@lie("GEN-VAL-1", when="value")
class MissingAmountCapturesAll(_Lax):
    """A capture without an amount captures what remains."""

    def bent(self, body: Json, task: Task) -> Json:
        if task.op != "capture" or "captured_amount" in body:
            return body
        return {**body, "captured_amount": self.remaining(task.order)}


@lie("GEN-VAL-1", when="value")
class MissingAmountRefundsAll(_Lax):
    """A refund without an amount refunds what is left."""

    def bent(self, body: Json, task: Task) -> Json:
        if task.op != "refund" or "refunded_amount" in body:
            return body
        return {**body, "refunded_amount": self.captured(task.order) - self.refunded(task.order)}


@lie("GEN-VAL-1", when="value")
class MissingAmountKeepsOrder(_Lax):
    """An authorization update without an amount replaces the lines alone."""

    def bent(self, body: Json, task: Task) -> Json:
        return {"order_amount": task.order.amount, **body} if task.op == "update_authorization" else body


@lie("GEN-VAL-1", "SHP-4", when="value")
class MissingShippingInfo(_Lax):
    """Appending shipping info without any is taken, and appends nothing."""

    shapes = reshaped("append_order_shipping.shipping_info", to=Items(PARCEL, 0, 500))

    def valid(self, value: Any, shape: Thing, task: Task) -> Json:
        if value == {"shipping_info": []}:
            raise self.invalid("shipping_info: size must be between 1 and 500")
        return super().valid(value, shape, task)

    def bent(self, body: Json, task: Task) -> Json:
        return {"shipping_info": [], **body} if task.op == "append_order_shipping" else body


def _lines_without(name: str) -> dict[str, Thing]:
    loose = replace(LINE, required=tuple(one for one in LINE.required if one != name))
    return _reruled(lambda rule: loose if _is_line(rule) else rule)


@lie("GEN-VAL-1", "GEN-HTTP-1", when="value")
class NamelessLines(Fake):
    """An order line without a name is taken."""

    shapes = _lines_without("name")


@lie("GEN-VAL-1", "GEN-HTTP-1", when="value")
class PricelessLines(Fake):
    """An order line without a unit price is taken."""

    shapes = _lines_without("unit_price")


@lie("GEN-VAL-1", "GEN-HTTP-1", when="value")
class TotallessLines(Fake):
    """An order line without a total is taken."""

    shapes = _lines_without("total_amount")


@lie("GEN-VAL-1", "GEN-HTTP-1", when="value")
class NamelessSubscriptions(Fake):
    """A subscription without a name is taken."""

    shapes = _reruled(
        lambda rule: (
            replace(rule, required=("interval", "interval_count"))
            if isinstance(rule, Thing) and "interval" in rule.fields
            else rule
        )
    )


@lie("GEN-VAL-1", when="value")
class LoneLine(_Lax):
    """An order line need not be in an array."""

    def bent(self, body: Json, task: Task) -> Json:
        lines = body.get("order_lines")
        return {**body, "order_lines": [lines]} if isinstance(lines, dict) and lines else body


@lie("GEN-VAL-1", when="value")
class ObjectForLines(_Lax):
    """An object in place of the array of order lines is taken as none."""

    def bent(self, body: Json, task: Task) -> Json:
        return {name: one for name, one in body.items() if name != "order_lines" or not isinstance(one, dict)}


@lie("GEN-VAL-1", when="value")
class TextForAddress(_Lax):
    """A text in place of the address is taken, and ignored."""

    def bent(self, body: Json, task: Task) -> Json:
        kept = body.items()
        return {name: one for name, one in kept if name != "shipping_address" or not isinstance(one, str)}


@lie("GEN-VAL-1", when="value")
class NumberForIdentifier(_Lax):
    """A trade item number may be a JSON number."""

    def bent(self, body: Json, task: Task) -> Json:
        lines = body.get("order_lines")
        for line in lines if isinstance(lines, list) else []:
            known = line.get("product_identifiers") if isinstance(line, dict) else None
            if isinstance(known, dict) and type(known.get("global_trade_item_number")) is int:
                known["global_trade_item_number"] = str(known["global_trade_item_number"])
        return body


# --- closed lists -----------------------------------------------------------------------------------------


class _Contains(OneOf):
    def takes(self, value: str) -> bool:
        return any(member in value for member in self.members)


class _Contained(OneOf):
    def takes(self, value: str) -> bool:
        return any(value in member for member in self.members)


class _AnyCase(OneOf):
    def takes(self, value: str) -> bool:
        return value.lower() in {member.lower() for member in self.members}


@lie("GEN-VAL-1", "GEN-HTTP-1", when="value")
class IntervalContaining(Fake):
    """BIWEEKLY is an interval because WEEK is in it: the pattern has no anchors."""

    shapes = reshaped(*in_lines("subscription.interval"), to=_Contains(("DAY", "WEEK", "MONTH", "YEAR")))


@lie("GEN-VAL-1", "SHP-4", "GEN-HTTP-1", when="value")
class MethodContaining(Fake):
    """HomeDelivery is a shipping method because Home is in it: the pattern has no anchors."""

    members = PARCEL.fields["shipping_method"].members  # type: ignore[union-attr]
    shapes = reshaped(*in_parcels("shipping_method"), to=_Contains(members))


@lie("GEN-VAL-1", "GEN-HTTP-1", when="value")
class TypeContained(Fake):
    """gift is a line type because gift_card has it: the list is searched as one text."""

    members = LINE.fields["type"].members  # type: ignore[union-attr]
    shapes = reshaped(*in_lines("type"), to=_Contained(("|".join(members),)))


@lie("GEN-VAL-1", "SHP-4", "GEN-HTTP-1", when="value")
class MethodInAnyCase(Fake):
    """Letter case does not matter in a shipping method."""

    members = PARCEL.fields["shipping_method"].members  # type: ignore[union-attr]
    shapes = reshaped(*in_parcels("shipping_method"), to=_AnyCase(members))


@lie("GEN-VAL-1", "SHP-4", "GEN-ERR-4", when="value")
class EmptyMethodTaken(Fake):
    """A shipping method without a letter is no method, and taken."""

    members = PARCEL.fields["shipping_method"].members  # type: ignore[union-attr]
    shapes = reshaped(*in_parcels("shipping_method"), to=OneOf((*members, "")))


@lie("SHP-4", "GEN-VAL-1", "GEN-HTTP-1", when="value")
class AnyMethod(Fake):
    """Any text is a shipping method when it is appended to a capture."""

    shapes = reshaped("append_capture_shipping.shipping_info.[].shipping_method", to=Text(100))


@lie("GEN-VAL-1", "GEN-HTTP-1", when="value")
class AnyLineType(Fake):
    """Any text is a line type in an authorization update."""

    shapes = reshaped("update_authorization.order_lines.[].type", to=Text(100))


# --- JSON -------------------------------------------------------------------------------------------------


@lie("GEN-VAL-2", when="value")
class BrokenJsonIsEmpty(Fake):
    """A body that is not JSON is taken as an empty object."""

    def parsed(self, call: Call) -> Any:
        try:
            return super().parsed(call)
        except Refusal as refusal:
            if refusal.status == self.invalid_status and call.body:
                return {}
            raise


@lie("GEN-VAL-2", when="value")
class ArrayUnwrapped(Fake):
    """An array around the body is taken off."""

    def parsed(self, call: Call) -> Any:
        value = super().parsed(call)
        return value[0] if isinstance(value, list) and len(value) == 1 else value


@lie("GEN-VAL-2", when="value")
class JunkAfterBody(Fake):
    """What follows the JSON of a body is ignored."""

    def parsed(self, call: Call) -> Any:
        try:
            return super().parsed(call)
        except Refusal:
            try:
                return json.JSONDecoder().raw_decode(call.body.decode().strip())[0]
            except (ValueError, RecursionError):
                raise self.invalid("The body is not JSON.") from None


@lie("GEN-VAL-2", when="value")
class LatinOne(Fake):
    """A body that is not UTF-8 is read as Latin-1."""

    def parsed(self, call: Call) -> Any:
        try:
            call.body.decode()
        except UnicodeDecodeError:
            call = replace(call, body=call.body.decode("latin-1").encode())
        return super().parsed(call)


@lie("GEN-VAL-2", when="value")
class NullIsEmpty(Fake):
    """A body of null is taken as an empty object."""

    def parsed(self, call: Call) -> Any:
        value = super().parsed(call)
        return {} if value is None else value


@lie("GEN-VAL-2", "SHP-4", when="value")
class BodilessShippingTaken(Fake):
    """Appending shipping info without a body is answered 204."""

    def operate(self, task: Task) -> Answer:
        return self.done(task) if task.body.get("nothing") else super().operate(task)

    def body_of(self, task: Task) -> Json:
        if task.op == "append_capture_shipping" and not task.call.body:
            return {"nothing": True}
        return super().body_of(task)


@lie("GEN-VAL-1", "GEN-VAL-2", when="value")
class InvalidForbidden(Fake):
    """An invalid body is answered 403."""

    invalid_status = 403


@lie("GEN-VAL-1", when="value")
class OneFieldConflicts(Fake):
    """A negative amount is answered 409."""

    def valid(self, value: Any, shape: Thing, task: Task) -> Json:
        try:
            return super().valid(value, shape, task)
        except Refusal as refusal:
            if "greater than or equal" in refusal.message:
                refusal.status = 409
            raise
