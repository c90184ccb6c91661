"""No credential comes back in an answer: PINs, passwords and session tokens that the request carried."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from functools import lru_cache
from typing import Any

from lxml import etree

from conformance.checks.answer import Seen
from conformance.checks.registry import Check, Stage
from conformance.contract.operation import RequirementKey
from conformance.model.spec import Operation
from conformance.model.verdict import Finding
from conformance.wire.messages import Exchange, HttpReply, WsReply

_LONG = 8
_LONGEST_NAME = 200
_ESCAPES = (b"\\u", b"&#", b"<!", b"\x00")
_ESCAPED = re.compile(r"[^!#-%(-.0-;=?-\[\]-~]")
"""What JSON or XML may write in another way than as itself."""
_PIN = re.compile(r"(?i)(?<![a-z])pin(?![a-z])")
_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def _look(seen: Seen) -> Iterator[Finding]:
    """The body first, where it may hold one, then the headers."""
    if may_be_echoed(seen.exchange, seen.secrets):
        yield from echoed(seen.operation, seen.answer.value, seen.secrets, seen.observation.name_of)
        yield from echoed(seen.operation, list(seen.answer.beside), seen.secrets, seen.observation.name_of)
    yield from in_headers(seen.operation, seen.exchange, seen.secrets, seen.observation.name_of)


SECRETS = Check(
    "secrets",
    "no credential of the request comes back",
    Stage.ANSWER,
    (RequirementKey("secrets"),),
    look=_look,
)


def _unnamed(_secret: str) -> str:
    """How a secret is called of which nothing is known."""
    return ""


def echoed(
    operation: Operation, value: Any, secrets: tuple[str, ...], name_of: Callable[[str], str] = _unnamed
) -> Iterator[Finding]:
    """A finding for each text of the answer that holds one of the secrets as a word of its own.

    Names of members are texts too.
    """
    for pointer, text in _texts(value, ""):
        for secret in secrets:
            if secret and _holds(text, secret):
                yield _finding(operation, pointer, name_of(secret))
                break


def in_headers(
    operation: Operation, exchange: Exchange, secrets: tuple[str, ...], name_of: Callable[[str], str] = _unnamed
) -> Iterator[Finding]:
    """A finding for each header of an HTTP answer that holds one of the secrets; a cookie may be the session itself.

    A short secret counts only where the header speaks of a PIN: numbers of their own stand in many headers.
    """
    headers = exchange.reply.headers if isinstance(exchange.reply, HttpReply) else ()
    everything = "\n".join(text for _, text in headers).lower()
    suspects = [secret for secret in secrets if secret and secret.lower() in everything]
    for name, text in headers if suspects else ():
        if name.lower() == "set-cookie":
            continue
        spoken = _PIN.search(name) or _PIN.search(text)
        for secret in suspects:
            if (spoken or len(secret) >= _LONG) and _holds(text, secret):
                yield _finding(operation, f"header {name}", name_of(secret))
                break


def _finding(operation: Operation, at: str, name: str) -> Finding:
    """The secret by its name in the target file; its value is never shown."""
    shown = f"{name} (hidden)" if name else "(hidden)"
    return SECRETS.finding(operation, "a credential of the request comes back", "no credential", shown, at)


def may_be_echoed(exchange: Exchange, secrets: tuple[str, ...]) -> bool:
    """Whether a closer look is worth it: a secret stands in the decoded bytes, or an escape that might spell one."""
    sought = _sought(secrets)
    if sought is None:
        return True
    for text in exchange.others if exchange.reply is None else (_payload(exchange.reply),):
        lowered = text.lower()
        for mark in sought:
            if mark in lowered:
                return True
    return False


@lru_cache(maxsize=64)
def _sought(secrets: tuple[str, ...]) -> tuple[bytes, ...] | None:
    """What in the lower-case bytes of an answer calls for a closer look; None where anything does."""
    if any(_ESCAPED.search(secret) for secret in secrets):
        return None
    return (*_ESCAPES, *(secret.lower().encode("ascii") for secret in secrets))


def texts_beyond(documented_members: Collection[str], root: etree._Element) -> list[str]:
    """What an XML answer says outside its documented elements: in others, in attributes, in comments."""
    documented = {*documented_members, "string"}
    found: list[str] = []
    for node in root.iter():
        name = etree.QName(node).localname.lower() if isinstance(node.tag, str) else ""
        found.extend(str(value) for value in node.attrib.values())
        if name not in documented and node.text:
            found.append(str(node.text))
        if node.tail:
            found.append(str(node.tail))
    return found


def _payload(reply: HttpReply | WsReply) -> bytes:
    return reply.body if isinstance(reply, HttpReply) else reply.text


def _holds(text: str, secret: str) -> bool:
    """Whether a text gives the secret away; the groups of digits in a GUID are no PIN, but a token may be a GUID."""
    if len(secret) >= _LONG:
        return secret.lower() in text.lower()
    return secret in text and _word(secret).search(_GUID.sub("", text)) is not None


@lru_cache(maxsize=64)
def _word(secret: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![0-9A-Za-z]){re.escape(secret)}(?![0-9A-Za-z])")


def _texts(value: Any, pointer: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield pointer, value
    elif isinstance(value, dict):
        for name, content in value.items():
            yield pointer, name
            yield from _texts(content, f"{pointer}/{name[:_LONGEST_NAME]}")
    elif isinstance(value, list):
        for index, content in enumerate(value):
            yield from _texts(content, f"{pointer}/{index}")
