"""The rules that a server or a client is judged by, read from the catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cache
from types import MappingProxyType
from typing import Any, Literal

from orderproof.spec import read, rule_files

Level = Literal["MUST", "SHOULD"]
Judges = Literal["server", "client"]
Basis = Literal["documented", "derived", "observed"]

AREAS = (
    "wire",
    "orders",
    "authorizations",
    "customers",
    "captures",
    "shipping",
    "refunds",
    "idempotency",
    "concurrency",
    "clients",
)
"""The areas in the order in which they are read and reported; each is a file in `spec/rules`."""


class UnknownRule(ValueError):
    """A pattern that names no rule; its text says which, and what comes close."""


@dataclass(frozen=True, slots=True)
class Source:
    """A place in a document: its key in `spec/sources.yaml`, and a heading in it, or "" for all of it."""

    document: str
    section: str

    def __str__(self) -> str:
        title = source_title(self.document)
        return f'{title}, "{self.section}"' if self.section else title


@dataclass(frozen=True, slots=True)
class Rule:
    """One claim of the contract, under an id that never changes.

    `level` is MUST (documented) or SHOULD (recommended, or only seen). `judges` says whose conduct it is
    about. `title` is the claim in a few words, `requirement` in full. `basis` is how it is known. `needs` are
    capabilities of the target without which it cannot be exercised. `open` are outcomes that do not break it.
    """

    id: str
    level: Level
    judges: Judges
    title: str
    requirement: str
    sources: tuple[Source, ...]
    basis: Basis
    needs: tuple[str, ...]
    open: tuple[str, ...]
    area: str


def _rule(area: str, judges: Judges, entry: Mapping[str, Any]) -> Rule:
    return Rule(
        id=entry["id"],
        level=entry["level"],
        judges=judges,
        title=entry["title"],
        requirement=entry["requirement"],
        sources=tuple(Source(item["document"], item.get("section", "")) for item in entry["sources"]),
        basis=entry["basis"],
        needs=tuple(entry.get("needs", ())),
        open=tuple(entry.get("open", ())),
        area=area,
    )


def _rules() -> Iterator[Rule]:
    files = {read(name)["area"]: read(name) for name in rule_files()}
    for area in AREAS:
        for entry in files[area]["rules"]:
            yield _rule(area, files[area]["judges"], entry)


@cache
def catalogue() -> Mapping[str, Rule]:
    """Return every rule by its id, area by area, in the order of the files."""
    return MappingProxyType({rule.id: rule for rule in _rules()})


def select(patterns: Iterable[str]) -> list[Rule]:
    """Return the rules that one of the patterns names, in the order of the catalogue; without a pattern, all.

    A pattern is an id or has the wildcards of the shell: `CAP-*`, `ORD-SUM-?`. Letter case does not matter.
    Raises UnknownRule for a pattern that names no rule.
    """
    wanted = list(patterns)
    for pattern in wanted:
        if not any(_names(pattern, rule_id) for rule_id in catalogue()):
            raise UnknownRule(_unknown(pattern))
    return [
        rule
        for rule in catalogue().values()
        if not wanted or any(_names(pattern, rule.id) for pattern in wanted)
    ]


def _names(pattern: str, rule_id: str) -> bool:
    return fnmatchcase(rule_id, pattern.strip().upper())


def _unknown(pattern: str) -> str:
    close = get_close_matches(pattern.strip().upper(), catalogue(), n=3, cutoff=0.6)
    if close:
        return f"no rule is called {pattern!r}; close to it are {', '.join(close)}"
    families = ", ".join(dict.fromkeys(rule_id.partition("-")[0] for rule_id in catalogue()))
    return f"no rule is called {pattern!r}; ids begin with {families}"


def source_title(document: str) -> str:
    """Return the title of a source document. Raises KeyError for a key that is not in `spec/sources.yaml`."""
    title: str = read("sources.yaml")[document]["title"]
    return title


def source_address(source: Source) -> str | None:
    """Return where a place in a document can be read; None for a document without a public address.

    Raises KeyError for a key that is not in `spec/sources.yaml`.
    """
    address: str | None = read("sources.yaml")[source.document].get("address")
    if address is None or "{section}" not in address:
        return address
    return address.replace("{section}", source.section) if source.section else address.partition("#")[0]
