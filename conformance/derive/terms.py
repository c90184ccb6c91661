"""The words of a page for types, requiredness, conditions and codes, and what they mean."""

from __future__ import annotations

import re

from conformance.derive.page import Code, Need, Place, Type

KINDS: dict[str, str] = {
    "integer": "integer",
    "int": "integer",
    "long integer": "int64",
    "long": "int64",
    "boolean": "boolean",
    "bool": "boolean",
    "string": "string",
    "globally unique identifier": "guid",
    "guid": "guid",
    "uuid": "guid",
    "decimal": "number",
    "decimal number": "number",
    "real": "number",
    "double": "number",
    "number": "number",
    "date": "date-time",
    "datetime": "date-time",
    "object": "object",
}
"""What the dialects call a type, in lower case, to the kind that it is here."""

_LIST_FORMS = ("collection of ", "array of ", "list of ")
_WORD = re.compile(r"[A-Za-z][\w.]*")
_CODE = re.compile(r"\(\s*error\s?code\s+(\d{1,9})\s*\)", re.IGNORECASE)
_SUCCESS = re.compile(r"\breturns\s+(\d{1,9})\b", re.IGNORECASE)
_CONDITION = re.compile(r"\brequired (?:if|when) (?:the )?(?:\w+ )?(is|are|has|have)( not)? (\w+)", re.IGNORECASE)


def type_of(stated: str) -> Type:
    """The type that a page's words name; kind `unknown` when nothing here knows them."""
    words = " ".join(stated.strip().rstrip(".:;").split())
    lower = words.casefold()
    for form in _LIST_FORMS:
        if lower.startswith(form):
            item = words[len(form) :]
            return Type("list", KINDS.get(item.casefold().rstrip("s"), KINDS.get(item.casefold(), item)), words)
    if lower in ("array", "list"):
        return Type("list", "unknown", words)
    return Type(KINDS.get(lower, "unknown"), "", words)


def looks_like_a_type(stated: str) -> bool:
    """Whether the words are a type that is known here, or one capitalised name such as a page gives its own types."""
    found = type_of(stated)
    return found.kind != "unknown" or bool(_WORD.fullmatch(stated.strip()) and stated.strip()[0].isupper())


def need_of(text: str) -> Need:
    """What the words of a row say of its presence in a request."""
    lower = " ".join(text.casefold().split())
    if "conditionally" in lower or "required if" in lower or "required when" in lower:
        return "conditional"
    if re.search(r"\boptional(ly)?\b|\bnot required\b", lower):
        return "optional"
    return "required" if re.search(r"(?:^|[.;:]\s*)required\b", lower) else "unsaid"


def condition_of(text: str) -> tuple[str, bool] | None:
    """The adjective of `required if the … is [not] …` and whether it holds then; None without such words."""
    found = _CONDITION.search(text)
    return None if found is None else (found.group(3).casefold(), found.group(2) is None)


def may_be_absent(text: str) -> bool:
    """Whether a row says of its value that it only may come."""
    return re.search(r"\bmay\b|\busually\b|\bif any\b", text.casefold()) is not None


def says_null(text: str) -> bool:
    """Whether a row says that its value is null at times."""
    return re.search(r"\bnull\b", text.casefold()) is not None


def codes_in(text: str, place: Place) -> tuple[Code, ...]:
    """The codes and messages listed one a line as `Message (errorcode 20)`, in their order."""
    found = []
    for line in text.splitlines():
        match = _CODE.search(line)
        if match is not None:
            found.append(Code(match.group(1), " ".join(line[: match.start()].split()).strip(" -*:"), place))
    return tuple(found)


def success_code_in(text: str, place: Place) -> tuple[Code, ...]:
    """The code of success that a row names as `returns 0`."""
    found = _SUCCESS.search(text)
    return (Code(found.group(1), "", place),) if found else ()
