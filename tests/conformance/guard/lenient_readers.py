"""Servers that read leniently, each in its own dialect: which call a message is to them, and with which members.

Nothing here comes from the harness: a reader that shared its formats or its guard would share their mistakes.
"""

from __future__ import annotations

import ast
import base64
import gzip
import html
import json
import re
import urllib.parse
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from email import message_from_bytes
from email.policy import compat32
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree
from xml.parsers import expat

import yaml
from lenient_things import CANCELS, INSTRUCTED, KINDS, POSITIONS, Heard, Sent, Thing, call_of, folded, things
from lxml import etree
from scope_readers import first_wins, last_wins, tolerant

Pairs = list[tuple[str, Any]]
Read = Callable[[Sent], Iterator[Heard]]


def objects(value: Any, *, deep: bool) -> Iterator[Pairs]:
    """The objects of a value: itself or those in its list; all that are anywhere in it when `deep`."""
    waiting = [value]
    while waiting:  # messages nest deeper than any Python recurses
        one = waiting.pop()
        if isinstance(one, dict):
            yield list(one.items())
            waiting += reversed(one.values()) if deep else ()
        elif isinstance(one, list):
            waiting += reversed([item for item in one if deep or isinstance(item, dict)])


Parse = Callable[[str], Any]
Unreadable = (ValueError, SyntaxError, RecursionError, LookupError, TypeError, MemoryError, yaml.YAMLError)


def _member(frame: Any, name: str) -> Any:
    return (
        next((value for key, value in frame.items() if folded(key) == name), None) if isinstance(frame, dict) else None
    )


def _calls(sent: Sent, parse: Parse, *, text: str | None = None) -> Iterator[tuple[str, Any]]:
    """Call and value; raises what `parse` raises. A frame's payload may be an object, or a text that holds one."""
    body = sent.body.decode("utf-8-sig") if text is None else text
    if sent.path:
        yield call_of(sent.path), parse(body)
        return
    frames = parse(body)
    for frame in frames if isinstance(frames, list) else [frames]:
        if not isinstance(frame, dict):  # it names no call
            continue
        payload = _member(frame, "o")
        yield str(_member(frame, "n")), parse(payload) if isinstance(payload, str) else payload


def _of_json(parse: Parse, *, exact: bool = False) -> Read:
    """A reader of values; what it cannot read it takes for a call without members.

    `exact` is one that knows the documented names alone.
    """

    def read(sent: Sent) -> Iterator[Heard]:
        try:
            found = list(_calls(sent, parse))
        except Unreadable:
            if sent.path:
                yield Heard(call_of(sent.path), ())
            return
        for call, value in found:
            for pairs in list(objects(value, deep=False)) or [[]]:
                yield Heard(call, tuple(pair for pair in pairs if not exact or pair[0] in _EXACT))

    return read


_EXACT = {"OMSId", "AccountId", "InstrumentId", "OrderId", "ClientOrderId", "omsId", "accountId", "instrumentId",
          "bidQuoteId", "askQuoteId", "OrderID", "InternationalOrderUID"}  # fmt: skip


def _quiet(parse: Parse, *, deep: bool = False) -> Read:
    """A reader that does nothing about what it cannot read; a `deep` one takes all members for those of the call."""

    def read(sent: Sent) -> Iterator[Heard]:
        try:
            found = list(_calls(sent, parse))
        except Unreadable:
            return
        for call, value in found:
            yield from _whole(call, value) if deep else (Heard(call, tuple(one)) for one in objects(value, deep=False))

    return read


def _whole(call: str, value: Any) -> Iterator[Heard]:
    found = tuple(pair for one in objects(value, deep=True) for pair in one)
    if found:
        yield Heard(call, found)


def _first_value(text: str) -> Any:
    """The first value; what follows it is not looked at."""
    return json.JSONDecoder().raw_decode(text.lstrip())[0]


def _each_value(text: str) -> Any:
    """All values of a text, one after the other, as in lines of JSON."""
    found, at, decoder = [], 0, json.JSONDecoder()
    while at < len(text):
        value, at = decoder.raw_decode(text, at + len(text[at:]) - len(text[at:].lstrip(" \t\r\n,;\x1e\x00")))
        found.append(value)
        if not text[at:].strip(" \t\r\n,;\x1e\x00"):
            break
    return found[0] if len(found) == 1 else found


_COMMENT = re.compile(r"""("(?:[^"\\]|\\.)*")|/\*.*?\*/|//[^\n]*|#[^\n]*|,(?=\s*[\]}])""", re.DOTALL)


def _uncommented(text: str) -> Any:
    """Comments of three kinds and commas at the end are passed over."""
    return json.loads(_COMMENT.sub(lambda match: match[1] or "", text))


def _literal(text: str) -> Any:
    """Python's literals: either quote, digits in groups, hexadecimal and binary numbers."""
    words = re.sub(r"\b(null|true|false)\b", lambda match: {"null": "None"}.get(match[1], match[1].title()), text)
    return ast.literal_eval(words.strip())


def _yaml(text: str) -> Any:
    """YAML 1.1, of which JSON is nearly a part: octal and sexagesimal numbers, anchors, several documents."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found = list(yaml.load_all(text, loader))
    return found[0] if len(found) == 1 else found


def _names_as_written(text: str) -> Any:
    """Names are compared as they stand, with their escapes."""
    json.loads(text)
    return json.loads(re.sub(r'"((?:[^"\\]|\\.)*)"(?=\s*:)', lambda match: json.dumps(match[1]), text))


def _opened(value: Any) -> Any:
    """A value in which each text that is JSON itself has been read."""
    if isinstance(value, str) and value.strip()[:1] in ("{", "[", '"'):
        try:
            return _opened(json.loads(value))
        except (ValueError, RecursionError):
            return value
    if isinstance(value, dict):
        return {key: _opened(one) for key, one in value.items()}
    return [_opened(one) for one in value] if isinstance(value, list) else value


def _unescaped(text: str) -> Any:
    """Escapes of addresses, of markup and of texts are undone before the text is read."""
    plain = html.unescape(urllib.parse.unquote_plus(text.replace("+", "%2B")))
    return json.loads(re.sub(r"\\u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), plain))


def _in_charset(*charsets: str) -> Read:
    def read(sent: Sent) -> Iterator[Heard]:
        for charset in charsets:
            try:
                text = sent.body.decode(charset)
                found = list(_calls(sent, last_wins, text=text))
            except Unreadable:
                continue
            for call, value in found:
                yield from _whole(call, value)

    return read


def _positional(sent: Sent) -> Iterator[Heard]:
    """Values without names stand in the documented order."""
    try:
        found = list(_calls(sent, last_wins))
    except Unreadable:
        return
    for call, value in found:
        names = POSITIONS.get(folded(call))
        if names and isinstance(value, list) and value and not isinstance(value[0], (dict, list)):
            yield Heard(call, tuple(zip(names, value, strict=False)))


_PAIR = re.compile(r"""(?<!\w)(?=([A-Za-z_][\w.-]*)["'\\]*\s*[:=]\s*["'\\]*([-+]?[\w.-]+))""")


def _by_pattern(sent: Sent) -> Iterator[Heard]:
    """No reader at all: whatever stands behind a name and a colon."""
    text = sent.body.decode("utf-8", "replace")
    pairs = _PAIR.findall(text)
    call = call_of(sent.path) if sent.path else next((value for key, value in pairs if key == "n"), "ping")
    if pairs:
        yield Heard(call, tuple(pairs))


# What stands beside the body.


def _as_form(sent: Sent) -> Iterator[Heard]:
    """The query, and the body if it is a form, before and above what else the body says."""
    query = urllib.parse.urlsplit(sent.path).query if sent.path else ""
    pairs: Pairs = urllib.parse.parse_qsl(query, keep_blank_values=True)
    body = sent.body.decode("latin-1")
    if re.match(r"\s*[\w.%-]+=", body):
        pairs += urllib.parse.parse_qsl(body.strip(), separator="&") + urllib.parse.parse_qsl(body, separator=";")
    if sent.path and pairs:
        named = [pair for pair in pairs if folded(pair[0]) in KINDS]
        if named:
            yield Heard(call_of(sent.path), tuple(named))


def _in_path(sent: Sent) -> Iterator[Heard]:
    """Numbers and GUIDs behind the call, and parameters after a semicolon."""
    path = urllib.parse.unquote(urllib.parse.urlsplit(sent.path).path) if sent.path else ""
    segments = re.split(r"[/;,]", path)
    place = next((n for n, one in enumerate(segments) if folded(one) in (*CANCELS, *INSTRUCTED)), len(segments))
    call = call_of(sent.path) if sent.path else ""
    for segment in segments[place + 1 :]:
        name, is_pair, value = segment.partition("=")
        if is_pair:
            yield Heard(call, ((name, value),))
        elif re.search(r"\d", segment):
            kind = "AccountId" if folded(call) == "cancelallorders" else "OrderId"
            yield Heard(call, ((kind, segment), ("uid", segment)))


def _in_headers(sent: Sent) -> Iterator[Heard]:
    """Headers and cookies that are called like a member."""
    pairs = [(re.sub(r"(?i)^x-", "", name), value) for name, value in sent.headers]
    pairs += [tuple(one.strip().split("=", 1)) for one in sent.header("cookie").split(";") if "=" in one]  # type: ignore[misc]
    named = [pair for pair in pairs if folded(pair[0]) in KINDS]
    if named:
        yield Heard(call_of(sent.path), tuple(named))


def _in_parts(sent: Sent) -> Iterator[Heard]:
    """The parts of a multipart body: each a member by its name, or a body of its own."""
    if not sent.path or b"--" not in sent.body:
        return
    kind = sent.header("content-type")
    if "multipart" not in kind.lower():
        kind = f"multipart/form-data; boundary={sent.body.lstrip()[2:].split(chr(10).encode())[0].strip().decode('latin-1')}"
    mail = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + sent.body, policy=compat32)
    for part in mail.get_payload() if mail.is_multipart() else ():
        content = part.get_payload(decode=True) or b""  # type: ignore[union-attr]
        name = part.get_param("name", "", "content-disposition")  # type: ignore[union-attr]
        yield Heard(call_of(sent.path), ((str(name), content.decode("latin-1").strip()),))
        yield from _of_whatever(Sent(content, sent.path))


def _packed(sent: Sent) -> Iterator[Heard]:
    """A body that is packed or armoured, whatever its headers say."""
    for unpack in (gzip.decompress, zlib.decompress, lambda data: zlib.decompress(data, -15), _armour):
        try:
            body = unpack(sent.body)
        except (OSError, EOFError, zlib.error, ValueError):
            continue
        yield from _of_whatever(Sent(body, sent.path))


def _armour(data: bytes) -> bytes:
    return base64.b64decode(data.strip(), validate=True) if len(data.strip()) > 8 else b""


def _of_whatever(sent: Sent) -> Iterator[Heard]:
    """JSON or XML, whatever the media type says."""
    yield from _quiet(last_wins, deep=True)(sent)
    yield from _of_xml(_by_tree)(sent)


# XML.


def _of_xml(read_elements: Callable[[bytes], Iterable[tuple[str, Any]]]) -> Read:
    def read(sent: Sent) -> Iterator[Heard]:
        body, call = sent.body, call_of(sent.path) if sent.path else "ping"
        if not sent.path:
            try:
                (call, payload), *_ = _calls(sent, lambda text: json.loads(text) if text[:1] == "{" else text)
            except Unreadable:
                return
            body = payload.encode() if isinstance(payload, str) else b""
        if b"<" not in body.replace(b"\0", b"")[:4000]:
            return
        try:
            pairs = tuple(read_elements(body))
        except (*Unreadable, ElementTree.ParseError, etree.LxmlError, expat.ExpatError):
            return
        is_document = body.lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n")[:1] == b"<"
        if pairs and (is_document or any(folded(name) in KINDS for name, _ in pairs)):
            yield Heard(call, pairs)

    return read


def _by_tree(body: bytes) -> Iterator[tuple[str, Any]]:
    """Names without their namespace, and all text within an element."""
    for node in ElementTree.fromstring(body).iter():
        if isinstance(node.tag, str):
            yield node.tag.rpartition("}")[2], "".join(node.itertext())


def _by_events(body: bytes) -> Sequence[tuple[str, Any]]:
    """Events of a stream: the text of an element up to its first child, entities of the document filled in."""
    found: list[tuple[str, Any]] = []
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = lambda name, _attributes: found.append((name.rpartition(":")[2], ""))

    def text(data: str) -> None:
        if found:
            found[-1] = (found[-1][0], found[-1][1] + data)

    parser.CharacterDataHandler = text
    parser.Parse(body, True)
    return found


def _local(name: object) -> str:
    return str(name).rpartition("}")[2]


def _mended(body: bytes) -> Iterator[tuple[str, Any]]:
    """Broken documents are mended, entities filled in; the first text of an element counts, and all of it."""
    root = etree.fromstring(body, etree.XMLParser(recover=True, resolve_entities=True, huge_tree=True, no_network=True))
    for node in () if root is None else root.iter(etree.Element):
        yield _local(node.tag), node.text or ""
        yield _local(node.tag), "".join(node.itertext())


def _attributes(body: bytes) -> Iterator[tuple[str, Any]]:
    """Attributes are members."""
    root = etree.fromstring(body, etree.XMLParser(recover=True, no_network=True))
    for node in () if root is None else root.iter(etree.Element):
        for name, value in node.attrib.items():
            yield _local(name), value
            yield _local(node.tag), value if str(name).lower() in ("value", "id") else ""


class _Html(HTMLParser):
    """Tags in any letter case, unclosed or not."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, Any]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag.rpartition(":")[2], ""))
        self.found += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        if self.found:
            self.found.append((self.found[-1][0], data))


def _as_html(body: bytes) -> Sequence[tuple[str, Any]]:
    parser = _Html()
    parser.feed(body.decode("utf-8", "replace"))
    parser.close()
    return parser.found


def _by_tags(body: bytes) -> Iterator[tuple[str, Any]]:
    """Whatever stands behind a tag, in comments and sections as well, in each charset that leaves tags."""
    for charset in ("utf-8", "utf-16-le", "utf-16-be"):
        text = re.sub(r"<!\[CDATA\[|\]\]>|<!--|-->", "", html.unescape(body.decode(charset, "replace")))
        yield from re.findall(r"<(?:[\w.-]+:)?([\w.-]+)[^<>]*>([^<]*)", text)


READERS: dict[str, Read] = {
    "json, last of equal keys": _of_json(last_wins, exact=True),
    "json, first of equal keys": _of_json(first_wins, exact=True),
    "json, names in any form": _of_json(last_wins),
    "json, names as written": _of_json(_names_as_written),
    "json, the first value": _of_json(_first_value),
    "json, all values": _quiet(_each_value, deep=True),
    "json, any depth": _quiet(last_wins, deep=True),
    "json in texts": _quiet(lambda text: _opened(json.loads(text)), deep=True),
    "json with comments": _quiet(_uncommented),
    "json without quotes": _quiet(tolerant, deep=True),
    "json, unescaped before": _quiet(_unescaped, deep=True),
    "python": _quiet(_literal, deep=True),
    "yaml": _quiet(_yaml, deep=True),
    "utf-16 and utf-32": _in_charset("utf-16", "utf-16-le", "utf-16-be", "utf-32"),
    "utf-7": _in_charset("utf-7"),
    "ebcdic": _in_charset("cp037", "cp500"),
    "by position": _positional,
    "by pattern": _by_pattern,
    "form and query": _as_form,
    "path": _in_path,
    "headers": _in_headers,
    "parts": _in_parts,
    "packed": _packed,
    "xml, tree": _of_xml(_by_tree),
    "xml, events": _of_xml(_by_events),
    "xml, mended": _of_xml(_mended),
    "xml, attributes": _of_xml(_attributes),
    "xml, html": _of_xml(_as_html),
    "xml, tags": _of_xml(_by_tags),
}


def touched(sent: Sent, read: Read) -> set[Thing]:
    """What a reader would touch."""
    return set().union(*(things(heard) for heard in read(sent)))
