"""`conformance plan`: every message that `run` would send, with role, purpose and scope decision; nothing is sent.

What `plan` does once its options are read: plan case by case, and print the messages as text or JSON as they come.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from typing import Any

import click

from conformance.cases.generated.stream import generated_case
from conformance.cli.options import printing, seed_option, selecting, selection_of, specs_option
from conformance.contract.load import load_contract
from conformance.endpoint.choose import is_reference
from conformance.guard.gate import Purpose
from conformance.model.case import Case
from conformance.report.formats.text import Grid, Row, plain_lines
from conformance.report.safe_text import json_safe, many, shortened, visible, writable
from conformance.run.dry import DryRun
from conformance.run.loop import run_loop
from conformance.run.needs import all_lines
from conformance.run.plan import Bounds, Planned, Planner
from conformance.run.selection import choose_generated, choose_named, of_editions, offered, parse_shard
from conformance.run.session import session


@click.command("plan")
@selecting
@click.option("--generated", type=click.IntRange(0), metavar="N", help="How many generated cases, as for run.")
@seed_option("Seed of everything that is generated.")
@click.option("--json", "as_json", is_flag=True, help="Print an object with the messages and a summary.")
@specs_option
@printing
def command(**options: Any) -> None:
    """Print every message that `run` would send with the same options; connect to nothing.

    The same session runs without a network. It shows sign-in, set-up, judged messages, observation and clean-up, each
    with its role, its purpose, how often it is sent, and the decision of the scope guard. An id that exists only after
    a state is set up is shown as a ${place}. The command reads no secret, starts no command and asks no hook.

    A table adds the messages up by purpose: at least, undisturbed (the target neither throttles nor loses sessions or
    connections), and at most. The last line says what scope.max_requests should be at least. With -q one line for each
    message, with -v every message in full.
    """

    plan_command(options)


_LONGEST = 2000
_AT_THE_END = "at the end of the run"
_IN_FULL = (Purpose.EARLIER, Purpose.JUDGED, Purpose.TWIN)
_WORDS = {Purpose.EARLIER: " (sent before)", Purpose.TWIN: " (the same in another form)"}


def plan_command(options: Mapping[str, Any]) -> None:
    """Print the plan. Raises what `run` would raise for the same options, but for secrets, which it does not need."""
    run_loop(_plan(options))


async def _plan(options: Mapping[str, Any]) -> None:
    contract = load_contract(options["specs"])
    selection, shard = selection_of(options), parse_shard(options["shard"])
    named = choose_named(contract, selection, shard)
    generated = choose_generated(contract, selection, options["generated"], options["seed"], shard)
    needed = {case.operation for case in named} | {source.operation.id for source, _ in generated}

    def cases() -> Iterator[Case]:
        yield from named
        for source, number in generated:
            yield generated_case(source, number)

    dry = DryRun()
    async with session(contract, options["target"], needed, dry=dry) as run:
        offered(contract, selection, run.target)
        named = of_editions(run.contract, named)
        planner = Planner(run, dry)
        if not is_reference(run.chosen.name) and not options["as_json"]:
            for line in all_lines(run, cases()):
                click.echo(writable(visible(line), sys.stdout.encoding))
        shown = _print_json if options["as_json"] else _print_text
        await shown(planner, planner.plan(cases()), options)


class _Tally:
    """How many messages were planned, refused by the guard, or hindered by what the target lacks."""

    def __init__(self) -> None:
        self.of: Counter[str] = Counter()
        self.cases = self.outside = 0

    def add_case(self, messages: Sequence[Planned]) -> None:
        """Count a case, and whether a message of it is outside the scope; what comes at the end is no case."""
        if messages and messages[0].case:
            self.cases += 1
            self.outside += any(not message.allowed for message in messages)

    def add(self, message: Planned) -> None:
        """Count one line of the plan."""
        if not message.allowed:
            self.of["refused"] += 1
        elif message.hindrance:
            self.of["hindered"] += 1


def _whole(totals: Mapping[Purpose, Bounds]) -> Bounds:
    return sum(totals.values(), Bounds())


async def _print_text(planner: Planner, cases: AsyncIterator[tuple[Planned, ...]], options: Mapping[str, Any]) -> None:
    encoding, tally = sys.stdout.encoding, _Tally()
    async for messages in cases:
        tally.add_case(messages)
        for message in messages:
            tally.add(message)
        for line in _lines(messages, quiet=options["quiet"], verbose=options["verbose"]):
            click.echo(writable(line, encoding))
    for line in plain_lines([_table(planner.totals)]):
        click.echo(line)
    whole, cap = _whole(planner.totals), planner.run.target.scope.max_requests
    click.echo(
        f"{many(whole.undisturbed, 'message')} planned, nothing sent; {tally.of['refused']} outside the scope, "
        f"{tally.of['hindered']} that this target cannot be sent"
    )
    click.echo(
        f"scope.max_requests should be at least {whole.undisturbed}; throttling and lost sessions or connections can "
        f"make it up to {whole.at_most} messages"
    )
    least, inside = planner.run.target.limits.min_carried_out, tally.cases - tally.outside
    if tally.cases and inside < least * tally.cases:
        click.echo(
            f"warning: {inside:,} of {tally.cases:,} cases are inside the scope, and min_carried_out is {least:g}: "
            "a run that finds nothing else ends with exit code 4"
        )
    if cap is not None and cap < whole.undisturbed:
        click.echo(f"warning: it is {cap}: cases that come after so many messages will be not-verified")


def _table(totals: Mapping[Purpose, Bounds]) -> Grid:
    named = [*((purpose.value, totals[purpose]) for purpose in Purpose), ("together", _whole(totals))]
    rows = (
        Row((name, str(one.at_least), str(one.undisturbed), str(one.at_most)))
        for name, one in named
        if one.at_most or name == "together"
    )
    return Grid(("messages", "at least", "undisturbed", "at most"), tuple(rows))


def _lines(messages: Iterable[Planned], *, quiet: bool, verbose: bool) -> Iterator[str]:
    if quiet:
        for message in messages:
            if message.count.undisturbed or message.hindrance or not message.allowed:
                yield f"{message.case or _AT_THE_END}  {message.purpose}  {_short(message)}"
        return
    for number, message in enumerate(messages):
        if number == 0:
            yield message.case or _AT_THE_END
        if message.purpose in _IN_FULL or verbose:
            yield from _in_full(message, verbose=verbose)
        elif message.count.undisturbed or not message.allowed:
            yield f"  {message.purpose}: {_short(message)}"
    yield ""


def _short(message: Planned) -> str:
    """One message in one line."""
    what = message.frame if message.frame is not None else f"{message.method} {message.path}"
    text = shortened(visible(what), 200)
    return f"{text}  as {message.role} over {message.transport}  {_times(message.count)}  {_scope(message)}"


def _times(count: Bounds) -> str:
    if count.at_least == count.undisturbed:
        return "once" if count.undisturbed == 1 else "twice" if count.undisturbed == 2 else f"{count.undisturbed} times"
    return f"{count.at_least} to {count.undisturbed} times"


def _in_full(message: Planned, *, verbose: bool) -> Iterator[str]:
    count = "" if message.count.undisturbed in (0, 1) else f", {_times(message.count)}"
    head = f"as {message.role} over {message.transport}, {message.media_type}{count}"
    yield f"  {message.purpose}: {head}{_WORDS.get(message.purpose, '')}"
    for state in message.states:
        yield f"  set up first: {visible(state)}"
    text = message.frame
    if text is None:
        yield f"  > {message.method} {visible(message.path)}"
        for name, value in message.headers:
            yield f"  > {name}: {visible(value)}"
        yield "  >"
        text = message.body
    note = "" if message.encoding == "utf-8" else f"  [{message.encoding}]"
    shown = visible(text)
    yield f"  > {(shown if verbose else shortened(shown, _LONGEST)) or '(no body)'}{note}"
    yield f"  scope: {_scope(message)}"


def _scope(message: Planned) -> str:
    if not message.allowed:
        return f"refused: {visible(message.reason)}"
    if message.hindrance:
        return f"not sent: {visible(message.hindrance)}"
    return f"allowed: {visible(message.reason)}" if message.reason else "allowed"


async def _print_json(planner: Planner, cases: AsyncIterator[tuple[Planned, ...]], options: Mapping[str, Any]) -> None:  # noqa: ARG001  as _print_text
    """One object, written as it is made, for its list of messages may be long."""
    tally, opening = _Tally(), '{"messages": ['
    async for messages in cases:
        for message in messages:
            tally.add(message)
            sys.stdout.write(f"{opening}\n{json_safe(json.dumps(_object(message)))}")
            opening = ","
    whole, totals = _whole(planner.totals), planner.totals
    summary = {
        "messages": {purpose.value: _bounds(totals[purpose]) for purpose in Purpose},
        "together": _bounds(whole),
        "max_requests_at_least": whole.undisturbed,
        "refused": tally.of["refused"],
        "hindered": tally.of["hindered"],
    }
    start = '{"messages": [' if opening != "," else ""
    sys.stdout.write(f'{start}\n],\n"summary": {json.dumps(summary, indent=1)}}}\n')


def _bounds(count: Bounds) -> dict[str, int]:
    return {"at_least": count.at_least, "undisturbed": count.undisturbed, "at_most": count.at_most}


def _object(message: Planned) -> dict[str, Any]:
    shared: dict[str, Any] = {
        "case": message.case,
        "operation": message.operation,
        "purpose": message.purpose.value,
        "role": message.role,
        "transport": message.transport,
        "media_type": message.media_type,
        **_bounds(message.count),
        "states": list(message.states),
    }
    if message.frame is None:
        shared["method"] = message.method
        shared["path"] = message.path
        shared["headers"] = [list(header) for header in message.headers]
        shared["body"] = message.body
        shared["encoding"] = message.encoding
    else:
        shared["frame"] = message.frame
    if message.elsewhere:
        shared["elsewhere"] = True
    shared["scope"] = {"allowed": message.allowed, "reason": message.reason}
    shared["hindrance"] = message.hindrance
    return shared
