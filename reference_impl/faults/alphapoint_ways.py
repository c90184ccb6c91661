"""Violations on another way to the same call, such as GET with a query: it acts there, and asks nobody who may."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from urllib.parse import parse_qsl

from reference_impl.alphapoint.dispatch import answer
from reference_impl.alphapoint.http import JSON, find_caller
from reference_impl.alphapoint.values import Call
from reference_impl.changes import CAO, CO, CQ, Make, Operation, fault_of
from reference_impl.parts import Parts, with_policy
from reference_impl.recorder import Recorder
from reference_impl.variants import Change, Variant
from reference_impl.wire import HttpRequest, HttpResponse
from reference_impl.world.model import User

_FORM = "application/x-www-form-urlencoded"


def _is_form(request: HttpRequest) -> bool:
    return (request.header("content-type") or "").startswith(_FORM)


def _proper(request: HttpRequest) -> str:
    """The last part of the path as it came."""
    return request.sent_path.rpartition("/AP/")[2]


WAYS: Mapping[str, tuple[str, Callable[[HttpRequest], bool]]] = {
    "get-query": ("GET with a query", lambda request: request.method == "GET" and bool(request.query)),
    "head-query": ("HEAD with a query", lambda request: request.method == "HEAD" and bool(request.query)),
    "post-query": ("POST with a query alone", lambda request: request.method == "POST" and not request.body),
    "path-case": ("a path in other letter case", lambda request: _proper(request).lower() == _proper(request)),
    "path-slash": ("a path with a slash behind it", lambda request: request.sent_path.endswith("/")),
    "form": ("a form as body", _is_form),
    "override": (
        "GET with a header that says POST",
        lambda request: request.method == "GET" and request.header("x-http-method-override") == "POST",
    ),
}
"""What stands for each way in an id, in words, and whether a request came by it."""


def _anybody(parts: Parts, _user: User | None) -> tuple[Parts, User | None]:
    return parts, parts.world.users["operator"]


def _no_permission_asked(parts: Parts, user: User | None) -> tuple[Parts, User | None]:
    return with_policy(parts, may_call=lambda _user, _call: True), user


def _any_account(parts: Parts, user: User | None) -> tuple[Parts, User | None]:
    return with_policy(parts, may_touch=lambda _user, _account: True), user


def served_by(
    came_so: Callable[[HttpRequest], bool], seen_as: Callable[[Parts, User | None], tuple[Parts, User | None]]
) -> Make:
    """Carries out what came by this way, seen as other parts and another user see it."""

    def make(operation: Operation) -> Change:
        def apply(parts: Parts, recorder: Recorder) -> Parts:
            inner = parts.refuse

            def refuse(request: HttpRequest) -> HttpResponse | None:
                if request.operation != operation.id or not came_so(request):
                    return inner(request)
                changed, caller = seen_as(parts, find_caller(parts, request, operation.call)[0])
                if caller is None:
                    return inner(request)
                recorder.hit()
                body: bytes | str = request.body
                if _is_form(request):
                    body = json.dumps(dict(parse_qsl(request.body.decode())))
                _, text = answer(changed, Call(operation.call, "http", body, request.query, caller))
                return HttpResponse(200, text.encode(), JSON)

            return replace(parts, refuse=refuse)

        return apply

    return make


def _each(name: str, summary: str, breaks: str, make: Make) -> tuple[Variant, ...]:
    return tuple(fault_of(operation, name, summary, breaks, make(operation)) for operation in (CAO, CQ, CO))


FAULTS: tuple[Variant, ...] = (
    *(
        fault
        for way, (words, came_so) in WAYS.items()
        for fault in _each(
            f"{way}-for-anybody",
            f"Serves {words} as if an operator had sent it",
            "HTTP-WAYS",
            served_by(came_so, _anybody),
        )
    ),
    *(
        fault
        for way in ("get-query", "form", "path-slash")
        for fault in (
            *_each(
                f"{way}-for-all-roles",
                f"Serves {WAYS[way][0]}, and asks for no permission",
                "HTTP-WAYS",
                served_by(WAYS[way][1], _no_permission_asked),
            ),
            *_each(
                f"{way}-on-any-account",
                f"Serves {WAYS[way][0]}, on whichever account",
                "HTTP-WAYS",
                served_by(WAYS[way][1], _any_account),
            ),
        )
    ),
)
