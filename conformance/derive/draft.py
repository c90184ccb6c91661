"""A page to the files of a draft operation, all of them in memory."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import yaml

from conformance.derive.compare import open_points
from conformance.derive.departures import Departure
from conformance.derive.draft_names import names_of
from conformance.derive.draft_operation import operation_of
from conformance.derive.draft_requirements import requirements_of
from conformance.derive.draft_schema import schema_of
from conformance.derive.draft_xsd import xsd_files
from conformance.derive.facts import wording_facts
from conformance.derive.page import Code, Page
from conformance.derive.questions import questions_of
from conformance.derive.siblings import Sibling

NO_SERVICE = "draft"


@dataclass(frozen=True, slots=True)
class Draft:
    """The files of a draft by their path inside its folder, and what is open in it."""

    operation: str
    files: Mapping[str, str]
    points: tuple[Departure, ...]
    to_fill: Mapping[str, str]


def draft_of(page: Page, folder: str, siblings: Sequence[Sibling], service: str = NO_SERVICE, why: str = "") -> Draft:
    """The draft of an operation in a folder of this name, in the service with these other operations; `why` that one."""
    names = names_of(page, folder, service, siblings)
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
    files["operation.yaml"] = _yaml(operation.data)
    files["requirements.yaml"] = _yaml(requirements)
    files["page.yaml"] = _yaml(record_of(page))
    files["openapi-path.yaml"] = _yaml(_openapi(page, operation.data, names.operation, folder, files))
    questions = questions_of(page, names, points, operation.asked, f"{service}: {why}" if why else service)
    files["questions.yaml"] = _yaml(questions)
    return Draft(names.operation, dict(sorted(files.items())), points, operation.asked)


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
        return {media: {**(xsd if media.endswith("xml") else {}), **schema} for media in media_types}

    responses: dict[str, Any] = {
        "200": {"description": "The answer", "content": content("response", page.response.media_types)}
    }
    if page.error is not None:
        responses["4XX"] = {"description": "An error", "content": content("error", page.error.media_types)}
    body = {"required": True, "content": content("request", page.request.media_types)}
    described = {"operationId": identifier, "summary": page.name, "requestBody": body, "responses": responses}
    return {str(operation["path"]): {str(operation["method"]).lower(): described}}


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


class _Plain(yaml.SafeDumper):
    """Writes every value out: an anchor would be hard to read in a file that people edit."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  the dumper's signature
        return True


def _yaml(value: Any) -> str:
    return yaml.dump(value, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=110)
