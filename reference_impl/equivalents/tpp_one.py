"""Permitted differences of POST api/orders/cancellation: what gets a failed result, and the form of the answer."""

from __future__ import annotations

import re

from reference_impl.equivalents import tpp
from reference_impl.tpp.changes import both
from reference_impl.tpp.changes_of_one import for_one, on_answer, on_body, on_object, on_unreadable, one_equivalent
from reference_impl.tpp.document_type import without_document_type
from reference_impl.variants import Variant, registry


def _no_instruction(text: str) -> str | None:
    """An instruction without members for a JSON value that is none, as a framework reads a null of it."""
    return (
        "[{}]" if text.strip() in ("", "null", "[]", "true", "42", '"cancel"', '""') or text.startswith("[{") else None
    )


def _nil(text: str) -> str | None:
    """An instruction without members for a root that is nil."""
    if 'i:nil="true"' not in text or not text.startswith("<CancellationCreation xmlns:i="):
        return None
    inside = '<CancellationCreation i:nil="false" />'
    return (
        text.replace("<CancellationCreation", "<ArrayOfCancellationCreation")
        .replace(' i:nil="true"', "")
        .replace(" />", f">{inside}</ArrayOfCancellationCreation>")
    )


def _prefixed(text: str) -> str:
    named = re.sub(r"<(/?)(?!d2p1:)(\w+)", r"<\1r:\2", text)
    return named.replace(' xmlns="', ' xmlns:r="')


EQUIVALENTS: tuple[Variant, ...] = (
    one_equivalent(
        "tpp1-no-instruction-fails",
        "Gives a body that holds no instruction a failed result",
        both(on_unreadable("json", _no_instruction), on_unreadable("xml", _nil)),
    ),
    one_equivalent(
        "tpp1-document-type-passed-over",
        "Passes over a document type, opens nothing, and reads an entity as nothing",
        on_body("xml", without_document_type),
    ),
    one_equivalent("tpp1-xml-prefixed", "Binds the namespace of the result to a prefix", on_answer("xml", _prefixed)),
    one_equivalent(
        "tpp1-xml-other-prefix",
        "Binds the namespace of arrays to another prefix",
        on_answer("xml", lambda text: text.replace("d2p1", "d3p1")),
    ),
    one_equivalent(
        "tpp1-json-members-sorted",
        "Writes the members of the result in alphabetical order",
        on_object(lambda one: dict(sorted(one.items()))),
    ),
    *for_one(
        registry(tpp.EQUIVALENTS),
        "nulls-left-out",
        "json-more-members",
        "xml-nil-one",
        "xml-cdata",
        "type-without-charset",
        "status-201",
        "status-202",
        "status-422",
        "broken-refuses-list",
        "uids-upper-case",
        "deciding-id-alone",
        "errors-empty-on-success",
        "both-ids-refused",
        "int64",
        "framework-errors-as-string",
        "under-way",
    ),
)
