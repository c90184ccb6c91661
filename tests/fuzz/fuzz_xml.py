"""The XML reader: two engines and our own walk, and what is written of a value that was read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fuzz_kit import CHARSETS, ROOT, Look, answers, bounded, chosen, picked, requests, shown, texts_in

from conformance.contract.check.engines import SecondEngine
from conformance.formats.errors import CodecError
from conformance.formats.members import xml_content
from conformance.formats.text import lenient_text
from conformance.formats.xml.contract import XmlContract
from conformance.formats.xml.read import MAX_PROBLEMS, parse_xml, walk

_FOLDER = ROOT / "specs/tpp/create_cancellations"
_CONTRACTS = tuple(XmlContract.load(_FOLDER / f"{name}.xsd") for name in ("request", "response", "error"))
_ENGINES = {contract.path: SecondEngine.load(contract) for contract in _CONTRACTS}


def _same_verdicts(contract: XmlContract, body: bytes, charset: str | None, valid: bool) -> None:
    tree = parse_xml(body, charset)
    _, found = walk(tree.root, contract.root)
    if valid:
        assert found.problems == [], f"the XSD has nothing against it, the walk has {found.problems[0]}"
    typed = any(note.kind == "xsi-type" for note in found.notes)
    assert valid or found.problems or typed, "the XSD refuses it, and the walk has no name for that"
    slow = _ENGINES[contract.path].validate(body, charset)
    beyond = any(
        character.isdigit() or character.isspace() for character in lenient_text(body, charset) if ord(character) > 127
    )
    assert (not slow) is valid or typed or beyond, f"xmlschema says {slow[:1]}, lxml says {valid}"


def look(data: bytes) -> None:
    charset, data = picked(data, CHARSETS)
    contract, body = picked(data, _CONTRACTS)
    try:
        reading = contract.read(body, charset)
    except CodecError as error:
        shown(error)
        return
    assert len(reading.problems) <= MAX_PROBLEMS
    assert all(len(one.message) <= 2_000 for one in reading.problems)
    assert all(len(one.text) <= 2_000 for one in reading.notes)
    if any(one.kind == "root" for one in reading.problems):
        return
    valid = not reading.problems
    _same_verdicts(contract, body, charset, valid)
    if valid:
        written = contract.encode(reading.value)
        again = contract.read(written)
        assert again.problems == (), f"valid, and not when it is written again: {again.problems[0]}"
        assert again.value == reading.value, f"{reading.value!r} is read as {again.value!r}"
        seen = {str(found.value) for found in xml_content(written.decode()).views[0].found}
        assert {text for text in texts_in(reading.value) if text.strip()} <= seen, "the guard does not see every text"


def harness(_folder: Path) -> Look:
    """The reader, in bounded time."""
    return bounded(look)


def seeds() -> Iterator[bytes]:
    for media, body in answers():
        if "xml" in media:
            yield chosen(0, chosen(1, body))
            yield chosen(0, chosen(2, body))
    for _, media, body in requests():
        if "xml" in media:
            yield chosen(0, chosen(0, body))
