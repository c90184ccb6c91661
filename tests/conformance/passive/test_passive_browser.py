"""A HAR that real headless Chromium has saved, of a page that calls the mock over HTTP and WebSocket, is judged right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from conformance.contract.load import load_contract
from conformance.passive.session import Recording, judge_files
from reference_impl.serve import ServeOptions

from .passive_support import served

PAGE = """async () => {
  const send = (path, body, headers) => fetch(path, {
    method: "POST", body: JSON.stringify(body), headers: {"Content-Type": "application/json", ...headers}});
  const basic = {Authorization: "Basic " + btoa("trader04:trader04-password")};
  const session = await (await send("/AP/Authenticate", {}, basic)).json();
  const token = {aptoken: Object.entries(session).find(([name]) => /token/i.test(name))[1]};
  const place = {OMSId: 1, AccountId: 104};
  const order = {...place, InstrumentId: 1, Side: 0, Quantity: 1, OrderType: 2, LimitPrice: 1, TimeInForce: 1};
  const made = await (await send("/AP/SendOrder", order, token)).json();
  await (await send("/AP/CancelOrder", {...place, OrderId: made.OrderId}, token)).text();
  await (await send("/AP/CancelAllOrders", {AccountId: 104}, token)).text();
  await (await send("/api/orders/cancellations", [{OrderID: 12345, CreatorID: 98765, PIN: "1234",
    IsInternationalOrder: false, InternationalOrderUID: null}], {Accept: "application/xml"})).text();
  const socket = new WebSocket(`ws://${location.host}/WSGateway/`);
  await new Promise(done => socket.onopen = done);
  const call = (i, n, o) => new Promise(done => {
    socket.onmessage = done; socket.send(JSON.stringify({m: 0, i, n, o: JSON.stringify(o)}));});
  await call(2, "AuthenticateUser", {UserName: "trader04", Password: "trader04-password"});
  await call(4, "CancelAllOrders", place);
  socket.close();
}"""


def saved(browser: Any, path: Path, options: ServeOptions) -> Recording:
    """The page against a mock, what the browser saved of it, and what is judged of that.

    The frames of the socket come from the browser's own events, as its developer tools write them into `_webSocketMessages`.
    """
    frames: list[dict[str, Any]] = []
    with served(options) as host:
        context = browser.new_context(record_har_path=path)
        page = context.new_page()
        events = context.new_cdp_session(page)
        events.send("Network.enable")
        for kind, name in (("send", "webSocketFrameSent"), ("receive", "webSocketFrameReceived")):
            events.on(f"Network.{name}", lambda event, kind=kind: frames.append(framed(kind, event)))
        page.goto(f"http://{host}/")
        page.evaluate(PAGE)
        context.close()
    har = json.loads(path.read_text(encoding="utf-8"))
    entries = har["log"]["entries"]
    if not any(one.get("_webSocketMessages") for one in entries):
        url = f"ws://{host}/WSGateway/"
        entries.append(
            {"request": {"method": "GET", "url": url, "headers": []}, "response": {}, "_webSocketMessages": frames}
        )
        path.write_text(json.dumps(har), encoding="utf-8")
    return judge_files(load_contract(None), [path])


def framed(kind: str, event: Any) -> dict[str, Any]:
    frame = event["response"]
    return {"type": kind, "time": event["timestamp"], "opcode": frame["opcode"], "data": frame["payloadData"]}


def test_what_chromium_saved_is_judged(browser: Any, tmp_path: Path) -> None:
    recording = saved(browser, tmp_path / "page.har", ServeOptions())
    found = [
        (one.id.rpartition("/")[2], finding.requirement)
        for one in recording.journal.results
        for finding in one.findings
    ]
    assert found == [("request", "CAO-REQ-OMSID-REQUIRED")]  # the one wrong request of the page
    assert recording.judged == 4
    assert recording.gaps == ()
    assert {(one.transport, one.operation) for one in recording.journal.results} == {
        ("http", "alphapoint.cancel_order"), ("http", "alphapoint.cancel_all_orders"),
        ("http", "tpp.create_cancellations"), ("ws", "alphapoint.cancel_all_orders"),
    }  # fmt: skip


def test_a_fault_of_the_server_is_seen_in_it(browser: Any, tmp_path: Path) -> None:
    recording = saved(browser, tmp_path / "page.har", ServeOptions(faults=("cao-ws-event",)))
    answers = [finding for one in recording.journal.results if one.role == "server" for finding in one.findings]
    assert {one.requirement for one in answers} == {"CAO-WS-M"}
