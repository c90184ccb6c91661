"""The report and the progress that a person reads, on a terminal and elsewhere."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from report_support import INFO, contract, everything_passes, failed, finding, result

from conformance.model.verdict import CaseResult, RunInfo, Verdict
from conformance.report.formats.progress import progress
from conformance.report.formats.terminal import print_report
from conformance.report.formats.text import plain_lines, requirement_section, side_by_side
from conformance.report.rows import RequirementRow, RunSummary, replay_command
from conformance.report.run_info import Ending, Settings, SummaryOptions
from conformance.report.safe_text import shortened, visible, xml_safe
from conformance.report.summary import summarise

XTERM = {"TERM": "xterm-256color"}


class Terminal(io.StringIO):
    """A stream that claims to be a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def unstyled(text: str) -> str:
    """What a terminal shows, without colours and movements of its cursor."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def summary(results: list[CaseResult], **settings: Any) -> RunSummary:
    return summarise(contract(), INFO, results, SummaryOptions(Settings(**settings), Ending(duration_s=3.21)))


def printed(results: list[CaseResult], out: io.StringIO | None = None, **options: Any) -> str:
    stream = out or io.StringIO()
    environ = options.pop("environ", {})
    print_report(summary(results, **options.pop("settings", {})), contract(), stream, environ, **options)
    return stream.getvalue()


def test_the_verdict_comes_last_in_one_line() -> None:
    last = printed(everything_passes()).splitlines()[-1]
    assert last == "verdict: pass (exit 0) · 7 of 7 cases carried out · 7 judged messages · 3.2 s"


def test_quiet_prints_the_verdict_alone() -> None:
    assert printed([failed("a", "G-OK")], quiet=True).splitlines() == [
        "verdict: fail (exit 1) · 1 of 1 case carried out · 1 judged message · 3.2 s"
    ]


def test_passing_requirements_are_counted_and_listed_when_verbose() -> None:
    assert "acme.gateway: 3 pass, 1 not-applicable" in printed(everything_passes())
    assert "G-SHAPE" not in printed(everything_passes())
    assert "G-SHAPE      should  pass" in printed(everything_passes(), verbose=True)


def test_the_matrix_has_a_row_for_each_code_and_a_column_for_each_channel() -> None:
    lines = printed(everything_passes(), verbose=True, environ={"COLUMNS": "120"}).splitlines()
    start = lines.index("Error codes of acme.gateway")
    assert lines[start + 1].split() == ["code", "http", "application/json", "ws", "application/json"]
    assert [line.split() for line in lines[start + 2 : start + 4]] == [
        ["0", "pass", "pass"],
        ["104", "pass", "pass"],
    ]


def test_a_matrix_that_is_as_it_should_be_takes_a_line_and_another_its_wanting_rows() -> None:
    assert "Error codes of acme.gateway: 4 of 4 cells pass" in printed(everything_passes()).splitlines()
    wrong = failed("g/codes/104@ws", "G-104", transport="ws", code="104", code_seen="20")
    lines = printed([*everything_passes(), wrong]).splitlines()
    start = lines.index("Error codes of acme.gateway: 3 of 4 cells pass")
    assert [line.split() for line in lines[start + 1 : start + 3]] == [["code", "http", "ws"], ["104", "pass", "fail"]]


def test_many_requirements_of_one_verdict_for_one_reason_are_one_row() -> None:
    rows = [
        RequirementRow(f"G-{number}", "acme.gateway", "must", Verdict.NOT_VERIFIED, "no case", (), 0)
        for number in range(5)
    ]
    rows.append(RequirementRow("G-F", "acme.gateway", "must", Verdict.FAIL, "no case", ("a",), 2))
    assert list(plain_lines(requirement_section(rows, verbose=False)))[1:] == [
        "requirement     verdict       cases  reason",
        "5 requirements  not-verified         no case",
        "G-F             fail          1+2    no case",
    ]
    assert len(list(plain_lines(requirement_section(rows, verbose=True)))) == 8


def test_a_gap_in_the_matrix_gives_its_reason() -> None:
    gaps = {"accepted_gaps": {("acme.gateway", "104"): "nothing is unknown there"}}
    assert "not-verified (0, 104): no case provokes it" in printed([])
    text = printed([], settings=gaps, verbose=True)
    assert "104 (http application/json, ws application/json): nothing is unknown there" in text
    assert "not-verified (accepted)" in text
    assert "0 (http application/json, ws application/json): no case provokes it" in text


def test_a_mixture_of_readings_is_marked() -> None:
    mixed = [result("a", "G-OK", readings=("empty=null",)), result("b", "G-OK", readings=("empty=text",))]
    assert "empty    null 1×, text 1×          mixed" in printed(mixed)


def test_a_finding_shows_words_place_both_sides_and_how_to_replay() -> None:
    text = printed([failed("a", "G-OK")], verbose=True)
    for shown in (
        "G-OK (must): 1 finding",
        "Acme, table of G-OK",
        "What G-OK asks.",
        "* g/family/a@http at /errorcode",
        "expected: code 0",
        "| actual: code 20",
        "conformance replay g/family/a@http --target staging.toml",
    ):
        assert shown in text


def test_a_cause_shows_its_clause_its_numbers_one_example_and_how_to_replay_it() -> None:
    lines = printed([failed("a", "G-OK"), failed("b", "G-OK"), result("c", "G-OK")]).splitlines()
    start = lines.index("1. wrong form")
    assert lines[start : lines.index("- 2 cases failed, 1 requirement violated")] == [
        "1. wrong form",
        "   G-OK, Acme, table of G-OK",
        "   \u201cWhat G-OK asks.\u201d",
        "   wrong",
        "   2 cases of 3",
        "   * g/family/a@http at /errorcode",
        "     expected: code 0                     | actual: code 20",
        "     conformance replay g/family/a@http --target staging.toml",
        "",
        "1 cause",
        "1. G-OK: wrong form, 2 cases: wrong",
        "",
    ]


def test_a_cause_of_a_race_shows_its_time_line() -> None:
    text = printed([replace(failed("a", "G-OK"), history="0.0 1.0 ms cancel\nat the end open")])
    assert "     0.0 1.0 ms cancel\n     at the end open\n     conformance replay" in text


def test_hundreds_of_findings_stay_readable() -> None:
    results = [failed(f"{number:03}", "G-OK") for number in range(300)]
    assert printed(results).count("conformance replay") == 1
    text = printed(results, verbose=True)
    assert text.count("conformance replay") == 6
    assert "and 295 more findings, in results.json" in text
    assert len(text.splitlines()) < 80


def test_causes_beyond_a_bound_are_counted() -> None:
    texts = [finding("G-OK", at=f"/member{number}", expected="text") for number in range(40)]
    many = [result(f"{number}", "G-OK", verdict=Verdict.FAIL, findings=(one,)) for number, one in enumerate(texts)]
    text = printed(many)
    assert "40 causes, the heaviest first" in text
    assert "and 30 more causes, in results.json" in text
    assert "and 10 more, in results.json" in text


def test_everything_but_ids_and_commands_fits_80_columns() -> None:
    long = "a reason that is much longer than any line of a terminal of eighty columns can ever be, " * 2
    results = [
        result(
            "w" * 40,
            "G-OK",
            verdict=Verdict.FAIL,
            findings=(finding("G-OK", long, expected=long, actual=f"{long} not", at="/x"),),
        ),
        result("s", "G-SHAPE", verdict=Verdict.NOT_VERIFIED, hindrance="scope", reason=long),
        result("t", "G-104", verdict=Verdict.TARGET_ERROR, reason=long),
        *(result(f"r{number}", "G-OK", readings=("empty=null",)) for number in range(3)),
    ]
    for stream, environ in ((io.StringIO(), {}), (Terminal(), {**XTERM, "COLUMNS": "80", "NO_COLOR": "1"})):
        lines = unstyled(printed(results, stream, environ=environ)).splitlines()
        wide = [line for line in lines if len(line) > 80 and "conformance replay" not in line]
        assert [line for line in wide if not line.startswith("verdict: ")] == []


def test_a_target_that_cannot_be_reached_takes_three_lines_that_name_the_reports(tmp_path: Path) -> None:
    ending = Ending(stopped="no connection to http://127.0.0.1:9: Connection refused")
    nothing = summarise(contract(), INFO, [], SummaryOptions(Settings(planned=7), ending))
    out = io.StringIO()
    print_report(nothing, contract(), out, {}, folder=tmp_path)
    first, second, last = out.getvalue().splitlines()
    assert first == "Nothing was verified: no connection to http://127.0.0.1:9: Connection refused"
    assert "--wait SECONDS" in second
    assert second.endswith(f"reports: {tmp_path}/")
    assert last.startswith("verdict: error (exit 3) · cut short: no connection")


def test_the_folder_of_the_reports_is_named_but_not_when_quiet(tmp_path: Path) -> None:
    assert printed(everything_passes(), folder=tmp_path).splitlines()[-2] == f"reports: {tmp_path}/"
    assert "reports:" not in printed(everything_passes(), folder=tmp_path, quiet=True)


def test_one_blank_line_stands_between_parts() -> None:
    assert "\n\n\n" not in printed([failed("a", "G-OK"), failed("b", "G-SHAPE")])


def test_every_case_is_shown_once_before_a_second_finding_of_any() -> None:
    twice = tuple(finding("G-OK", f"wrong {number}") for number in range(9))
    text = printed([result("a", "G-OK", verdict=Verdict.FAIL, findings=twice), failed("b", "G-OK")], verbose=True)
    assert "* g/family/b@http" in text


def test_named_cases_are_shown_before_generated_ones() -> None:
    generated = [failed(f"{number}", "G-OK", tier="generated") for number in range(9)]
    assert "* g/family/z@http" in printed([*generated, failed("z", "G-OK")], verbose=True)


def test_waived_and_troubled_cases_have_a_line_each_up_to_a_bound() -> None:
    waived = result("w", "G-OK", verdict=Verdict.WAIVED, reason="until March", findings=(finding("G-OK"),))
    silent = [result(f"{number}", "G-OK", verdict=Verdict.TARGET_ERROR, reason="reset") for number in range(30)]
    text = printed([waived, *silent])
    assert "Waived: 1 case" in text
    assert "until March" in text
    assert "No verdict: 30 cases" in text
    assert "and 10 more, in results.json" in text
    assert "(must): 1 finding" not in text


def test_control_characters_of_the_endpoint_never_reach_the_terminal() -> None:
    found = finding("G-OK", "\x1b]0;owned\x07", expected="[bold]a[/bold]", actual="\x9b31m\r\n")
    case = result("a", "G-OK", verdict=Verdict.FAIL, findings=(found,))
    for stream, environ in ((io.StringIO(), {}), (Terminal(), {**XTERM, "NO_COLOR": "1"})):
        text = printed([case], stream, environ=environ)
        assert "\x1b]0" not in text
        assert "\x9b" not in text
        assert "\\u001b]0;owned\\u0007" in text
        assert "[bold]a[/bold]" in text


def test_a_terminal_gets_colours() -> None:
    assert "\x1b[32mverdict: pass" in printed(everything_passes(), Terminal(), environ=XTERM)


@pytest.mark.parametrize("environ", [{"TERM": "dumb"}, {}])
def test_a_dumb_terminal_gets_plain_text(environ: dict[str, str]) -> None:
    assert "\x1b" not in printed(everything_passes(), Terminal(), environ=environ)


def test_no_color_is_respected_on_a_terminal() -> None:
    text = printed([failed("a", "G-OK")], Terminal(), environ={**XTERM, "NO_COLOR": "1"})
    assert "\x1b[32m" not in text
    assert "\x1b[31m" not in text
    assert "\x1b[1;31m" not in text


def test_a_stream_that_lacks_a_character_gets_an_escape() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    print_report(summary(everything_passes()), contract(), stream, {}, quiet=True)
    stream.seek(0)
    assert stream.read().startswith("verdict: pass (exit 0) \\xb7 7 of 7 cases")


def test_two_texts_are_wrapped_side_by_side() -> None:
    assert list(side_by_side("a b " * 8, "c", 43)) == ["a b a b a b a b a b  | c", "a b a b a b          |"]


def test_a_replay_command_quotes_what_a_shell_would_read() -> None:
    info = RunInfo("", "", "", 0, "", {"file": "my target.toml"})
    assert replay_command("a/b@http", info) == "conformance replay a/b@http --target 'my target.toml'"
    assert replay_command("a/b@http", RunInfo("", "", "", 0, "")) == "conformance replay a/b@http"


def test_text_is_made_visible_and_bounded() -> None:
    assert visible("a\tb\n\x00\u202e\ud800é") == "a\\tb\\n\\u0000\\u202e\\ud800é"
    assert shortened("abcdef", 4) == "abcd… (2 more characters)"


def run(results: list[CaseResult], out: io.StringIO, environ: dict[str, str], **options: Any) -> str:
    with progress(len(results) + options.get("done", 0), out, environ, **options) as report:
        for one in results:
            report(one)
    return out.getvalue()


def test_progress_elsewhere_is_a_line_for_each_tenth() -> None:
    lines = run([result(str(number), "G-OK") for number in range(95)], io.StringIO(), {}).splitlines()
    assert len(lines) == 10
    assert lines[0] == " 10%  10 of 95 cases, 0 failed"
    assert lines[-1] == "100%  95 of 95 cases, 0 failed"


def test_progress_names_the_first_failure_of_each_kind_as_it_is_seen() -> None:
    other = result("other", "G-OK", verdict=Verdict.FAIL, findings=(finding("G-SHAPE", "\x1b[31m", at="/x"),))
    silent = result("silent", "G-OK", verdict=Verdict.TARGET_ERROR, reason="reset")
    for out, environ in ((io.StringIO(), {}), (Terminal(), {**XTERM, "NO_COLOR": "1"})):
        with progress(60, out, environ) as report:
            report(failed("0", "G-OK"))
            assert "fail: g/family/0@http: wrong\n" in unstyled(out.getvalue()), "before anything else is finished"
            for one in (*(failed(f"{number}", "G-OK") for number in range(1, 50)), other, silent, silent):
                report(one)
        named = re.findall(r"(?:fail|target-error): .*", unstyled(out.getvalue()))
        assert named == [
            "fail: g/family/0@http: wrong",
            "fail: g/family/other@http: \\u001b[31m",
            "target-error: g/family/silent@http: reset",
        ]


def test_progress_names_no_more_than_a_screen_of_failures() -> None:
    wrong = [finding("G-OK", at=f"/member{number}", expected="text") for number in range(50)]
    results = [result(f"{number}", "G-OK", verdict=Verdict.FAIL, findings=(one,)) for number, one in enumerate(wrong)]
    assert run(results, io.StringIO(), {}).count("fail: ") == 20


def test_progress_of_a_resumed_run_begins_where_it_stopped() -> None:
    lines = run([result(str(number), "G-OK") for number in range(5)], io.StringIO(), {}, done=5).splitlines()
    assert lines[0] == " 60%  6 of 10 cases, 0 failed"


def test_quiet_progress_says_nothing() -> None:
    assert run([failed("a", "G-OK")], io.StringIO(), {}, quiet=True) == ""


def test_progress_of_nothing_says_nothing() -> None:
    assert run([], io.StringIO(), {}) == ""


def test_progress_on_a_terminal_is_a_bar_that_leaves_no_trace() -> None:
    text = run([failed("a", "G-OK"), result("b", "G-OK")], Terminal(), XTERM)
    assert "2/2" in text
    assert "1 failed" in text
    assert "\n\x1b[2K" not in text.rstrip("\n")[-4:]


def test_the_table_counts_what_was_not_carried_out_with_an_example() -> None:
    scoped = result("s", "G-SHAPE", verdict=Verdict.NOT_VERIFIED, hindrance="scope", reason="outside scope: account 9")
    lines = printed([*everything_passes(), scoped]).splitlines()
    start = lines.index("Cases carried out: 7 of 8 (87.5%)")
    assert lines[start + 1].split() == ["not", "carried", "out", "cases", "such", "as"]
    assert lines[start + 2] == "scope            1      g/family/s@http: outside scope: account 9"
    assert "7 of 8 cases carried out, 1 outside the scope" in lines[-1]


def test_each_waiver_is_shown_with_the_number_of_its_cases() -> None:
    ending = Ending(waivers_matched={"g/* G-OK": 12}, waivers_beyond=("g/* G-OK: matches 12 cases, 3 when",))
    whole = summarise(contract(), INFO, everything_passes(), SummaryOptions(Settings(), ending))
    out = io.StringIO()
    print_report(whole, contract(), out, {})
    lines = out.getvalue().splitlines()
    assert lines[lines.index("Waivers") + 2].split() == ["g/*", "G-OK", "12"]
    assert "- waiver g/* G-OK: matches 12 cases, 3 when" in lines


def test_what_turns_the_direction_of_writing_is_escaped_everywhere() -> None:
    for mark in "\u061c\u200e\u200f\u202a\u202e\u2066\u2069":
        assert visible(f"a{mark}b") == xml_safe(f"a{mark}b") == f"a\\u{ord(mark):04x}b"
