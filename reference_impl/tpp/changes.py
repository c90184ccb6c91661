"""Ways to change one piece of the cancellations resource, for faults and equivalents; each counts what it changed.

Every function returns a `Change`. A change that keeps count of anything is made inside `fresh`, so that each
server has its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from reference_impl.parts import Parts, Writer, with_tpp, with_writer
from reference_impl.recorder import Recorder
from reference_impl.tpp.orders import TppOrders
from reference_impl.tpp.values import Format, Instruction, Media, Result, UnreadableList
from reference_impl.tpp.write_json import dump
from reference_impl.variants import Change, Variant, equivalent, fault
from reference_impl.wire import TPP_OPERATION, TPP_OPERATIONS, HttpRequest, HttpResponse

ItemChange = Callable[[dict[str, Any]], Any]
TextChange = Callable[[str], str]


def tpp_fault(id: str, summary: str, apply: Change, *requirements: str) -> Variant:
    """A violation of the cancellations resource; `TPP-` goes before each requirement."""
    return fault(id, TPP_OPERATION, summary, apply, tuple(f"TPP-{name}" for name in requirements))


def tpp_equivalent(id: str, summary: str, apply: Change) -> Variant:
    """A permitted difference of the cancellations resource."""
    return equivalent(id, TPP_OPERATION, summary, apply)


def fresh(make: Callable[[], Change]) -> Change:
    """A change with state of its own on each server."""
    return lambda parts, recorder: make()(parts, recorder)


def both(*changes: Change) -> Change:
    """Several changes at once, the last outermost."""

    def change(parts: Parts, recorder: Recorder) -> Parts:
        for one in changes:
            parts = one(parts, recorder)
        return parts

    return change


def on_results(change: Callable[[Sequence[Result]], Sequence[Result]]) -> Change:
    """Changes the list of results before it is written."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        inner = parts.tpp.arrange

        def arrange(results: Sequence[Result]) -> Sequence[Result]:
            before = list(inner(results))
            return recorder.swap(before, list(change(before)))

        return with_tpp(parts, arrange=arrange)

    return apply


def on_result(change: Callable[[Parts, Instruction, Result], Result]) -> Change:
    """Changes the result of one instruction, after it was carried out."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        inner = parts.tpp.carry_out

        def carry_out(p: Parts, instruction: Instruction) -> Result:
            result = inner(p, instruction)
            return recorder.swap(result, change(p, instruction, result))

        return with_tpp(parts, carry_out=carry_out)

    return apply


def as_if(change: Callable[[Instruction], Instruction]) -> Change:
    """Carries another instruction out than the one that was read."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        inner = parts.tpp.carry_out

        def carry_out(p: Parts, instruction: Instruction) -> Result:
            return inner(p, recorder.swap(instruction, change(instruction)))

        return with_tpp(parts, carry_out=carry_out)

    return apply


def on_errors(change: Callable[[Parts, Instruction, tuple[str, ...]], tuple[str, ...]]) -> Change:
    """Changes what speaks against an instruction: with no errors left it is carried out."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        inner = parts.tpp.judge

        def judge(p: Parts, instruction: Instruction) -> tuple[str, ...]:
            errors = inner(p, instruction)
            return recorder.swap(errors, change(p, instruction, errors))

        return with_tpp(parts, judge=judge)

    return apply


def on_instruction(change: Callable[[Instruction], Instruction], *forms: Format) -> Change:
    """Changes each instruction after it was read, in some formats (default: all)."""
    return on_list(lambda instructions: [change(instruction) for instruction in instructions], *forms)


def on_list(change: Callable[[list[Instruction]], list[Instruction]], *forms: Format) -> Change:
    """Changes the list of instructions after it was read, in some formats (default: all)."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        def changed(inner: Callable[[str], list[Instruction]]) -> Callable[[str], list[Instruction]]:
            def read(text: str) -> list[Instruction]:
                instructions = inner(text)
                return recorder.swap(instructions, change(instructions))

            return read

        readers = {
            form: changed(read) if form in (forms or ("json", "xml")) else read
            for form, read in parts.tpp.readers.items()
        }
        return with_tpp(parts, readers=readers)

    return apply


def on_request_text(form: Format, change: TextChange) -> Change:
    """Changes the text of a body in one format before it is read; `change` may raise `UnreadableList`."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        inner = parts.tpp.readers[form]

        def read(text: str) -> list[Instruction]:
            try:
                changed = change(text)
            except UnreadableList:
                recorder.hit()
                raise
            return inner(recorder.swap(text, changed))

        return with_tpp(parts, readers={**parts.tpp.readers, form: read})

    return apply


def refuse_text(form: Format, unwanted: Callable[[str], object]) -> Change:
    """Refuses a body in one format when something unwanted is found in it."""

    def change(text: str) -> str:
        if unwanted(text):
            raise UnreadableList("The request is invalid.")
        return text

    return on_request_text(form, change)


def on_effect(change: Callable[[Parts, Instruction], bool]) -> Change:
    """Before an instruction takes effect; when `change` returns False it takes none."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        inner = parts.tpp.effect

        def effect(p: Parts, instruction: Instruction) -> None:
            if change(p, instruction):
                inner(p, instruction)
            else:
                recorder.hit()

        return with_tpp(parts, effect=effect)

    return apply


def also_cancel(more: Callable[[TppOrders, Instruction], Sequence[int | str]]) -> Change:
    """With an instruction that takes effect, cancels more orders."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        inner = parts.tpp.effect

        def effect(p: Parts, instruction: Instruction) -> None:
            inner(p, instruction)
            for key in more(p.tpp.orders, instruction):
                if p.tpp.orders.cancel(key):
                    recorder.hit()

        return with_tpp(parts, effect=effect)

    return apply


def on_items(change: ItemChange) -> Change:
    """Changes each result object of a JSON answer."""
    return on_json(lambda items: [change(item) for item in items])


def on_json(change: Callable[[list[dict[str, Any]]], Any]) -> Change:
    """Changes the list of result objects of a JSON answer."""
    return on_text("json", lambda text: dump(change(json.loads(text))))


def on_xml(change: TextChange) -> Change:
    """Changes the text of a list of results in XML."""
    return on_text("xml", change)


def on_text(form: Format, change: TextChange, part: str = "results") -> Change:
    """Changes the text of one kind of answer: `results`, `error` or `framework`."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        inner: Callable[..., str] = _part(parts.tpp.writers[form], part)

        def write(value: Any) -> str:
            text = inner(value)
            return recorder.swap(text, change(text))

        return with_writer(parts, form, **{part: write})

    return apply


def _part(writer: Writer, part: str) -> Callable[..., str]:
    found: Callable[..., str] = getattr(writer, part)
    return found


def on_media(change: Callable[[HttpRequest, Media], Media]) -> Change:
    """Changes what the answer is negotiated to be."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        inner = parts.tpp.negotiate

        def negotiate(request: HttpRequest) -> Media:
            media = inner(request)
            return recorder.swap(media, change(request, media))

        return with_tpp(parts, negotiate=negotiate)

    return apply


def on_request_format(change: Callable[[HttpRequest, Format | None], Format | None]) -> Change:
    """Changes what a body is taken for; None refuses it with 415."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        inner = parts.tpp.request_format

        def request_format(request: HttpRequest) -> Format | None:
            form = inner(request)
            return recorder.swap(form, change(request, form))

        return with_tpp(parts, request_format=request_format)

    return apply


def on_response(change: Callable[[HttpRequest, HttpResponse], HttpResponse]) -> Change:
    """Changes the whole response to a request on the path of either call."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        inner = parts.http_filter

        def http_filter(request: HttpRequest, response: HttpResponse) -> HttpResponse:
            response = inner(request, response)
            if request.operation not in TPP_OPERATIONS:
                return response
            return recorder.swap(response, change(request, response))

        return replace(parts, http_filter=http_filter)

    return apply


def label(response: HttpResponse, content_type: str) -> HttpResponse:
    """The response under another content type."""
    return replace(response, content_type=content_type)


def page(response: HttpResponse, status: int | None = None) -> HttpResponse:
    """The response as a page of HTML, as a proxy or an error handler would write it."""
    body = b"<!DOCTYPE html><html><head><title>Runtime Error</title></head><body>Server Error</body></html>"
    return HttpResponse(status or response.status, body, "text/html; charset=utf-8")
