"""Says in words what a case sends and what must hold of the answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from conformance.checks.outcome import not_asked, not_done
from conformance.model.case import Alternative, Body, Case, Expectation, Message, OwnSession, RaceStep
from conformance.model.spec import Operation
from conformance.report.safe_text import many, shortened, visible

_LONGEST = 2000


def message_lines(message: Message) -> Iterable[str]:
    """The message with its places unfilled: request line, headers and body, or the frame's text."""
    if message.frame is not None:
        yield visible(message.frame)
        yield f"o = {_body(message.body)}"
        return
    yield f"{message.method} {visible(message.path)}"
    for name, value in message.headers:
        yield f"{name}: {visible(value)}"
    yield ""
    yield _body(message.body) or "(no body)"


def expectation_lines(expect: Expectation, operation: Operation) -> Iterable[str]:
    """The alternatives, one a line, and the requirements that a miss breaks."""
    several = len(expect.any_of) > 1
    if several:
        yield "one of:"
    for alternative in expect.any_of:
        yield f"{'- ' if several else ''}{alternative_words(alternative)}"
    yield f"else a finding on {expect.requirement}"
    if any(one.cancelled for one in expect.any_of):
        yield f"not cancelled although the answer says so: a finding on {not_done(expect, operation)}"
    touched = dict.fromkeys(not_asked(expect, one, operation, name) for one in expect.any_of for name in one.untouched)
    if touched:
        yield f"touched although the answer says otherwise: a finding on {' or '.join(touched)}"


def alternative_words(alternative: Alternative) -> str:
    """`code 0; cancels mine; leaves other alone (reading account-omitted=own)`."""
    parts = [answer_words(alternative.wanted)]
    if alternative.cancelled:
        parts.append(f"cancels {', '.join(alternative.cancelled)}")
    if alternative.untouched:
        parts.append(f"leaves {', '.join(alternative.untouched)} alone")
    readings = f" (reading {', '.join(alternative.readings)})" if alternative.readings else ""
    because = f" (because of {', '.join(alternative.because)})" if alternative.because else ""
    return "; ".join(parts) + readings + because


def answer_words(answer: Mapping[str, Any]) -> str:
    """The answer's keys in the order in which a reader asks for them."""
    words = [
        f"{name} {_value(answer[key])}"
        for key, name in (
            ("form", "form"),
            ("status", "status"),
            ("code", "code"),
            ("bid", "bid"),
            ("ask", "ask"),
        )
        if key in answer
    ]
    if "results" in answer:
        words.append(f"results [{', '.join(_result(entry) for entry in answer['results'])}]")
    known = ("form", "status", "code", "bid", "ask", "results")
    words += [f"{key} {_value(answer[key])}" for key in sorted(answer) if key not in known]
    return ", ".join(words) or "any answer of the right form"


def case_facts(case: Case) -> Iterable[tuple[str, str]]:
    """Name and value of what else defines a case."""
    yield "operation", case.operation
    yield "requirements", ", ".join(case.requirements)
    yield "role", case.role
    yield "transport", f"{case.transport}, {case.media_type}"
    if case.code is not None:
        yield "verifies code", case.code
    if case.provoke is not None:
        yield "provokes code", f"{case.provoke}, in the way that the target file gives"
    for name, need in case.states.items():
        params = ", ".join(f"{key}={value}" for key, value in need.params.items())
        yield "state", f"{name}: {need.state}" + (f" ({params})" if params else "")
    if case.before:
        yield "sent before", many(len(case.before), "message") + (f" as {case.before_role}" if case.before_role else "")
    if case.session is not None:
        yield "session", session_words(case.session)
    if case.beside:
        yield "sent beside", f"{many(len(case.beside), 'message')} at the same moment"
    for one in case.race:
        steps = ", then ".join(race_step_words(step) for step in one.steps)
        yield "at the same moment", f"{one.role} over {one.transport.label}, {one.media_type}: {steps}"
    if case.together > 1:
        yield "sent together", f"{case.together} copies at the same moment; at most one may take effect"


def race_step_words(step: RaceStep) -> str:
    """One step of a session of a race, in words."""
    does = {"beside": "cancel by another call", "cancel-all": "cancel all", "place": "set up", "look": "look at"}
    return f"{does.get(step.does, step.does)} {' and '.join(step.things) or 'what does not exist'}"


def session_words(session: OwnSession) -> str:
    """What a case's own session has come to, in words."""
    over = f" over {session.over.label}" if session.over is not None else ""
    spoilt = {
        "changed": ", with one character of password or signing key changed",
        "shorter": ", with the last character of password or signing key left out",
    }
    token = {"changed": "has another character", "shorter": "lacks its last four", "longer": "has four more"}
    if session.token != "whole":
        return f"a token that was never given out: it {token[session.token]}"
    after = f" after {session.first} has done so on the same socket" if session.first else ""
    ended = "; then LogOut" if session.ended else ""
    return f"one of its own: the role signs in{over}{spoilt.get(session.credentials, '')}{after}{ended}"


def _value(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return " or ".join(str(item) for item in value)
    return str(value)


def _result(entry: Any) -> str:
    return {True: "success", False: "failure"}.get(entry, str(entry)) if isinstance(entry, bool) else str(entry)


def _body(body: Body) -> str:
    text = body.template
    if body.repeat is not None:
        repeat = body.repeat
        text = f"{repeat.head}{text}{repeat.separator}… {many(repeat.count, 'item')} …{repeat.tail}"
    written = body.encoding if body.data is None else "bytes"
    note = "" if written == "utf-8" else f"  [{written}]"
    return shortened(visible(text), _LONGEST) + note
