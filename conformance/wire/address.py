"""Where an endpoint or a proxy is: parsing of http, https, ws and wss addresses.

Opening a connection: TCP, a proxy's CONNECT, TLS; every failure comes back as a problem.
"""

from __future__ import annotations

import asyncio
import base64
import re
import socket
import ssl
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

from conformance.errors import DESCRIPTORS, MORE_DESCRIPTORS, HarnessError, out_of_descriptors
from conformance.wire.messages import Limits, ProblemKind, WireProblem

DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_UNSAFE = re.compile(r"[\x00-\x20\x7f]")
_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+(%[A-Za-z0-9]+)?")


class AddressError(ValueError):
    """An address cannot be used; the message says which, why, and what a good one looks like."""


@dataclass(frozen=True, slots=True)
class Address:
    """A parsed endpoint; `base_path` has no slash at its end and is empty for the root.

    `slash` says that one stood there: a WebSocket is asked for at the path as it was written. It makes no other endpoint.
    """

    scheme: str
    host: str
    port: int
    base_path: str = ""
    slash: bool = field(default=False, compare=False)

    @property
    def whole_path(self) -> str:
        """The path as it was written, at least a slash."""
        return f"{self.base_path}/" if self.slash or not self.base_path else self.base_path

    @property
    def secure(self) -> bool:
        """True when the connection is made with TLS."""
        return self.scheme in ("https", "wss")

    @property
    def authority(self) -> str:
        """Host and port as the Host header has them: the scheme's own port is left out."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def host_and_port(self) -> str:
        """Host and port, both always present, as CONNECT has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.base_path}"


@dataclass(frozen=True, slots=True)
class Proxy:
    """A plain HTTP proxy; `authorization` is the value of Proxy-Authorization and stays out of `repr`."""

    host: str
    port: int
    authorization: str | None = field(default=None, repr=False)

    @property
    def host_and_port(self) -> str:
        """Host and port, for messages."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """Parse `http(s)://host[:port][/base]` or `ws(s)://…`; the `AddressError` never repeats a password."""
    parts, host, port = _split(text, ("http", "https", "ws", "wss"))
    if "@" in parts.netloc:
        raise AddressError("an address must not hold a user name or a password; give credentials to a role instead")
    if parts.query or parts.fragment or text.endswith(("?", "#")):
        raise AddressError(f"address {text!r} has a query or a fragment; leave both out")
    if not parts.path.isascii():
        raise AddressError(f"address {text!r} has a path that is not ASCII; percent-encode it")
    return Address(parts.scheme, host, port, parts.path.rstrip("/"), slash=parts.path.endswith("/"))


def parse_proxy(text: str) -> Proxy:
    """Parse `http://[user:password@]host:port`; raise `AddressError`, which never repeats a password."""
    parts, host, port = _split(text, ("http",))
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise AddressError("a proxy address has no path; write http://host:port")
    if parts.username is None:
        return Proxy(host, port)
    user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return Proxy(host, port, "Basic " + base64.b64encode(user.encode()).decode("ascii"))


def _split(text: str, schemes: tuple[str, ...]) -> tuple[SplitResult, str, int]:
    """The parts of an address with its host in ASCII and its port filled in."""
    shown = repr(text) if "@" not in text else "with a user name"
    example = f"write it as {schemes[0]}://host:port"
    if _UNSAFE.search(text) or "\\" in text:
        raise AddressError(f"address {shown} holds a space, a backslash or a control character; {example}")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        reason = "its host or port cannot be read" if "@" in text else str(error)
        raise AddressError(f"address {shown}: {reason}; {example}") from None
    if parts.scheme not in schemes:
        raise AddressError(f"address {shown} does not start with one of {', '.join(s + '://' for s in schemes)}")
    if not host:
        raise AddressError(f"address {shown} names no host; {example}")
    try:
        ascii_host = host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        raise AddressError(f"address {shown}: host {host!r} is not a valid name; {example}") from None
    if not _HOST.fullmatch(ascii_host) or port == 0:
        raise AddressError(f"address {shown}: host or port is not usable; {example}")
    return parts, ascii_host, port if port is not None else DEFAULT_PORTS[parts.scheme]


@dataclass(frozen=True, slots=True)
class Route:
    """How to reach an endpoint: its address, the TLS settings for it, and the proxy on the way."""

    address: Address
    tls: ssl.SSLContext | None = field(default=None, repr=False)
    proxy: Proxy | None = None


async def dial(route: Route, protocol: asyncio.Protocol, limits: Limits, *, tunnel: bool = False) -> WireProblem | None:
    """Connect `protocol` along `route` within `limits.connect_timeout_s`; None when it is connected.

    A proxy is asked for a tunnel (CONNECT) for TLS and when `tunnel` is set; otherwise the protocol talks
    to the proxy itself and has to send absolute targets.
    """
    loop = asyncio.get_running_loop()
    address, proxy = route.address, route.proxy
    tls = (route.tls or ssl.create_default_context()) if address.secure else None
    try:
        async with asyncio.timeout(limits.connect_timeout_s):
            if proxy is None:
                name = address.host if tls is not None else None
                await loop.create_connection(
                    lambda: protocol, address.host, address.port, ssl=tls, server_hostname=name
                )
            elif tls is None and not tunnel:
                await loop.create_connection(lambda: protocol, proxy.host, proxy.port)
            else:
                return await _dial_through(proxy, address, protocol, tls, limits)
    except TimeoutError:
        where = f"{address}" if proxy is None else f"{address} through proxy {proxy.host_and_port}"
        message = f"no connection to {where} within {limits.connect_timeout_s:g} s"
        return WireProblem("connect-timeout", message, "connect")
    except OSError as error:
        if out_of_descriptors(error):
            raise HarnessError(DESCRIPTORS, where=f"connecting to {address}", hint=MORE_DESCRIPTORS) from error
        if proxy is not None:
            message = f"proxy {proxy.host_and_port} cannot be reached: {_reason(error)}"
            return WireProblem("proxy", message, "connect")
        return WireProblem(_kind(error, tls), f"no connection to {address}: {_reason(error)}", "connect")
    return None


async def _dial_through(
    proxy: Proxy, address: Address, protocol: asyncio.Protocol, tls: ssl.SSLContext | None, limits: Limits
) -> WireProblem | None:
    """Ask the proxy for a tunnel, then put TLS (if any) and the protocol on it."""
    loop = asyncio.get_running_loop()
    tunnel = _Tunnel(loop, limits.max_header_bytes)
    plain, _ = await loop.create_connection(lambda: tunnel, proxy.host, proxy.port)
    connected = False
    try:
        plain.write(_connect_request(proxy, address))
        status_line = await tunnel.answer
        words = status_line.split(None, 2)
        if len(words) < 2 or not words[0].startswith("HTTP/1.") or words[1] != "200":
            refusal = f"refused a tunnel to {address.host_and_port}: {status_line[:200]!r}"
            return WireProblem("proxy", f"proxy {proxy.host_and_port} {refusal}", "connect")
        transport: asyncio.Transport | None = plain
        if tls is not None:
            try:
                transport = await loop.start_tls(plain, protocol, tls, server_hostname=address.host)
            except OSError as error:
                return WireProblem("tls", f"no TLS with {address} through the proxy: {_reason(error)}", "connect")
        else:
            plain.set_protocol(protocol)
        if transport is None:
            return WireProblem("tls", f"{address} closed the connection during the TLS handshake", "connect")
        protocol.connection_made(transport)
        connected = True
        return None
    finally:
        if not connected:
            plain.abort()


def _connect_request(proxy: Proxy, address: Address) -> bytes:
    target = address.host_and_port
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if proxy.authorization is not None:
        lines.append(f"Proxy-Authorization: {proxy.authorization}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class _Tunnel(asyncio.Protocol):
    """Reads a proxy's answer to CONNECT up to the end of its headers; `answer` is its status line."""

    def __init__(self, loop: asyncio.AbstractEventLoop, max_bytes: int) -> None:
        self.answer: asyncio.Future[str] = loop.create_future()
        self._buffer = b""
        self._max_bytes = max_bytes

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self.answer.done():
            return
        if b"\r\n\r\n" in self._buffer:
            self.answer.set_result(self._buffer.split(b"\r\n", 1)[0].decode("latin-1"))
        elif len(self._buffer) > self._max_bytes:
            self.answer.set_result("an answer without an end")

    def connection_lost(self, _exc: Exception | None) -> None:
        if not self.answer.done():
            self.answer.set_result("the connection was closed without an answer")


def _kind(error: OSError, tls: ssl.SSLContext | None) -> ProblemKind:
    if isinstance(error, socket.gaierror):
        return "name-resolution"
    if isinstance(error, ssl.SSLError):
        return "tls"
    if tls is not None and isinstance(error, ConnectionResetError | ConnectionAbortedError | BrokenPipeError):
        return "tls"
    return "connect-refused"


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate was not accepted: {error.verify_message}"
    return error.strerror or str(error) or type(error).__name__
