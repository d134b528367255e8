"""Run one server of the gallery: `python -m tests.gallery NAME [--port N]`, or `--list` them."""

from __future__ import annotations

import argparse
import sys
import threading

from tests.gallery.catalogue import find, gallery
from tests.gallery.wire import Gateway


def listing() -> str:
    rows = []
    for server in gallery().values():
        rules = " ".join([server.primary, *sorted(server.rules - {server.primary})]).strip()
        summary = (server.__doc__ or "").strip().splitlines()[0]
        rows.append(f"{server.kind:9}  {server.name:45}  {server.when:11}  {rules:40}  {summary}")
    return "\n".join(rows)


def stop_at_eof(gateway: Gateway) -> None:
    """End with whoever holds the other end of standard input, however that one ends."""
    sys.stdin.read()
    gateway.shutdown()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.gallery", description=__doc__)
    parser.add_argument("name", nargs="?", default="core", help="which server to run; core is the plain one")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; a free one when not given")
    parser.add_argument("--until-eof", action="store_true", help="stop when standard input ends")
    parser.add_argument("--list", action="store_true", help="show name, kind and difference of every server")
    chosen = parser.parse_args(arguments)
    if chosen.list:
        print(listing())
        return 0
    try:
        fake = find(chosen.name)()
    except KeyError as error:
        print(error.args[0], file=sys.stderr)
        return 2
    with Gateway(fake, chosen.port) as gateway:
        print(gateway.base_url, flush=True)
        if chosen.until_eof:
            threading.Thread(target=stop_at_eof, args=(gateway,), daemon=True).start()
        try:
            gateway.serve_forever(poll_interval=0.05)
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
