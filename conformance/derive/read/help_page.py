"""The lines of an ASP.NET help page to a page, by the headings of the help page's own template, and its pages of types."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from conformance.derive.kinds import Enumeration, Kinds, kind_of, with_kinds
from conformance.derive.limits import with_limits_shown
from conformance.derive.page import Body, Field, Lack, Page, Part, Place, Sample, Statement, Type, Unread, type_of
from conformance.derive.read.help_rows import (
    OLD_HEAD,
    OTHER_HEAD,
    ROW_HEAD,
    VALUES_HEAD,
    Line,
    is_head,
    of_body,
    read_rows,
    read_values,
)
from conformance.derive.samples import clean_sample, fields_shown, finished, read_sample
from conformance.errors import PageError
from conformance.formats.registry import known_format

TITLE = re.compile(r"(GET|PUT|POST|PATCH|DELETE) (\S+)")
_SECTIONS: Mapping[str, Part] = {
    "Request Information": "request",
    "Response Information": "response",
    "Error Response Information": "error",
}
_FORMATS = (
    "Request Formats",
    "Response Formats",
    "Error Response Formats",
    "Request body formats",
    "Response body formats",
)
_IN_URI, _IN_BODY = "URI Parameters", "Body Parameters"
_PARAMETERS = (_IN_URI, _IN_BODY, "Resource Description", "Parameters")
_COLLECTION = re.compile(r"(?:Collection|Array|List) of (\w[\w ]*)")
_MEDIA = re.compile(r"[\w.+-]+/[\w.+-]+(?:, [\w.+-]+/[\w.+-]+)*")
_NO_SAMPLE = re.compile(r"Sample not available\.?|(?:Failed to generate|An exception has occurred while).*")
_VALUES_WORDS = re.compile(r"(?:Possible )?enumeration values:?", re.IGNORECASE)
_HINT = "A help page has a title such as POST api/things, Request Information and Response Information, each with formats and samples."


@dataclass(slots=True)
class _Half:
    """What was gathered of one part."""

    place: Place
    record: str = ""
    shape: Literal["object", "list", "string", "value", "nothing"] = "object"
    item: str = ""
    text: str = ""
    in_uri: tuple[Field, ...] = ()
    fields: tuple[Field, ...] = ()
    media: list[str] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    none: bool = False
    """Whether the page says that there is no body."""


@dataclass(slots=True)
class _Gathered:
    where: str
    statements: list[Statement] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    read_as: list[Unread] = field(default_factory=list)
    lacks: list[Lack] = field(default_factory=list)
    kinds: Kinds = field(default_factory=Kinds)


def looks_like_help_page(lines: Sequence[Line]) -> bool:
    """Whether some line is a title of the template and another its first heading."""
    texts = [line.text for line in lines]
    return "Request Information" in texts and any(TITLE.fullmatch(text) for text in texts)


def looks_like_model_page(lines: Sequence[Line]) -> bool:
    """Whether a page describes types and no call: tables of the template, and no title of an operation."""
    texts = [line.text for line in lines]
    heads = any(ROW_HEAD.fullmatch(text) or VALUES_HEAD.fullmatch(text) for text in texts)
    return heads and not any(TITLE.fullmatch(text) for text in texts)


def models_of(lines: Sequence[Line], where: str) -> tuple[Kinds, list[Unread]]:
    """The types that a page describes, and its lines that are no part of one. Errors: `PageError` for half a table."""
    found = _Gathered(where)
    start = next(place for place, line in enumerate(lines) if is_head(line.text))
    _read_models(found, lines[:start], lines[start:])
    told = [
        Unread(one.place.line, one.text, "says something of a type, which is to be worded") for one in found.statements
    ]
    return found.kinds, [*found.unread, *told]


def page_of(lines: Sequence[Line], unread: Sequence[Unread], where: str) -> Page:
    """The page that the lines are. Errors: `PageError` when a part of the template is missing or cut off."""
    found = _Gathered(where, unread=list(unread))
    start = next(place for place, line in enumerate(lines) if TITLE.fullmatch(line.text))
    found.unread += [
        Unread(line.number, line.text, "stands before the title of the operation")
        for line in lines[:start]
        if line.text
    ]
    title = TITLE.fullmatch(lines[start].text)
    assert title is not None
    heads = [place for place in range(start, len(lines)) if lines[place].text in _SECTIONS]
    again = [lines[place] for place in heads if [lines[other].text for other in heads].count(lines[place].text) > 1]
    if again:
        raise _broken(where, again[-1].number, f"{again[-1].text} stands there twice; derive one operation at a time")
    for number, line in enumerate((one for one in lines[start + 1 : heads[0]] if one.text), 1):
        found.statements.append(Statement(line.text, Place(f"description, paragraph {number}", line.number)))
    halves: dict[Part, Body] = {}
    for head, end in zip(heads, [*heads[1:], len(lines)], strict=True):
        halves[_SECTIONS[lines[head].text]] = _read_half(found, lines[head:end], _SECTIONS[lines[head].text])
    for heading, part in _SECTIONS.items():
        if part not in halves and part != "error":
            raise _broken(where, lines[-1].number, f"the page has no {heading}")
    if tuple(halves) != tuple(part for part in _SECTIONS.values() if part in halves):
        raise _broken(where, lines[heads[0]].number, "the sections are not in the template's order")
    path, _, query = title.group(2).partition("?")
    page = Page(
        dialect="help-page",
        name=lines[start].text,
        method=title.group(1),
        path="/" + path.lstrip("/"),
        category=None,
        permissions=None,
        call_type=None,
        request=_in_address(halves["request"], query, lines[start]),
        response=halves["response"],
        error=halves.get("error"),
        codes=(),
        statements=tuple(found.statements),
        place=Place("heading", lines[start].number),
        unread=tuple(found.unread),
        read_as=tuple(found.read_as),
        lacks=tuple(found.lacks),
    )
    return with_limits_shown(finished(with_kinds(_in_one_type(page), found.kinds.objects, found.kinds.enumerations)))


def _in_one_type(page: Page) -> Page:
    """The page with media types for a part that names none: those of the other, else JSON."""
    request, response = page.request.media_types, page.response.media_types
    both = request or response or ("application/json",)
    return replace(
        page,
        request=replace(page.request, media_types=request or both),
        response=replace(page.response, media_types=response or both),
    )


def _in_address(body: Body, query: str, title: Line) -> Body:
    """The request with the arguments that only the title names, in its query."""
    names = re.findall(r"\{(\w+)\}", query)
    known = {one.name.casefold() for one in body.fields}
    place = Place("heading", title.number)
    more = tuple(
        Field(name, Type("unknown"), "unsaid", "", place, in_uri=True) for name in names if name.casefold() not in known
    )
    return replace(body, fields=(*body.fields, *more)) if more else body


def _read_half(found: _Gathered, lines: Sequence[Line], part: Part) -> Body:
    half = _Half(Place(lines[0].text, lines[0].number))
    formats = next((place for place, line in enumerate(lines) if line.text in _FORMATS), len(lines))
    _read_description(found, half, lines[1:formats], part)
    if formats < len(lines):
        _read_formats(found, half, lines[formats:], part)
    _note_lacks(found, half, part, formats=formats < len(lines))
    fields = tuple(replace(one, in_uri=True) for one in half.in_uri) + half.fields
    media = tuple(half.media)
    return Body(half.shape, half.record, fields, media, tuple(half.samples), half.place, half.text, half.item)


def _note_lacks(found: _Gathered, half: _Half, part: Part, *, formats: bool) -> None:
    """What the template shows and this part has not: a table, formats, samples; the one stands for the other."""
    bodiless = half.none and not half.fields and not half.samples
    if bodiless:
        if part == "response":
            half.shape = "nothing"
        found.read_as.append(Unread(half.place.line, half.place.section, "read as a message without a body"))
        if not half.media:
            return
    elif not formats:
        what = "an object of the table's members" if half.fields else "an object without members"
        found.lacks.append(Lack(f"{part}/formats", "formats", what, half.place))
    unshown = [one for one in half.media if not any(one in sample.media_types for sample in half.samples)]
    if unshown and not bodiless:
        found.lacks.append(
            Lack(f"{part}/sample", f"sample for {', '.join(unshown)}", "the other samples and the table", half.place)
        )
    if half.shape in ("object", "list") and not half.item and not half.fields and not bodiless:
        values = [read_sample(one.text).value for one in half.samples if one.form == "json"]
        shown = [one for value in values for one in (value if isinstance(value, list) else [value])]
        line = half.samples[0].place.line if half.samples else half.place.line
        half.fields = fields_shown(shown, Place(f"{part.capitalize()} sample", line))
        if values and all(isinstance(value, list) for value in values):
            half.shape = "list"
        found.lacks.append(
            Lack(f"{part}/table", "table of members", "the members of the sample, if there is one", half.place)
        )


def _read_description(found: _Gathered, half: _Half, lines: Sequence[Line], part: Part) -> None:
    """URI parameters, body parameters or resource description: sentences, the name of the type, its table, other types."""
    section, counts = half.place.section, dict[str, int]()
    if not any(line.text in _PARAMETERS for line in lines):
        why = "without a heading of the template such as Body Parameters or Resource Description"
        found.read_as.append(Unread(half.place.line, section, why))
    place = 0
    while place < len(lines):
        line = lines[place]
        if line.text in _PARAMETERS:
            section = line.text if part == "request" else half.place.section
            half.none = False
        elif is_head(line.text) and VALUES_HEAD.fullmatch(line.text) is None:
            place = _take_table(found, half, lines, place, section)
            continue
        elif ROW_HEAD.search(line.text):
            raise _broken(found.where, line.number, f"the head of the table is {line.text!r}: {OTHER_HEAD}")
        elif line.text == "None.":
            half.none = section != _IN_URI
            found.read_as.append(Unread(line.number, line.text, f"nothing stands under {section}"))
        elif not line.text or _is_type(half, lines, place):
            pass
        else:
            counts[section] = counts.get(section, 0) + 1
            half.text = half.text or line.text
            found.statements.append(Statement(line.text, Place(f"{section}, paragraph {counts[section]}", line.number)))
        place += 1


def _is_type(half: _Half, lines: Sequence[Line], place: int) -> bool:
    """Whether a line names the type of the body: a collection, a bare value, or one word right before a table."""
    text = lines[place].text
    collection, alone = _COLLECTION.fullmatch(text), type_of(text).kind
    if collection:
        kind = type_of(text).item
        half.shape = "list"
        half.record, half.item = (collection.group(1), "") if kind == "unknown" or not kind.islower() else ("", kind)
        return True
    if alone == "string":
        half.shape, half.record = "string", text
        return True
    if alone not in ("unknown", "list", "object"):
        half.shape, half.item, half.record = "value", alone, ""
        return True
    after = next((line.text for line in lines[place + 1 :] if line.text), "")
    if text.isidentifier() and is_head(after):
        half.record, half.shape = text, "object"
        return True
    return False


def _take_table(found: _Gathered, half: _Half, lines: Sequence[Line], place: int, section: str) -> int:
    """Read the table at this place, and the types that are described behind it; where the next part begins."""
    end = next((at for at in range(place + 1, len(lines)) if lines[at].text in _PARAMETERS), len(lines))
    more = next((at for at in range(place + 1, end) if is_head(lines[at].text)), end)
    fields, rest = read_rows(lines[place:more], section, found.where, ends=more == end)
    if section == _IN_URI:
        half.in_uri += fields
    elif OLD_HEAD.fullmatch(lines[place].text):
        whole = [one for one in fields if of_body(lines[place:more], one.name)]
        half.in_uri += tuple(one for one in fields if one not in whole)
        found.read_as += [Unread(one.place.line, one.name, "read as the body itself") for one in whole]
        found.statements += [Statement(one.text, one.place) for one in whole if one.text]
    else:
        half.fields = fields
    if more < end:
        _read_models(found, rest, lines[more:end])
    return end


def _read_models(found: _Gathered, before: Sequence[Line], lines: Sequence[Line]) -> None:
    """Types that are described one behind the other: name, sentences, table; `before` are the lines before the first."""
    while lines:
        named = [one for one in before if one.text]
        name = next((one for one in named if one.text.isidentifier()), None)
        if name is None:
            raise _broken(found.where, lines[0].number, "a table of a type whose name stands nowhere before it")
        place = Place(f"type {name.text}", name.number)
        others = [one for one in named if one is not name and not _VALUES_WORDS.fullmatch(one.text)]
        end = next((at for at in range(1, len(lines)) if is_head(lines[at].text)), len(lines))
        if VALUES_HEAD.fullmatch(lines[0].text):
            values, told, rest = read_values(lines[:end], found.where)
            found.kinds.enumerations.setdefault(kind_of(name.text), Enumeration(values, name.number))
            others += told
        else:
            fields, rest = read_rows(lines[:end], f"type {name.text}", found.where, ends=end == len(lines))
            found.kinds.objects.setdefault(kind_of(name.text), fields)
        found.statements += [
            Statement(one.text, Place(f"{place.section}, paragraph {number}", one.number))
            for number, one in enumerate(others, 1)
        ]
        if end == len(lines) and rest:
            found.unread += [Unread(one.number, one.text[:80], f"stands behind the type {name.text}") for one in rest]
        before, lines = rest, lines[end:]


def _read_formats(found: _Gathered, half: _Half, lines: Sequence[Line], part: Part) -> None:
    media: tuple[str, ...] = ()
    place = 1
    while place < len(lines):
        text = lines[place].text
        if _MEDIA.fullmatch(text):
            media = tuple(one for one in text.split(", ") if known_format(one) is not None)
            half.media += [one for one in media if one not in half.media]
            found.unread += [
                Unread(lines[place].number, one, "a media type for which the harness has no format", at=part)
                for one in text.split(", ")
                if one not in media
            ]
        elif text == "Sample:":
            end = next((at for at in range(place + 1, len(lines)) if _MEDIA.fullmatch(lines[at].text)), len(lines))
            _keep_sample(found, half, lines[place:end], media, part)
            place = end - 1
        elif _NO_SAMPLE.fullmatch(text):
            _no_sample(found, lines[place])
        elif text:
            found.unread.append(
                Unread(
                    lines[place].number, text[:80], "stands among the formats and is neither a media type nor a sample"
                )
            )
        place += 1


def _no_sample(found: _Gathered, line: Line) -> None:
    found.read_as.append(Unread(line.number, line.text[:80], "read as no sample"))


def _keep_sample(found: _Gathered, half: _Half, lines: Sequence[Line], media: tuple[str, ...], part: Part) -> None:
    first = next((line for line in lines[1:] if line.text), None)
    if first is not None and _NO_SAMPLE.fullmatch(first.text):
        _no_sample(found, first)
        found.unread += [
            Unread(line.number, line.text[:80], "stands behind a sample that is none")
            for line in lines[1:]
            if line.text and line is not first
        ]
        return
    text, oddities = clean_sample("\n".join(line.raw for line in lines[1:]).strip("\n"), lines[0].number + 1)
    if not text.strip():
        raise _broken(found.where, lines[0].number, "an empty sample")
    if not media:
        found.unread.append(Unread(lines[0].number, text.strip()[:80], "a sample of a media type that cannot be read"))
        return
    found.read_as.extend(oddities)
    name = "XML sample" if text.lstrip().startswith("<") else "JSON sample"
    place = Place(f"{half.place.section.replace('Information', 'formats')}, {name}", lines[0].number)
    half.samples.append(Sample(part, len(half.samples) + 1, media, text, place))


def _broken(where: str, line: int, message: str) -> PageError:
    return PageError(message, where=f"{where}:{line}", hint=_HINT)
