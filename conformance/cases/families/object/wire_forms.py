"""The ways to send a request object: HTTP forms and WebSocket frames, legal and not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from conformance.cases import expect, make, message
from conformance.cases.expect import Ruling
from conformance.cases.families.object.malformed import or_unanswered
from conformance.cases.make import Channel, channels
from conformance.formats.xml.format import XML
from conformance.model.case import Alternative, Body, Case, Expectation, Message, StateNeed, state_names
from conformance.model.spec import Operation, Shape

TYPED = ("Content-Type", "{}")
"""`{}` stands for the media type of the channel."""


@dataclass(frozen=True, slots=True)
class HttpForm:
    """One HTTP form; `legal` means that it must be carried out, else it may be, or be refused in any way.

    A `safe` method (RFC 9110, 9.2.1) changes nothing, whatever it is answered.
    """

    name: str
    title: str
    headers: tuple[tuple[str, str], ...] = (TYPED,)
    legal: bool = False
    because: Ruling = Ruling.UNNAMED_MEDIA_TYPE
    """What allows that it is carried out, or refused in any way, where it is not legal."""
    method: str = ""
    """Another method than the call's."""
    query: str = ""
    safe: bool = False
    spelling: str = ""
    unknown: bool = False
    """The path is that of a call that does not exist."""
    of_body: bool = False
    """Whether it is about the body, so that a call without one has no such form."""


HTTP_FORMS = (
    HttpForm(
        "charset", "the content type with its charset", (("Content-Type", "{}; charset=utf-8"),), True, of_body=True
    ),
    HttpForm(
        "charset-quoted",
        "the charset in quotes and capitals",
        (("Content-Type", '{}; charset="UTF-8"'),),
        True,
        of_body=True,
    ),
    HttpForm(
        "lower-case-headers",
        "all header names in lower case",
        (TYPED, ("Accept", "{}")),
        True,
        spelling="http-names-in-lower-case",
    ),
    HttpForm(
        "upper-case-headers",
        "all header names in upper case, that of the session too",
        (TYPED, ("Accept", "{}")),
        True,
        spelling="http-names-in-capitals",
    ),
    HttpForm("accept-anything", "any answer is taken", (TYPED, ("Accept", "*/*")), True),
    HttpForm("no-accept", "no Accept header", (TYPED,), True),
    HttpForm(
        "accept-language",
        "headers that have nothing to do with it",
        (TYPED, ("Accept-Language", "de"), ("X-Trace", "1")),
        True,
    ),
    HttpForm("chunked", "the body in chunks", (TYPED, ("Transfer-Encoding", "chunked")), True, of_body=True),
    HttpForm("no-content-type", "no content type", (), of_body=True),
    HttpForm("text-plain", "the content type of plain text", (("Content-Type", "text/plain"),), of_body=True),
    HttpForm("content-type-xml", "the content type of XML", (("Content-Type", "application/xml"),), of_body=True),
    HttpForm("content-type-garbage", "a content type that is none", (("Content-Type", "garbage"),), of_body=True),
    HttpForm("accept-xml", "only XML is taken as answer", (TYPED, ("Accept", "application/xml"))),
    HttpForm("query", "a query string that the call does not have", query="?x=1", because=Ruling.PATH_AND_QUERY),
    HttpForm("call-unknown", "a call that does not exist", unknown=True, because=Ruling.UNSERVED),
    HttpForm("get", "the method GET", method="GET", safe=True, because=Ruling.SAFE_METHOD),
    HttpForm("head", "the method HEAD", method="HEAD", safe=True, because=Ruling.SAFE_METHOD),
    HttpForm("options", "the method OPTIONS", method="OPTIONS", safe=True, because=Ruling.SAFE_METHOD),
    HttpForm("post", "the method POST", method="POST", because=Ruling.UNNAMED_METHOD),
    HttpForm("put", "the method PUT", method="PUT", because=Ruling.UNNAMED_METHOD),
    HttpForm("patch", "the method PATCH", method="PATCH", because=Ruling.UNNAMED_METHOD),
    HttpForm("delete", "the method DELETE", method="DELETE", because=Ruling.UNNAMED_METHOD),
)


def http_form_cases(operation: Operation) -> Iterator[Case]:
    """Each form of the operation's legal request; a method by which another call is made is none."""
    others = operation.methods_beside | ({"HEAD"} if "GET" in operation.methods_beside else frozenset())
    known = [one for one in HTTP_FORMS if one.method not in others and one.method != operation.method]
    for channel in channels(operation):
        if not channel.transport.framed:
            for form in known:
                if _has_form(operation, channel, form):
                    yield _http_case(operation, channel, form)


def _has_form(operation: Operation, channel: Channel, form: HttpForm) -> bool:
    """Whether the request can be written so; for a call in XML, what asks for XML or calls itself so is the plain one."""
    if form.of_body and not operation.has_body:
        return False
    return channel.format is not XML or not form.name.endswith("-xml")


def _http_case(operation: Operation, channel: Channel, form: HttpForm) -> Case:
    names = operation.acted_on
    asks_for_format = not form.spelling and any(name == "Accept" for name, _ in form.headers)
    requirement = operation.attribution["media-type" if asks_for_format or form.name == "no-accept" else "route"]
    if form.method and operation.shape is Shape.DATA:
        requirement = operation.attribution.get("method", requirement)
    plain = message.request_of(operation, channel, operation.valid)
    assert plain is not None
    headers = tuple((name, text.replace("{}", channel.media_type)) for name, text in form.headers)
    if not operation.has_body:
        headers = tuple(one for one in headers if one[0] != "Content-Type")
    method = form.method or operation.method
    sent = Message(plain.body, method, _path_of(operation, plain.path, form), headers, form.spelling)
    expectation = _http_expectation(operation, form, requirement, names)
    return make.case(operation, channel, f"http/{form.name}", f"HTTP: {form.title}", (), sent, expectation)


def _path_of(operation: Operation, path: str, form: HttpForm) -> str:
    """The path with what the form adds to it: to its query, or to the name of the call, which no argument follows."""
    if form.unknown:
        head, _, query = path.partition("?")
        last = operation.path.partition("/{")[0] if operation.in_path else head
        return f"{last}Nothing{head[len(last) :]}" + (f"?{query}" if query else "")
    return path + (form.query.replace("?", "&") if "?" in path else form.query)


def _http_expectation(operation: Operation, form: HttpForm, requirement: str, names: tuple[str, ...]) -> Expectation:
    if form.legal:
        return expect.done(operation, requirement, names)
    because = (form.because,)
    any_refusal = Alternative({"form": "http-refusal"}, untouched=names, because=because)
    if form.unknown:
        refused = expect.refused(operation, requirement, names, (20, 100, 104, 106), because)
        return Expectation(requirement, (*refused.any_of, any_refusal), effect=requirement)
    if form.safe:
        right = (any_refusal, Alternative({"form": "served"}, untouched=names, because=because))
        return Expectation(requirement, right, effect=operation.attribution["effect"])
    if form.method and requirement == operation.attribution.get("method"):
        refused = expect.refused(operation, requirement, names)
        return Expectation(requirement, (*refused.any_of, replace(any_refusal, because=(requirement,))), refused.effect)
    either = expect.either(operation, requirement, names, (20, 100, 104, 106), because)
    return Expectation(requirement, (*either.any_of, any_refusal), effect=either.effect)


@dataclass(frozen=True, slots=True)
class Way:
    """Another way to the call: the method, and where the members stand; `extra` are headers beside the content type.

    `page`: it may be answered by a page that has nothing to do with the call, as GET and HEAD may.
    """

    name: str
    title: str
    method: str = "POST"
    members: Literal["body", "query", "form"] = "body"
    path: Callable[[str], str] = str
    extra: tuple[tuple[str, str], ...] = ()
    page: bool = False


WAYS = (
    Way("get-query", "GET, the members in the query", "GET", "query", page=True),
    Way("head-query", "HEAD, the members in the query", "HEAD", "query", page=True),
    Way("post-query", "the members in the query", members="query"),
    Way("form", "the members in a form", members="form"),
    Way("path-lower", "a path in lower case", path=str.lower),
    Way("path-slash", "a slash behind the path", path=lambda path: f"{path}/"),
    Way("override", "GET with a header that says POST", "GET", extra=(("X-HTTP-Method-Override", "POST"),), page=True),
)
_OTHER = "other"


def way_cases(operation: Operation) -> Iterator[Case]:
    """Each way with a request that is right, and with three that must be refused.

    The account of a role without permission and that of a stranger, who never calls, are those of exploring runs.
    """
    member, owned = _account_member(operation), operation.explore.accounts if operation.explore else {}
    idle = next((role for role in operation.roles_refused if role in owned), "")
    absent = next((role for role in owned if operation.explore and role not in operation.explore.roles), "")
    if "ways" not in operation.attribution or not (member and idle and absent):
        return
    right: Any = operation.valid
    own, stranger = f"${{{owned[idle][0]}}}", f"${{{owned[absent][0]}}}"
    theirs = {name: _on_account(need, account=stranger) for name, need in operation.states.items()}
    placing = {"role": operation.elevated} if operation.elevated else {}
    idle_states = {name: _on_account(need, account=own, **placing) for name, need in operation.states.items()}
    beside = {**operation.states, _OTHER: next(iter(theirs.values()))}
    for channel in channels(operation):
        for way in WAYS if not channel.transport.framed else ():
            for who, value, role, states in (
                ("own", right, None, beside),
                ("idle", {**right, member: own}, idle, idle_states),
                ("unsigned", right, "anonymous", operation.states),
                ("stranger", {**right, member: stranger}, None, theirs),
            ):
                sent = _sent_by(operation, channel, way, value)
                expectation = _way_expectation(operation, way, states, obeys=who == "own")
                name, title = f"ways/{way.name}-{who}", f"Another way: {way.title}; {_WHO[who]}"
                yield make.case(operation, channel, name, title, (), sent, expectation, role=role, states=states)


_WHO = {
    "own": "what the caller may cancel, beside a stranger's",
    "idle": "a user without permission, his own account",
    "unsigned": "nobody has signed in",
    "stranger": "a stranger's account",
}


def _account_member(operation: Operation) -> str:
    members = operation.scope.members.items() if operation.scope else ()
    return next((name for name, one in members if one.kind == "account" and name in operation.fields), "")


def _on_account(need: StateNeed, **where: str) -> StateNeed:
    return replace(need, params={**need.params, **where})


def _sent_by(operation: Operation, channel: Channel, way: Way, value: Mapping[str, Any]) -> Message:
    pairs = "&".join(f"{name}={content}" for name, content in value.items())
    path, typed = way.path(operation.path), (("Content-Type", channel.media_type), ("Accept", channel.media_type))
    if way.members == "query":
        return Message(Body(""), way.method, f"{path}?{pairs}", (typed[1], *way.extra))
    if way.members == "form":
        form = ("Content-Type", "application/x-www-form-urlencoded")
        return Message(Body(pairs), way.method, path, (form, typed[1], *way.extra))
    return Message(message.body(operation, channel, value), way.method, path, (*typed, *way.extra))


def _way_expectation(operation: Operation, way: Way, states: Mapping[str, StateNeed], *, obeys: bool) -> Expectation:
    requirement, because = operation.attribution["ways"], (Ruling.ANOTHER_WAY,)
    every, named = state_names(states), operation.acted_on
    right = [Alternative({"code": [20, 100, 104, 106]}, untouched=every, because=because)]
    right.append(Alternative({"form": "http-refusal"}, untouched=every, because=because))
    if way.page:
        right.append(Alternative({"form": "served"}, untouched=every, because=because))
    if obeys:
        others = tuple(name for name in every if name not in named)
        done = {"form": "served"} if way.method == "HEAD" else {"code": [0]}  # which has no body to say it
        right.insert(0, Alternative(done, named, others, because=because))
    return Expectation(requirement, tuple(right), effect=requirement, outside=requirement)


@dataclass(frozen=True, slots=True)
class FrameForm:
    """One way to write the frame. A `legal` one must be carried out; another may be carried out, refused or ignored."""

    name: str
    title: str
    frame: str
    legal: bool = False
    unreadable: bool = False
    """No reader can take it for a request, so a success is wrong."""
    speaks_for: tuple[str, ...] = ("frame-malformed",)


FRAME_FORMS = (
    FrameForm(
        "order-reversed",
        "members in reverse order",
        '{"o":${o},"n":"CALL","i":${i},"m":0}',
        legal=True,
        speaks_for=("frame-o",),
    ),
    FrameForm(
        "order-mixed",
        "members in mixed order",
        '{"n":"CALL","m":0,"o":${o},"i":${i}}',
        legal=True,
        speaks_for=("frame-n",),
    ),
    FrameForm(
        "white-space",
        "white space between members",
        '{ "m" : 0 ,\n "i" : ${i} ,\n "n" : "CALL" ,\n "o" : ${o} }',
        legal=True,
        speaks_for=("frame-m",),
    ),
    FrameForm(
        "sequence-zero",
        "sequence number 0, as a real client starts",
        '{"m":0,"i":0,"n":"CALL","o":${o}}',
        legal=True,
        speaks_for=("frame-i",),
    ),
    FrameForm(
        "sequence-large",
        "a sequence number near the end of 31 bits",
        '{"m":0,"i":${i+2147000000},"n":"CALL","o":${o}}',
        legal=True,
        speaks_for=("frame-i",),
    ),
    FrameForm(
        "sequence-over-31-bits",
        "a sequence number of 32 bits",
        '{"m":0,"i":${i+2147483648},"n":"CALL","o":${o}}',
        speaks_for=("frame-i",),
    ),
    FrameForm(
        "sequence-over-32-bits",
        "a sequence number that 32 bits do not hold",
        '{"m":0,"i":${i+4294967296},"n":"CALL","o":${o}}',
        speaks_for=("frame-i",),
    ),
    FrameForm(
        "sequence-over-53-bits",
        "a sequence number that a floating-point number does not hold",
        '{"m":0,"i":${i+9007199254740993},"n":"CALL","o":${o}}',
        speaks_for=("frame-i",),
    ),
    FrameForm("extra-member", "a member beyond the four", '{"m":0,"i":${i},"n":"CALL","o":${o},"x":1}'),
    FrameForm(
        "lower-case-call",
        "the call's name in lower case",
        '{"m":0,"i":${i},"n":"LOWER","o":${o}}',
        unreadable=True,
        speaks_for=("frame-n",),
    ),
    FrameForm("type-as-text", "m as text", '{"m":"0","i":${i},"n":"CALL","o":${o}}'),
    FrameForm("sequence-as-text", "i as text", '{"m":0,"i":"${i}","n":"CALL","o":${o}}'),
    FrameForm("sequence-missing", "i left out", '{"m":0,"n":"CALL","o":${o}}'),
    FrameForm("sequence-negative", "i negative", '{"m":0,"i":-${i},"n":"CALL","o":${o}}'),
    FrameForm("payload-as-object", "o as an object and not as text", '{"m":0,"i":${i},"n":"CALL","o":${body}}'),
    FrameForm("type-missing", "m left out", '{"i":${i},"n":"CALL","o":${o}}'),
    FrameForm("type-unknown", "m 9, which no message has", '{"m":9,"i":${i},"n":"CALL","o":${o}}'),
    FrameForm(
        "type-subscribe",
        "m 2, which is for subscriptions",
        '{"m":2,"i":${i},"n":"CALL","o":${o}}',
        speaks_for=("frame-type",),
    ),
    FrameForm(
        "type-event", "m 3, which is for events", '{"m":3,"i":${i},"n":"CALL","o":${o}}', speaks_for=("frame-type",)
    ),
    FrameForm(
        "type-unsubscribe",
        "m 4, which ends subscriptions",
        '{"m":4,"i":${i},"n":"CALL","o":${o}}',
        speaks_for=("frame-type",),
    ),
    FrameForm(
        "type-error", "m 5, which is for errors", '{"m":5,"i":${i},"n":"CALL","o":${o}}', speaks_for=("frame-type",)
    ),
    FrameForm("type-reply", "m 1, which is for replies", '{"m":1,"i":${i},"n":"CALL","o":${o}}'),
    FrameForm("call-missing", "n left out", '{"m":0,"i":${i},"o":${o}}', unreadable=True),
    FrameForm("call-empty", "n empty", '{"m":0,"i":${i},"n":"","o":${o}}', unreadable=True),
    FrameForm(
        "call-unknown", "n a call that does not exist", '{"m":0,"i":${i},"n":"CALLNothing","o":${o}}', unreadable=True
    ),
    FrameForm("call-number", "n a number", '{"m":0,"i":${i},"n":7,"o":${o}}', unreadable=True),
    FrameForm("payload-missing", "o left out", '{"m":0,"i":${i},"n":"CALL"}', unreadable=True),
    FrameForm("payload-null", "o null", '{"m":0,"i":${i},"n":"CALL","o":null}', unreadable=True),
    FrameForm("payload-empty", "o an empty string", '{"m":0,"i":${i},"n":"CALL","o":""}', unreadable=True),
    FrameForm("payload-number", "o a number", '{"m":0,"i":${i},"n":"CALL","o":5}', unreadable=True),
    FrameForm("not-json", "text that is no JSON", "CALL now ${i}", unreadable=True),
    FrameForm("empty", "an empty message", "", unreadable=True),
    FrameForm("cut-off", "a frame cut off before its end", '{"m":0,"i":${i},"n":"CALL","o":', unreadable=True),
    FrameForm("in-list", "the frame inside a list", '[{"m":0,"i":${i},"n":"CALL","o":${o}}]', unreadable=True),
    FrameForm("deep", "a frame nested two thousand levels deep", "[" * 2000 + "]" * 2000, unreadable=True),
)

UNPARSABLE = ("not-json", "empty", "cut-off")
"""The forms that are no JSON at all, of which the reading of that name speaks."""


def frame_cases(operation: Operation) -> Iterator[Case]:
    """Each form with the operation's legal request as payload."""
    for channel in channels(operation):
        if channel.transport.framed:
            for form in FRAME_FORMS:
                yield _frame_case(operation, channel, form)


def _frame_case(operation: Operation, channel: Channel, form: FrameForm) -> Case:
    names = operation.acted_on
    requirements = tuple(operation.attribution[check] for check in form.speaks_for)
    frame = form.frame.replace("LOWER", operation.call.lower())
    sent = make.message(operation, channel, message.legal_body(operation, channel), frame=frame)
    expectation = _frame_expectation(operation, form, requirements[0], names)
    return make.case(operation, channel, f"frames/{form.name}", f"Frame: {form.title}", requirements, sent, expectation)


def _frame_expectation(operation: Operation, form: FrameForm, requirement: str, names: tuple[str, ...]) -> Expectation:
    if form.legal:
        return expect.done(operation, requirement, names)
    if form.unreadable:
        refused = expect.refused(operation, requirement, names, (20, 100, 104, 106), (Ruling.UNSERVED,))
        return or_unanswered(refused, names, unparsable=form.name in UNPARSABLE)
    # the requirement on message types says that the frame of another one may be carried out
    because = requirement if form.speaks_for == ("frame-type",) else Ruling.ODD_FRAME
    found = or_unanswered(expect.either(operation, requirement, names, (20, 100, 104, 106), (because,)), names)
    # what another message type does unasked is told under the requirement on message types
    return replace(found, effect=requirement) if form.speaks_for == ("frame-type",) else found
