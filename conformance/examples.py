"""Counterexamples that earlier runs found, kept in a database of Hypothesis and tried first by the next run."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from hypothesis.database import DirectoryBasedExampleDatabase, ExampleDatabase

from orderproof.counterexample import Counterexample, from_record, to_record
from orderproof.errors import OrderproofError, UsageError

__all__ = ["Examples", "examples_at", "is_fleet", "usual_folder"]


class Examples:
    """The counterexamples that are known of one target, by its name.

    Any database of Hypothesis will do: the values are JSON, not choices of Hypothesis, so that they outlive its
    versions.
    """

    def __init__(self, database: ExampleDatabase, target: str) -> None:
        self._database = database
        self._key = f"orderproof/{target}".encode()
        self.trouble = ""
        """Why something could not be kept, if so: a run goes on without."""

    def known(self) -> list[Counterexample]:
        """Return what is kept, sorted by rule; what cannot be read any more is dropped."""
        values: list[bytes] = []
        self._try(lambda: values.extend(self._database.fetch(self._key)))
        found = []
        for value in values:
            try:
                found.append(from_record(json.loads(value)))
            except ValueError:
                self._delete(value)
        return sorted(found, key=lambda example: (example.rule, _written(example)))

    def keep(self, example: Counterexample) -> None:
        """Keep a counterexample."""
        self._try(lambda: self._database.save(self._key, _written(example)))

    def drop(self, example: Counterexample) -> None:
        """Drop one that does not fail any more."""
        self._delete(_written(example))

    def _delete(self, value: bytes) -> None:
        self._try(lambda: self._database.delete(self._key, value))

    def _try(self, work: Callable[[], object]) -> None:
        """Do what a database may refuse: it can be on another machine, and a run of days is not to end for it."""
        try:
            work()
        except OrderproofError as error:
            self.trouble = self.trouble or str(error)


def _written(example: Counterexample) -> bytes:
    return json.dumps(to_record(example), sort_keys=True).encode("utf-8", "surrogatepass")


def examples_at(
    place: str | None, target: str, environment: Mapping[str, str] = os.environ
) -> Examples | None:
    """Return the examples of a target in a folder, or in a Redis database (redis://HOST:PORT/DB) that several machines
    share; "none" is no place at all.

    Without a place they are in a folder of the user's cache, but in CI nowhere: a run there is to depend on nothing
    that an earlier one left. Raises UsageError for a place that is none, CannotJudge for a Redis database that cannot
    be used.
    """
    if place == "none" or (place is None and environment.get("CI")):
        return None
    if place is not None and is_fleet(place):
        from orderproof.fleet import fleet_database

        return Examples(fleet_database(place), target)
    folder = usual_folder(environment) if place is None else Path(place)
    if place is not None and folder.exists() and not folder.is_dir():
        raise UsageError(f"the example database {place} is neither a folder nor redis://HOST:PORT/DB")
    return Examples(DirectoryBasedExampleDatabase(folder), target)


def is_fleet(place: str) -> bool:
    """Say whether a place for examples is a database that machines share."""
    return place.startswith(("redis:", "rediss:"))


def usual_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """The folder of the user's cache where examples are kept unless told otherwise."""
    home = Path(environment.get("HOME") or environment.get("USERPROFILE") or Path.home())
    if sys.platform == "win32":
        base = Path(environment.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = home / "Library" / "Caches"
    else:
        base = Path(environment.get("XDG_CACHE_HOME") or home / ".cache")
    return base / "orderproof" / "examples"
