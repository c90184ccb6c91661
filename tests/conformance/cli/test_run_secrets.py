"""No secret gets out: not into a report, not onto the terminal, not from an endpoint that sends back what it was sent."""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from click.testing import CliRunner, Result
from secret_support import ROOT, reference, secrets_of, target_text, text_of, world_with, written_forms

from conformance.cli.main import main
from conformance.endpoint.secrets import Vault

sys.path.append(str(ROOT / "tests" / "conformance" / "run"))

from hostile_support import Script, answer, read_request, scripted

SECRETS = secrets_of(20)
_FAULTS = ("cao-echoes-token", "cao-only-first-order", "cq-echoes-token", "tpp-pin-echoed", "tpp-drops-last-result")
_CASES = (
    "cao/roles/*",
    "cao/effects/*",
    "cq/effects/*",
    "tpp/fields/pin*",
    "tpp/response/*",
    "tpp/relations/*",
    "cao/malformed/utf-16*",
)


@pytest.fixture
def learnt(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Every secret that a run in this process fetches or is given, session tokens included."""
    found: set[str] = set()
    learn = Vault.learn

    def note(vault: Vault, value: str) -> None:
        found.add(value)
        learn(vault, value)

    monkeypatch.setattr(Vault, "learn", note)
    return found


def _leaks(folder: Path, done: Result, learnt: set[str]) -> dict[str, str]:
    """Secret to the place where it was found in some form."""
    texts = {str(path): text_of(path) for path in folder.rglob("*") if path.is_file()}
    texts |= {"output": done.output, "stderr": done.stderr}
    secrets = {secret for secret in {*SECRETS.values(), *learnt} if len(secret) > 6}
    return {
        secret: name
        for secret in secrets
        for form in written_forms(secret)
        for name, text in texts.items()
        if form in text
    }


def test_reports_and_output_of_a_failing_run_hold_no_secret(tmp_path: Path, learnt: set[str]) -> None:
    world, target, report = tmp_path / "world.toml", tmp_path / "target.toml", tmp_path / "report"
    world.write_text(world_with(SECRETS), encoding="utf-8")
    words = [word for fault in _FAULTS for word in ("--fault", fault)]
    with reference("--world", str(world), *words) as address:
        target.write_text(target_text(address), encoding="utf-8")
        cases = [word for case in _CASES for word in ("--case", case)]
        done = CliRunner().invoke(
            main, ["run", "--target", str(target), "--report", str(report), "-v", *cases], env=SECRETS
        )
        CliRunner().invoke(main, ["report", "render", str(report), "--format", "html"])
        again = CliRunner().invoke(
            main, ["replay", "cao/effects/many-orders@http", "--target", str(target)], env=SECRETS
        )
    assert done.exit_code == 1, done.output
    assert again.exit_code in (0, 1), again.output
    results = json.loads((report / "results.json").read_text())
    failed = [case for case in results["cases"] if case["verdict"] == "fail"]
    assert {case["id"].partition("/")[0] for case in failed} == {"cao", "cq", "tpp"}
    assert len(learnt) > 20
    assert not _leaks(report, done, learnt)
    assert not _leaks(tmp_path / "none", again, learnt)


def test_evidence_stays_useful(tmp_path: Path) -> None:
    world, target, report = tmp_path / "world.toml", tmp_path / "target.toml", tmp_path / "report"
    world.write_text(world_with(SECRETS), encoding="utf-8")
    with reference("--world", str(world), "--fault", "tpp-drops-last-result") as address:
        target.write_text(target_text(address), encoding="utf-8")
        case = "tpp/response/three-kinds@application-json"
        CliRunner().invoke(main, ["run", "--target", str(target), "--report", str(report), "--case", case], env=SECRETS)
    lines = [json.loads(line) for line in (report / "journal.jsonl").read_text().splitlines()]
    exchanges = next(line for line in lines if line.get("id") == case)["exchanges"]
    sent = next(one["evidence"]["sent"] for one in exchanges if one["purpose"] == "judged")
    assert sent.startswith("POST /api/orders/cancellations HTTP/1.1\r\n")
    assert sent.count('"PIN":"[redacted]"') == 3
    assert sent.count('"CreatorID":98765') == 3


def _echo(write: str) -> Script:
    async def script(reader, writer) -> None:  # type: ignore[no-untyped-def]
        while True:
            request = await read_request(reader)
            text = request.decode("utf-8", "replace")
            body = {
                "plain": request,
                "json": json.dumps({"detail": text, "o": json.dumps(text)}).encode(),
                "escaped": ('"' + "".join(f"\\u{ord(one):04X}" for one in text) + '"').encode(),
                "percent": json.dumps("".join(f"%{byte:02x}" for byte in request)).encode(),
                "quoted": json.dumps(quote(text)).encode(),
                "base64": json.dumps(base64.b64encode(request).decode()).encode(),
                "urlsafe": json.dumps(base64.urlsafe_b64encode(b"ab" + request).decode()).encode(),
                "error": f'"Traceback (most recent call last): {text!r}"'.encode(),
            }[write]
            writer.write(answer(body))
            await writer.drain()

    return script


_ECHO_TARGET = """
name = "echo"
[limits]
total_timeout_s = 2
[scope]
destructive = true
everything = true
[services.tpp]
http = "http://127.0.0.1:%d"
bindings = { creator = 98765, pin = { env = "REFERENCE_PIN" }, unknown_order = 1987654321 }
[services.tpp.headers]
X-Vendor-Key = { env = "REFERENCE_OPERATOR_PASSWORD" }
[services.tpp.roles.client]
login = "each-message"
user = "somebody"
password = { env = "REFERENCE_NOBODY_PASSWORD" }
[services.tpp.states]
provider = "pool"
[services.tpp.states.pool]
open-order = [{ OrderID = 11, CreatorID = 98765 }, { OrderID = 12, CreatorID = 98765 }]
"""


@pytest.mark.parametrize("write", ["plain", "json", "escaped", "percent", "quoted", "base64", "urlsafe", "error"])
def test_an_endpoint_that_echoes_does_not_get_a_secret_into_a_report(
    tmp_path: Path, learnt: set[str], write: str
) -> None:
    target, report = tmp_path / "target.toml", tmp_path / "report"
    cases = [
        "--case",
        "tpp/effects/unknown-order@application-json",
        "--case",
        "tpp/effects/unknown-order@application-xml",
    ]
    with scripted(_echo(write)) as server:
        target.write_text(_ECHO_TARGET % server.port, encoding="utf-8")
        done = CliRunner().invoke(
            main, ["run", "--target", str(target), "--report", str(report), "-v", *cases], env=SECRETS
        )
        again = CliRunner().invoke(main, ["replay", cases[1], "--target", str(target)], env=SECRETS)
    assert done.exit_code == 1, done.output
    assert again.exit_code == 1, again.output
    assert len(learnt) >= 3
    assert not _leaks(report, done, learnt)
    assert not _leaks(tmp_path / "none", again, learnt)


def test_a_plan_fetches_no_secret_and_shows_none(tmp_path: Path, learnt: set[str]) -> None:
    target = tmp_path / "target.toml"
    target.write_text(_ECHO_TARGET % 9, encoding="utf-8")
    words = ["plan", "--target", str(target), "--case", "tpp/effects/*"]
    done = CliRunner().invoke(main, words, env=SECRETS)
    as_json = CliRunner().invoke(main, [*words, "--json"], env=SECRETS)
    assert done.exit_code == as_json.exit_code == 0
    assert learnt, "a stand-in takes the place of each secret"
    assert learnt.isdisjoint(SECRETS.values())
    assert not _leaks(tmp_path / "none", done, learnt)
    assert not _leaks(tmp_path / "none", as_json, learnt)


def test_the_traceback_of_a_defect_shows_no_secret(
    tmp_path: Path, learnt: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    target, report = tmp_path / "target.toml", tmp_path / "report"
    target.write_text(_ECHO_TARGET % 9, encoding="utf-8")

    def breaks(*_arguments: object) -> None:
        try:
            raise ValueError(f"cannot send Basic {sorted(learnt)}")
        except ValueError as error:
            raise RuntimeError(f"no connection with {sorted(learnt)}") from error

    monkeypatch.setattr("conformance.run.session.Session.reach", breaks)
    words = ["run", "--target", str(target), "--report", str(report), "-v", "--case", "tpp/effects/*"]
    done = CliRunner().invoke(main, words, env=SECRETS)
    assert done.exit_code == 5
    assert "RuntimeError" in done.output
    assert len(learnt) >= 3
    assert not _leaks(report, done, learnt)
