"""Answers that hold more than is read, or as much as is just read: bounded work, and no finding without a document."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from conformance.cases.fixtures import load_cases
from conformance.checks.answer import Judgement, Observation
from conformance.checks.judge import Pins, _kept, judge
from conformance.checks.kit import Kit, build_kit, page_or_trace, shorten
from conformance.checks.read import read_answer
from conformance.contract.load import load_contract
from conformance.contract.schemas import load_validator
from conformance.formats.errors import BeyondError, CodecError
from conformance.formats.json.pointer import MAX_VALUES, load_json
from conformance.formats.json.read import MAX_NOTES, decode_json
from conformance.formats.xml.read import MAX_ATTRIBUTES, MAX_MARKUP, MAX_PROBLEMS, parse_xml
from conformance.guard.link import MOST_READ_BYTES
from conformance.model.case import Case
from conformance.model.spec import Contract
from conformance.model.verdict import Finding
from conformance.run.evidence import evidence_of
from conformance.wire.messages import Exchange, HttpReply, WsReply

MOST_S = 1.0
"""Of work, on a machine that does other things as well; measured, it is a third of that at most."""
WHOLE = 8 * 1024 * 1024
"""What the wire reads of a body by default; `MOST_READ_BYTES` is what it keeps of a case's answer."""
JSON, XML, HTML = "application/json", "text/xml", "text/html"
NS = 'xmlns="http://schemas.datacontract.org/2004/07/TPP.Contracts.Services.Order"'
ROOT = "ArrayOfCancellationCreationResult"
RESULT = '{"OrderID":1,"InternationalOrderUID":null,"Success":true,"Errors":null}'
MANY = MAX_VALUES - 1_000
PART = "a" * (MOST_READ_BYTES // MANY // 2)
Build = Callable[[], str]


def filled(unit: str, head: str = "", tail: str = "", separator: str = "", size: int = WHOLE) -> Build:
    """As many units as fit into so many bytes."""
    width = len((unit + separator).encode("utf-8", "surrogatepass"))
    return lambda: head + separator.join([unit] * ((size - len(head) - len(tail) - 8) // width)) + tail


def repeated(unit: str, count: int, head: str, tail: str, separator: str = ",") -> Build:
    """So many units."""
    return lambda: head + separator.join([unit] * count) + tail


def attributes(count: int, form: str = 'a{0}="{0}"') -> Build:
    """One element with so many attributes."""
    return lambda: f"<{ROOT} {NS} {' '.join(form.format(i) for i in range(count))}/>"


BEYOND: dict[str, tuple[str, Build]] = {
    "equal-keys": (JSON, filled('"a":0', "{", "}", ",")),
    "equal-keys-of-a-result": (JSON, filled('"OrderID":1', "[{", "}]", ",")),
    "many-members": (JSON, lambda: "{" + ",".join(f'"a{i}":0' for i in range(600_000)) + "}"),
    "lists-99-deep": (JSON, filled("[" * 98 + "]" * 98, "[", "]", ",")),
    "empty-lists": (JSON, filled("[]", "[", "]", ",")),
    "empty-objects": (JSON, filled("{}", "[", "]", ",")),
    "numbers": (JSON, filled("1", "[", "]", ",")),
    "floats": (JSON, filled("1.0", "[", "]", ",")),
    "half-surrogates": (JSON, filled('"\\ud800"', "[", "]", ",")),
    "brackets-in-strings": (JSON, filled('"[{"', "[", "]", ",")),
    "results": (JSON, filled(RESULT, "[", "]", ",")),
    "errors": (JSON, filled('""', '[{"OrderID":1,"Errors":[', "]}]", ",")),
    "elements": (XML, filled("<b/>", f"<{ROOT} {NS}>", f"</{ROOT}>")),
    "elements-with-attributes": (XML, filled('<b a="" b="" c=""/>', f"<{ROOT} {NS}>", f"</{ROOT}>")),
    "comments": (XML, filled("<!---->", "", f"<{ROOT} {NS}/>")),
    "instructions": (XML, filled("<?a?>", f"<{ROOT} {NS}>", f"</{ROOT}>")),
    "cdata": (XML, filled("<![CDATA[a]]>", f"<{ROOT} {NS}>", f"</{ROOT}>")),
    "namespaces": (XML, attributes(100_000, 'xmlns:a{}="u"')),
    "attributes-of-many": (XML, repeated("<b " + " ".join(f'a{i}=""' for i in range(99)) + "/>", 700, f"<{ROOT}>", f"</{ROOT}>", "")),
}  # fmt: skip
"""More values or tags than are read."""
WRONG: dict[str, tuple[str, Build]] = {
    "deep": (JSON, lambda: "[" * (WHOLE // 2) + "]" * (WHOLE // 2)),
    "deep-and-open": (JSON, lambda: "[" * WHOLE),
    "digits": (JSON, filled("1", "[", "]")),
    "quotes": (JSON, filled('"', "[")),
    "open-strings": (JSON, filled('"\\', "[")),
    "deep-xml": (XML, lambda: "<a>" * 500_000 + "</a>" * 500_000),
    "attributes": (XML, attributes(400_000)),
    "attributes-40000": (XML, attributes(40_000)),
    "long-name": (XML, lambda: f"<{'a' * (WHOLE - 64)}/>"),
    "html-comments": (HTML, filled("<!---->", "", "x")),
    "html-newlines": (HTML, filled("\n", "", "x")),
    "html-namespaces": (HTML, filled("System.", "", "x")),
    "html-places": (HTML, filled("at a() in ", "", "x")),
    "comments-in-a-string": (JSON, filled("<!---->", '"', '"')),
    "newlines-in-a-string": (JSON, filled("\\n", '"', '"')),
    "namespaces-in-a-string": (JSON, filled("System.", '"', '"')),
    "just-numbers": (JSON, repeated("1", MANY, "[", "]")),
    "just-wrong-results": (JSON, repeated('{"OrderID":"x","Success":"a","Errors":3}', MANY // 4, "[", "]")),
    "just-wrong-errors": (JSON, repeated("1", MANY, '[{"OrderID":1,"Errors":[', "]}]")),
    "just-equal-keys": (JSON, repeated(f'"a":"{PART}"', MANY, "{", "}")),
    "just-equal-pairs": (JSON, lambda: "{" + ",".join(f'"{i}":1,"{i}":2' for i in range(MANY // 2)) + "}"),
    "just-floats": (JSON, repeated("1.0", MANY, "[", "]")),
    "just-surrogates": (JSON, repeated(f'"\\ud800{PART}"', MANY, "[", "]")),
    "just-long-names": (JSON, lambda: ('{"%s":' % ("k" * 20_000)) * 98 + "1.0" + "}" * 98),
    "just-long-name": (JSON, lambda: '{"%s":{' % ("k" * 1_000_000) + ",".join(f'"{i}":1.0' for i in range(MANY)) + "}}"),
    "just-wide": (JSON, filled("a", '"\U0001f600', '"', size=MOST_READ_BYTES)),
    "just-elements": (XML, repeated("<b/>", MAX_MARKUP - 10, f"<{ROOT} {NS}>", f"</{ROOT}>", "")),
    "just-wrong-elements": (XML, repeated("<CancellationCreationResult/>", MAX_MARKUP - 10, f"<{ROOT} {NS}>", f"</{ROOT}>", "")),
    "just-open-comments": (XML, repeated("<!-- = ", MAX_MARKUP - 10, f"<{ROOT} {NS}>", "", "")),
    "just-open-values": (XML, repeated('<a =" ', MAX_MARKUP - 10, f"<{ROOT} {NS}>", "", "")),
}  # fmt: skip
"""What breaks the document in a form that costs much to look at, and what is just read."""


@pytest.fixture(scope="module")
def contract() -> Contract:
    return load_contract()


@pytest.fixture(scope="module")
def kit(contract: Contract) -> Kit:
    return build_kit(contract.operations["tpp.create_cancellations"])


@pytest.fixture(scope="module")
def cases(contract: Contract) -> dict[str, Case]:
    wanted = {"application/json": JSON, "text/xml": XML}
    found = load_cases(contract, ["tpp.create_cancellations"])
    return {
        wanted[case.media_type]: case for case in found if "unknown-order@" in case.id and case.media_type in wanted
    }


def judged(kit: Kit, case: Case, exchange: Exchange) -> tuple[Judgement, float]:
    """The judgement, with the seconds of work for it and for the evidence."""
    observation = Observation((exchange,), b'[{"OrderID":1,"CreatorID":1}]', secrets=("Tr4der-SeCret-77", "8642-pin"))
    began = time.process_time()
    judgement = judge(kit, case, observation, Pins())
    evidence_of((exchange,), observation.secrets, ("other-secret",), full=True)
    return judgement, time.process_time() - began


def over_http(media: str, body: bytes, status: int = 200, unread: int = 0) -> Exchange:
    reply = HttpReply(status, "OK", (("Content-Type", media),), b"" if unread else body, "1.1", unread_bytes=unread)
    return Exchange(b"x", body[: 256 * 1024], reply, None, 0.0, 0.0)


@pytest.mark.parametrize("name", BEYOND)
def test_an_answer_that_holds_more_than_is_read_is_no_finding(kit: Kit, cases: dict[str, Case], name: str) -> None:
    media, build = BEYOND[name]
    judgement, busy_s = judged(kit, cases[media], over_http(media, build().encode("utf-8", "surrogatepass")))
    assert "holds more than" in judgement.beyond
    assert not judgement.findings
    assert "schema" in judgement.blocked
    assert busy_s < MOST_S


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_found_in_bounded_time_and_told_in_bounded_words(
    kit: Kit, cases: dict[str, Case], name: str
) -> None:
    media, build = WRONG[name]
    body = build().encode("utf-8", "surrogatepass")
    judgement, busy_s = judged(kit, cases.get(media, cases[JSON]), over_http(media, body))
    assert judgement.findings
    assert not judgement.beyond
    assert busy_s < MOST_S
    assert len(judgement.findings) <= 200
    assert sum(len(str(finding)) for finding in judgement.findings) < 200_000
    assert all(
        len(text) <= 1_001 for one in judgement.findings for text in (one.message, one.expected, one.actual, one.at)
    )


def test_a_body_that_was_not_kept_is_told_by_its_length(kit: Kit, cases: dict[str, Case]) -> None:
    judgement, _ = judged(kit, cases[JSON], over_http(JSON, b"[", unread=3_000_000))
    assert judgement.beyond == "the answer has 3,000,000 bytes, more than is read of an answer"
    assert not judgement.findings


def test_a_server_failure_is_one_however_long_its_page_is(kit: Kit, cases: dict[str, Case]) -> None:
    judgement, _ = judged(kit, cases[JSON], over_http(JSON, b"[", status=500, unread=3_000_000))
    assert [finding.check for finding in judgement.findings] == ["bad-input"]


def test_a_frame_and_its_payload_are_bounded_alike(contract: Contract) -> None:
    kit = build_kit(contract.operations["alphapoint.cancel_all_orders"])
    case = next(
        one for one in load_cases(contract, ["alphapoint.cancel_all_orders"]) if one.id == "cao/effects/nothing-open@ws"
    )
    sent = b'{"m":0,"i":2,"n":"CancelAllOrders","o":"{}"}'
    payload = json.dumps({"result": True, "errormsg": None, "errorcode": 0, "detail": [1] * 50_000})
    inside = json.dumps({"m": 1, "i": 2, "n": "CancelAllOrders", "o": payload}).encode()
    around = b'{"m":1,"i":2,"n":"CancelAllOrders","o":"{}","x":[%b]}' % b",".join([b"1"] * 50_000)
    for text in (inside, around):
        exchange = Exchange(sent, text, WsReply(text), None, 0.0, 0.0)
        judgement = judge(kit, case, Observation((exchange,), frame=sent), Pins())
        assert (judgement.findings, judgement.beyond) == ((), "the JSON holds more than 30,000 values")
    unread = Exchange(sent, inside, WsReply(b"", unread_bytes=9_000_000), None, 0.0, 0.0)
    assert "9,000,000 bytes" in judge(kit, case, Observation((unread,), frame=sent), Pins()).beyond


def test_the_longest_list_of_any_case_is_far_below_what_is_read(kit: Kit) -> None:
    results = [
        {"OrderID": i, "InternationalOrderUID": None, "Success": False, "Errors": ["no such order", "or cancelled"]}
        for i in range(3_000)
    ]
    assert len(decode_json(json.dumps(results).encode()).value) == 3_000


def test_values_are_counted_outside_strings() -> None:
    text = json.dumps([",[{" * 100_000, 'a"b\\' * 100_000])
    assert len(decode_json(text.encode()).value) == 2
    assert len(load_json(text)) == 2
    with pytest.raises(BeyondError, match="30,000 values"):
        decode_json(json.dumps([0] * (MAX_VALUES + 1)).encode())
    assert len(decode_json(json.dumps([0] * MAX_VALUES).encode()).value) == MAX_VALUES
    with pytest.raises(ValueError, match="500000 values"):
        load_json(json.dumps([0] * 500_002))


def test_too_deep_is_told_from_too_much() -> None:
    with pytest.raises(CodecError) as deep:
        decode_json(b"[" * 200 + b",1" * 50_000)
    assert deep.value.kind == "too-deep"
    with pytest.raises(BeyondError):
        decode_json(b'["%b"' % (b"[" * 200) + b",1" * 50_000 + b"]")


def test_notes_are_bounded_in_number_and_length() -> None:
    notes = decode_json(("{" + ",".join(f'"a{i}":1,"a{i}":2' for i in range(1_000)) + "}").encode()).notes
    assert len(notes) == MAX_NOTES
    (note,) = decode_json(("{" + ",".join(['"a":"%s"' % ("x" * 1_000)] * 1_000) + "}").encode()).notes
    assert note.text.startswith("member 'a' is given 1000 times; the last is used, before it: ")
    assert note.text.endswith(" and 989 more")
    assert len(note.text) < 2_500
    (note,) = decode_json(('{"%s": 1.5}' % ("x" * 10_000)).encode()).notes
    assert len(note.pointer) < 300


def test_attributes_are_counted_in_tags_alone() -> None:
    talk = "a=1 " * 1_000
    text = f'<a><!-- {talk} --><b c="{talk}">{talk}</b><![CDATA[<x {talk}>]]><?p {talk}?></a>'
    assert parse_xml(text.encode()).root.tag == "a"
    names = " ".join(f'xmlns:n{i}="urn:{i}"' for i in range(300))
    assert parse_xml(f"<a {names}/>".encode()).root.tag == "a"
    many = " ".join(f"n{i}='>'" for i in range(MAX_ATTRIBUTES + 1))
    with pytest.raises(CodecError) as refused:
        parse_xml(f"<a b='>' {many}/>".encode())
    assert refused.value.kind == "attributes"


def test_siblings_are_not_taken_for_depth() -> None:
    for one in ("<b/>", "<b c='/>'/>", '<b c=">"></b>', "<!-- <b> -->", "<![CDATA[<b>]]>"):
        with pytest.raises(BeyondError):
            parse_xml(f"<a>{one * MAX_MARKUP}</a>".encode())


def test_problems_of_a_long_list_are_those_of_its_first_wrong_thousand(contract: Contract) -> None:
    validator = load_validator(Path(contract.operations["tpp.create_cancellations"].folder) / "response.schema.json")
    good = json.loads(RESULT)
    value = [good] * 2_500 + [{**good, "OrderID": "x"}] + [good] * 2_000
    assert [(one.pointer, one.keyword) for one in validator.problems(value)] == [("/2500/OrderID", "type")]
    assert len(validator.problems([{**good, "OrderID": "x"}] * 5_000)) == 1_000
    assert len(validator.problems([{**good, "OrderID": "x"}] * 900)) == 900
    errors = {**good, "Success": False, "Errors": ["e"] * 3_000 + [7]}
    assert [one.pointer for one in validator.problems([errors])] == ["/0/Errors/3000"]


def test_excerpts_do_not_look_at_the_whole_of_a_long_text() -> None:
    assert shorten("a b\n c") == "a b c"
    assert shorten("word " * 400).endswith(f"… ({5 * 400} characters)")
    assert shorten("x " * 4_000_000).endswith("… (8000000 characters)")
    assert shorten(" " * 5_000) == "… (5000 characters)"


@pytest.mark.parametrize(
    "text",
    [
        "   at Shop.Orders.Cancel(Int32 id) in C:\\src\\Orders.cs:line 12", "x\r\n   at Shop.Cancel(Int32 id)\r\n",
        "Traceback (most recent call last):", "    at async cancel (/srv/app.js:10:5)", "System.NullReferenceException: no",
        "java.lang.IllegalStateException: no", "<!-- a --><!-- b --> <!DOCTYPE html>", "<?xml version='1.0'?>\n<html >",
        "\n" * 1_000 + "   at Shop.Cancel(Int32 id)",
    ],
)  # fmt: skip
def test_pages_and_traces_are_still_seen(kit: Kit, text: str) -> None:
    assert len(list(page_or_trace(kit, text))) == 1


def test_problems_of_xml_stay_few_and_short(kit: Kit) -> None:
    assert kit.xml_response is not None
    reading = kit.xml_response.read(f"<{ROOT} {NS}>{'<b/>' * 1_000}<{'c' * 30_000}/></{ROOT}>".encode())
    assert len(reading.problems) <= MAX_PROBLEMS
    assert all(len(problem.message) <= 1_001 for problem in reading.problems)


def test_findings_of_one_kind_are_counted_when_they_are_many(kit: Kit, cases: dict[str, Case]) -> None:
    body = json.dumps([{**json.loads(RESULT), "OrderID": "x"}] * 100).encode()
    judgement, _ = judged(kit, replace(cases[JSON]), over_http(JSON, body))
    assert sum(finding.check == "schema" for finding in judgement.findings) == 20
    assert any(note.startswith("80 more findings of the check schema on TPP-") for note in judgement.notes)


def test_an_answer_that_is_not_read_tells_its_status_and_why(kit: Kit) -> None:
    body = b"[" + b"1," * MAX_VALUES + b"1]"
    answer = read_answer(kit, over_http("application/json", body, 200), b"", None)
    assert answer.status == 200
    assert answer.summary == answer.beyond == f"the JSON holds more than {MAX_VALUES:,} values"


def test_twenty_findings_of_a_kind_are_kept_and_texts_of_a_thousand_characters() -> None:
    findings = [Finding("R", "outcome", f"message {number}", "", "", "") for number in range(20)]
    assert _kept(findings) == (tuple(findings), ())
    one_more = Finding("R", "outcome", "the last", "", "", "")
    assert _kept([*findings, one_more]) == (
        tuple(findings), ("1 more findings of the check outcome on R are left out",)
    )  # fmt: skip
    whole, long = (Finding("R", "outcome", "x" * count, "", "", "") for count in (1000, 1001))
    assert _kept([whole])[0] == (whole,)
    assert _kept([long])[0][0].message == "x" * 1000 + "…"
