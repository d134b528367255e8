"""The authorization: acknowledged, changed and extended."""

from __future__ import annotations

from orderproof.drivers.drafts import line, lines
from orderproof.drivers.handle import new_order
from orderproof.drivers.scenarios.registry import scenario
from orderproof.drivers.stage import Stage


@scenario("acknowledging")
def acknowledging(stage: Stage) -> None:
    order = new_order(stage)
    order.acknowledge()
    order.acknowledge()
    order = new_order(stage)
    order.capture(order.remaining // 2)
    order.acknowledge()
    order.look_around()
    order = new_order(stage)
    order.update(order.amount - 1_000)
    order.extend()
    order.acknowledge()


@scenario("decreases, the same amount, and increases")
def amounts(stage: Stage) -> None:
    order = new_order(stage)
    order.update(order.amount - 1, description="One less")
    order.update(order.amount)
    order.update(order.amount + 1)
    order.update(order.amount + 5_000, order_lines=lines(order.amount + 5_000))
    order.update(1)
    order.capture(order.remaining + 1)
    order.capture(order.remaining)
    order.look_around()


@scenario("updates of a part-captured order")
def part_captured(stage: Stage) -> None:
    order = new_order(stage)
    order.capture(order.remaining // 4)
    order.update(order.captured - 1)
    order.update(order.captured + 1)
    order.update(order.captured + 2_000, description="Two thousand more than was captured")
    order.capture(1_000)
    order.update(order.captured - 1)
    order.update(order.captured)
    order.look_around()


@scenario("updates replace the order lines")
def order_lines(stage: Stage) -> None:
    order = new_order(stage)
    two_lines = [
        line(order.amount - 1_000, name="Coat", quantity_unit="pc"),
        line(0, name="Gift", tax_rate=0, quantity=2**32 + 1),
    ]
    order.update(order.amount - 1_000, order_lines=two_lines)
    order.update(order.amount - 1_000, order_lines=[_full_line(order.amount - 1_000)])
    order.update(120 * 70, order_lines=[line(70, reference=f"sku-{number}") for number in range(120)])
    order.update(order.amount - 1_000)
    order.update(order.amount - 1_000, order_lines=lines(order.amount - 1_000))
    order.look_around()


def _full_line(total: int) -> dict[str, object]:
    return line(
        total,
        name="Ærø 東京 𝒳",
        reference="r" * 255,
        merchant_data="m" * 1024,
        product_url="https://shop.example.com/coat",
        image_url="https://shop.example.com/coat.png",
        product_identifiers={"brand": "Brand", "color": "blue", "size": "4"},
    )


@scenario("extending")
def extending(stage: Stage) -> None:
    order = new_order(stage)
    order.extend()
    order.extend()
    order.capture(order.remaining // 2)
    order.extend()
    order.look_around()
