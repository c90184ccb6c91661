"""The web page of a store, served by the command and looked at in a real browser, with and without JavaScript."""

from __future__ import annotations

import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from history_support import cause, document, keep_many, look_at_many, record, write

from conformance.history.add import add
from conformance.history.record import read_record, record_of
from conformance.history.store import open_store
from conformance.history.web.charts import matrix_row

SCRIPT = "</td></script><script>window.hurt = 1</script><img src=http://127.0.0.1:9/x onerror='window.hurt = 2'>\u202e{{ 7 * 7 }}"
TOKEN = "0123456789abcdef"


def serving(url: str, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "conformance", "history", "serve", "--store", url, *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def address_of(server: subprocess.Popen[str]) -> str:
    assert server.stdout is not None
    line = server.stdout.readline()
    assert line.startswith("listening on http://"), server.stderr and server.stderr.read()
    return line.split()[-1]


def asked(url: str, data: bytes | None = None, **headers: str) -> tuple[int, str, Any]:
    request = urllib.request.Request(url, data, {name.replace("_", "-"): value for name, value in headers.items()})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read().decode(), answer.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(), error.headers


@pytest.fixture(scope="module")
def store_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("store")
    url = f"sqlite:///{folder}/h.db"
    with open_store(url, create=True) as store:
        add(store, record(0), release="1.0")
        broken = write(
            folder / "r", document(1, {"R-1": "fail", "R-2": "not-verified"}, causes=[cause()], readings={"q": ["a"]})
        )
        (broken / "report.html").write_text("<h1>The report</h1><script>document.title = 'ran'</script>", "utf-8")
        add(store, read_record(broken), release="1.1")
        bad = document(
            0,
            {SCRIPT: "fail"},
            endpoint=SCRIPT,
            run_id="hostile",
            causes=[cause(message=SCRIPT, id=SCRIPT, only_when={SCRIPT: SCRIPT})],
        )
        add(store, record_of(bad, "x"), release=SCRIPT)
    return url


@pytest.fixture(scope="module")
def address(store_url: str) -> Iterator[str]:
    server = serving(store_url)
    try:
        yield address_of(server)
    finally:
        server.terminate()
        said = server.communicate(timeout=60)
        assert (said[1], server.returncode) == ("", 0)


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without"])
def test_from_endpoints_to_cause_by_clicks(browser: Any, address: str, script: bool) -> None:
    context = browser.new_context(java_script_enabled=script)
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(address)
    assert page.locator("tbody tr").count() == 2
    page.fill("input[name=q] >> nth=1", "acm")
    if script:
        assert page.locator("tbody tr:visible").count() == 1
    page.click("text=Show")
    assert page.locator("tbody tr").count() == 1
    page.click("text=acme")
    assert page.locator("svg").count() == 4
    assert "R-1/check/at" in page.inner_text("main")
    page.click("text=Requirements by release")
    assert page.locator("tr:has-text('R-1') td").all_inner_texts() == ["·", "F"]
    page.click("text=R-1")
    assert "1.0" in page.inner_text("main")
    page.click("text=1.1 >> nth=0")
    assert "requirement R-1" not in page.title()
    assert page.locator(".cause pre").all_inner_texts() == ["1", "2"]
    page.click("button:has-text('Compare')")
    assert "worse: requirement" in page.inner_text("main")
    page.fill("input[type=search]", "r-2")
    page.click("button:has-text('Search')")
    page.click("text=R-2")
    assert "Never" in page.inner_text("main")
    page.click("text=Due")
    assert "acme" in page.inner_text("main")
    context.close()


PAGES = {
    "/": {}, "/endpoint": {"name": SCRIPT}, "/requirements": {"endpoint": SCRIPT}, "/run": {"id": "hostile"},
    "/cause": {"id": SCRIPT}, "/compare": {"old": "acme", "new": "hostile"}, "/due": {"days": "0"}, "/search": {"q": "script"},
}  # fmt: skip


def test_hostile_texts_stay_texts_and_anybody_can_read_pages(browser: Any, address: str) -> None:
    from conformance.report.safe_text import visible

    page = browser.new_page()
    page.set_default_timeout(60_000)
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    for path, values in PAGES.items():
        query = urllib.parse.urlencode({key: visible(value) for key, value in values.items()})
        answer = page.goto(f"{address}{path}?{query}")
        assert answer.status == 200, path
        assert page.evaluate("window.hurt") is None
        assert "window.hurt = 1" in page.content() or path == "/compare"
        assert page.locator("main img, main script").count() == 0
        found = Axe().run(page)
        assert [one["id"] for one in found.response["violations"] if one["impact"] in ("serious", "critical")] == [], (
            path
        )
    assert {urllib.parse.urlsplit(one).netloc for one in fetched} == {urllib.parse.urlsplit(address).netloc}
    page.close()


def test_report_of_run_runs_as_page_of_nobody(browser: Any, address: str) -> None:
    page = browser.new_page()
    page.goto(f"{address}/report?run=acme")
    assert page.inner_text("h1") == "The report"
    assert page.evaluate("origin") == "null"
    page.close()


def test_what_is_not_there_is_told(address: str) -> None:
    for path in (
        "/run?id=none",
        "/endpoint?name=none",
        "/cause?id=none",
        "/report?run=hostile",
        "/requirements",
        "/compare",
    ):
        status, text, _ = asked(address + path)
        assert status == 404, path
        assert "Traceback" not in text
    assert asked(f"{address}/due?days=99999999999999999999")[0] == 200
    assert asked(f"{address}/nowhere")[0] == 404
    assert asked(f"{address}/static/../app.py")[0] == 404


def test_page_is_read_only_and_only_for_loopback_names(address: str) -> None:
    assert asked(address, b"x")[0] == 405
    assert asked(address, Host="evil.example")[0] == 421
    headers = asked(address, Host="localhost:99")[2]
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert float(headers["server-timing"].partition("dur=")[2]) < 10_000


def test_address_that_is_not_loopback_needs_a_token(store_url: str, tmp_path: Path) -> None:
    server = serving(store_url, "--host", "0.0.0.0")
    assert "is not loopback" in server.communicate(timeout=60)[1]
    assert server.returncode == 2
    (tmp_path / "short").write_text("abc", "utf-8")
    server = serving(store_url, "--token-file", str(tmp_path / "short"))
    assert "fewer than 16" in server.communicate(timeout=60)[1]


def test_token_opens_page_to_programs_and_browsers(store_url: str, tmp_path: Path, browser: Any) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n", "utf-8")
    server = serving(store_url, "--token-file", str(tmp_path / "token"))
    try:
        url = address_of(server)
        assert asked(url)[0] == 401
        assert "acme" not in asked(url)[1]
        assert asked(url, Authorization=f"Bearer {TOKEN}x")[0] == 401
        assert asked(url, Authorization=f"Bearer {TOKEN}", Host="history.example")[0] == 200
        assert asked(url, Cookie="conformance_history=\xe9")[0] == 401
        assert asked(f"{url}/sign-in", b"token=" + b"x" * 9999)[0] == 413
        page = browser.new_page()
        page.set_default_timeout(60_000)
        page.goto(url)
        page.fill("input[name=token]", "wrong")
        page.click("text=Show the history")
        assert "not the token" in page.inner_text("main")
        page.fill("input[name=token]", TOKEN)
        page.click("text=Show the history")
        assert "acme" in page.inner_text("main")
        assert TOKEN not in str(page.context.cookies())
        page.close()
    finally:
        server.terminate()
        server.communicate(timeout=60)


def test_proxy_header_names_who_may_see_it(store_url: str) -> None:
    server = serving(store_url, "--trust-header", "X-User")
    try:
        url = address_of(server)
        assert asked(url)[0] == 403
        assert asked(url, X_User=" ")[0] == 403
        assert asked(url, X_User="ann", Host="history.example")[0] == 200
    finally:
        server.terminate()
        server.communicate(timeout=60)


def test_pages_of_many_endpoints_are_quick(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path}/h.db", create=True) as store:
        keep_many(store)
        look_at_many(store)


def test_run_without_plain_id_and_unknown_verdict_has_its_cell() -> None:
    (cell, empty) = matrix_row([("a/b&c", 'r"1', "none<", 2)], 2).split("</td>")[:2]
    assert cell == ('<td class="error cell"><a href="/run?id=a%2Fb%26c" title="r&#34;1: none&lt;, 2 causes">E</a>')
    assert empty == '<td class="none cell">'
