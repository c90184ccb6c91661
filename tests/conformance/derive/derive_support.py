"""Pages of our own in the three dialects, changed at one place, read, drafted and compared."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from click.testing import CliRunner, Result

from conformance.cli.main import main
from conformance.contract.load import load_contract
from conformance.derive.draft.files import draft_of, write_draft
from conformance.derive.drift import Comparison, check_page, open_points
from conformance.derive.page import Departure, Page
from conformance.derive.read.dialects import page_of_text
from conformance.derive.siblings import Sibling
from conformance.model.spec import ErrorCode

PAGES = Path(__file__).parent / "pages"
SLATE, GITBOOK, HELP, HELP_HTML = "pause_basket.md", "swap_pair.md", "parcel_holds.txt", "parcel_holds.html"


def text_of(name: str, *changes: tuple[str, str]) -> str:
    """A page with the first occurrence of each old text replaced; it must stand there."""
    text = (PAGES / name).read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text, f"{name} has no {old!r}"
        text = text.replace(old, new, 1)
    return text


def page(name: str, *changes: tuple[str, str]) -> Page:
    return page_of_text(text_of(name, *changes), name)


def points(name: str, *changes: tuple[str, str]) -> list[tuple[str, str]]:
    """Kind and place of everything that does not fit on the changed page."""
    return [(one.kind, one.at) for one in open_points(page(name, *changes), ())]


def drafted(name: str, folder: Path) -> Path:
    """The draft of an unchanged page, written to a new folder; nothing is open in it."""
    draft = draft_of(page(name), folder.name, ())
    write_draft(draft.files, folder)
    return folder


def compared(name: str, folder: Path, *changes: tuple[str, str]) -> Comparison:
    """The changed page against the draft of the unchanged one."""
    return check_page(page(name, *changes), drafted(name, folder))


def sides(found: tuple[Departure, ...]) -> list[tuple[str, str, str, str]]:
    return [(one.kind, one.at, one.says, one.against) for one in found]


def sibling(*messages: str) -> Sibling:
    """Another operation of the service, which knows code 8 with these messages."""
    like = load_contract().operations["alphapoint.cancel_order"]
    codes = (ErrorCode("8", "X-CODE-8", messages),)
    known = {"fields": {}, "attribution": {}, "codes": codes}
    return Sibling(replace(like, id="baskets.fill", document="FillBasket", **known))


def conformance(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


CODE = re.compile(r"[\w ]+ \([a-z]+ \d+\)")
LINE = re.compile(r"\b([Ll]ine:?) \d+")
"""What shifts where a line is deleted."""


def without_each_fact(text: str) -> Iterator[tuple[str, str]]:
    """Each line, each sentence of a line, each listed code and each item of HTML in a cell, and the text without it."""
    start = 0
    for line in text.split("\n"):
        end = start + len(line)
        spans = [(start, min(end + 1, len(text)))]
        spans += [
            (start + one.start(), start + one.end()) for one in re.finditer(r"[^.!?;|\s][^.!?;|]*[.!?;](?=\s|$)", line)
        ]
        spans += [(start + one.start(), start + one.end()) for one in CODE.finditer(line)]
        spans += [(start + one.start(), start + one.end()) for one in re.finditer(r"<(li|t[dh])>.*?</\1>", line)]
        for left, right in dict.fromkeys(spans):
            if re.search(r"\w", re.sub(r"<[^>]*>", "", text[left:right])):
                yield text[left:right], text[:left] + text[right:]
        start = end + 1
