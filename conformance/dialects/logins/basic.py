"""The logins that prove who calls in one message: `basic`, `websocket`, `each-message` and `signature`.

`basic`: over HTTP as Basic (RFC 7617), over WebSocket as members of a frame; what comes back is a session.
`websocket`: in a frame, and the session is for HTTP, too. `each-message`: as Basic with every message, and no session.
`signature`: the secret signs a number that is used once; the four values go as headers, or as members of a frame.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

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


class SignatureKeys(LoginKeys):
    """The id of a user, and the key that the user has."""

    implied_by = "api_key"
    shown = frozenset({"api_key"})

    user_id: Text
    api_key: Secret
    api_secret: Secret


def signed(signer: Signer) -> dict[str, str]:
    """Signature = hex HMAC-SHA256(secret, Nonce + UserId + APIKey), as published AlphaPoint documents have it."""
    key, secret, user = signer.secret("api_key"), signer.secret("api_secret"), signer.keys.user_id
    nonce = str(next(signer.nonces))
    signature = hmac.new(secret.encode(), f"{nonce}{user}{key}".encode(), hashlib.sha256).hexdigest()
    signer.vault.learn(signature)
    return {"APIKey": key, "Signature": signature, "UserId": user, "Nonce": nonce}


async def _over_http_signed(signer: Signer) -> Session:
    """Sign in with the four headers."""
    return session_of(signer, await signer.send(signer.dialect.sign_in_request(tuple(signed(signer).items()))))


async def _over_ws_signed(signer: Signer, ask: Ask) -> Exchange:
    """Sign in with a frame of the four members."""
    members = signed(signer)
    return await ask(lambda number: signer.dialect.sign_in_frame(number, members))


SIGNATURE = Login("signature", SignatureKeys, _over_http_signed, _over_ws_signed, through_dialect=True)
