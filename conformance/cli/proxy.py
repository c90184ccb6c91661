"""`conformance proxy`: traffic goes through mitmproxy as it came, and is judged beside it."""

from __future__ import annotations

from pathlib import Path

import click

from conformance.cli.options import json_option, printing, report_options, specs_option
from conformance.errors import UsageError


@click.command("proxy")
@click.option("--upstream", required=True, metavar="URL", help="Where everything goes on to: http://HOST:PORT.")
@click.option("--host", default="127.0.0.1", show_default=True, metavar="H", help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, metavar="N", help="Port; 0, the default, takes a free one."
)
@click.option("--target", metavar="FILE", help="A target file: its scope, pinned readings and settle_s.")
@click.option("--block-unsafe", is_flag=True, help="Refuse requests that the scope of --target does not allow.")
@click.option(
    "--alone", is_flag=True, help="Nobody else acts on these accounts: what is gone was cancelled through this proxy."
)
@report_options
@json_option
@specs_option
@printing
def command(
    upstream: str, host: str, port: int, target: str | None, block_unsafe: bool, alone: bool, folder: Path, no_html: bool,
    as_json: bool, specs: Path | None, quiet: bool, verbose: bool,
) -> int:  # fmt: skip
    """Pass HTTP and WebSocket traffic on to --upstream and judge it, until SIGINT or SIGTERM; needs the extra `proxy`.

    The first line on standard output is `listening on http://HOST:PORT`. Exit codes as of `judge`.
    """
    from dataclasses import replace

    from conformance.cli.judge import report
    from conformance.contract.load import load_contract
    from conformance.endpoint.file import editions_of, load_target
    from conformance.passive.proxy import Tap, serve_proxy
    from conformance.passive.session import options_for
    from conformance.report.journal import FILE_NAME

    if block_unsafe and target is None:
        raise UsageError("needs a scope", where="--block-unsafe", hint="Give a target file with --target FILE.")
    contract = load_contract(specs)
    file = None if target is None else load_target(Path(target), contract)
    contract = contract if file is None else contract.in_editions(editions_of(contract, file))
    options, scope = options_for(contract, file)
    named: dict[str, object] = {"recording": [str(folder)], **({"file": target} if target else {})}
    tap = Tap(
        contract, replace(options, alone=alone), scope, block=block_unsafe, journal=folder / FILE_NAME, target=named
    )
    serve_proxy(tap, upstream, host, port, lambda address: click.echo(f"listening on {address}"))
    recording = tap.finish(named)
    return report(contract, recording, folder, no_html=no_html, as_json=as_json, quiet=quiet, verbose=verbose)
