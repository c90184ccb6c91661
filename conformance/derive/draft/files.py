"""A page to the files of a draft operation, all of them in memory.

The list of what does not fit: departures as proposals or questions, keys left open, and what was not read.

A draft to its folder: written beside it under another name and renamed, so that there is all of it or nothing.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from conformance.derive.draft.operation import operation_of
from conformance.derive.draft.requirements import Entry, account_of, reading_requirement, requirements_of
from conformance.derive.draft.schemas import Names, member_requirement, names_of, schema_of
from conformance.derive.draft.xsd import xsd_files
from conformance.derive.drift import check_page, open_points
from conformance.derive.facts import wording_facts
from conformance.derive.page import MISFITS, Code, Departure, Page, Unread, every_field
from conformance.derive.siblings import Sibling
from conformance.errors import PageError, SpecError
from conformance.formats.registry import known_format
from conformance.formats.xml.format import XML
from conformance.model.spec import Shape


def questions_of(
    page: Page,
    names: Names,
    points: Sequence[Departure],
    asked: Mapping[str, str],
    service: str,
    account: Sequence[Entry],
) -> dict[str, Any]:
    """The content of questions.yaml: `questions`, `readings`, `to_fill`, `to_word`, `not_read`, `read_as`."""
    entries = [_entry(number, point) for number, point in enumerate(points, 1)]
    return {
        "page": page.name,
        "dialect": page.dialect,
        "service": service,
        "questions": entries,
        "readings": _readings(page, names, points),
        "to_fill": [{"key": key, "question": question} for key, question in asked.items()],
        "to_word": [
            {"line": one.line, "place": one.place, "begins": one.begins} for one in account if one.fate == "to word"
        ],
        "not_read": [_unread(one) for one in page.unread],
        "read_as": [_unread(one) for one in page.read_as],
    }


_OF_DRAFT: Mapping[str, str] = {
    "sample-against-schema": "the draft refuses a sample that its own page prints",
    "sample-against-xsd": "the draft's XSD refuses a sample that its own page prints",
    "draft-unsound": "the draft cannot be read back as a contract",
    "added": "the page says something that the draft cannot hold",
    "removed": "the draft says something that the page does not",
}
"""Kinds of departures that show only when a draft is laid beside its page."""


def _entry(number: int, point: Departure) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "id": f"Q{number}",
        "kind": point.kind,
        "means": MISFITS.get(point.kind) or _OF_DRAFT.get(point.kind, "the draft accepts more than the page prints"),
        "at": point.at,
        "says": point.says,
        "against": point.against,
        "line": point.place.line if point.place else None,
        "place": point.place.section if point.place else None,
        "question": point.question,
    }
    return {**entry, "reading": point.reading} if point.reading else entry


def _readings(page: Page, names: Names, points: Sequence[Departure]) -> list[dict[str, Any]]:
    """One proposal for each reading, in the form of readings.yaml; points that belong to one reading are its covers."""
    found: dict[str, dict[str, Any]] = {}
    for point in points:
        if not point.reading:
            continue
        proposal = {
            "id": point.reading,
            "operations": [names.operation],
            "requirement": reading_requirement(point, names),
            "question": point.question,
            "alternatives": dict(point.alternatives),
            "source": f"{page.name}, {point.place.section if point.place else 'page'}",
            "covers": {names.operation: []},
        }
        cover = {"kind": point.kind, "at": point.at, "says": point.says, "against": point.against}
        found.setdefault(point.reading, proposal)["covers"][names.operation].append(cover)
    return list(found.values())


def _unread(one: Unread) -> dict[str, Any]:
    return {"line": one.line, "begins": one.text, "why": one.why}


NO_SERVICE = "draft"


@dataclass(frozen=True, slots=True)
class Draft:
    """The files of a draft by their path inside its folder, and what is open in it."""

    operation: str
    files: Mapping[str, str]
    points: tuple[Departure, ...]
    to_fill: Mapping[str, str]
    account: tuple[Entry, ...]
    described: Mapping[str, Any]
    """The path in OpenAPI."""


def draft_of(
    page: Page,
    folder: str,
    siblings: Sequence[Sibling],
    service: str = NO_SERVICE,
    why: str = "",
    *,
    listed: bool = False,
) -> Draft:
    """The draft of an operation with this folder name, beside these other operations; `why` explains the service.

    `listed` says that the service's own files, drafted as well, name the operation and its path.
    """
    names = names_of(page, folder, service, siblings)
    read = page
    page, points = _with_other_messages(page, open_points(page, siblings))
    requirements = requirements_of(page, names, points)
    xsds = xsd_files(page)
    operation = operation_of(page, names, siblings, [one["id"] for one in requirements], xsds)
    known = {one["id"] for one in requirements}
    requirements += [
        one
        for number, one in enumerate(operation.copied)
        if one["id"] not in known | {before["id"] for before in operation.copied[:number]}
    ]
    files = {f"{part}.schema.json": _json(schema_of(page, part, body, names)) for part, body in page.bodies()}
    files |= xsds
    files |= {
        f"samples/{sample.part}-{sample.number}.{sample.form}": sample.text.strip("\n") + "\n"
        for _, body in page.bodies()
        for sample in body.samples
    }
    files["operation.yaml"] = yaml_text(operation.data)
    files["requirements.yaml"] = yaml_text(requirements)
    if names.kind == Shape.DATA:
        files["scenarios.yaml"] = yaml_text([_documented(page, names, requirements)])
    files["page.yaml"] = yaml_text(record_of(page))
    described = _openapi(page, operation.data, names.operation, folder, files)
    if listed:
        operation.asked = {key: one for key, one in operation.asked.items() if key not in _OF_SERVICE}
    else:
        files["openapi-path.yaml"] = yaml_text(described)

    def asking(points: tuple[Departure, ...]) -> tuple[dict[str, str], tuple[Entry, ...]]:
        account = account_of(read, points)
        words = f"{service}: {why}" if why else service
        questions = questions_of(page, names, points, operation.asked, words, account)
        return {**files, "questions.yaml": yaml_text(questions)}, account

    points = (*points, *_drift_of(read, asking(points)[0]))
    files, account = asking(points)
    return Draft(names.operation, dict(sorted(files.items())), points, operation.asked, account, described)


def _documented(page: Page, names: Names, requirements: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The scenario of the documented request: what its answer shows beyond the cases that every call has."""
    known = {one["id"] for one in requirements}
    shown = [names.requirement(tag, "SAMPLE", form) for tag in ("REQ", "RESP") for form in ("JSON", "XML")]
    shown += [names.requirement("PERM", role) for role in (page.permissions or ())[-1:]]
    inner = [one for field in page.request.fields for _, one in every_field(field.members)]
    shown += [member_requirement(one, "request", names) for one in inner]
    form = names.requirement("RESP", "STRING" if page.response.shape == "string" else "FORM")
    formats = {one.name for media in page.request.media_types if (one := known_format(media)) is not None}
    samples = {one: names.requirement("REQ", "SAMPLE", one) for one in sorted(formats)}
    shows_each = len(samples) > 1 and known >= set(samples.values())
    return {
        "name": "answer/documented",
        "title": "The request as the page shows it",
        "requirements": [one for one in dict.fromkeys((*shown, form)) if one in known],
        "expect": {"requirement": samples if shows_each else form, "any_of": [{"form": "data"}]},
    }


_OF_SERVICE = ("service.yaml", "openapi.yaml")


def _drift_of(page: Page, files: Mapping[str, str]) -> Iterator[Departure]:
    """Each departure of the page from its own fresh draft that no question covers yet, as a question.

    A page may contradict itself in a way that no rule looks for; the check is the judge of that, so it is asked.
    """
    with tempfile.TemporaryDirectory(prefix="derive-") as above:
        folder = Path(above) / "service" / "draft"
        write_draft(files, folder)
        try:
            drift = check_page(page, folder).drift
        except SpecError as error:
            question = "What of the page makes the draft unsound? Mend the named file by hand."
            yield Departure(
                "draft-unsound",
                "draft",
                error.message.replace(f"{folder}/", ""),
                "a sound contract",
                page.place,
                question,
            )
            return
        for one in drift:
            if one.kind != "ground-gone":
                yield replace(one, question=one.question or "Which of the two is right? The draft cannot hold both.")


def _with_other_messages(page: Page, points: tuple[Departure, ...]) -> tuple[Page, tuple[Departure, ...]]:
    """The page with the messages that a code has elsewhere as well, since both are accepted until somebody decides."""
    codes, found = list(page.codes), list(points)
    for point in points:
        number = point.at.removeprefix("codes/")
        own = sorted(code.message for code in page.codes if code.code == number)
        others = [text for text in point.against.split(" | ") if text not in own]
        if point.kind == "code-elsewhere" and others and point.place is not None:
            codes += [Code(number, text, point.place) for text in others]
            says, against = " | ".join(own), " | ".join(sorted((*own, *others)))
            found.append(replace(point, kind="message", says=says, against=against))
    return replace(page, codes=tuple(codes)), tuple(found)


def record_of(page: Page) -> dict[str, Any]:
    """What page.yaml holds: header lines, and a digest of every sentence by the section that it stands in."""
    wording: dict[str, list[str]] = {}
    for key, _ in wording_facts(page):
        wording.setdefault(key.at.removeprefix("wording/"), []).append(key.kind)
    record: dict[str, Any] = {"dialect": page.dialect}
    if page.call_type is not None:
        record["call_type"] = page.call_type
    if page.category is not None:
        record["category"] = page.category
    return {**record, "wording": wording}


def _openapi(
    page: Page, operation: Mapping[str, Any], identifier: str, folder: str, files: Mapping[str, str]
) -> dict[str, Any]:
    def content(part: str, media_types: Sequence[str]) -> dict[str, Any]:
        schema = {"schema": {"$ref": f"{folder}/{part}.schema.json"}}
        xsd = {"x-xsd": f"{folder}/{part}.xsd"} if f"{part}.xsd" in files else {}
        return {media: {**(xsd if known_format(media) is XML else {}), **schema} for media in media_types}

    answer: dict[str, Any] = {"description": "The answer"}
    if page.response.shape != "nothing":
        answer["content"] = content("response", page.response.media_types)
    responses: dict[str, Any] = {"200": answer}
    if page.error is not None:
        responses["4XX"] = {"description": "An error", "content": content("error", page.error.media_types)}
    described: dict[str, Any] = {"operationId": identifier, "summary": page.name}
    outside = [one for one in page.request.fields if one.in_uri or operation["method"] in ("GET", "DELETE")]
    if outside:
        described["parameters"] = [
            _parameter(one.name, str(operation["path"]), folder, required=one.need == "required") for one in outside
        ]
    if len(outside) < len(page.request.fields) or (not outside and operation["method"] not in ("GET", "DELETE")):
        described["requestBody"] = {"required": True, "content": content("request", page.request.media_types)}
    described["responses"] = responses
    return {str(operation["path"]): {str(operation["method"]).lower(): described}}


def _parameter(name: str, path: str, folder: str, *, required: bool) -> dict[str, Any]:
    """An argument in the path, or in the query; its type is that of the request's schema."""
    in_path = f"{{{name}}}" in path
    schema = {"$ref": f"{folder}/request.schema.json#/properties/{name}"}
    return {"name": name, "in": "path" if in_path else "query", "required": in_path or required, "schema": schema}


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


class _Plain(yaml.SafeDumper):
    """Writes every value out: an anchor would be hard to read in a file that people edit."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  the dumper's signature
        return True


def yaml_text(value: Any) -> str:
    """A value as the text of a YAML file that people edit."""
    return yaml.dump(value, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=110)


def check_free(folder: Path) -> None:
    """Refuse a folder that holds anything, or cannot be made. Errors: `PageError`."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise PageError(
            "there is a file of that name", where=str(folder), hint="Name a folder that does not exist yet."
        )
    try:
        if folder.is_dir() and any(folder.iterdir()):
            raise PageError(
                "the folder is not empty, and nothing is overwritten",
                where=str(folder),
                hint="Name a new folder, or compare with --check.",
            )
    except OSError as error:
        raise PageError(
            f"the folder cannot be read: {error.strerror}", where=str(folder), hint="Name another folder."
        ) from None


def write_draft(files: Mapping[str, str], folder: Path) -> None:
    """Write all files below `folder`, which must be new or empty. Errors: `PageError` if it cannot be written."""
    check_free(folder)
    target = folder.absolute()
    made: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        for name, text in files.items():
            path = made / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        made.chmod(0o777 & ~_umask(target.parent))
        made.rename(target)
        made = None
    except OSError as error:
        raise PageError(
            f"the draft cannot be written: {error.strerror}",
            where=str(folder),
            hint="Name a folder that can be written.",
        ) from None
    finally:
        if made is not None:
            shutil.rmtree(made, ignore_errors=True)


def _umask(parent: Path) -> int:
    """The rights that the folder above takes away, so that the draft is as readable as its neighbours."""
    return 0o777 & ~(parent.stat().st_mode & 0o777) if parent.exists() else 0o022
