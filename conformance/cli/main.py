"""The command `conformance`: a table of commands, each imported when it is called.

A click group that imports a command when it is called, and turns every error into words and an exit code.

ConformanceError     `error: what`, then where and hint; the error's own exit code
a full disk          `error:` as well, exit 2
KeyboardInterrupt    130, also on SIGTERM and SIGHUP
anything unexpected  one line, exit 5; the traceback with -v
"""

from __future__ import annotations

import contextlib
import difflib
import errno
import importlib
import io
import os
import signal
import sys
import traceback
from collections.abc import Iterator, Mapping
from typing import Any

import click

from conformance.cli.options import VERBOSE_KEY
from conformance.errors import (
    DESCRIPTORS,
    INTERRUPTED,
    MORE_DESCRIPTORS,
    ConformanceError,
    HarnessError,
    SpecError,
    out_of_descriptors,
)

BROKEN, PIPE_CLOSED = 5, 141
_MOST_FAULTS = 19
_SLOW_TO_START = frozenset({"run"})
_QUIET = frozenset({"-q", "--quiet", "--json", "--help", "-h"})
_AT_ONCE = "starting\r"
"""Shorter than anything that is written over it, and the bar clears its line."""
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class LazyGroup(click.Group):
    """A group whose commands stand in a table: name to (`module:attribute`, help text).

    Listing the commands imports none of them. An integer that a command returns is the exit code.
    """

    def __init__(self, *args: Any, table: Mapping[str, tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._table = table

    def main(self, *args: Any, **extra: Any) -> Any:
        """The way in; what the parent process has closed is opened first."""
        _open_closed_streams()
        return super().main(*args, **extra)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        """The names in the order of the table."""
        return list(self._table)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002  click's signature
        cmd_name: str,
    ) -> click.Command | None:
        """The command, imported now; None for an unknown name."""
        if cmd_name not in self._table:
            return None
        module, _, attribute = self._table[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{module}:{attribute} is no click command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments name; a usage error suggests names that are close."""
        name = args[0]
        if name not in self._table and not name.startswith("-"):
            raise click.UsageError(f"no such command: {name!r}.{suggestion(name, self._table)}", ctx)
        if ctx.parent is None and name in _SLOW_TO_START and not ctx.resilient_parsing and _QUIET.isdisjoint(args):
            _say_at_once()
        return super().resolve_command(ctx, args)

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002  click's signature
        formatter: click.HelpFormatter,
    ) -> None:
        """The table's lines of help."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self._table.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command; the one place where errors become messages and exit codes."""
        if ctx.parent is not None:
            return super().invoke(ctx)
        with _ended_by_signals():
            return self._invoke(ctx)

    def _invoke(self, ctx: click.Context) -> Any:
        _buffer_stdout()
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except (click.ClickException, click.exceptions.Exit):
            raise
        except (KeyboardInterrupt, click.Abort):
            click.echo("interrupted", err=True)
            ctx.exit(INTERRUPTED)
        except BrokenPipeError:
            _silence_stdout()
            ctx.exit(PIPE_CLOSED)
        except ConformanceError as error:
            _explain(error)
            if ctx.meta.get(VERBOSE_KEY):
                traceback.print_exc()
            ctx.exit(error.exit_code)
        except Exception as error:  # exit code 5 is promised for everything else
            if isinstance(error, OSError) and error.errno in _NO_ROOM:
                _silence_stdout()
                full = ConformanceError(
                    f"not everything could be written: {error.strerror}", hint="Make room, and run it again."
                )
                _explain(full)
                ctx.exit(full.exit_code)
            if isinstance(error, OSError) and out_of_descriptors(error):
                _explain(HarnessError(DESCRIPTORS, hint=MORE_DESCRIPTORS))
                ctx.exit(BROKEN)
            _confess(error, verbose=bool(ctx.meta.get(VERBOSE_KEY)))
            ctx.exit(BROKEN)
        if isinstance(result, int) and not isinstance(result, bool):
            ctx.exit(result)
        return result


def suggestion(word: str, known: Mapping[str, object] | list[str]) -> str:
    """` Did you mean …?` with up to three close matches, or nothing."""
    folded = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(word.casefold(), folded, n=3, cutoff=0.6)
    return f" Did you mean {', '.join(folded[name] for name in close)}?" if close else ""


def _say_at_once() -> None:
    """Tell who looks on that something happens: the cases are read and the server is started before the first line."""
    with contextlib.suppress(OSError, ValueError):
        if sys.stderr.isatty():
            sys.stderr.write(_AT_ONCE)
            sys.stderr.flush()


def _explain(error: ConformanceError) -> None:
    lines = [f"error: {error.message}"]
    lines += [f"  where: {error.where}"] if error.where else []
    lines += [f"  hint: {error.hint}"] if error.hint else []
    click.echo("\n".join(lines), err=True)
    others = error.others if isinstance(error, SpecError) else ()
    for one in others[:_MOST_FAULTS]:
        _explain(one)
    if len(others) > _MOST_FAULTS:
        click.echo(f"… and {len(others) - _MOST_FAULTS} more; `conformance specs check -v` shows them all", err=True)


def _confess(error: Exception, *, verbose: bool) -> None:
    what = " ".join(f"{type(error).__name__}: {error}".split())
    if verbose:
        traceback.print_exception(error)
    hint = "" if verbose else " (this is a defect of the tool; -v shows the traceback)"
    click.echo(f"error: unexpected {what}{hint}", err=True)


def _buffer_stdout() -> None:
    """Buffer the output: under `python -u` the rest of an interrupted write would be lost without an error."""
    raw = getattr(sys.stdout, "buffer", None)
    if isinstance(raw, io.RawIOBase):
        encoding, errors = sys.stdout.encoding, sys.stdout.errors
        sys.stdout = io.TextIOWrapper(io.BufferedWriter(raw), encoding, errors, line_buffering=True)


def _open_closed_streams() -> None:
    """Open closed standard streams on the null device; else the next opened file would take their place."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            os.dup2(opened, number)  # also where it is the same one: the programs that are started inherit it
            os.set_inheritable(number, True)
            if opened != number:
                os.close(opened)
        if getattr(sys, name) is None:
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", errors="backslashreplace", closefd=False))


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end a command as Ctrl-C does; what the parent has ignored, as nohup does, stays ignored."""
    before: dict[int, Any] = {}
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        with contextlib.suppress(ValueError):  # not the main thread
            if number is not None and signal.getsignal(number) is signal.SIG_DFL:
                before[number] = signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _silence_stdout() -> None:
    """Keeps the interpreter from complaining about the closed pipe when it flushes at exit."""
    try:
        target = sys.stdout.fileno()
    except (OSError, ValueError):
        return
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, target)
    os.close(sink)


_COMMANDS = {
    "run": (
        "conformance.cli.run:command",
        "Judge an endpoint; without a target, the reference implementation.",
    ),
    "serve": ("conformance.cli.serve:command", "Serve the reference implementation."),
    "plan": ("conformance.cli.plan:command", "Print every message that run would send; send nothing."),
    "list": (
        "conformance.cli.list:command",
        "List operations, requirements, readings, cases, errors, faults.",
    ),
    "coverage": ("conformance.cli.coverage:command", "Count the combinations of levels that the cases cover."),
    "explain": ("conformance.cli.explain:command", "Say what an id stands for, and why it is tested."),
    "replay": ("conformance.cli.replay:command", "Send one case again, byte for byte, and judge it."),
    "selftest": (
        "conformance.cli.selftest:command",
        "Show that every fault is caught and no equivalent failed.",
    ),
    "specs": ("conformance.cli.specs:command", "Check the contract itself."),
    "fixtures": ("conformance.cli.specs:fixtures", "Build the fixture files, or check them for drift."),
    "derive": ("conformance.cli.derive:command", "Make a draft operation of a vendor's page, or compare the two."),
    "report": ("conformance.cli.report:command", "Render, merge, compare or bundle the reports of runs."),
    "history": ("conformance.cli.history:command", "Keep runs in a store, and ask what changed between releases."),
    "fleet": ("conformance.cli.fleet:command", "Judge many endpoints when they are due, on one machine or many."),
    "verify": ("conformance.cli.verify:command", "Judge the recorded exchanges of a bundle again; send nothing."),
    "judge": ("conformance.cli.judge:command", "Judge recorded traffic: clients by requests, servers by answers."),
    "client": ("conformance.cli.client:command", "Judge a client: requests, effects, and what it believes of answers."),
    "proxy": ("conformance.cli.proxy:command", "Pass traffic on to an endpoint, and judge it as it goes."),
    "target": (
        "conformance.cli.target:command",
        "Write a commented target file, check one, or take back what a run left open.",
    ),
}


def _print_version(context: click.Context, _option: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        from conformance import tool_version

        click.echo(f"conformance {tool_version()}")
        context.exit()


@click.group(
    cls=LazyGroup,
    table=_COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Exit codes: 0 conformant, 1 violated, 2 usage or configuration, 3 target unreachable, "
    "4 incomplete, 5 the tool failed, 130 interrupted.",
)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_print_version,
    help="Print the version.",
)
def main() -> None:
    """Conformance of order-cancellation endpoints: contracts, cases, and a verdict on any endpoint."""
