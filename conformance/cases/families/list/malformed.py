"""Requests that are no list of instructions, or one in an odd form: the error string, nothing done, or done all the same."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.cases import expect, make
from conformance.cases.families.list.forms import EMPTY_LISTS, Form, json_forms, xml_forms
from conformance.cases.kinds import OTHER, first_kind, other_state
from conformance.cases.make import Channel, channels
from conformance.model.case import Alternative, Case, Expectation
from conformance.model.spec import Operation


def malformed_list_cases(operation: Operation) -> Iterator[Case]:
    """Every broken and odd form of the request in every media type; none that speaks for what the operation does not have."""
    for channel in channels(operation):
        for form in xml_forms(operation) if channel.form == "xml" else json_forms(operation):
            if not form.check or form.check in operation.attribution:
                yield _case(operation, channel, form)


def _case(operation: Operation, channel: Channel, form: Form) -> Case:
    requirement = operation.attribution[form.check or "malformed"]
    also = [operation.attribution["bad-input"]] if form.kind == "broken" else []
    code = "error-string" if form.name == "cut-off" and _has_code(operation) else None
    if form.name == "cut-off":
        also.extend((operation.attribution["error-string"], operation.error_media[channel.form]))
        also.extend(operation.attribution[check] for check in ("error-status",) if check in operation.attribution)
    kind = first_kind(operation)
    return make.case(
        operation,
        channel,
        f"forms/{form.name}",
        f"Body: {form.title}",
        also,
        make.message(operation, channel, form.body),
        _expectation(operation, requirement, form, kind.thing),
        states={kind.thing: kind.need, **other_state(operation)},
        code=code,
        accept=channel.media_type,
    )


def _has_code(operation: Operation) -> bool:
    """Whether the operation's table of codes has the error string as a row of its own."""
    return any(row.code == "error-string" for row in operation.codes)


def _expectation(operation: Operation, requirement: str, form: Form, thing: str) -> Expectation:
    effect, both = operation.attribution["effect"], (thing, OTHER)
    if form.kind == "legal":
        success = expect.done(operation, requirement, (thing,))
        kept = tuple(Alternative(one.answer, one.cancelled, (OTHER,)) for one in success.any_of)
        return Expectation(requirement, kept, effect=requirement, outside=effect)
    if form.name in EMPTY_LISTS:
        nothing = Alternative({"results": []}, untouched=both, readings=("empty-list=empty-result",))
        refused = Alternative({"form": "refused"}, untouched=both, readings=("empty-list=refused",))
        return Expectation(requirement, (nothing, refused), effect=effect)
    if form.kind == "items":
        return expect.unusable_items(operation, requirement, form.items, thing, OTHER)
    if form.kind == "broken":
        return expect.refused(operation, requirement, both)
    if form.kind == "reference":
        return expect.forbidden_reference(operation, requirement, thing, OTHER)
    every = expect.nothing_else(operation, requirement, (thing,), (OTHER,))
    if form.kind != "ignored":
        return every
    return Expectation(requirement, every.any_of[1:], effect=every.effect, outside=every.outside)
