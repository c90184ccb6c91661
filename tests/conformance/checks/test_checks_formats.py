"""Answers in a format that is registered beside JSON and XML: which codec reads them, and what it makes of their form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from checks_support import CAO, TPP, error, failed, http, result, success

from conformance.checks.answer import Answer
from conformance.checks.kit import Kit, build_kit
from conformance.checks.read import read_answer
from conformance.contract.load import load_contract
from conformance.formats import registry
from conformance.formats.base import Decoded, Format, WireForm, as_written
from conformance.formats.errors import CodecError
from conformance.formats.json.format import json_text
from conformance.formats.json.read import decode_json
from conformance.formats.members import json_content
from conformance.formats.xml.format import XML
from conformance.model.spec import Document, Operation
from conformance.model.verdict import Finding

TITLED_TYPE = "application/x-titled"


@dataclass(frozen=True)
class Tail:
    kind: str = "tail"
    message: str = "a mark stands behind the value"


@dataclass(frozen=True)
class Titled:
    """JSON behind the title of its document, which nothing else may be read as."""

    document: str

    def encode(self, value: object) -> str:
        return f"{self.document}:{json_text(value)}"

    plain = encode

    def decode(self, data: bytes, charset: str | None = None) -> Decoded:
        title, _, text = data.decode(charset or "utf-8").partition(":")
        if title != self.document:
            raise CodecError(f"this is the {title}, and not the {self.document}")
        value = decode_json(text.removesuffix("~").encode())
        return Decoded(value.value, value.notes, (Tail(),) if text.endswith("~") else ())


def _codec(_operation: Operation, document: Document) -> Titled:
    return Titled(document)


TITLED = Format(
    name="titled", label="titled JSON", media_types=(TITLED_TYPE,), codec=_codec, escape=str, members=json_content,
    forms=(WireForm("plain", "legal", as_written),),
)  # fmt: skip


@pytest.fixture(autouse=True)
def _registered() -> Iterator[None]:
    registry.register(TITLED)
    yield
    registry.unregister(TITLED)


def kit_of(name: str) -> Kit:
    """The kit of an operation that takes titled JSON as well."""
    plain = load_contract().operations[name]
    error_media = {**plain.error_media, "titled": "TPP-ERR-JSON"}
    return build_kit(replace(plain, media_types=(*plain.media_types, TITLED_TYPE), error_media=error_media))


def answered(name: str, body: str, status: int = 200, media: str = TITLED_TYPE) -> Answer:
    return read_answer(kit_of(name), http(body, status, media), b"", None)


def test_an_object_is_read_in_the_format_and_the_charset_that_the_answer_names() -> None:
    answer = answered(CAO, Titled("response").encode(success()))
    assert (answer.findings, answer.unreadable, [leg.code for leg in answer.legs]) == ((), None, [0])
    wide = Titled("response").encode(error(20)).encode("utf-16")
    found = read_answer(kit_of(CAO), http(wide, 200, f"{TITLED_TYPE}; charset=utf-16"), b"", None)
    assert [leg.code for leg in found.legs] == [20]


@pytest.mark.parametrize("media", ["application/xml", "text/plain", "application/json"])
def test_an_object_in_a_format_that_the_operation_does_not_have_is_read_in_its_first(media: str) -> None:
    answer = answered(CAO, json_text(success()), media=media)
    assert (answer.findings, answer.unreadable, [leg.code for leg in answer.legs]) == ((), None, [0])


def test_an_object_that_its_format_cannot_read_is_said_to_be_none_of_that_format() -> None:
    answer = answered(CAO, Titled("request").encode(success()))
    assert answer.unreadable is not None
    assert answer.unreadable.message == "the answer is no titled JSON: this is the request, and not the response"
    assert answer.unreadable.expected == "a titled JSON object"


@pytest.mark.parametrize("status", [200, 207])
def test_a_list_is_read_as_the_response(status: int) -> None:
    answer = answered(TPP, Titled("response").encode([result(1), failed(2)]), status)
    assert (answer.findings, answer.unreadable) == ((), None)
    assert [entry["OrderID"] for entry in answer.results] == [1, 2]


@pytest.mark.parametrize("status", [400, 422])
def test_a_refusal_of_a_list_is_read_as_the_error(status: int) -> None:
    answer = answered(TPP, Titled("error").encode("The list cannot be read."), status)
    assert (answer.findings, answer.unreadable, answer.value) == ((), None, "The list cannot be read.")


def test_a_list_in_another_document_cannot_be_read() -> None:
    answer = answered(TPP, Titled("error").encode([result()]))
    assert answer.unreadable is not None
    assert (answer.unreadable.message, answer.unreadable.expected) == (
        "the answer is no titled JSON: this is the error, and not the response",
        "titled JSON",
    )


def test_a_departure_that_the_codec_notes_is_a_finding_on_the_form_beside_the_others() -> None:
    twice = 'response:[{"OrderID":1,"OrderID":1,"InternationalOrderUID":null,"Success":true,"Errors":null}]~'
    repeated, form = answered(TPP, twice).findings
    assert (repeated.check, repeated.at) == ("members", "/0/OrderID")
    assert form == Finding(
        "TPP-RESP-LIST", "form", "a mark stands behind the value", "titled JSON as documented", "tail", "body"
    )


@pytest.mark.parametrize(("document", "value", "form"), [("error", "no", "string"), ("error", {"a": 1}, "framework")])
def test_an_error_of_the_framework_is_read_as_the_error(document: str, value: object, form: str) -> None:
    assert answered(TPP, Titled(document).encode(value), 404).readings == (f"framework-error-form={form}",)


def test_a_codec_is_made_once_for_each_document_of_a_format() -> None:
    one = kit_of(TPP)
    assert one.codec(XML, "response") is one.codec(XML, "response")
    assert one.codec(XML, "response") is not one.codec(XML)
    assert (one.codec(TITLED), one.codec(TITLED, "error")) == (Titled("request"), Titled("error"))
