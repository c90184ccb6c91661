"""Readings of POST api/orders/cancellations, most of them those of POST api/orders/cancellation too."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from reference_impl.parts import Parts, with_tpp, with_writer
from reference_impl.readings.values import TPP, TPP_ONE, Reading, as_it_is
from reference_impl.tpp.values import NO_INSTRUCTION, Format, Instruction, Items, Media, Result, UnreadableList
from reference_impl.tpp.write_json import dump, result_object
from reference_impl.wire import TPP_OPERATION, HttpRequest, HttpResponse

_NIL_ELEMENT = re.compile(r'<\w+(?: xmlns:d3p1="[^"]*")? i:nil="true" />')

_FORBIDDEN_REFERENCE = re.compile(r"&#(?:0*(?:[1-8]|1[124-9]|2[0-9]|3[01])|x0*(?:[1-8bcBC]|[eEfF]|1[0-9a-fA-F]));")
"""A character reference to what XML 1.0 has no place for; what it becomes nobody can see from outside."""


def _omit_nulls(parts: Parts) -> Parts:
    write_xml = parts.tpp.writers["xml"].results

    def json_results(results: Sequence[Result]) -> str:
        objects = [result_object(result) for result in results]
        return dump([{k: v for k, v in item.items() if v is not None} for item in objects])

    def xml_results(results: Sequence[Result]) -> str:
        return _NIL_ELEMENT.sub("", write_xml(results))

    return with_writer(with_writer(parts, "json", results=json_results), "xml", results=xml_results)


def _status(field: str, status: int) -> Callable[[Parts], Parts]:
    return lambda parts: with_tpp(parts, **{field: status})


def _empty_refused(parts: Parts) -> Parts:
    inner = parts.tpp.admit

    def admit(p: Parts, instructions: Sequence[Instruction]) -> None:
        if not instructions:
            raise UnreadableList("The list has no cancellation instruction.")
        inner(p, instructions)

    return with_tpp(parts, admit=admit)


def _other_order(parts: Parts) -> Parts:
    return with_tpp(parts, arrange=lambda results: list(reversed(results)))


def _whole_list(parts: Parts) -> Parts:
    inner = parts.tpp.admit

    def admit(p: Parts, instructions: Sequence[Instruction]) -> None:
        for instruction in instructions:
            problem = p.tpp.problem(instruction)
            if problem is not None and instruction.problem is None:
                raise UnreadableList(problem)
        inner(p, instructions)

    return with_tpp(parts, admit=admit)


def _upper_guids(parts: Parts) -> Parts:
    inner = parts.tpp.carry_out

    def carry_out(p: Parts, instruction: Instruction) -> Result:
        result = inner(p, instruction)
        return replace(result, uid=result.uid.upper() if result.uid else None)

    return with_tpp(parts, carry_out=carry_out)


def _empty_errors(parts: Parts) -> Parts:
    inner = parts.tpp.carry_out

    def carry_out(p: Parts, instruction: Instruction) -> Result:
        result = inner(p, instruction)
        return replace(result, errors=()) if result.success else result

    return with_tpp(parts, carry_out=carry_out)


def _framework_string(parts: Parts) -> Parts:
    def answer_framework(p: Parts, media: Media, status: int, message: str) -> HttpResponse:
        return p.tpp.answer_error(p, media, status, message)

    return with_tpp(parts, answer_framework=answer_framework)


def _reading_with(options: dict[Format, dict[str, Any]]) -> Callable[[Parts], Parts]:
    """More options for the reader of a format."""

    def change(parts: Parts) -> Parts:
        more = {form: partial(parts.tpp.readers[form], **chosen) for form, chosen in options.items()}
        return with_tpp(parts, readers={**parts.tpp.readers, **more})

    return change


_int64 = _reading_with({"json": {"bound": 2**63}, "xml": {"bound": 2**63}})


def _nulls(items: Items) -> Callable[[Parts], Parts]:
    return _reading_with({"json": {"nulls": items}, "xml": {"nulls": items}})


def _items(items: Items) -> Callable[[Parts], Parts]:
    return _reading_with({"json": {"items": items}})


def _on_read(change: Callable[[list[Instruction]], list[Instruction]]) -> Callable[[Parts], Parts]:
    """What becomes of a list once it was read; `change` may raise `UnreadableList`."""

    def wrapped(inner: Callable[[str], list[Instruction]]) -> Callable[[str], list[Instruction]]:
        return lambda text: change(inner(text))

    return lambda parts: with_tpp(parts, readers={form: wrapped(read) for form, read in parts.tpp.readers.items()})


def _refused_for_a_value(found: list[Instruction]) -> list[Instruction]:
    for one in found:
        if _is_unusable(one):
            raise UnreadableList(one.problem)
    return found


def _without_unusable(found: list[Instruction]) -> list[Instruction]:
    return [one for one in found if not _is_unusable(one)]


def _is_unusable(one: Instruction) -> bool:
    return one.problem not in (None, NO_INSTRUCTION)


def _no_list_refused(parts: Parts) -> Parts:
    refuse = parts.refuse

    def refused(request: HttpRequest) -> HttpResponse | None:
        if request.operation == TPP_OPERATION and request.method == "POST" and request.body.strip() in (b"", b"null"):
            media = parts.tpp.negotiate(request)
            return parts.tpp.answer_error(parts, media, parts.tpp.refused_status, "There is no list.")
        return refuse(request)

    return replace(parts, refuse=refused)


def _references_read(parts: Parts) -> Parts:
    inner = parts.tpp.readers["xml"]
    readers = {**parts.tpp.readers, "xml": lambda text: inner(_FORBIDDEN_REFERENCE.sub("\ufffd", text))}
    return with_tpp(parts, readers=readers)


READINGS: tuple[Reading, ...] = (
    Reading("null-members", (TPP, TPP_ONE), {"present": as_it_is, "omitted": _omit_nulls}),
    Reading(
        "processed-status",
        (TPP, TPP_ONE),
        {"200": as_it_is, **{str(one): _status("processed_status", one) for one in (201, 202, 207)}},
    ),
    Reading("empty-list", (TPP,), {"empty-result": as_it_is, "refused": _empty_refused}),
    Reading("result-order", (TPP,), {"same": as_it_is, "other": _other_order}),
    Reading("broken-instruction", (TPP, TPP_ONE), {"only-itself": as_it_is, "whole-list": _whole_list}),
    Reading("errors-on-success", (TPP, TPP_ONE), {"null": as_it_is, "empty": _empty_errors}),
    Reading("guid-case", (TPP, TPP_ONE), {"lower": as_it_is, "upper": _upper_guids}),
    Reading("framework-error-form", (TPP, TPP_ONE), {"framework": as_it_is, "string": _framework_string}),
    Reading("id-width", (TPP, TPP_ONE), {"int32": as_it_is, "int64": _int64}),
    Reading(
        "null-item", (TPP,), {"list-refused": as_it_is, "own-result": _nulls("broken"), "dropped": _nulls("dropped")}
    ),
    Reading(
        "unusable-item",
        (TPP,),
        {"list-refused": as_it_is, "own-result": _items("broken"), "dropped": _items("dropped")},
    ),
    Reading(
        "unusable-value",
        (TPP, TPP_ONE),
        {
            "own-result": as_it_is,
            "list-refused": _on_read(_refused_for_a_value),
            "dropped": _on_read(_without_unusable),
        },
    ),
    Reading("no-list", (TPP,), {"empty-result": as_it_is, "refused": _no_list_refused}),
    Reading("forbidden-reference", (TPP, TPP_ONE), {"list-refused": as_it_is, "read": _references_read}),
    Reading("refused-status", (TPP, TPP_ONE), {"400": as_it_is, "422": _status("refused_status", 422)}),
)
