"""The drivers of real packages: each is judged, and nothing but the mock is looked up or dialled.

ccxt is in the extra `test`. The others have environments of their own: `.ci/run` and `tox -e drivers` make them, and set NOTBANK
to a Python that has `notbank`, and APEX to a folder `node_modules` that has `alphapoint-apex-api`.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import shlex
import sys
from pathlib import Path

import pytest

from conformance.clients.session import ClientOptions, judge_client
from conformance.contract.load import load_contract
from conformance.model.verdict import Verdict

DRIVERS = Path(__file__).parents[3] / "integrations" / "drivers"
TRIED = ("*/scene/*", "*/client/code/*", "*/fails/reset*", "*/fails/cut@*")
_IN_PYTHON = """
import runpy, sys
log = open(sys.argv[1], "a", buffering=1)
def hook(event, arguments):
    if event in ("socket.connect", "socket.sendto"):
        log.write(f"dialled {arguments[1][0] if isinstance(arguments[1], tuple) else arguments[1]}\\n")
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        log.write(f"looked up {arguments[0]}\\n")
sys.addaudithook(hook)
sys.argv[1:] = []
runpy.run_path(DRIVER, run_name="__main__")
"""
_IN_NODE = """
const { appendFileSync } = require('node:fs');
const [net, dns] = [require('node:net'), require('node:dns')];
const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (...given) {
  const options = Array.isArray(given[0]) ? given[0][0] : given[0];
  appendFileSync(LOG, `dialled ${options.host ?? options.path ?? given[1] ?? 'localhost'}\\n`);
  return connect.apply(this, given);
};
for (const where of [dns, dns.promises]) {
  for (const name of Object.keys(where).filter((one) => /^(lookup|resolve)/.test(one))) {
    const asked = where[name];
    where[name] = function (...given) { appendFileSync(LOG, `looked up ${given[0]}\\n`); return asked.apply(this, given); };
  }
}
"""


def in_python(python: str, driver: str, log: Path) -> str:
    code = _IN_PYTHON.replace("DRIVER", repr(str(DRIVERS / driver)))
    return shlex.join([python, "-c", code, str(log)])


def in_node(modules: str, driver: str, log: Path) -> str:
    hook = log.with_suffix(".cjs")
    hook.write_text(_IN_NODE.replace("LOG", repr(str(log))), encoding="utf-8")
    return shlex.join(["env", f"NODE_PATH={modules}", "node", "--require", str(hook), str(DRIVERS / driver)])


def lead(name: str) -> str:
    """The variable that names an environment; the test is left out without it."""
    found = os.environ.get(name, "")
    if not found:
        pytest.skip(f"{name} is not set; `tox -e drivers` sets it")
    return found


@pytest.mark.parametrize("package", ["ccxt", "notbank", "alphapoint-apex-api"])
def test_package_is_judged_and_dials_nothing_else(package: str, tmp_path: Path) -> None:
    log = tmp_path / "dialled"
    if package == "ccxt":
        command = in_python(sys.executable, "ccxt_ndax.py", log)
    elif package == "notbank":
        command = in_python(lead("NOTBANK"), "notbank_sdk.py", log)
    else:
        command = in_node(lead("APEX"), "alphapoint_apex.cjs", log)
    recording = asyncio.run(judge_client(load_contract(), ClientOptions(command, 1.0, TRIED)))
    results = {one.id: one for one in recording.journal.results}
    beliefs = [
        (name, finding.message)
        for name, one in results.items()
        for finding in one.findings
        if "/scene/" in name and finding.check.startswith("client-")
    ]
    assert beliefs == []  # what these packages are made for
    assert len(results) > 20
    assert {one.verdict for one in results.values()} <= {Verdict.PASS, Verdict.FAIL, Verdict.NOT_VERIFIED}
    assert sum(one.verdict is Verdict.NOT_VERIFIED for one in results.values()) < 5
    lines = log.read_text("utf-8").splitlines()
    hosts = {line.rpartition(" ")[2] for line in lines}
    assert any(line.startswith("dialled") for line in lines)
    assert all(host == "localhost" or ipaddress.ip_address(host).is_loopback for host in hosts), hosts
