"""Building blocks of AlphaPoint's faults and equivalents: each wraps one collaborator for one of the operations."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from reference_impl.alphapoint.values import (
    CANCEL_ALL_ORDERS,
    CANCEL_ORDER,
    CANCEL_QUOTE,
    Answer,
    Call,
    Refusal,
    Refused,
    Standard,
)
from reference_impl.parts import (
    Parts,
    with_alphapoint,
    with_call,
    with_policy,
)
from reference_impl.recorder import Recorder
from reference_impl.variants import Change, Variant, equivalent, fault
from reference_impl.wire import OPERATIONS, FrameInfo, HttpRequest, HttpResponse
from reference_impl.world.model import User


@dataclass(frozen=True, slots=True)
class Operation:
    """One of the operations: its call, and the prefix of the ids of its variants."""

    call: str
    prefix: str

    @property
    def id(self) -> str:
        """The operation's id."""
        return OPERATIONS[self.call.lower()]

    def is_of(self, call: Call) -> bool:
        """Whether a call is this operation's."""
        return call.name == self.call


CAO, CQ = Operation(CANCEL_ALL_ORDERS, "cao"), Operation(CANCEL_QUOTE, "cq")
CO = Operation(CANCEL_ORDER, "co")
_STEPS = {CAO: "cancel_all", CQ: "cancel_quote", CO: "cancel_order"}
Make = Callable[[Operation], Change]
Members = dict[str, Any]


def fault_of(operation: Operation, name: str, summary: str, breaks: str, change: Change, edition: str = "") -> Variant:
    """A fault of one operation; `breaks` are the ids of requirements without their prefix, separated by blanks.

    A word such as `cq:RESP-PAIR` counts for that operation alone.
    """
    named = (word.rpartition(":") for word in breaks.split())
    requirements = tuple(
        f"{operation.prefix.upper()}-{name}" for only, _, name in named if only in ("", operation.prefix)
    )
    return fault(f"{operation.prefix}-{name}", operation.id, summary, change, requirements, edition)


def faults_of_both(name: str, summary: str, breaks: str, make: Make) -> tuple[Variant, Variant]:
    """The same fault in each operation, breaking the requirements of the same names."""
    return (fault_of(CAO, name, summary, breaks, make(CAO)), fault_of(CQ, name, summary, breaks, make(CQ)))


def equivalent_of(operation: Operation, name: str, summary: str, change: Change, edition: str = "") -> Variant:
    """An equivalent of one operation."""
    return equivalent(f"{operation.prefix}-{name}", operation.id, summary, change, edition)


def equivalents_of_each(name: str, summary: str, make: Make) -> tuple[Variant, ...]:
    """The same permitted difference in each operation."""
    return tuple(equivalent_of(operation, name, summary, make(operation)) for operation in (CAO, CQ, CO))


def standards(operation: Operation, change: Callable[[Members, Call], Members]) -> Change:
    """Every standard response object that the operation writes, each leg of a pair by itself."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        inner = parts.alphapoint.render_standard

        def render_standard(p: Parts, call: Call, value: Standard) -> Members:
            rendered = dict(inner(p, call, value))
            return _swap(recorder, rendered, change(dict(rendered), call)) if operation.is_of(call) else rendered

        return with_alphapoint(parts, render_standard=render_standard)

    return apply


def on_success(change: Callable[[Members], Members]) -> Callable[[Members, Call], Members]:
    """A change of the standard objects that report success alone."""
    return lambda members, _call: change(members) if members["errorcode"] == 0 else members


def on_error(change: Callable[[Members], Members], code: int | None = None) -> Callable[[Members, Call], Members]:
    """A change of the standard objects that report an error, or this one."""
    return lambda members, _call: (
        change(members) if members["errorcode"] and code in (None, members["errorcode"]) else members
    )


def without(name: str) -> Callable[[Members], Members]:
    """Leaves one member out."""
    return lambda members: {key: value for key, value in members.items() if key != name}


def but(**changes: Any) -> Callable[[Members], Members]:
    """Gives members other values."""
    return lambda members: {**members, **changes}


def payloads(operation: Operation, change: Callable[[Any, Call], Any]) -> Change:
    """The whole payload as a JSON value."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        inner = parts.alphapoint.finish

        def finish(call: Call, value: Any) -> Any:
            value = inner(call, value)
            return _swap(recorder, value, change(value, call)) if operation.is_of(call) else value

        return with_alphapoint(parts, finish=finish)

    return apply


def _swap(recorder: Recorder, before: Any, after: Any) -> Any:
    """`after`, counted when its JSON differs; to Python itself, 1 and true are the same, and order does not count."""
    if repr(before) != repr(after):
        recorder.hit()
    return after


@dataclass(frozen=True, slots=True)
class _Marked:
    value: Any


def texts(operation: Operation, change: Callable[[str], str]) -> Change:
    """The payload's JSON text."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        finish, encode = parts.alphapoint.finish, parts.alphapoint.encode

        def marked(call: Call, value: Any) -> Any:
            value = finish(call, value)
            return _Marked(value) if operation.is_of(call) else value

        def encoded(value: Any) -> str:
            if not isinstance(value, _Marked):
                return encode(value)
            text = encode(value.value)
            return recorder.swap(text, change(text))

        return with_alphapoint(parts, finish=marked, encode=encoded)

    return apply


def refusals(operation: Operation, change: Callable[[Refusal, Call], Standard | None]) -> Change:
    """The standard response to a refusal; None leaves it."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        inner = parts.alphapoint.standard

        def standard(call: Call, refusal: Refusal) -> Standard:
            value = inner(call, refusal)
            changed = change(refusal, call) if operation.is_of(call) else None
            return value if changed is None else recorder.swap(value, changed)

        return with_alphapoint(parts, standard=standard)

    return apply


def code_texts(operation: Operation, code: int, text: str) -> Change:
    """The text of one error code."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        inner = parts.alphapoint.error_text

        def error_text(call: Call, given: int) -> str:
            before = inner(call, given)
            return recorder.swap(before, text) if given == code and operation.is_of(call) else before

        return with_alphapoint(parts, error_text=error_text)

    return apply


def responses(operation: Operation, change: Callable[[HttpRequest, HttpResponse], HttpResponse]) -> Change:
    """The HTTP response, whoever wrote it."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        inner = parts.http_filter

        def http_filter(request: HttpRequest, response: HttpResponse) -> HttpResponse:
            response = inner(request, response)
            return recorder.swap(response, change(request, response)) if request.operation == operation.id else response

        return replace(parts, http_filter=http_filter)

    return apply


def frames(operation: Operation, change: Callable[[FrameInfo, tuple[str, ...]], tuple[str, ...]]) -> Change:
    """The WebSocket texts that answer one."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        inner = parts.frame_filter

        def frame_filter(info: FrameInfo, replies: tuple[str, ...]) -> tuple[str, ...]:
            replies = inner(info, replies)
            return recorder.swap(replies, change(info, replies)) if info.operation == operation.id else replies

        return replace(parts, frame_filter=frame_filter)

    return apply


def reply_members(operation: Operation, change: Callable[[Members], Members]) -> Change:
    """The members of each frame that answers."""
    return frames(operation, lambda _info, replies: tuple(json.dumps(change(json.loads(text))) for text in replies))


def step(operation: Operation, field: str, change: Callable[..., Any]) -> Change:
    """One step of the operation that has no effect of its own; `change` is given the step, then its arguments."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        name = _STEPS[operation]
        steps: Any = getattr(parts.alphapoint, name)
        inner = getattr(steps, field)

        def changed(*arguments: Any) -> Any:
            before = _outcome(inner, *arguments)
            after = _outcome(change, inner, *arguments)
            if _told(before) != _told(after):
                recorder.hit()
            if isinstance(after, Refused):
                raise after
            return after

        return with_alphapoint(parts, **{name: replace(steps, **{field: changed})})

    return apply


def _outcome(function: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except Refused as refused:
        return refused


def _told(outcome: Any) -> Any:
    return outcome.refusal if isinstance(outcome, Refused) else outcome


def handler(
    operation: Operation, change: Callable[[Recorder, Callable[[Parts, Call], Answer], Parts, Call], Answer]
) -> Change:
    """The whole operation; `change` is given a recorder to tell, and the handler it stands in for."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        inner = parts.alphapoint.calls[operation.call]
        return with_call(parts, operation.call, lambda p, call: change(recorder, inner, p, call))

    return apply


def may_call(operation: Operation, change: Callable[[User], bool | None]) -> Change:
    """Whether a user's permissions allow the operation; None leaves it."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        inner = parts.alphapoint.policy.may_call

        def allowed(user: User, name: str) -> bool:
            before = inner(user, name)
            after = change(user) if name == operation.call else None
            return before if after is None else recorder.swap(before, after)

        return with_policy(parts, may_call=allowed)

    return apply


def together(*changes: Change) -> Change:
    """Several changes, one after the other, counted as one."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        for change in changes:
            parts = change(parts, recorder)
        return parts

    return apply
