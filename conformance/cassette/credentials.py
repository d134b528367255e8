"""Which requests of a recording went without credentials, and which lost them to the recorder."""

from __future__ import annotations

from dataclasses import dataclass, replace

from orderproof.cassette.continuity import addressed
from orderproof.cassette.entries import Entry


@dataclass
class Credentials:
    """Reads the entries of one recording in order.

    Recorders take credentials out of all requests. A request without any therefore counts as scrubbed until one with
    them is seen; after that, one of our own recordings, which keep the header without its value, went without.
    """

    _seen: bool = False

    def read(self, entry: Entry) -> Entry:
        """Return an entry with what its missing credentials mean."""
        exchange = entry.exchange
        if addressed(exchange) is None:
            return entry
        if exchange.request.header("authorization") is not None:
            self._seen = True
        elif not self._seen:
            return replace(entry, exchange=replace(exchange, facts=exchange.facts | {"scrubbed"}))
        elif entry.own and exchange.credentials == "own":
            return replace(entry, exchange=replace(exchange, credentials="none"))
        return entry
