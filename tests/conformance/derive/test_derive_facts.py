"""Two made-up documentations of 25 calls each: what a person reads on their pages is what the command reads."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest
from derive_support import LINE, without_each_fact

from conformance.derive.documentation import Documentation, read_documentation, with_shared
from conformance.derive.draft.files import draft_of, write_draft
from conformance.derive.drift import check_page, open_points
from conformance.derive.page import Body, Field, Page
from conformance.derive.read.dialects import page_of_text
from conformance.errors import PageError

WHOLE = Path(__file__).parent / "pages" / "whole"


@cache
def documentation(name: str) -> Documentation:
    return read_documentation([WHOLE / f"{name}.md"])


def expected(name: str) -> Iterator[tuple[str, dict[str, str]]]:
    text = (WHOLE / f"{name}.facts").read_text(encoding="utf-8")
    for block in re.split(r"\n(?=\w)", text):
        call, *lines = block.splitlines()
        if not call.startswith("#"):
            pairs = (re.match(r"\s*(\w+)\s*(.*)", line) for line in lines)
            yield call, {one.group(1): one.group(2).strip() for one in pairs if one}


CALLS = [(name, call, facts) for name in ("greenhouse", "ferry") for call, facts in expected(name)]


def field_text(one: Field, *, request: bool) -> str:
    kind = f"list/{one.type.item}" if one.type.kind == "list" else one.type.kind
    if request:
        marks = {"required": "!", "conditional": "*"}.get(one.need, "?") + ("~" if one.null else "")
    else:
        marks = ("~" if one.null else "") + ("-" if one.need != "required" else "")
    members = f"{{{fields_text(one.members, request=request)}}}" if one.members else ""
    return f"{one.name}:{kind}{marks}{members}"


def fields_text(fields: Sequence[Field], *, request: bool) -> str:
    return " ".join(field_text(one, request=request) for one in fields)


def body_text(body: Body, *, request: bool) -> str:
    shape = "" if body.shape == "object" else body.shape + (f"/{body.item}" if body.item else "")
    return " ".join(part for part in (shape, fields_text(body.fields, request=request)) if part)


def read(page: Page) -> dict[str, str]:
    codes = " ".join(f"{one.code}={one.message}" if one.message else one.code for one in page.codes)
    route = f"{page.method} {page.path}" if page.path else ""
    return {
        "request": body_text(page.request, request=True),
        "response": body_text(page.response, request=False),
        "codes": codes,
        "route": route,
    }


def test_there_are_fifty_calls_with_facts_read_by_hand() -> None:
    assert len(CALLS) == 50
    for name in ("greenhouse", "ferry"):
        calls = [one.page.name for one in documentation(name).calls]
        assert calls == [call for other, call, _ in CALLS if other == name]
        assert documentation(name).refused == ()


@pytest.mark.parametrize(("name", "call", "facts"), CALLS, ids=[f"{name}-{call}" for name, call, _ in CALLS])
def test_every_fact_is_read_as_a_person_reads_it(name: str, call: str, facts: dict[str, str]) -> None:
    page = next(one.page for one in documentation(name).calls if one.page.name == call)
    wanted = {"codes": "", "route": "", **facts}
    asked = wanted.pop("asked", "").split()
    assert read(page) == wanted
    assert set(asked) <= {one.at for one in open_points(page, ())}


def pieces(name: str) -> Iterator[tuple[str, str]]:
    """Each call's name and the part of the file that is its page."""
    lines = (WHOLE / f"{name}.md").read_text(encoding="utf-8").split("\n")
    heads = [number for number, line in enumerate(lines) if re.match(r"##? \w", line)] + [len(lines)]
    for call in documentation(name).calls:
        start = int(call.where.rpartition(":")[2]) - 1
        yield call.page.name, "\n".join(lines[start : next(one for one in heads if one > start)])


def said(name: str, text: str) -> dict[str, str] | str:
    try:
        draft = draft_of(with_shared(page_of_text(text, "page"), documentation(name).shared), "draft", ())
    except PageError as error:
        return error.message
    return {one: LINE.sub(r"\1", " ".join(data.split())) for one, data in draft.files.items() if one != "page.yaml"}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", ["greenhouse", "ferry"])
def test_a_fact_that_is_deleted_from_a_documentation_is_missed(name: str) -> None:
    unseen, tried = [], 0
    for call, text in pieces(name):
        whole = said(name, text)
        assert isinstance(whole, dict)
        for fact, rest in without_each_fact(text):
            tried += 1
            if said(name, rest) == whole:
                unseen.append((call, fact))
    assert tried > 400
    assert unseen == []


@pytest.mark.parametrize("name", ["greenhouse", "ferry"])
def test_no_fresh_draft_of_a_documentation_drifts(name: str, tmp_path: Path) -> None:
    for call in documentation(name).calls:
        write_draft(draft_of(call.page, "draft", ()).files, tmp_path / call.page.name)
        assert check_page(call.page, tmp_path / call.page.name).drift == ()
