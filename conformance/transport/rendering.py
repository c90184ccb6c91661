"""The exact bytes of an HTTP/1.1 request."""

from __future__ import annotations

from conformance.transport.address import Address, Proxy
from conformance.transport.messages import HttpRequest

_BODY_METHODS = frozenset({"POST", "PUT", "PATCH"})


def render(request: HttpRequest, address: Address, proxy: Proxy | None = None) -> bytes:
    """The bytes to write for `request`; through a plain proxy the target is in absolute form.

    Host comes first unless the caller gives one; Content-Length is added for a body, and for methods that
    usually have one, unless the caller frames the body. Raises ValueError for a request that cannot be one
    message: a line break in a name or value, a space in the path, a character outside Latin-1.
    """
    host, framed, authorized = False, False, False
    for name, _ in request.headers:
        lowered = name.lower()
        host = host or lowered == "host"
        framed = framed or lowered in ("content-length", "transfer-encoding")
        authorized = authorized or lowered == "proxy-authorization"
    path = request.path
    if (path and path[0] != "/") or " " in path or " " in request.method:
        raise ValueError(f"cannot send {request.method} {path!r}: a path starts with '/' and holds no space")
    target = address.base_path + path or "/"
    plain_proxy = proxy if not address.secure else None
    if plain_proxy is not None:
        target = f"{address.scheme}://{address.authority}{target}"
    lines = [f"{request.method} {target} HTTP/1.1"]
    if not host:
        lines.append(f"Host: {address.authority}")
    if plain_proxy is not None and plain_proxy.authorization is not None and not authorized:
        lines.append(f"Proxy-Authorization: {plain_proxy.authorization}")
    for name, value in request.headers:
        lines.append(f"{name}: {value}")
    if not framed and (request.body or request.method in _BODY_METHODS):
        lines.append(f"Content-Length: {len(request.body)}")
    count = len(lines)
    lines.append("\r\n")
    head = "\r\n".join(lines)
    if head.count("\n") != count + 1 or head.count("\r") != count + 1:
        raise ValueError(f"cannot send {request.method} {path!r}: a header or the path holds a line break")
    return head.encode("latin-1") + request.body


def asks_to_close(request: HttpRequest) -> bool:
    """True when the request tells the server to close the connection after the reply."""
    return any(name.lower() == "connection" and "close" in value.lower() for name, value in request.headers)
