"""The command `conformance`: a table of commands, each imported when it is called."""

from __future__ import annotations

import click

from conformance.cli.group import LazyGroup

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
    "explain": ("conformance.cli.explain:command", "Say what an id stands for, and why it is tested."),
    "replay": ("conformance.cli.replay:command", "Send one case again, byte for byte, and judge it."),
    "selftest": (
        "conformance.cli.selftest:command",
        "Show that every fault is caught and no equivalent failed.",
    ),
    "specs": ("conformance.cli.specs:command", "Check the contract itself."),
    "fixtures": ("conformance.cli.fixtures:command", "Build the fixture files, or check them for drift."),
    "derive": ("conformance.cli.derive:command", "Make a draft operation of a vendor's page, or compare the two."),
    "report": ("conformance.cli.report:command", "Render, merge or compare the reports of runs."),
    "target": ("conformance.cli.target:command", "Write a commented target file, or check one."),
}


def _print_version(context: click.Context, _option: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        from conformance.report.version import tool_version

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
