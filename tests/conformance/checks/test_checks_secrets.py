"""A credential of the request never comes back, in whatever part of an answer that can be read."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from checks_support import (
    CAO,
    JSON,
    TPP,
    UID,
    XML,
    broken,
    case,
    error,
    error_xml,
    failed,
    frame,
    http,
    instruction,
    judged,
    kit,
    result_xml,
    results_xml,
    success,
    ws,
)

from conformance.checks.answer import Observation
from conformance.checks.judge import Pins, judge
from conformance.checks.secrets import echoed
from conformance.model.case import Alternative, Transport
from conformance.wire.messages import HttpReply

TOKEN = "7d0ccf3a-ae63-44f5-a409-2301d80228bc"
ANY = Alternative({})


def found(value: Any, *secrets: str) -> list[str]:
    return [finding.at for finding in echoed(kit(TPP).operation, value, secrets)]


@pytest.mark.parametrize(
    ("value", "secrets", "places"),
    [
        ("PIN 4711 is wrong", ("4711",), [""]),
        ("4711", ("4711",), [""]),
        ([{"Errors": ["no", "pin=4711"]}], ("4711",), ["/0/Errors/1"]),
        ({"4711": 1}, ("4711",), [""]),
        ("PIN 4711 and 1234", ("4711", "1234"), [""]),
        (f"token {TOKEN}", (TOKEN,), [""]),
        (TOKEN.upper(), (TOKEN,), [""]),
        (f"xx{TOKEN}yy", (TOKEN,), [""]),
        ("hunter2hunter2!", ("hunter2hunter2",), [""]),
        ("a (b) c", ("(b)",), [""]),
    ],
)
def test_an_echo_is_found(value: Any, secrets: tuple[str, ...], places: list[str]) -> None:
    assert found(value, *secrets) == places


@pytest.mark.parametrize(
    ("value", "secrets"),
    [
        ("order 47110 and 14711 and a4711", ("4711",)),
        ("6269c403-4711-47dd-b8c3-7ecbef8f686d", ("4711",)),
        ({"OrderID": 4711}, ("4711",)),
        ("PIN is wrong", ("4711",)),
        ("anything", ("",)),
        (None, ("4711",)),
        (UID, (TOKEN,)),
    ],
)
def test_what_only_looks_like_it_is_none(value: Any, secrets: tuple[str, ...]) -> None:
    assert found(value, *secrets) == []


def test_the_finding_hides_the_secret() -> None:
    (finding,) = judged(case(CAO, ANY), http(error(100, detail=f"token {TOKEN}")), secrets=(TOKEN,)).findings
    assert (finding.requirement, finding.actual, finding.at) == ("CAO-SECRETS", "(hidden)", "/detail")


@pytest.mark.parametrize(
    ("body", "status", "media"),
    [
        ([failed(Errors=["PIN 4711 is wrong"])], 200, "application/json"),
        ('"PIN 4711 is wrong"', 400, "application/json"),
        (error_xml("PIN 4711 is wrong"), 400, XML),
        ('{"Message":"PIN 4711 is wrong"}', 404, "application/json"),
        ("PIN 4711 is wrong", 415, "text/plain"),
    ],
)
def test_every_form_of_answer_is_searched(body: Any, status: int, media: str) -> None:
    judgement = judged(case(TPP, ANY), http(body, status, media), sent=[instruction()], secrets=("4711",))
    assert broken(judgement) == ["TPP-SECRETS"]
    clean = judged(case(TPP, ANY), http(body, status, media), sent=[instruction()], secrets=("9999",))
    assert broken(clean) == []


def test_the_text_of_an_error_frame_is_searched() -> None:
    one = case(CAO, Alternative({"form": "error-frame"}), transport=Transport.WS)
    assert broken(judged(one, ws(frame(f"no {TOKEN}", m=5)), sent=frame({}), secrets=(TOKEN,))) == ["CAO-SECRETS"]


def test_an_answer_without_secrets_has_no_finding() -> None:
    assert broken(judged(case(CAO, Alternative({"code": [0]})), http(success()), secrets=(TOKEN,))) == []


@pytest.mark.parametrize(
    ("body", "media"),
    [
        ('"PIN 47\\u0031\\u0031 is wrong"', "application/json"),
        (error_xml("PIN &#52;711 is wrong"), XML),
        (error_xml("PIN 47<!-- x -->11 is wrong"), XML),
        ('"PIN 4711 is wrong"'.encode("utf-16"), "application/json; charset=utf-16"),
    ],
)
def test_escapes_hide_nothing(body: Any, media: str) -> None:
    judgement = judged(case(TPP, ANY), http(body, 400, media), sent=[instruction()], secrets=("4711",))
    assert broken(judgement) == ["TPP-SECRETS"]


@pytest.mark.parametrize("secret", ['a"b', "a/b", "a\\b", "a<b", "пин"])
def test_a_secret_that_must_be_escaped_is_found(secret: str) -> None:
    judgement = judged(
        case(TPP, ANY), http(json.dumps(f"PIN {secret} is wrong"), 400), sent=[instruction()], secrets=(secret,)
    )
    assert broken(judgement) == ["TPP-SECRETS"]


def test_a_compressed_answer_is_searched_as_it_was_decoded() -> None:
    plain = http('"PIN 4711 is wrong"', 400)
    judgement = judged(case(TPP, ANY), replace(plain, received=b"compressed"), sent=[instruction()], secrets=("4711",))
    assert broken(judgement) == ["TPP-SECRETS"]


def with_headers(*headers: tuple[str, str]) -> Any:
    plain = http(success())
    assert plain.reply is not None
    return replace(plain, reply=replace(plain.reply, headers=(*plain.reply.headers, *headers)))


def with_header(name: str, text: str) -> Any:
    return with_headers((name, text))


@pytest.mark.parametrize(
    ("name", "text", "secret"),
    [("X-Session", TOKEN, TOKEN), ("X-Debug", "pin=4711", "4711"), ("X-PIN", "4711", "4711")],
)
def test_a_header_that_holds_a_secret_is_found(name: str, text: str, secret: str) -> None:
    judgement = judged(case(CAO, Alternative({"code": [0]})), with_header(name, text), secrets=(secret,))
    assert [(finding.requirement, finding.at) for finding in judgement.findings] == [("CAO-SECRETS", f"header {name}")]


def test_each_header_that_holds_a_secret_is_found_once_and_named_as_the_target_file_has_it() -> None:
    leaking = with_headers(("X-One", f"{TOKEN} 4711"), ("X-PIN", "4711"), ("X-Three", TOKEN))
    words = {TOKEN: "the token", "4711": "the pin"}
    seen = Observation((leaking,), secrets=(TOKEN, "4711"), name_of=words.__getitem__)
    found = judge(kit(CAO), case(CAO, Alternative({"code": [0]})), seen, Pins()).findings
    assert [(finding.at, finding.actual) for finding in found] == [
        ("header X-One", "the token (hidden)"),
        ("header X-PIN", "the pin (hidden)"),
        ("header X-Three", "the token (hidden)"),
    ]


def test_a_secret_in_the_body_is_named_as_the_target_file_has_it() -> None:
    seen = Observation((http(error(100, detail=TOKEN)),), secrets=(TOKEN,), name_of=lambda secret: "the token")
    (finding,) = judge(kit(CAO), case(CAO, ANY), seen, Pins()).findings
    assert (finding.at, finding.actual) == ("/detail", "the token (hidden)")


@pytest.mark.parametrize(
    ("name", "text"),
    [("Set-Cookie", f"session={TOKEN}"), ("X-RateLimit-Remaining", "4711"), ("X-Spin", "4711"), ("X-Id", "7")],
)
def test_a_cookie_and_numbers_of_their_own_are_no_echo(name: str, text: str) -> None:
    assert broken(judged(case(CAO, Alternative({"code": [0]})), with_header(name, text), secrets=(TOKEN, "4711"))) == []


def test_a_secret_of_no_characters_is_in_no_header() -> None:
    assert (
        broken(judged(case(CAO, Alternative({"code": [0]})), with_header("X-PIN", "4711, 4712"), secrets=("",))) == []
    )


def test_a_secret_is_called_by_its_name_wherever_it_comes_back() -> None:
    name_of = {"4711": "the PIN of the order"}.__getitem__
    one = case(TPP, Alternative({"results": "none"}))
    beside = results_xml(result_xml()).replace("<OrderID>", "<!-- PIN 4711 --><OrderID>")
    for answer in (
        http([failed(Errors=["PIN 4711 is wrong"])]),
        http(beside, media="application/xml"),
        replace(http([failed()]), reply=HttpReply(200, "", (("Content-Type", JSON), ("X-PIN", "4711")), b"[]", "1.1")),
    ):
        seen = Observation((answer,), secrets=("4711",), name_of=name_of)
        found = [one for one in judge(kit(TPP), one, seen, Pins()).findings if one.check == "secrets"]
        assert [one.actual for one in found] == ["the PIN of the order (hidden)"]
