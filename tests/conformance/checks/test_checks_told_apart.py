"""No finding says that one thing was expected and the same thing came, whatever the answer holds."""

from __future__ import annotations

import json
import time
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from checks_support import (
    CAO,
    CQ,
    JSON,
    TPP,
    UID,
    XML,
    abroad,
    case,
    error,
    failed,
    frame,
    http,
    instruction,
    judged,
    kit,
    no_answer,
    result,
    result_xml,
    results_xml,
    success,
    ws,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.checks.identity import match_results
from conformance.checks.outcome import compare
from conformance.checks.registry import bundled
from conformance.contract.problem_text import told_apart
from conformance.model.case import Alternative, Body, Message, Transport, Twin
from conformance.model.verdict import Finding

ANSWERS = json.loads((Path(__file__).parent / "answers.json").read_text(encoding="utf-8"))
DONE, NO = Alternative({"code": [0]}), Alternative({"code": [104]})
FLAGS = Alternative({"results": [True]})
SENT = frame({})
TWIN = Twin("said-otherwise", "TWIN", Transport.HTTP, JSON, (Message(Body("")),))
RUN = settings(max_examples=400, deadline=None, derandomize=True)
LOOK_ALIKE = str.maketrans("aceopxyiABEHOT", "асеорхуіАВЕНОТ")


def seen(text: str) -> str:
    """What somebody reads who overlooks blanks, unseen characters, accents and the script of a letter."""
    back = {value: chr(key) for key, value in LOOK_ALIKE.items()}
    parts = unicodedata.normalize("NFKD", text)
    read = (back.get(one, one) for one in parts if unicodedata.category(one) not in ("Cf", "Mn", "Cc"))
    return "".join("".join(read).split())


def same(findings: Iterator[Finding] | tuple[Finding, ...]) -> list[tuple[str, str]]:
    """The findings whose two sides read alike; one without an expectation has nothing to compare."""
    return [(one.expected, one.actual) for one in findings if one.expected and seen(one.expected) == seen(one.actual)]


def like(value: Any) -> list[Any]:
    """Values that look like this one in one notation or another, and are not it."""
    if isinstance(value, bool):
        return [str(value).lower(), str(value), int(value), float(value), [value], None]
    if value is None:
        return ["null", "None", "", "\u200b", [], {}, 0, False]
    if isinstance(value, int):
        return [str(value), f"{value} ", f" {value}", float(value), value + 0.5, bool(value), [value], f"\u200b{value}"]
    assert isinstance(value, str)
    return [
        f"{value} ", f" {value}", value.replace(" ", "  "), value.replace(" ", "\u00a0"), f"{value}\u200b", f"{value}\n",
        f"{value}\\n", f"\ufeff{value}", value.translate(LOOK_ALIKE), f"{value}\u0301", f'"{value}"', [value], {value: value},
        value.replace("-", "\u2010"), f"{value}\u00ad", f"{value}\ud800",
    ]  # fmt: skip


@st.composite
def changed(draw: st.DrawFn, entry: dict[str, Any]) -> dict[str, Any]:
    """The object with up to three members that look like what they should be."""
    names = draw(st.lists(st.sampled_from(sorted(entry)), min_size=1, max_size=3, unique=True))
    return {**entry, **{name: draw(st.sampled_from(like(entry[name]))) for name in names}}


@st.composite
def written(draw: st.DrawFn, value: Any) -> str:
    """The value as JSON: in another order, with a member twice, with a number that JSON has not, or plainly."""
    text = json.dumps(value)
    way = draw(st.sampled_from(["plain", "plain", "twice", "nan", "reversed"]))
    if way == "twice" and isinstance(value, dict):
        name = draw(st.sampled_from(sorted(value)))
        return f"{text[:-1]}, {json.dumps(name)}: {json.dumps(value[name])}}}"
    if way == "nan":
        return text.replace(": 0", ": NaN", 1).replace(": true", ": Infinity", 1)
    if way == "reversed" and isinstance(value, dict):
        return json.dumps(dict(reversed(value.items())))
    return text


@RUN
@given(st.data())
def test_standard_objects(data: st.DataObject) -> None:
    wanted = data.draw(st.sampled_from([DONE, NO]))
    body = data.draw(st.sampled_from([success(), error(104), error(100)]).flatmap(changed).flatmap(written))
    status = data.draw(st.sampled_from([200, 201, 302, 400, 404, 500]))
    assert same(judged(case(CAO, wanted, accept=JSON), http(body, status), sent={}).findings) == []


@RUN
@given(st.data())
def test_pairs(data: st.DataObject) -> None:
    legs = [data.draw(st.sampled_from([success(), error(104)]).flatmap(changed)) for _ in range(2)]
    told = [json.dumps(leg) if data.draw(st.booleans()) else leg for leg in legs]
    body = data.draw(written(dict(zip(("BidResult", "AskResult"), told, strict=True))))
    one = case(CQ, Alternative({"bid": [0], "ask": [104]}), Alternative({"form": "flat", "code": [100]}))
    assert same(judged(one, http(body), sent={}).findings) == []


@RUN
@given(st.data())
def test_results(data: st.DataObject) -> None:
    asked, right = data.draw(
        st.sampled_from([(instruction(), result()), (abroad(), result(None, InternationalOrderUID=UID))])
    )
    entries = data.draw(st.lists(changed(right), min_size=1, max_size=2))
    body = data.draw(written(entries))
    wanted = data.draw(st.sampled_from([FLAGS, Alternative({"results": "all"}), Alternative({"results": "none"})]))
    one = case(TPP, wanted, accept=JSON)
    assert same(judged(one, http(body, data.draw(st.sampled_from([200, 204, 400]))), sent=[asked]).findings) == []


@RUN
@given(st.data())
def test_results_in_xml(data: st.DataObject) -> None:
    ids = ["1001", " 1001", "1001.0", "01001", "1001\u200b", "1001\u00a0", "true", ""]
    flags = ["true", " true", "True", "1", "true\u200b", "trυe", ""]
    order, flag = data.draw(st.sampled_from(ids)), data.draw(st.sampled_from(flags))
    parts = {"order": f"<OrderID>{order}</OrderID>", "success": f"<Success>{flag}</Success>"}
    if data.draw(st.booleans()):
        parts = {"order": parts["success"], "success": parts["order"]}
    body = results_xml(result_xml(**parts))
    one = case(TPP, FLAGS, media_type=XML, accept=XML)
    assert same(judged(one, http(body, media=XML), sent=results_xml().encode()).findings) == []
    assert same(match_results(kit(TPP), (instruction(),), ({**result(), "OrderID": order},)).findings) == []


@RUN
@given(st.data())
def test_frames(data: st.DataObject) -> None:
    members = data.draw(changed({"m": 1, "i": 4, "n": "CancelAllOrders", "o": json.dumps(success())}))
    body = data.draw(written(members)).encode()
    one = case(CAO, DONE, transport=Transport.WS)
    assert same(judged(one, ws(body), sent=SENT).findings) == []
    assert same(judged(one, ws(others=[body]), sent=SENT).findings) == []


@RUN
@given(st.data())
def test_error_strings_and_texts_that_are_our_own_words(data: st.DataObject) -> None:
    words = sorted({f[3] for entry in ANSWERS for f in entry["read"]["findings"]} | {"a JSON object", "readable json"})
    text = data.draw(st.sampled_from(words).flatmap(lambda one: st.sampled_from([one, *filter(_is_text, like(one))])))
    operation = data.draw(st.sampled_from([CAO, CQ, TPP]))
    media = data.draw(st.sampled_from([JSON, XML, "text/plain", f"{JSON}\u00a0", None]))
    status = data.draw(st.sampled_from([200, 400, 404, 415, 500]))
    body = data.draw(st.sampled_from([text, json.dumps(text)])).encode("utf-8", "surrogatepass")
    assert same(judged(case(operation, DONE, accept=JSON), http(body, status, media), sent={}).findings) == []


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


@RUN
@given(st.data())
def test_relations(data: st.DataObject) -> None:
    first, second = (judged(case(TPP, FLAGS), http([data.draw(changed(result()))]), sent=[instruction()]) for _ in "12")
    assert same(compare(TWIN, first, (second,))) == []


@pytest.mark.parametrize("flag", [[], {"a": [1]}, "true", 1.5])
def test_an_outcome_can_be_looked_up_whatever_stands_for_the_flag(flag: Any) -> None:
    told, right = (
        judged(case(TPP, FLAGS), http([result(Success=one)]), sent=[instruction()]).gist for one in (flag, True)
    )
    assert {told: 1, right: 2} == {right: 2, told: 1}
    assert told != right


def by_every_check() -> Iterator[Finding]:
    """Findings of the checks that no single answer makes."""
    yield from judged(case(CAO, DONE), no_answer(), sent={}).findings
    yield from judged(case(CAO, DONE), http(error(104)), sent={}).findings
    opened = {"mine": "open", "yours": "open"}
    done = Alternative({"code": [0]}, cancelled=("mine",), untouched=("yours",))
    yield from judged(case(CAO, done), http(success()), sent={}, before=opened, after=opened).findings
    gone = {"mine": "cancelled", "yours": "cancelled"}
    yield from judged(case(CAO, done), http(success()), sent={}, before=opened, after=gone).findings
    yield from judged(case(CAO, DONE), http(success()), sent={}, pins={"errormsg-on-success": "empty"}).findings
    twice = case(TPP, Alternative({"results": [True]}, cancelled=("one",)), together=2)
    yield from judged(twice, http([result()]), http([result()]), sent=[instruction()]).findings
    yield from judged(case(TPP, FLAGS), http([result(), result()]), sent=[instruction()]).findings
    yield from judged(case(TPP, FLAGS), http([result("1001")]), sent=[instruction()]).findings  # type: ignore[arg-type]
    said = failed(Errors=["the pin 4711-4711 is wrong"])
    yield from judged(case(TPP, FLAGS), http([said]), sent=[instruction()], secrets=("4711-4711",)).findings
    answers = (judged(case(CAO, DONE), http(one), sent={}) for one in (success(), error(104)))
    yield from compare(TWIN, next(answers), tuple(answers))


def test_every_check_is_seen_to_tell_both_sides_apart() -> None:
    read = [entry["read"] for entry in ANSWERS]
    words = [one for each in read for one in (*each["findings"], each["unreadable"]) if one]
    findings = [*(Finding(*one) for one in words), *by_every_check()]
    assert same(tuple(findings)) == []
    elsewhere = {
        "form",
        "race",
        "standing",
    }  # of a format beside JSON and XML: test_a_third_format.py; of calls that overlap: test_checks_races.py; of things that
    # stand: test_books.py
    assert {one.check for one in findings} == {check.id for check in bundled()} - elsewhere


@pytest.mark.parametrize(
    ("answer", "expected", "actual"),
    [
        ({"OrderID": "1001"}, "OrderID 1001", 'OrderID "1001"'),
        ({"OrderID": None}, "OrderID 1001", "OrderID null"),
        ({}, "OrderID 1001", "no OrderID"),
    ],
)
def test_a_number_is_not_the_text_that_looks_like_it(answer: dict[str, Any], expected: str, actual: str) -> None:
    (found,) = match_results(kit(TPP), (instruction(),), (answer,)).findings
    assert (found.expected, found.actual) == (expected, actual)


@pytest.mark.parametrize(
    ("flag", "summary"),
    [
        (True, "1 results (true)"),
        ("true", '1 results ("true")'),
        (1, "1 results (1)"),
        (..., "1 results (no Success)"),
        (None, "1 results (null)"),
    ],
)
def test_a_flag_that_is_none_is_not_shown_as_one(flag: Any, summary: str) -> None:
    found = judged(case(TPP, FLAGS), http([result(Success=flag)]), sent=[instruction()])
    assert found.summary == f"HTTP 200 with {summary}"


@pytest.mark.parametrize(
    ("expected", "actual", "shown"),
    [
        ("a", "b", ("a", "b")),
        ("", "", ("", "")),
        ("Invalid Request", "invalid request", ("Invalid Request", "invalid request")),
        ('"a b"', '"a  b"', ('"a b"', '"a \\u0020b"')),
        ('"a"', '"a "', ('"a"', '"a\\u0020"')),
        ("a", "a\u200b", ("a", "a\\u200b")),
        ("a b", "a\u00a0b", ("a b", "a\\u00a0b")),
        ("a", "а", ("a", "\\u0430")),
        ("é", "e\u0301", ("\\u00e9", "e\\u0301")),
        ("a\nb", "a\\nb", ("a\\nb", "a\\\\nb")),
        ("open", "open", ("open", "open (another value, written the same)")),
        ("ошибка", "список", ("ошибка", "список")),
    ],
)
def test_what_reads_alike_is_written_with_escapes(expected: str, actual: str, shown: tuple[str, str]) -> None:
    assert told_apart(expected, actual) == shown


def test_long_texts_are_cut_where_they_differ() -> None:
    one, other = told_apart("x" * 500 + "1", "x" * 500 + "2", most=100)
    assert (one, other) == (f"… {'x' * 20}1", f"… {'x' * 20}2")


def test_telling_long_texts_apart_takes_no_time() -> None:
    one, other = "\ufdfa" * 2_000_000, "\ufdfa" * 2_000_000 + "x"
    began = time.process_time()
    assert told_apart(one, other) == (one, other)
    assert told_apart("a", one) == ("a", one)
    assert time.process_time() - began < 5
