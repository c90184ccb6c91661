"""Ways to answer requests that come on one connection before the first of them is answered (RFC 9112, 9.3.2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from reference_impl.parts import Parts
from reference_impl.recorder import Recorder
from reference_impl.variants import Change
from reference_impl.wire import HttpRequest, HttpResponse, Mishap

Respond = Callable[[HttpRequest], HttpResponse]
Answers = Sequence[HttpResponse | Mishap]


def on_pipelined(operation: str, change: Callable[[Sequence[HttpRequest], Respond], Answers]) -> Change:
    """How several requests of an operation are answered that came in one go."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        inner = parts.pipelined

        def pipelined(requests: Sequence[HttpRequest], respond: Respond) -> Answers:
            if requests[0].operation == operation:
                recorder.hit()
                return change(requests, respond)
            return [respond(one) for one in requests] if inner is None else inner(requests, respond)

        return replace(parts, pipelined=pipelined)

    return apply


def swapped(requests: Sequence[HttpRequest], respond: Respond) -> Answers:
    """The last request is answered first."""
    return [respond(one) for one in requests][::-1]


def first_for_all(requests: Sequence[HttpRequest], respond: Respond) -> Answers:
    """Each is carried out, and gets the answer of the first."""
    first, *_ = [respond(one) for one in requests]
    return [first] * len(requests)


def first_again(requests: Sequence[HttpRequest], respond: Respond) -> Answers:
    """The body of the first is read again in the place of each other one."""
    return [respond(replace(one, body=requests[0].body)) for one in requests]


def lost(requests: Sequence[HttpRequest], respond: Respond) -> Answers:
    """What came behind the first is dropped, and the connection stays open."""
    return [respond(requests[0]), *(Mishap("silent") for _ in requests[1:])]


def unanswered(requests: Sequence[HttpRequest], respond: Respond) -> Answers:
    """Each is carried out, and the connection ends behind the first answer."""
    first, *_ = [respond(one) for one in requests]
    return [replace(first, headers=(*first.headers, ("connection", "close"))), *(Mishap("reset") for _ in requests[1:])]


def joined(requests: Sequence[HttpRequest], respond: Respond) -> Answers:
    """One answer with the bodies of all."""
    answers = [respond(one) for one in requests]
    whole = replace(answers[0], body=b"".join(one.body for one in answers))
    return [whole, *(Mishap("reset") for _ in requests[1:])]
