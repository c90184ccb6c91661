"""Answers read word for word: `answers.json` holds what each is read as, with every word of every finding."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from checks_support import http, kit, ws

from conformance.checks.read import read_answer
from conformance.wire.messages import Exchange

ANSWERS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "answers.json").read_text(encoding="utf-8"))


def exchange_of(given: dict[str, Any]) -> Exchange:
    """The exchange that an entry describes: an HTTP answer, a frame, or frames that answer nothing."""
    if "status" in given:
        return http(given["body"].encode(given.get("encoding", "utf-8")), given["status"], given["media"])
    frames = [one.encode() for one in given["frames"]]
    return ws(others=frames) if given.get("uncorrelated") else ws(frames[0])


def read(given: dict[str, Any]) -> dict[str, Any]:
    """What the answer is read as, in plain values."""
    answer = read_answer(
        kit(given["operation"]), exchange_of(given), given.get("sent", "").encode(), given.get("accept")
    )
    return {
        "summary": answer.summary,
        "forms": sorted(answer.forms),
        "status": answer.status,
        "legs": [[leg.code, leg.result] for leg in answer.legs],
        "value": answer.value,
        "results": list(answer.results),
        "readings": list(answer.readings),
        "unreadable": answer.unreadable and _words(answer.unreadable),
        "findings": [_words(finding) for finding in answer.findings],
    }


def _words(finding: Any) -> list[str]:
    return [finding.requirement, finding.check, finding.message, finding.expected, finding.actual, finding.at]


@pytest.mark.parametrize("entry", ANSWERS, ids=[entry["name"] for entry in ANSWERS])
def test_an_answer_is_read_word_for_word(entry: dict[str, Any]) -> None:
    assert read(entry["given"]) == entry["read"]


def test_each_answer_has_a_name_of_its_own() -> None:
    assert len({entry["name"] for entry in ANSWERS}) == len(ANSWERS)
