"""Evidence: the bytes both ways as text, readable, bounded, without credentials."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance.guard.gate import Label, Purpose
from conformance.guard.link import Traced
from conformance.model.verdict import Finding
from conformance.run.evidence import (
    FULL_BYTES,
    SHORT_BYTES,
    Level,
    evidence_of,
    recorded,
    redacted_finding,
    unmasked,
)
from conformance.wire.messages import Exchange, WireProblem
from conformance.wire.ws.session import text_frame
from conformance.wire.ws.spell import SPELLINGS

TOKEN = "4b0c7e61-52fd-4f0e-9a77-3f0f0f6a1c55"


def _exchange(sent: bytes = b"", received: bytes = b"", *, truncated: bool = False) -> Exchange:
    return Exchange(sent, received, None, None, 0.0, 0.0, truncated=truncated)


@pytest.mark.parametrize("size", [0, 1, 5, 125, 126, 65535, 65536, 70000])
def test_a_masked_frame_is_shown_as_its_text(size: int) -> None:
    payload = b"x" * size
    assert unmasked(text_frame(payload, lambda count: b"\xa1\xb2\xc3\xd4"[:count])) == payload


@pytest.mark.parametrize("sent", [b"", b"\x81", b"\x81\x80", b"GET / HTTP/1.1\r\n\r\n", b"\x88\x80abcd"])
def test_what_is_no_masked_text_frame_stays(sent: bytes) -> None:
    assert unmasked(sent) == sent


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_message_is_shown_as_its_text_however_it_is_framed(spelling: str) -> None:
    payload = b'{"m":0,"o":"' + b"x" * 200 + b'"}'
    sent = b"".join(SPELLINGS[spelling](payload, lambda count: b"\xa1\xb2\xc3\xd4"[:count]))
    assert unmasked(sent) == payload


def test_a_token_in_a_frame_is_hidden() -> None:
    frame = text_frame(f'{{"token":"{TOKEN}","x":"{TOKEN}"}}'.encode(), lambda count: b"\x01\x02\x03\x04"[:count])
    assert evidence_of((_exchange(frame),), [TOKEN], full=True).sent == '{"token":"[redacted]","x":"[redacted]"}'


def test_evidence_of_a_passing_case_is_short_and_says_that_it_was_cut() -> None:
    evidence = evidence_of((_exchange(b"a" * 5000, b"b"),), [], full=False)
    assert (len(evidence.sent), evidence.received, evidence.truncated) == (SHORT_BYTES, "b", True)


def test_evidence_of_a_failing_case_is_longer_but_bounded() -> None:
    assert len(evidence_of((_exchange(b"", b"b" * 200_000),), [], full=True).received) == FULL_BYTES
    assert not evidence_of((_exchange(b"", b"b" * 60_000),), [], full=True).truncated


def test_a_secret_across_the_edge_is_hidden() -> None:
    sent = b"a" * (SHORT_BYTES - 10) + TOKEN.encode()
    assert "4b0c" not in evidence_of((_exchange(sent),), [TOKEN], full=False).sent


def test_bytes_that_are_no_text_are_escaped_and_cut_off_is_passed_on() -> None:
    evidence = evidence_of((_exchange(b"\xff\xfe", b"ok", truncated=True),), [], full=True)
    assert evidence.sent == "\\xff\\xfe"
    assert evidence.truncated


def test_all_exchanges_stand_one_after_the_other() -> None:
    evidence = evidence_of((_exchange(b"a", b"b"), _exchange(b"c", b"d")), [], full=True)
    assert (evidence.sent, evidence.received) == ("a\nc", "b\nd")


def test_secrets_of_others_are_hidden_in_short_and_in_full_evidence() -> None:
    for full in (True, False):
        assert TOKEN not in evidence_of((_exchange(b"", TOKEN.encode()),), [], [TOKEN], full=full).received


def test_the_words_of_a_finding_lose_secrets_also_where_they_were_cut() -> None:
    finding = Finding("R", "outcome", f"said {TOKEN}", "nothing", f"text {TOKEN[:18]}… (90 characters)", f"/{TOKEN}")
    hidden = redacted_finding(finding, (TOKEN,))
    assert hidden == Finding(
        "R", "outcome", "said [redacted]", "nothing", "text [redacted]… (90 characters)", "/[redacted]"
    )


def test_a_place_that_ends_like_a_secret_begins_is_shown_unless_it_was_cut() -> None:
    finding = Finding("R", "effect", "m", "cancelled", "open", "by_operator")
    assert redacted_finding(finding, ("operator-password",)).at == "by_operator"
    cut = replace(finding, at="/operator…")
    assert redacted_finding(cut, ("operator-password",)).at == "/[redacted]…"


def test_two_texts_that_differ_in_a_secret_alone_do_not_read_the_same() -> None:
    finding = Finding("R", "outcome", "m", f"said {TOKEN}", "said secret-two")
    hidden = redacted_finding(finding, (TOKEN, "secret-two"))
    assert (hidden.expected, hidden.actual) == ("said [redacted]", "said [redacted] (another value, written the same)")


def test_a_reply_that_matches_no_request_is_evidence() -> None:
    stray = b'{"m":1,"i":0,"n":"CancelOrder","o":"{}"}'
    exchange = Exchange(b"a", b"", None, None, 0.0, 0.0, others=(b'{"m":3}', stray))
    assert evidence_of((exchange,), [], full=True).received == f'{{"m":3}}\n{stray.decode()}'


def test_what_came_beside_a_reply_is_left_out_and_a_second_reply_is_shown() -> None:
    exchange = Exchange(b"a", b"first", None, None, 0.0, 0.0, others=(b"event",), again=[b"second"])
    assert evidence_of((exchange,), [], full=True).received == "first\nsecond"


def test_where_nothing_came_there_is_no_evidence() -> None:
    assert evidence_of((_exchange(b"a"),), [], full=True).received == ""


@pytest.mark.parametrize(
    ("level", "own", "others"),
    [
        (Level.TIMES, None, None),
        (Level.BRIEF, SHORT_BYTES, None),
        (Level.AROUND, SHORT_BYTES, SHORT_BYTES),
        (Level.FULL, 5000, SHORT_BYTES),
    ],
)
def test_of_every_exchange_the_time_is_kept_and_of_its_bytes_what_the_level_says(
    level: Level, own: int | None, others: int | None
) -> None:
    exchange = Exchange(b"a" * 5000, b"", None, WireProblem("timeout", f"no {TOKEN}", "wait"), 7.0, 0.25)
    early = replace(exchange, started_s=6.5)
    trace = [Traced(Label(Purpose.JUDGED, "trading"), "ws", exchange), Traced(Label(Purpose.SET_UP), "http", early)]
    set_up, judged = recorded(trace, [TOKEN], level=level)
    assert judged.started_s - set_up.started_s == pytest.approx(0.5)
    assert (set_up.purpose, set_up.role, set_up.transport, set_up.took_s) == ("set-up", "", "http", 0.25)
    assert (judged.purpose, judged.role, judged.problem) == ("judged", "trading", "no [redacted]")
    lengths = [None if one.evidence is None else len(one.evidence.sent) for one in (judged, set_up)]
    assert lengths == [own, others]
