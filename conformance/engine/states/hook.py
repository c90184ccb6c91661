"""An HTTP hook that brings states about: `POST <url>/state`, `/observe` and `/clean`, answered with 200 and JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from conformance.engine.problems import StateUnavailable, Unreached
from conformance.transport.http import HttpTransport
from conformance.transport.messages import HttpReply, HttpRequest, Limits

_HEADERS = (("Content-Type", "application/json"),)


@dataclass(frozen=True, slots=True)
class Hook:
    """Whom `AskedStates` asks over HTTP."""

    transport: HttpTransport
    limits: Limits
    what: str = "the state hook"

    async def ask(self, action: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """The hook's answer. Raises `Unreached` when it is not there, else `StateUnavailable`."""
        request = HttpRequest("POST", f"/{action}", _HEADERS, json.dumps(body).encode())
        exchange = await self.transport.send(request, limits=self.limits)
        if exchange.problem is not None:
            if exchange.problem.unreachable:
                raise Unreached(f"{self.what}: {exchange.problem.message}")
            raise StateUnavailable(f"{self.what} got no answer: {exchange.problem.message}")
        assert isinstance(exchange.reply, HttpReply)
        try:
            answer = json.loads(exchange.reply.body)
        except (ValueError, RecursionError) as error:
            raise StateUnavailable(f"{self.what} did not answer in JSON") from error
        if exchange.reply.status != 200 or not isinstance(answer, dict):
            raise StateUnavailable(f"{self.what} refused {action!r} with status {exchange.reply.status}")
        return answer

    async def aclose(self) -> None:
        """Close its connections."""
        await self.transport.aclose()
