"""What a vendor brings beyond its contract: dialects and logins, found by name. The dialect that brings nothing is here.

A service without sessions and calls of its own speaks `plain`: HTTP requests, each complete in itself.
A login such as `oauth2` may bring a session of its own; then the answer 401 says that it is gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.dialects.base import CREDENTIALS, Calls, Reply, Session, StateProvider
from conformance.endpoint.model import Binding
from conformance.errors import HarnessError
from conformance.formats.json.pointer import load_json
from conformance.wire.messages import Exchange, Headers, HttpReply, HttpRequest, WsRequest


class Plain:
    """`Dialect` of services that need none."""

    name = "plain"
    signs_in = False
    states: tuple[str, ...] = ()
    session_header = "Authorization"
    invented: Headers = (("Authorization", "Bearer 00000000-0000-4000-8000-00000000c0de"),)
    sign_out = ""

    def sign_in_request(self, headers: Headers) -> HttpRequest:
        """There is no such call; a target file that needs one is refused when it is read."""
        raise HarnessError("this service has no sign-in")

    def sign_in_frame(self, number: int, members: Mapping[str, str]) -> str:
        """There is no such call."""
        raise HarnessError("this service has no sign-in")

    def session(self, exchange: Exchange) -> Session | None:
        """No answer holds a session."""
        return None

    def refusal(self, exchange: Exchange) -> str:
        """No answer says more."""
        return CREDENTIALS

    def signed_out(self, exchange: Exchange) -> bool:
        """There is no such call."""
        return False

    def call_request(self, name: str, payload: Mapping[str, Any], headers: Headers) -> HttpRequest:
        """There are no calls but the operations."""
        raise HarnessError("this service has no calls of its own")

    def call_frame(self, number: int, name: str, payload: Mapping[str, Any]) -> str:
        """There are no frames."""
        raise HarnessError("this service has no frames")

    def number_of(self, frame: str | bytes) -> int | None:
        """No text is a frame."""
        return None

    def value(self, exchange: Exchange) -> Any:
        """The JSON value of a body."""
        try:
            return load_json(exchange.reply.body) if isinstance(exchange.reply, HttpReply) else None
        except ValueError:
            return None

    def hello(self, number: int) -> str:
        """There are no frames."""
        raise HarnessError("this service has no frames")

    def probe(self, bindings: Mapping[str, Binding]) -> None:
        """There is no harmless call."""

    def inspections(self, bindings: Mapping[str, Binding]) -> tuple[()]:
        """There is no reading call to look with."""
        return ()

    def may_lack_session(self, exchange: Exchange) -> bool:
        """The login says so, if it keeps a session."""
        return False

    def provider(self, calls: Calls) -> StateProvider | None:
        """Orders come from elsewhere: a hook, a command, a pool."""
        return None

    def dry_answer(self, request: HttpRequest | WsRequest, *, still_open: bool = False) -> Reply | None:
        """There are no messages of its own."""
        return None
