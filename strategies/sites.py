"""The places in a body where a value can stand, found by walking it together with its schema."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis.errors import InvalidArgument

from orderproof.strategies import arguments, schema
from orderproof.strategies.arithmetic import FIELDS, Line, balanced, settled, tax_of
from orderproof.strategies.records import Record
from orderproof.strategies.specimens import plainest

Path = tuple[str | int, ...]
Rebuild = Callable[[Any], Record]

LINES = "order_lines"
# Of a list the first items are visited. A server that looks at the first alone is found by the second.
_VISITED = 2


@dataclass(frozen=True, slots=True)
class Site:
    """One place in a body: a field of an object, there or not, or an item of a list.

    `field` names it as `Component.property`; for an item, it is the list. `owner` is the object or list
    that it belongs to, `key` its name or index there, and `rebuild` returns the whole body around another
    owner.
    """

    path: Path
    field: str
    rules: schema.Schema
    required: bool
    owner: Any
    rebuild: Rebuild

    @property
    def key(self) -> str | int:
        """The name of the field, or the index of the item."""
        return self.path[-1]

    @property
    def value(self) -> Any:
        """What stands there, or None."""
        return self.owner.get(self.key) if isinstance(self.owner, dict) else self.owner[self.key]

    @property
    def name(self) -> str:
        """The path as people write it: `order_lines[0].quantity`."""
        steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path)
        return "".join(steps).removeprefix(".")

    @property
    def type(self) -> str:
        """The JSON type that belongs there."""
        return str(self.rules["type"])

    def put(self, value: Any) -> Record:
        """Return the body with a value there."""
        owner = self.owner.copy()
        owner[self.key] = value
        return self.rebuild(owner)

    def drop(self) -> Record:
        """Return the body without a value there."""
        owner = self.owner.copy()
        del owner[self.key]
        return self.rebuild(owner)

    def merge(self, fields: Record) -> Record:
        """Return the body with other values in several fields of the object that it belongs to."""
        return self.rebuild({**self.owner, **fields})


def sites(component: str, body: Mapping[str, Any]) -> Iterator[Site]:
    """Yield every place in the body of a request component, in the sequence of the OpenAPI document.

    Objects and lists that are absent are entered as if their plainest form stood there; order lines are
    not, because what they sum to has to be known. Raises InvalidArgument for a component that is no
    request and for a body that is no object.
    """
    arguments.one_of("component", component, schema.requests())
    if not isinstance(body, Mapping):
        raise InvalidArgument(f"valid={body!r} is no JSON object")
    yield from _fields(component, dict(body), (), lambda whole: whole)


def _fields(component: str, record: Record, path: Path, rebuild: Rebuild) -> Iterator[Site]:
    required = schema.component(component).get("required", ())
    for name in schema.component(component)["properties"]:
        field = f"{component}.{name}"
        site = Site((*path, name), field, schema.field(field), name in required, record, rebuild)
        yield site
        if site.type == "object":
            yield from _fields(schema.reference(field), _or_plainest(site), site.path, site.put)
        elif site.type == "array" and (site.value or name != LINES):
            yield from _items(site, site.value or [_or_plainest(site)])


def _items(parent: Site, items: Sequence[Any]) -> Iterator[Site]:
    inner = schema.reference(parent.field)
    for index, item in enumerate(items[:_VISITED]):
        path = (*parent.path, index)
        site = Site(path, parent.field, schema.component(inner), False, [*items], parent.put)
        yield site
        yield from _fields(inner, item, path, site.put)


def _or_plainest(site: Site) -> Any:
    return site.value or plainest(schema.reference(site.field))


def with_number(component: str, body: Mapping[str, Any], site: Site, number: int) -> Record:
    """Return the body with a number at a site, others moved so that the lines hold and sum again."""
    changed = site.put(number)
    if LINES not in changed:
        return changed
    if site.path == (schema.amount_field(component),):
        return with_lines(component, changed, balanced(changed[LINES], number, keep=0))
    match site.path:
        case (str(name), int(index), str(field)) if name == LINES and field in FIELDS:
            lines = [*body[LINES]]
            lines[index] = settled(lines[index], field, number)
            return with_lines(
                component, changed, balanced(lines, body[schema.amount_field(component)], keep=index)
            )
    return changed


def with_lines(component: str, body: Mapping[str, Any], lines: list[Line]) -> Record:
    """Return the body with other order lines, and with their tax where it has a field for it."""
    changed: Record = {**body, LINES: lines}
    if "order_tax_amount" in changed:
        bounds = schema.field(f"{component}.order_tax_amount")
        changed["order_tax_amount"] = min(max(tax_of(lines), bounds["minimum"]), bounds["maximum"])
    return changed
