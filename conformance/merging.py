"""Merges the reports of the shards of a run into one, in which a shard that left none is named."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from orderproof.blame import Blame
from orderproof.catalogue import Rule
from orderproof.errors import UsageError
from orderproof.outcome import Block, RuleResult, RunResult, Verdict
from orderproof.report.result_json import FILE_NAME, load
from orderproof.verdicts import VERDICTS, exit_code

__all__ = ["merged", "with_files"]

_WORST_FIRST = (
    Verdict.FAILED,
    Verdict.ERROR,
    Verdict.WARNED,
    Verdict.WAIVED,
    Verdict.PASSED,
    Verdict.NOT_EXERCISED,
)
"""What was put to the test in one shard was put to the test."""

Place = tuple[int, ...]


@dataclass(frozen=True)
class _Part:
    """The report of one shard, and the folder it was read from."""

    folder: Path
    result: RunResult
    shard: Mapping[str, Any]

    @property
    def number(self) -> int:
        return int(self.shard["number"])


def merged(folders: Sequence[Path], command: str) -> RunResult:
    """Return the outcome of a run whose shards wrote their reports into folders; `command` is what was called.

    Raises UsageError when none of them has a report, or when the reports are not those of the shards of one run.
    """
    parts = sorted(_parts(folders), key=lambda part: part.number)
    if not parts:
        raise UsageError(f"there is no {FILE_NAME} of a shard in {', '.join(map(str, folders))}")
    _expect_one_run(parts)
    first = parts[0].result
    rules = [_rule_result([part.result.rules[n] for part in parts]) for n in range(len(first.rules))]
    interrupted = "; ".join(_losses(parts))
    code = exit_code(rules, interrupted, strict=first.strict)
    targets = list(dict.fromkeys(part.result.target for part in parts))
    return RunResult(
        command=command,
        target=targets[0],
        profile=first.profile,
        seed=first.seed,
        started_at=min(part.result.started_at for part in parts),
        duration_s=max(part.result.duration_s for part in parts),
        requests=sum(part.result.requests for part in parts),
        verdict=VERDICTS[code],
        exit_code=code,
        rules=rules,
        blocks=_blocks(parts),
        interrupted=interrupted,
        coverage=_coverage([part.result.coverage for part in parts]),
        notes=tuple(_notes(parts, folders, targets)),
        strict=first.strict,
        workers=max(part.result.workers for part in parts),
        shards=tuple(_listed(parts)),
    )


def _parts(folders: Sequence[Path]) -> Iterator[_Part]:
    for folder in folders:
        if (folder / FILE_NAME).is_file():
            result = load(folder)
            if result.shard is None:
                raise UsageError(
                    f"{folder / FILE_NAME} is no part of a run: merge takes runs with --shard K/N, all of one N"
                )
            yield _Part(folder, result, result.shard)


def _expect_one_run(parts: Sequence[_Part]) -> None:
    first = parts[0]
    for part in parts[1:]:
        for what, one, other in _facts(first, part):
            if one != other:
                raise UsageError(
                    f"{first.folder} and {part.folder} are not shards of one run: {what} is {one} and {other}"
                )
    for number, count in Counter(part.number for part in parts).items():
        if count > 1:
            twins = " and ".join(str(part.folder) for part in parts if part.number == number)
            raise UsageError(f"{twins} are both shard {number}: give each of them once")


def _facts(one: _Part, other: _Part) -> Iterator[tuple[str, object, object]]:
    """What shards of one run have in common, with what it is in two."""
    yield "the number of shards", one.shard["of"], other.shard["of"]
    for what in ("seed", "profile", "strict"):
        yield what, getattr(one.result, what), getattr(other.result, what)
    yield "the choice of rules", _rules(one), _rules(other)


def _rules(part: _Part) -> str:
    return ", ".join(entry.rule.id for entry in part.result.rules)


def _missing(parts: Sequence[_Part]) -> list[int]:
    there = {part.number for part in parts}
    return [number for number in range(1, int(parts[0].shard["of"]) + 1) if number not in there]


def _losses(parts: Sequence[_Part]) -> Iterator[str]:
    """Why the run is not complete, one sentence for each shard that is to blame."""
    of = parts[0].shard["of"]
    for number in _missing(parts):
        yield f"shard {number} of {of} left no report: it died, or its folder was not given"
    for part in parts:
        if part.result.interrupted:
            yield f"shard {part.number} of {of} was interrupted: {part.result.interrupted}"


def _listed(parts: Sequence[_Part]) -> list[dict[str, Any]]:
    """One entry for each shard, those without a report too."""
    of, known = int(parts[0].shard["of"]), {part.number: part for part in parts}
    return [_entry(number, of, known.get(number)) for number in range(1, of + 1)]


def _entry(number: int, of: int, part: _Part | None) -> dict[str, Any]:
    return {
        "number": number,
        "of": of,
        "verdict": None if part is None else part.result.verdict,
        "requests": 0 if part is None else part.result.requests,
        "duration_s": 0.0 if part is None else part.result.duration_s,
        "target": "" if part is None else part.result.target,
    }


def _notes(parts: Sequence[_Part], folders: Sequence[Path], targets: Sequence[str]) -> Iterator[str]:
    if len(targets) > 1:
        yield f"the shards had targets of their own: {', '.join(targets)}"
    for folder in folders:
        history = folder / "history.ndjson"
        if not (folder / FILE_NAME).is_file() and history.is_file():
            yield f"{history} has what was sent before the report was due: orderproof audit judges it"
    yield from dict.fromkeys(note for part in parts for note in part.result.notes)


def _rule_result(entries: Sequence[RuleResult]) -> RuleResult:
    """The worst of what the shards say of a rule, and how often all of them put it to the test."""
    worst = min(entries, key=lambda entry: _WORST_FIRST.index(entry.verdict))
    return replace(worst, exercised=sum(entry.exercised for entry in entries))


def _blocks(parts: Sequence[_Part]) -> list[Block]:
    """One block for each root cause; what turns out to follow from what another shard found is folded under that."""
    places, causes = _origins(parts), _causes(parts)
    blocks: dict[str, Block] = {}
    for rule in sorted(places, key=lambda rule: places[rule]):
        found = [(part, block) for part in parts for block in part.result.blocks if block.rule.id == rule]
        if found:
            blocks[rule] = _one_block(found)
    for rule in causes:
        root = _root(rule, causes)
        if rule in blocks and root in blocks and root != rule:
            lesser = blocks.pop(rule)
            told = ((lesser.rule, lesser.expected, lesser.actual), *lesser.follows)
            blocks[root] = replace(blocks[root], follows=_distinct([*blocks[root].follows, *told], blocks))
    return [replace(block, follows=_distinct(block.follows, blocks)) for block in blocks.values()]


def _origins(parts: Sequence[_Part]) -> dict[str, Place]:
    """Where each root cause was first found in the whole run."""
    places: dict[str, Place] = {}
    for part in parts:
        for origin in part.shard["origins"]:
            place = tuple(origin["place"])
            places[origin["rule"]] = min(place, places.get(origin["rule"], place))
    return places


def _causes(parts: Sequence[_Part]) -> dict[str, str]:
    """The rules that are due to another wherever they were found, by what was known up to there in the whole run."""
    causes: dict[str, set[str | None]] = {}
    for part in parts:
        for origin in part.shard["origins"]:
            blame = _known_before(tuple(origin["place"]), parts)
            causes.setdefault(origin["rule"], set()).add(blame.behind(origin["rule"], origin["suspects"]))
    return {rule: str(found.pop()) for rule, found in causes.items() if len(found) == 1 and None not in found}


def _known_before(place: Place, parts: Sequence[_Part]) -> Blame:
    entries = [entry for part in parts for entry in part.shard["blamed"] if tuple(entry["place"]) < place]
    known: dict[str, str] = {}
    for entry in sorted(entries, key=lambda entry: tuple(entry["place"])):
        known.setdefault(entry["operation"], entry["rule"])
    return Blame.of(known)


def _root(rule: str, causes: Mapping[str, str]) -> str:
    seen = {rule}
    while (cause := causes.get(rule)) is not None and cause not in seen:
        seen.add(cause)
        rule = cause
    return rule


def _one_block(found: Sequence[tuple[_Part, Block]]) -> Block:
    """The block that shows a root cause the shortest way, with what follows from it anywhere."""
    part, shortest = min(found, key=lambda pair: (len(pair[1].steps), pair[0].number))
    return replace(
        shortest,
        file=None if shortest.file is None else (part.folder / shortest.file).as_posix(),
        count=sum(block.count for _, block in found),
        follows=tuple(follower for _, block in found for follower in block.follows),
    )


def _distinct(
    follows: Iterable[tuple[Rule, str, str]], roots: Mapping[str, Block]
) -> tuple[tuple[Rule, str, str], ...]:
    """Each rule once, and none that is a root cause elsewhere."""
    first: dict[str, tuple[Rule, str, str]] = {}
    for follower in follows:
        if follower[0].id not in roots:
            first.setdefault(follower[0].id, follower)
    return tuple(first.values())


def _coverage(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The transitions that any shard took; missed is what none took."""
    rows: Counter[tuple[Any, ...]] = Counter()
    for record in records:
        for row in record.get("transitions", ()):
            rows[tuple((name, row[name]) for name in row if name != "count")] += row["count"]
    taken = {_transition(dict(row)) for row in rows if not dict(row)["broken"]}
    missed = {_transition(entry) for record in records for entry in record.get("missed", ())} - taken
    names = ("state", "operation", "outcome")
    return {
        "transitions": [
            {**dict(row), "count": count} for row, count in sorted(rows.items(), key=lambda item: repr(item))
        ],
        "reachable": len(taken | missed),
        "taken": len(taken),
        "missed": [dict(zip(names, entry, strict=True)) for entry in sorted(missed)],
    }


def _transition(entry: Mapping[str, Any]) -> tuple[str, str, str]:
    return entry["state"], entry["operation"], entry["outcome"]


def with_files(result: RunResult, report: Path) -> RunResult:
    """Copy the counterexamples into a report folder; returns the outcome with their places there."""
    folder = report / "counterexamples"
    folder.mkdir(parents=True, exist_ok=True)
    return replace(result, blocks=[_with_file(block, folder) for block in result.blocks])


def _with_file(block: Block, folder: Path) -> Block:
    if block.file is None or not Path(block.file).is_file():
        return replace(block, file=None)
    place = folder / f"{block.rule.id}.json"
    if Path(block.file).resolve() != place.resolve():
        shutil.copyfile(block.file, place)
    return replace(block, file=f"counterexamples/{place.name}")
