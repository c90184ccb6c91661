"""Each family yields what it says: rows, broken texts that are broken, legal forms that are legal, twins that say the same."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from cases_support import (
    CAO,
    CO,
    CQ,
    TPP,
    cases,
    contract,
    family,
    filled,
    filled_frame,
    folded,
    may_succeed,
    request_schema,
    succeeds,
    value_of,
)

from conformance.cases.families.list import negotiation
from conformance.cases.families.list.forms import xml_forms
from conformance.cases.families.object import wire_forms
from conformance.cases.families.object.malformed import broken_texts
from conformance.cases.message import xml_contract
from conformance.formats.errors import CodecError
from conformance.formats.frames import decode_frame
from conformance.formats.json.read import decode_json
from conformance.model.case import Case

GOOD = '{"OMSId":1,"AccountId":2}'
READABLE = {"null", "number", "word", "true"}
"""Broken texts that are JSON, and no object."""
LENIENT_JSON = {"lone-surrogate", "nul-escape", "long-member", "bom", "white-space"}
"""Lenient texts that are JSON: remarkable, but within the grammar."""


def test_the_truth_table_is_complete() -> None:
    names = {one.id.partition("@")[0].removeprefix("tpp/conditions/") for one in family("conditions", TPP)}
    assert names == {
        f"flag-{flag}-order-{order}-creator-{creator}-uid-{uid}"
        for flag, order, creator, uid in product(("true", "false", "absent"), *[("given", "null", "absent")] * 3)
    }
    assert len(family("conditions", TPP)) == 81 * 4


def test_each_row_expects_what_the_request_schema_says() -> None:
    for one in family("conditions", TPP):
        legal = request_schema(TPP).is_valid(value_of(TPP, one.message.body, one.media_type))
        assert may_succeed(one) is legal, one.id


def test_each_row_names_the_requirement_that_it_breaks() -> None:
    for one in family("conditions", TPP):
        problems = request_schema(TPP).problems(value_of(TPP, one.message.body, one.media_type))
        assert {problem.requirement for problem in problems} <= set(one.requirements), one.id


def test_a_broken_row_leaves_both_orders_alone() -> None:
    for one in family("conditions", TPP):
        if not may_succeed(one):
            assert all(set(right.untouched) == {"order", "abroad"} for right in one.expect.any_of), one.id


@pytest.mark.parametrize("good", [GOOD, f"[{GOOD}]"])
def test_a_broken_text_is_no_request(good: str) -> None:
    for broken in broken_texts(good):
        if broken.lenient or broken.name in ("long-member", "white-space"):
            continue
        if broken.name in READABLE:
            assert not isinstance(decode_json(broken.text.encode()).value, (dict, list)), broken.name
        else:
            with pytest.raises(CodecError):
                decode_json(broken.text.encode(broken.encoding))


@pytest.mark.parametrize("good", [GOOD, f"[{GOOD}]"])
def test_a_lenient_text_is_strictly_no_json_or_says_the_same(good: str) -> None:
    for broken in broken_texts(good):
        if not broken.lenient:
            continue
        data = broken.text.encode(broken.encoding, "surrogatepass")
        if broken.name in LENIENT_JSON:
            value = decode_json(data).value
            item = value[0] if isinstance(value, list) else value
            assert {"OMSId": 1, "AccountId": 2}.items() <= item.items(), broken.name
        elif broken.name != "utf-16":
            with pytest.raises(CodecError):
                decode_json(data)


def test_the_names_of_broken_texts_are_unique() -> None:
    names = [broken.name for broken in broken_texts(GOOD)]
    assert len(names) == len(set(names)) > 30


def test_a_malformed_body_never_demands_a_success() -> None:
    assert [one.id for one in family("malformed") if succeeds(one)] == []


@pytest.mark.parametrize("operation", [TPP, CAO])
@pytest.mark.parametrize("name", ["malformed", "forms", "fields"])
def test_long_body_may_be_refused_in_whichever_form(operation: str, name: str) -> None:
    for one in (case for case in family(name, operation) if case.transport == "http"):
        refusals = [right for right in one.expect.any_of if right.wanted == {"form": "too-long"}]
        assert bool(refusals) is (len(one.message.body.text) >= 8192), one.id
        assert all(right.untouched and not right.cancelled for right in refusals)


def test_only_lenient_bodies_may_succeed() -> None:
    lenient = {broken.name for broken in broken_texts(GOOD) if broken.lenient} | {"as-text"}
    for one in family("malformed"):
        name = one.id.split("/")[2].partition("@")[0]
        assert may_succeed(one) is (name in lenient), one.id


def test_legal_xml_forms_are_valid_under_the_xsd() -> None:
    operation = contract().operations[TPP]
    xml = xml_contract(contract().operations[TPP])
    legal = [form for form in xml_forms(operation) if form.kind == "legal"]
    assert len(legal) > 8
    for form in legal:
        data = filled(form.body, "application/xml")
        assert xml.validate(data) == (), form.name
        assert request_schema(TPP).is_valid(xml.decode(data).value), form.name


def test_broken_xml_forms_are_not() -> None:
    xml = xml_contract(contract().operations[TPP])
    for form in xml_forms(contract().operations[TPP]):
        if form.kind == "broken":
            data = filled(form.body, "application/xml")
            try:
                assert xml.validate(data), form.name
            except CodecError:
                continue


def test_legal_list_forms_must_be_carried_out() -> None:
    for one in family("forms", TPP):
        if succeeds(one):
            assert request_schema(TPP).is_valid(value_of(TPP, one.message.body, one.media_type)), one.id


def test_every_member_of_an_object_is_varied() -> None:
    for operation in (CAO, CQ):
        names = {one.id.split("/")[2].partition("-")[0] for one in family("fields", operation)}
        assert names == {member.lower() for member in contract().operations[operation].fields}


def test_every_member_of_an_instruction_is_varied_in_every_media_type() -> None:
    members = {member.lower() for member in contract().operations[TPP].fields}
    found = {(one.id.split("/")[2].partition("-")[0], one.media_type) for one in family("fields", TPP)}
    assert {(member, media) for member in members for media in contract().operations[TPP].media_types} <= found


def test_a_value_of_the_wrong_type_never_counts_as_right() -> None:
    for one in family("fields"):
        if one.message.body.encoding != "utf-8" or one.media_type.endswith("xml") or not succeeds(one):
            continue
        assert request_schema(one.operation).is_valid(
            folded(one.operation, value_of(one.operation, one.message.body, one.media_type))
        )


@pytest.mark.parametrize("form", wire_forms.FRAME_FORMS, ids=lambda form: form.name)
def test_a_legal_frame_is_one_and_an_unreadable_one_is_none(form: wire_forms.FrameForm) -> None:
    one = next(one for one in family("frames", CAO) if one.id == f"cao/frames/{form.name}@ws")
    text = filled_frame(one.message)
    document = decode_frame(text)
    is_call = document.frame is not None and document.frame.n == "CancelAllOrders" and document.payload is not None
    if form.legal:
        assert is_call
        assert document.problems == ()
        assert succeeds(one)
    elif form.unreadable:
        assert not is_call
        assert not may_succeed(one)
    else:
        assert may_succeed(one)
        assert not succeeds(one)


def test_http_forms_come_with_the_legal_request() -> None:
    for one in family("http"):
        form = next(form for form in wire_forms.HTTP_FORMS if f"http/{form.name}@" in one.id)
        assert succeeds(one) is form.legal
        headers = tuple((name, text.replace("{}", "application/json")) for name, text in form.headers)
        assert (one.message.method, one.message.headers) == (form.method or "POST", headers)


def test_every_media_type_is_answered_in_every_media_type() -> None:
    types = contract().operations[TPP].media_types
    found = {(one.media_type, one.accept) for one in family("negotiation") if "/accept-answer-" in one.id}
    assert found == set(product(types, types))


def test_what_the_document_does_not_serve_never_counts_as_done() -> None:
    for one in family("negotiation"):
        content_type = dict(one.message.headers).get("Content-Type", "")
        if "/method-" in one.id or content_type in negotiation._UNSUPPORTED or "path-unknown" in one.id:
            assert not may_succeed(one), one.id


RELATIONS = family("relations")


def _meaning(one: Case, body: Any, media_type: str) -> Any:
    value = value_of(one.operation, body, media_type)
    if isinstance(value, list):  # null and left out mean the same in an instruction
        return [{key: content for key, content in item.items() if content is not None} for item in value]
    return value


@pytest.mark.parametrize("operation", [CAO, CQ, TPP])
def test_twins_say_the_same(operation: str) -> None:
    for one in RELATIONS:
        if one.operation != operation:
            continue
        assert one.twin is not None
        said = _meaning(one, one.message.body, one.media_type)
        again = [_meaning(one, message.body, one.twin.media_type) for message in one.twin.messages]
        if len(again) > 1:
            assert [item for part in again for item in part] == said, one.id
        elif one.twin.order:
            assert [again[0][place] for place in one.twin.order] == said, one.id
        else:
            assert again[0] == said, one.id


def test_twins_differ_in_something() -> None:
    for one in RELATIONS:
        assert one.twin is not None
        here = (one.message, one.transport, one.media_type, one.role)
        there = [
            (message, one.twin.transport, one.twin.media_type, one.twin.role or one.role)
            for message in one.twin.messages
        ]
        assert there != [here], one.id


def test_every_relation_is_tried_on_success_and_on_failure() -> None:
    kinds: dict[tuple[str, str], set[bool]] = {}
    for one in RELATIONS:
        assert one.twin is not None
        kinds.setdefault((one.operation, one.twin.relation), set()).add(may_succeed(one))
    single = {
        (CAO, "role-monotonicity"),
        (CO, "role-monotonicity"),
        (CQ, "role-monotonicity"),
        (TPP, "instructions-permuted"),
        (TPP, "list-split"),
    }
    assert {name for name, found in kinds.items() if len(found) == 1} <= single


@pytest.mark.parametrize("operation", [CAO, CQ])
def test_only_a_frame_that_is_no_json_shows_how_such_frames_are_answered(operation: str) -> None:
    for one in (*family("frames", operation), *family("malformed", operation)):
        if one.transport == "ws":
            shown = {reading for right in one.expect.any_of for reading in right.readings}
            name = one.id.split("/")[2].partition("@")[0]
            unparsable = "frames" in one.id and name in wire_forms.UNPARSABLE
            assert bool(shown) is unparsable, one.id
            if unparsable:
                with pytest.raises(CodecError):
                    decode_json(filled_frame(one.message).encode())


def test_a_long_list_is_written_from_its_parts() -> None:
    long = [one for one in cases() if one.message.body.repeat is not None]
    assert {one.media_type for one in long} == set(contract().operations[TPP].media_types)
    for one in long:
        assert one.message.body.repeat is not None
        assert len(value_of(TPP, one.message.body, one.media_type)) == one.message.body.repeat.count
