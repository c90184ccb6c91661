"""Drivers that hang, flood, write garbage or die: each has a clear verdict in bounded time, and none an endless run."""

from __future__ import annotations

import json
import os
import shlex
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from conformance.cli.main import main

ONE = "alphapoint.cancel_order"
READY = f'print(json.dumps({{"ready": True, "calls": [{{"operation": "{ONE}"}}]}}), flush=True)\n'
HEAD = "import json, os, sys, time\nstart = json.loads(sys.stdin.readline())\n"
EACH = "for line in sys.stdin:\n    asked = json.loads(line)\n"
TRIED = "co/client/scene/order@http"


def client(folder: Path, code: str, *words: str, tried: str = TRIED) -> Result:
    path = folder / "driver.py"
    path.write_text(HEAD + code, encoding="utf-8")
    command = shlex.join([sys.executable, "-S", str(path)])
    options = [
        "--driver",
        command,
        "--case",
        tried,
        "--timeout",
        "0.05",
        "--no-html",
        "--report",
        str(folder / "report"),
    ]
    return CliRunner().invoke(main, ["client", *options, *words])


def findings(folder: Path) -> list[dict[str, Any]]:
    cases = json.loads((folder / "report" / "results.json").read_text("utf-8"))["cases"]
    return [finding for case in cases for finding in case["findings"]]


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("    time.sleep(600)\n", "no answer within"),
        ("    sys.exit(7)\n", "exit code 7"),
        ("    os.close(1); time.sleep(600)\n", ""),
        ("    print('Traceback', flush=True)\n", "no JSON object"),
        ("    print('[1]', flush=True)\n", "no JSON object"),
        ("    print('[' * 100000, flush=True)\n", "no JSON object"),
        ("    print('x' * 3000000, flush=True)\n", "longer than"),
        ("    sys.stdout.write('x' * 3000000); sys.stdout.flush(); time.sleep(600)\n", "longer than"),
        ("    print(json.dumps({'id': 99, 'believed': []}), flush=True)\n", "answered with id"),
        ("    print(json.dumps({'id': asked['id']}), flush=True)\n", 'must have "believed"'),
        ("    print(json.dumps({'id': asked['id'], 'believed': ['cancelled']}), flush=True)\n", "must be one of"),
        (
            "    print(json.dumps({'id': asked['id'], 'believed': [{'outcome': 'done'}]}), flush=True)\n",
            "must be one of",
        ),
        ("    print(json.dumps({'id': asked['id'], 'believed': []}), flush=True)\n", "0 outcomes are told of 1"),
        ("    print(json.dumps({'id': asked['id'], 'crashed': 'KeyError'}), flush=True)\n", "crashed: KeyError"),
    ],
)
def test_driver_that_breaks_the_protocol_is_a_finding(tmp_path: Path, code: str, told: str) -> None:
    began = time.monotonic()
    ended = client(tmp_path, READY + EACH + code)
    assert ended.exit_code == 1, ended.output
    assert [one["message"] for one in findings(tmp_path) if told in one["message"]], ended.output
    assert time.monotonic() - began < 30


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("sys.exit(3)\n", "exit code 3"),
        ("print('hello', flush=True)\n", "no JSON object"),
        ("print(json.dumps({'ready': False, 'calls': []}), flush=True)\n", "the first answer must be"),
        ("print(json.dumps({'ready': True, 'calls': [{'operation': 'none'}]}), flush=True)\n", "there is no operation"),
        (
            f"print(json.dumps({{'ready': True, 'calls': [{{'operation': '{ONE}', 'transport': 'udp'}}]}}), flush=True)\n",
            "is not offered",
        ),
    ],
)
def test_driver_that_does_not_get_ready_is_exit_3(tmp_path: Path, code: str, told: str) -> None:
    ended = client(tmp_path, f"print('why not', file=sys.stderr, flush=True)\n{code}")
    assert ended.exit_code == 3
    assert told in ended.output
    assert "why not" in ended.output


@pytest.mark.parametrize("command", ["", "/no/such/program", '"unclosed'])
def test_command_that_is_none_is_exit_2(tmp_path: Path, command: str) -> None:
    ended = CliRunner().invoke(main, ["client", "--driver", command, "--report", str(tmp_path)])
    assert ended.exit_code == 2
    assert "--driver" in ended.output


def test_driver_that_dies_each_time_ends_the_trying(tmp_path: Path) -> None:
    ended = client(tmp_path, READY + EACH + "    sys.exit(1)\n", tried="co/client/reading/*")
    cases = json.loads((tmp_path / "report" / "results.json").read_text("utf-8"))["cases"]
    verdicts = [case["verdict"] for case in cases]
    assert ended.exit_code == 1
    assert verdicts.count("fail") == 10
    assert set(verdicts) == {"fail", "not-verified"}


def test_what_the_client_cannot_do_is_not_verified(tmp_path: Path) -> None:
    ended = client(
        tmp_path, READY + EACH + "    print(json.dumps({'id': asked['id'], 'unsupported': 'no'}), flush=True)\n"
    )
    assert ended.exit_code == 4
    assert "cannot do this" in (tmp_path / "report" / "results.json").read_text("utf-8")


def test_driver_that_offers_nothing_is_exit_4(tmp_path: Path) -> None:
    code = "print(json.dumps({'ready': True, 'calls': []}), flush=True)\n" + EACH + "    pass\n"
    path = tmp_path / "driver.py"
    path.write_text(HEAD + code, encoding="utf-8")
    command = shlex.join([sys.executable, str(path)])
    ended = CliRunner().invoke(main, ["client", "--driver", command, "--no-html", "--report", str(tmp_path / "report")])
    assert ended.exit_code == 4


def test_children_of_the_driver_end_with_it_and_secrets_stay_hidden(tmp_path: Path) -> None:
    code = (
        "pid = os.fork()\nif not pid:\n    time.sleep(600)\n"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(pid))\n"
        "print('password', start['password'], start['api_secret'], file=sys.stderr, flush=True)\n" + READY + EACH
        + "    print(json.dumps({'id': asked['id'], 'crashed': start['password']}), flush=True)\n"
    )  # fmt: skip
    ended = client(tmp_path, code)
    assert ended.exit_code == 1
    deadline = time.monotonic() + 10
    child = int((tmp_path / "pid").read_text("utf-8"))
    while Path(f"/proc/{child}/stat").exists() and time.monotonic() < deadline:
        if Path(f"/proc/{child}/stat").read_text("ascii").rpartition(")")[2].split()[0] == "Z":
            break
        time.sleep(0.05)
    else:
        with pytest.raises(ProcessLookupError):
            os.kill(child, 0)
    written = ended.output + "".join(path.read_text("utf-8") for path in (tmp_path / "report").glob("*.json*"))
    assert "client-password" not in written
    assert "client-secret" not in written


def test_finding_comes_with_the_command_that_shows_it_again(tmp_path: Path) -> None:
    ended = client(tmp_path, READY + EACH + "    print(json.dumps({'id': asked['id'], 'crashed': 'x'}), flush=True)\n")
    shown = next(line.strip() for line in ended.output.splitlines() if line.strip().startswith("conformance client "))
    words = shlex.split(shown)[1:]
    assert words[-2:] == ["--case", TRIED]
    again = CliRunner().invoke(main, [*words, "--timeout", "0.05", "--no-html", "--report", str(tmp_path / "again")])
    assert again.exit_code == 1
