"""Where an endpoint or a proxy is: parsing of http, https, ws and wss addresses."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_UNSAFE = re.compile(r"[\x00-\x20\x7f]")
_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+(%[A-Za-z0-9]+)?")


class AddressError(ValueError):
    """An address cannot be used; the message says which, why, and what a good one looks like."""


@dataclass(frozen=True, slots=True)
class Address:
    """A parsed endpoint; `base_path` has no slash at its end and is empty for the root."""

    scheme: str
    host: str
    port: int
    base_path: str = ""

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
        raise AddressError(
            "an address must not hold a user name or a password; give credentials to a role instead"
        )
    if parts.query or parts.fragment or text.endswith(("?", "#")):
        raise AddressError(f"address {text!r} has a query or a fragment; leave both out")
    if not parts.path.isascii():
        raise AddressError(f"address {text!r} has a path that is not ASCII; percent-encode it")
    return Address(parts.scheme, host, port, parts.path.rstrip("/"))


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
        raise AddressError(
            f"address {shown} does not start with one of {', '.join(s + '://' for s in schemes)}"
        )
    if not host:
        raise AddressError(f"address {shown} names no host; {example}")
    try:
        ascii_host = host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        raise AddressError(f"address {shown}: host {host!r} is not a valid name; {example}") from None
    if not _HOST.fullmatch(ascii_host) or port == 0:
        raise AddressError(f"address {shown}: host or port is not usable; {example}")
    return parts, ascii_host, port if port is not None else DEFAULT_PORTS[parts.scheme]
