"""AlphaPoint's two factors: user and password, then a code that changes every 30 s (TOTP, RFC 6238).

The first answer says `Requires2FA` and may hold a pending token. The code goes to `Authenticate2FA`: over HTTP as a
parameter beside the header `Pending2FaToken`, as a real client sends it; over WebSocket as the payload of a frame. A code
is used once: whoever signs in again with the same seed waits for the next one.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import json

from conformance.dialects.alphapoint import frame, members_of, number_of, opened, reply_frame, reply_value
from conformance.dialects.base import Ask, Login, Reply, Session, Signer, answered, session_of
from conformance.dialects.logins.basic import UserKeys, basic
from conformance.dialects.logins.basic import over_ws as first_over_ws
from conformance.endpoint.model import Secret
from conformance.wire.messages import Exchange, HttpReply, HttpRequest, WsReply, WsRequest

_CALL = "Authenticate2FA"
_STEP_S = 30
_LEAST_SEED_BITS = 80
"""Authenticator apps have long been given seeds of 16 characters; the library wants 112 bits of a new one."""
_USED = "two-factor: time step of the last code"


class SeedKeys(UserKeys):
    """User, password, and the seed of the codes in Base32, as an authenticator app is given it."""

    implied_by = "totp_seed"

    totp_seed: Secret


async def over_http(signer: Signer) -> Session:
    """Sign in with a password, and with a code where the service asks for one."""
    first = await signer.send(signer.dialect.sign_in_request((("Authorization", basic(signer)),)))
    if not asks_for_code(first):
        return session_of(signer, first)
    pending = _pending(signer, first)
    headers = (("Pending2FaToken", pending),) if pending else ()
    path = f"/AP/{_CALL}?Code={await _code(signer)}"
    second = await signer.send(HttpRequest("GET", path, (*headers, ("Accept", "application/json"))))
    answered(signer, second)
    session = signer.dialect.session(second)
    if session is None or not session.headers:
        raise signer.refused(
            "the service refused the code of the second factor; check totp_seed and this machine's clock"
        )
    return session


async def over_ws(signer: Signer, ask: Ask) -> Exchange:
    """The same in frames on one WebSocket, which itself is what the pending token stands for."""
    first = await first_over_ws(signer, ask)
    if first.problem is not None or not asks_for_code(first):
        return first
    _pending(signer, first)
    code = await _code(signer)
    return await ask(lambda number: frame(number, _CALL, {"Code": code}))


def asks_for_code(exchange: Exchange) -> bool:
    """Whether the answer to a password asks for a second factor."""
    return members_of(reply_value(exchange)).get("requires2fa") is True


def _pending(signer: Signer, exchange: Exchange) -> str:
    """The token between the two steps; "" when the service gave none that a header can carry."""
    members = members_of(reply_value(exchange))
    for name in ("pending2fatoken", "twofatoken"):
        token = members.get(name)
        if isinstance(token, str) and token and token.isascii() and token.isprintable():
            signer.vault.learn(token)
            return token
    return ""


async def _code(signer: Signer) -> str:
    """A code that was not used in this run, waited for if need be."""
    import pyotp

    class Codes(pyotp.TOTP):
        min_secret_length_bits = _LEAST_SEED_BITS

    seed = signer.secret("totp_seed").replace(" ", "").upper()
    try:
        codes = Codes(seed, interval=_STEP_S)
    except (binascii.Error, ValueError):
        raise signer.refused("totp_seed is not the Base32 text that an authenticator app is given") from None
    now_s = signer.clock.epoch_s()
    used: dict[str, int] = signer.memory.setdefault(_USED, {})
    step = max(int(now_s) // _STEP_S, used.get(seed, -1) + 1)
    used[seed] = step
    if step * _STEP_S > now_s:
        await signer.clock.sleep(step * _STEP_S - now_s)
    return codes.at(step * _STEP_S)


def dry_answer(keys: SeedKeys, request: HttpRequest | WsRequest) -> Reply | None:
    """The password of this very user is answered by asking for the code; the dialect answers the code."""
    asked = json.dumps({"Authenticated": False, "Requires2FA": True})
    if isinstance(request, WsRequest):
        call, payload = opened(request.text) or ("", None)
        if not isinstance(payload, dict) or "Password" not in payload or payload.get("UserName") != keys.user:
            return None
        return WsReply(reply_frame(number_of(request.text) or 0, call, asked).encode())
    given = next((value for name, value in request.headers if name == "Authorization"), "").removeprefix("Basic ")
    with contextlib.suppress(ValueError):
        if base64.b64decode(given).startswith(f"{keys.user}:".encode()):
            return HttpReply(200, "OK", (("Content-Type", "application/json"),), asked.encode(), "1.1")
    return None


LOGIN = Login("two-factor", SeedKeys, over_http, over_ws, through_dialect=True, used_up=True, dry_answer=dry_answer)
