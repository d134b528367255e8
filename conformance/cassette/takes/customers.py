"""The address of the customer, and the references of the merchant."""

from __future__ import annotations

from orderproof.cassette.takes.registry import take
from orderproof.drivers.drafts import address
from orderproof.drivers.handle import new_order
from orderproof.drivers.stage import Stage


@take("customers/address-and-references", "address and references change, field by field")
def _address_and_references(stage: Stage) -> None:
    order = new_order(stage)
    order.change_address({"given_name": "Anna", "phone": "+46700000001"})
    order.change_address(address(street_address="Andragatan 2", postal_code="411 03", city="Göteborg"))
    order.change_address({"phone": ""})
    order.change_references(merchant_reference1="first")
    order.change_references(merchant_reference2="second")
    order.change_references(merchant_reference1="")
    order.capture(order.remaining // 2)
    order.change_references(merchant_reference1="after-capture")
    order.change_address({"family_name": "Andersson"})
    order.look_around()
