"""The decorators that hang a server in the gallery, and the ways to find one."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from typing import TypeVar

from tests.gallery.server import Fake

F = TypeVar("F", bound=type[Fake])

GALLERY: dict[str, type[Fake]] = {"core": Fake}
WHENS = frozenset({"always", "sequence", "value", "concurrency"})


def _hang(server: type[Fake], kind: str, rules: tuple[str, ...], when: str, needs: tuple[str, ...]) -> None:
    name = re.sub(r"(?<!^)(?=[A-Z])|(?<=[a-z])(?=\d)", "-", server.__name__).lower()
    if name in GALLERY:
        raise ValueError(f"two servers are called {name}")
    if not server.__doc__ or when not in WHENS:
        raise ValueError(f"{name} needs a docstring and one of {sorted(WHENS)}, not {when!r}")
    server.name, server.kind, server.when = name, kind, when
    server.primary, server.rules = (rules[0] if rules else ""), frozenset(rules)
    server.needs = frozenset(needs)
    GALLERY[name] = server


def variant(server: F) -> F:
    """Hang a correct server that uses a freedom of the contract."""
    _hang(server, "correct", (), "always", ())
    return server


def warned(*rules: str, when: str = "always", needs: tuple[str, ...] = ()) -> Callable[[F], F]:
    """Hang a server that keeps every MUST and breaks the SHOULD rules named, the most telling first."""

    def hang(server: F) -> F:
        _hang(server, "warned", rules, when, needs)
        return server

    return hang


def lie(*rules: str, when: str = "always", needs: tuple[str, ...] = ()) -> Callable[[F], F]:
    """Hang a server with one defect: the rules that may rightly be named for it, the most telling first.

    `when` says what it takes to see it; `needs` are the capabilities of a target that it takes.
    """

    def hang(server: F) -> F:
        if not rules:
            raise ValueError(f"{server.__name__} breaks no rule")
        _hang(server, "defective", rules, when, needs)
        return server

    return hang


def gallery(*kinds: str) -> dict[str, type[Fake]]:
    """Return the servers of some kinds (`correct`, `warned`, `defective`; all when none is named) by name."""
    for module in ("correct", "warned", "defective"):
        importlib.import_module(f"tests.gallery.{module}")
    return {name: server for name, server in GALLERY.items() if not kinds or server.kind in kinds}


def find(name: str) -> type[Fake]:
    """Return the server of that name. Raises KeyError with the nearest names when there is none."""
    servers = gallery()
    if name not in servers:
        near = [other for other in servers if name in other or other in name]
        raise KeyError(f"no server is called {name!r}; --list shows all {len(servers)}. Near: {near[:5]}")
    return servers[name]
