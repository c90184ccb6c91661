"""Items against running servers: what passes, fails, xfails, is skipped and is an error, and what the reports say."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.timeout(120)
PREFIX = "conformance.suite::alphapoint.cancel_all_orders"
Run = Callable[..., pytest.RunResult]


def failed(result: pytest.RunResult) -> set[str]:
    lines = (line.split(" - ")[0] for line in result.outlines if line.startswith("FAILED "))
    return {line.removeprefix("FAILED ").strip() for line in lines}


def test_the_reference_passes_and_the_report_is_that_of_run_with_one_process_and_with_two(
    suite: Run, by_command: Callable[..., dict[str, Any]], by_pytest: Callable[[str], dict[str, Any]]
) -> None:
    expected = by_command()
    alone = suite("--conformance-report", "alone")
    assert alone.ret == 0
    assert alone.parseoutcomes().keys() == {"passed", "skipped"}
    assert by_pytest("alone") == expected
    shared = suite("--conformance-report", "shared", "-n", "2")
    assert shared.parseoutcomes() == alone.parseoutcomes()
    assert by_pytest("shared") == expected


def test_only_the_item_of_the_broken_requirement_fails_though_no_case_names_it(
    suite: Run, serve: Callable[..., str], target_file: Callable[..., str], pytester: pytest.Pytester
) -> None:
    target = target_file(serve("--fault", "cao-echoes-token"))
    limits = ("--conformance-generated", "20", "-p", "cacheprovider")
    result = suite("--target", target, "--junitxml", "out.xml", *limits)
    items = [
        *(f"CAO-SECRETS[{transport}]" for transport in ("http", "ws")),
        "generated[http]",
    ]  # ws: after a LogOut there
    assert failed(result) == {f"{PREFIX}::{item}" for item in items}
    result.stdout.fnmatch_lines(
        [
            "CAO-SECRETS (must): * findings",
            "  * cao/*@http at /detail",
            "    a credential of the request comes back",
            "    expected: *|*actual: *",
            "    conformance replay cao/*@http --target target.toml",
        ]
    )
    cases = ElementTree.parse(pytester.path / "out.xml").getroot().iter("testcase")
    broken = [(case.get("classname"), case.get("name")) for case in cases if case.find("failure") is not None]
    assert broken == [(PREFIX.replace("::", "."), item) for item in items]
    again = suite("--target", target, "--lf", *limits)
    assert failed(again) == {
        f"{PREFIX}::{item}" for item in items if "[ws]" not in item
    }  # whose LogOut is not played now


def test_the_same_requirements_fail_with_workers_on_one_live_target_as_in_a_run(
    suite: Run,
    serve: Callable[..., str],
    target_file: Callable[..., str],
    by_command: Callable[..., dict[str, Any]],
    by_pytest: Callable[[str], dict[str, Any]],
) -> None:
    fault = "cao-form-taken"  # one that no race meets: which of its calls is told what is up to the moment
    target = target_file(serve("--fault", fault), desks=2)
    expected = by_command("--target", target)
    result = suite("--target", target, "-n", "3", "--conformance-report", "out")
    assert by_pytest("out") == expected
    broken = {row["id"] for row in expected["requirements"] if row["verdict"] == "fail"}
    assert broken
    assert {name.rpartition("::")[2].partition("[")[0] for name in failed(result)} == broken


def test_x_ends_the_run_and_the_report_says_that_it_was_cut_short(
    suite: Run, serve: Callable[..., str], target_file: Callable[..., str], by_pytest: Callable[[str], dict[str, Any]]
) -> None:
    target = target_file(serve("--fault", "cao-again-20"))
    result = suite("--target", target, "-x", "--conformance-report", "out")
    assert result.parseoutcomes()["failed"] == 1
    assert by_pytest("out")["summary"]["reasons"][0] == "interrupted"


def test_k_and_an_id_choose_items_and_the_report_holds_no_others(
    suite: Run, by_pytest: Callable[[str], dict[str, Any]]
) -> None:
    result = suite("-k", "CAO-AGAIN and ws", "--conformance-report", "out")
    assert result.parseoutcomes()["passed"] == 1
    written = by_pytest("out")
    assert {case["transport"] for case in written["cases"]} == {"ws"}
    assert written["summary"]["exit_code"] == 0
    typed = suite("-v", named=f"{PREFIX}::CAO-AGAIN[http]")
    typed.stdout.fnmatch_lines([f"{PREFIX}::CAO-AGAIN[[]http[]] PASSED*"])
    assert typed.parseoutcomes() == {"passed": 1}


def test_a_bare_url_can_act_as_nobody_so_its_items_are_skipped_with_the_reason(
    suite: Run, serve: Callable[..., str]
) -> None:
    result = suite("--target", serve(), "-k", "CAO-EFFECT-ACCOUNT and http", "-rs")
    assert result.parseoutcomes().keys() == {"skipped", "deselected"}
    result.stdout.fnmatch_lines(["SKIPPED*not-verified: *"])


def test_a_target_that_is_not_there_is_an_error_of_each_item(suite: Run) -> None:
    result = suite("--target", "http://127.0.0.1:9", "-k", "CAO-AGAIN")
    assert result.parseoutcomes()["errors"] == 2
    result.stdout.fnmatch_lines(["services.alphapoint: no connection to http://127.0.0.1:9*", "Nothing was verified.*"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--target", "missing.toml"), "*missing.toml*no such target file*"),
        (("--conformance-operation", "nonsense"), "*no operation is called 'nonsense'*"),
    ],
)
def test_what_cannot_be_used_ends_pytest_before_any_item(suite: Run, arguments: tuple[str, ...], words: str) -> None:
    result = suite(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([words])


def test_a_waiver_is_xfail_and_strict(suite: Run, serve: Callable[..., str], target_file: Callable[..., str]) -> None:
    known = {"requirement": "CAO-AGAIN", "finding": "the answer", "reason": "known since May", "owner": "qa"}
    waivers = tuple(
        {**known, "case": f"cao/{name}@ws", "expires": "9999-12-31"}
        for name in ("effects/again", "effects/nothing-open", "combinations/*")
    )
    address = serve("--fault", "cao-again-20")
    chosen = ("-k", "CAO-AGAIN and ws", "-rx")
    waived = suite("--target", target_file(address, waivers=waivers), *chosen)
    assert waived.parseoutcomes()["xfailed"] == 1
    waived.stdout.fnmatch_lines(["XFAIL*known since May*"])
    expired = suite(
        "--target", target_file(address, waivers=({**waivers[0], "expires": "2020-01-01"}, *waivers[1:])), *chosen
    )
    assert expired.parseoutcomes()["failed"] == 1
    expired.stdout.fnmatch_lines(["waiver expired: cao/effects/again@ws CAO-AGAIN: expired on 2020-01-01*"])
    mended = suite("--target", target_file(serve(), waivers=waivers), *chosen)
    assert mended.parseoutcomes()["failed"] == 1
    mended.stdout.fnmatch_lines(["waiver matched nothing: cao/effects/again@ws CAO-AGAIN: *"])


def test_in_other_peoples_runs_the_plugin_loads_nothing_and_leaves_the_name_target_free(
    pytester: pytest.Pytester,
) -> None:
    pytester.makeconftest("def pytest_addoption(parser): parser.addoption('--target')")
    pytester.makepyfile(
        """
        import sys

        def test_theirs(pytestconfig):
            assert pytestconfig.getoption("--target") == "mine"
            assert pytestconfig.pluginmanager.hasplugin("conformance.pytest_plugin")
            loaded = {name for name in sys.modules if name.startswith("conformance.")}
            assert loaded == {"conformance.pytest_plugin", "conformance.suite"}  # options and names
        """
    )
    result = pytester.runpytest_subprocess("-p", "conformance.pytest_plugin", "--target", "mine", timeout=100)
    assert result.parseoutcomes() == {"passed": 1}
    assert "conformance" not in result.stdout.str().replace(str(Path(pytester.path)), "")
