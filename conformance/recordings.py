"""Records, replays, serves and audits for the command line."""

from __future__ import annotations

import os
import shlex
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

from orderproof import cassettes
from orderproof.cassette.audit import audit
from orderproof.cassette.playback import playback_of, serve
from orderproof.cassette.reading import Recording, recordings
from orderproof.cassette.recording import chosen_takes, record
from orderproof.cassette.replaying import replay
from orderproof.cassette.screen import (
    audit_screen,
    playback_code,
    playback_screen,
    recorded_line,
    replay_code,
    replay_screen,
)
from orderproof.catalogue import Rule
from orderproof.embedded import NAME, stand_in
from orderproof.errors import CannotJudge, UsageError
from orderproof.report.text import plain
from orderproof.report.writer import write_report
from orderproof.sandbox.server import ServerError
from orderproof.target import Target


def record_scenarios(target: Target, folder: Path, patterns: Sequence[str], *, embedded: bool) -> int:
    """Record the standard scenarios into a folder; returns the exit code, 3 where one could not be recorded."""
    takes = chosen_takes(patterns)
    with _reachable(target, embedded=embedded) as reached:
        source = "the sandbox of orderproof" if embedded else ""
        done = record(reached, folder, takes, source=source, heard=lambda one: _say([recorded_line(one)]))
    unable = [one for one in done if one.path is None and not one.take.needs]
    return 3 if unable or not any(one.path for one in done) else 0


def replay_against(
    names: Sequence[str], target: Target, *, embedded: bool, strict: bool = False, quiet: bool = False
) -> int:
    """Send recordings to a server, show its drift, and return the exit code."""
    chosen = named_recordings(names)
    started = time.monotonic()
    with _reachable(target, embedded=embedded) as reached:
        found = replay(chosen, reached)
    shown = NAME if embedded else target.base_url
    _say(replay_screen(found, shown, time.monotonic() - started, quiet=quiet))
    return replay_code(found, strict=strict)


def serve_to_client(
    names: Sequence[str], host: str, port: int, user: str | None, password: str | None
) -> int:
    """Answer a client from recordings until interrupted, show what strayed, and return the exit code.

    Without user and password, any credentials are taken for the right ones.
    """
    playback = playback_of(named_recordings(names), (user, password) if user and password else None)
    try:
        serve(playback, host, port)
    except ServerError as error:
        raise CannotJudge(str(error)) from None
    except KeyboardInterrupt:
        pass  # the way in which a playback ends
    _say(playback_screen(playback))
    return playback_code(playback)


def audit_files(
    names: Sequence[str],
    rules: Sequence[Rule],
    *,
    strict: bool = False,
    quiet: bool = False,
    report: Path | None = None,
) -> int:
    """Judge recordings offline, show what was found, and return the exit code."""
    result = audit(named_recordings(names), rules, strict=strict)
    result = replace(result, command=shlex.join(["orderproof", "audit", *names]))
    _say(audit_screen(result, quiet=quiet))
    if report is not None:
        write_report(report, result)
    return result.exit_code


def named_recordings(names: Sequence[str]) -> list[Recording]:
    """Return the recordings that are named: files, folders, or cassettes of the shelf; without a name, the shelf.

    Raises UsageError for the name of a cassette that is spelled otherwise, and for a folder without recordings.
    """
    shelf = cassettes.names()
    found: list[Recording] = []
    for name in names or shelf:
        if name in shelf and not Path(name).exists():
            found.append(Recording(cassettes.path(name), name))
            continue
        near = [] if os.path.lexists(name) else get_close_matches(name, shelf, 1, 0.8)
        if near:
            raise UsageError(f"there is neither a file nor a cassette {name!r}: did you mean {near[0]!r}?")
        found += recordings([name])
    return found


def _reachable(target: Target, *, embedded: bool) -> AbstractContextManager[Target]:
    """The target, or in its place a sandbox of our own while the block lasts."""
    return stand_in(target) if embedded else nullcontext(target)


def _say(lines: Sequence[str] | Iterator[str]) -> None:
    for line in lines:
        print(plain(line, sys.stdout.encoding or "utf-8"), flush=True)
