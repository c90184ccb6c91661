"""User and password, for HTTP and WebSocket. A module of its own, because a login is one module.

Over HTTP they go as Basic (RFC 7617), over WebSocket as members of a frame; what comes back is a session.
"""

from __future__ import annotations

import base64

from conformance.dialects.base import Ask, Login, Session, Signer, session_of
from conformance.endpoint.model import LoginKeys, Secret, Text
from conformance.wire.messages import Exchange


class UserKeys(LoginKeys):
    """A user and the password."""

    implied_by = "user"

    user: Text
    password: Secret


def basic(signer: Signer) -> str:
    """The value of the header Authorization."""
    pair = f"{signer.keys.user}:{signer.secret('password')}"
    encoded = base64.b64encode(pair.encode()).decode()
    signer.vault.learn(encoded)
    return f"Basic {encoded}"


async def over_http(signer: Signer) -> Session:
    """Sign in with the header Authorization."""
    request = signer.dialect.sign_in_request((("Authorization", basic(signer)),))
    return session_of(signer, await signer.send(request))


async def over_ws(signer: Signer, ask: Ask) -> Exchange:
    """Sign in with a frame that carries user and password."""
    members = {"UserName": signer.keys.user, "Password": signer.secret("password")}
    return await ask(lambda number: signer.dialect.sign_in_frame(number, members))


LOGIN = Login("basic", UserKeys, over_http, over_ws, through_dialect=True)
