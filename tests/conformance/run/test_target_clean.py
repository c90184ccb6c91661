"""`conformance target clean`: what a killed run left open is taken back, and nothing else is touched."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from live_support import ENVIRONMENT, Came, Live, command, live, pointed, sample

from conformance.report.journal import hold

PROGRAM = str(Path(sys.executable).with_name("conformance"))
FOREIGN_ACCOUNT = 4000
"""The operator's own, which the sample's scope does not name."""
SECRET = ENVIRONMENT["STAGING_TRADER_1_PASSWORD"]


THINGS = {"SendOrder": "order", "CreateQuote": "quote"}


class Holding:
    """The reference, which carries out set-up calls and can keep their answers back; cancellations never end there."""

    def __init__(self, app: Any) -> None:
        self.app, self.holds, self.held = app, False, 0
        self.seen: Counter[str] = Counter()
        self.folder: Path | None = None
        self.unwritten: list[str] = []
        """Set-up calls that came before their line was in the journal."""
        self.first_alone = False
        """Whether only the first cancellation is held, and no answer to a set-up."""
        self.removes: Path | None = None
        """What is removed as the tenth order is sent for."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        call = scope.get("path", "").rpartition("/")[2]
        self.seen[call] += 1
        if self.folder is not None and call in THINGS:
            told = [line["what"]["thing"] for line in lines_of(self.folder) if line["type"] == "set-up"]
            self.unwritten += [call] if told.count(THINGS[call]) < self.seen[call] else []
        if self.removes is not None and self.seen["SendOrder"] == 10 and self.removes.exists():
            shutil.rmtree(self.removes)
        if self.first_alone:
            self.held += call.startswith("Cancel")
            await asyncio.sleep(60 if call.startswith("Cancel") and self.held == 1 else 0)
            await self.app(scope, receive, send)
        elif self.holds and call.startswith("Cancel"):
            await asyncio.sleep(60)
        elif self.holds and call == "SendOrder" and self.seen[call] > 1:
            await self.app(scope, receive, self._nowhere)
            self.held += 1
            await asyncio.sleep(60)
        else:
            await self.app(scope, receive, send)

    async def _nowhere(self, _message: Any) -> None:
        return


def book_of(server: Live) -> Any:
    return server.app.app.routes[0].endpoint._parts.alphapoint.book


def still_open(server: Live) -> dict[int, int]:
    """Every open order, and leg of a quote, with its account."""
    orders = book_of(server)._orders.values()
    return {one.order_id: one.account_id for one in orders if one.state == "Working"}


def lines_of(folder: Path) -> list[dict[str, Any]]:
    """The whole lines of a journal."""
    path = folder / "journal.jsonl"
    text = path.read_bytes() if path.exists() else b""
    return [json.loads(line) for line in text.split(b"\n")[:-1]]


def quotes_under_way(folder: Path) -> int:
    """Quotes that were asked for and have no id yet: nobody could find them again."""
    lines = lines_of(folder)
    return (
        sum(line["type"] == "set-up" and line["what"]["thing"] == "quote" for line in lines)
        - things_made(folder)["quote"]
    )


def things_made(folder: Path) -> Counter[str]:
    lines = lines_of(folder)
    things = {line["key"]: line["what"]["thing"] for line in lines if line["type"] == "set-up"}
    return Counter(things[line["key"]] for line in lines if line["type"] == "made")


@pytest.fixture
def server() -> Iterator[Live]:
    with live(wrap=Holding) as one:
        yield one


def target_file(folder: Path, server: Live, text: str = "") -> Path:
    path = folder / "staging.toml"
    path.write_text(text or pointed(sample("alphapoint"), server.url, everything=False), "utf-8")
    return path


def clean(folder: Path, *words: str) -> tuple[Came, Mapping[str, Any]]:
    came = command(folder, "target", "clean", "--report", str(folder / "out"), "--json", *words)
    return came, json.loads(came.output) if came.output.startswith("{") else {}


def test_what_a_killed_run_left_open_is_taken_back_and_nothing_else(tmp_path: Path, server: Live) -> None:
    book = book_of(server)
    strangers = {book.place(7, account, 31, "Buy", 1, 1, number).order_id: account
                 for account, number in ((FOREIGN_ACCOUNT, 0), (4101, 0), (4201, 4711))}  # fmt: skip
    before = still_open(server)
    assert strangers.items() <= before.items()
    server.app.holds, server.app.folder = True, tmp_path / "out"
    words = ["run", "--target", str(target_file(tmp_path, server)), "--report", "out", "--generated", "0", "--quiet",
             "--case", "cq/effects/both-legs@http", "--case", "co/effects/only-the-named@http"]  # fmt: skip
    with subprocess.Popen([PROGRAM, *words], cwd=tmp_path, env={**os.environ, **ENVIRONMENT}) as process:
        until = time.monotonic() + 40
        out = tmp_path / "out"
        while not (server.app.held and things_made(out).keys() >= {"order", "quote"} and not quotes_under_way(out)):
            assert process.poll() is None
            assert time.monotonic() < until, (server.app.seen, things_made(out))
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    journal = tmp_path / "out" / "journal.jsonl"
    journal.write_bytes(journal.read_bytes() + b'{"type":"set-up","key":"cut')
    server.app.holds = False
    assert server.app.unwritten == []
    ours = still_open(server).keys() - before.keys()
    assert len(ours) >= 4
    assert any(line["type"] == "set-up" for line in lines_of(tmp_path / "out"))

    came, told = clean(tmp_path)
    assert came.exit_code == 0, came.output
    assert still_open(server) == before
    assert told["summary"]["taken back"] >= 3
    assert told["summary"]["still open"] == told["summary"]["not known"] == 0
    assert SECRET not in came.output + journal.read_text("utf-8")

    sent = dict(server.app.seen)
    again, told = clean(tmp_path)
    assert (again.exit_code, told["found"]) == (0, [])
    assert server.app.seen == sent
    assert command(tmp_path, "report", "render", str(tmp_path / "out"), "--format", "md", "--quiet").exit_code == 0


def journal_of(folder: Path, target: Path, server: Live, *lines: Any, file: str | None = None) -> None:
    """A journal that was cut off, as a run against this target writes it; a text stands as it is."""
    header = {
        "type": "header", "schema_version": 1,
        "run": {"id": "0f" * 16, "tool_version": "0", "specs_digest": "0", "seed": 0, "started_at": "",
                "target": {"name": "t", "file": file or str(target), "services": {"alphapoint": {
                    "http": server.url, "websocket": f"{server.url.replace('http', 'ws', 1)}/WSGateway/"}}}},
        "selection": {}, "accepted_gaps": [], "pinned": {}, "shard": "", "planned": 0,
    }  # fmt: skip
    out = folder / "out"
    out.mkdir(exist_ok=True)
    texts = [line if isinstance(line, str) else json.dumps(line, separators=(",", ":")) for line in (header, *lines)]
    (out / "journal.jsonl").write_text("\n".join([*texts, ""]), "utf-8")


def set_up(key: str, account: Any = 4101, client: Any = None, thing: str = "order", **more: Any) -> dict[str, Any]:
    what = {"thing": thing, "oms": 7, "account": account, "instrument": 31, "client": client}
    line = {"type": "set-up", "key": key, "service": "alphapoint", "desk": 0, "role": "trading", "state": "open-order"}
    return {**line, "what": what, **more}


def made(key: str, *ids: Any) -> dict[str, Any]:
    return {"type": "made", "key": key, "ids": list(ids)}


def fates(told: Mapping[str, Any]) -> dict[str, str]:
    return {one["key"]: one["fate"] for one in told["found"]}


def test_only_what_stands_as_the_run_asked_for_it_is_taken_back(tmp_path: Path, server: Live) -> None:
    book, target = book_of(server), target_file(tmp_path, server)

    def order(account: int, number: int = 0, instrument: int = 31) -> int:
        return int(book.place(7, account, instrument, "Buy", 1, 1, number).order_id)

    def quote(account: int, instrument: int = 31) -> list[int]:
        legs = book.place_quote(7, account, instrument, (1, 1), (1, 2))
        return [leg.order_id for leg in legs]

    hidden, newest = quote(4201), quote(4201)
    ours = {
        "id-and-number": order(4101, 501), "number-alone": order(4101, 502), "id-was-a-lie": order(4101, 503),
        "no-number": order(4102),
    }  # fmt: skip
    strangers = {
        "other-number": order(4101, 601), "no-number-there": order(4101), "number-in-another-account": order(4501, 604),
        "other-instrument": order(4102, 606, 32), "not-in-scope": order(FOREIGN_ACCOUNT, 607), "not-the-role's": order(4501, 608),
        "unknown-role": order(4101, 609), "unknown-service": order(4101, 610),
    }  # fmt: skip
    maker = {"role": "marketmaker"}
    journal_of(
        tmp_path, target, server,
        set_up("id-and-number", client=501), made("id-and-number", ours["id-and-number"]),
        set_up("number-alone", client=502),
        set_up("id-was-a-lie", client=503), made("id-was-a-lie", strangers["other-number"]),
        set_up("no-number", 4102), made("no-number", ours["no-number"]),
        set_up("hidden", 4201, None, "quote", **maker), made("hidden", *hidden),
        set_up("newest", 4201, None, "quote", **maker), made("newest", *newest),
        set_up("gone", client=701), made("gone", 1),
        set_up("never-made", client=702),
        set_up("was-over", client=609), {"type": "over", "keys": ["was-over"]},
        set_up("other-number", client=602), made("other-number", strangers["other-number"]),
        set_up("no-number-there", client=603), made("no-number-there", strangers["no-number-there"]),
        set_up("number-in-another-account", client=604),
        set_up("other-instrument", 4102, 606), made("other-instrument", strangers["other-instrument"]),
        set_up("not-in-scope", FOREIGN_ACCOUNT, 607, role="operator"), made("not-in-scope", strangers["not-in-scope"]),
        set_up("not-the-role's", 4501, 608), made("not-the-role's", strangers["not-the-role's"]),
        set_up("unknown-role", client=609, role="nobody"), made("unknown-role", strangers["unknown-role"]),
        set_up("unknown-service", client=610, service="tpp"), made("unknown-service", strangers["unknown-service"]),
        set_up("no-place", account=None), made("no-place", ours["no-number"]),
        set_up("odd-desk", desk=9), set_up("odd-account", account="4101", client=501),
        '{"type":"set-up","key":"cut',
    )  # fmt: skip
    before = still_open(server)
    came, told = clean(tmp_path)
    assert came.exit_code == 4, came.output
    assert still_open(server) == {
        number: account for number, account in before.items() if number not in {*ours.values(), *hidden, *newest}
    }
    assert set(strangers.values()) <= still_open(server).keys()
    good = {**dict.fromkeys(("id-and-number", "number-alone", "id-was-a-lie", "no-number", "hidden", "newest"), "taken back"),
            **dict.fromkeys(("gone", "never-made", "number-in-another-account"), "not open")}  # fmt: skip
    named = fates(told)
    assert {key: fate for key, fate in named.items() if fate in ("taken back", "not open")} == good
    assert "was-over" not in named
    assert named["not-in-scope"] == "still open"
    assert set(named) - set(good) == {
        "other-number", "no-number-there", "other-instrument", "not-in-scope", "not-the-role's", "unknown-role",
        "unknown-service", "no-place", "odd-desk", "odd-account",
    }  # fmt: skip
    assert told["broken_lines"] == 1
    words = {one["key"]: one["what"] for one in told["found"]}
    assert "outside scope" in words["not-in-scope"]
    assert "left alone" in words["other-number"]

    came, told = clean(tmp_path)
    assert came.exit_code == 4
    assert not set(fates(told)) & set(good)


def test_what_nobody_can_tell_is_said_and_left_alone(tmp_path: Path, server: Live) -> None:
    book, target = book_of(server), target_file(tmp_path, server)
    plain = book.place(7, 4101, 31, "Buy", 1, 1, 0).order_id
    legs = [leg.order_id for leg in book.place_quote(7, 4201, 31, (1, 1), (1, 2))]
    journal_of(
        tmp_path, target, server,
        set_up("an order without a number"), set_up("none there", 4102),
        set_up("a quote", 4201, None, "quote", role="marketmaker"),
        set_up("no quote there", 4202, None, "quote", role="marketmaker"),
    )  # fmt: skip
    came, told = clean(tmp_path)
    assert came.exit_code == 4
    assert fates(told) == {"an order without a number": "not known", "none there": "not open", "a quote": "not known",
                           "no quote there": "not open"}  # fmt: skip
    assert set(still_open(server)) == {plain, *legs}
    said = command(tmp_path, "target", "clean", "--report", str(tmp_path / "out"))
    assert said.exit_code == 4
    assert f"GetOpenQuotes shows {legs[0]} and {legs[1]}, and does not tell whose they are" in said.output
    assert "2 things that the run may have left: 2 not known" in said.output


def test_a_journal_that_cannot_be_used_touches_nothing(tmp_path: Path, server: Live) -> None:
    book, target = book_of(server), target_file(tmp_path, server)
    one = book.place(7, 4101, 31, "Buy", 1, 1, 501).order_id
    line = set_up("k", client=501)
    before = sum(server.app.seen.values())

    def said(*words: str) -> tuple[int, str]:
        came = command(tmp_path, "target", "clean", "--report", str(tmp_path / "out"), *words)
        return came.exit_code, came.output

    assert said() == (2, said()[1])
    assert "cannot be read" in said()[1]
    (tmp_path / "out").mkdir()
    for text in ("", "not JSON\n", '{"type":"case"}\n', json.dumps(line) + "\n", "[]\n"):
        (tmp_path / "out" / "journal.jsonl").write_text(text, "utf-8")
        assert said()[0] == 2, text
    journal_of(tmp_path, target, server, line)
    elsewhere = target_file(tmp_path, server).with_name("elsewhere.toml")
    elsewhere.write_text(target.read_text("utf-8").replace(f":{server.port}", ":9"), "utf-8")
    code, words = said("--target", str(elsewhere))
    assert (code, "has other addresses than in the run" in words) == (2, True)
    with hold(tmp_path / "out" / "journal.jsonl"):
        code, words = said()
    assert (code, "a run is writing it" in words) == (2, True)
    journal_of(tmp_path, target, server, line, file="/no/such.toml")
    assert said()[0] == 2
    journal_of(tmp_path, target, server, line, file="reference+fault:cao-all-accounts")
    assert said()[0] == 4
    assert still_open(server) == {one: 4101}
    assert sum(server.app.seen.values()) == before
    code, words = said("--target", str(target))
    assert (code, still_open(server)) == (0, {}), words


def test_broken_lines_do_not_hide_the_others(tmp_path: Path, server: Live) -> None:
    book, target = book_of(server), target_file(tmp_path, server)
    one, other = (book.place(7, 4101, 31, "Buy", 1, 1, number).order_id for number in (501, 502))
    nested = "[" * 3000
    journal_of(
        tmp_path, target, server, "not JSON", nested, "7", '{"type":"set-up"}', {"type": "made", "key": "k", "ids": [other]},
        {"type": "set-up", "key": [], "what": 1}, {"type": "over", "keys": [{}]}, {"type": "over"}, '{"type":[]}',
        set_up("k", client=501), {"type": "made", "key": "k", "ids": {"a": other}}, made("k", True, None, "x", 2**70, [1]),
        made("k", other), set_up("k", client=502), set_up("of-nothing", what=[502]), set_up("neg", desk=-1),
    )  # fmt: skip
    came, told = clean(tmp_path)
    assert (came.exit_code, told["broken_lines"], fates(told)) == (4, 12, {"k": "taken back"})
    assert set(still_open(server)) == {other}
    assert one not in still_open(server)


def test_a_target_that_is_gone_is_exit_3_and_nothing_is_settled(tmp_path: Path) -> None:
    with live(wrap=Holding) as server:
        target = target_file(tmp_path, server)
    journal_of(tmp_path, target, server, set_up("k", client=501))
    for _ in range(2):
        came, told = clean(tmp_path)
        assert (came.exit_code, fates(told)) == (3, {})
        assert "no connection" in told["unreachable"]


def test_a_hook_that_cleans_is_asked_for_what_it_gave(tmp_path: Path) -> None:
    asked: list[tuple[str, Any]] = []
    states = {"1": "open", "2": "open", "3": "cancelled"}

    class Hook:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            if not scope["path"].startswith("/hook/"):
                await self.app(scope, receive, send)
                return
            body = json.loads((await receive())["body"])
            asked.append((scope["path"], body))
            if scope["path"].endswith("/clean"):
                states["1"] = "cancelled"
            orders = [{**one, "state": states.get(str(one.get("OrderID")), "unknown")} for one in body["orders"]]
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": json.dumps({"orders": orders}).encode()})

    with live(wrap=Hook) as server:
        text = pointed(sample("tpp"), server.url, everything=False).replace("/_world/tpp", "/hook")
        before, _, after = text.partition('provider = "hook"\n')
        target = target_file(tmp_path, server, f'{before}provider = "hook"\nclean = true\n{after}')
        mine = {"service": "tpp", "role": "", "what": {"count": 1}}
        journal_of(
            tmp_path, target, server, *(set_up(key, **mine) for key in ("open", "stays", "gone", "strange", "no-ids")),
            made("open", {"OrderID": 1}), made("stays", {"OrderID": 2}), made("gone", {"OrderID": 3}),
            made("strange", {"OrderID": 4}),
        )  # fmt: skip
        header = json.loads((tmp_path / "out" / "journal.jsonl").read_text("utf-8").split("\n", 1)[0])
        header["run"]["target"]["services"] = {"tpp": {"http": server.url}}
        rest = (tmp_path / "out" / "journal.jsonl").read_text("utf-8").split("\n", 1)[1]
        (tmp_path / "out" / "journal.jsonl").write_text(json.dumps(header) + "\n" + rest, "utf-8")
        came, told = clean(tmp_path)
    assert came.exit_code == 4, came.output
    assert fates(told) == {
        "open": "taken back", "stays": "still open", "gone": "not open", "strange": "not known", "no-ids": "not known",
    }  # fmt: skip
    assert [path for path, body in asked if body["orders"] == [{"OrderID": 3}]] == ["/hook/observe"]


def test_a_new_run_puts_the_journal_of_a_killed_one_aside(tmp_path: Path, server: Live) -> None:
    book, target = book_of(server), target_file(tmp_path, server)
    book.place(7, 4101, 31, "Buy", 1, 1, 501)
    journal_of(tmp_path, target, server, set_up("k", client=501))
    words = ("--target", str(target), "--report", str(tmp_path / "out"), "--generated", "0", "--quiet",
             "--case", "co/effects/sell-order@http")  # fmt: skip
    came = command(tmp_path, "run", *words)
    kept = tmp_path / "out" / "journal-of-0f0f0f0f.jsonl"
    assert "the run before was killed, and 1 thing that it set up may still be open" in came.output
    assert str(kept) in came.output
    assert "killed" not in command(tmp_path, "run", *words).output
    assert len(still_open(server)) == 1
    done = command(tmp_path, "target", "clean", "--report", str(kept), "-q")
    assert (done.exit_code, done.output) == (0, "1 thing that the run may have left: 1 taken back\n")
    assert still_open(server) == {}
    done = command(tmp_path, "target", "clean", "--report", str(tmp_path / "out"))
    assert (done.exit_code, done.output) == (0, "the journal names nothing that may still be open\n")


def test_a_hangup_takes_back_what_a_run_has_open(tmp_path: Path, server: Live) -> None:
    before = still_open(server)
    server.app.holds, server.app.first_alone = True, True
    words = ["run", "--target", str(target_file(tmp_path, server)), "--report", "out", "--generated", "0", "--quiet",
             "--case", "co/effects/only-the-named@http"]  # fmt: skip
    with subprocess.Popen(
        [PROGRAM, *words], cwd=tmp_path, env={**os.environ, **ENVIRONMENT}, stdout=subprocess.PIPE, text=True
    ) as process:
        until = time.monotonic() + 40
        while not server.app.held:
            assert process.poll() is None
            assert time.monotonic() < until, server.app.seen
            time.sleep(0.02)
        assert still_open(server).keys() - before.keys()
        process.send_signal(signal.SIGHUP)
        out, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "cut short: interrupted" in out
    assert still_open(server) == before
    assert clean(tmp_path)[1]["found"] == []


def test_a_report_folder_that_goes_away_ends_the_run_and_costs_no_result(tmp_path: Path, server: Live) -> None:
    server.app.removes = tmp_path / "out"
    came = command(tmp_path, "run", "--target", str(target_file(tmp_path, server)), "--report", str(tmp_path / "out"),
                   "--generated", "0", "--case", "co/effects/*@http")  # fmt: skip
    assert came.exit_code == 5, came.output
    assert "cut short: journal.jsonl: the journal was removed" in came.output
    assert "error: the journal was removed, or another file put in its place, while the run went on" in came.output
    assert "target stopped" not in came.output
    assert still_open(server) == {}
    results = json.loads((tmp_path / "out" / "results.json").read_text("utf-8"))
    assert "pass" in {case["verdict"] for case in results["cases"]}
    assert {case["verdict"] for case in results["cases"]} <= {"pass", "not-verified"}
    assert results["summary"]["exit_code"] == 5


class Saying:
    """The reference, but cancellations succeed in words alone."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if not scope.get("path", "").rpartition("/")[2].startswith("Cancel"):
            await self.app(scope, receive, send)
            return
        body = b'{"result": true, "errormsg": null, "errorcode": 0, "detail": null}'
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": body})


def test_a_success_that_cancelled_nothing_is_not_believed(tmp_path: Path) -> None:
    with live(wrap=lambda app: Saying(Holding(app))) as server:
        target = target_file(tmp_path, server)
        book = server.app.app.app.routes[0].endpoint._parts.alphapoint.book
        number = int(book.place(7, 4101, 31, "Buy", 1, 1, 501).order_id)
        for _ in range(2):
            journal_of(tmp_path, target, server, set_up("a", client=501), made("a", number))
            came, told = clean(tmp_path)
            assert (came.exit_code, fates(told)) == (4, {"a": "still open"}), came.output
        assert book.find(number).state == "Working"


class Settling:
    """The reference, but an order that was cancelled is listed for a moment longer."""

    def __init__(self, app: Any) -> None:
        self.app, self.extra = app, 0
        self.number = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        call = scope.get("path", "").rpartition("/")[2]
        self.extra = 2 if call.startswith("Cancel") else self.extra

        async def changed(message: Any) -> None:
            if message["type"] == "http.response.start":
                headers = [one for one in message["headers"] if one[0].lower() != b"content-length"]
                message = {**message, "headers": headers}
            elif message.get("body"):
                entry = {"OrderId": self.number, "ClientOrderId": 501}
                message = {**message, "body": json.dumps([*json.loads(message["body"]), entry]).encode()}
            await send(message)

        still = call == "GetOpenOrders" and self.extra > 0
        self.extra -= still
        await self.app(scope, receive, changed if still else send)


def test_a_cancellation_may_take_its_time(tmp_path: Path) -> None:
    with live(wrap=lambda app: Settling(Holding(app))) as server:
        target = target_file(tmp_path, server)
        book = server.app.app.app.routes[0].endpoint._parts.alphapoint.book
        server.app.number = int(book.place(7, 4101, 31, "Buy", 1, 1, 501).order_id)
        journal_of(tmp_path, target, server, set_up("a", client=501), made("a", server.app.number))
        came, told = clean(tmp_path)
        assert (came.exit_code, fates(told)) == (0, {"a": "taken back"}), came.output
        assert book.find(server.app.number).state != "Working"


@pytest.mark.parametrize("number", [0, False, 1.0, -5, "501"])
def test_a_number_that_a_run_never_gives_names_no_order(number: Any, tmp_path: Path, server: Live) -> None:
    target = target_file(tmp_path, server)
    stranger = int(book_of(server).place(7, 4101, 31, "Buy", 1, 1, 0).order_id)
    journal_of(tmp_path, target, server, set_up("a", client=number), made("a", stranger))
    came, told = clean(tmp_path)
    assert (came.exit_code, fates(told)) == (4, {"a": "not known"}), came.output
    assert stranger in still_open(server)


def test_a_relative_target_is_found_from_another_folder(
    tmp_path: Path, server: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = book_of(server)
    made_in, elsewhere = tmp_path / "made", tmp_path / "elsewhere"
    made_in.mkdir()
    elsewhere.mkdir()
    target = target_file(made_in, server)
    monkeypatch.chdir(elsewhere)
    for name in (target.name, f"../made/{target.name}"):
        book.place(7, 4101, 31, "Buy", 1, 1, 501)
        journal_of(made_in, target, server, set_up("a", client=501), file=name)
        came, told = clean(made_in)
        assert (came.exit_code, fates(told)) == (0, {"a": "taken back"}), came.output
    other = target_file(elsewhere, server)
    journal_of(made_in, target, server, set_up("a", client=501), file=target.name)
    came, _ = clean(made_in)
    assert (came.exit_code, "may each be the target file" in came.output) == (2, True)
    assert clean(made_in, "--target", str(other))[0].exit_code == 0


def test_a_number_of_any_length_is_shown_in_part(tmp_path: Path, server: Live) -> None:
    target, long = target_file(tmp_path, server), 10**4000
    journal_of(
        tmp_path, target, server, set_up("a", client=501), made("a", long, long), set_up("b", long, long),
        set_up("c" * 4000, account=None), set_up("d", role="r" * 4000), set_up("e", state="s" * 4000, thing="t" * 4000),
    )  # fmt: skip
    came, told = clean(tmp_path)
    assert came.exit_code == 4
    assert max(len(one["what"]) for one in told["found"]) < 700
