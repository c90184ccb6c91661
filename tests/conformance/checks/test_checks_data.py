"""Answers that a schema describes: which are what was asked for, which are errors instead of it, and what is wrong in each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from checks_support import XSI, case, frame, http, ws

from conformance.checks.answer import (
    DATA,
    ERROR_FRAME,
    FAILURE,
    FRAMEWORK,
    HTTP_REFUSAL,
    Answer,
    Judgement,
    Observation,
)
from conformance.checks.data import read_data, read_data_http
from conformance.checks.judge import Pins, judge
from conformance.checks.kit import Kit, build_kit
from conformance.checks.read import read_answer
from conformance.contract.load import load_contract
from conformance.contract.schemas import SchemaValidator, load_validator
from conformance.formats.errors import BeyondError
from conformance.formats.json.format import JSON
from conformance.formats.text import parse_media_type
from conformance.formats.xml.format import XML
from conformance.formats.xml.read import MAX_MARKUP
from conformance.model.case import Alternative, Body, Message
from conformance.wire.messages import Exchange

SPECS = Path(__file__).parent.parent / "described" / "specs"
DEPTH, BIN, DROP = "market.depth", "depot.bin", "depot.drop"
STEP = {"Price": 1.5, "Quantity": 2, "Side": 0}
PROBLEM = {"result": False, "errormsg": "no such market", "errorcode": 104}
TRACE = "Traceback (most recent call last)"
PAGE = b"<!doctype html><p>gone"
ANSWER, ERROR, NEITHER = frozenset({DATA}), frozenset({FAILURE}), frozenset[str]()
REFUSAL = frozenset({FAILURE, HTTP_REFUSAL})
A_BIN = {"BinID": 1, "Kind": 5, "Parts": [], "Since": "2026-01-02T03:04:05Z", "Site": "Nord", "Weight": None}
A_BIN_IN_XML = (
    '<Bin xmlns="urn:depot"><BinID>1</BinID><Kind>Pallet</Kind><Parts/><Since>2026-01-02T03:04:05Z</Since>'
    "<Site>Nord</Site></Bin>"
)


@cache
def kit(operation: str) -> Kit:
    """A contract whose answers are described by schemas, compiled."""
    return build_kit(load_contract(SPECS).operations[operation])


def flagged(operation: str, flag: str = "result") -> Kit:
    """The same, with a member that says whether the call succeeded."""
    made = kit(operation)
    return replace(made, operation=replace(made.operation, success=flag))


def validator(folder: Path, schema: Mapping[str, Any]) -> SchemaValidator:
    path = folder / "response.schema.json"
    path.write_text(json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}), encoding="utf-8")
    return load_validator(path)


def said(answer: Answer) -> list[tuple[str, str, str]]:
    """Check, requirement and place of each finding."""
    return [(one.check, one.requirement, one.at) for one in answer.findings]


def unreadable(answer: Answer) -> tuple[str, str, str, str, str]:
    found = answer.unreadable
    assert found is not None
    return found.check, found.requirement, found.expected, found.actual, found.at


def test_value_that_fits_its_schema_is_the_answer() -> None:
    answer = read_data(kit(DEPTH), [STEP], 200)
    assert (answer.forms, answer.status, answer.value) == (ANSWER, 200, [STEP])
    assert (answer.findings, answer.summary) == ((), "a list of 1")


def test_departures_are_findings_on_the_requirement_of_their_place() -> None:
    answer = read_data(kit(DEPTH), [{**STEP, "Side": 7}], None)
    assert (answer.forms, answer.status) == (ANSWER, None)
    (found,) = answer.findings
    assert (found.check, found.requirement, found.at) == ("schema", "MD-SIDE", "/0/Side")
    assert (found.expected, found.actual) == ("one of 0, 1", "7")
    assert found.message == "/0/Side: expected one of 0, 1, found 7"


def test_departure_from_a_schema_without_requirements_is_on_that_of_the_call(tmp_path: Path) -> None:
    made = replace(kit(DEPTH), response=validator(tmp_path, {"type": "null"}))
    assert said(read_data(made, 5, 200)) == [("schema", "MD-FORM", "")]


def test_what_fits_the_schema_of_errors_alone_is_an_error() -> None:
    answer = read_data(kit(DEPTH), PROBLEM, 200)
    assert (answer.forms, answer.findings) == (ERROR, ())
    assert answer.summary == "an error, an object with result, errormsg, errorcode"


def test_what_fits_neither_schema_is_taken_for_the_answer() -> None:
    answer = read_data(kit(DEPTH), {"result": False}, 200)
    assert (answer.forms, said(answer)) == (ANSWER, [("schema", "MD-FORM", "")])
    assert read_data(kit(DROP), 5, 200).forms == ANSWER, "a call whose errors nobody describes"


def test_what_fits_both_schemas_is_the_answer() -> None:
    made = replace(kit(DEPTH), error=kit(DEPTH).response)
    assert read_data(made, [STEP], 200).forms == ANSWER


def test_flag_decides_what_fits_both_schemas_or_none(tmp_path: Path) -> None:
    made = replace(flagged(DEPTH), response=validator(tmp_path, {"type": "object", "required": ["result"]}))
    assert read_data(made, PROBLEM, 200).forms == ERROR
    assert read_data(made, {"result": True}, 200).forms == ANSWER
    bare = read_data(flagged(DEPTH), {"result": False}, 200)
    assert (bare.forms, said(bare)) == (ERROR, [("schema", "MD-FORM", "")]), "and is no documented error"


def test_flag_of_success_in_what_looks_like_an_error_is_no_error(tmp_path: Path) -> None:
    made = replace(flagged(DEPTH), error=validator(tmp_path, {"type": "object"}))
    answer = read_data(made, {"result": True}, 200)
    assert (answer.forms, said(answer)) == (ANSWER, [("schema", "MD-FORM", "")])


@pytest.mark.parametrize(
    ("flags", "forms"),
    [
        ([True, True], ANSWER),
        ([False, False], ERROR),
        ([False, True], NEITHER),
        ([True, False], NEITHER),
        ([False, None], NEITHER),
        ([True, None], ANSWER),
        ([], ANSWER),
    ],
)
def test_list_is_an_error_where_each_record_says_so_and_neither_where_some_do(
    flags: list[bool | None], forms: frozenset[str]
) -> None:
    value = [{**STEP, **({} if flag is None else {"result": flag})} for flag in flags]
    assert read_data(flagged(DEPTH), value, 200).forms == forms


def test_flags_stand_in_records_alone() -> None:
    value = [5, {**STEP, "result": False}]
    assert read_data(flagged(DEPTH), value, 200).forms == ERROR
    assert read_data(kit(DEPTH), [{**STEP, "": False}], 200).forms == ANSWER, "this call has no flag"


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ([STEP, {**STEP, "Note": TRACE}], "/1/Note"),
        ({**PROBLEM, "errormsg": TRACE}, "/errormsg"),
        (TRACE, "body"),
    ],
)
def test_stack_trace_in_any_text_is_found_where_it_stands(value: Any, place: str) -> None:
    found = [one for one in said(read_data(kit(DEPTH), value, 200)) if one[0] != "schema"]
    assert found == [("bad-input", "MD-BAD-INPUT", place)]


@pytest.mark.parametrize(
    ("value", "summary"),
    [
        (None, "no value"),
        ({}, "an empty object"),
        ({"a": 1, "b": 2}, "an object with a, b"),
        ({"a" * 60: 1}, f"an object with {'a' * 60}"),
        ({"a" * 61: 1}, f"an object with {'a' * 60}… (61 characters)"),
        ([1, 2], "a list of 2"),
        ("x", 'string "x"'),
    ],
)
def test_summary_says_what_kind_of_value_came(value: Any, summary: str) -> None:
    assert read_data(kit(DROP), value, 200).summary == summary


def answered(operation: str | Kit, status: int, body: bytes | str, media: str = "application/json") -> Answer:
    made = operation if isinstance(operation, Kit) else kit(operation)
    written_in = XML if "xml" in media else JSON
    data = body if isinstance(body, bytes) else body.encode()
    return read_data_http(made, status, written_in, parse_media_type(media) if media else None, data)


@pytest.mark.parametrize("status", [300, 302, 399])
def test_caller_is_not_sent_elsewhere(status: int) -> None:
    answer = answered(DEPTH, status, json.dumps([STEP]))
    assert (answer.forms, answer.status, answer.summary) == (NEITHER, status, f"HTTP {status}")
    assert unreadable(answer) == ("status", "MD-STATUS", "an answer at this path", f"HTTP {status}", "status")


def test_answer_in_json_is_read_with_what_its_schema_says() -> None:
    answer = answered(DEPTH, 200, json.dumps([STEP, {**STEP, "Side": 7}]))
    assert (answer.forms, answer.status, answer.unreadable) == (ANSWER, 200, None)
    assert said(answer) == [("schema", "MD-SIDE", "/1/Side")]
    assert (answer.beside, answer.summary) == ((), "HTTP 200; a list of 2")
    assert answered(DEPTH, 299, json.dumps([STEP])).forms == ANSWER


def test_member_that_stands_twice_is_found_in_answers_and_in_errors() -> None:
    answer = answered(DEPTH, 200, '[{"Price": 1, "Quantity": 2, "Side": 1, "Side": 0}]')
    assert said(answer) == [("members", "MD-FORM", "/0/Side")]
    answer = answered(BIN, 400, '{"Text": "no", "Text": "yes"}')
    assert said(answer) == [("members", "DB-FORM", "/Text")]


def test_charset_of_the_media_type_is_the_charset_of_the_body() -> None:
    name = "Größe"
    wide = json.dumps({**A_BIN, "Site": name}, ensure_ascii=False).encode("utf-16-le")
    assert answered(BIN, 200, wide, "application/json; charset=utf-16le").value["Site"] == name
    assert answered(DROP, 400, name.encode("latin-1"), "text/plain; charset=iso-8859-1").value == name
    text = f"<Bin>{name}".encode("latin-1")
    assert unreadable(answered(BIN, 200, text, "application/xml; charset=iso-8859-1"))[3] == f"<Bin>{name}"
    in_xml = A_BIN_IN_XML.replace("</Bin>", f"<!-- {name} --></Bin>").encode("latin-1")
    assert answered(BIN, 200, in_xml, "application/xml; charset=iso-8859-1").beside == (f" {name} ",)
    assert answered(DEPTH, 200, json.dumps([STEP]), "").forms == ANSWER, "where no media type is told"


@pytest.mark.parametrize(
    ("status", "forms"),
    [(400, REFUSAL), (499, REFUSAL), (500, NEITHER)],
)
def test_error_in_any_form_is_one_where_nobody_describes_errors(status: int, forms: frozenset[str]) -> None:
    answer = answered(DROP, status, "no such bin")
    assert (answer.forms, answer.status, answer.value, answer.findings) == (forms, status, "no such bin", ())
    assert answer.summary == f"HTTP {status} with an error"


def test_page_instead_of_an_error_is_found() -> None:
    for operation, requirement in ((DROP, "DD-BAD-INPUT"), (BIN, "DB-BAD-INPUT")):
        answer = answered(operation, 404, PAGE)
        assert (answer.forms, said(answer)) == (REFUSAL, [("bad-input", requirement, "body")])
        assert (answer.value, answer.unreadable) == (PAGE.decode(), None)


def test_no_body_is_no_value_where_the_status_or_the_schema_says_so() -> None:
    for status, body in ((200, b""), (204, b""), (299, b""), (200, b" \r\n")):
        answer = answered(DROP, status, body)
        assert (answer.forms, answer.status, answer.findings) == (ANSWER, status, ())
        assert (answer.value, answer.summary) == (None, f"HTTP {status} without a body")
    told = answered(BIN, 204, b"")
    assert (told.forms, said(told)) == (ANSWER, [("schema", "DB-FORM", "")])
    assert unreadable(answered(BIN, 200, b"")) == ("readable", "DB-FORM", "JSON as documented", "nothing", "body")
    lost = answered(replace(kit(DROP), error=kit(BIN).error), 400, b"")
    assert unreadable(lost) == ("readable", "DD-FORM", "JSON as documented", "nothing", "body")
    assert unreadable(answered(DROP, 200, b" 5 5"))[3] == "5 5"


def test_text_that_cannot_be_read_is_no_answer() -> None:
    answer = answered(DEPTH, 200, "oh dear")
    assert (answer.forms, answer.status, answer.findings) == (NEITHER, 200, ())
    assert unreadable(answer) == ("readable", "MD-FORM", "JSON as documented", "oh dear", "body")
    assert answer.unreadable is not None
    assert answer.unreadable.message.startswith("the answer is no JSON: ")
    refused = answered(BIN, 404, "oh dear")
    assert (refused.forms, refused.status) == (REFUSAL, 404), "a 4xx is an error whatever its body"
    assert refused.summary == "HTTP 404 with text that is no JSON"
    assert unreadable(refused)[:2] == ("readable", "DB-FORM")


def test_page_that_cannot_be_read_is_a_page_and_nothing_else() -> None:
    answer = answered(DEPTH, 200, PAGE)
    assert (answer.forms, answer.status, answer.unreadable) == (NEITHER, 200, None)
    assert (answer.value, said(answer)) == (PAGE.decode(), [("bad-input", "MD-BAD-INPUT", "body")])


def test_body_beyond_the_limits_of_reading_is_not_read() -> None:
    with pytest.raises(BeyondError):
        answered(BIN, 200, "<a/>" * (MAX_MARKUP + 1), "application/xml")


def test_xml_without_a_documented_form_says_nothing() -> None:
    answer = answered(DEPTH, 200, "<Depth/>", "application/xml")
    assert (answer.forms, answer.status, answer.findings) == (NEITHER, 200, ())
    assert unreadable(answer) == ("readable", "MD-FORM", "no body", "<Depth/>", "body")
    assert unreadable(answered(DEPTH, 200, "", "application/xml"))[3] == "nothing"
    refused = answered(DEPTH, 400, "<Error/>", "application/xml")
    assert (refused.forms, refused.status) == (REFUSAL, 400)
    page = answered(DEPTH, 200, PAGE, "application/xml")
    assert (page.forms, page.status, page.unreadable) == (NEITHER, 200, None)
    assert (page.value, said(page)) == (PAGE.decode(), [("bad-input", "MD-BAD-INPUT", "body")])


def test_errors_in_xml_may_have_no_form_where_answers_have_one() -> None:
    made = kit(BIN)
    without = replace(made, operation=replace(made.operation, xsd={"response": made.operation.xsd["response"]}))
    assert answered(without, 200, A_BIN_IN_XML, "application/xml").forms == ANSWER
    assert unreadable(answered(without, 400, "<Problem/>", "application/xml"))[2] == "no body"


def test_answer_in_xml_is_read_with_what_its_xsd_says() -> None:
    answer = answered(BIN, 200, A_BIN_IN_XML, "application/xml")
    assert (answer.forms, answer.value["Kind"], answer.findings) == (ANSWER, 5, ())
    assert answer.beside == ()
    turned = A_BIN_IN_XML.replace("<BinID>1</BinID><Kind>Pallet</Kind>", "<Kind>Pallet</Kind><BinID>1</BinID>")
    found = answered(BIN, 200, turned, "application/xml").findings
    assert [(one.requirement, one.expected) for one in found] == [("DB-XML-ORDER", "as response.xsd has it")]
    wrong = answered(BIN, 200, A_BIN_IN_XML.replace("Pallet", "Barrel"), "application/xml")
    assert set(said(wrong)) == {("schema", "DB-RESP-KIND", "/Kind")}


def test_texts_beside_the_value_are_kept() -> None:
    talking = A_BIN_IN_XML.replace("<Parts/>", "<Parts/><!-- token 17 -->")
    assert answered(BIN, 200, talking, "application/xml").beside == (" token 17 ",)
    loose = A_BIN_IN_XML.replace("<Kind>", "spilt<Kind>")
    answer = answered(BIN, 200, loose, "application/xml")
    assert answer.beside == ("spilt",)
    assert [one[:2] for one in said(answer)] == [("xml-item", "DB-XML-ITEM")]


def test_credential_in_what_the_document_does_not_name_is_found() -> None:
    for unnamed in ("<Note>a token 4b7e01c9</Note>", "<Note More='a token 4b7e01c9'/>"):
        answer = http(A_BIN_IN_XML.replace("</Bin>", f"{unnamed}</Bin>"), media="application/xml")
        seen = Observation((answer,), secrets=("4b7e01c9",), name_of=lambda _: "a token")
        found = judge(kit(BIN), case(BIN, Alternative({"form": "data"})), seen, Pins()).findings
        assert [(one.requirement, one.actual) for one in found] == [("DB-SECRETS", "a token (hidden)")]


def test_nothing_stands_beside_a_value_of_documented_form() -> None:
    nil = A_BIN_IN_XML.replace("</Bin>", f'<Weight xmlns:i="{XSI}" i:nil="true"/></Bin>')
    answer = answered(BIN, 200, nil, "application/xml")
    assert (answer.beside, answer.findings) == ((), ())


def test_xml_with_another_root_is_no_answer() -> None:
    answer = answered(BIN, 200, '<Crate xmlns="urn:depot"/>', "application/xml")
    assert (answer.forms, answer.status, answer.findings) == (NEITHER, 200, ())
    assert unreadable(answer)[:2] == ("xml-root", "DB-XML-ROOT")
    refused = answered(BIN, 404, "<Crate/>", "application/xml")
    assert (refused.forms, unreadable(refused)[:2]) == (REFUSAL, ("xml-root", "DB-XML-ROOT"))


@pytest.mark.parametrize(("status", "forms"), [(400, REFUSAL), (499, REFUSAL), (500, ERROR)])
def test_documented_error_is_held_against_its_schema(status: int, forms: frozenset[str]) -> None:
    answer = answered(BIN, status, '{"Text": "no such bin"}')
    assert (answer.forms, answer.status, answer.findings) == (forms, status, ())
    assert (answer.value, answer.summary) == (
        {"Text": "no such bin"}, f"HTTP {status} with an error, an object with Text",
    )  # fmt: skip
    wrong = answered(BIN, status, '{"Text": 5}')
    (found,) = wrong.findings
    assert (found.check, found.requirement, found.at) == ("schema", "DB-PROBLEM", "/Text")
    assert (found.expected, found.actual) == ("string", "5 (integer)")
    assert found.message == "/Text: expected string, found 5 (integer)"
    assert said(answered(BIN, status, json.dumps({"Text": TRACE}))) == [("bad-input", "DB-BAD-INPUT", "body")]


def test_error_that_departs_from_a_schema_without_requirements_is_on_that_of_the_call(tmp_path: Path) -> None:
    made = replace(kit(BIN), error=validator(tmp_path, {"type": "null"}))
    assert said(answered(made, 400, "5")) == [("schema", "DB-FORM", "")]


def test_documented_error_in_xml_is_held_against_its_xsd() -> None:
    answer = answered(BIN, 400, "<Problem><Text>no</Text></Problem>", "application/xml")
    assert (answer.forms, answer.value, said(answer)) == (REFUSAL, {"Text": "no"}, [])
    talking = answered(BIN, 400, "<Problem><!-- token 17 --><Text>no</Text></Problem>", "application/xml")
    assert " token 17 " in talking.beside
    twice = answered(BIN, 400, "<Problem><Text>no</Text><Text>no</Text></Problem>", "application/xml")
    assert [(one.requirement, one.expected) for one in twice.findings] == [("DB-XML-ORDER", "as problem.xsd has it")]


@pytest.mark.parametrize("status", [404, 405, 406, 411, 415])
def test_framework_may_refuse_in_a_form_of_its_own(status: int) -> None:
    answer = answered(BIN, status, '{"Message": "No HTTP resource was found."}')
    assert (answer.forms, answer.status, answer.findings) == (REFUSAL | {FRAMEWORK}, status, ())
    assert answer.value == {"Message": "No HTTP resource was found."}


def test_stack_trace_of_a_framework_is_found() -> None:
    # escaped in the body, so that it stands in the value alone
    body = json.dumps({"Message": TRACE}).replace("Traceback", "\\u0054raceback")
    assert said(answered(BIN, 404, body)) == [("bad-input", "DB-BAD-INPUT", "/Message")]
    body = json.dumps({"Text": TRACE}).replace("Traceback", "\\u0054raceback")
    assert said(answered(BIN, 404, body)) == [("bad-input", "DB-BAD-INPUT", "/Text")]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"Message": "refused"}),
        (404, {"Message": "refused", "Text": 5}),
        (404, {}),
        (404, ["Message"]),
        (404, "Message"),
    ],
)
def test_what_is_no_refusal_of_a_framework_is_held_against_the_schema(status: int, body: Any) -> None:
    answer = answered(BIN, status, json.dumps(body))
    assert answer.forms == REFUSAL
    assert {one[:2] for one in said(answer)} == {("schema", "DB-PROBLEM")}


def judged(
    operation: str, exchange: Exchange, code: str | None = None, form: str = "data", together: int = 1
) -> Judgement:
    one = case(operation, Alternative({"form": form}), code=code, together=together)
    return judge(kit(operation), one, Observation((exchange,) * together), Pins())


@pytest.mark.parametrize(
    ("answer", "code", "seen"),
    [
        ({"Text": "no such bin", "Code": 17}, "17", "17"),
        ({"Text": "no such bin", "Inner": {"Code": 17}}, "17", "17"),
        ({"Text": "no such bin", "Inner": [{"Code": 17}]}, "17", None),
        ({"Text": "no such bin", "Code": 18}, "17", None),
        ({"Text": "17"}, "17", "17"),
        ({"Text": "no such bin"}, None, None),
        ({"Text": "None"}, None, None),
        (["17"], "17", None),
    ],
)
def test_code_of_a_described_error_is_the_expected_one_where_any_member_shows_it(
    answer: Any, code: str | None, seen: str | None
) -> None:
    assert judged(BIN, http(answer, status=400), code, form="error").code_seen == seen


def test_described_answer_is_a_success_unless_it_shows_the_expected_code() -> None:
    assert judged(BIN, http(A_BIN)).code_seen == "success"
    assert judged(BIN, http({**A_BIN, "Code": 17}), "17").code_seen == "17"
    twice = judged(BIN, http(A_BIN), together=2)
    assert [one.actual for one in twice.findings] == ["2 successes of 2"]
    assert judged(BIN, http({"Text": "no"}, status=400), form="error", together=2).findings == ()


def compared(value: Any, operation: str = BIN) -> tuple[Any, ...]:
    return judged(operation, http(value)).gist


def test_what_only_reads_is_compared_by_what_the_document_names() -> None:
    plain = compared(A_BIN)
    assert plain == (
        "data",
        '{"BinID": 1, "Kind": 5, "Parts": [], "Since": "2026-01-02T03:04:05Z", "Site": "Nord"}',
    )
    part = {"Part": 3, "Tags": [None, "a"]}
    assert '"Parts": [{"Part": 3, "Tags": [null, "a"]}]' in compared({**A_BIN, "Parts": [{**part, "More": 1}]})[1]
    backwards = dict(reversed(A_BIN.items()))
    for same in (
        {**A_BIN, "More": 1},
        {**A_BIN, "BinID": 1.0},
        backwards,
        {k: v for k, v in A_BIN.items() if v is not None},
    ):
        assert compared(same) == plain
    assert compared({**A_BIN, "Weight": 1.5}) != plain
    in_xml = judged(BIN, http(A_BIN_IN_XML, media="application/xml")).gist
    assert in_xml == plain


def test_what_changes_something_is_compared_by_its_form_alone() -> None:
    assert compared({"Shelf": 4}, "depot.move") == ("data",)
    assert compared([STEP], DEPTH) == ("data",), "no sentence says that the formats agree"
    assert judged(BIN, http({"Text": "no"}, status=400), form="error").gist == ("error",)


@pytest.mark.parametrize(
    ("wanted", "answer", "status", "way"),
    [
        ({"form": "data"}, A_BIN, 200, None),
        ({"form": "error"}, {"Text": "no"}, 400, None),
        ({"form": "error", "code": [17]}, {"Text": "no", "Code": 17}, 400, None),
        ({"form": "error", "code": [17, 18]}, {"Text": "no", "Code": "18"}, 400, None),
        ({"form": "error", "code": 17}, {"Text": "no", "Code": 17}, 400, None),
        ({"form": "data"}, {"Text": "no"}, 400, "refused"),
        ({"form": "error"}, A_BIN, 200, "accepted"),
        ({"form": "error", "code": [17]}, {"Text": "no", "Code": 18}, 400, "otherwise"),
        ({"form": "error", "code": [1]}, {"Text": "no", "Flag": True}, 400, "otherwise"),
    ],
)
def test_described_answer_is_what_was_wanted_or_wrong_in_a_way(
    wanted: dict[str, Any], answer: Any, status: int, way: str | None
) -> None:
    found = judge(
        kit(BIN), case(BIN, Alternative(wanted)), Observation((http(answer, status=status),)), Pins()
    ).findings
    assert [one.way for one in found if one.check == "outcome"] == ([] if way is None else [way])


def framed(payload: Any, *, m: int = 1) -> Answer:
    sent = frame({"InstrumentId": 1}, m=0, n="GetDepth")
    return read_answer(kit(DEPTH), ws(frame(payload, m=m, n="GetDepth")), sent, None)


def test_described_answer_and_error_come_in_frames() -> None:
    assert (framed([STEP]).forms, framed([STEP]).readings) == (ANSWER, ())
    assert (framed(PROBLEM).forms, framed(PROBLEM).readings) == (ERROR, ("error-frame=reply",))
    answer = framed(PROBLEM, m=5)
    assert (answer.forms, answer.readings) == (ERROR | {ERROR_FRAME}, ("error-frame=error",))
    for text in ("no such call", "[]"):
        assert framed(text, m=5).forms == ERROR | {ERROR_FRAME}, "of such a call, any error frame is an error"


@pytest.mark.parametrize(("path", "told"), [("/api/depots/Nord/bins/5", True), ("/api/depots/Nord", False)])
def test_answer_at_another_path_shows_no_reading_of_the_call(path: str, told: bool) -> None:
    made = kit(DROP)
    reading = load_contract().readings["answer-media-type"]
    open_kit = replace(made, operation=replace(made.operation, readings={"answer-media-type": reading}))
    one = replace(
        case(DROP, Alternative({"form": "data"}), accept="application/json"),
        message=Message(Body(""), method="DELETE", path=path),
    )
    seen = Observation((http(b"", status=204, media=None),))
    assert judge(open_kit, one, seen, Pins()).readings == (("answer-media-type=absent",) if told else ())


def test_described_answer_is_read_in_the_format_and_charset_that_it_names() -> None:
    text = A_BIN_IN_XML.replace("Nord", "Süd").encode("latin-1")
    answer = read_answer(kit(BIN), http(text, media="application/xml; charset=iso-8859-1"), b"", "application/xml")
    assert (answer.forms, answer.value["Site"], answer.findings) == (ANSWER, "Süd", ())


def test_only_an_answer_without_a_body_may_have_no_media_type() -> None:
    def wrong(operation: str, body: bytes) -> list[str]:
        answer = read_answer(kit(operation), http(body, media=None), b"", "application/json")
        return [one.requirement for one in answer.findings if one.check == "media-type"]

    nothing = replace(kit(BIN), response=kit(DROP).response)
    assert read_answer(nothing, http(b"", media=None), b"", "application/json").findings == ()
    assert wrong(BIN, json.dumps(A_BIN).encode()) == ["DB-MEDIA"]
    assert wrong(DROP, b"5") == [], "no page names the media types of this call"


def test_described_success_that_does_too_much_is_on_the_sentence_of_that() -> None:
    made = kit(DROP)
    strict = replace(made, operation=replace(made.operation, effect_beyond="DD-BEYOND"))
    for form, requirement, status in (("data", "DD-BEYOND", 204), ("error", "DD-EFFECT", 400)):
        one = case(DROP, Alternative({"form": form}, untouched=("other",)), outside="DD-EFFECT")
        answer = http(b"", status=status, media=None)
        seen = Observation((answer,), before={"other": "open"}, after={"other": "cancelled"})
        assert [found.requirement for found in judge(strict, one, seen, Pins()).findings] == [requirement]
