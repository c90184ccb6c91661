"""Which cases a run takes: filters that narrow, shards that share out, and names that nothing has."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from conformance.cli.main import main
from conformance.contract.load import load_contract
from conformance.errors import UsageError
from conformance.model.case import Alternative, Body, Case, Expectation, Message, Transport
from conformance.run.selection import Selection, choose, parse_shard

CONTRACT = load_contract()
CAO, TPP = "alphapoint.cancel_all_orders", "tpp.create_cancellations"
ONE = Case(
    id="cao/a/one@http", operation=CAO, title="", requirements=("CAO-SYNC", "CAO-AGREE"), role="trading", transport=Transport.HTTP,
    media_type="application/json", message=Message(Body("")), expect=Expectation("CAO-SYNC", (Alternative({"code": 0}),)),
)  # fmt: skip
CASES = (
    replace(ONE, id="tpp/b/one@text-xml", operation=TPP, media_type="text/xml", requirements=("TPP-ROUTE",)),
    replace(ONE, id="cao/b/two@ws", transport=Transport.WS),
    ONE,
    replace(ONE, id="cao/a/two@http", requirements=("CAO-AGREE",)),
)


def ids(selection: Selection, shard: tuple[int, int] = (1, 1)) -> list[str]:
    return [one.id for one in choose(CONTRACT, CASES, selection, shard)]


def test_without_filters_all_cases_come_in_the_order_of_their_ids() -> None:
    assert ids(Selection()) == sorted(one.id for one in CASES)


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(operations=(TPP,)), ["tpp/b/one@text-xml"]),
        (Selection(requirements=("CAO-SYNC",)), ["cao/a/one@http", "cao/b/two@ws"]),
        (Selection(cases=("cao/a/two@http",)), ["cao/a/two@http"]),
        (Selection(cases=("cao/a/*", "tpp/*")), ["cao/a/one@http", "cao/a/two@http", "tpp/b/one@text-xml"]),
        (Selection(media_types=("text/xml",)), ["tpp/b/one@text-xml"]),
        (Selection(transports=("ws",)), ["cao/b/two@ws"]),
        (Selection(operations=(CAO,), transports=("http",), requirements=("CAO-SYNC",)), ["cao/a/one@http"]),
        (Selection(operations=(TPP,), transports=("ws",)), []),
    ],
)
def test_each_filter_narrows(selection: Selection, expected: list[str]) -> None:
    assert ids(selection) == expected


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_shards_share_all_cases_out_once(count: int) -> None:
    parts = [ids(Selection(), (index, count)) for index in range(1, count + 1)]
    assert sorted(name for part in parts for name in part) == ids(Selection())
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        (
            Selection(operations=("tpp.create_cancelations",)),
            r"no operation is called 'tpp\.create_cancelations'.*\n.*tpp\.create_cancellations",
        ),
        (Selection(requirements=("CAO-SINC",)), "no requirement is called 'CAO-SINC'.*\n.*CAO-SYNC"),
        (Selection(media_types=("text/yaml",)), "no media type is called"),
        (Selection(transports=("smtp",)), "no transport is called"),
        (Selection(cases=("cao/a/on@http",)), "no case is called 'cao/a/on@http'.*\n.*cao/a/one@http"),
        (Selection(cases=("zzz*",)), "no case is called 'zzz\\*'.*\n.*conformance list cases"),
    ],
)
def test_a_name_that_nothing_has_is_refused_with_a_hint(selection: Selection, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        ids(selection)


@pytest.mark.parametrize(("text", "expected"), [(None, (1, 1)), ("1/1", (1, 1)), ("2/4", (2, 4))])
def test_a_shard_is_read(text: str | None, expected: tuple[int, int]) -> None:
    assert parse_shard(text) == expected


@pytest.mark.parametrize("text", ["", "2", "0/4", "5/4", "-1/4", "a/b", "1/", "/2", "1/2/3"])
def test_a_shard_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not I/N"):
        parse_shard(text)


def test_generated_cases_that_no_filter_leaves_are_named_in_a_line(tmp_path: Path) -> None:
    words = ["run", "--case", "co/codes/104@http", "--report", str(tmp_path), "--no-html"]
    done = CliRunner().invoke(main, [*words, "--generated", "20"])
    assert done.exit_code == 0, done.output
    line = "No generated case runs: of the first 20 none is of case co/codes/104@http.\n"
    assert line in done.stderr
    for more in (["--generated", "0"], [], ["--generated", "20", "-q"]):
        assert "generated case runs" not in CliRunner().invoke(main, [*words, *more]).stderr
