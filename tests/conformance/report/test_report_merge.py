"""Merging the journals of shards: the whole run, or an error that says which shard is wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from report_support import INFO, contract, everything_passes, result

from conformance.errors import JournalError
from conformance.model.verdict import CaseResult
from conformance.report.formats.registry import summary_of
from conformance.report.journal import Header, Journal
from conformance.report.run_info import Ending, Settings, SummaryOptions
from conformance.report.several import merge
from conformance.report.summary import summarise, to_json


def shard(name: str, results: list[CaseResult], ending: Ending | None = None, **info: Any) -> tuple[Path, Journal]:
    header = Header(replace(INFO, **info), Settings(shard=name, planned=len(results)))
    return Path(f"{name[0]}.jsonl"), Journal(header, tuple(results), ending or Ending())


def test_shards_give_the_report_of_the_whole_run() -> None:
    results = everything_passes()
    whole = merge([shard("2/2", results[1::2]), shard("1/2", results[::2])])
    expected = to_json(summarise(contract(), INFO, results, SummaryOptions()))
    assert to_json(summary_of(whole, contract())) == expected
    assert whole.header.settings == Settings(planned=len(results))


def test_the_whole_run_has_the_earliest_start_and_the_longest_duration() -> None:
    whole = merge(
        [
            shard("1/2", [], Ending(duration_s=2.0), started_at="2026-01-02", id="first"),
            shard("2/2", [], Ending(duration_s=5.0, stopped="gone", interrupted=True), started_at="2026-01-01"),
        ]
    )
    assert (whole.header.info.id, whole.header.info.started_at) == ("first", "2026-01-01")
    assert whole.footer == Ending(duration_s=5.0, stopped="gone", interrupted=True)


def test_a_waiver_is_unmatched_when_no_shard_matched_it() -> None:
    whole = merge(
        [
            shard("1/2", [], Ending(waivers_unmatched=("both", "one"), waivers_expired=("old",))),
            shard("2/2", [], Ending(waivers_unmatched=("both",), waivers_expired=("old",))),
        ]
    )
    assert whole.footer is not None
    assert (whole.footer.waivers_unmatched, whole.footer.waivers_expired) == (("both",), ("old",))


def test_nothing_cannot_be_merged() -> None:
    with pytest.raises(JournalError, match="no journal given"):
        merge([])


@pytest.mark.parametrize(
    ("shards", "message"),
    [
        ([shard("1/3", []), shard("3/3", [])], "missing: shard 2/3"),
        ([shard("1/2", []), shard("1/2", [])], "shard 1/2 was given already"),
        ([shard("1/2", []), shard("2/3", [])], "do not belong together"),
        ([(Path("x"), Journal(Header(INFO), (), Ending()))], "is no shard"),
        ([shard("0/2", [])], "is no shard"),
        ([shard("1/2", []), shard("2/2", [], specs_digest="e")], "contract differ"),
        ([shard("1/2", []), shard("2/2", [], target={"url": "x"})], "target differ"),
        ([shard("1/2", []), shard("2/2", [], seed=8)], "seed differ"),
        ([shard("1/2", [result("a", "G-OK")]), shard("2/2", [result("a", "G-OK")])], "is in 1.jsonl already"),
    ],
)
def test_shards_that_do_not_fit_are_refused(shards: list[tuple[Path, Journal]], message: str) -> None:
    with pytest.raises(JournalError, match=message):
        merge(shards)


def test_a_shard_that_was_cut_off_is_refused() -> None:
    path, journal = shard("1/1", [])
    with pytest.raises(JournalError, match="cut off"):
        merge([(path, replace(journal, footer=None))])
