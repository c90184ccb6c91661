"""Each alternative of each reading of the AlphaPoint documents, as a permitted difference of its operation."""

from __future__ import annotations

from dataclasses import replace

from reference_impl.alphapoint.values import Answer, Call
from reference_impl.changes import CAO as OF_ALL
from reference_impl.changes import CO as OF_ONE
from reference_impl.changes import CQ as OF_QUOTE
from reference_impl.changes import equivalent_of
from reference_impl.parts import Parts, with_call, with_frames
from reference_impl.readings import READINGS
from reference_impl.readings.values import CAO, CO, CQ
from reference_impl.recorder import Recorder
from reference_impl.variants import Change, Variant
from reference_impl.wire import HttpRequest, HttpResponse

_OF = {CAO: OF_ALL, CQ: OF_QUOTE, CO: OF_ONE}
_NO_DIFFERENCE = {
    (CAO, "response-key-case", "lower"),
    (CO, "response-key-case", "lower"),
    (CQ, "extra-members", "honoured"),
}
"""Alternatives that come to the same as the default one: a standard response has lower-case keys as documented."""


def _read_as(reading_id: str, alternative: str, call_name: str) -> Change:
    """The alternative, in force while calls of this operation are served; it counts as executed with each of them.

    A reading that operations share holds for all of them: a gateway has one habit.
    """

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        parts = READINGS[reading_id].alternatives[alternative](parts)
        inner, refuse, unparsable = parts.alphapoint.calls[call_name], parts.refuse, parts.alphapoint.frames.unparsable

        def counted(p: Parts, call: Call) -> Answer:
            recorder.hit()
            return inner(p, call)

        def seen(request: HttpRequest) -> HttpResponse | None:
            recorder.hit()
            return refuse(request)

        def answered(p: Parts, text: str) -> tuple[str, ...]:
            recorder.hit()
            return unparsable(p, text)

        return replace(with_frames(with_call(parts, call_name, counted), unparsable=answered), refuse=seen)

    return apply


def _variants() -> tuple[Variant, ...]:
    return tuple(
        equivalent_of(
            _OF[operation],
            f"reads-{reading.id}-{alternative}",
            f"Reads {reading.id} as {alternative}",
            _read_as(reading.id, alternative, _OF[operation].call),
        )
        for reading in READINGS.values()
        for operation in reading.operations
        if operation in _OF
        for alternative in tuple(reading.alternatives)[1:]
        if (operation, reading.id, alternative) not in _NO_DIFFERENCE
    )


EQUIVALENTS: tuple[Variant, ...] = _variants()
