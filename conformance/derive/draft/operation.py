"""The operation.yaml of a draft: from the page, from the other operations of the service, and what is still missing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from conformance.contract.operation import ATTRIBUTED, NEEDED_CHECKS
from conformance.derive.draft.schemas import (
    Names,
    answer_of,
    flag_of,
    legs_of,
    member_requirement,
    presence_requirement,
    words_of,
)
from conformance.derive.page import Field, Page
from conformance.derive.samples import values_in
from conformance.derive.siblings import Sibling
from conformance.formats.base import is_text
from conformance.formats.registry import known_format
from conformance.formats.xml.format import XML
from conformance.model.case import Transport
from conformance.model.spec import Operation as Known
from conformance.model.spec import Shape

_PAIR_ONLY = ("leg", "leg-form", "early-error")
_TEXTS = {"string": "_text", "date-time": "_text", "guid": "_uid"}
"""Kinds whose values are texts, with what a binding's name then ends in."""
_TYPES = {"integer": "integer", "int64": "integer", "boolean": "boolean", "string": "string", "guid": "guid"}


@dataclass(slots=True)
class Operation:
    """The content of operation.yaml, its copied requirements, and the keys that are still missing, with a question."""

    data: dict[str, Any] = field(default_factory=dict)
    copied: list[dict[str, Any]] = field(default_factory=list)
    asked: dict[str, str] = field(default_factory=dict)


def operation_of(
    page: Page, names: Names, siblings: Sequence[Sibling], requirements: Sequence[str], xsds: Collection[str]
) -> Operation:
    """The draft's operation.yaml; `requirements` are the ids in the draft so far, `xsds` the names of its XSDs."""
    made = Operation()
    others = [one.operation for one in siblings]
    alike = next((one for one in others if one.shape == names.kind), others[0] if others else None)
    data = made.data
    call = page.path.lstrip("/") if page.path is not None and page.dialect == "help-page" else page.name
    data.update(id=names.operation, short=names.short, document=page.name, call=call)
    data["answer"] = names.kind
    if names.kind == "data":
        flag = flag_of(page) or (answer_of(page).result if not legs_of(page) and answer_of(page).message else None)
        data |= {"success": flag.name} if flag else {}
    if names.kind == "pair":
        data["legs"] = _legs(page)
    _address(made, page, call, alike)
    _media(made, page, names, xsds)
    _roles(made, page, siblings)
    _request(made, page, names, siblings)
    data["states"] = {}
    _ask_the_rest(made, page, names)
    if names.kind in ("results", "result"):
        _results(made, page, names)
    data["codes"] = list(_codes(page, names))
    _attribute(made, page, names, siblings, requirements)
    return made


def _address(made: Operation, page: Page, call: str, alike: Known | None) -> None:
    """Method, path and transports: the page's own, else those of a sibling that answers alike."""
    made.data["method"] = page.method or (alike.method if alike else "POST")
    made.data["path"] = page.path or (alike.path if alike else "").rpartition("/")[0] + f"/{call}"
    ways = alike.transports if alike and made.data["answer"] != Shape.DATA else (Transport.HTTP,)
    made.data["transports"] = [str(one) for one in ways]
    if alike is None:
        made.asked["transports"] = "No other operation of the service says how calls travel: http alone, or ws as well?"
    elif page.path is None:
        made.asked["path"] = f"Path and method are made after {alike.id}'s: the page names neither."


def _media(made: Operation, page: Page, names: Names, xsds: Collection[str]) -> None:
    """Media types, and an XSD for each part that has an XML sample; a call without a body has those of its answer."""
    bodiless = page.method in ("GET", "DELETE") or (
        page.request.fields and all(one.in_uri for one in page.request.fields)
    )
    made.data["media_types"] = list(page.response.media_types if bodiless else page.request.media_types)
    if page.response.media_types != page.request.media_types:
        made.data["response_media"] = {media: names.requirement("RESP", media) for media in page.response.media_types}
    shown = [part for part, body in page.bodies() if any(sample.form == "xml" for sample in body.samples)]
    if shown:
        made.data["xsd"] = {part: f"{part}.xsd" for part in shown if f"{part}.xsd" in xsds}
    for part in shown:
        if part not in made.data["xsd"]:
            made.asked[f"xsd.{part}"] = (
                f"A type in the {part}, or its XML sample, has no form that a draft's XSD can have: write the XSD by hand."
            )


def _ask_the_rest(made: Operation, page: Page, names: Names) -> None:
    """What no page says, and every operation needs."""
    if names.kind != Shape.DATA:
        made.asked["states"] = "What does the legal request act on? Without a state no effect can be judged."
    made.asked["scope"] = (
        "What may the scope guard let through? Without its keys only a target with everything = true is sent it."
    )
    made.asked["service.yaml"] = (
        f"Add the operation {names.operation} and the document {page.name} to the service's own file."
    )
    made.asked["openapi.yaml"] = "Add the path in openapi-path.yaml to the service's openapi.yaml."


def _legs(page: Page) -> dict[str, str]:
    """The legs by their names without the last words that all of them share."""
    names = {one.name: words_of(one.name) for one in legs_of(page)}
    while len({words[-1] for words in names.values()}) == 1 and all(len(words) > 1 for words in names.values()):
        names = {name: words[:-1] for name, words in names.items()}
    return {"".join(words).lower(): name for name, words in names.items()}


def _roles(made: Operation, page: Page, siblings: Sequence[Sibling]) -> None:
    known = dict.fromkeys(
        role for one in siblings for role in (*one.operation.roles_allowed, *one.operation.roles_refused)
    )
    if page.permissions is None:
        allowed = list(
            next((one.operation.roles_allowed for one in siblings if one.operation.roles_allowed), ("client",))
        )
        made.asked["roles_allowed"] = "The page names no permissions: which roles may make the call?"
    else:
        allowed = [one.casefold() for one in page.permissions]
    made.data["role"] = allowed[-1] if allowed else "client"
    made.data["roles_allowed"] = allowed
    made.data["roles_refused"] = [role for role in known if role not in allowed] if page.permissions is not None else []


def _request(made: Operation, page: Page, names: Names, siblings: Sequence[Sibling]) -> None:
    nearest_last = sorted(siblings, key=lambda one: one.operation.role == made.data["role"])
    known = {name.casefold(): entry for one in nearest_last for name, entry in one.operation.fields.items()}
    shown = next((one for one in values_in(page.request) if isinstance(one, dict)), {})
    base: dict[str, Any] = {}
    fields: dict[str, Any] = {}
    for one in page.request.fields:
        like = known.get(one.name.casefold())
        if like and like.binding and is_text(like.binding) != (one.type.kind in _TEXTS):
            like = None  # of another type: its value could not stand here
        binding = like.binding if like else ""
        if binding:
            base[one.name] = f"${{{binding}}}"
        elif one.name not in shown and (place := _place_for(one)):
            base[one.name], binding = f"${{{place}}}", place
        elif one.name in shown or one.need == "required":
            base[one.name] = _value_for(one) if one.name not in shown else shown[one.name]
            if one.type.kind != "boolean":
                made.asked[f"fields.{one.name}.binding"] = (
                    f"What fills {one.name}? The base request has the sample's value until then."
                )
        fields[one.name] = _field(one, names, binding, like.unknown if like else "")
    made.data["base"] = [base] if page.request.shape == "list" else base
    made.data["fields"] = fields
    conditions = {
        word: [one.name for one in page.request.fields if one.when and one.when.value is value]
        for word, value in (("true", True), ("false", False))
    }
    flags = {one.when.flag for one in page.request.fields if one.when}
    if len(flags) == 1:
        made.data["condition"] = {
            "flag": flags.pop(),
            "names": {one.name: one.name.casefold() for one in page.request.fields if one.when},
            **{
                f"when_{word}": {
                    "needs": needs,
                    "requirement": {name: names.requirement("REQ", name, "REQUIRED") for name in needs},
                }
                for word, needs in conditions.items()
            },
        }
    elif flags:
        made.asked["condition"] = (
            f"Conditions hang on several members ({', '.join(sorted(flags))}); operation.yaml can hold one."
        )


def _place_for(one: Field) -> str:
    """The place of a member that must come and that no sample shows: the target file binds what stands there."""
    bound = one.type.kind in ("integer", "int64", "number", "unknown", *_TEXTS) and not one.values
    return own_binding(one) if one.need == "required" and bound else ""


def _value_for(one: Field) -> Any:
    """A legal value of a member that no sample shows, where its type alone gives one."""
    if one.values:
        first = one.values[0]
        value: Any = first.name if "string" in (one.type.kind, one.type.item) or first.number is None else first.number
        return [value] if one.type.kind == "list" else value
    return {"boolean": True, "list": []}.get(one.type.kind)


def _field(one: Field, names: Names, binding: str, unknown: str) -> dict[str, Any]:
    own = own_binding(one)
    entry: dict[str, Any] = {"binding": binding or own}
    if names.kind == "data":
        entry = {"binding": binding} if binding else {}
    elif names.kind in ("results", "result"):
        entry["type"] = _TYPES.get(one.type.kind, "string")
        if one.null:
            entry["nullable"] = True
        if one.type.kind == "boolean":
            del entry["binding"]
        elif one.type.kind == "integer":
            entry["unknown"] = unknown or f"${{unknown_{own}}}"
    else:
        entry["unknown"] = unknown or f"${{unknown_{own}}}"
        entry["required"] = one.need == "required"
    absent = presence_requirement(one, "request", names)
    entry["requirement"] = {"type": member_requirement(one, "request", names), "absent": absent}
    return entry


def own_binding(one: Field) -> str:
    """A name for the member's value, which says whether it is a text: a text's would be written as a number else."""
    name = one.name.casefold()
    return name if one.type.kind not in _TEXTS or is_text(name) else name + _TEXTS[one.type.kind]


def _results(made: Operation, page: Page, names: Names) -> None:
    asked = {one.name for one in page.request.fields}
    made.data["identity"] = [one.name for one in page.response.fields if one.name in asked]
    for key, kind in (("success", "boolean"), ("errors", "list")):
        found = [one.name for one in page.response.fields if one.type.kind == kind]
        if found:
            made.data[key] = found[0]
        if len(found) != 1:
            made.asked[key] = f"Which member of a result is its {key}?"
    for key, tag, body in (("request_media", "REQ", page.request), ("response_media", "RESP", page.response)):
        made.data[key] = {media: names.requirement(tag, media) for media in body.media_types}
    if page.error is None:
        made.asked["error_media"] = "The page describes no error: which form has one, and what says so?"
    else:
        made.data["error_media"] = {form: names.requirement("ERR", form) for form in ("json", "xml")}


def _codes(page: Page, names: Names) -> Iterator[dict[str, Any]]:
    if names.kind in ("results", "result"):
        success = next((one for one in page.response.fields if one.type.kind == "boolean"), None)
        if success is not None:
            yield {"code": "success", "requirement": names.requirement("RESP", success.name), "messages": []}
        if page.error is not None and page.error.shape == "string":
            yield {"code": "error-string", "requirement": names.requirement("ERR", "STRING"), "messages": []}
    standard = answer_of(page)
    code_name = standard.code.name if standard.code else "code"
    merged: dict[str, list[str]] = {}
    for code in page.codes:
        merged.setdefault(code.code, []).extend([code.message] if code.message else [])
    for number, messages in merged.items():
        requirement = names.requirement("CODE", number) if messages else names.requirement("RESP", code_name, "SUCCESS")
        yield {"code": number, "requirement": requirement, "messages": messages}


_OWN = {
    "answered": ("SYNC",), "readable": ("RESP", "FORM"), "schema": ("RESP", "FORM"), "leg": ("RESP", "FORM"),
    "malformed": ("REQ", "FORM"), "error-string": ("ERR", "STRING"), "method": ("METHOD",), "route": ("ROUTE",), "one-each": ("RESP", "FORM"),
    "identity": ("RESP", "FORM"), "xml-root": ("RESP", "XML", "ROOT"), "xml-namespace": ("RESP", "XML", "NS"),
    "xml-item": ("RESP", "XML", "ITEM"), "xml-order": ("RESP", "XML", "ORDER"), "xml-nil": ("RESP", "XML", "NIL"),
    "xml-arrays": ("RESP", "XML", "ARRAYS"), "request-xml-root": ("REQ", "XML", "ROOT"),
    "request-xml-namespace": ("REQ", "XML", "NS"), "request-xml-item": ("REQ", "XML", "ITEM"),
    "request-xml-order": ("REQ", "XML", "ORDER"), "request-xml-nil": ("REQ", "XML", "NIL"),
    "operator": ("PERM", "OPERATOR"),
}  # fmt: skip
"""General checks that a page's own requirements can speak for."""


def _attribute(
    made: Operation, page: Page, names: Names, siblings: Sequence[Sibling], requirements: Sequence[str]
) -> None:
    """Each general check with its requirement: from the page, or from another operation of the service."""
    attribution: dict[str, str] = {}
    same = [one for one in siblings if one.operation.shape == names.kind]
    alike = same or list(siblings)
    if names.kind == Shape.DATA:
        _attribute_data(made, page, names, requirements)
        return
    checks = dict.fromkeys(check for one in same[:1] for check in one.operation.attribution)
    checks |= {} if same or not siblings else dict.fromkeys(NEEDED_CHECKS[Shape(names.kind)])
    checks |= dict.fromkeys(_PAIR_ONLY if checks and names.kind == "pair" else ())
    mine = _own(page)
    for check in checks or mine:
        own = names.requirement(*mine[check]) if check in mine else ""
        copy = next(_copies(check, alike, page, names), None)
        if own in requirements:
            attribution[check] = own
        elif copy is not None:
            attribution[check] = copy["id"]
            made.copied.append(copy)
        elif checks:
            made.asked[f"attribution.{check}"] = f"Which requirement does the general check {check} speak for?"
    if not checks:
        made.asked["attribution"] = (
            "No other operation of the service answers so: which requirements do the other general checks speak for?"
        )
    made.data["attribution"] = attribution


def _attribute_data(made: Operation, page: Page, names: Names, requirements: Sequence[str]) -> None:
    """The general checks of an answer of `data`: the page's own requirements, else one that this project decides."""
    mine, attribution = _own(page), dict[str, str]()
    for check in NEEDED_CHECKS[Shape.DATA]:
        own = names.requirement(*mine[check]) if check in mine else ""
        if own not in requirements:
            own = names.requirement("GENERAL", check)
            place, text = "every call", f"It holds for every call: {ATTRIBUTED[check]}."
            entry = {"id": own, "level": "must", "document": RULING, "place": place, "text": text, "verify": "cases"}
            made.copied.append(entry)
        attribution[check] = own
    if names.requirement("METHOD") in requirements:
        attribution["method"] = names.requirement("METHOD")
    if page.permissions:
        attribution["roles"] = names.requirement("PERM", "OTHERS")
    for key, tag, body in (("request_media", "REQ", page.request), ("response_media", "RESP", page.response)):
        made.data[key] = {media: names.requirement(tag, media) for media in body.media_types}
    if any(known_format(media) is XML for media in made.data["media_types"]):
        for check in [one for one in mine if "xml-" in one]:
            own = names.requirement(*mine[check])
            if own in requirements:
                attribution[check] = own
            elif check.startswith("xml-"):
                attribution[check] = attribution["schema"]
    made.data["attribution"] = attribution


RULING = "ruling"
"""The document of what a project decides where no page speaks."""


def _own(page: Page) -> dict[str, tuple[str, ...]]:
    """The general checks that this page's requirements can speak for, by the names of its own members."""
    standard = answer_of(page)
    found = {check: parts for check, parts in _OWN.items() if check not in _PAIR_ONLY or legs_of(page)}
    if standard.result is not None:
        found["refusal"] = ("RESP", standard.result.name, "FALSE")
    return found


def _copies(check: str, alike: Sequence[Sibling], page: Page, names: Names) -> Iterator[dict[str, Any]]:
    """The other operation's requirement for a check, with this draft's prefix, if it does not come from that page."""
    for one in alike:
        identifier = one.operation.attribution.get(check, "")
        found = next(
            (entry for entry in one.requirements if entry.id == identifier and entry.document != one.document),
            None,
        )
        if found is not None:
            text = found.text.replace(one.operation.call, page.name)
            own = replace(found, id=names.requirement(*identifier.split("-")[1:]), text=text)
            yield {key: value for key, value in asdict(own).items() if key != "operation" and value not in (None, "")}
