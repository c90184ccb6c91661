"""JUnit XML, Markdown and HTML: what each must show, and that hostile text stays text."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import pytest
from lxml import etree, html
from report_support import INFO, contract, everything_passes, failed, finding, full_result, result

from conformance.errors import JournalError, UsageError
from conformance.model.verdict import CaseResult, Evidence, Recorded, Verdict
from conformance.plugins import REPORT_FORMATS
from conformance.report.formats.junit import family, to_junit
from conformance.report.formats.registry import render, report_format, summary_of, write_reports
from conformance.report.formats.terminal import full_report
from conformance.report.formats.text import plain_lines
from conformance.report.journal import Header, Journal
from conformance.report.rows import RunSummary
from conformance.report.run_info import Ending, Settings, SummaryOptions
from conformance.report.summary import summarise
from conformance.run.selection import Selection

HOSTILE = "</pre><script>alert(1)</script> | `x` [a](b) \x1b[31m\u202e\ud800 ]]>\n# head"

WITHOUT_SIDES = {"annotations", "badge", "har", "job-summary"}
"""Formats that say what was found, and not what was expected beside it."""
FILES = {name: report_format(name).file for name in REPORT_FORMATS}


def summary(results: list[CaseResult], ending: Ending | None = None) -> RunSummary:
    return summarise(contract(), INFO, results, SummaryOptions(ending=ending or Ending()))


def junit(results: list[CaseResult]) -> etree._Element:
    return etree.fromstring(to_junit(summary(results), contract()))


def hostile() -> CaseResult:
    found = finding("G-OK", HOSTILE, expected=HOSTILE, actual=HOSTILE, at=HOSTILE)
    exchange = Recorded("judged", HOSTILE, "http", 1790000000.0, 0.25, HOSTILE, Evidence(HOSTILE, HOSTILE))
    return result(
        "h",
        "G-OK",
        verdict=Verdict.FAIL,
        findings=(found,),
        exchanges=(exchange,),
        readings=(f"empty={HOSTILE}",),
    )


def test_junit_has_one_test_case_for_each_named_case() -> None:
    root = junit(everything_passes())
    names = [str(case.get("name")) for case in root.iter("testcase")]
    assert sorted(names) == sorted(one.id for one in everything_passes())
    assert sum(int(suite.get("tests")) for suite in root) == len(names)
    assert [suite.get("name") for suite in root] == ["acme.gateway", "acme.lists"]


def test_junit_groups_by_operation_and_family() -> None:
    (case,) = junit([result("a", "G-OK")]).iter("testcase")
    assert (case.get("classname"), case.get("name")) == ("acme.gateway.family", "g/family/a@http")


@pytest.mark.parametrize(("case_id", "expected"), [("a/b/c@http", "b"), ("a/b@http", "b"), ("a@x/y", "")])
def test_the_family_stands_after_the_first_slash(case_id: str, expected: str) -> None:
    assert family(case_id) == expected


def test_junit_has_one_test_case_for_the_generated_cases_of_a_requirement() -> None:
    generated = [result(str(number), "G-OK", "G-SHAPE", tier="generated") for number in range(9)]
    cases = list(junit([*generated, failed("x", "G-OK", tier="generated")]).iter("testcase"))
    assert [(case.get("classname"), case.get("name")) for case in cases] == [
        ("acme.gateway.generated", "G-OK"),
        ("acme.gateway.generated", "G-SHAPE"),
    ]
    assert [len(case) for case in cases] == [1, 0]


def test_a_junit_failure_shows_all_that_a_reader_needs() -> None:
    (failure,) = junit([failed("a", "G-OK")]).iter("failure")
    assert failure.get("message") == "G-OK: wrong"
    assert failure.text is not None
    assert failure.text.splitlines() == [
        "G-OK: wrong",
        "requirement: What G-OK asks.",
        "place: Acme, table of G-OK",
        "expected: code 0",
        "actual: code 20",
        "at: /errorcode",
        "replay: conformance replay g/family/a@http --target staging.toml",
    ]


@pytest.mark.parametrize(
    ("verdict", "tag"),
    [
        (Verdict.FAIL, "failure"),
        (Verdict.TARGET_ERROR, "error"),
        (Verdict.HARNESS_ERROR, "error"),
        (Verdict.NOT_VERIFIED, "skipped"),
        (Verdict.NOT_APPLICABLE, "skipped"),
        (Verdict.WAIVED, "skipped"),
    ],
)
@pytest.mark.parametrize("tier", ["named", "generated"])
def test_junit_has_an_element_for_each_verdict(verdict: Verdict, tag: str, tier: str) -> None:
    found = (finding("G-OK"),) if verdict is Verdict.FAIL else ()
    root = junit([result("a", "G-OK", verdict=verdict, reason="so", tier=tier, findings=found)])
    (case,) = root.iter("testcase")
    assert [child.tag for child in case] == [tag]
    counts = {"failure": "failures", "error": "errors", "skipped": "skipped"}
    assert sum(int(suite.get(counts[tag])) for suite in root) == 1
    if not found:
        assert case[0].get("message") == f"{verdict.value}: so"


def test_junit_counts_the_findings_that_it_does_not_show() -> None:
    many = tuple(finding("G-OK", f"wrong {number:02}") for number in range(30))
    (failure,) = junit([result("a", "G-OK", verdict=Verdict.FAIL, findings=many)]).iter("failure")
    assert failure.get("message") == "G-OK: wrong 00 (and 29 more findings)"
    assert (failure.text or "").endswith("and 10 more findings, in results.json")


def test_junit_tells_the_verdict_of_the_run() -> None:
    root = etree.fromstring(to_junit(summary([result("a", "G-OK")], Ending(stopped="gone")), contract()))
    shown = {(one.get("name"), one.get("value")) for one in root.iter("property")}
    assert {("verdict", "error"), ("exit_code", "3"), ("reason", "the run stopped: gone")} <= shown


def test_junit_escapes_visibly_what_xml_cannot_hold() -> None:
    (failure,) = junit([hostile()]).iter("failure")
    assert "\\u001b[31m" in (failure.text or "")
    assert "\\u202e" in (failure.text or "")
    assert "\\ud800" in (failure.text or "")
    assert "<script>" in (failure.text or "")
    assert "\u202e" not in to_junit(summary([hostile()]), contract()).decode()


def test_html_is_self_contained_and_runs_nothing_but_its_own_script() -> None:
    page = render(summary([hostile(), full_result()]), contract(), "html").decode()
    tree = html.fromstring(page)
    assert not tree.xpath("//link | //img | //iframe | //object | //form | //@onclick | //@style | //@src")
    assert {str(href)[0] for href in tree.xpath("//@href")} == {"#"}
    assert "url(" not in page
    (policy,) = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    for kind, name in (("style", "style-src"), ("script", "script-src")):
        (own,) = tree.xpath(f"//{kind}/text()")
        digest = base64.b64encode(hashlib.sha256(own.encode()).digest()).decode()
        assert f"{name} 'sha256-{digest}'" in policy
    assert "\x1b" not in page
    assert "\u202e" not in page


def test_html_shows_findings_evidence_matrix_and_readings() -> None:
    page = html.fromstring(render(summary([hostile()]), contract(), "html").decode())
    text = "".join(str(part) for part in page.itertext())
    for shown in (
        "<script>alert(1)</script>",
        "What G-OK asks.",
        "bytes as they were",
        "no case provokes it",
        "empty",
    ):
        assert shown in text
    assert "conformance replay g/family/h@http --target staging.toml" in text


def test_html_shows_a_few_cases_of_a_cause_and_names_the_others() -> None:
    page = html.fromstring(
        render(summary([failed(f"{number:02}", "G-OK") for number in range(50)]), contract(), "html")
    )
    (cause,) = page.xpath("//article")
    assert len(cause.xpath(".//h4")) == 1
    (others,) = cause.xpath(".//details[contains(summary, '49 more cases')]/pre/text()")
    assert others.split() == [f"g/family/{number:02}@http" for number in range(1, 50)]
    assert len(cause.xpath("./ul/li")) == 6


def test_html_links_requirements_causes_and_codes_both_ways() -> None:
    results = [failed("a", "G-OK"), result("c", "G-104", code="104", code_seen="104")]
    page = html.fromstring(render(summary(results), contract(), "html").decode())
    targets = {str(name) for name in page.xpath("//@id")}
    links = {str(href).removeprefix("#") for href in page.xpath("//@href")}
    assert links <= targets
    assert "cause-1" in {str(href)[1:] for href in page.xpath("//tr[@id='req-G-OK']//@href")}
    assert "#req-G-OK" in page.xpath("//article[@id='cause-1']//@href")
    for row in page.xpath("//tr[starts-with(@id, 'code-')]"):
        (clause,) = row.xpath(".//@href")
        assert f"#{row.get('id')}" in page.xpath(f"//tr[@id='{str(clause)[1:]}']//@href")


def test_markdown_shows_verdict_causes_and_gaps() -> None:
    waived = result("w", "G-SHAPE", verdict=Verdict.WAIVED, reason="known")
    silent = result("t", "G-OK", verdict=Verdict.TARGET_ERROR, reason="reset")
    results = [*(failed(str(number), "G-OK") for number in range(5)), waived, silent]
    text = render(summary(results), contract(), "md").decode()
    assert text.startswith("# Conformance: fail (exit 1)\n")
    for shown in (
        "## 1. G-OK: ",
        ": 5 cases of ",
        "  - expected: code 0",
        "  - `conformance replay ",
        "## Waived",
        "## No verdict",
    ):
        assert shown in text
    assert "| G-104 | must | not-verified | no case that ran names it |" in text


def test_markdown_tells_each_cause_once_the_heaviest_first() -> None:
    told = summary(
        [
            *(failed(str(number), "G-OK") for number in range(30)),
            *(failed(f"s{number}", "G-SHAPE") for number in range(3)),
        ]
    )
    text = render(told, contract(), "md").decode()
    titles = re.findall(r"^## \d+\. (\S+): (.+)$", text, re.MULTILINE)
    assert titles == [(cause.requirement, cause.kind.words) for cause in told.causes]
    assert len(text.splitlines()) < 120


def test_markdown_of_a_conformant_run_is_short() -> None:
    text = render(summary(everything_passes()), contract(), "md").decode()
    assert "did not pass" not in text
    assert text.startswith("# Conformance: pass (exit 0)\n\n")
    assert "## 1." not in text


@pytest.mark.parametrize("name", ["md", "html"])
def test_a_run_of_a_part_says_to_what_it_was_limited(name: str) -> None:
    limited = Settings(selection=Selection(cases=("a/*",), transports=("http",)))
    part = summarise(contract(), INFO, everything_passes(), SummaryOptions(settings=limited))
    text = re.sub(r"\\(?=[*])", "", render(part, contract(), name).decode())
    assert "limited to case a/*; transport http; nothing else of the contract was tried" in text
    assert "can be tested has a verdict" not in text
    assert "limited to" not in render(summary(everything_passes()), contract(), name).decode()


def test_markdown_takes_nothing_for_markup() -> None:
    text = render(summary([hostile()]), contract(), "md").decode()
    assert not re.search(r"(?<!\\)<script>|(?<!\\)\[a\]\(b\)|^# head", text, re.MULTILINE)


def test_markdown_counts_the_rows_that_it_leaves_out() -> None:
    silent = [result(f"{number:03}", "G-OK", verdict=Verdict.TARGET_ERROR) for number in range(60)]
    assert "and 10 more, in results.json" in render(summary(silent), contract(), "md").decode()


def test_reports_are_the_same_bytes_for_the_same_results() -> None:
    results = [hostile(), full_result(), *everything_passes()]
    for kind in FILES:
        one, other = summary(results), summary(results[::-1])
        assert render(one, contract(), kind) == render(other, contract(), kind)


def test_reports_are_written_whole_into_a_new_folder(tmp_path: Path) -> None:
    written = write_reports(tmp_path / "new", summary(everything_passes()), contract(), tuple(FILES))
    assert [path.name for path in written] == list(FILES.values())
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == sorted(FILES.values())


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        write_reports(tmp_path / "file", summary([]), contract())


def test_an_unknown_format_is_an_error() -> None:
    with pytest.raises(UsageError, match="'pdf' is no format"):
        render(summary([]), contract(), "pdf")


def test_a_journal_of_another_contract_is_refused() -> None:
    from dataclasses import replace

    journal = Journal(Header(replace(INFO, specs_digest="e" * 64)), (), None)
    with pytest.raises(JournalError, match="belongs to contract eeeeeeeeeeee"):
        summary_of(journal, contract())


LONG = "x" * 9000
ALIKE = [
    ("OrderID 1", "OrderID 1", "OrderID 1 (another value, written the same)"),
    ('"Not Authorized"', '"Not Authorized\u200b"', "Not Authorized\\u200b"),
    ('"Not Authorized"', '"Not  Authorized"', "Not \\u0020Authorized"),
    (f"{LONG}1", f"{LONG}2", "x2"),
]


@pytest.mark.parametrize(("expected", "actual", "shown"), ALIKE, ids=["same", "unseen", "blank", "long"])
@pytest.mark.parametrize("name", ["text", *sorted(REPORT_FORMATS.keys() - WITHOUT_SIDES)])
def test_no_report_says_that_what_was_expected_came(name: str, expected: str, actual: str, shown: str) -> None:
    found = finding("G-OK", expected=expected, actual=actual)
    told = summary([result("a", "G-OK", verdict=Verdict.FAIL, findings=(found,))])
    if name == "text":
        text = "\n".join(plain_lines(full_report(told, contract(), verbose=False, width=4000)))
    else:
        text = render(told, contract(), name).decode("utf-8")
    unmarked = re.sub(r"\\(?=[\\(])", "", text) if name in ("md", "json", "sarif", "ctrf") else text
    assert shown in unmarked
