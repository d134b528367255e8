"""The shipping address and the merchant references."""

from __future__ import annotations

from orderproof.drivers.drafts import address
from orderproof.drivers.handle import new_order
from orderproof.drivers.scenarios.registry import scenario
from orderproof.drivers.stage import Stage


@scenario("changes of the shipping address")
def addresses(stage: Stage) -> None:
    order = new_order(stage)
    whole = address(
        "US",
        attention="Front desk",
        street_address2="Floor 2",
        title="Prof. Dr. med. habil",
        organization_name="Example",
    )
    order.change_address(whole)
    order.change_address({"given_name": "Only", "family_name": "Names 東京"})
    order.change_address({"street_address2": "", "attention": ""})
    order.change_address({})
    order.call("updateConsumerDetails", {})
    order.call("updateConsumerDetails", {"billing_address": address(given_name="Other")})
    order.change_address({"email": "Other@example.com", "phone": "+46 70-000 00 01"})
    order.look_around()


@scenario("changes of the address of a captured order")
def captured(stage: Stage) -> None:
    order = new_order(stage)
    order.capture(order.remaining // 2)
    order.change_address(address(given_name="Part"))
    order.capture(order.remaining)
    order.change_address(address(given_name="Full"))
    order.look_around()


@scenario("merchant references one by one")
def references(stage: Stage) -> None:
    order = new_order(stage)
    order.change_references(merchant_reference2="second, of  two ")
    order.change_references(merchant_reference1=" first")
    order.change_references(merchant_reference1="a" * 255, merchant_reference2="Ærø 東京 𝒳")
    order.change_references(merchant_reference1="")
    order.change_references()
    order.change_references(merchant_reference1="again", merchant_reference2="")
    order.capture(order.remaining)
    order.change_references(merchant_reference2="after-capture")
    order.refund(order.refundable)
    order.change_references(merchant_reference1="after-refund")
    order.look_around()


@scenario("references read back after every kind of call")
def references_stay(stage: Stage) -> None:
    order = new_order(stage)
    order.change_references(merchant_reference1="kept-1", merchant_reference2="kept-2")
    order.acknowledge()
    order.extend()
    order.update(order.amount - 100)
    order.change_address({"given_name": "Kept"})
    order.ship({"shipping_company": "Post"})
    order.capture(order.remaining // 2)
    order.call("triggerSendOut", capture=0)
    order.ship({"shipping_company": "Post"}, capture=0)
    order.refund(order.refundable // 2)
    order.release()
    order.look_around()
