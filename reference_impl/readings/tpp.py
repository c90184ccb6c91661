"""Readings of POST api/orders/cancellations."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from reference_impl.parts import Parts, with_tpp, with_writer
from reference_impl.readings.values import TPP, Reading, as_it_is
from reference_impl.tpp.read_json import read_json
from reference_impl.tpp.read_xml import read_xml
from reference_impl.tpp.values import Instruction, Items, Media, Result, UnreadableList
from reference_impl.tpp.write_json import dump, result_object
from reference_impl.wire import HttpResponse

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
            if problem is not None:
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


def _int64(parts: Parts) -> Parts:
    bound = 2**63
    return with_tpp(parts, readers={"json": partial(read_json, bound=bound), "xml": partial(read_xml, bound=bound)})


def _items(items: Items) -> Callable[[Parts], Parts]:
    readers = {"json": partial(read_json, items=items), "xml": partial(read_xml, items=items)}
    return lambda parts: with_tpp(parts, readers=readers)


def _references_read(parts: Parts) -> Parts:
    inner = parts.tpp.readers["xml"]
    readers = {**parts.tpp.readers, "xml": lambda text: inner(_FORBIDDEN_REFERENCE.sub("\ufffd", text))}
    return with_tpp(parts, readers=readers)


READINGS: tuple[Reading, ...] = (
    Reading("null-members", (TPP,), {"present": as_it_is, "omitted": _omit_nulls}),
    Reading(
        "processed-status",
        (TPP,),
        {"200": as_it_is, "201": _status("processed_status", 201), "207": _status("processed_status", 207)},
    ),
    Reading("empty-list", (TPP,), {"empty-result": as_it_is, "refused": _empty_refused}),
    Reading("result-order", (TPP,), {"same": as_it_is, "other": _other_order}),
    Reading("broken-instruction", (TPP,), {"only-itself": as_it_is, "whole-list": _whole_list}),
    Reading("errors-on-success", (TPP,), {"null": as_it_is, "empty": _empty_errors}),
    Reading("guid-case", (TPP,), {"lower": as_it_is, "upper": _upper_guids}),
    Reading("framework-error-form", (TPP,), {"framework": as_it_is, "string": _framework_string}),
    Reading("id-width", (TPP,), {"int32": as_it_is, "int64": _int64}),
    Reading(
        "unusable-item",
        (TPP,),
        {"list-refused": as_it_is, "own-result": _items("broken"), "dropped": _items("dropped")},
    ),
    Reading("forbidden-reference", (TPP,), {"list-refused": as_it_is, "read": _references_read}),
    Reading("refused-status", (TPP,), {"400": as_it_is, "422": _status("refused_status", 422)}),
)
