"""WebSocket frames in every legal form, and in every form that is none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from conformance.cases import expect, make, message
from conformance.cases.families.object.malformed import or_unanswered
from conformance.cases.make import Channel, channels
from conformance.model.case import Case, Expectation
from conformance.model.spec import Operation


@dataclass(frozen=True, slots=True)
class Form:
    """One way to write the frame: `legal` means it must be carried out; else it may be, or be refused, or unanswered."""

    name: str
    title: str
    frame: str
    legal: bool = False
    unreadable: bool = False
    """No reader can take it for a request, so a success is wrong."""
    speaks_for: tuple[str, ...] = ("frame-malformed",)


FORMS = (
    Form("order-reversed", "members in reverse order", '{"o":${o},"n":"CALL","i":${i},"m":0}', legal=True, speaks_for=("frame-o",)),
    Form("order-mixed", "members in mixed order", '{"n":"CALL","m":0,"o":${o},"i":${i}}', legal=True, speaks_for=("frame-n",)),
    Form("white-space", "white space between members", '{ "m" : 0 ,\n "i" : ${i} ,\n "n" : "CALL" ,\n "o" : ${o} }', legal=True, speaks_for=("frame-m",)),
    Form("sequence-zero", "sequence number 0, as a real client starts", '{"m":0,"i":0,"n":"CALL","o":${o}}', legal=True, speaks_for=("frame-i",)),
    Form("sequence-large", "a sequence number near the end of 31 bits", '{"m":0,"i":${i+2147000000},"n":"CALL","o":${o}}', legal=True, speaks_for=("frame-i",)),
    Form("extra-member", "a member beyond the four", '{"m":0,"i":${i},"n":"CALL","o":${o},"x":1}'),
    Form("lower-case-call", "the call's name in lower case", '{"m":0,"i":${i},"n":"LOWER","o":${o}}'),
    Form("type-as-text", "m as text", '{"m":"0","i":${i},"n":"CALL","o":${o}}'),
    Form("sequence-as-text", "i as text", '{"m":0,"i":"${i}","n":"CALL","o":${o}}'),
    Form("sequence-missing", "i left out", '{"m":0,"n":"CALL","o":${o}}'),
    Form("sequence-negative", "i negative", '{"m":0,"i":-${i},"n":"CALL","o":${o}}'),
    Form("payload-as-object", "o as an object and not as text", '{"m":0,"i":${i},"n":"CALL","o":${body}}'),
    Form("type-missing", "m left out", '{"i":${i},"n":"CALL","o":${o}}'),
    Form("type-unknown", "m 9, which no message has", '{"m":9,"i":${i},"n":"CALL","o":${o}}'),
    Form("type-reply", "m 1, which is for replies", '{"m":1,"i":${i},"n":"CALL","o":${o}}'),
    Form("call-missing", "n left out", '{"m":0,"i":${i},"o":${o}}', unreadable=True),
    Form("call-empty", "n empty", '{"m":0,"i":${i},"n":"","o":${o}}', unreadable=True),
    Form("call-unknown", "n a call that does not exist", '{"m":0,"i":${i},"n":"CALLNothing","o":${o}}', unreadable=True),
    Form("call-number", "n a number", '{"m":0,"i":${i},"n":7,"o":${o}}', unreadable=True),
    Form("payload-missing", "o left out", '{"m":0,"i":${i},"n":"CALL"}', unreadable=True),
    Form("payload-null", "o null", '{"m":0,"i":${i},"n":"CALL","o":null}', unreadable=True),
    Form("payload-empty", "o an empty string", '{"m":0,"i":${i},"n":"CALL","o":""}', unreadable=True),
    Form("payload-number", "o a number", '{"m":0,"i":${i},"n":"CALL","o":5}', unreadable=True),
    Form("not-json", "text that is no JSON", "CALL now ${i}", unreadable=True),
    Form("empty", "an empty message", "", unreadable=True),
    Form("cut-off", "a frame cut off before its end", '{"m":0,"i":${i},"n":"CALL","o":', unreadable=True),
    Form("in-list", "the frame inside a list", '[{"m":0,"i":${i},"n":"CALL","o":${o}}]'),
    Form("deep", "a frame nested two thousand levels deep", "[" * 2000 + "]" * 2000, unreadable=True),
)  # fmt: skip

UNPARSABLE = ("not-json", "empty", "cut-off")
"""The forms that are no JSON at all, of which the reading of that name speaks."""


def frame_cases(operation: Operation) -> Iterator[Case]:
    """Each form with the operation's legal request as payload."""
    for channel in channels(operation):
        if channel.transport.framed:
            for form in FORMS:
                yield _case(operation, channel, form)


def _case(operation: Operation, channel: Channel, form: Form) -> Case:
    names = operation.acted_on
    requirements = tuple(operation.attribution[check] for check in form.speaks_for)
    frame = form.frame.replace("LOWER", operation.call.lower())
    body = message.body(operation, channel, operation.valid)
    sent = make.message(operation, channel, body, frame=frame)
    expectation = _expectation(operation, form, requirements[0], names)
    return make.case(operation, channel, f"frames/{form.name}", f"Frame: {form.title}", requirements, sent, expectation)


def _expectation(operation: Operation, form: Form, requirement: str, names: tuple[str, ...]) -> Expectation:
    if form.legal:
        return expect.done(operation, requirement, names)
    if form.unreadable:
        refused = expect.refused(operation, requirement, names, (20, 100, 104, 106))
        return or_unanswered(refused, names, unparsable=form.name in UNPARSABLE)
    return or_unanswered(expect.either(operation, requirement, names, (20, 100, 104, 106)), names)
