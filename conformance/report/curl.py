"""Gives a message as a command to paste: curl for HTTP, the frame's text for WebSocket; secrets are variables."""

from __future__ import annotations

import base64
import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from conformance.endpoint.model import Tls
from conformance.endpoint.redact import HIDDEN, known_places, redact
from conformance.model.case import Transport
from conformance.run.evidence import unmasked
from conformance.wire.address import Address

_MOST_ARGUMENT_BYTES = 60_000
"""Linux takes no single argument above 128 KiB; printf is part of the shell and has no limit."""
_EXPECT_BYTES = 1_000_000
_ADDED_BY_CURL = ("Accept", "User-Agent")
_CODECS = (("utf-8", ""), ("utf-16-le", "UTF-16LE"), ("utf-16-be", "UTF-16BE"))
_OWN_WAY = "# the request as curl writes it: `conformance replay` alone sends head and chunks in the way they were sent"
_PLAIN_HEADER = re.compile(rb"[^\s:]+:(?: \S(?:.*\S)?)?", re.DOTALL)
_ONE_CHUNK = re.compile(rb"[1-9a-f][0-9a-f]*\r\n.*\r\n0\r\n\r\n", re.DOTALL)
_ESCAPED = re.compile(r"\\x[0-9a-f]{2}")
_SAFE = re.compile(r"[\t\n -~\u00a0-\uffff]*")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """How the endpoint was reached."""

    address: Address | None
    websocket: str
    tls: Tls
    proxy: str
    timeout_s: float


@dataclass(frozen=True, slots=True)
class _Secrets:
    """What must not be printed, and the shell variable that stands for it."""

    names: dict[str, str]

    def quoted(self, text: str) -> str:
        """The text as one word of a shell, each secret as a variable."""
        words, end = [], 0
        for start, stop, secret in known_places(text, self.names):
            if start < end:
                continue
            if text[end:start]:
                words.append(shlex.quote(text[end:start]))
            # an escaped form of a secret cannot be written with its variable, so it stays hidden
            words.append(f'"${self.names[secret]}"' if text[start:stop] == secret else shlex.quote(HIDDEN))
            end = stop
        if text[end:] or not words:
            words.append(shlex.quote(text[end:]))
        return "".join(words)


def by_hand(
    sent: bytes,
    endpoint: Endpoint,
    pins: Iterable[str],
    known: Iterable[str],
    tokens: Iterable[str],
    encoding: str | None,
) -> str:
    """What to paste to send these bytes again; empty when nothing was written.

    `pins` are secrets of the message, `tokens` session tokens, `known` all other secrets; `encoding` is the output's.
    """
    if not sent:
        return ""
    text = unmasked(sent)
    pins = tuple(pins)
    secrets = _named(
        [pin for pin in pins if any(pin.encode(codec, "replace") in text for codec, _ in _CODECS)], known, tokens
    )
    for pin in pins:  # one that stands there in an escaped form alone is hidden, too
        secrets.names.setdefault(pin, "PIN")
    if text is not sent:
        return _frame(text, endpoint, secrets)
    return _noted(sent, _curl(sent, endpoint, secrets, encoding or "utf-8"))


def by_hand_again(sent: str, transport: str, endpoint: Endpoint) -> str:
    """What to paste to send again what an evidence says was sent, with variables for what it hides.

    Empty where the text does not say every byte: some were no UTF-8, and stand there as escapes.
    """
    if not sent or endpoint.address is None or _ESCAPED.search(sent):
        return ""
    secrets = _Secrets({HIDDEN: "SECRET"})
    if Transport(transport).framed:
        return _frame(sent.encode("utf-8", "surrogatepass"), endpoint, _Secrets({}))
    written = sent.encode("utf-8", "surrogatepass")
    return _noted(written, _curl(written, endpoint, secrets, "utf-8"))


def _noted(sent: bytes, command: str) -> str:
    return f"{_OWN_WAY}\n{command}" if _reframed(sent) else command


def _named(pins: Iterable[str], known: Iterable[str], tokens: Iterable[str]) -> _Secrets:
    names: dict[str, str] = {}
    for secret in sorted(tokens):
        names[secret] = "SESSION"
    others = [pin for pin in pins if pin not in names]
    for number, secret in enumerate(others, 1):
        names[secret] = f"PIN{number if len(others) > 1 else ''}"
    for number, secret in enumerate(sorted(one for one in known if one not in names), 1):
        names[secret] = f"SECRET{number}"
    return _Secrets(names)


def _frame(text: bytes, endpoint: Endpoint, secrets: _Secrets) -> str:
    try:
        shown = redact(text.decode("utf-8"), secrets.names)
    except UnicodeDecodeError:
        readable = text.decode("utf-8", "backslashreplace")
        if known_places(readable, secrets.names):
            shown = redact(readable, secrets.names)
            return f"# WebSocket text frame to {endpoint.websocket}, which is no UTF-8; with escapes:\n{shown}"
        return f"# WebSocket text frame to {endpoint.websocket}, which is no UTF-8; in Base64:\n{base64.b64encode(text).decode()}"
    return f"# WebSocket text frame to {endpoint.websocket}, once signed in:\n{shown}"


def _curl(sent: bytes, endpoint: Endpoint, secrets: _Secrets, encoding: str) -> str:
    head, _, body = sent.lstrip(b"\r\n").partition(b"\r\n\r\n")
    request_line, *lines = head.decode("latin-1").split("\r\n")
    method, _, rest = request_line.partition(" ")
    target = rest.rpartition(" ")[0]
    headers = [(name, value.lstrip(" ")) for name, _, value in (line.partition(":") for line in lines)]
    if any(name.lower() == "transfer-encoding" and "chunked" in value.lower() for name, value in headers):
        body = _unchunked(body)
    assert endpoint.address is not None
    url = target if "://" in target else f"{endpoint.address.scheme}://{endpoint.address.authority}{target}"
    words = ["curl", "-sS", "-i", "-g", "--path-as-is", "--http1.1", f"--max-time {endpoint.timeout_s:g}"]
    words.extend(_connection(endpoint))
    # curl takes no body beside -I; with -X it shows the headers, and then waits in vain for the body of the answer
    words.append("-I" if method == "HEAD" and not body else f"-X {shlex.quote(method)}")
    words.append(secrets.quoted(url))
    words.extend(f"-H {header}" for header in _headers(headers, body, endpoint.address.authority, secrets))
    if not body:
        if method in ("POST", "PUT", "PATCH"):
            words.append("--data-binary ''")
        return " ".join(words)
    pipe, data = _body(body, secrets, encoding)
    return f"{pipe}{' '.join(words)} --data-binary {data}"


def _reframed(sent: bytes) -> bool:
    """Whether a request is written in a way that curl has not: it would send the same request, but not these bytes."""
    head, _, body = sent.partition(b"\r\n\r\n")
    line, *lines = head.split(b"\r\n")
    if not line.endswith(b" HTTP/1.1") or not all(_PLAIN_HEADER.fullmatch(one) for one in lines):
        return True
    chunked = any(one.lower().startswith(b"transfer-encoding:") for one in lines)
    return chunked and _ONE_CHUNK.fullmatch(body) is None


def _connection(endpoint: Endpoint) -> Iterator[str]:
    tls = endpoint.tls
    for option, path in (("--cacert", tls.ca_bundle), ("--cert", tls.client_certificate), ("--key", tls.client_key)):
        if path is not None:
            yield f"{option} {shlex.quote(str(path))}"
    if not tls.verify:
        yield "-k"
    if endpoint.proxy:
        yield f"-x {shlex.quote(endpoint.proxy)}"


def _headers(headers: list[tuple[str, str]], body: bytes, authority: str, secrets: _Secrets) -> Iterator[str]:
    """The request's own headers; what curl adds by itself is taken away, what it does anyway is left out."""
    given = {name.lower() for name, _ in headers}
    for name, value in headers:
        own = (name.lower(), value)
        if own in (("host", authority), ("content-length", str(len(body)))) or name.lower() == "proxy-authorization":
            continue
        if name.lower() == "authorization" and any(secret in value for secret in secrets.names):
            yield f'{shlex.quote(f"{name}: ")}"$AUTHORIZATION"'
        else:
            yield secrets.quoted(f"{name}: {value}" if value else f"{name};")
    for name in _ADDED_BY_CURL:
        if name.lower() not in given:
            yield f"{name}:"
    if body and "content-type" not in given:
        yield "Content-Type:"
    if len(body) > _EXPECT_BYTES and "expect" not in given:
        yield "Expect:"


def _body(body: bytes, secrets: _Secrets, encoding: str) -> tuple[str, str]:
    """What stands before curl, and the argument of --data-binary."""
    text = _pasteable(body, encoding)
    if text is None:
        parts = list(_pieces(body, secrets))
        command = parts[0] if len(parts) == 1 else f"{{ {'; '.join(parts)}; }}"
        return f"{command} | ", "@-"
    if len(body) > _MOST_ARGUMENT_BYTES or text.startswith("@"):
        return f"printf %s {secrets.quoted(text)} | ", "@-"
    return "", secrets.quoted(text)


def _pasteable(body: bytes, encoding: str) -> str | None:
    """The body as text that survives a terminal and a shell unchanged, or None."""
    try:
        text = body.decode("utf-8")
        text.encode(encoding)
    except (UnicodeError, LookupError):
        return None
    return text if _SAFE.fullmatch(text) and all(one.isprintable() or one in "\t\n" for one in text) else None


def _pieces(body: bytes, secrets: _Secrets) -> Iterator[str]:
    """Commands that write the body: Base64 for bytes, a variable for each secret in them."""
    found = [
        (place, place + len(written), name, charset)
        for secret, name in secrets.names.items()
        for codec, charset in _CODECS
        for written in [secret.encode(codec, "surrogatepass")]
        for place in _occurrences(body, written)
        if len(secret) > 3
    ]
    end = 0
    for start, stop, name, charset in sorted(found):
        if start < end:
            continue
        if body[end:start]:
            yield _decoded(body[end:start], secrets)
        yield f'printf %s "${name}"' + (f" | iconv -f UTF-8 -t {charset}" if charset else "")
        end = stop
    if body[end:]:
        yield _decoded(body[end:], secrets)


def _occurrences(body: bytes, written: bytes) -> Iterator[int]:
    place = body.find(written)
    while place >= 0:
        yield place
        place = body.find(written, place + 1)


def _decoded(part: bytes, secrets: _Secrets) -> str:
    if known_places(part.decode("utf-8", "backslashreplace"), secrets.names):
        return f"printf %s {shlex.quote(HIDDEN)}"
    return f"printf %s '{base64.b64encode(part).decode()}' | base64 -d"


def _unchunked(body: bytes) -> bytes:
    """The content of a chunked body, since curl cuts it into chunks of its own."""
    content, rest = b"", body
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        try:
            length = int(size.split(b";")[0], 16)
        except ValueError:
            return body
        if length == 0:
            break
        content, rest = content + rest[:length], rest[length + 2 :]
    return content
