"""Permitted differences of POST api/orders/cancellations."""

from __future__ import annotations

from collections.abc import Callable

from reference_impl.parts import Parts, with_writer
from reference_impl.recorder import Recorder
from reference_impl.variants import Variant, equivalent


def _other_prefix(parts: Parts, recorder: Recorder) -> Parts:
    inner = parts.tpp.writers["xml"].results
    return with_writer(
        parts,
        "xml",
        results=_changed(inner, recorder, lambda text: text.replace("d3p1:", "a:").replace(":d3p1", ":a")),
    )


def _line_breaks(parts: Parts, recorder: Recorder) -> Parts:
    inner = parts.tpp.writers["xml"].results
    return with_writer(
        parts, "xml", results=_changed(inner, recorder, lambda text: text.replace("><Canc", ">\n  <Canc"))
    )


def _changed(inner: Callable[..., str], recorder: Recorder, change: Callable[[str], str]) -> Callable[..., str]:
    def results(values: object) -> str:
        text = inner(values)
        return recorder.swap(text, change(text))

    return results


EQUIVALENTS: tuple[Variant, ...] = (
    equivalent(
        "tpp-xml-other-prefix",
        "tpp.create_cancellations",
        "Binds the namespace of arrays to another prefix",
        _other_prefix,
    ),
    equivalent(
        "tpp-xml-line-breaks",
        "tpp.create_cancellations",
        "Writes each result on a line of its own",
        _line_breaks,
    ),
)
