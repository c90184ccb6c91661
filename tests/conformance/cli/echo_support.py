"""A service that gives every secret of a run back: in each encoding, at each place of its answers; and who searches for them.

`ENCODINGS` and `PLACES` are data: a name, and how a secret is written or where it is put. Nothing here uses how the
product finds secrets.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import gzip
import html
import itertools
import json
import quopri
import re
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus, unquote
from xml.sax.saxutils import escape, quoteattr

sys.path.append(str(Path(__file__).resolve().parents[1] / "run"))

from hostile_support import frame, read_frame, shake_hands

SECRETS = {
    "HEADER_KEY": "Qz7!",
    "PIN": "48Kx3",
    "CLIENT_PASSWORD": "Tr4der-SeCret-77",
    "BASIC_PASSWORD": 'Süper-"Geheim"-99',
    "SOCKET_PASSWORD": "a/b+c d\\e<f>'g",
    "API_KEY": "9f86d081884c7d65",
    "API_SECRET": "Kp4&vR8=",
    "CLIENT_SECRET": "kEy" + "0123456789abc" * 4 + "END987/=x",
    "COOKIE_PASSWORD": "hüTte+w8",
    "SEED": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
}
"""By the variable that the target file names; of 4 to 64 characters."""
TOKENS = {
    "session": "5e55104a-70c3-4e1b-9d2f-0a1b2c3d4e5f", "pending": "p3nd-77xQ", "access": "Acc3ss.T0ken-~x", "cookie": "c00kie-Value_17",
}  # fmt: skip
"""What the service itself gives out at sign-in."""


def _octets(secret: str) -> bytes:
    return secret.encode()


def _b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _token_part(members: dict[str, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(members).encode()).decode().rstrip("=")


def _split(secret: str, between: str) -> str:
    middle = len(secret) // 2
    return f"{secret[:middle]}{between}{secret[middle:]}"


ENCODINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "capitals": str.upper,
    "small letters": str.lower,
    "json": lambda secret: json.dumps(secret)[1:-1],
    "json in json": lambda secret: json.dumps(json.dumps(secret)[1:-1])[1:-1],
    "json in json in json": lambda secret: json.dumps(json.dumps(json.dumps(secret)[1:-1])[1:-1])[1:-1],
    "json, all escaped": lambda secret: "".join(f"\\u{ord(one):04x}" for one in secret),
    "json, capitals, all escaped": lambda secret: "".join(f"\\u{ord(one):04X}" for one in secret.upper()),
    "xml": escape,
    "xml attribute": lambda secret: quoteattr(secret)[1:-1],
    "xml twice": lambda secret: escape(escape(secret)),
    "decimal references": lambda secret: "".join(f"&#{ord(one)};" for one in secret),
    "hexadecimal references": lambda secret: "".join(f"&#x{ord(one):X};" for one in secret),
    "percent": lambda secret: quote(secret, safe=""),
    "percent twice": lambda secret: quote(quote(secret, safe=""), safe=""),
    "form": quote_plus,
    "all percent": lambda secret: "".join(f"%{one:02x}" for one in _octets(secret)),
    "python bytes": lambda secret: repr(_octets(secret))[2:-1],
    "all hexadecimal escapes": lambda secret: "".join(f"\\x{one:02x}" for one in _octets(secret)),
    "all octal escapes": lambda secret: "".join(f"\\{one:03o}" for one in _octets(secret)),
    "hexadecimal": lambda secret: _octets(secret).hex(),
    "hexadecimal capitals": lambda secret: _octets(secret).hex().upper(),
    "base64": lambda secret: _b64(_octets(secret)),
    "base64 for urls": lambda secret: base64.urlsafe_b64encode(_octets(secret)).decode(),
    "base64 behind a user": lambda secret: _b64(b"qa:" + _octets(secret)),
    "base64 between others": lambda secret: _b64(b"<a>" + _octets(secret) + b"</a>"),
    "base64 of utf-16": lambda secret: _b64(secret.encode("utf-16-le")),
    "base64 in percent": lambda secret: quote(_b64(_octets(secret)), safe=""),
    "base64 twice": lambda secret: _b64(_b64(_octets(secret)).encode()),
    "base64 three times": lambda secret: _b64(_b64(_b64(_octets(secret)).encode()).encode()),
    "base64 of json": lambda secret: _b64(json.dumps({"sub": "qa", "pwd": secret}).encode()),
    "base64 of json, all escaped": lambda secret: _b64("".join(f"\\u{ord(one):04x}" for one in secret).encode()),
    "base64 of percent": lambda secret: _b64(f"password={quote(secret, safe='')}&x=1".encode()),
    "base64 of hexadecimal": lambda secret: _b64(_octets(secret).hex().encode()),
    "hexadecimal of base64": lambda secret: _b64(_octets(secret)).encode().hex(),
    "json web token": lambda secret: f"eyJhbGciOiJub25lIn0.{_token_part({'sub': 'qa', 'pwd': secret})}.c2ln",
    "hexadecimal with colons": lambda secret: _octets(secret).hex(":"),
    "hexadecimal with blanks": lambda secret: _octets(secret).hex(" ").upper(),
    "hexadecimal with commas": lambda secret: ", ".join(f"0x{one:02x}" for one in _octets(secret)),
    "quoted-printable": lambda secret: quopri.encodestring(_octets(secret), quotetabs=True).decode().replace("=\n", "=\r\n"),
    "all quoted-printable": lambda secret: "".join(f"={one:02X}" for one in _octets(secret)),
    "split by a comment": lambda secret: _split(secret, "<!-- x -->"),
    "split by a section": lambda secret: f"<![CDATA[{_split(secret, ']]><![CDATA[')}]]>",
}  # fmt: skip


def _in_header(text: str) -> bytes:
    """The text as a header can hold it."""
    return text.replace("\r", " ").replace("\n", " ").encode()


_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
_XML_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\n"
_GOOD = b'{"result": true, "errormsg": null, "errorcode": 0, "detail": null}'
_NS = b"http://schemas.datacontract.org/2004/07/"


def _whole(head: bytes, body: bytes) -> bytes:
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


def _chunked(head: bytes, body: bytes, size: int, extension: bytes = b"", trailer: bytes = b"") -> bytes:
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    framed = b"".join(b"%x%b\r\n%b\r\n" % (len(part), extension, part) for part in parts)
    return head + b"Transfer-Encoding: chunked\r\n\r\n" + framed + b"0\r\n" + trailer + b"\r\n"


def _with_header(name: bytes) -> Callable[[str], bytes]:
    return lambda text: _whole(_HEAD + name + b": " + _in_header(text) + b"\r\n", _GOOD)


def _in_xml(markup: bytes) -> Callable[[str], bytes]:
    return lambda text: _whole(_XML_HEAD, markup.replace(b"@", text.encode()))


def _packed(coding: bytes, wbits: int) -> Callable[[str], bytes]:
    def answer(text: str) -> bytes:
        packer = zlib.compressobj(wbits=wbits)
        body = packer.compress(b'{"debug": "%b"}' % text.encode()) + packer.flush()
        return _whole(_HEAD + b"Content-Encoding: " + coding + b"\r\n", body)

    return answer


def _reason(text: str) -> bytes:
    return _whole(b"HTTP/1.1 500 " + _in_header(text) + b"\r\nContent-Type: text/plain\r\n", b"no")


HTTP_PLACES: dict[str, Callable[[str], bytes]] = {
    "body": lambda text: _whole(_HEAD, b"{" + text.encode() + b"}"),
    "json text": lambda text: _whole(_HEAD, json.dumps({"result": False, "errormsg": text, "errorcode": 100}).encode()),
    "json member": lambda text: _whole(_HEAD, json.dumps({text: 1, "errorcode": 0}, ensure_ascii=False).encode()),
    "error text": lambda text: _whole(_HEAD.replace(b"200 OK", b"400 Bad Request"), json.dumps(text).encode()),
    "web page": lambda text: _whole(b"HTTP/1.1 500 Error\r\nContent-Type: text/html\r\n", b"<p>" + text.encode() + b"</p>"),
    "header": _with_header(b"X-Debug"),
    "cookie": lambda text: _with_header(b"Set-Cookie")(f"seen={text}"),
    "media type": lambda text: _whole(_HEAD.replace(b"json", b"json; seen=" + _in_header(text)), _GOOD),
    "coding": _with_header(b"Content-Encoding"),
    "challenge": lambda text: _with_header(b"WWW-Authenticate")(f'Basic realm="{text}"'),
    "reason": _reason,
    "status line": lambda text: _in_header(text) + b" 200 OK\r\n\r\n",
    "trailer": lambda text: _chunked(_HEAD, _GOOD, 99, trailer=b"X-Debug: " + _in_header(text) + b"\r\n"),
    "chunk extension": lambda text: _chunked(_HEAD, _GOOD, 99, extension=b";x=" + _in_header(text)),
    "chunk joins": lambda text: _chunked(_HEAD, b'{"debug": "%b"}' % text.encode(), 5),
    "gzip": _packed(b"gzip", 31),
    "deflate": _packed(b"deflate", 15),
    "gzip chunks": lambda text: _chunked(_HEAD + b"Content-Encoding: gzip\r\n", gzip.compress(text.encode(), mtime=0), 40),
    "gzip untold": lambda text: _whole(_HEAD, gzip.compress(text.encode(), mtime=0)),
    "behind the answer": lambda text: _whole(_HEAD, _GOOD) + b"\r\n" + text.encode(),
    "cut off": lambda text: _HEAD + b"Content-Length: 99999\r\n\r\n" + text.encode(),
    "informational": lambda text: b"HTTP/1.1 103 Early\r\nX-Debug: " + _in_header(text) + b"\r\n\r\n" + _whole(_HEAD, _GOOD),
    "utf-16": lambda text: _whole(_HEAD, json.dumps({"debug": text}, ensure_ascii=False).encode("utf-16")),
}  # fmt: skip
XML_PLACES: dict[str, Callable[[str], bytes]] = {
    "element": _in_xml(b'<string xmlns="http://schemas.microsoft.com/2003/10/Serialization/">@</string>'),
    "markup": _in_xml(b"<Array><Error>@</Array>"),
    "comment": _in_xml(b'<ArrayOfCancellationResult xmlns="%b"><!-- @ --></ArrayOfCancellationResult>' % _NS),
    "instruction": _in_xml(b'<ArrayOfCancellationResult xmlns="%b"><?seen @?></ArrayOfCancellationResult>' % _NS),
    "attribute": _in_xml(b'<ArrayOfCancellationResult xmlns="%b" seen="@"/>' % _NS),
    "section": _in_xml(b"<a><![CDATA[@]]></a>"),
    "entity": _in_xml(b'<!DOCTYPE a [<!ENTITY e "@">]><a>&e;</a>'),
    "namespace": _in_xml(b'<a xmlns="urn:@"/>'),
}


def _reply(number: int, call: str, payload: str) -> bytes:
    return json.dumps({"m": 1, "i": number, "n": call, "o": payload}, ensure_ascii=False).encode()


def _fragments(payload: bytes, size: int) -> bytes:
    parts = [payload[at : at + size] for at in range(0, len(payload), size)]
    codes = [0x01, *[0x00] * (len(parts) - 1)]
    codes[-1] |= 0x80
    return b"".join(frame(part, code) for part, code in zip(parts, codes, strict=True))


SOCKET_PLACES: dict[str, Callable[[int, str, str], bytes]] = {
    "payload": lambda number, call, text: frame(_reply(number, call, json.dumps({"errormsg": text}))),
    "bare payload": lambda number, call, text: frame(_reply(number, call, text)),
    "frame member": lambda number, call, text: frame(_reply(number, call, "{}")[:-1] + b', "seen": ' + json.dumps(text).encode() + b"}"),
    "call name": lambda number, call, text: frame(_reply(number, text, "{}")),
    "frame joins": lambda number, call, text: _fragments(_reply(number, call, json.dumps({"errormsg": text})), 7),
    "no json": lambda number, call, text: frame(text.encode()) + frame(_reply(number, call, "{}")),
    "event": lambda number, call, text: frame(json.dumps({"m": 3, "i": 0, "n": "News", "o": text}).encode()) + frame(_reply(number, call, "{}")),
    "again": lambda number, call, text: frame(_reply(number, call, "{}")) + frame(_reply(number, call, text)),
    "binary": lambda number, call, text: frame(text.encode(), 0x82) + frame(_reply(number, call, "{}")),
    "broken frame": lambda number, call, text: b"\xf1" + frame(text.encode())[1:],
}  # fmt: skip
CONTROL_PLACES: dict[str, Callable[[int, str, str], bytes]] = {
    "close reason": lambda number, call, text: frame(b"\x03\xe8" + text.encode()[:123], 0x88),
    "ping": lambda number, call, text: frame(text.encode()[:125], 0x89) + frame(_reply(number, call, "{}")),
}
"""A control frame is short: one secret at a time, as far as it fits."""
_SWITCHED = b"HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
HANDSHAKE_PLACES: dict[str, Callable[[str], bytes]] = {
    "handshake body": lambda text: _whole(b"HTTP/1.1 403 Forbidden\r\n", text.encode()),
    "handshake reason": lambda text: b"HTTP/1.1 403 " + _in_header(text) + b"\r\nContent-Length: 0\r\n\r\n",
    "handshake header": lambda text: b"HTTP/1.1 401 No\r\nX-Debug: " + _in_header(text) + b"\r\nContent-Length: 0\r\n\r\n",
    "handshake protocol": lambda text: _SWITCHED + b"Sec-WebSocket-Accept: " + _in_header(text) + b"\r\n\r\n",
}  # fmt: skip
PLACES = (*HTTP_PLACES, *XML_PLACES, *SOCKET_PLACES, *CONTROL_PLACES, *HANDSHAKE_PLACES)
_CALLS = ("CancelAllOrders", "CancelQuote", "CancelOrder")
_LIST = "/api/orders/cancellations"


@dataclass(slots=True)
class Echo:
    """Signs everybody in, hands out states, and answers each judged message with the next echo of its queue."""

    chosen: Callable[[str, str], bool] = lambda place, encoding: True
    """Which echoes of the table are wanted."""
    spoils: str = ""
    """What is said in place of a sign-in or a handshake: a key of `HTTP_PLACES` or of `HANDSHAKE_PLACES`."""
    secrets: dict[str, None] = field(default_factory=dict)
    """What the caller has: those of the target file, and each token once it was sent back."""
    ever: dict[str, None] = field(default_factory=dict)
    """The same of every caller so far."""
    served: set[tuple[str, str]] = field(default_factory=set)
    written: set[str] = field(default_factory=set)
    """Every text that was given back."""
    _ids: Iterator[int] = field(default_factory=lambda: itertools.count(50_001))
    _frames: int = 0
    _turns: dict[str, Iterator[tuple[str, str]]] = field(default_factory=dict)

    def meet(self, target: str) -> None:
        """Another caller, with this target file and no session yet; an API key is shown, as the id that it is."""
        self.secrets = dict.fromkeys(
            SECRETS[name] for name in re.findall(r'env = "(\w+)"', target) if name != "API_KEY"
        )
        self.ever |= self.secrets

    def only(self, chosen: Callable[[str, str], bool]) -> None:
        """From now on other echoes are wanted."""
        self.chosen = chosen
        self._turns.clear()

    def table(self) -> set[tuple[str, str]]:
        """Every place and encoding that a run should meet."""
        places = (*HTTP_PLACES, *XML_PLACES, *SOCKET_PLACES, *CONTROL_PLACES)
        return {(place, encoding) for place in places for encoding in ENCODINGS if self.chosen(place, encoding)}

    def _next(self, kind: str, places: Sequence[str]) -> tuple[str, str]:
        """A place and the text for it, in turn; a control frame holds one secret."""
        if kind not in self._turns:
            wanted = [(place, name) for name in ENCODINGS for place in places if self.chosen(place, name)]
            self._turns[kind] = itertools.cycle(wanted)
        place, encoding = next(self._turns[kind])
        self.served.add((place, encoding))
        known = list(self.secrets)
        chosen = known[len(self.served) % len(known) :][:1] if kind == "control" else known
        texts = [ENCODINGS[encoding](secret) for secret in chosen]
        self.written.update(texts)
        return place, " | ".join(texts)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            if b"upgrade: websocket" in head.lower():
                if self.spoils in HANDSHAKE_PLACES:
                    return writer.write(HANDSHAKE_PLACES[self.spoils](self._everything()))
                again = asyncio.StreamReader()
                again.feed_data(head)
                await shake_hands(again, writer)
                return await self._socket(reader, writer)
            for token in TOKENS.values():
                if token.encode() in head:
                    self.secrets[token] = self.ever[token] = None
            length = re.search(rb"(?i)\ncontent-length: *(\d+)", head)
            body = await reader.readexactly(int(length[1]) if length else 0)
            answer = self._http(head.split(b" ", 2)[1].decode(), head, body)
            writer.write(answer)
            await writer.drain()
            if not re.search(rb"(?i)\n(?:content-length: (?!99999)|transfer-encoding: )", answer):
                return None

    def _everything(self) -> str:
        """All secrets in all encodings."""
        texts = [write(secret) for write in ENCODINGS.values() for secret in self.secrets]
        self.written.update(texts)
        return " | ".join(texts)

    def _http(self, path: str, head: bytes, body: bytes) -> bytes:
        signs_in = self._sign_in(path, head)
        if signs_in is not None:
            return HTTP_PLACES[self.spoils](self._everything()) if self.spoils in HTTP_PLACES else signs_in
        if path in ("/hook/state", "/hook/observe"):
            return _whole(_HEAD, json.dumps(self._states(path, json.loads(body))).encode())
        if path.rpartition("/")[2] in _CALLS or path == _LIST:
            if re.search(rb"(?i)\naccept:[^\r]*xml", head):
                place, text = self._next("xml", tuple(XML_PLACES))
                return XML_PLACES[place](text)
            place, text = self._next("http", tuple(HTTP_PLACES))
            return HTTP_PLACES[place](text)
        return _whole(_HEAD, b"[]")

    def _sign_in(self, path: str, head: bytes) -> bytes | None:
        if path == "/token":
            return _whole(_HEAD, json.dumps({"access_token": TOKENS["access"], "token_type": "Bearer"}).encode())
        if path == "/sign-in":
            return _whole(_HEAD + f"Set-Cookie: s={TOKENS['cookie']}; Path=/\r\n".encode(), b"{}")
        if path == "/AP/Authenticate" and b"Basic cTI6" in head:
            asks = {"Authenticated": False, "Requires2FA": True, "Pending2FaToken": TOKENS["pending"]}
            return _whole(_HEAD, json.dumps(asks).encode())
        if path.startswith("/AP/Authenticate"):
            return _whole(_HEAD, json.dumps(_signed_in()).encode())
        return None

    def _states(self, path: str, asked: Mapping[str, Any]) -> Any:
        if path.endswith("observe"):
            return {"orders": [{**order, "state": "open"} for order in asked.get("orders", ())]}
        return {"orders": [self._made(asked["state"]) for _ in range(asked.get("count", 1))]}

    def _made(self, state: str) -> Mapping[str, Any]:
        if "international" in state:
            return {"InternationalOrderUID": f"00000000-0000-4000-8000-{next(self._ids):012d}"}
        if "quote" in state:
            return {"bid": next(self._ids), "ask": next(self._ids)}
        return {"OrderID": next(self._ids), "id": next(self._ids)}

    async def _socket(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            asked = json.loads(await read_frame(reader))
            number, call = asked["i"], asked["n"]
            if call in _CALLS:
                self._frames += 1
                kind, places = ("control", CONTROL_PLACES) if self._frames % 6 == 0 else ("socket", SOCKET_PLACES)
                place, text = self._next(kind, tuple(places))
                writer.write(places[place](number, call, text))
            elif call.endswith("AuthenticateUser") or call == "Authenticate2FA":
                payload = json.dumps(
                    {"Authenticated": False, "errormsg": self._everything()} if self.spoils else _signed_in()
                )
                writer.write(frame_of(_reply(number, call, payload)))
            else:
                writer.write(frame(_reply(number, call, "[]")))
            await writer.drain()


def _signed_in() -> dict[str, Any]:
    return {"Authenticated": True, "SessionToken": TOKENS["session"]}


def frame_of(payload: bytes) -> bytes:
    """A frame of any length."""
    if len(payload) < 65_536:
        return frame(payload)
    return b"\x81\x7f" + len(payload).to_bytes(8, "big") + payload


LOGINS: dict[str, str] = {
    "basic": 'login = "basic"\nuser = "qb"\npassword = { env = "BASIC_PASSWORD" }',
    "websocket": 'login = "websocket"\nuser = "qs"\npassword = { env = "SOCKET_PASSWORD" }',
    "signature": 'login = "signature"\nuser_id = "70"\napi_key = { env = "API_KEY" }\napi_secret = { env = "API_SECRET" }',
    "oauth2": 'login = "oauth2"\ntoken_url = "http://127.0.0.1:PORT/token"\nclient_id = "qo"\nclient_secret = { env = "CLIENT_SECRET" }',
    "cookies": 'login = "cookies"\nuser = "qc"\npassword = { env = "COOKIE_PASSWORD" }\nsign_in_path = "/sign-in"',
    "two-factor": 'login = "two-factor"\nuser = "q2"\npassword = { env = "BASIC_PASSWORD" }\ntotp_seed = { env = "SEED" }',
    "each-message": 'login = "each-message"\nuser = "qm"\npassword = { env = "CLIENT_PASSWORD" }',
    "none": 'login = "none"\nheaders = { X-Key = { env = "HEADER_KEY" } }',
}  # fmt: skip
"""The keys of a role for each kind of login."""
_TARGET = """
schema_version = 1
name = "echo"
[limits]
connect_timeout_s = 1
total_timeout_s = 2
quiet_s = 0.02
settle_s = 0.01
connect_retries = 0
concurrency = 4
[scope]
destructive = true
everything = true
[services.alphapoint]
http = "http://127.0.0.1:PORT"
websocket = "ws://127.0.0.1:PORT/gateway"
headers = { X-Service = { env = "HEADER_KEY" } }
bindings = { oms = 1, account = 101, instrument = 5 }
[services.alphapoint.states]
provider = "hook"
url = "http://127.0.0.1:PORT/hook"
[services.tpp]
http = "http://127.0.0.1:PORT"
bindings = { creator = 98765, pin = { env = "PIN" }, unknown_order = 1987654321 }
[services.tpp.states]
provider = "hook"
url = "http://127.0.0.1:PORT/hook"
"""
MOST_ROLES = {
    "alphapoint": {"trading": "basic", "marketmaker": "signature", "operator": "websocket", "none": "oauth2"},
    "tpp": {"client": "each-message", "other": "cookies"},
}
OTHER_ROLES = {
    "alphapoint": {"trading": "two-factor", "operator": "none"},
    "tpp": {"client": "cookies", "other": "each-message"},
}
Roles = Mapping[str, Mapping[str, str]]


def target_text(port: int, roles: Roles) -> str:
    """A target file in which the roles of each service sign in as named."""
    parts = [_TARGET]
    for service, logins in roles.items():
        parts += [f"[services.{service}.roles.{role}]\n{LOGINS[login]}\n" for role, login in logins.items()]
    return "\n".join(parts).replace("PORT", str(port))


# Who searches.

_JOINS = re.compile(r"\r?\n[0-9A-Fa-f]{1,8}(?:;[^\r\n]*)?\r?\n|[\x00-\x09\x0b\x0c\x0e-\x1f\x7f]")
_ESCAPES = re.compile(r"\\+(?:u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|([0-3][0-7]{2})|([\"'\\/]))")
_RUN = re.compile(r"[A-Za-z0-9+/_-]{6,}")
_HEXES = re.compile(r"[0-9A-Fa-f]{8,}")


def _unescaped(text: str) -> str:
    def undone(match: re.Match[str]) -> str:
        wide, narrow, octal, other = match.groups()
        return other or chr(int(octal, 8) if octal else int(wide or narrow, 16))

    return _ESCAPES.sub(undone, text) if "\\" in text else text


def _unquoted(text: str) -> str:
    """Without the soft breaks and escapes of quoted-printable."""
    return re.sub(r"=([0-9A-F]{2})", lambda match: chr(int(match[1], 16)), re.sub(r"=\r?\n", "", text))


def _unmarked(text: str) -> str:
    return re.sub(r"<!--.*?-->|<!\[CDATA\[|\]\]>", "", text)


def _said(text: str) -> str:
    """What runs of Base64 and of hexadecimal digits say."""
    parts: list[bytes] = []
    for run in set(_RUN.findall(text)):
        plain = run.replace("-", "+").replace("_", "/")
        parts += [binascii.a2b_base64(plain[first:] + "A" * (-(len(plain) - first) % 4)) for first in range(4)]
    for run in set(_HEXES.findall(text)):
        parts += [bytes.fromhex(run[first : len(run) - (len(run) - first) % 2]) for first in (0, 1)]
    return b"\n".join(parts).replace(b"\0", b"").decode("latin-1")


_STEPS: tuple[Callable[[str], str], ...] = (
    lambda text: _JOINS.sub("", text), _unescaped, html.unescape, unquote, lambda text: text.replace("+", " "), _unquoted, _unmarked,
)  # fmt: skip


_SPACED = re.compile(r"(?:0[xX])?[0-9A-Fa-f]{2}(?:[ ,:]+(?:0[xX])?[0-9A-Fa-f]{2}\b)+")


def views(text: str) -> list[str]:
    """The text, and what undoing one kind of writing after the other makes of it; and what Base64 in it says, twice."""
    made = {text: None}
    latest = text
    for _ in range(4):
        before = latest
        for step in _STEPS:
            latest = step(latest)
            made[latest] = None
        if latest == before:
            break
    said = _said("\n".join(made))
    deeper = _said("\n".join((said, _unescaped(said))))
    spaced = (
        bytes.fromhex(re.sub(r"0[xX]|[^0-9A-Fa-f]", "", one[0])).decode("latin-1") for one in _SPACED.finditer(text)
    )
    return [*made, said, _unescaped(said), unquote(said, "latin-1"), deeper, _said(deeper), *spaced]


def needles(secret: str) -> tuple[str, ...]:
    """How the secret looks in a view: with UTF-8 read as Latin-1, and with blanks for plus signs, as in forms."""
    narrow = secret.encode().decode("latin-1").casefold()
    return tuple({one for form in (secret.casefold(), narrow) for one in (form, form.replace("+", " "))})


def leaks(texts: Mapping[str, str], echo: Echo) -> list[tuple[str, str]]:
    """The name of each text and the secret, or the form of one, that is in it."""
    found = []
    for name, text in texts.items():
        folded = text.casefold()
        found += [(name, form) for form in sorted(echo.written) if form.casefold() in folded]
        seen = "\n\x1e".join(dict.fromkeys(views("\n".join(dict.fromkeys(text.split("\n")))))).casefold()
        found += [(name, secret) for secret in echo.ever if any(needle in seen for needle in needles(secret))]
    return found
