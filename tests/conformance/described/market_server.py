"""A small server of one made-up call, over HTTP and as frames on a WebSocket; right, or wrong in one way."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

STEPS = [{"Price": 9.5, "Quantity": 3, "Side": 0}, {"Price": 10, "Quantity": 1.25, "Side": 1}]
CALL = "GetDepth"


def answered(payload: str, wrong: str, *, framed: bool) -> tuple[bool, Any]:
    """Whether a payload is right, and the answer to it."""
    try:
        value = json.loads(payload, parse_constant=float)
    except (ValueError, RecursionError):
        value = None
    asked = value.get("InstrumentId") if isinstance(value, dict) else None
    if type(asked) is not int and not (wrong == "anything" and framed):
        return False, {"result": False, "errormsg": "Invalid Request", "errorcode": 100}
    if wrong == "ws-text" and framed:
        return True, [{**STEPS[0], "Price": "9.5"}]
    if wrong == "ws-side" and framed:
        return True, [{**STEPS[0], "Side": 2}]
    if wrong == "ws-refuses" and framed:
        return False, {"result": False, "errormsg": "Not Authorized", "errorcode": 20}
    return True, STEPS


def reply_to(text: str, wrong: str) -> dict[str, Any] | None:
    """The frame that answers a text; None where the server stays silent."""
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(frame, dict) or frame.get("m") != 0 or not isinstance(frame.get("o"), str):
        return None
    number = frame.get("i")
    if frame.get("n") != CALL:
        return {"m": 5, "i": number, "n": frame.get("n"), "o": "Endpoint not found"}
    done, value = answered(frame["o"], wrong, framed=True)
    kind = 5 if wrong == "error-as-5" and not done else 1
    payload = value if wrong == "payload-object" else json.dumps(value)
    number = 0 if wrong == "number-lost" else number
    return {"m": kind, "i": number, "n": "Depth" if wrong == "name-changed" else CALL, "o": payload}


def app_of(wrong: str) -> Starlette:
    """The call over both transports."""

    async def over_http(request: Request) -> Response:
        payload = (await request.body()).decode(errors="replace")
        done, value = answered(payload, wrong, framed=False)
        return Response(json.dumps(value), 200 if done else 400, media_type="application/json")

    async def over_ws(socket_: WebSocket) -> None:
        await socket_.accept()
        try:
            while True:
                reply = reply_to(await socket_.receive_text(), wrong)
                if reply is not None:
                    await socket_.send_text(json.dumps(reply))
        except WebSocketDisconnect:
            return

    return Starlette(routes=[Route(f"/AP/{CALL}", over_http, methods=["POST"]), WebSocketRoute("/WSGateway", over_ws)])


@contextmanager
def served(wrong: str = "") -> Iterator[str]:
    """The host and port of a server that is right but for this way."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app_of(wrong), log_level="error", ws="wsproto", lifespan="off"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])), daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listening.close()
