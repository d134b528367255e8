"""The results of the kill matrix as a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from statistics import median

from orderproof.catalogue import catalogue
from orderproof.sandbox.faults import FAULTS
from orderproof.sandbox.options import FLAVOURS, choices
from tests.kill.survivors import REASONS
from tests.kill.trial import Conformity, Exactness, Row

MIXTURE = "mixture"
"""How the names begin of sandboxes that take all choices at once."""

_ALONE, _MIXED = "one choice, or a flavour", "mixtures of all choices"

_OPENING = """\
# Kill matrix

Each fault is a sandbox that is wrong in one way (`orderproof sandbox --fault NAME`). The suite runs against it until it
names a rule that the fault breaks (for a fault that breaks a MUST, no SHOULD), or to the end of the profile. *By* are
the rules named as root causes up to then, *requests* and *seconds* what it took, *calls* the length of the
counterexample, the creation of its order aside; it is empty where one answer alone shows the fault and there is nothing
to send again in sequence. All profiles begin with the same scenarios: a fault that these show in quick is found in
standard with the same requests, and is not run there again.

Written by `python -m tests.kill` (`tox -e kill`) from `kill-matrix.csv`, `exact-faults.csv` and `correct-variants.csv`
beside this page, which it wrote too. Seconds are those of the machine it last ran on and vary with what else that
machine does.
"""


def page(rows: Sequence[Row], exact: Sequence[Exactness], variants: Sequence[Conformity]) -> str:
    """Return the page in Markdown."""
    parts = [_OPENING, *_score(rows), *_survivors(rows), *_exactness(exact), *_variants(variants)]
    parts += _matrix(rows)
    return "\n".join(parts).rstrip() + "\n"


def _score(rows: Sequence[Row]) -> Iterator[str]:
    yield "## Score\n"
    yield f"There are {len(FAULTS)} faults, for {len({one.rule for one in FAULTS.values()})} rules.\n"
    yield "| Profile | Tried | MUST found | SHOULD found | Median requests | Median seconds | Median calls |"
    yield "|---|---|---|---|---|---|---|"
    for profile in ("quick", "standard"):
        mine = [row for row in rows if row.profile == profile]
        if mine:
            yield (
                f"| {profile} | {len(mine)} of {len(FAULTS)} | {_share(mine, 'MUST')} | {_share(mine, 'SHOULD')} | "
                + (
                    f"{_median(row.requests for row in mine if row.found)} | "
                    f"{_median(row.seconds for row in mine if row.found)} | "
                    f"{_median(row.calls for row in mine if row.found and row.calls)} |"
                )
            )
    yield ""


def _share(rows: Iterable[Row], level: str) -> str:
    mine = [row for row in rows if catalogue()[row.rule].level == level]
    found = sum(row.found for row in mine)
    return f"{found} of {len(mine)}" + (f" ({100 * found / len(mine):.4g} %)" if mine else "")


def _median(values: Iterable[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{median(known):g}" if known else "none"


def _survivors(rows: Sequence[Row]) -> Iterator[str]:
    survivors = [row for row in rows if not row.found]
    yield "## Survivors\n"
    if not survivors:
        yield "None among those that were run to their end; a fault without a row was not run, or cut short by time.\n"
        return
    yield "| Fault | Rule | Profile | Lie | Named instead | Why it survives |"
    yield "|---|---|---|---|---|---|"
    for row in survivors:
        why = REASONS.get(row.fault, "not explained yet")
        named = " ".join(row.by) or "nothing"
        lie = FAULTS[row.fault].lie if row.fault in FAULTS else ""
        yield f"| `{row.fault}` | {row.rule} | {row.profile} | {lie} | {named} | {why} {row.note} |"
    yield ""


def _exactness(exact: Sequence[Exactness]) -> Iterator[str]:
    alone, roots = sum(one.alone for one in exact), sum(one.exact for one in exact)
    yield "## One rule red\n"
    yield f"For {roots} of {len(exact)} rules there is a fault for which the rule is the only root cause that is named,"
    yield f"in the scenario of the profile quick that brings the fault to light; for {alone} of them no other rule"
    yield "turns red there at all. A test plays all of these on every landing.\n"
    if roots < len(exact):
        yield "| Rule | Fault | Named in place of it, or with it |"
        yield "|---|---|---|"
    for one in exact:
        if not one.exact:
            yield f"| {one.rule} | `{one.fault}` | {' '.join(rule for rule in one.roots if rule != one.rule)} |"
    yield ""


def _variants(variants: Sequence[Conformity]) -> Iterator[str]:
    yield "## Correct variants\n"
    if not variants:
        yield "Not run yet.\n"
        return
    accused = [one for one in variants if one.accused]
    yield f"Every other value of every open choice, each alone, and every flavour: {_how_many()} correct servers. And"
    yield "mixtures, in which every choice is taken as chance has it: those of one seed have each value of each choice"
    yield "at least once.\n"
    yield "| Servers | Profile | Different ones | Seeds | Runs | With an accusation |"
    yield "|---|---|---|---|---|---|"
    for kind, profile in product(
        ("one choice, or a flavour", "mixtures of all choices"), ("quick", "standard")
    ):
        mine = [one for one in variants if one.profile == profile and _kind(one) == kind]
        if mine:
            yield f"| {kind} | {profile} | {_different(mine)} | {_seeds(mine)} | {len(mine)} | {_accused(mine)} |"
    yield ""
    if accused:
        yield "| Variant | Seed | Accused of |"
        yield "|---|---|---|"
        for one in accused:
            yield f"| `{one.variant}` | {one.seed} | {' '.join(one.accused)} |"
        yield ""


def _kind(one: Conformity) -> str:
    return _MIXED if one.variant.startswith(MIXTURE) else _ALONE


def _different(runs: Sequence[Conformity]) -> int:
    """How many servers there are: with each seed the mixtures are others."""
    return len({(one.variant, one.seed if one.variant.startswith(MIXTURE) else 0) for one in runs})


def _seeds(runs: Sequence[Conformity]) -> str:
    """How many seeds each server was run with, or all mixtures together."""
    if runs[0].variant.startswith(MIXTURE):
        return str(len({one.seed for one in runs}))
    return _range(Counter(one.variant for one in runs).values())


def _accused(runs: Sequence[Conformity]) -> int:
    return sum(bool(one.accused) for one in runs)


def _range(counts: Iterable[int]) -> str:
    known = sorted(counts)
    return f"{known[0]}" if known[0] == known[-1] else f"{known[0]} to {known[-1]}"


def _how_many() -> int:
    return sum(len(values) - 1 for values in choices().values()) + len(FLAVOURS)


def _matrix(rows: Sequence[Row]) -> Iterator[str]:
    yield "## Every fault\n"
    yield "| Rule | Fault | Shows | Profile | Found | By | Requests | Seconds | Calls |"
    yield "|---|---|---|---|---|---|---|---|---|"
    order = {rule: number for number, rule in enumerate(catalogue())}
    for row in sorted(rows, key=lambda row: (order[row.rule], row.fault, row.profile)):
        found, calls = "yes" if row.found else "**no**", "" if row.calls is None else row.calls
        yield (
            f"| {row.rule} | `{row.fault}` | {row.when} | {row.profile} | {found} | {' '.join(row.by)} | "
            f"{row.requests} | {row.seconds} | {calls} |"
        )
