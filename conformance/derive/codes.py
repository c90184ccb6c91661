"""The codes that a page lists, in the forms that pages have: labelled, numbered, in prose; and the code of success."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher

from conformance.derive.page import Code, Field, Place, Statement, every_field

_LABELLED = re.compile(r"\(\s*([A-Za-z]+(?:[ _-][A-Za-z]+)?)\s*[:=#]?\s*(\d{1,9})\s*\)")
_CODE_LABELS = ("errorcode", "code", "error")
_INTRODUCES = re.compile(
    r"^.*\b(?:(?:one of|following|else|null|messages|codes|errors)\b[^:]*:|"
    r"one of(?: the)?(?: following)?(?: (?:messages|codes|errors|texts))?(?=\s))\s*|^\s*null\W+(?:or|else|otherwise)\s+",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"^[\s,;.|*:-]*(?:(?:and|or)\s+)?")
_NAMED = re.compile(r"(?:[A-Z][\w'-]*)(?:\s+(?:(?:of|to|in|the|not|and|or|for|is)\s+)*[A-Z][\w'-]*)*$")
_SUCCESS = re.compile(
    r"\breturns\s+(\d{1,9})\b|(?<![\w.-])(\d{1,9})\s*(?:[-\u2013\u2014:=]\s*)?(?:is |means |stands |if |when |on |for |in case of )"
    r"*(?:a |the )?(?:success|done|no error|ok\b|all (?:is|went) well)|"
    r"\bsuccess(?:ful)?\b[^.\n\d]{0,24}?\b(?:is|has|gives|with|code)\s+(0)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class CodeMark:
    """A number that a text marks as a code, and the span that it and its message take.

    A labelled code, as in `Not Yours (errorcode 20)`, has its message in the words in front of it; a numbered one, as in
    `30 - Too Cold` or `Too Cold (30)`, has it in `message` and no label.
    """

    code: str
    label: str
    before: str
    start: int
    end: int
    message: str = ""

    @property
    def misspelt(self) -> bool:
        """Whether the label is only nearly one that is known."""
        label = _bare(self.label)
        return bool(label) and label not in _CODE_LABELS and _alike(label)


def code_marks(text: str, name: str = "") -> tuple[CodeMark, ...]:
    """Every code that a text marks; `name` is the field whose row it is.

    A labelled one may stand anywhere, and its label may be misspelt by a letter or two. A list of numbered ones is read
    where the row or its name speaks of errors: elsewhere such a list is one of values.
    """
    found, start = [], 0
    for match in _LABELLED.finditer(text):
        label = _bare(match.group(1))
        if label in _CODE_LABELS or label.endswith("code") or _alike(label):
            before = text[start : match.start()].rpartition("\n")[2]
            found.append(CodeMark(match.group(2), match.group(1), before, match.start(), match.end()))
            start = match.end()
    return tuple(found) or _numbered_marks(text, name)


_ALIKE = 0.82


def _alike(label: str) -> bool:
    """Whether a label is nearly the usual one."""
    return SequenceMatcher(None, label, _CODE_LABELS[0]).ratio() >= _ALIKE


_OF_ERRORS = re.compile(
    r"\b(?:errors?|error ?codes?|faults?|problems?|fail(?:s|ed|ures?)?|refus(?:ed|als?)|reject(?:ed|ions?)?)\b", re.I
)
_ERROR_NAME = re.compile(r"err|fault|problem|trouble|fail|reject", re.I)
_PIECE = re.compile(r"(?:(?!\s(?:or|and)\s+(?:[Ee]rror\b|[Cc]ode\b|\d))[^\n,;|])+")
_AHEAD = r"(?:^\s*(?:(?:or|and)\s+)?|[:.]\s+|\b(?:of|or|and|else|else:|following)\s+)[\s*\u2022-]*"
_TEXT = r"[A-Z][^()\[\]:\n]*?"
_NUMBER_FIRST = re.compile(
    _AHEAD + r"(?:(?:[Ee]rror\s+)?[Cc]ode\s+|[Ee]rror\s+)?[(\[\"'`]?(?P<code>\d{1,9})[)\]\"'`]?\s*"
    r"(?:[-\u2013\u2014:=>]+\s*|\s)[\"'`(]?(?P<text>" + _TEXT + r")[\"'`)]?[\s.]*$"
)
_NUMBER_LAST = re.compile(
    _AHEAD + r"[\"'`]?(?P<text>" + _TEXT + r")[\"'`]?\s*(?:[(\[]\s*#?\s*(?P<code>\d{1,9})\s*[)\]]|"
    r"[-\u2013\u2014:=]+\s*(?P<other>\d{1,9}))[\s.]*$"
)
_SUCCESS_TEXT = re.compile(r"(?:success(?:ful(?:ly)?)?|ok|okay|no errors?|none|done)\.?$", re.I)


def _numbered_marks(text: str, name: str) -> tuple[CodeMark, ...]:
    """The entries of a list such as `30 - Too Cold, 31 - Too Warm` in a row about errors; one alone is no list."""
    found, rest = list[CodeMark](), text
    for piece in _PIECE.finditer(text):
        match = _NUMBER_FIRST.search(piece.group(0)) or _NUMBER_LAST.search(piece.group(0))
        if match is not None:
            code = match.group("code") or match.group("other")
            words = " ".join(match.group("text").split()).strip(" .-*:\"'`")
            start = piece.start() + min(match.start(one) for one in match.groupdict() if match.start(one) >= 0)
            found.append(CodeMark(code, "", "", start, piece.end(), words))
    for mark in reversed(found):
        rest = rest[: mark.start] + rest[mark.end :]
    if _ERROR_NAME.search(name) or (len(found) > 1 and _OF_ERRORS.search(rest)):
        return tuple(found)
    return ()


def is_success(code: str, message: str) -> bool:
    """Whether a listed code is that of success, by its text."""
    return _SUCCESS_TEXT.fullmatch(message) is not None and int(code) in (0, 200)


def _bare(label: str) -> str:
    return re.sub(r"[ _-]", "", label.casefold())


def codes_in(text: str, place: Place, name: str = "") -> tuple[Code, ...]:
    """The codes and messages that the row of the field `name` lists, one a line or one behind the other."""
    found = []
    for mark in code_marks(text, name):
        message = mark.message or " ".join(
            _BETWEEN.sub("", _INTRODUCES.sub("", mark.before, count=1), count=1).split()
        ).strip(" -*:")
        if message:
            found.append(Code(mark.code, "" if is_success(mark.code, message) else message, place))
    return tuple(found)


def besides_codes(text: str, name: str = "") -> str:
    """The text of a row without its listed codes and their messages: what else it says."""
    pieces, place = [], 0
    for mark in code_marks(text, name):
        introduction = _INTRODUCES.match(mark.before)
        pieces += [text[place : mark.start - len(mark.before)], introduction.group(0) if introduction else ""]
        place = mark.end
    return "".join([*pieces, text[place:]])


def codes_told(text: str, place: Place) -> tuple[Code, ...]:
    """The codes that a sentence tells in passing: the message is the run of capitalised words in front, if any."""
    found = []
    for mark in code_marks(text):
        named = _NAMED.search(mark.before.strip(" \"'*_"))
        message = mark.message or (" ".join(named.group(0).split()) if named else "")
        found.append(Code(mark.code, "" if is_success(mark.code, message) else message, place))
    return tuple(found)


def success_code_in(text: str, place: Place) -> tuple[Code, ...]:
    """The code of success that a row names as `returns 0` or `0 on success`."""
    found = _SUCCESS.search(text)
    number = next((one for one in found.groups() if one), "") if found else ""
    return (Code(number, "", place),) if number else ()


def codes_of(
    response: tuple[Field, ...],
    request: tuple[Field, ...],
    statements: Iterable[Statement],
    tabled: Iterable[Code] = (),
) -> tuple[Code, ...]:
    """The codes that the rows of a response and the error tables list, each once, with the code of success in front.

    A code that only a sentence or a row of the request tells is one of them when a message stands with it, so that a
    draft refuses no code of its page; it is asked about all the same.
    """
    found: dict[tuple[str, str], Code] = {}
    for _, one in every_field(response):
        listed = codes_in(one.text, one.place, one.name)
        success = success_code_in(one.text, one.place) if one.type.kind in ("integer", "int64") else ()
        for code in (*success, *listed):
            found.setdefault((code.code, code.message), code)
    for code in tabled:
        found.setdefault((code.code, code.message), code)
    listed_numbers = {number for number, message in found if message}
    told = [(one.text, one.place) for one in statements]
    told += [(one.text, one.place) for _, one in every_field(request)]
    for code in (code for text, place in told for code in codes_told(text, place)):
        if code.message and code.code not in listed_numbers:
            found.setdefault((code.code, code.message), code)
    ordered = sorted(found.values(), key=lambda one: (one.message != "", int(one.code)))
    return tuple(ordered) if any(one.message for one in ordered) else ()
