"""The HTML report in a real browser: what is hostile stays text, nothing is fetched, and anybody can read it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from report_support import GATEWAY, INFO, contract, everything_passes, failed, finding, result

from conformance.cases.combinations.count import Coverage
from conformance.model.verdict import CaseResult, Evidence, Recorded, Verdict
from conformance.report.formats.registry import render
from conformance.report.rows import MOST_EVIDENCE, gather
from conformance.report.run_info import Ending, SummaryOptions
from conformance.report.summary import summarise

SCRIPT = "</pre></script><script>window.hurt = 1</script><img src=http://127.0.0.1:9/x onerror='window.hurt = 2'>"
HOSTILE = f"{SCRIPT} \u202egnp.exe \u2066 \u05d0\u05d1 \x1b[31m \ud800 {{{{ 7 * 7 }}}} -->"
LONG = 10 * 1024 * 1024
MOST_BYTES, MOST_OPENING_S = 3_000_000, 2.0
MOST_PAGES = 3


COVERED = tuple(
    Coverage("alphapoint.cancel_all_orders", strength, 90_000, 80_000, 70_000, {"outside the scope": 9_000})
    for strength in (1, 2, 3)
)


def exchange(received: str, purpose: str = "judged", started_s: float = 1790000000.0, **more: Any) -> Recorded:
    sent = 'POST /do HTTP/1.1\r\nHost: 127.0.0.1:1\r\nContent-Type: application/json\r\n\r\n{"OMSId":1}'
    evidence = Evidence(sent, f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{received}")
    return Recorded(purpose, "client", "http", started_s, 0.0125, evidence=evidence, **more)


def course(received: str) -> tuple[Recorded, ...]:
    """Set-up, the message, and looks at the effect until it should have shown."""
    looks = [exchange('[{"state":"open"}]', "observation", 1790000000.2 + number / 10) for number in range(5)]
    return (exchange('{"OrderId":7}', "set-up"), exchange(received, started_s=1790000000.1), *looks)


def broken() -> list[CaseResult]:
    """Some of everything: failures of two kinds in two transports, a gap, a waiver, an error."""
    answer = '{"result":true,"errormsg":null,"errorcode":20}'
    frame = Recorded(
        "judged", "client", "ws", 1790000000.0, 0.5,
        evidence=Evidence('{"m":0,"i":2,"n":"Do","o":"{}"}', '\\x81m{"m":1,"i":2,"n":"Do","o":"{\\"errorcode\\":20}"}'),
    )  # fmt: skip
    over_ws = failed("b", "G-OK", transport="ws", exchanges=(frame,))
    return [
        *everything_passes(),
        failed("a", "G-OK", exchanges=course(answer)),
        replace(over_ws, id="g/family/another-one@ws"),
        result("c", "G-SHAPE", verdict=Verdict.NOT_VERIFIED, reason="no state", hindrance="no-state"),
        result("d", "G-SHAPE", verdict=Verdict.WAIVED, reason="known", findings=(finding("G-SHAPE"),)),
        result("e", "G-104", verdict=Verdict.TARGET_ERROR, reason="it hung up"),
    ]


def hostile() -> list[CaseResult]:
    found = finding("G-OK", HOSTILE, expected=HOSTILE, actual=HOSTILE + "x" * LONG, at=HOSTILE)
    long = exchange(f'{{"errormsg":"{HOSTILE}' + "y" * LONG, problem=HOSTILE)
    other = Recorded(HOSTILE, HOSTILE, "ws", 1790000001.0, 1.0, HOSTILE, Evidence(HOSTILE, HOSTILE))
    return [
        result(
            f"g/{HOSTILE}/x@http",
            "G-OK",
            verdict=Verdict.FAIL,
            findings=(found,),
            exchanges=(long, other),
            role=HOSTILE,
        ),
        result("n", "G-104", verdict=Verdict.NOT_VERIFIED, reason=HOSTILE, readings=(f"empty={HOSTILE}",)),
    ]


def many_failures(number: int = 5000) -> list[CaseResult]:
    """So many failed cases, each with all its messages, spread over many causes."""
    requirements = [name for name in contract().requirements if name.startswith("G-")]
    results = []
    for place in range(number):
        found = finding(requirements[place % 3], "wrong", expected="code 0", actual="code 20", at=f"/m{place % 40}")
        long_id = f"g/family/some-case-with-a-name-of-usual-length-{place:04}@http"
        results.append(
            result(
                long_id,
                "G-OK",
                "G-104",
                verdict=Verdict.FAIL,
                findings=(found,),
                exchanges=course('{"a":"' + "z" * 800),
            )
        )
    return results


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Write the report on some results and open it from the disk, with no way to any network; fails if one is sought."""
    sought: list[str] = []
    said: list[str] = []
    contexts: list[Any] = []

    def opening(results: Sequence[CaseResult], ending: Ending | None = None, **options: Any) -> Any:
        made = summarise(contract(), INFO, gather(results), SummaryOptions(ending=ending or Ending()))
        made = replace(made, coverage=COVERED, waivers={"a waiver with a label of usual length, by its owner": 3})
        file = tmp_path / "report.html"
        file.write_bytes(render(made, contract(), "html"))
        context = browser.new_context(offline=True, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("request", lambda request: sought.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(dialog.message))
        page.goto(file.as_uri())
        return page

    yield opening
    for context in contexts:
        context.close()
    assert [url for url in sought if not url.endswith("/report.html")] == []
    assert said == []


def test_hostile_answers_stay_text(opened: Any, tmp_path: Path) -> None:
    page = opened(hostile())
    assert page.evaluate("window.hurt") is None
    assert page.locator("img, iframe, object").count() == 0
    assert page.locator("script").count() == 1
    shown = page.locator("main").inner_text()
    assert SCRIPT in shown
    assert "\\u202egnp.exe" in shown
    assert "{{ 7 * 7 }}" in shown
    assert (tmp_path / "report.html").stat().st_size < 20 * MOST_EVIDENCE


def test_five_thousand_failures_open_at_once(opened: Any, tmp_path: Path) -> None:
    page = opened(many_failures())
    assert (tmp_path / "report.html").stat().st_size < MOST_BYTES
    took_ms = page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
    assert took_ms < MOST_OPENING_S * 1000 * 3, "three times as long as promised, for others use the machine"
    assert page.locator("#count").inner_text() == "5000 cases"
    page.locator("#search").fill("usual-length-4321")
    page.locator("#count", has_text="1 of 5000 cases").wait_for()


def test_the_page_is_read_without_javascript(opened: Any) -> None:
    page = opened(broken(), java_script_enabled=False)
    shown = page.locator("body").inner_text()
    for words in (
        "1 cause",
        "What G-OK asks.",
        "What was not verified",
        "conformance replay g/family/a@http",
        '"errorcode": 20',
    ):
        assert words in shown
    assert not page.locator("#tools").is_visible()
    page.locator("summary", has_text="set-up").first.click()
    assert page.get_by_text('"OrderId": 7').first.is_visible()


def test_the_place_of_a_finding_is_marked_and_the_course_is_told_with_times(opened: Any) -> None:
    page = opened(broken())
    example = page.locator("#cause-1 ol.steps").first
    assert example.locator("mark").all_inner_texts() == ["20"]
    tags = example.locator(".tag").all_inner_texts()
    assert tags == ["set-up", "judged", "observation"]
    assert "+0.100 s), 12.5 ms, as client over HTTP" in example.inner_text()
    assert "and 4 more until" in example.inner_text()
    page.get_by_text("1 more example").click()
    assert page.locator("#cause-1").get_by_text("← from the server").first.is_visible()


def test_a_race_tells_the_calls_that_no_order_explains(opened: Any) -> None:
    history = f"0.000 to 0.020 s  cancel mine  code 0\n0.001 to 0.019 s  cancel mine  {SCRIPT}"
    page = opened([failed("a", "G-OK", exchanges=course("{}"), history=history)])
    assert page.locator("#cause-1 pre", has_text="cancel mine").inner_text() == history
    assert page.evaluate("window.hurt") is None


def test_search_and_filters_narrow_what_is_shown(opened: Any) -> None:
    page = opened(broken())
    total = page.locator("#count").inner_text()
    page.locator("#by-verdict").select_option("fail")
    assert page.locator("#count").inner_text() == f"2 of {total}"
    assert page.locator("#cause-1").is_visible()
    page.locator("#by-format").select_option("ws application/json")
    assert page.locator("tr[data-row=case]:visible").all_inner_texts()[0].startswith("g/family/another-one@ws")
    page.get_by_role("button", name="Clear").click()
    page.locator("#by-operation").select_option(GATEWAY)
    page.locator("#by-requirement").select_option(label="G-SHAPE")
    assert not page.locator("#cause-1").is_visible()
    assert page.locator("#req-G-SHAPE").is_visible()
    assert not page.locator("#req-G-OK").is_visible()
    page.get_by_role("button", name="Clear").click()
    assert page.locator("#count").inner_text() == total


def test_the_keyboard_alone_leads_to_causes_and_opens_them(opened: Any) -> None:
    page = opened(broken())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.locator("#cause-1 summary", has_text="set-up").first.focus()
    page.keyboard.press("Enter")
    assert page.get_by_text('"OrderId": 7').first.is_visible()
    page.locator("#req-G-OK a", has_text="cause 1").focus()
    page.keyboard.press("Enter")
    assert page.url.endswith("#cause-1")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
def test_axe_finds_no_serious_fault(opened: Any, width: int, scheme: str) -> None:
    page = opened(broken(), viewport={"width": width, "height": 800}, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    for box in page.locator("details").all():
        box.evaluate("box => { box.open = true; }")
    found = Axe().run(page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")] == []


def test_a_cause_takes_three_pages_of_paper_at_most(opened: Any) -> None:
    long = '{"errorcode":"' + "z\\n" * 1000
    before = [exchange(f"{long}{number}", "earlier", 1790000000.1) for number in range(30)]
    after = [exchange(f"{long}{number}", "observation", 1790000000.3) for number in range(9)]
    found = (finding("G-OK", expected="cancelled " * 400, actual="open " * 400, at="mine", check="effect"),)
    every = (*before, exchange(long, started_s=1790000000.2), exchange(long, "twin", 1790000000.2), *after)
    results = [
        result(f"{number}", "G-OK", verdict=Verdict.FAIL, findings=found, exchanges=every) for number in range(60)
    ]
    page = opened(results)
    assert page.locator("article").count() == 1
    others = len(opened(everything_passes()).pdf().split(b"/Type /Page\n")) - 1
    pages = len(page.pdf().split(b"/Type /Page\n")) - 1
    assert 1 <= pages - others <= MOST_PAGES
