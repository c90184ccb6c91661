"""The exact bytes of an HTTP/1.1 request."""

from __future__ import annotations

from functools import lru_cache

from conformance.transport.address import Address, Proxy
from conformance.transport.messages import Headers, HttpRequest

_BODY_METHODS = frozenset({"POST", "PUT", "PATCH"})


def render(request: HttpRequest, address: Address, proxy: Proxy | None = None) -> bytes:
    """The bytes to write for `request`; through a plain proxy the target is in absolute form.

    Host comes first unless the caller gives one; Content-Length is added for a body, and for methods that
    usually have one, unless the caller frames the body. Raises ValueError for a request that cannot be one
    message: a line break in a name or value, a space in the path, a character outside Latin-1.
    """
    head, framed = _head(request.method, request.path, request.headers, address, proxy)
    if framed or not (request.body or request.method in _BODY_METHODS):
        return head + b"\r\n" + request.body
    return b"%bContent-Length: %d\r\n\r\n%b" % (head, len(request.body), request.body)


@lru_cache(maxsize=256)
def _head(method: str, path: str, headers: Headers, address: Address, proxy: Proxy | None) -> tuple[bytes, bool]:
    """The request line and the headers given, without the empty line; and whether they frame a body."""
    names = {name.lower() for name, _ in headers}
    if (path and path[0] != "/") or " " in path or " " in method:
        raise ValueError(f"cannot send {method} {path!r}: a path starts with '/' and holds no space")
    target = address.base_path + path or "/"
    plain_proxy = proxy if not address.secure else None
    if plain_proxy is not None:
        target = f"{address.scheme}://{address.authority}{target}"
    lines = [f"{method} {target} HTTP/1.1"]
    if "host" not in names:
        lines.append(f"Host: {address.authority}")
    if plain_proxy is not None and plain_proxy.authorization is not None and "proxy-authorization" not in names:
        lines.append(f"Proxy-Authorization: {plain_proxy.authorization}")
    lines.extend(f"{name}: {value}" for name, value in headers)
    count = len(lines)
    head = "".join(f"{line}\r\n" for line in lines)
    if head.count("\n") != count or head.count("\r") != count:
        raise ValueError(f"cannot send {method} {path!r}: a header or the path holds a line break")
    return head.encode("latin-1"), not names.isdisjoint(("content-length", "transfer-encoding"))


def asks_to_close(request: HttpRequest) -> bool:
    """True when the request tells the server to close the connection after the reply."""
    return any(name.lower() == "connection" and "close" in value.lower() for name, value in request.headers)
