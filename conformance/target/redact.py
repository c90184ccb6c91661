"""Takes secrets out of everything that leaves the process: evidence, findings, plans, logs."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote
from xml.sax.saxutils import escape

HIDDEN = "[redacted]"
_HEADER = re.compile(
    r"(?im)^((?:proxy-)?authorization|aptoken|apikey|signature|nonce|cookie|set-cookie|x-api-key)(\s*:\s*)[^\r\n]*"
)
_MEMBER = re.compile(
    r'(?i)(\\*"(?:pin|password|sessiontoken|token|aptoken|apikey|signature|secret|twofatoken)\\*"\s*:\s*)'
    r'(\\*"(?:[^"\\]|\\+[^"\\]|\\+(?=[^"]))*\\*"|-?\d[\d.eE+-]*)'
)
_ELEMENT = re.compile(r"(?is)(<(?:[\w.-]+:)?pin\b[^>]*>)(.*?)(</(?:[\w.-]+:)?pin\s*>)")


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """The text with every credential hidden: known secrets in any of their forms, and the places credentials stand in."""
    pattern = _pattern(frozenset(secret for secret in secrets if len(secret) >= 4))
    if pattern is not None:
        text = pattern.sub(HIDDEN, text)
    text = _HEADER.sub(rf"\1\2{HIDDEN}", text)
    text = _MEMBER.sub(lambda match: f'{match.group(1)}"{HIDDEN}"', text)
    return _ELEMENT.sub(rf"\1{HIDDEN}\3", text)


@lru_cache(maxsize=32)
def _pattern(secrets: frozenset[str]) -> re.Pattern[str] | None:
    forms = {form for secret in secrets for form in _forms(secret)}
    if not forms:
        return None
    ordered = sorted(forms, key=lambda form: (-len(form), form))
    whole = "|".join(re.escape(form) if len(form) >= 8 else rf"(?<![0-9A-Za-z]){re.escape(form)}(?![0-9A-Za-z])" for form in ordered)
    return re.compile(whole)


def _forms(secret: str) -> set[str]:
    """How a secret may be written on a wire."""
    written = json.dumps(secret)[1:-1]
    return {
        secret, written, json.dumps(written)[1:-1], escape(secret), quote(secret, safe=""),
        base64.b64encode(secret.encode()).decode(),
    }  # fmt: skip
