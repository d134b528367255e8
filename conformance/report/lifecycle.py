"""The order's life cycle as a picture: its states, and the operations that move it, as the run saw them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orderproof.operations import OPERATIONS
from orderproof.report.markup import Html, element, joined
from orderproof.report.text import counted

_WIDTH, _HEIGHT = 360, 500
_BOX = (54, 26)
"""Half the width and height of a state's box."""

_PLACES: Mapping[str, tuple[int, int]] = {
    "AUTHORIZED": (180, 32),
    "CANCELLED": (60, 128),
    "EXPIRED": (300, 128),
    "PART_CAPTURED": (180, 228),
    "CAPTURED": (64, 348),
    "RELEASED": (296, 348),
    "CLOSED": (180, 462),
}

_KNOWN = {
    ("AUTHORIZED", "CANCELLED"): "cancel",
    ("AUTHORIZED", "EXPIRED"): "time",
    ("AUTHORIZED", "PART_CAPTURED"): "capture a part",
    ("AUTHORIZED", "CAPTURED"): "capture all",
    ("PART_CAPTURED", "CAPTURED"): "capture the rest",
    ("PART_CAPTURED", "RELEASED"): "release",
    ("PART_CAPTURED", "EXPIRED"): "time",
    ("CAPTURED", "CLOSED"): "refund",
    ("RELEASED", "CLOSED"): "refund",
}
"""The moves of a conforming server, each with what makes it, drawn whether the run reached them or not."""

_BENDS = {("AUTHORIZED", "CAPTURED"): 0.1, ("AUTHORIZED", "RELEASED"): 0.1}
"""By how much an arrow bends outwards, in its length, where a straight one would run through a box."""

_OTHER_BEND = 0.35
"""The same for a move that no conforming server makes."""


@dataclass(frozen=True, slots=True)
class _Move:
    """What was seen of one move between states, or of one operation in one state."""

    taken: int = 0
    refused: int = 0
    broken: int = 0

    def __add__(self, other: _Move) -> _Move:
        return _Move(self.taken + other.taken, self.refused + other.refused, self.broken + other.broken)


Transition = Mapping[str, Any]


def lifecycle(coverage: Mapping[str, Any]) -> Html:
    """Return the picture and the table of what each operation came to in each state; nothing without coverage.

    States may say more behind a comma ("CAPTURED, none refunded"); the page shows what is before it.
    """
    transitions: Sequence[Transition] = coverage.get("transitions", ())
    if not transitions:
        return Html()
    caption = element("figcaption", element("p", _legend()), _share(coverage))
    return joined(
        element("figure", _picture(transitions), caption, class_="lifecycle"),
        element(
            "details",
            element("summary", "Every operation in every state"),
            _table(transitions, coverage.get("missed", ())),
        ),
    )


def _place(stage: str | None) -> str:
    return (stage or "").partition(",")[0]


def _move(transition: Transition) -> _Move:
    count = int(transition["count"])
    if transition["broken"]:
        return _Move(broken=count)
    return _Move(taken=count) if transition["outcome"] == "taken" else _Move(refused=count)


def _sums(pairs: Iterable[tuple[Any, _Move]]) -> dict[Any, _Move]:
    sums: defaultdict[Any, _Move] = defaultdict(_Move)
    for key, move in pairs:
        sums[key] += move
    return dict(sums)


def _moves(transitions: Sequence[Transition]) -> dict[tuple[str, str], _Move]:
    """What was seen of each move from one state of the picture to another."""
    return _sums(
        (pair, _move(entry))
        for entry in transitions
        if (pair := (_place(entry["state"]), _place(entry["next"])))[0] != pair[1] and {*pair} <= {*_PLACES}
    )


def _picture(transitions: Sequence[Transition]) -> Html:
    moves = _moves(transitions)
    calls = _sums((_place(entry["state"]), _move(entry)) for entry in transitions)
    stages = {entry[side] or "" for entry in transitions for side in ("state", "next")}
    reached = {_place(stage) for stage in stages}
    waited = {_expired_from(stage) for stage in stages}
    arrows = [
        _arrow(pair, moves.get(pair, _Move()), waited=pair in waited)
        for pair in dict.fromkeys([*_KNOWN, *moves])
    ]
    return element(
        "svg",
        element("title", "The life cycle of an order as this run saw it"),
        [_marker(kind) for kind in ("taken", "broken", "unreached")],
        [path for path, _ in arrows],
        [label for _, label in arrows],
        [_state(name, calls.get(name, _Move()), reached=name in reached) for name in _PLACES],
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        role="img",
        xmlns="http://www.w3.org/2000/svg",
    )


def _expired_from(stage: str) -> tuple[str, str]:
    """The move that led to an expired order: no call makes it, so that only its outcome shows."""
    captured = stage.endswith("refunded")
    return ("PART_CAPTURED" if captured else "AUTHORIZED", _place(stage))


def _marker(kind: str) -> Html:
    head = element("path", d="M0,0 L8,4 L0,8 z", class_=f"head {kind}")
    place = {"viewBox": "0 0 8 8", "refX": "7", "refY": "4"}
    return element("marker", head, id=f"head-{kind}", orient="auto", markerWidth=7, markerHeight=7, **place)


def _arrow(pair: tuple[str, str], move: _Move, *, waited: bool) -> tuple[Html, Html]:
    """The line with its head, and the label on its middle. `waited`: time alone made this move."""
    by_time = waited and _KNOWN.get(pair) == "time"
    kind = "broken" if move.broken else "taken" if move.taken or by_time else "unreached"
    cx, cy = _control(pair)
    (x1, y1), (x2, y2) = (_edge(_PLACES[state], (cx, cy)) for state in pair)
    path = f"M{x1:.1f},{y1:.1f} Q{cx:.1f},{cy:.1f} {x2:.1f},{y2:.1f}"
    label = _label((x1 + 2 * cx + x2) / 4, (y1 + 2 * cy + y2) / 4, _KNOWN.get(pair, ""), move)
    return element("path", d=path, class_=f"arrow {kind}", marker_end=f"url(#head-{kind})"), label


def _control(pair: tuple[str, str]) -> tuple[float, float]:
    """The point towards which the arrow bends: away from the middle of the picture."""
    (x1, y1), (x2, y2) = _PLACES[pair[0]], _PLACES[pair[1]]
    bend = _BENDS.get(pair, 0.0 if pair in _KNOWN else _OTHER_BEND)
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    dx, dy = (y2 - y1) * bend, (x1 - x2) * bend
    outwards = 1 if abs(x + dx - _WIDTH / 2) >= abs(x - dx - _WIDTH / 2) else -1
    return x + dx * outwards, y + dy * outwards


def _edge(centre: tuple[float, float], towards: tuple[float, float]) -> tuple[float, float]:
    """Where the line from the centre of a box leaves it, and a little further."""
    dx, dy = towards[0] - centre[0], towards[1] - centre[1]
    across = abs(dx) / (_BOX[0] + 3)
    down = abs(dy) / (_BOX[1] + 3)
    share = 1 / max(across, down, 1e-9)
    return centre[0] + dx * share, centre[1] + dy * share


def _label(x: float, y: float, what: str, move: _Move) -> Html:
    counts = (f"{move.taken:,}" if move.taken else "", f"{move.broken:,} broken" if move.broken else "")
    lines = [line for line in (what, ", ".join(part for part in counts if part)) if line]
    x = min(max(x, 34), _WIDTH - 34)
    spans = [element("tspan", line, x=x, dy=0 if number == 0 else 12) for number, line in enumerate(lines)]
    return element(
        "text", spans, x=x, y=y + 4 - 6 * (len(lines) - 1), class_="broken" if move.broken else None
    )


def _state(name: str, move: _Move, *, reached: bool) -> Html:
    x, y = _PLACES[name]
    box = element("rect", x=x - _BOX[0], y=y - _BOX[1], width=2 * _BOX[0], height=2 * _BOX[1], rx=6)
    refused = f"{move.broken:,} broken" if move.broken else f"{move.refused:,} refused"
    lines = (f"{move.taken:,} taken", refused) if reached else ("not reached", "")
    kind = " broken" if move.broken else "" if reached else " unreached"
    return element(
        "g",
        box,
        element("text", name, x=x, y=y - 8, class_="name"),
        [element("text", line, x=x, y=y + 6 + 12 * n, class_="small") for n, line in enumerate(lines)],
        class_=f"state{kind}",
    )


def _legend() -> Html:
    return joined(
        element("span", "taken", class_="key taken"),
        element("span", "broken: not as the contract has it", class_="key broken"),
        element("span", "not reached", class_="key unreached"),
        " In a box: what became of the calls in that state.",
    )


def _share(coverage: Mapping[str, Any]) -> Html:
    if "reachable" not in coverage or "taken" not in coverage:
        return Html()
    went = f"{coverage['taken']:,} of the {coverage['reachable']:,} transitions"
    return element("p", f"The run went through {went} that this server can be brought to.")


def _table(transitions: Sequence[Transition], missed: Sequence[Transition]) -> Html:
    seen = _sums(((entry["operation"], _place(entry["state"])), _move(entry)) for entry in transitions)
    open_ = {(entry["operation"], _place(entry["state"])) for entry in missed}
    states = [*_PLACES, *dict.fromkeys(state for _, state in seen if state not in _PLACES)]
    names = [*OPERATIONS, *dict.fromkeys(name for name, _ in seen if name not in OPERATIONS)]
    head = [element("th", state, scope="col") for state in states]
    rows = [
        element(
            "tr",
            element("th", name, scope="row"),
            [_cell(seen.get((name, state)), missed=(name, state) in open_) for state in states],
        )
        for name in names
    ]
    table = element("table", element("tr", element("th", "Operation", scope="col"), head), rows)
    return element("div", table, class_="wide", tabindex="0", role="region", aria_label="Operations by state")


def _cell(move: _Move | None, *, missed: bool) -> Html:
    if move is None:
        return element("td", element("span", "not reached" if missed else "–", class_="muted"))
    parts = (
        f"{counted(move.broken, 'time')} broken" if move.broken else "",
        f"{move.taken:,} taken" if move.taken else "",
        f"{move.refused:,} refused" if move.refused else "",
    )
    return element("td", ", ".join(part for part in parts if part), class_="broken" if move.broken else None)
