"""Answers that no input excuses: a server error, an HTML page, a stack trace."""

from __future__ import annotations

import re
from collections.abc import Iterator

from conformance.checks.kit import Kit
from conformance.model.verdict import Finding

_TRACE = re.compile(
    r"Traceback \(most recent call last\)"
    r"|^\s+at [\w.$<>`\[\],]+\([^)\n]*\)"
    r"|^\s+at (?:async |new )?[\w.$<> \[\]]+ \([^)\n]*:\d+:\d+\)"
    r"|\bat [\w.`\[\],<>]+\([^)\n]*\) in [^\n]+:line \d+"
    r"|\bSystem\.[\w.]*Exception:|\b(?:java|javax)\.[\w.]+(?:Exception|Error)\b",
    re.MULTILINE,
)
_HTML = re.compile(r"(?:[\s\ufeff]|<\?xml[^>]*>|<!--.*?-->)*(?:<!doctype html|<html[\s>])", re.IGNORECASE | re.DOTALL)
_SHOWN = 120


def page_or_trace(kit: Kit, text: str, at: str = "body") -> Iterator[Finding]:
    """A finding when the text is an HTML page or shows a stack trace."""
    requirement = kit.requirement("bad-input")
    if _HTML.match(text):
        yield Finding(
            requirement, "bad-input", "the answer is an HTML page", "a documented answer", shorten(text), at
        )
        return
    trace = _TRACE.search(text)
    if trace:
        shown = shorten(text[trace.start() :].lstrip())
        yield Finding(requirement, "bad-input", "the answer shows a stack trace", "a message for the caller", shown, at)


def server_error(kit: Kit, status: int, excused: bool) -> Iterator[Finding]:
    """A finding for a status of 500 or above that no documented code excuses."""
    if status >= 500 and not excused:
        yield Finding(
            kit.requirement("bad-input"),
            "bad-input",
            "the server failed instead of answering",
            "a documented answer",
            f"HTTP status {status}",
            "status",
        )


def shorten(text: str, limit: int = _SHOWN) -> str:
    """At most `limit` characters of a text on one line."""
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[:limit]}… ({len(text)} characters)"
