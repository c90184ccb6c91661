"""A signature by an API key. A module of its own, because a login is one module.

The secret signs a number that is used once; the four values go as headers, or as members of a frame.
"""

from __future__ import annotations

import hashlib
import hmac

from conformance.dialects.base import Ask, Login, Session, Signer, session_of
from conformance.endpoint.model import LoginKeys, Secret, Text
from conformance.wire.messages import Exchange


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


async def over_http(signer: Signer) -> Session:
    """Sign in with the four headers."""
    return session_of(signer, await signer.send(signer.dialect.sign_in_request(tuple(signed(signer).items()))))


async def over_ws(signer: Signer, ask: Ask) -> Exchange:
    """Sign in with a frame of the four members."""
    members = signed(signer)
    return await ask(lambda number: signer.dialect.sign_in_frame(number, members))


LOGIN = Login("signature", SignatureKeys, over_http, over_ws, through_dialect=True)
