"""What follows from a whole page: whether a field may be null, and which member a condition speaks of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from conformance.derive.page import Body, Field, Need, Page, Part, When
from conformance.derive.samples import read_sample
from conformance.derive.terms import condition_of, may_be_absent, says_null


def finished(page: Page) -> Page:
    """The page with conditions tied to their members, and nulls as its words and samples have them."""
    return replace(
        page,
        request=_finished(page, "request", page.request),
        response=_finished(page, "response", page.response),
        error=page.error and _finished(page, "error", page.error),
    )


def values_in(body: Body) -> Iterator[Any]:
    """The objects in the JSON samples of a body: each sample, or each item of its list."""
    for sample in body.samples:
        if sample.form == "json":
            value = read_sample(sample.text).value
            yield from value if isinstance(value, list) else (value,)


def _finished(page: Page, part: Part, body: Body) -> Body:
    values = tuple(values_in(body))
    if page.dialect == "help-page":
        fields = tuple(_contract_field(field, part, body.fields, values) for field in body.fields)
    else:
        fields = tuple(_call_field(field, part, values) for field in body.fields)
    return replace(body, fields=fields)


def _call_field(field: Field, part: Part, values: tuple[Any, ...]) -> Field:
    mine = tuple(value.get(field.name) for value in values if isinstance(value, dict) and field.name in value)
    members = tuple(_call_field(member, part, mine) for member in field.members)
    if part == "request":
        return replace(field, members=members, null=None in mine or says_null(field.text))
    absent = may_be_absent(field.text)
    need: Need = "optional" if absent else "required"
    return replace(field, members=members, need=need, null=absent or None in mine or says_null(field.text))


def _contract_field(field: Field, part: Part, fields: tuple[Field, ...], values: tuple[Any, ...]) -> Field:
    """A row of a help page: references are null when they are absent, values only where the page shows or needs it."""
    shown = any(isinstance(value, dict) and value.get(field.name, 0) is None for value in values)
    when = _when(field, fields)
    reference = field.type.kind in ("string", "list", "object")
    null = shown or (field.need != "required" and (reference or field.need == "conditional"))
    need = field.need
    if part != "request" and need == "unsaid":
        need = "optional" if null else "required"
    return replace(field, null=null, when=when, need=need)


def _when(field: Field, fields: tuple[Field, ...]) -> When | None:
    """The boolean member whose name holds the adjective of the condition; None when no single one does."""
    condition = condition_of(field.text)
    if condition is None:
        return None
    flags = [one.name for one in fields if one.type.kind == "boolean" and condition[0] in one.name.casefold()]
    return When(flags[0], condition[1]) if len(flags) == 1 else None
