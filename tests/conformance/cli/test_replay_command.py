"""`conformance replay`: one case again, with its exchange, its judgement, and a message that can be pasted."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from secret_support import ROOT, reference, secrets_of, target_text, world_with

from conformance.cases.case_data import to_data
from conformance.cases.fixtures import load_cases
from conformance.cli.main import main
from conformance.contract.load import load_contract

SECRETS = secrets_of(22)


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A target file for a reference with two faults, which runs as long as the tests of this module."""
    folder = tmp_path_factory.mktemp("replay")
    (folder / "world.toml").write_text(world_with(SECRETS), encoding="utf-8")
    with reference("--world", str(folder / "world.toml"), "--fault", "tpp-drops-last-result") as address:
        (folder / "target.toml").write_text(target_text(address), encoding="utf-8")
        yield folder / "target.toml"


def _replay(*words: str) -> Result:
    return CliRunner().invoke(main, ["replay", *words], env=SECRETS)


def test_a_passing_case_exits_0_and_shows_exchange_and_judgement(target: Path) -> None:
    done = _replay("cao/effects/many-orders@http", "--target", str(target))
    assert done.exit_code == 0, done.output
    assert "  POST /AP/CancelAllOrders HTTP/1.1\n" in done.output
    assert "  aptoken: [redacted]\n" in done.output
    assert "  HTTP/1.1 200 OK\n" in done.output
    assert "\njudgement: pass\n" in done.output
    assert done.output.endswith("verdict: pass (exit 0)\n")


def test_a_failing_case_exits_1_with_requirement_clause_expected_and_actual(target: Path) -> None:
    done = _replay("tpp/response/three-kinds@application-json", "--target", str(target))
    assert done.exit_code == 1, done.output
    contract = load_contract(None)
    named = re.findall(r"^  (TPP-[A-Z0-9-]+) \(must\): ", done.output, re.MULTILINE)
    assert named
    requirement = contract.requirements[named[0]]
    assert f"    {requirement.document}, {requirement.place}" in done.output
    assert "    expected: " in done.output
    assert "    actual: " in done.output


def test_message_that_went_before_is_shown_with_its_answer(target: Path) -> None:
    done = _replay("tpp1/carried/creator-abroad@application-json", "--target", str(target))
    assert done.exit_code == 0, done.output
    titles = [
        line for line in done.output.splitlines() if re.match(r"sent|received|the (message before|same) by", line)
    ]
    assert [re.sub(r" after.*", "", line) for line in titles] == [
        "sent before", "received before", "sent", "received", "the message before by hand", "the same by hand",
    ]  # fmt: skip


def test_quiet_prints_the_verdict_alone(target: Path) -> None:
    done = _replay("cao/effects/many-orders@http", "--target", str(target), "-q")
    assert done.output == "verdict: pass (exit 0)\n"


def test_without_a_target_the_bundled_reference_is_asked() -> None:
    assert _replay("tpp/effects/unknown-order@text-xml").exit_code == 0


def test_a_frozen_case_in_a_file_is_replayed(tmp_path: Path, target: Path) -> None:
    case = next(
        one for one in load_cases(load_contract(None)) if one.id == "tpp/effects/unknown-order@application-json"
    )
    file = tmp_path / "finding.json"
    file.write_text(json.dumps({**to_data(case), "id": "frozen/one", "title": "Found by hand"}), encoding="utf-8")
    done = _replay(str(file), "--target", str(target))
    assert done.output.startswith("frozen/one: Found by hand\n"), done.output
    assert done.exit_code in (0, 1)


@pytest.mark.parametrize("content", ["{", "[]", '{"id": "x"}', '{"id": 5, "operation": "nothing"}'])
def test_a_file_that_holds_no_case_is_a_usage_error(tmp_path: Path, content: str) -> None:
    file = tmp_path / "broken.json"
    file.write_text(content, encoding="utf-8")
    done = _replay(str(file))
    assert done.exit_code == 2
    assert str(file) in done.output


def test_an_unknown_case_suggests_one_that_is_close() -> None:
    done = _replay("cao/effects/many-order@http")
    assert done.exit_code == 2
    assert "Did you mean cao/effects/many-orders@http" in done.output


def test_a_target_that_is_not_there_exits_3(tmp_path: Path) -> None:
    file = tmp_path / "target.toml"
    file.write_text(target_text("http://127.0.0.1:9"), encoding="utf-8")
    assert _replay("cao/effects/many-orders@http", "--target", str(file)).exit_code == 3


def test_a_case_that_the_target_cannot_carry_out_exits_4() -> None:
    with reference() as address:
        assert _replay("cao/effects/many-orders@http", "--target", address).exit_code == 4


def test_a_frame_can_be_pasted(target: Path) -> None:
    done = _replay("cao/account/unknown-oms@ws", "--target", str(target))
    lines = done.output.splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("# WebSocket text frame to ws://"))
    frame = json.loads(lines[place + 1])
    assert frame["n"] == "CancelAllOrders"
    assert json.loads(frame["o"])["OMSId"] == 987654


@pytest.mark.parametrize(
    "case",
    [
        "tpp/effects/unknown-order@application-json", "tpp/effects/unknown-order@text-xml", "cao/http/chunked@http",
        "cao/malformed/utf-16@http", "tpp/fields/pin-beyond-ascii@application-json",
    ],
)  # fmt: skip
def test_the_curl_command_sends_the_same_body_when_pasted(tmp_path: Path, target: Path, case: str) -> None:
    done = _replay(case, "--target", str(target))
    command = done.output.split("the same by hand\n")[1].rsplit("\n\nverdict:", 1)[0]
    received = _paste(command, tmp_path)
    sent = done.output.split("\nsent\n", 1)[1].split("\nreceived", 1)[0]
    assert received.startswith(sent.split()[0].encode())
    variables = set(re.findall(r'"\$([A-Z0-9]+)"', command))
    assert all(f"<{name}>".encode() in received.replace(b"\x00", b"") for name in variables)
    assert not any(secret in command for secret in SECRETS.values())
    body = received.partition(b"\r\n\r\n")[2]
    assert body
    if case.startswith("tpp/effects/unknown-order@application-json"):
        assert json.loads(body)[0]["PIN"] == "<PIN>"
    if "chunked" in case:
        assert b"\r\ntransfer-encoding: chunked\r\n" in received.lower()
        assert body.endswith(b"0\r\n\r\n")
    if "utf-16" in case:
        assert json.loads(body.decode("utf-16"))["OMSId"] == 1


def _paste(command: str, folder: Path) -> bytes:
    """What a server gets when the command is pasted into a shell; the address is exchanged for its own."""
    import socket
    import threading

    got: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(1.0)
                data = b""
                while not _whole(data):
                    data += connection.recv(65536)
                got.append(data)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        here = re.sub(r"http://127\.0\.0\.1:\d+", f"http://127.0.0.1:{listener.getsockname()[1]}", command)
        names = set(re.findall(r'"\$([A-Z0-9]+)"', command))
        environment = {**os.environ, **{name: f"<{name}>" for name in names}, "http_proxy": "", "PYTHONPATH": str(ROOT)}
        subprocess.run(["bash", "-c", here], env=environment, capture_output=True, timeout=10, check=True, cwd=folder)
        thread.join(5)
    return got[0]


def _whole(data: bytes) -> bool:
    head, end, body = data.partition(b"\r\n\r\n")
    if not end:
        return False
    length = re.search(rb"(?i)content-length: (\d+)", head)
    return body.endswith(b"0\r\n\r\n") if length is None else len(body) >= int(length[1])
