"""An error in XML as its bytes have it: in any charset, with text where none belongs, or with no body at all."""

from __future__ import annotations

import pytest
from checks_support import (
    JSON,
    TPP,
    XML,
    XSI,
    broken,
    case,
    error_xml,
    faults_of,
    http,
    instruction,
    judged,
    kit,
    result,
    result_xml,
    results_xml,
)

from conformance.checks.read import read_answer
from conformance.checks.results import has_markup
from conformance.model.case import Alternative

REFUSED = case(TPP, Alternative({"form": "refused"}), accept=XML)
LIST = case(TPP, Alternative({"form": "results", "results": [True]}), accept=XML)
PIN = "4711"


@pytest.mark.parametrize("charset", ["iso-8859-1", "utf-16le", "utf-16"])
@pytest.mark.parametrize("before", ["", "\n" * 70])
def test_the_error_string_is_read_in_the_charset_of_the_header(charset: str, before: str) -> None:
    body = (before + error_xml("é")).encode(charset)
    answer = read_answer(kit(TPP), http(body, 400, f"{XML}; charset={charset}"), b"", None)
    assert (answer.value, answer.findings, answer.unreadable) == ("é", (), None)


def test_text_of_an_element_inside_the_error_string_belongs_to_the_error() -> None:
    answer = read_answer(kit(TPP), http(error_xml("a<b>c</b>d"), 400, XML), b"", None)
    assert answer.value == {"error": "acd", "beyond": ["c", "d"]}
    assert [finding.requirement for finding in answer.findings] == ["TPP-ERR-XML"]


def test_the_pieces_of_an_error_string_in_another_namespace_are_one_text() -> None:
    other = error_xml("a<b>c</b>d").replace("Serialization/", "Other/")
    answer = read_answer(kit(TPP), http(other, 400, XML), b"", None)
    assert answer.value == {"error": "acd", "beyond": ["c", "d"]}


@pytest.mark.parametrize(
    "body",
    [
        error_xml(f"no {PIN}"),
        error_xml(f"no<!-- {PIN} -->"),
        error_xml(f"no<?pin {PIN}?>"),
        error_xml(f"no<b>{PIN}</b>"),
        error_xml(f"no <OrderID>{PIN}</OrderID>"),
        error_xml("no") + f"<!-- {PIN} -->",
        f"<!-- {PIN} -->" + error_xml("no"),
        f"<?pin {PIN}?>" + error_xml("no"),
        error_xml("no").replace("<string ", f"<string pin='{PIN}' "),
        error_xml("no").replace("Serialization/", "Other/").replace("<string ", f"<string pin='{PIN}' "),
    ],
)
def test_a_pin_anywhere_in_an_error_in_xml_is_found(body: str) -> None:
    judgement = judged(REFUSED, http(body, 400, XML), sent=[instruction()], secrets=(PIN,))
    assert "TPP-SECRETS" in broken(judgement)


@pytest.mark.parametrize("body", ["%s<!-- {} -->", "<!-- {} -->%s", "<?pin {}?>%s", "%s<?pin {}?>"])
def test_a_pin_around_a_result_list_is_found(body: str) -> None:
    answered = body.format(PIN) % results_xml(result_xml())
    assert broken(judged(LIST, http(answered, 200, XML), sent=[instruction()], secrets=(PIN,))) == ["TPP-SECRETS"]


def test_a_declaration_and_a_comment_say_nothing_secret() -> None:
    answered = f'<?xml version="1.0"?><!-- done -->{results_xml(result_xml())}<!-- end -->'
    assert broken(judged(LIST, http(answered, 200, XML), sent=[instruction()], secrets=(PIN,))) == []
    answered = f'<?xml version="1.0"?><!-- failed -->{error_xml("no")}'
    assert broken(judged(REFUSED, http(answered, 400, XML), sent=[instruction()], secrets=(PIN,))) == []


def test_an_error_string_that_is_nil_is_no_string_whatever_stands_beside_it() -> None:
    nil = error_xml("").replace("<string ", f'<string xmlns:i="{XSI}" i:nil="true" ')
    assert faults_of(TPP, http(nil, 400, XML)) == ["TPP-ERR-XML"]
    assert faults_of(TPP, http(f"{nil}<!-- none -->", 400, XML)) == ["TPP-ERR-XML"]


@pytest.mark.parametrize(
    ("body", "more"),
    [
        (b'<?xml version="1.0"?><a/>', False),
        (b"<a/>", False),
        (b"<!--c--><a/>", True),
        (b"<a/><?p?>", True),
        (b"<?p?><a/>", True),
        (b"<\0a\0/\0>\0", True),
    ],
)
def test_a_declaration_is_no_markup_to_look_into(body: bytes, more: bool) -> None:
    assert has_markup(body) is more


@pytest.mark.parametrize("media", [JSON, XML])
@pytest.mark.parametrize("status", [404, 415])
def test_an_error_of_the_framework_may_have_a_type_and_no_body(media: str, status: int) -> None:
    assert faults_of(TPP, http("", status, media)) == []


def test_a_page_of_the_framework_is_one_finding_whatever_its_type_says() -> None:
    assert faults_of(TPP, http("<html>no</html>", 404, JSON)) == ["TPP-MALFORMED"]


@pytest.mark.parametrize("number", [2**31, -(2**63), 2**63, -(2**64), 10**300])
def test_the_page_sets_no_limit_to_an_id_in_either_format(number: int) -> None:
    in_xml = results_xml(result_xml(order=f"<OrderID>{number}</OrderID>"))
    for exchange, media in ((http(in_xml, media=XML), XML), (http([result(number)]), None)):
        assert faults_of(TPP, exchange, accept=media) == []
        assert "id-width=int64" in read_answer(kit(TPP), exchange, b"", media).readings


def test_a_list_of_five_is_shown_whole() -> None:
    answer = read_answer(kit(TPP), http([result(number) for number in range(5)]), b"", None)
    assert answer.summary == "HTTP 200 with 5 results (true, true, true, true, true)"
