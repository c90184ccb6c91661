"""`conformance plan`: every message that `run` would send, with role, states and scope decision; nothing is sent.

What `plan` does once its options are read: put the messages together, and print them as text or JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import click

from conformance.cases.fixtures import load_cases
from conformance.cases.generated.stream import generated_case
from conformance.cli.options import printing, selecting, specs_option
from conformance.cli.run import choice_of
from conformance.contract.load import load_contract
from conformance.endpoint.choose import chosen_target
from conformance.endpoint.model import TargetFile
from conformance.endpoint.redact import redact
from conformance.guard.guard import guard_for
from conformance.model.case import Case
from conformance.model.spec import Contract
from conformance.report.safe_text import json_safe, many, shortened, visible, writable
from conformance.run.plan import Planned, plan
from conformance.run.selection import choose, choose_generated


@click.command("plan")
@selecting
@click.option("--generated", type=click.IntRange(0), metavar="N", help="How many generated cases, as for run.")
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=0,
    show_default=True,
    metavar="N",
    help="Seed of everything that is generated.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a list of objects.")
@specs_option
@printing
def command(**options: Any) -> None:
    """Print every message that `run` would send with the same options; connect to nothing.

    Each comes with its role, the states that would be set up first, and the decision of the scope guard. Ids that exist
    only once a state was set up stand as ${places}, and count as granted. With -q one line for each message.
    """

    plan_command(options)


_LONGEST = 2000


def plan_command(options: Mapping[str, Any]) -> None:
    """Print the plan. Raises what `run` would raise for the same options."""
    contract = load_contract(options["specs"])
    choice = choice_of(options)
    named = choose(contract, load_cases(contract, choice.operations or None), choice)
    generated = choose_generated(contract, choice, options["generated"], options["seed"])
    cases = [*named, *(generated_case(source, number) for source, number in generated)]
    target = asyncio.run(_target(options["target"], contract))
    messages = _messages(cases, contract, target)
    if options["as_json"]:
        _print_json(messages)
        return
    encoding = sys.stdout.encoding
    counted: Counter[str] = Counter()
    for message in messages:
        counted.update(_counts(message))
        for line in _lines(message, quiet=options["quiet"], verbose=options["verbose"]):
            click.echo(writable(line, encoding))
    click.echo(
        f"{many(counted['all'], 'message')} planned, nothing sent; {counted['refused']} outside the scope, "
        f"{counted['hindered']} that this target cannot be sent"
    )


async def _target(name: str, contract: Contract) -> TargetFile:
    async with chosen_target(name, contract, start=False) as chosen:
        return chosen.file


def _messages(cases: Iterable[Case], contract: Contract, target: TargetFile) -> Iterator[Planned]:
    guard = guard_for(target, contract)
    if guard.scope.unlimited:
        return plan(cases, contract, target, lambda: guard)
    return plan(cases, contract, target, lambda: guard_for(target, contract))


def _counts(message: Planned) -> Iterator[str]:
    yield "all"
    if not message.allowed:
        yield "refused"
    elif message.hindrance:
        yield "hindered"


def _lines(message: Planned, *, quiet: bool, verbose: bool) -> Iterator[str]:
    scope = _scope(message)
    what = f"{message.method} {message.path}" if message.frame is None else "frame"
    if quiet:
        yield f"{message.case}  {message.role}  {message.transport}  {redact(visible(what))}  {scope}"
        return
    part = {"before": " (sent before)", "twin": " (the same in another way)"}.get(message.part, "")
    copies = f", {message.copies} at the same moment" if message.copies > 1 else ""
    yield f"{message.case}{part}"
    yield f"  as {message.role} over {message.transport}, {message.media_type}{copies}"
    for state in message.states:
        yield f"  set up first: {redact(visible(state))}"
    text = message.frame
    if text is None:
        yield f"  > {redact(visible(what))}"
        for name, value in message.headers:
            yield f"  > {redact(f'{name}: {visible(value)}')}"
        yield "  >"
        text = message.body
    note = "" if message.encoding == "utf-8" else f"  [{message.encoding}]"
    shown = visible(redact(text))
    yield f"  > {(shown if verbose else shortened(shown, _LONGEST)) or '(no body)'}{note}"
    yield f"  scope: {scope}"
    yield ""


def _scope(message: Planned) -> str:
    if not message.allowed:
        return f"refused: {message.reason}"
    if message.hindrance:
        return f"not sent: {message.hindrance}"
    return f"allowed: {message.reason}" if message.reason else "allowed"


def _print_json(messages: Iterable[Planned]) -> None:
    """A list, written as it is made, for it may be long."""
    opening = "["
    for message in messages:
        sys.stdout.write(f"{opening}\n{json_safe(json.dumps(_object(message)))}")
        opening = ","
    sys.stdout.write("\n]\n" if opening == "," else "[]\n")


def _object(message: Planned) -> dict[str, Any]:
    shared: dict[str, Any] = {
        "case": message.case,
        "operation": message.operation,
        "part": message.part,
        "copies": message.copies,
        "role": message.role,
        "transport": message.transport,
        "media_type": message.media_type,
        "states": [redact(state) for state in message.states],
    }
    if message.frame is None:
        shared["method"] = message.method
        shared["path"] = redact(message.path)
        shared["headers"] = [[name, redact(f"{name}: {value}")[len(name) + 2 :]] for name, value in message.headers]
        shared["body"] = redact(message.body)
        shared["encoding"] = message.encoding
    else:
        shared["frame"] = redact(message.frame)
    shared["scope"] = {"allowed": message.allowed, "reason": message.reason}
    shared["hindrance"] = message.hindrance
    return shared
