"""User and password in a WebSocket frame, for HTTP, too. A module of its own, because a login is one module."""

from __future__ import annotations

from conformance.dialects.base import Login, Session, Signer, session_of
from conformance.dialects.logins.basic import UserKeys, over_ws


class SocketKeys(UserKeys):
    """The same keys; a role has to name this login, for its keys are also those of `basic`."""

    implied_by = ""


async def over_http(signer: Signer) -> Session:
    """The session of a WebSocket that is there for signing in alone."""
    return session_of(signer, await over_ws(signer, signer.ask))


LOGIN = Login("websocket", SocketKeys, over_http, over_ws, through_dialect=True)
