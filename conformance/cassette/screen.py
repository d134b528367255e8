"""What audits, replays and playbacks come to, as lines of text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from orderproof.cassette.playback import Playback
from orderproof.cassette.recording import Recorded
from orderproof.cassette.replaying import Drift, Replay, Severity
from orderproof.cassette.scrubbing import discreet
from orderproof.catalogue import catalogue
from orderproof.exchange import Exchange
from orderproof.outcome import RunResult, Verdict
from orderproof.report.block import WIDTH, block_lines, failures, warnings
from orderproof.report.screen import counts_line, grouped, headline
from orderproof.report.text import counted, duration, hanging, padded, visible
from orderproof.shown import shown_answer, shown_request

MOST_SHOWN = 25
_MARGIN = 13
_SMALL = frozenset({"less", "more", "name"})
_SIGNS = {Severity.FAILURE: "×", Severity.WARNING: "!", Severity.NOTE: "·"}
_KINDS = {
    "status": "the status changed",
    "code": "the error code changed",
    "amount": "an amount changed",
    "state": "a state changed",
    "type": "the type changed",
    "media": "the media type changed",
    "text": "what was sent reads otherwise",
    "name": "one name stands for two things",
    "less": "no longer there",
    "more": "was not there",
}


def audit_screen(result: RunResult, *, quiet: bool = False, width: int = WIDTH) -> Iterator[str]:
    """Yield the outcome of an audit; `quiet` leaves the verdict and the failures."""
    label = f"{result.verdict.upper()}  "
    yield from hanging(label, f"{visible(result.target)}: {headline(result)}", width, lines=4)
    yield from hanging(
        " " * len(label), f"{counted(result.requests, 'exchange')} · {duration(result.duration_s)}", width
    )
    if not quiet:
        yield counts_line(result)
    for block in failures(result)[:MOST_SHOWN]:
        yield ""
        yield from block_lines(block, width=width)
    if quiet:
        return
    for block in warnings(result)[:MOST_SHOWN]:
        yield ""
        yield from block_lines(block, width=width, sign="!")
    yield from grouped("In error: the suite's own fault", result, Verdict.ERROR, width)
    yield from grouped("Not exercised", result, Verdict.NOT_EXERCISED, width)
    yield from _notes(result.notes, width)


def _notes(notes: Iterable[str], width: int) -> Iterator[str]:
    lines = [line for note in notes for line in hanging("Note       ", visible(note), width, lines=4)]
    if lines:
        yield ""
        yield from lines


def replay_code(replay: Replay, *, strict: bool = False) -> int:
    """Return the exit code of a replay: 1 for a failure (in a strict one a warning too), 3 where nothing was sent."""
    if replay.count(Severity.FAILURE) or (strict and replay.count(Severity.WARNING)):
        return 1
    return 3 if replay.interrupted or not replay.sent else 0


def replay_screen(
    replay: Replay, shown_target: str, seconds: float, *, quiet: bool = False, width: int = WIDTH
) -> Iterator[str]:
    """Yield the outcome of a replay."""
    drifted = any(replay.count(severity) for severity in (Severity.FAILURE, Severity.WARNING))
    verdict = (
        "DRIFTED" if drifted else "NOT JUDGED" if replay.interrupted or not replay.sent else "AS RECORDED"
    )
    counts = ", ".join(counted(replay.count(severity), severity.value) for severity in Severity)
    yield from hanging(f"{verdict}  ", f"{visible(shown_target)}: {counts}", width)
    facts = [
        counted(replay.recordings, "recording"),
        f"{replay.sent:,} of {counted(replay.entries, 'exchange')} sent",
    ]
    yield from hanging(" " * (len(verdict) + 2), " · ".join([*facts, duration(seconds)]), width)
    if replay.interrupted:
        yield from hanging(" " * (len(verdict) + 2), f"interrupted: {visible(replay.interrupted)}", width)
    yield from _drifts(replay, Severity.FAILURE, width)
    if not quiet:
        yield from _drifts(replay, Severity.WARNING, width)
        yield from _small_changes(replay, width)
        reasons = (
            f"{name}: {counted(count, 'request')} left out: {why}" for name, count, why in replay.left_out
        )
        yield from _notes(reasons, width)


def _drifts(replay: Replay, severity: Severity, width: int) -> Iterator[str]:
    """The first drift of each kind in full, with how often there is one of its kind."""
    groups: dict[tuple[str, ...], list[Drift]] = {}
    for drift in replay.drifts:
        if drift.severity is severity and not _is_small(drift):
            groups.setdefault(_kind(drift), []).append(drift)
    for drifts in list(groups.values())[:MOST_SHOWN]:
        yield ""
        yield from _drift_lines(drifts, width)
    if len(groups) > MOST_SHOWN:
        yield f"and {counted(len(groups) - MOST_SHOWN, 'other')} of other kinds"


def _is_small(drift: Drift) -> bool:
    """Say whether a line is enough: something is there that was not, or the other way round."""
    return drift.finding is None and all(change.kind in _SMALL for change in drift.changes)


def _kind(drift: Drift) -> tuple[str, ...]:
    if drift.finding is not None:
        return (drift.finding.rule,)
    return tuple(f"{change.kind} {change.general}" for change in drift.changes)


def _drift_lines(drifts: Sequence[Drift], width: int) -> Iterator[str]:
    first = drifts[0]
    exchanges = (first.recorded, first.now)
    more = f"   (and {len(drifts) - 1:,} more like it)" if drifts[1:] else ""
    place = f"{_SIGNS[first.severity]} {first.recording}, entry {first.entry}{more}"
    yield from hanging("", visible(place), width)
    yield from _field("Sent", discreet(shown_request(first.now), *exchanges), width)
    yield from _field("Recorded", _shown_answer(first.recorded), width)
    yield from _field("Now", _shown_answer(first.now), width)
    for change in first.changes[:3]:
        text = f"{change.place}: {change.recorded} → {change.now} ({_KINDS[change.kind]})"
        yield from _field("Changed", discreet(text, *exchanges), width)
    if first.finding is not None:
        rule = catalogue()[first.finding.rule]
        yield from _field("Expected", discreet(first.finding.expected, *exchanges), width)
        yield from _field("Actual", discreet(first.finding.actual, *exchanges), width)
        yield from _field("Contract", f"{rule.id}, {rule.level}: {rule.title}", width)
    elif all(change.kind != "type" for change in first.changes):
        yield from _field("Contract", "leaves this open", width)


def _shown_answer(exchange: Exchange) -> str:
    return "not asked for" if exchange.response is None and not exchange.fault else shown_answer(exchange)


def _field(label: str, value: str, width: int) -> list[str]:
    return hanging(padded(f"  {label}", _MARGIN), visible(value), width, lines=3)


def _small_changes(replay: Replay, width: int) -> Iterator[str]:
    """What came or went, a line for each kind."""
    counts: Counter[tuple[str, str]] = Counter()
    for drift in replay.drifts:
        if _is_small(drift):
            sign = _SIGNS[drift.severity]
            counts.update((sign, f"{change.general}: {_KINDS[change.kind]}") for change in drift.changes)
    if counts:
        yield ""
    for (sign, text), count in sorted(counts.items(), key=lambda item: (item[0][0] == "·", -item[1])):
        yield from hanging(f"{sign} ", visible(f"{text} ({counted(count, 'time')})"), width)


def recorded_line(recorded: Recorded) -> str:
    """Return what became of one scenario in one line."""
    name = padded(recorded.take.name, 34)
    if recorded.path is None:
        return f"× {name}  not recorded: {visible(recorded.problem)}"
    broken = f", breaks {', '.join(recorded.broken)}" if recorded.broken else ""
    return f"{'!' if broken else '·'} {name}  {counted(recorded.exchanges, 'exchange')}{broken}"


def playback_code(playback: Playback) -> int:
    """Return the exit code of a playback: 1 where requests strayed, 3 where none came."""
    if playback.strays:
        return 1
    return 0 if playback.requests else 3


def playback_screen(playback: Playback, width: int = WIDTH) -> Iterator[str]:
    """Yield what a client asked for, and what it did not."""
    lines, left = len(playback.script.lines), len(playback.unplayed)
    verdict = "STRAYED" if playback.strays else "AS RECORDED" if playback.requests else "NOT JUDGED"
    came, strayed = (counted(count, "request") for count in (playback.requests, len(playback.strays)))
    facts = f"{came}, {lines - left} of {lines} entries played, {strayed} strayed"
    yield from hanging(f"{verdict}  ", facts, width)
    for stray in playback.strays[:MOST_SHOWN]:
        yield ""
        exchanges = (stray.request, *([stray.nearest.exchange] if stray.nearest else []))
        yield from hanging("× ", visible(discreet(shown_request(stray.request), *exchanges)), width, lines=3)
        if stray.nearest is not None:
            nearest = f"{stray.nearest.place}: {shown_request(stray.nearest.exchange)}"
            yield from _field("Nearest", discreet(nearest, *exchanges), width)
        yield from _field("Differs", discreet(stray.difference, *exchanges), width)
    if len(playback.strays) > MOST_SHOWN:
        yield f"and {counted(len(playback.strays) - MOST_SHOWN, 'other')}"
