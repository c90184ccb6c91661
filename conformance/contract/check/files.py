"""Rules on the files of a specs folder, before a contract is made of them: which there are, and the ids in them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from conformance.contract.check.problems import Outcomes, Problem, place_in, within, xsd_of
from conformance.contract.load import LEVELS, read_yaml
from conformance.errors import SpecError

_ID = re.compile(r"[A-Z][A-Z0-9]*(-[A-Z0-9]+)+")
_READING = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_NEEDED = ("operation.yaml", "requirements.yaml", "request.schema.json", "response.schema.json")


def files_exist(root: Path) -> Outcomes:
    """Every service has its description, every operation its contract files and an XSD for each XML document."""
    for service in _folders(root):
        for name in ("service.yaml", "openapi.yaml"):
            yield _exists("files", root, service / name)
        yield from _listed(root, service)
        for folder in _folders(service):
            for name in _NEEDED:
                yield _exists("files", root, folder / name)
            yield from _xml_files(root, folder)


def yaml_readable(root: Path) -> Outcomes:
    """Every YAML file parses."""
    for path in sorted(root.rglob("*.yaml")):
        try:
            read_yaml(path)
        except SpecError as error:
            yield Problem("yaml", within(root, error.where), error.message, "Mend the syntax.")
        else:
            yield None


def requirement_ids(root: Path) -> Outcomes:
    """Ids are well formed, begin with the operation's short name, and stand once in the whole folder."""
    seen: dict[str, str] = {}
    for path, short, documents in _requirement_files(root):
        for index, entry in enumerate(_entries(path)):
            identifier = str(entry.get("id", ""))
            where = place_in(root, path, index) + (f" ({identifier})" if identifier else "")
            yield _id_problem(identifier, short, where) or _entry_problem(entry, documents, where)
            if identifier in seen:
                hint = f"It also stands at {seen[identifier]}."
                yield Problem("requirement-ids", where, f"{identifier} is defined twice", hint)
            seen[identifier] = where


def readings_well_formed(root: Path) -> Outcomes:
    """A reading has an id of its own, at least two alternatives, and one requirement for each of its operations."""
    seen: set[str] = set()
    for path in sorted(root.glob("*/readings.yaml")):
        for index, entry in enumerate(_entries(path)):
            identifier = str(entry.get("id", ""))
            where = f"{place_in(root, path, index)} ({identifier})"
            yield _reading_problem(entry, identifier, seen, where)
            seen.add(identifier)


def _reading_problem(entry: Mapping[str, Any], identifier: str, seen: set[str], where: str) -> Problem | None:
    alternatives = entry.get("alternatives")
    names = [entry.get("requirement"), *(entry.get("also") or ())]
    if not _READING.fullmatch(identifier) or identifier in seen:
        return Problem("readings", where, "the id is malformed or taken", "Lower case words joined by hyphens.")
    if not isinstance(alternatives, Mapping) or len(alternatives) < 2:
        return Problem("readings", where, "fewer than two alternatives", "A question with one answer is a rule.")
    if not entry.get("operations") or len(entry["operations"]) != len(names) or not all(names):
        hint = "`requirement` is that of the first operation, `also` has those of the others, in their order."
        return Problem("readings", where, "not one requirement for each operation", hint)
    return None


def _id_problem(identifier: str, short: str, where: str) -> Problem | None:
    if not _ID.fullmatch(identifier):
        hint = "Capitals and digits, joined by hyphens, as in ABC-RESP-RESULT."
        return Problem("requirement-ids", where, f"{identifier!r} is no requirement id", hint)
    if short and not identifier.startswith(f"{short.upper()}-"):
        return Problem("requirement-ids", where, f"{identifier} does not begin with {short.upper()}-", "Rename it.")
    return None


def _entry_problem(entry: Mapping[str, Any], documents: frozenset[str], where: str) -> Problem | None:
    def wrong(message: str, hint: str = "") -> Problem:
        return Problem("requirement-ids", where, message, hint)

    for key in ("document", "place", "text"):
        if not str(entry.get(key) or "").strip():
            return wrong(f"{key} is missing", "Say where the document makes the statement, and paraphrase it.")
    if entry.get("level") not in LEVELS:
        return wrong(f"level {entry.get('level')!r} is none of {', '.join(LEVELS)}")
    if documents and entry["document"] not in documents:
        return wrong(f"document {entry['document']!r} is not listed in service.yaml")
    if entry.get("verify") not in ("cases", "untested"):
        return wrong(f"verify is {entry.get('verify')!r}", "One of cases, untested.")
    if (entry["verify"] == "untested") != bool(str(entry.get("untested") or "").strip()):
        return wrong("`verify: untested` and the reason in `untested` belong together")
    return None


def _requirement_files(root: Path) -> Iterator[tuple[Path, str, frozenset[str]]]:
    for path in sorted(root.glob("*/*/requirements.yaml")):
        operation = _mapping(path.parent / "operation.yaml")
        service = _mapping(path.parent.parent / "service.yaml")
        yield path, str(operation.get("short", "")), frozenset(service.get("documents") or ())


def _xml_files(root: Path, folder: Path) -> Outcomes:
    raw = _mapping(folder / "operation.yaml")
    documents = xsd_of(raw)
    speaks_xml = any(str(one).endswith("xml") for one in raw.get("media_types") or ())
    for document in sorted({*documents, *(("request", "response") if speaks_xml else ())}):
        if document not in documents:
            where = place_in(root, folder / "operation.yaml", "xsd")
            yield Problem("files", where, f"no XSD is named for the {document}", f"Add `{document}: FILE.xsd`.")
            continue
        yield _exists("files", root, folder / documents[document])
        yield _exists("files", root, folder / f"{document}.schema.json")


def _listed(root: Path, service: Path) -> Outcomes:
    raw = _mapping(service / "service.yaml")
    listed = list(raw.get("operations") or ())
    found = sorted(str(_mapping(path).get("id", "")) for path in service.glob("*/operation.yaml"))
    where = place_in(root, service / "service.yaml", "operations")
    yield (
        None
        if sorted(listed) == found
        else Problem("files", where, f"lists {listed}, but the folders hold {found}", "List each folder's operation.")
    )


def _exists(rule: str, root: Path, path: Path) -> Problem | None:
    if path.is_file():
        return None
    return Problem(rule, place_in(root, path), "file is missing", "docs/authoring.md lists the files of an operation.")


def _folders(parent: Path) -> list[Path]:
    skipped = ("fixtures", "corpus", "__pycache__")
    return sorted(
        one for one in parent.iterdir() if one.is_dir() and one.name not in skipped and not one.name.startswith(".")
    )


def _mapping(path: Path) -> Mapping[str, Any]:
    """The mapping in a YAML file; empty when there is none, which other rules report."""
    data = _data(path)
    return data if isinstance(data, Mapping) else {}


def _entries(path: Path) -> list[Mapping[str, Any]]:
    data = _data(path)
    return [entry for entry in data if isinstance(entry, Mapping)] if isinstance(data, list) else []


def _data(path: Path) -> Any:
    try:
        return read_yaml(path)
    except SpecError:
        return None
