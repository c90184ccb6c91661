"""Three logins by user and password: `basic`, `websocket` and `each-message`.

`basic`: over HTTP as Basic (RFC 7617), over WebSocket as members of a frame; what comes back is a session.
`websocket`: in a frame, and the session is for HTTP, too. `each-message`: as Basic with every message, and no session.
"""

from __future__ import annotations

import base64

from conformance.dialects.base import Ask, Login, Session, Signer, session_of
from conformance.endpoint.model import LoginKeys, Secret, Text
from conformance.wire.messages import Exchange, Headers


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


BASIC = Login("basic", UserKeys, over_http, over_ws, through_dialect=True)


class SocketKeys(UserKeys):
    """The same keys; a role has to name this login, for its keys are also those of `basic`."""

    implied_by = ""


async def over_ws_alone(signer: Signer) -> Session:
    """The session of a WebSocket that is there for signing in alone."""
    return session_of(signer, await over_ws(signer, signer.ask))


WEBSOCKET = Login("websocket", SocketKeys, over_ws_alone, over_ws, through_dialect=True)


def every_message(signer: Signer) -> Headers:
    """The header Authorization."""
    return (("Authorization", basic(signer)),)


EACH_MESSAGE = Login("each-message", SocketKeys, every_message=every_message, header="Authorization")
