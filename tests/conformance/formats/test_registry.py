"""The formats that there are: what each must keep, and that nobody asks a string for what a format knows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import conformance
from conformance.cases.make import Channel
from conformance.cases.message import codec_of, fill_body
from conformance.contract.load import load_contract
from conformance.errors import SpecError
from conformance.formats.base import Format, Writing
from conformance.formats.errors import CodecError
from conformance.formats.registry import format_for, formats, formats_for, known_format
from conformance.model.case import Transport

TPP = load_contract().operations["tpp.create_cancellations"]
IDS = {"order.OrderID": 7, "creator": 8, "pin": "1234"}
OF_STRINGS = re.compile(
    r"""(?<!scheme )[=!]= "(?:ws|http|results)"|(?:shape|answer|kind) [=!]= "pair"|"ws" in |endswith\(\(?"/?xml"|\.form [=!]= |media_type [=!]= "application"""
)


def test_a_format_is_found_by_each_of_its_media_types_and_by_its_suffix() -> None:
    assert [(one.name, format_for(media)) for one in formats() for media in one.media_types] == [
        (one.name, one) for one in formats() for _ in one.media_types
    ]
    assert [format_for(f"application/vnd.acme{one.suffix}") for one in formats() if one.suffix] == list(formats())
    assert [one.name for one in formats_for(TPP.media_types)] == ["json", "xml"]


@pytest.mark.parametrize("media_type", ["application/pdf", "json", ""])
def test_what_no_format_owns_is_refused_with_what_is_known(media_type: str) -> None:
    assert known_format(media_type) is None
    with pytest.raises(SpecError):
        format_for(media_type)


@pytest.mark.parametrize("one", formats(), ids=lambda one: one.name)
def test_the_first_form_is_the_plain_one_and_a_broken_one_breaks_any_text(one: Format) -> None:
    plain, *_ = one.forms
    assert (plain.standing, plain.charset) == ("legal", "")
    assert [form.name for form in one.forms if form.standing == "broken" and form.sure] != []
    codec = codec_of(TPP, one)
    writing = Writing(TPP.valid, codec)
    for form in one.forms:
        body = form.write(writing)
        assert body is not None, form.name
        data = fill_body(body, IDS, one)
        if form.standing == "legal":
            assert codec.decode(data).plainly, form.name
        elif form.standing == "broken" and form.sure:
            with pytest.raises(CodecError):
                codec.decode(data)


@pytest.mark.parametrize("one", formats(), ids=lambda one: one.name)
def test_what_a_codec_writes_it_reads_and_the_guard_sees(one: Format) -> None:
    value = [{"OrderID": 7, "CreatorID": None, "PIN": 'a<&"b', "IsInternationalOrder": True}]
    written = codec_of(TPP, one).encode(value)
    assert isinstance(written, str)
    decoded = codec_of(TPP, one).decode(written.encode())
    assert decoded.plainly
    assert {**decoded.value[0]} == {**value[0]}
    (view,) = one.members(written).views
    assert {"OrderID", "CreatorID", "PIN", "IsInternationalOrder"} <= {found.name for found in view.found}


def test_a_channel_knows_its_format() -> None:
    assert [Channel(Transport.HTTP, media).format.name for media in TPP.media_types] == ["json", "json", "xml", "xml"]


def test_nobody_compares_strings_where_a_type_can_be_asked() -> None:
    """A vendor's page is read as it is written, so what reads pages is left out."""
    root = Path(conformance.__file__).parent
    files = [path for path in sorted(root.rglob("*.py")) if "derive" not in path.relative_to(root).parts]
    found = [
        f"{path.relative_to(root)}: {line.strip()}"
        for path in files
        for line in path.read_text(encoding="utf-8").splitlines()
        if OF_STRINGS.search(line)
    ]
    assert found == []
