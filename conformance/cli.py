"""The command line: parses, calls, and maps the outcome to an exit code."""

from __future__ import annotations

import os
import re
import shlex
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orderproof.ending import FULL, ReaderGone, end, open_closed_streams
from orderproof.errors import OrderproofError, UsageError

if TYPE_CHECKING:
    from orderproof.checking import Settings
    from orderproof.examples import Examples

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
_MAY_BE_EMPTY = frozenset({"user", "password"})


class _Commands(click.Group):
    """The commands, which leave it to `main` what a closed output means."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise ReaderGone from None


@click.group(cls=_Commands, context_settings=_CONTEXT)
@click.version_option(package_name="orderproof", prog_name="orderproof")
def cli() -> None:
    """Contract tests for the Klarna Order Management API v1.

    \b
    orderproof check                                       check the embedded sandbox
    orderproof check --base-url http://127.0.0.1:8080      check your own server
    orderproof client -- pytest tests/integration          check your own client
    orderproof audit traffic.har                           check what was recorded
    orderproof rules CAP-5                                 explain a rule

    Exit codes: 0 conforms, 1 a MUST is broken, 2 wrong usage, 3 could not judge, 4 a waiver does not fit.
    """


@cli.command()
@click.option("--base-url", metavar="URL", help="The server to check. Default: an embedded sandbox.")
@click.option("--user", envvar="ORDERPROOF_USERNAME", help="User of HTTP Basic authentication.")
@click.option("--password", envvar="ORDERPROOF_PASSWORD", help="Its password. Better in the environment.")
@click.option("--orders", metavar="SOURCE", help="customer-token:TOKEN, pool:FILE or command:CMD.")
@click.option(
    "--profile",
    metavar="quick|standard|deep",
    help="How much to try: about 4,000 requests, 13,000, or until --max-time. Default: quick.",
)
@click.option("--only", metavar="RULE", multiple=True, help="Judge these rules alone (glob, repeatable).")
@click.option("--seed", type=int, help="Repeats the choices of an earlier run.")
@click.option("--max-time", type=float, metavar="SECONDS", help="Stop after so long; what was found stands.")
@click.option("--timeout", type=float, metavar="SECONDS", help="Patience for one answer. Default: 10.")
@click.option(
    "--rate", type=float, metavar="N", help="At most N requests a second. Default: 40, on loopback none."
)
@click.option("--workers", type=int, metavar="N", help="Share the work among N processes. Default: 1.")
@click.option("--shard", metavar="K/N", help="Do the Kth of N parts alone; see orderproof merge.")
@click.option(
    "--example-database",
    envvar="ORDERPROOF_EXAMPLE_DATABASE",
    metavar="PLACE",
    help="Try first what was found before, and keep what is: a folder, or redis://HOST:PORT/DB.",
)
@click.option("--strict", is_flag=True, default=None, help="A broken SHOULD fails the run too.")
@click.option(
    "--report", metavar="DIR", help="Write result.json, report.html, junit.xml and the history there."
)
@click.option("--waivers", metavar="FILE", help="Known failures, each with a reason and an end (TOML).")
@click.option("--write-waivers", metavar="FILE", help="Draft that file from what this run finds.")
@click.option(
    "--config",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Default: orderproof.toml, pyproject.toml.",
)
@click.option("--allow-production", is_flag=True, help="Name a live host (only reading works on one).")
@click.option("--quiet", is_flag=True, default=None, help="The verdict and the failures alone.")
@click.option("--verbose", is_flag=True, help="Show every exchange.")
def check(config: Path | None, allow_production: bool, verbose: bool, **options: Any) -> None:
    """Judge a server, rule by rule.

    \b
    orderproof check
    orderproof check --profile quick --only 'CAP-*' --only 'RFD-*'
    orderproof check --base-url http://127.0.0.1:8080 --orders customer-token:TOKEN --report out
    """
    from orderproof.arguments import served

    chosen = {**_chosen(config, options), "allow-production": allow_production}
    with served(chosen) as settings:
        command = _command_line(sys.argv[1:], settings.seed)
        examples = _examples(chosen.get("example-database"), settings)
        code = _check(replace(settings, command=command, examples=examples), chosen, verbose=verbose)
    sys.exit(code)


def _examples(place: str | None, settings: Settings) -> Examples | None:
    """What is known of the target, where there is a place for that."""
    if place is None:
        return None
    from orderproof.examples import examples_at

    return examples_at(place, settings.shown)


def _given(options: dict[str, Any]) -> dict[str, Any]:
    """The options that were given, under the names that the configuration has for them.

    Raises UsageError for one without a value, as a shell makes it of a variable that is not set: a run without it
    would be another run.
    """
    named = {name.replace("_", "-"): value for name, value in options.items()}
    empty = next((name for name, value in named.items() if value == "" and name not in _MAY_BE_EMPTY), None)
    if empty is not None:
        raise UsageError(f"--{empty} '' has no value: give one, or leave --{empty} out")
    return {name: value for name, value in named.items() if value not in (None, ())}


def _command_line(words: Sequence[str], seed: int | None) -> str:
    """The command line as it was given, with the seed if there is one, and without passwords and customer tokens."""
    from orderproof.fleet import without_credentials

    shown = ["orderproof"]
    for word in words:
        secret = shown[-1] == "--password"
        word = re.sub(r"(--password=).*", r"\1REDACTED", "REDACTED" if secret else word)
        shown.append(without_credentials(re.sub(r"(customer-token:).+", r"\1TOKEN", word)))
    seeded = any(word.split("=")[0] == "--seed" for word in words)
    return shlex.join(shown if seeded or seed is None else [*shown, "--seed", str(seed)])


def _check(settings: Settings, chosen: dict[str, Any], *, verbose: bool) -> int:
    from orderproof.catalogue import catalogue
    from orderproof.checking import Watch, check
    from orderproof.report.terminal import Terminal
    from orderproof.report.writer import write_report
    from orderproof.waivers import applied, hold_writable, load, today, write_draft

    # Read first: a mistake in it should not cost a run.
    known = load(Path(chosen["waivers"])) if chosen.get("waivers") else []
    draft = Path(chosen["write-waivers"]) if chosen.get("write-waivers") else None
    if draft is not None:
        hold_writable(draft)
    with Terminal(quiet=bool(chosen.get("quiet")), verbose=verbose) as terminal:
        terminal.say(
            f"Checking {settings.shown} (profile {settings.profile}, seed {settings.seed}{_parts(settings)})"
        )
        watch = Watch(
            progress=terminal.progress,
            finding=lambda found: terminal.finding(
                catalogue()[found.rule],
                expected=found.expected,
                actual=found.actual,
                operation=found.operation,
            ),
            exchange=terminal.exchange,
            shows=verbose,
        )
        found = check(settings, watch)
        result = applied(found, known, today()) if known else found
        # What was found is told whether or not it can be written down.
        try:
            if settings.report is not None:
                write_report(settings.report, result)
        finally:
            terminal.summary(result, settings.report)
        if draft is not None:
            write_draft(draft, found)
    return result.exit_code


def _parts(settings: Settings) -> str:
    """Which part of a run this is, and how many processes share it, where there is anything to say."""
    shard = f", shard {settings.shard.number} of {settings.shard.of}" if settings.shard else ""
    return shard + (f", {settings.workers} workers" if settings.workers > 1 else "")


@cli.command(short_help="Make one report of the shards of a run.")
@click.argument("folders", nargs=-1, required=True, metavar="DIR…", type=click.Path(path_type=Path))
@click.option("--report", metavar="DIR", help="Write one report there, in every format.")
@click.option("--waivers", metavar="FILE", help="Known failures, each with a reason and an end (TOML).")
@click.option("--quiet", is_flag=True, help="The verdict and the failures alone.")
def merge(folders: tuple[Path, ...], report: str | None, waivers: str | None, quiet: bool) -> None:
    """Make one report of those that the shards of a run wrote, each into a DIR.

    A shard that left no report is named, and then the verdict is not that the server conforms.

    \b
    orderproof check --shard 1/2 --seed 7 --report shard-1
    orderproof check --shard 2/2 --seed 7 --report shard-2
    orderproof merge shard-1 shard-2 --report out
    """
    from orderproof.arguments import report_folder
    from orderproof.merging import merged, with_files
    from orderproof.report.terminal import Terminal
    from orderproof.report.writer import write_report
    from orderproof.waivers import applied, load, today

    known = load(Path(waivers)) if waivers is not None else []
    result = merged(folders, _command_line(sys.argv[1:], None))
    folder = report_folder(report)
    if folder is not None:
        result = with_files(result, folder)
    result = applied(result, known, today()) if known else result
    with Terminal(quiet=quiet) as terminal:
        try:
            if folder is not None:
                write_report(folder, result)
        finally:
            terminal.summary(result, folder)
    sys.exit(result.exit_code)


@cli.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 takes a free one."
)
@click.option("--user", envvar="ORDERPROOF_USERNAME", default="sandbox", show_default=True)
@click.option("--password", envvar="ORDERPROOF_PASSWORD", default="sandbox", show_default=True)
@click.option(
    "--database", metavar="FILE|URL", help="SQLite file or postgresql://… for the state. Default: in memory."
)
@click.option("--processes", type=click.IntRange(1), default=1, help="Several of them serve one database.")
@click.option(
    "--open", "choices", metavar="CHOICE=VALUE", multiple=True, help="Decide an open point (repeatable)."
)
@click.option("--flavour", metavar="NAME", help="A set of such decisions.")
@click.option("--list-open", is_flag=True, help="List the open points and flavours, and end.")
@click.option("--fault", metavar="NAME", help="Be wrong on purpose, in one way.")
@click.option("--list-faults", is_flag=True, help="List the faults, and end.")
@click.option("--judge", is_flag=True, help="Judge what clients send, here and on the page /_judge.")
@click.option("--tls", is_flag=True, help="Serve https://localhost with a certificate made for it.")
def sandbox(list_open: bool, list_faults: bool, host: str, port: int, **options: Any) -> None:
    """Run the stateful reference server.

    Orders are created through the Customer Token API, with the token `sandbox`. Time is moved with
    POST /_control/clock {"advance_seconds": 86400}.

    \b
    orderproof sandbox --port 8000
    orderproof sandbox --open location=relative --open invalid_status=422
    orderproof sandbox --fault one-above-remaining
    orderproof sandbox --judge
    orderproof sandbox --database postgresql://127.0.0.1/orders --processes 2
    """
    from orderproof import serving

    if list_open or list_faults:
        click.echo(serving.list_choices() if list_open else serving.list_faults())
        return
    serving.serve(host, port, **options)


def _target_options(command: Any) -> Any:
    """The options of every command that sends requests to a target."""
    options = (
        click.option("--user", envvar="ORDERPROOF_USERNAME", help="User of HTTP Basic authentication."),
        click.option(
            "--password", envvar="ORDERPROOF_PASSWORD", help="Its password. Better in the environment."
        ),
        click.option("--orders", metavar="SOURCE", help="customer-token:TOKEN, pool:FILE or command:CMD."),
        click.option(
            "--timeout", type=float, metavar="SECONDS", help="Patience for one answer. Default: 10."
        ),
        click.option("--rate", type=float, metavar="N", help="At most N requests a second."),
        click.option("--config", metavar="FILE", type=click.Path(path_type=Path), help="As of check."),
        click.option("--allow-production", is_flag=True, default=None, help="Name a live host."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _chosen(config: Path | None, options: dict[str, Any]) -> dict[str, Any]:
    from orderproof.configuration import configuration

    return {**configuration(config), **_given(options)}


@cli.command(short_help="Judge a server under load.")
@click.option("--base-url", metavar="URL", help="The server to load. Default: an embedded sandbox.")
@click.option("--users", type=click.IntRange(1), default=8, show_default=True, help="Users at once, in all.")
@click.option(
    "--spawn-rate",
    type=float,
    default=8.0,
    show_default=True,
    metavar="N",
    help="Users that begin each second.",
)
@click.option("--run-time", type=float, default=60.0, show_default=True, metavar="SECONDS", help="How long.")
@click.option(
    "--requests", type=click.IntRange(1), metavar="N", help="End before that, after about N requests."
)
@click.option(
    "--processes",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Share the users out over so many.",
)
@click.option("--master", metavar="HOST:PORT", help="Listen there for --processes workers of other machines.")
@click.option("--worker", metavar="HOST:PORT", help="Be a worker for the master there.")
@click.option("--only", metavar="RULE", multiple=True, help="Judge these rules alone (glob, repeatable).")
@click.option("--seed", type=int, help="Repeats the choices of the users, not who comes first.")
@click.option("--strict", is_flag=True, default=None, help="A broken SHOULD fails the run too.")
@click.option("--report", metavar="DIR", help="Write result.json, report.html and junit.xml there.")
@click.option("--quiet", is_flag=True, default=None, help="The verdict and the failures alone.")
@_target_options
def load(config: Path | None, **options: Any) -> None:
    """Judge a server under load: many users at once, every answer judged as by check.

    It takes Locust: pip install 'orderproof[load]'.

    \b
    orderproof load --users 20 --run-time 60
    orderproof load --base-url http://127.0.0.1:8080 --users 50 --processes 2 --report out
    """
    from orderproof.arguments import served, settings_from
    from orderproof.loading import run_load, work

    chosen = _chosen(config, options)
    if chosen.get("worker"):
        work(settings_from(chosen), chosen)
        return
    with served(chosen, limits_rate=False) as settings:
        command = _command_line(sys.argv[1:], settings.seed)
        code = run_load(replace(settings, command=command), chosen)
    sys.exit(code)


@cli.command()
@click.option("--base-url", metavar="URL", help="The server to record. Default: an embedded sandbox.")
@click.option("--to", metavar="DIR", required=True, type=click.Path(path_type=Path), help="Where to write.")
@click.option(
    "--scenario", "scenarios", metavar="NAME", multiple=True, help="Record these alone (glob, repeatable)."
)
@_target_options
def record(to: Path, scenarios: tuple[str, ...], config: Path | None, **options: Any) -> None:
    """Record the standard scenarios, a scrubbed cassette for each.

    \b
    orderproof record --base-url http://127.0.0.1:8080 --to cassettes
    """
    from orderproof.arguments import target_from
    from orderproof.recordings import record_scenarios

    chosen = _chosen(config, options)
    sys.exit(record_scenarios(target_from(chosen), to, scenarios, embedded=not chosen.get("base-url")))


@cli.command(short_help="Send recordings to a server, or serve them to a client.")
@click.argument("cassettes", nargs=-1, metavar="[CASSETTE…]")
@click.option("--base-url", metavar="URL", help="The server to send them to. Default: an embedded sandbox.")
@click.option("--serve", is_flag=True, help="Answer a client from them instead.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to serve on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="Port to serve on; 0 takes a free one.",
)
@click.option("--strict", is_flag=True, help="A warning fails the run too.")
@click.option("--quiet", is_flag=True, help="The verdict and the failures alone.")
@_target_options
def replay(cassettes: tuple[str, ...], serve: bool, config: Path | None, **options: Any) -> None:
    """Send recorded requests to a server and report its drift, or serve them to a client.

    A CASSETTE is a file, a folder, or a name on the suite's own shelf, such as captures/full. Default: the whole shelf.

    \b
    orderproof replay --base-url http://127.0.0.1:8080
    orderproof replay captures/full refunds/whole --serve --port 9000
    """
    from orderproof.arguments import target_from
    from orderproof.recordings import replay_against, serve_to_client

    if serve and options["base_url"]:
        raise UsageError("--serve answers a client and --base-url names a server: give one of the two")
    if serve:
        sys.exit(
            serve_to_client(cassettes, options["host"], options["port"], options["user"], options["password"])
        )
    chosen = _chosen(config, options)
    how = {name: bool(options[name]) for name in ("strict", "quiet")}
    sys.exit(replay_against(cassettes, target_from(chosen), embedded=not chosen.get("base-url"), **how))


@cli.command(short_help="Judge a client, in good and bad weather.")
@click.argument("command", nargs=-1, metavar="-- COMMAND …", type=click.UNPROCESSED)
@click.option(
    "--scenario",
    "scenarios",
    metavar="NAME",
    multiple=True,
    help="Weather (repeatable), or all. Default: fair.",
)
@click.option("--flow", metavar="NAME", help="What the command is told to do; the order is held against it.")
@click.option(
    "--env",
    "variables",
    metavar="NAME=VALUE",
    multiple=True,
    help="A variable for it, such as URL={base_url}.",
)
@click.option(
    "--timeout", type=float, metavar="SECONDS", default=120.0, show_default=True, help="For each run of it."
)
@click.option(
    "--hold", type=float, metavar="SECONDS", default=8.0, show_default=True, help="How slow `slow` is."
)
@click.option("--tls", is_flag=True, help="Serve https://localhost with a certificate made for the run.")
@click.option("--only", metavar="RULE", multiple=True, help="Judge these rules alone (glob, repeatable).")
@click.option("--strict", is_flag=True, help="A broken SHOULD fails the run too.")
@click.option(
    "--report", metavar="DIR", help="Write result.json, report.html, matrix.md and the history there."
)
@click.option("--waivers", metavar="FILE", help="Known failures, each with a reason and an end (TOML).")
@click.option(
    "--quiet", is_flag=True, help="The verdict and the failures alone; the command's output is kept back."
)
@click.option("--list", "list_all", is_flag=True, help="List the scenarios and flows, and end.")
def client(list_all: bool, only: tuple[str, ...], report: str | None, **options: Any) -> None:
    """Judge a client: run its own command against the sandbox, in good and bad weather.

    The command finds where to go in ORDERPROOF_BASE_URL, ORDERPROOF_USERNAME, ORDERPROOF_PASSWORD and
    ORDERPROOF_ORDER_IDS, and with --flow what to do in ORDERPROOF_FLOW and ORDERPROOF_ORDER_ID.

    \b
    orderproof client -- pytest tests/integration
    orderproof client --flow capture-part --scenario all -- node capture.js
    orderproof client --env KLARNA_URL={base_url} --report out -- ./run-tests
    """
    from orderproof.arguments import report_folder, selected
    from orderproof.client.running import listing, run_client

    if list_all:
        click.echo(listing())
        return
    rules = [rule for rule in selected(only or ("CLI-*",), both_sides=True) if rule.judges == "client"]
    if not rules:
        raise UsageError(f"nothing is selected: {', '.join(only)} judge a server, not a client")
    sys.exit(run_client(rules=rules, report=report_folder(report), **options))


@cli.command(short_help="Judge recorded traffic offline.")
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@click.option("--only", metavar="RULE", multiple=True, help="Judge these rules alone (glob, repeatable).")
@click.option("--strict", is_flag=True, help="A broken SHOULD fails too.")
@click.option("--report", metavar="DIR", help="Write result.json, report.html and junit.xml there.")
@click.option("--quiet", is_flag=True, help="The verdict and the failures alone.")
def audit(
    files: tuple[str, ...], only: tuple[str, ...], strict: bool, report: str | None, quiet: bool
) -> None:
    """Judge recorded traffic offline: cassettes, HAR files and histories, their answers and their requests.

    \b
    orderproof audit cassettes/ traffic.har
    """
    from orderproof.arguments import report_folder, selected
    from orderproof.recordings import audit_files

    rules = selected(only, both_sides=True)
    sys.exit(audit_files(files, rules, strict=strict, quiet=quiet, report=report_folder(report)))


@cli.command(short_help="Put several runs side by side.")
@click.argument("runs", nargs=-1, required=True, metavar="[NAME=]DIR…")
@click.option("--all", "everything", is_flag=True, help="Show every rule, not only where the runs differ.")
@click.option("--html", "page", metavar="FILE", type=click.Path(path_type=Path), help="Write a page as well.")
def matrix(runs: tuple[str, ...], everything: bool, page: Path | None) -> None:
    """Put several runs side by side, and show what changed between two runs of one target.

    A DIR is a folder that --report wrote. Runs of one NAME are runs of one target; the base URL is the name otherwise.

    \b
    orderproof matrix reports/ours reports/vendor
    orderproof matrix fake=monday fake=tuesday --html matrix.html
    """
    from orderproof.comparing import compared, read_runs
    from orderproof.report.matrix import matrix_lines, write_matrix_html
    from orderproof.report.text import plain

    found = compared(read_runs(runs))
    for line in matrix_lines(found, everything=everything):
        click.echo(plain(line, sys.stdout.encoding or "utf-8"))
    if page is not None:
        write_matrix_html(page, found)


@cli.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--base-url", metavar="URL", help="The server to send it to. Default: the one it was seen on.")
@_target_options
def reproduce(file: Path, config: Path | None, **options: Any) -> None:
    """Send a saved counterexample again, from fresh orders.

    Exit codes: 1 it fails again, 0 it does not, 3 it could not be judged.

    \b
    orderproof reproduce out/counterexamples/CAP-5.json --base-url http://127.0.0.1:8080
    """
    from orderproof.arguments import served
    from orderproof.counterexample import load
    from orderproof.reproducing import reproduce as send_again
    from orderproof.reproducing import reproduction_lines

    seen_on = load(file).target
    with served({"base-url": seen_on, **_chosen(config, options)}) as settings:
        result = send_again(file, settings.target)
        click.echo("\n".join(reproduction_lines(result, settings.shown)))
    sys.exit(result.exit_code)


@cli.command(short_help="List the rules, or explain one.")
@click.argument("rule", required=False)
def rules(rule: str | None) -> None:
    """List the rules, or explain one: its level, requirement, source, and what is open about it.

    \b
    orderproof rules
    orderproof rules CAP-5
    """
    from orderproof.catalogue import UnknownRule, select
    from orderproof.report.rules import explained, listed

    try:
        chosen = select([rule] if rule else [])
    except UnknownRule as error:
        raise UsageError(str(error)) from None
    if len(chosen) > 1:
        click.echo(listed(chosen))
        return
    from orderproof.serving import faults_of

    click.echo(explained(chosen[0], faults_of(chosen[0].id)))


def main() -> None:
    """Run the command line, and end the process with the documented exit code."""
    signal.signal(signal.SIGTERM, _stop)
    open_closed_streams()
    try:
        cli(standalone_mode=False)
    except click.exceptions.Exit as ended:
        sys.exit(ended.exit_code)
    except click.Abort:
        end("interrupted before anything was judged", 3)
    except click.UsageError as error:
        hint = f" (see {error.ctx.command_path} --help)" if error.ctx else ""
        end(f"{error.format_message()}{hint}", 2)
    except click.ClickException as error:
        end(error.format_message(), 2)
    except OrderproofError as error:
        end(str(error), error.exit_code)
    except KeyboardInterrupt:
        end("interrupted before anything was judged", 3)
    except (ReaderGone, BrokenPipeError):
        # There is nobody left to tell.
        os._exit(3)
    except Exception as error:
        if isinstance(error, OSError) and error.errno in FULL:
            end(f"{error.filename or 'the output'} cannot be written: {error.strerror}", 3)
        if os.environ.get("ORDERPROOF_DEBUG"):
            raise
        end(f"a fault of our own, {type(error).__name__}: {error} (ORDERPROOF_DEBUG=1 shows where)", 3)


def _stop(number: int, frame: object) -> None:
    raise KeyboardInterrupt(number)
