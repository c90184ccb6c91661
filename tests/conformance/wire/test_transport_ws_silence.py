"""Quiet WebSocket requests: silence is an observation, and what breaks it is kept."""

from __future__ import annotations

from typing import Any

import pytest
from ws_support import LIMITS, answer, answering, reply_of

from conformance.wire import Exchange, ReplyMatch, WsRequest, WsTransport

pytestmark = pytest.mark.timeout(120)


def quietly(text: str | bytes, i: int | None, quiet_s: float = 0.15) -> Any:
    async def scenario(transport: WsTransport) -> Exchange:
        return await transport.send(WsRequest(text, ReplyMatch(i, expected=False, quiet_s=quiet_s)), limits=LIMITS)

    return scenario


def test_silence_is_an_observation(talk: Any) -> None:
    exchange = talk(answering(), quietly(b"\xff not json", None))
    assert (exchange.reply, exchange.problem, exchange.silent) == (None, None, True)
    assert 0.1 < exchange.elapsed_s < 1.0


def test_events_do_not_break_silence(talk: Any) -> None:
    exchange = talk(answering(answer(5, m=3)), quietly("x", None))
    assert (exchange.silent, exchange.others) == (True, (answer(5, m=3),))


def test_an_error_frame_without_a_number_breaks_silence(talk: Any) -> None:
    error = b'{"m":5,"i":null,"n":"","o":"bad frame"}'
    exchange = talk(answering(error), quietly("x", None))
    assert (exchange.reply, exchange.silent, exchange.others) == (None, False, (error,))


def test_a_reply_to_a_quiet_request_ends_the_wait(talk: Any) -> None:
    exchange = talk(answering(answer(4)), quietly("{}", 4, quiet_s=5.0))
    assert reply_of(exchange).text == answer(4)
    assert not exchange.silent
    assert exchange.elapsed_s < 3.0
