"""What captures, refunds and authorization updates share: an amount, details, and lines that sum to it."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from orderproof.strategies import schema
from orderproof.strategies.addresses import places
from orderproof.strategies.lines import drawn_lines
from orderproof.strategies.records import Record
from orderproof.strategies.texts import field_texts


def bodies(
    component: str,
    amounts: SearchStrategy[int],
    details: SearchStrategy[Record],
    *,
    with_lines: bool | None,
    country: str | None,
) -> SearchStrategy[Record]:
    """Return bodies with an amount in the component's first field, details, and with lines or without.

    `with_lines=None` leaves that open. Raises InvalidArgument for a country without a known place.
    """
    places(country=country)
    return _bodies(component, amounts, details, with_lines, country)


def texts_of(component: str) -> dict[str, SearchStrategy[str]]:
    """Return a strategy for each field of a component that is a text of limited length."""
    fields = schema.component(component)["properties"]
    return {name: field_texts(field=f"{component}.{name}") for name in fields if "maxLength" in fields[name]}


@st.composite
def _bodies(
    draw: DrawFn,
    component: str,
    amounts: SearchStrategy[int],
    details: SearchStrategy[Record],
    with_lines: bool | None,
    country: str | None,
) -> Record:
    amount = draw(amounts)
    body = {schema.amount_field(component): amount, **draw(details)}
    if with_lines or (with_lines is None and draw(st.booleans())):
        body["order_lines"] = drawn_lines(draw, amount, country)
    return schema.ordered(component, body)
