"""Samples as they are printed: cleaned of typography, read strictly, and read leniently where that fails.

What follows from a whole page: whether a field may be null, and which member a condition speaks of.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lxml import etree

from conformance.derive.page import (
    Body,
    Field,
    Need,
    Page,
    Part,
    Place,
    Type,
    Unread,
    When,
    condition_of,
    is_left_out,
    may_be_absent,
    says_null,
)
from conformance.formats.errors import CodecError
from conformance.formats.json.read import decode_json
from conformance.formats.xml.xsd import safe_parser
from conformance.model.paths import ARGUMENT, arguments_in

_ODD_SPACES = re.compile("[\u00a0\u2000-\u200b\u202f\u205f\u3000\ufeff]")
_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_PARTS = re.compile(rf"({_STRING.pattern})\s*:|{_STRING.pattern}|[{{}}\[\]]")
_QUOTED_OBJECT = re.compile(r':(\s*)"\s*\{')
_QUOTED_END = re.compile(r'\}\s*"(?=\s*[,}])')
_LAST_COMMA = re.compile(r",(?=\s*[}\]])")


@dataclass(frozen=True, slots=True)
class ReadSample:
    """A sample: its value (None if unreadable), what is wrong with its form, and its members that are quoted objects.

    `line` is that of the fault inside the sample, from 1; `tree` is the XML. `twice` are the members of JSON that stand
    in one object again, each with its line; the value has the last of them.
    """

    value: Any
    fault: str = ""
    line: int = 0
    quoted: tuple[str, ...] = ()
    tree: etree._Element | None = None
    twice: tuple[tuple[str, int], ...] = ()

    @property
    def well_formed(self) -> bool:
        """Whether there is nothing wrong with its form."""
        return not self.fault and not self.twice


def clean_sample(text: str, first_line: int) -> tuple[str, list[Unread]]:
    """The sample with typographic spaces as spaces, and a note on each line that had some."""
    notes = [
        Unread(first_line + number, line.strip()[:60], "no-break and other typographic spaces are read as spaces")
        for number, line in enumerate(text.split("\n"))
        if _ODD_SPACES.search(line)
    ]
    return _ODD_SPACES.sub(" ", text).replace("\t", "    "), notes[:1]


def media_types_of(text: str) -> tuple[str, ...]:
    """The media type that the form of a sample shows, where the page names none."""
    return ("application/xml",) if text.lstrip().startswith("<") else ("application/json",)


def read_sample(text: str) -> ReadSample:
    """The value of a JSON sample or the tree of an XML one, or why there is none."""
    if text.lstrip().startswith("<"):
        return _read_xml(text)
    try:
        return ReadSample(decode_json(text.strip().encode()).plain, twice=tuple(_twice(text)))
    except CodecError as error:
        fault, line = error.message, error.position.line if error.position else 1
    repaired, quoted = _repaired(text)
    try:
        value = decode_json(repaired.strip().encode()).plain
    except CodecError:
        return ReadSample(None, fault, line)
    return ReadSample(value, fault, line, quoted, twice=tuple(_twice(repaired)))


def canonical(text: str) -> str:
    """The sample on one line, so indentation does not count: JSON as JSON, anything else with single spaces."""
    if text.lstrip().startswith("<"):
        return re.sub(r">\s+<", "><", " ".join(text.split()))
    found = read_sample(text)
    if not found.well_formed:
        return " ".join(text.split())
    return json.dumps(found.value, ensure_ascii=False)


def _twice(text: str) -> Iterator[tuple[str, int]]:
    """The members of a JSON text whose name its object has already, with the line from 1; the text can be decoded."""
    above: list[set[str]] = []
    for part in _PARTS.finditer(text):
        if part.group(0) in "{[":
            above.append(set())
        elif part.group(0) in "}]":
            above.pop()
        elif part.group(1) is not None:
            name = json.loads(part.group(1))
            if name in above[-1]:
                yield name, text.count("\n", 0, part.start()) + 1
            above[-1].add(name)


def _repaired(text: str) -> tuple[str, tuple[str, ...]]:
    """The text without quotes around objects and commas behind the last member; the names whose objects were quoted."""
    quoted = tuple(match.group(0)[1:-1] for match in _STRING.finditer(text) if _QUOTED_OBJECT.match(text, match.end()))
    if quoted:
        text = _QUOTED_END.sub("}", _QUOTED_OBJECT.sub(r":\1{", text))
    return _LAST_COMMA.sub("", text), quoted


def _read_xml(text: str) -> ReadSample:
    try:
        tree = etree.fromstring(text.strip().encode(), safe_parser())
    except etree.XMLSyntaxError as error:
        return ReadSample(None, error.msg or "not well-formed", error.lineno or 1)
    return ReadSample(None, tree=tree)


def finished(page: Page) -> Page:
    """The page with conditions tied to their members, nulls as its words and samples have them, and arguments in its path."""
    page = _with_arguments(page)
    return replace(
        page,
        request=_finished(page, "request", page.request),
        response=_finished(page, "response", page.response),
        error=page.error and _finished(page, "error", page.error),
    )


def _with_arguments(page: Page) -> Page:
    """The page whose path names its arguments as the table does; one that no row lists is a member of unknown type."""
    if page.path is None or not ARGUMENT.search(page.path):
        return page
    rows = {one.name.casefold(): one.name for one in page.request.fields}
    path, fields, told = page.path, list(page.request.fields), list(page.read_as)
    for name in arguments_in(page.path):
        known = rows.get(name.casefold())
        if known is None:
            fields.append(Field(name, Type("unknown"), "required", "", page.place))
        elif known != name:
            path = path.replace(f"{{{name}}}", f"{{{known}}}")
            told.append(Unread(page.place.line, f"{{{name}}}", f"read as the member {known}"))
    named = arguments_in(path)
    unsaid = [one for one in fields if one.name in named and one.need == "unsaid"]
    told += [Unread(one.place.line, one.name, "read as required, since it stands in the path") for one in unsaid]
    fields = [
        replace(one, in_uri=True, need="required" if one.need == "unsaid" else one.need) if one.name in named else one
        for one in fields
    ]
    shape = "object" if page.request.shape == "nothing" else page.request.shape
    request = replace(page.request, fields=tuple(fields), shape=shape)
    return replace(page, path=path, request=request, read_as=tuple(told))


def values_in(body: Body) -> Iterator[Any]:
    """The objects in the JSON samples of a body: each sample, or each item of its list."""
    for sample in body.samples:
        if sample.form == "json":
            value = read_sample(sample.text).value
            yield from value if isinstance(value, list) else (value,)


def flat(values: Iterable[Any]) -> Iterator[Any]:
    """The values with each list opened, as the members of a list's items are looked for in all of them."""
    for one in values:
        yield from one if isinstance(one, list) else (one,)


def fields_shown(values: Iterable[Any], place: Place) -> tuple[Field, ...]:
    """The members that objects of samples have, with the types of their values, where no table lists them."""
    found: dict[str, list[Any]] = {}
    for value in values:
        for name, member in value.items() if isinstance(value, dict) else ():
            found.setdefault(name, []).append(member)
    return tuple(
        Field(name, _type_shown(members), "unsaid", "", place, members=fields_shown(flat(members), place))
        for name, members in found.items()
    )


def _type_shown(values: Sequence[Any]) -> Type:
    kinds = {_SHOWN[type(value)] for value in values if value is not None}
    if kinds == {"integer", "number"}:
        return Type("number")
    if kinds != {"list"}:
        return Type(kinds.pop() if len(kinds) == 1 else "unknown")
    items = {_SHOWN[type(one)] for value in values if value is not None for one in value if one is not None}
    return Type("list", items.pop() if len(items) == 1 else "unknown")


def _with_members_shown(field: Field, values: tuple[Any, ...]) -> Field:
    """The field with the members that samples show, where no table lists any."""
    place = Place(f"{field.place.section}{MEMBERS_OF_SAMPLE}", field.place.line)
    members = fields_shown(flat(values), place)
    if not members:
        return field
    kind = replace(field.type, item="object") if field.type.kind == "list" else field.type
    return replace(field, type=kind, members=members)


MEMBERS_OF_SAMPLE = ", members of the sample"
"""Ends the section of a field that no table lists."""


_SHOWN = {bool: "boolean", int: "integer", float: "number", str: "string", dict: "object", list: "list"}


def _finished(page: Page, part: Part, body: Body) -> Body:
    values = tuple(values_in(body))
    if page.dialect == "help-page":
        fields = tuple(_contract_field(field, part, body.fields, values) for field in body.fields)
    else:
        fields = tuple(_call_field(field, part, values) for field in body.fields)
    return replace(body, fields=fields)


def _call_field(field: Field, part: Part, values: tuple[Any, ...]) -> Field:
    mine = tuple(value[field.name] for value in flat(values) if isinstance(value, dict) and field.name in value)
    if not field.members and field.type.kind in ("object", "list"):
        field = _with_members_shown(field, mine)
    members = tuple(_call_field(member, part, mine) for member in field.members)
    if part == "request":
        return replace(field, members=members, null=None in mine or says_null(field.text))
    absent = may_be_absent(field.text)
    need: Need = "optional" if absent else "required"
    null = (absent and not is_left_out(field.text)) or None in mine or says_null(field.text)
    return replace(field, members=members, need=need, null=null)


def _contract_field(field: Field, part: Part, fields: tuple[Field, ...], values: tuple[Any, ...]) -> Field:
    """A row of a help page: references are null when they are absent, values only where the page shows or needs it."""
    mine = tuple(value[field.name] for value in flat(values) if isinstance(value, dict) and field.name in value)
    shown = None in mine
    when = _when(field, fields)
    reference = field.type.kind in ("string", "list", "object") and not field.in_uri
    null = shown or (field.need != "required" and (reference or field.need == "conditional"))
    need = field.need
    if part != "request" and need == "unsaid":
        need = "optional" if null else "required"
    kind = field.type
    if field.values and kind.kind == "integer" and any(isinstance(one, str) for one in mine):
        kind = replace(kind, kind="string")  # names in JSON as well
    members = tuple(_contract_field(one, part, field.members, mine) for one in field.members)
    return replace(field, type=kind, null=null, when=when, need=need, members=members)


def _when(field: Field, fields: tuple[Field, ...]) -> When | None:
    """The boolean member whose name holds the adjective of the condition; None when no single one does."""
    condition = condition_of(field.text)
    if condition is None:
        return None
    flags = [one.name for one in fields if one.type.kind == "boolean" and condition[0] in one.name.casefold()]
    return When(flags[0], condition[1]) if len(flags) == 1 else None
