"""HTTP Basic with every message, and no session. A module of its own, because a login is one module."""

from __future__ import annotations

from conformance.dialects.base import Login, Signer
from conformance.dialects.logins.basic import basic
from conformance.dialects.logins.websocket import SocketKeys
from conformance.wire.messages import Headers


def every_message(signer: Signer) -> Headers:
    """The header Authorization."""
    return (("Authorization", basic(signer)),)


LOGIN = Login("each-message", SocketKeys, every_message=every_message, header="Authorization")
