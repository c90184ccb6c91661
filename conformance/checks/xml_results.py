"""What an XSD cannot say of an XML answer: departures by requirement, wide ids, nulls written as text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lxml import etree

from conformance.checks.kit import XML_DESCRIBED, XML_INSTRUCTED, Kit
from conformance.checks.registry import BEHIND_READING, Check, Stage
from conformance.checks.secrets import texts_beyond
from conformance.contract.operation import RequirementKey
from conformance.formats.xml.contract import XmlContract, XmlProblem
from conformance.formats.xml.xsd import ListOf
from conformance.model.verdict import Finding


def _of_xml(name: str, looks_at: str) -> Check:
    keys = (RequirementKey(name, XML_DESCRIBED),)
    return Check(name, looks_at, Stage.READING, keys, of=XML_DESCRIBED, blocks=BEHIND_READING)


XML_ERROR = Check(
    "xml",
    "the error string in XML is valid under its XSD",
    Stage.READING,
    of=XML_INSTRUCTED,
    speaks_for="the requirement under `error_media`",
)
XML_ROOT = _of_xml("xml-root", "the root of an XML answer is the documented one")
XML_NAMESPACE = _of_xml("xml-namespace", "the elements of an XML answer are in the documented namespace")
XML_ITEM = _of_xml("xml-item", "an XML answer holds the documented elements and no text beside them")
XML_ORDER = _of_xml("xml-order", "the elements of an XML answer come in the order of the XSD, each once")
XML_NIL = _of_xml("xml-nil", "a null member of an XML answer is an empty element with nil")
XML_ARRAYS = _of_xml("xml-arrays", "the list of errors in an XML answer has the documented namespace and elements")
_KIND_TO_CHECK = {
    "root": XML_ROOT,
    "namespace": XML_NAMESPACE,
    "order": XML_ORDER,
    "duplicate": XML_ORDER,
    "nil": XML_NIL,
}
_INTEGER = re.compile(r"[ \t\r\n]*[+-]?[0-9]{1,4000}[ \t\r\n]*")


def widened(kit: Kit, value: Any) -> Any:
    """Wide ids as the numbers that JSON has for them: the XSD's type holds 32 bits, and the width is a reading."""
    entries = kit.operation.shape.entries(value)
    if entries is None:
        return value
    names = [name for name in kit.operation.identity if kit.operation.fields[name].width]
    found = [
        {**entry, **{name: int(entry[name]) for name in names if _is_wide(entry.get(name))}}
        if isinstance(entry, dict)
        else entry
        for entry in entries
    ]
    return found if kit.operation.shape.listed else found[0]


def _is_wide(value: Any) -> bool:
    return isinstance(value, str) and _INTEGER.fullmatch(value) is not None


def nulls_as_text(kit: Kit, value: Any) -> Iterator[Finding]:
    """A null member that is an empty element without nil, or the word null."""
    for index, entry in enumerate(kit.operation.shape.entries(value) or ()):
        for name in kit.operation.identity:
            text = entry.get(name) if isinstance(entry, dict) else None
            if isinstance(text, str) and text.strip().lower() in ("", "null"):
                message, expected = "a null member is written as text", 'an empty element with i:nil="true"'
                yield XML_NIL.finding(kit.operation, message, expected, repr(text), kit.place_of(index, name))


def has_markup(body: bytes) -> bool:
    """Whether a comment or an instruction may stand in the bytes; any text in wide characters may hold one."""
    return b"<!--" in body or b"\0" in body or b"<?" in body.removeprefix(b"<?xml ")


def said_beyond(kit: Kit, root: etree._Element) -> list[str]:
    """What stands in no documented element, in an attribute, or in a comment, those around the root included."""
    around = (*root.itersiblings(preceding=True), root, *root.itersiblings())
    return [text for node in around for text in texts_beyond(kit.members, node)]


def xml_findings(kit: Kit, contract: XmlContract, problems: tuple[XmlProblem, ...]) -> Iterator[Finding]:
    """Departures from the XSD, by requirement; a member that the document does not name is no departure."""
    errors = f"/{kit.operation.errors}"
    for problem in problems:
        check = _KIND_TO_CHECK.get(problem.kind, XML_ITEM)
        if problem.kind == "root" and problem.path == f"/{contract.root.name}":
            check = XML_NAMESPACE
        if problem.kind == "type":
            continue  # the JSON Schema judges values, with the requirement of the member
        if problem.kind == "unexpected" and not _misspelt(kit, contract, problem):
            continue
        if kit.operation.errors and (
            f"{errors}/" in problem.path or (problem.kind in ("namespace", "text") and problem.path.endswith(errors))
        ):
            check = XML_ARRAYS
        expected = f"as {contract.path.name} has it"
        yield check.finding(kit.operation, problem.message, expected, _shown(problem), _place(problem))


def error_problem(contract: XmlContract, problem: XmlProblem, requirement: str) -> Finding:
    """A departure of the error string from its XSD, on the requirement of errors in this format."""
    expected = f"element {contract.root.tag}"
    return XML_ERROR.finding_on(requirement, problem.message, expected, _shown(problem), _place(problem))


def _misspelt(kit: Kit, contract: XmlContract, problem: XmlProblem) -> bool:
    """Whether an unexpected element resembles a documented one, or is where only items or errors may be."""
    name = problem.path.rpartition("/")[2].partition("[")[0]
    among_errors = bool(kit.operation.errors) and f"/{kit.operation.errors}/" in problem.path
    directly_in = 2 if isinstance(contract.root.content, ListOf) else 1
    return name.lower() in kit.members or among_errors or problem.path.count("/") <= directly_in


def _shown(problem: XmlProblem) -> str:
    return f"{problem.kind} at {problem.path}"


def _place(problem: XmlProblem) -> str:
    return f"{problem.path} (line {problem.line})"
