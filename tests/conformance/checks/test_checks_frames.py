"""A WebSocket reply: message type, sequence number, call name and payload; error frames, events, silence."""

from __future__ import annotations

import json
from typing import Any

import pytest
from checks_support import CAO, CQ, broken, case, error, faults_of, frame, judged, no_answer, success, ws

from conformance.model.case import Alternative, Case, Transport

SENT = frame({})


def over_ws(*alternatives: Alternative) -> Case:
    return case(CAO, *alternatives, transport=Transport.WS)


DONE = over_ws(Alternative({"code": [0]}))


@pytest.mark.parametrize(
    "reply",
    [
        frame(success()),
        frame(success(), x=1),
        frame(success(), **{"": 1}),
        b' { "o" : "{\\"result\\":true,\\"errormsg\\":null,\\"errorcode\\":0}" , "n":"CancelAllOrders","i":4,"m":1 } ',
    ],
)
def test_a_right_reply_has_no_finding(reply: bytes) -> None:
    assert broken(judged(DONE, ws(reply), sent=SENT)) == []


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (frame(success(), m=0), ["CAO-WS-M"]),
        (frame(success(), m=9), ["CAO-WS-M"]),
        (frame(success(), m=3), ["CAO-WS-M"]),
        (frame(success(), m="1"), ["CAO-WS-M"]),
        (frame(success(), m=True), ["CAO-WS-M"]),
        (frame(success(), m=...), ["CAO-WS-M"]),
        (frame(success(), n="CancelQuote"), ["CAO-WS-N"]),
        (frame(success(), n="cancelallorders"), ["CAO-WS-N"]),
        (frame("\ufeff" + json.dumps(success())), ["CAO-WS-O"]),
        (frame(success(), n=""), ["CAO-WS-N"]),
        (frame(success(), n=None), ["CAO-WS-N"]),
        (frame(success(), n=...), ["CAO-WS-N"]),
        (frame(success(), i=...), ["CAO-WS-I"]),
        (frame(success(), i="4"), ["CAO-WS-I"]),
        (frame(..., o=success()), ["CAO-WS-O"]),
        (frame(...), ["CAO-WS-O"]),
        (frame(None), ["CAO-WS-O"]),
        (frame("done"), ["CAO-WS-O"]),
        (frame(""), ["CAO-WS-O"]),
        (frame("[]"), ["CAO-RESP-STANDARD"]),
        (frame(success(result="true")), ["CAO-RESP-RESULT"]),
        (frame('{"result":false,"result":true,"errormsg":null,"errorcode":0}'), ["CAO-RESP-STANDARD"]),
        (
            b'{"m":1,"m":1,"i":4,"n":"CancelAllOrders","o":"{\\"result\\":true,\\"errormsg\\":null,\\"errorcode\\":0}"}',
            ["CAO-WS-M"],
        ),
        (b"not json", ["CAO-WS-O"]),
        (b"[1,2]", ["CAO-WS-O"]),
        (b"\xff", ["CAO-WS-O"]),
        (frame(error(20)), ["CASE"]),
        (frame("Endpoint Not Found", m=5), ["CASE"]),
    ],
)
def test_a_wrong_reply_is_one_finding(reply: bytes, expected: list[str]) -> None:
    assert broken(judged(DONE, ws(reply), sent=SENT)) == expected


def test_a_reply_that_cannot_be_read_blocks_what_is_behind_it() -> None:
    assert judged(DONE, ws(b"not json"), sent=SENT).blocked == ("schema", "outcome", "effect")


def test_the_payload_is_the_pair_for_a_call_that_answers_with_one() -> None:
    sent = frame({}, n="CancelQuote")
    reply = frame({"BidResult": success(), "AskResult": error(104, errormsg="no")}, n="CancelQuote")
    assert faults_of(CQ, ws(reply), sent=sent) == ["CQ-CODE-104"]


def test_a_reply_with_another_number_is_found() -> None:
    assert broken(judged(DONE, ws(others=[frame(success(), i=5)]), sent=SENT)) == ["CAO-WS-I"]


def test_events_and_replies_to_other_calls_are_no_answer() -> None:
    others = [frame(success(), m=3), frame(success(), n="SendOrder", i=9)]
    assert broken(judged(DONE, no_answer("no-reply", others=others), sent=SENT)) == ["CASE"]
    assert broken(judged(over_ws(Alternative({"form": "silence"})), ws(others=others), sent=SENT)) == []


def test_an_event_before_the_reply_changes_nothing() -> None:
    assert broken(judged(DONE, ws(frame(success()), others=[frame({}, m=3)]), sent=SENT)) == []


def test_a_second_reply_to_one_request_is_found() -> None:
    exchange = ws(frame(success()))
    exchange.again.append(frame(success()))
    (finding,) = judged(DONE, exchange, sent=SENT).findings
    assert (finding.requirement, finding.check, finding.at) == ("CAO-SYNC", "frame", "i")
    assert "CancelAllOrders" in finding.actual


@pytest.mark.parametrize("kind", ["no-reply", "ws-closed"])
def test_no_reply_is_silence_where_silence_may_be(kind: str) -> None:
    silence = Alternative({"form": "silence"}, readings=("unparsable-frame=silence",))
    judgement = judged(over_ws(silence), no_answer(kind), sent=b"not json")
    assert (broken(judgement), judgement.readings) == ([], ("unparsable-frame=silence",))
    assert broken(judged(DONE, no_answer(kind), sent=SENT)) == ["CAO-SYNC"]


def test_a_reset_is_never_silence() -> None:
    assert broken(judged(over_ws(Alternative({"form": "silence"})), no_answer("reset"), sent=SENT)) == ["CAO-SYNC"]


def test_silence_where_an_answer_is_due_is_found() -> None:
    assert broken(judged(DONE, ws(), sent=SENT)) == ["CASE"]


@pytest.mark.parametrize("reply", [frame("Endpoint Not Found", m=5), frame("Endpoint Not Found", m=5, n="")])
def test_an_error_frame_may_answer_what_cannot_be_read(reply: bytes) -> None:
    judgement = judged(over_ws(Alternative({"form": "error-frame"})), ws(reply), sent=b"not json")
    assert broken(judgement) == []


def test_an_error_frame_to_nobody_is_taken_for_the_answer() -> None:
    one = over_ws(Alternative({"form": "error-frame"}))
    assert broken(judged(one, ws(others=[frame("no", m=5, i=0, n="")]), sent=b"not json")) == []
    assert broken(judged(one, ws(others=[frame("no", m=5, i=0)]), sent=SENT)) == ["CAO-WS-I"]


@pytest.mark.parametrize(
    ("sent", "reply"),
    [
        (b"not json", frame(error(100), i=0, n="")),
        (b"not json", frame(error(100), i=..., n=None)),
        (frame({}, i=...), frame(error(100), i=0)),
        (frame({}, i="4"), frame(error(100), i="4")),
        (frame({}, i=True), frame(error(100), i=...)),
        (frame({}, n=...), frame(error(100), n=None)),
        (frame({}, n=7), frame(error(100), n=...)),
        (frame({}, n=""), frame(error(100), n="Unknown")),
    ],
)
def test_what_was_not_sent_cannot_be_echoed(sent: bytes, reply: bytes) -> None:
    refused = over_ws(Alternative({"code": [100]}))
    assert broken(judged(refused, ws(reply), sent=sent)) == []


@pytest.mark.parametrize("sent", [frame({}, n=...), frame({}, i=...)])
def test_the_rest_is_still_demanded(sent: bytes) -> None:
    refused = over_ws(Alternative({"code": [100]}))
    assert broken(judged(refused, ws(frame(error(100), m=0)), sent=sent)) == ["CAO-WS-M"]


def test_the_payload_of_a_reply_shows_no_status_reading() -> None:
    readings: Any = judged(over_ws(Alternative({"code": [20]})), ws(frame(error(20))), sent=SENT).readings
    assert readings == ("response-key-case=documented|camel|lower", "error-frame=reply")


REFUSED = over_ws(Alternative({"code": [20]}))


@pytest.mark.parametrize(("kind", "reading"), [(1, "error-frame=reply"), (5, "error-frame=error")])
def test_error_in_a_standard_response_under_either_message_type_is_a_reading(kind: int, reading: str) -> None:
    found = judged(REFUSED, ws(frame(error(20), m=kind)), sent=SENT)
    assert (broken(found), reading in found.readings) == ([], True)


def test_error_of_both_legs_in_an_error_frame_is_read_as_a_pair() -> None:
    both = {"BidResult": error(20), "AskResult": error(20)}
    sent = frame({}, n="CancelQuote")
    found = judged(
        case(CQ, Alternative({"code": [20]}), transport=Transport.WS), ws(frame(both, m=5, n="CancelQuote")), sent=sent
    )
    assert (broken(found), "error-frame=error" in found.readings) == ([], True)


def test_success_in_an_error_frame_is_no_success() -> None:
    assert broken(judged(DONE, ws(frame(success(), m=5)), sent=SENT)) != []


def test_wrong_code_in_an_error_frame_is_a_wrong_outcome() -> None:
    assert broken(judged(REFUSED, ws(frame(error(104), m=5)), sent=SENT)) != []


def test_refusal_in_an_error_frame_is_an_error_frame_as_well() -> None:
    one = over_ws(Alternative({"form": "error-frame"}))
    assert broken(judged(one, ws(frame(error(20), m=5)), sent=SENT)) == []
    assert broken(judged(over_ws(Alternative({"form": "standard"})), ws(frame(error(20), m=5)), sent=SENT)) == []


def test_what_is_wrong_with_an_error_frame_and_with_the_refusal_in_it_is_found() -> None:
    twice = '{"result":false,"result":false,"errormsg":"Not Authorized","errorcode":20,"detail":5}'
    found = judged(REFUSED, ws(frame(twice, m=5, i=...)), sent=SENT)
    assert broken(found) == ["CAO-WS-I", "CAO-RESP-STANDARD", "CAO-RESP-DETAIL"]


def test_half_a_surrogate_pair_makes_the_payload_of_an_error_frame_a_bare_text() -> None:
    payload = json.dumps(error(20, detail="\ud800"), ensure_ascii=False)
    found = judged(over_ws(Alternative({"form": "error-frame"})), ws(frame(payload, m=5)), sent=SENT)
    assert (broken(found), found.readings) == ([], ())


def test_a_request_in_another_letter_case_may_be_answered_under_the_right_name() -> None:
    refused = over_ws(Alternative({"code": [100]}))
    sent = frame({}, n="cancelallorders")
    for name, findings in (("cancelallorders", []), ("CancelAllOrders", []), ("CancelOrder", ["CAO-WS-N"])):
        assert broken(judged(refused, ws(frame(error(100), n=name)), sent=sent)) == findings


def test_payload_that_is_no_json_has_no_shape_and_a_departing_one_has() -> None:
    (found,) = judged(DONE, ws(frame("done")), sent=SENT).findings
    assert (found.requirement, found.way) == ("CAO-WS-O", "shapeless")
