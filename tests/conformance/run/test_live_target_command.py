"""`conformance target init` and `check`: a file to start from, and what is still missing, found out without touching an order."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from live_support import ENVIRONMENT, command, live, pointed, sample

from conformance.cli.main import main


def _check(folder: Path, text: str, *arguments: str, **options: object) -> tuple[int, str]:
    (folder / "target.toml").write_text(text, "utf-8")
    came = command(folder, "target", "check", str(folder / "target.toml"), *arguments, **options)  # type: ignore[arg-type]
    return came.exit_code, came.output


@pytest.mark.parametrize("service", ["alphapoint", "tpp"])
def test_init_writes_a_commented_file_and_never_over_another(tmp_path: Path, service: str) -> None:
    path = tmp_path / "mine.toml"
    assert command(tmp_path, "target", "init", "--service", service, str(path)).exit_code == 0
    assert path.read_text("utf-8") == sample(service)
    assert tomllib.loads(path.read_text("utf-8"))["services"].keys() == {service}
    again = command(tmp_path, "target", "init", str(path))
    assert again.exit_code == 2
    assert path.read_text("utf-8") == sample(service)


def test_init_without_a_file_prints_it(tmp_path: Path) -> None:
    assert command(tmp_path, "target", "init", "--service", "tpp").output == sample("tpp")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "which service is it for?"), (("mine.toml",), "Give --service with one of alphapoint, tpp."),
        (("tpp",), "conformance target init --service tpp tpp.toml"), (("--service", "tp", "mine.toml"), "Did you mean tpp?"),
    ],
)  # fmt: skip
def test_init_never_guesses_a_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    came = command(tmp_path, "target", "init", *arguments)
    assert came.exit_code == 2
    assert said in came.output
    assert list(tmp_path.iterdir()) == []


def test_schema_prints_json(tmp_path: Path) -> None:
    assert json.loads(command(tmp_path, "target", "schema").output)["title"] == "TargetFile"


@pytest.mark.parametrize("service", ["alphapoint", "tpp"])
def test_check_of_a_complete_file_is_exit_0_and_touches_no_order(tmp_path: Path, service: str) -> None:
    asked: list[str] = []

    class Tap:
        def __init__(self, app: object) -> None:
            self.app = app

        async def __call__(self, scope: dict[str, str], receive: object, send: object) -> None:
            asked.append(scope["path"])
            await self.app(scope, receive, send)  # type: ignore[operator]

    with live(wrap=Tap) as server:
        code, output = _check(tmp_path, pointed(sample(service), server.url), "-v")
    assert code == 0, output
    assert "nothing is missing" in output
    reading = {"/AP/GetUserAccounts", "/AP/GetOpenOrders", "/AP/GetOrderStatus"}
    assert set(asked) <= {"/AP/Authenticate", "/WSGateway/", "/WSGateway", "/", *reading}


@pytest.mark.parametrize(("least", "code", "word"), [("0.9", 4, "missing"), ("0.1", 0, "ok")])
def test_check_says_how_much_of_a_run_the_scope_forbids(tmp_path: Path, least: str, code: int, word: str) -> None:
    with live() as server:
        text = pointed(sample("tpp"), server.url, everything=False)
        text = text.replace("[limits]\n", f"[limits]\nmin_carried_out = {least}\n")
        came, output = _check(tmp_path, text)
        assert came == code, output
        found = re.search(rf"{word} +services.tpp: \[scope\] +([\d,]+) of ([\d,]+) named cases .* about (\d+)%", output)
        assert found, output
        outside, named, share = (int(number.replace(",", "")) for number in found.groups())
        assert 0 < outside < named
        assert 0 < share < 100
        report, target = tmp_path / "report", str(tmp_path / "target.toml")
        chosen = ("--case", "tpp/negotiation/*", "--case", "tpp/fields/*")
        command(tmp_path, "run", "--quiet", "--target", target, "--report", str(report), *chosen)
    results = json.loads((report / "results.json").read_bytes())
    refused = {case["id"] for case in results["cases"] if "outside" in case.get("reason", "")}
    assert results["summary"]["carried_out"]["not"] == {"scope": len(refused)}


def test_check_lists_what_full_coverage_lacks(tmp_path: Path) -> None:
    with live() as server:
        text = pointed(sample("alphapoint"), server.url, everything=False)
        text = re.sub(r"\[services\.alphapoint\.roles\.none\][^\n]*\n(?:[a-z][^\n]*\n)+", "", text)
        text = text.replace("instrument2 = 32\n", "").replace('provider = "calls"', 'provider = "none"')
        text = text[: text.index("[services.alphapoint.errors.any.106]")]
        code, output = _check(tmp_path, text)
    assert code == 4
    for missing in ("services.alphapoint.roles.none", "services.alphapoint.bindings.instrument2",
                    "services.alphapoint.states: open-order", "services.alphapoint.errors: 106 of alphapoint.cancel_quote"):  # fmt: skip
        assert re.search(rf"missing +{re.escape(missing)} ", output), output


def test_check_says_which_role_cannot_sign_in(tmp_path: Path) -> None:
    env = {**ENVIRONMENT, "STAGING_MAKER_2_PASSWORD": "wr0ng-Zq8"}
    with live() as server:
        code, output = _check(tmp_path, pointed(sample("alphapoint"), server.url), env=env)
    assert code == 4
    assert "marketmaker#1 signs in over HTTP" in output
    assert "marketmaker#1 signs in over WebSocket" in output
    assert "refused its credentials" in output
    assert "wr0ng" not in output


def test_check_of_a_host_that_is_not_there_is_exit_3(tmp_path: Path) -> None:
    code, output = _check(tmp_path, pointed(sample("tpp"), "http://127.0.0.1:9"))
    assert code == 3
    assert "services.tpp: no connection to http://127.0.0.1:9" in output


def test_check_of_a_file_that_cannot_be_used_is_exit_2(tmp_path: Path) -> None:
    code, output = _check(tmp_path, "name = 1")
    assert code == 2
    assert "target.toml" in output


def test_states_that_a_run_makes_itself_are_not_missing_beside_a_pool(tmp_path: Path) -> None:
    with live() as server:
        text = pointed(sample("tpp"), server.url)
        pool = '[services.tpp.states]\nprovider = "pool"\npool = { open-order = [{ OrderID = 1 }] }\n'
        text = text[: text.index("[services.tpp.states]")] + pool
        _, output = _check(tmp_path, text, "--json")
        arguments = ["plan", "--target", str(tmp_path / "target.toml"), "--case", "tpp/forms/external-*@*"]
        planned = CliRunner().invoke(main, arguments, env=dict(ENVIRONMENT), catch_exceptions=False)
    found = {one["what"].rpartition(": ")[2]: one["result"] for one in json.loads(output)["checks"]}
    assert (found["open-order"], found["canary-address"], found["canary-file"]) == ("missing", "ok", "ok")
    assert "canary-address, for" in planned.stdout
    assert "state.canary" not in planned.stdout, planned.stdout


def test_check_counts_the_ids_of_a_pool(tmp_path: Path) -> None:
    with live() as server:
        text = pointed(sample("tpp"), server.url)
        pool = '[services.tpp.states]\nprovider = "pool"\npool = { open-order = [{ OrderID = 1 }] }\n'
        code, output = _check(tmp_path, text[: text.index("[services.tpp.states]")] + pool)
    assert code == 4
    assert "the pool holds 1 of " in output


def test_check_as_json(tmp_path: Path) -> None:
    with live() as server:
        code, output = _check(tmp_path, pointed(sample("tpp"), server.url), "--json")
    found = json.loads(output)
    assert code == 0
    assert found["unreachable"] is None
    assert {item["result"] for item in found["checks"]} == {"ok"}


class _Failing:
    """A gateway on which one system answers every reading call with a server error."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not scope["path"].lower().endswith("/getuseraccounts"):
            await self.app(scope, receive, send)
            return
        message = await receive()
        if b'"OMSId":8' not in message["body"].replace(b" ", b""):

            async def again() -> Any:
                return message

            await self.app(scope, again, send)
            return
        body = b'{"result":false,"errormsg":"Server Error","errorcode":102,"detail":null}'
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ("other_oms = 8 ", "other_oms = 6 ", "services.alphapoint.bindings.other_oms = 6"),
        ("unknown_oms = 987654 ", "unknown_oms = 7 ", "services.alphapoint.bindings.unknown_oms = 7"),
        ("instrument = 31", "instrument = 31", "services.alphapoint.bindings.other_oms = 8"),
    ],
)
def test_check_notices_a_binding_that_empties_a_check(tmp_path: Path, old: str, new: str, wrong: str) -> None:
    with live(wrap=_Failing) as server:
        text = pointed(sample("alphapoint"), server.url, everything=True)
        assert old in text
        code, output = _check(tmp_path, text.replace(old, new))
    assert code == 4
    assert re.search(rf"wrong +{re.escape(wrong)} ", output), output


class _OneForAll:
    """A gateway that shows a user all accounts, whatever system is named."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def on_seven() -> Any:
            message = await receive()
            if "body" in message:
                message["body"] = message["body"].replace(b"987654", b"     7").replace(b": 8}", b": 7}")
            return message

        named = scope["type"] == "http" and scope["path"].lower().endswith("/getuseraccounts")
        await self.app(scope, on_seven if named else receive, send)


def test_check_takes_an_unknown_id_that_a_call_does_not_look_at_for_what_it_is(tmp_path: Path) -> None:
    with live(wrap=_OneForAll) as server:
        code, output = _check(tmp_path, pointed(sample("alphapoint"), server.url, everything=True))
    assert not re.search(r"^ *wrong ", output, re.MULTILINE), output
    assert "GetUserAccounts answers for it as for oms: it does not look at it" in output
    with live() as server:
        plain, _ = _check(tmp_path, pointed(sample("alphapoint"), server.url, everything=True))
    assert code == plain


def test_a_run_says_first_which_binding_is_missing_and_how_many_cases_hang_on_it(tmp_path: Path) -> None:
    with live() as server:
        text = pointed(sample("alphapoint"), server.url).replace("other_oms = 8 ", "# other_oms = 8 ")
        file = tmp_path / "short.toml"
        file.write_text(text, "utf-8")
        arguments = ["run", "--target", str(file), "--report", str(tmp_path / "out"), "--generated", "0"]
        arguments += ["--case", "cao/effects/*@http"]
        done = CliRunner().invoke(main, arguments, env=dict(ENVIRONMENT), catch_exceptions=False)
        planned = CliRunner().invoke(
            main, ["plan", *arguments[1:3], *arguments[5:]], env=dict(ENVIRONMENT), catch_exceptions=False
        )
    for text in (done.stderr, planned.stdout):
        assert re.search(r"^services\.alphapoint: [\d,]+ named and 0 generated cases need$", text, re.MULTILINE)
        assert re.search(r"^  binding\.other_oms: missing; 1 case hangs on it$", text, re.MULTILINE), text
        assert re.search(r"^  \d+ × open-order, for \d+ cases$", text, re.MULTILINE), text
