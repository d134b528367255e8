"""Running a sandbox: in the foreground until it is stopped, or in another process while a block lasts."""

from __future__ import annotations

import contextlib
import gc
import json
import logging
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from typing import Any

import uvicorn

from orderproof.sandbox.app import Application
from orderproof.sandbox.behaviour import AS_AGREED, Behaviour
from orderproof.sandbox.options import OptionError, Settings, open_from
from orderproof.sandbox.protocol import SandboxProtocol
from orderproof.sandbox.service import Service
from orderproof.sandbox.sqlite import SqliteStore
from orderproof.sandbox.store import MemoryStore, Store, StoreError

STARTS_WITHIN_SECONDS = 30.0
STOPS_WITHIN_SECONDS = 5.0
BACKLOG = 2048


class ServerError(Exception):
    """The sandbox could not be started; the message is one sentence for the user."""


def open_store(settings: Settings) -> Store:
    """Return the store that the settings name.

    Raises StoreError when it cannot be used, or the driver that it takes is not installed.
    """
    if settings.database is None:
        return MemoryStore()
    if not is_shared(settings.database):
        return SqliteStore(settings.database)
    try:
        from orderproof.sandbox.postgresql import PostgresStore
    except ImportError:
        raise StoreError("PostgreSQL needs the driver psycopg: pip install 'orderproof[postgres]'.") from None
    return PostgresStore(settings.database)


def is_shared(database: str) -> bool:
    """Tell the URL of a PostgreSQL database from the path of a file."""
    return database.startswith(("postgresql://", "postgres://"))


def run(
    settings: Settings,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    behaviour: Behaviour = AS_AGREED,
    announce: Callable[[str], None] | None = None,
) -> None:
    """Serve a sandbox until the process is interrupted or terminated.

    Port 0 takes a free one. When the sandbox listens, its base URL is given to `announce`, which prints it by
    default. Raises ServerError when the address cannot be listened on, StoreError when the database cannot be
    used.
    """
    store = open_store(settings)
    with contextlib.closing(store), listening(host, port) as listener:
        (announce or _print_line)(base_url(host, listener))
        server = _server(Application(Service(settings, store, behaviour)))
        with contextlib.suppress(KeyboardInterrupt):  # which the server passes on when it has stopped
            server.run(sockets=[listener])


@contextmanager
def background(
    settings: Settings,
    *,
    fault: str | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    processes: int = 1,
) -> Generator[str]:
    """Run a sandbox in processes of its own, on a free port of 127.0.0.1 by default, and yield its base URL.

    `fault` is the name of a fault that it is to have. Several `processes` share the port, each taking some of the
    connections, and need a database. They end with the block, and also when this process dies. Raises ServerError when
    it does not start, OptionError for a fault that does not exist and for processes that would share nothing.
    """
    behaviour_named(fault)
    if processes > 1 and settings.database is None:
        raise OptionError(
            f"{processes} processes share no memory: name a database that keeps the orders for all of them."
        )
    with ExitStack() as stack:
        if processes > 1:
            port = stack.enter_context(_reserved(host, port))
        told = {**asdict(settings), "fault": fault, "host": host, "port": port, "several": processes > 1}
        children = [stack.enter_context(_child()) for _ in range(processes)]
        url, *_ = [_started(child, told) for child in children]
        yield url


@contextmanager
def _reserved(host: str, port: int) -> Generator[int]:
    """Hold a port, without listening on it, for processes that share it."""
    with socket.socket(_family(host)) as holder:
        try:
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            holder.bind((host, port))
        except (OSError, OverflowError, AttributeError) as problem:
            raise _not_listening(host, port, problem) from problem
        yield int(holder.getsockname()[1])


@contextmanager
def _child() -> Generator[subprocess.Popen[str]]:
    """Start a process that waits for its settings, and end it with the block."""
    command = [
        sys.executable,
        "-P",
        "-c",
        "from orderproof.sandbox.server import serve_for_parent; serve_for_parent()",
    ]
    # In a session of its own, an interrupt from the terminal reaches this process alone, which ends the child in time.
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as child:
        try:
            yield child
        finally:
            _stop(child)


def serve_for_parent() -> None:
    """Serve the sandbox whose settings stand on the first line of standard input, until that input ends.

    The first line of standard output is the base URL, or, after an exclamation mark, why there is none.
    """
    first_line = sys.stdin.readline()
    if not first_line:
        return  # the parent gave up before it said anything
    told = json.loads(first_line)
    behaviour = behaviour_named(told.pop("fault"))
    host, port, shared = told.pop("host"), told.pop("port"), told.pop("several")
    try:
        settings = settings_from(told)
        with (
            contextlib.closing(open_store(settings)) as store,
            listening(host, port, shared=shared) as listener,
        ):
            server = _server(Application(Service(settings, store, behaviour)))
            threading.Thread(target=_stop_at_end_of_input, args=[server], daemon=True).start()
            _print_line(base_url(host, listener))
            with contextlib.suppress(KeyboardInterrupt):
                server.run(sockets=[listener])
    except (OptionError, ServerError, StoreError) as problem:
        _print_line(f"! {problem}")


def behaviour_named(fault: str | None) -> Behaviour:
    """Return the behaviour of a sandbox, with a fault if one is named. Raises OptionError for an unknown one."""
    if fault is None:
        return AS_AGREED
    from orderproof.sandbox.faults import behaviour_of

    return behaviour_of(fault)


def settings_from(data: dict[str, Any]) -> Settings:
    """Return the settings of a JSON object made from `dataclasses.asdict`.

    Raises OptionError for unknown choices.
    """
    options = tuple((days, fee) for days, fee in data.pop("due_date_options"))
    return Settings(
        open=open_from(data.pop("open")), due_date_options=options, tokens=tuple(data.pop("tokens")), **data
    )


@contextmanager
def listening(host: str, port: int, *, shared: bool = False) -> Generator[socket.socket]:
    """Yield a socket that listens on an address, which it may share with sockets of other processes.

    Raises ServerError when that is not possible.
    """
    try:
        listener = socket.create_server(
            (host, port), family=_family(host), backlog=BACKLOG, reuse_port=shared
        )
    except (OSError, OverflowError, ValueError) as problem:
        raise _not_listening(host, port, problem) from problem
    with listener:
        yield listener


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _not_listening(host: str, port: int, problem: Exception) -> ServerError:
    reason = getattr(problem, "strerror", None) or str(problem)
    return ServerError(f"Cannot listen on {host}:{port}: {reason}. Try another --port, or 0 for a free one.")


def base_url(host: str, listener: socket.socket) -> str:
    """Return the URL under which a listening socket can be reached."""
    return f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"


def _server(application: Application) -> uvicorn.Server:
    # Orders hold no cycles, and there may be 100,000 of them: looking through them for garbage finds none.
    gc.freeze()
    gc.set_threshold(10_000, 20, 1_000)
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    return uvicorn.Server(
        uvicorn.Config(
            application,
            http=SandboxProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            backlog=BACKLOG,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=1,
        )
    )


def _print_line(text: str) -> None:
    print(text, flush=True)


def _stop_at_end_of_input(server: uvicorn.Server) -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    server.should_exit = True


def _started(child: subprocess.Popen[str], told: dict[str, Any]) -> str:
    assert child.stdin is not None
    assert child.stdout is not None
    with contextlib.suppress(BrokenPipeError):
        child.stdin.write(json.dumps(told) + "\n")
        child.stdin.flush()
    # A child that hangs before it listens is ended by the timer, which ends the reading below.
    timer = threading.Timer(STARTS_WITHIN_SECONDS, child.kill)
    timer.start()
    line = child.stdout.readline().strip()
    timer.cancel()
    if line.startswith("! "):
        raise ServerError(line.removeprefix("! "))
    if not line:
        raise ServerError(f"The sandbox ended before it listened (exit code {child.wait()}).")
    return line


def _stop(child: subprocess.Popen[str]) -> None:
    assert child.stdin is not None
    with contextlib.suppress(BrokenPipeError):
        child.stdin.close()
    try:
        child.wait(STOPS_WITHIN_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
