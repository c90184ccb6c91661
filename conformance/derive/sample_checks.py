"""The samples of a page against the schemas and XSDs of a folder."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from conformance.codec.errors import CodecError, XsdError
from conformance.codec.xml_codec import XmlContract
from conformance.derive.departures import Departure
from conformance.derive.folder_facts import operation_of
from conformance.derive.page import Page, Sample
from conformance.derive.samples import read_sample
from conformance.errors import SpecError
from conformance.specs.validate import load_validator

_MOST = 3
_TABLE = "sample-against-table"


def samples_against_folder(page: Page, folder: Path, known: Sequence[Departure]) -> Iterator[Departure]:
    """Each sample that the folder's schema or XSD refuses, but for what is among the departures `known` already.

    Errors: `SpecError` for a schema that does not compile.
    """
    xsd = operation_of(folder).get("xsd") or {}
    for part, body in page.bodies():
        schema = folder / f"{part}.schema.json"
        for sample in body.samples:
            found = read_sample(sample.text)
            at = f"samples/{part}-{sample.number}"
            if sample.form == "json" and not found.fault and schema.exists():
                for problem in load_validator(schema).problems(found.value)[:_MOST]:
                    if _known(f"{problem.pointer} {problem.expected}", part, known):
                        continue
                    where = problem.pointer or "the sample"
                    yield Departure(
                        "sample-against-schema", at, f"{where}: {problem.actual}", problem.expected, sample.place
                    )
            elif sample.form == "xml" and found.tree is not None and part in xsd:
                yield from _xml(sample, at, folder / str(xsd[part]), known)


def _xml(sample: Sample, at: str, path: Path, known: Sequence[Departure]) -> Iterator[Departure]:
    try:
        for problem in XmlContract.load(path).validate(sample.text.strip().encode())[:_MOST]:
            if not _known(problem.message, sample.part, known):
                yield Departure("sample-against-xsd", at, problem.message, "the XSD", sample.place)
    except CodecError as error:
        yield Departure("sample-against-xsd", at, str(error), "the XSD", sample.place)
    except XsdError as error:
        raise SpecError(str(error), where=str(path), hint="The XSD does not compile.") from None


def _known(text: str, part: str, known: Sequence[Departure]) -> bool:
    """Whether a problem names a member on which the sample and its own table differ already."""
    words = set(re.findall(r"\w+", text))
    return any(
        one.kind == _TABLE and one.at.startswith(f"{part}/") and one.at.rpartition("/")[2] in words for one in known
    )
