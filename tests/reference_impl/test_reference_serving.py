"""The process: options, first line, exit codes, world files."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from reference_support import Server, running

from reference_impl.__main__ import main, parse_arguments
from reference_impl.errors import OptionError, WorldError
from reference_impl.serve import ServeOptions, is_loopback, listen, make_app
from reference_impl.world.load import load_world, parse_world

pytestmark = pytest.mark.timeout(120)

ROOT = Path(__file__).resolve().parents[2]
SMALL = "oms.1 = {}\naccounts.1.oms = 1\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_process_says_where_it_listens_and_ends_cleanly_on_a_signal(number: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "reference_impl", "--port", "0"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        words = process.stdout.readline().split()
        assert words[:2] == ["listening", "on"]
        host, _, port = words[2].rpartition(":")
        assert host == "http://127.0.0.1"
        assert Server(int(port)).request("GET", "/AP/Ping").status == 200
        process.send_signal(number)
        rest, errors = process.communicate(timeout=10)
        assert (process.returncode, rest, errors) == (0, "", "")
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def test_every_option_reaches_the_server() -> None:
    options = parse_arguments(
        [
            "--host",
            "::1",
            "--port",
            "5",
            "--world",
            "w.toml",
            "--fault",
            "a",
            "--fault",
            "b",
            "--equivalent",
            "c",
            "--reading",
            "d=e",
            "--edition",
            "later",
            "--no-control",
        ]
    )
    assert ServeOptions("::1", 5, Path("w.toml"), ("a", "b"), ("c",), ("d=e",), "later", False) == options


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--world", "absent.toml"], "absent.toml: cannot be read"),
        (["--fault", "x"], "--fault: unknown id 'x'\nKnown: cao-"),
        (["--equivalent", "x"], "--equivalent: unknown id 'x'"),
        (["--reading", "x=y"], "--reading: unknown reading 'x'"),
        (["--edition", "x"], "--edition: unknown edition 'x'\nKnown: 3.3, 3.2, later"),
        (
            ["--edition", "3.2", "--fault", "cao-later-everybody"],
            "--fault: cao-later-everybody is of the edition later, and not of 3.2",
        ),
        (
            ["--fault", "cao-later-everybody", "--equivalent", "cao-earlier-other-user-104"],
            "--fault: cao-later-everybody is of the edition later, and not of 3.2",
        ),
        (["--host", "192.0.2.1"], "--host, --port: cannot listen on 192.0.2.1"),
        (["--port", "70000"], "cannot listen on 127.0.0.1 port 70000"),
    ],
)
def test_an_option_that_cannot_be_used_exits_2(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert says in capsys.readouterr().err


def test_a_taken_port_is_named() -> None:
    with listen("127.0.0.1", 0) as taken, pytest.raises(OptionError, match="cannot listen"):
        listen("127.0.0.1", taken.getsockname()[1])


def test_no_control_removes_the_hook() -> None:
    with running(control=False) as server:
        assert server.request("GET", "/_world/executed").status == 404


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("example.test", False)],
)
def test_only_loopback_addresses_get_the_hook(host: str, expected: bool) -> None:
    assert expected == is_loopback(host)


def test_an_address_that_is_not_loopback_has_no_hook() -> None:
    app = make_app(ServeOptions(host="0.0.0.0"))
    gate: Any = app.routes[0].endpoint  # type: ignore[attr-defined]
    assert gate._control is None


def test_a_large_list_comes_in_pieces(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw:
        head = "POST /api/orders/cancellations HTTP/1.1\r\nHost: x\r\nContent-Type: text/json\r\n"
        raw.sendall((head + "Transfer-Encoding: chunked\r\n\r\n1\r\n[\r\n").encode())
        raw.sendall(b"1\r\n]\r\n0\r\n\r\n")
        assert raw.recv(4096).startswith(b"HTTP/1.1 200 OK")


def test_a_peer_that_leaves_in_the_middle_costs_nothing(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw:
        raw.sendall(b"POST /AP/Ping HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{")
    assert server.request("GET", "/AP/Ping").status == 200


def test_the_bundled_world_has_its_desks() -> None:
    world = load_world()
    assert len(world.users) == 41
    maker = world.users["maker12"]
    assert (
        maker.user_id, maker.accounts, maker.default_account, maker.api_secret,
    ) == (212, (212, 412), 212, "maker12-secret")  # fmt: skip
    assert "password" not in repr(maker)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("oms = ", "not TOML"),
        ("colour = 1", "colour: unknown key"),
        ("oms = 1", "oms: expected a table, found 1"),
        ("oms.1 = 1", "oms.1: expected a table"),
        ("oms.one = {}", "oms.one: expected a number as key"),
        ("oms.1.cancel_supported = 1", "oms.1.cancel_supported: expected true or false, found 1"),
        ("session_lifetime_s = 0", "session_lifetime_s: expected a positive number of seconds"),
        ("accounts.1.oms = 1", "accounts.1.oms: expected a system that the section oms declares"),
        ("oms.1 = {}\naccounts.1 = { oms = 1, on_cancel = 'x' }", "accounts.1.on_cancel: expected one of succeed"),
        ("oms.1 = {}\ninstruments.1 = { base = 'A', quote = 'B', oms = [2] }", "instruments.1.oms: expected systems"),
        ("oms.1 = {}\ninstruments.1 = { base = '', quote = 'B', oms = [1] }", "instruments.1.base: expected a text"),
        (SMALL + "users.a = { user_id = '1', accounts = [1] }", "users.a.user_id: expected an integer, found '1'"),
        (SMALL + "users.a = { user_id = 1, accounts = [] }", "users.a.accounts: expected at least one account"),
        (SMALL + "users.a = { user_id = 1, accounts = ['1'] }", "users.a.accounts: expected a list of integers"),
        (SMALL + "users.a = { user_id = 1, accounts = [2] }", "users.a.accounts: expected accounts that"),
        (SMALL + "users.a = { user_id = 1, accounts = [1], default_account = 2 }", "users.a.default_account"),
        (SMALL + "users.a = { user_id = 1, accounts = [1], permissions = ['x'] }", "users.a.permissions"),
        (
            SMALL + "users.a = { user_id = 1, accounts = [1] }\nusers.b = { user_id = 1, accounts = [1] }",
            "users.b.user_id",
        ),
        ("tpp.persons = 1", "tpp.persons: expected a list of integers"),
        ("tpp = { persons = [], orders = [1] }", "tpp.orders: expected an array of tables"),
        ("tpp = { persons = [], orders = [{}] }", "tpp.orders[0].order_id: expected either order_id or uid"),
        ("tpp = { persons = [], orders = [{ uid = 'x' }] }", "tpp.orders[0].uid: expected a GUID, found 'x'"),
    ],
)
def test_a_world_that_cannot_be_used_names_file_and_key(text: str, says: str) -> None:
    with pytest.raises(WorldError) as caught:
        parse_world(text, "my.toml")
    assert str(caught.value).startswith("my.toml: ")
    assert says in str(caught.value)
    assert caught.value.hint
