"""What is known to go wrong by itself, so that what goes wrong at once, or with keys, is blamed on the right rule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

__all__ = ["KEYS", "MAY_BE_DUE_TO_OPERATIONS", "TWINS", "Blame"]

MAY_BE_DUE_TO_OPERATIONS = frozenset({"IDM-4", "IDM-5", "IDM-7", "GEN-RATE-1", "GEN-HTTP-5"})
"""Rules whose breach may be due to operations that go wrong by themselves."""

TWINS = "equal calls"
"""Stands for calls that are taken for repeats of others, where there are the names of operations else."""

KEYS = "keys"
"""Stands for keys where there are the names of operations else."""

_ONE_BY_ONE = frozenset({"IDM-1", "IDM-2", "IDM-3"})
_DUE_TO_KEYS: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("IDM-1", "IDM-2", "IDM-3", "IDM-5", "IDM-6", "IDM-8"), _ONE_BY_ONE),
    "IDM-7": _ONE_BY_ONE | {"IDM-5"},
}
"""Rules whose breach may be due to keys that do not work at all, with those whose breach says so."""

_OF_KEYS = frozenset().union(*_DUE_TO_KEYS.values())


@dataclass
class Blame:
    """The rule that each operation broke first when it was called by itself, and the first that broke about keys.

    Beside operations there are symptoms: what goes wrong in the same way in several situations, each with its own rule.
    """

    astray: dict[str, str] = field(default_factory=dict)
    keys: str | None = None

    def note(self, operations: Iterable[str], rule: str) -> None:
        """Take note of a rule that operations broke by themselves, or that symptoms were seen with."""
        for name in operations:
            self.astray.setdefault(name, rule)

    def note_keys(self, rules: Iterable[str]) -> None:
        """Take note of rules that broke, if they are about keys."""
        self.keys = self.keys or next((rule for rule in rules if rule in _OF_KEYS), None)

    def behind(self, rule: str, suspects: Iterable[str]) -> str | None:
        """The other rule that the breach of one is due to, if that of one of the suspected operations is known."""
        rules = [self.astray[name] for name in suspects if name in self.astray]
        if self.keys is not None and self.keys in _DUE_TO_KEYS.get(rule, ()):
            rules.append(self.keys)
        return next((other for other in rules if other != rule), None)

    @classmethod
    def of(cls, known: Mapping[str, str]) -> Blame:
        """What is known, as `known` returns it."""
        return cls({name: rule for name, rule in known.items() if name != KEYS}, known.get(KEYS))

    def known(self) -> dict[str, str]:
        """What is known, by the operation; what is known of keys under `KEYS`."""
        return {**self.astray, **({} if self.keys is None else {KEYS: self.keys})}

    def add(self, later: Blame, renamed: Mapping[str, str]) -> None:
        """Take over what was found later elsewhere; some rules of it turned out to be due to others."""
        for name, rule in later.astray.items():
            self.astray.setdefault(name, renamed.get(rule, rule))
        self.keys = self.keys or later.keys
