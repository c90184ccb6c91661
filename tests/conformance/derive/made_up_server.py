"""A server of made-up calls: it answers what their pages print, and refuses what their tables do not allow.

What it knows comes from the facts that a person read on the pages, not from a draft.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

TYPES: Mapping[str, type | tuple[type, ...]] = {
    "integer": int, "int64": int, "number": (int, float), "string": str, "guid": str, "boolean": bool, "object": dict,
}  # fmt: skip
Change = Callable[[Any], Any]


class Call:
    """One call: its members with type and need, and its answer; `change` makes the answer a wrong one."""

    def __init__(self, request: str, answer: Any, change: Change | None = None) -> None:
        self.listed = request.startswith("list ")
        flat = re.sub(r"\{[^}]*\}", "", request.removeprefix("list "))
        words = re.findall(r"(\w+):([\w/-]+)([!?*])", flat)
        self.members = {name: (kind, need == "!") for name, kind, need in words}
        self.answer, self.change = answer, change
        self.lenient = False
        self.roles: frozenset[str] | None = None
        """Who may call; None for everybody."""

    def refuses(self, value: Any, *, texts: bool) -> bool:
        """Whether a request is not as the table says; `texts` is one whose values stand in a query."""
        if self.lenient:
            return False
        items = value if self.listed and isinstance(value, list) else [value]
        return not all(isinstance(one, dict) and self._item(one, texts=texts) for one in items)

    def _item(self, value: dict[str, Any], *, texts: bool) -> bool:
        for name, (kind, required) in self.members.items():
            if name not in value:
                if required:
                    return False
                continue
            one = value[name]
            if texts:
                if kind in ("integer", "int64") and not one.lstrip("-").isdecimal():
                    return False
                continue
            wanted = list if kind.startswith("list") else TYPES[kind]
            if one is None and not required:
                continue
            if not isinstance(one, wanted) or (isinstance(one, bool) and wanted is not bool):
                return False
            if kind == "guid" and not re.fullmatch(r"[0-9a-f-]{36}", one):
                return False
        return True


def arguments(route: str, path: str) -> dict[str, str] | None:
    """What stands in a path in the places of a route, still escaped; None for another path."""
    names = re.findall(r"{(\w+)}", route)
    found = re.fullmatch(re.sub(r"{\w+}", "([^/]+)", route), path)
    return None if found is None else dict(zip(names, found.groups(), strict=True))


def routes_at(calls: Mapping[str, Call], path: str) -> dict[str, tuple[Call, str]]:
    """By method, the calls at a path, and the arguments in it as more of a query."""
    found: dict[str, tuple[Call, str]] = {}
    for route, call in calls.items():
        method, _, template = route.partition(" ")
        named = arguments(template, path)
        if named is not None:
            found[method] = call, "".join(f"&{name}={text}" for name, text in named.items())
    return found


def answer_to(call: Call, body: bytes, query: str | None) -> tuple[int, Any]:
    """The status and the answer to a body, or to the query of a call that has none."""
    try:
        value = json.loads(body or b"{}", parse_constant=float) if query is None else dict(parse_qsl(query))
    except (ValueError, RecursionError):
        return 400, "this is no JSON"
    if call.refuses(value, texts=query is not None):
        return 400, "this is not what the table says"
    answer = call.answer if call.change is None else call.change(call.answer)
    return (204, None) if answer is None else (200, answer)


def body_of(handler: BaseHTTPRequestHandler) -> bytes:
    """The body of the request that a handler is at, sent in one piece or in chunks."""
    if handler.headers.get("Transfer-Encoding", "").lower() != "chunked":
        return handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
    parts = b""
    while size := int(handler.rfile.readline().strip() or b"0", 16):
        parts += handler.rfile.read(size)
        handler.rfile.readline()
    handler.rfile.readline()
    return parts


def handler_of(calls: Mapping[str, Call]) -> type[BaseHTTPRequestHandler]:
    """The handler of these calls, by method and path."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # an answer in one packet: two of them wait 40 ms for each other

        def _serve(self) -> None:
            body = body_of(self)
            path, _, query = self.path.partition("?")
            at = routes_at(calls, path)
            if self.command not in at:
                return self._send(405 if at else 404, "no such call")
            call, named = at[self.command]
            if call.roles is not None and self._user() not in call.roles:
                return self._send(403, "you may not call this")
            return self._send(*answer_to(call, body, query + named if self.command in ("GET", "DELETE") else None))

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _serve

        def _user(self) -> str:
            pair = self.headers.get("Authorization", "Basic ").removeprefix("Basic ")
            return base64.b64decode(pair).decode().partition(":")[0]

        def _send(self, status: int, value: Any) -> None:
            data = b"" if value is None else json.dumps(value).encode()
            self.send_response(status)
            if value is not None:
                self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


def served(calls: Mapping[str, Call]) -> AbstractContextManager[str]:
    """The address of a server of these calls."""
    return serving(handler_of(calls))


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """The address of a server whose requests this handler answers."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
