"""The texts that a reader may see in bytes, and the ids in a text whose structure is not understood."""

from __future__ import annotations

import codecs
import html
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from conformance.formats.text import MAX_BYTES, bom_of
from conformance.guard.ids import MAX_DIGITS, ascii_digits, numbers_in, uids_in
from conformance.guard.values import dashed

_ROUNDS = 3
_MAX_VARIANTS = 64
_JSON_ESCAPE = re.compile(r"\\(?:[uU]([0-9a-fA-F]{4})|[xX]([0-9a-fA-F]{2})|([0-7]{3})|(.))", re.DOTALL)
_MARKUP_COMMENT = re.compile(r"<!--.*?-->|<\?.*?\?>|<!\[CDATA\[|\]\]>", re.DOTALL)
_CODE_COMMENT = re.compile(r"/\*.*?\*/|//[^\r\n]*|#[^\r\n]*", re.DOTALL)
_INVISIBLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]")
_SPLIT_NUMBER = re.compile(
    r"[0-9](?:<[^<>]*>|(?:</[^<>]*>|<[?!/]?|&(?:[#\w]{0,40};)?|[\ufffe\uffff\ud800-\udfff]){1,8})[0-9]"
)
"""Readers that mend broken markup leave out the tags, references and characters that they cannot read."""
_NAMESPACE = re.compile(r"""xmlns(?::[A-Za-z_][\w.-]*)?\s*=\s*(["'])(?:https?:|urn:)[\w:/.#-]*\1""")
_DECLARATION = re.compile(r"""\A\ufeff?<\?xml\s+version=(["'])1\.\d\1(?:\s+encoding=(["'])[A-Za-z][\w.-]*\2)?\s*\?>""")
_ENCODING = re.compile(r"""<\?xml[^>]*?encoding\s*=\s*["']([^"']*)["']""", re.IGNORECASE)
_CHARSET = re.compile(r"""charset\s*=\s*"?([^\s";,]*)""", re.IGNORECASE)
_GUID = re.compile(
    r"(?<![0-9a-z])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-z])|(?<![0-9a-z])[0-9a-f]{32}(?![0-9a-z])",
    re.IGNORECASE,
)
_LETTERS = re.compile(r"[a-f](?:-?[a-f]){31,}", re.IGNORECASE)
"""So long, it may hold a GUID although no word with a digit."""
_WORD = re.compile(r"[+-]?[\w.+]*[0-9][\w.+-]*|\b(?:true|yes|on)\b", re.IGNORECASE)
_NAME = re.compile(r"[^\W\d]\w*")
_TAG_OR_NAME = re.compile(r"<|[^\W\d]\w*")
_NAMES_OF_TAG = 2
"""A prefix and a name."""


@dataclass(frozen=True, slots=True)
class Token:
    """Something in a text that may be an id: the numbers or the GUID it may be, and the name before it.

    A GUID has `beside` instead: every name that a reader may take for that of its value, whose digits may then be a number.
    """

    text: str
    numbers: frozenset[int]
    uids: frozenset[str]
    name: str
    opaque: bool = False
    beside: tuple[str, ...] = ()

    @property
    def affirms(self) -> bool:
        """Whether it is a word that counts as 1 where a number is expected."""
        return not self.uids and not any(one.isdigit() for one in self.text)


def fold(name: str) -> str:
    """A member's name without case, marks, accents and white space: what careless readers compare."""
    if name.isascii():
        return "".join(one for one in name.lower() if one.isalnum())
    plain = unicodedata.normalize("NFKD", name).casefold().replace("\u0131", "i")
    return "".join(one for one in plain if one.isalnum())


@dataclass(frozen=True, slots=True)
class Texts:
    """What bytes may say: a text for each plausible charset; `sure` when it can only be strict UTF-8."""

    texts: tuple[str, ...]
    sure: bool


def texts_of(data: bytes, content_types: Iterable[str] = ()) -> Texts:
    """Decode by every charset that a reader may choose: UTF-8, mark, media type, declaration, zero bytes."""
    if len(data) > MAX_BYTES:
        return Texts((), False)
    named = [found for value in content_types for found in _CHARSET.findall(value)]
    named += _ENCODING.findall(data[:400].replace(b"\0", b"").decode("latin-1"))
    mark = bom_of(data)
    wanted = dict.fromkeys(["utf-8", *(_codec(name) for name in named)])
    if mark is not None:
        wanted[mark[0]] = None
    if b"\0" in data:
        wanted.update(dict.fromkeys(("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")))
    texts, sure = [], list(wanted) == ["utf-8"] and mark is None
    for codec in wanted:
        text = _decoded(data, codec)
        sure = sure and text is not None
        texts.append(text)
    good = [text for text in texts if text is not None]
    if texts[0] is None:
        good += [data.decode("latin-1"), data.decode(errors="replace"), data.decode(errors="ignore")]
    return Texts(tuple(dict.fromkeys(text.removeprefix("\ufeff") for text in good)), sure)


def _codec(name: str) -> str:
    try:
        return codecs.lookup(name.strip()).name
    except (LookupError, ValueError):
        return "latin-1"  # an unknown charset: at least its ASCII part is read


def _decoded(data: bytes, codec: str) -> str | None:
    try:
        return data.decode(codec)
    except (LookupError, ValueError):
        return None


def tokens_in(text: str) -> Iterator[Token] | None:
    """Everything that may be an id, in every unescaped form of the text; None when the ids cannot be told."""
    if text.count("\0") * 3 >= len(text):  # wide characters read as narrow ones
        text = text.replace("\0", "")
    forms = variants(_NAMESPACE.sub(" ", _DECLARATION.sub(" ", text)))
    if forms is None or any(_SPLIT_NUMBER.search(form) for form in forms):
        return None
    return (token for form in forms for token in _tokens(form))


def variants(text: str) -> tuple[str, ...] | None:
    """The text, and what undoing escapes, references, comments and markup makes of it, in any order."""
    seen = {text: None}
    latest = [text]
    for _ in range(_ROUNDS):
        fresh = dict.fromkeys(step(one) for one in latest for step in _STEPS)
        latest = [one for one in fresh if one not in seen]
        seen.update(dict.fromkeys(latest))
        if len(seen) > _MAX_VARIANTS:
            return None
    return None if any(step(one) not in seen for one in latest for step in _STEPS) else tuple(seen)


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    return _JSON_ESCAPE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    wide, narrow, octal, other = match.groups()
    if wide or narrow:
        return chr(int(wide or narrow, 16))
    return chr(int(octal, 8)) if octal else {"n": "\n", "t": "\t", "r": "\r", "b": "", "f": ""}.get(other, other)


def _without_references(text: str) -> str:
    return html.unescape(text) if "&" in text else text


def _without_percents(text: str) -> str:
    return unquote(text) if "%" in text else text


def _without_markup(text: str) -> str:
    return _MARKUP_COMMENT.sub("", text) if "<" in text or "]]>" in text else text


def _without_comments(text: str) -> str:
    return _CODE_COMMENT.sub("", text)


def _without_invisible(text: str) -> str:
    return _INVISIBLE.sub("", text)


_STEPS: tuple[Callable[[str], str], ...] = (
    _unescaped, _without_references, _without_percents, _without_markup, _without_comments,
    _without_invisible,
)  # fmt: skip


def _tokens(text: str) -> Iterator[Token]:
    plain = ascii_digits(text)
    names = [(match.end(), match.group()) for match in _NAME.finditer(plain)]
    guids = list(_GUID.finditer(plain))
    for match, beside in zip(guids, _names_beside(plain, [one.start() for one in guids]), strict=True):
        yield Token(match.group(), frozenset(), frozenset({dashed(match.group())}), "", beside=beside)
    rest = _GUID.sub(lambda match: " " * len(match.group()), plain)
    for match in _LETTERS.finditer(rest):
        yield Token(match.group(), frozenset(), uids_in(match.group()), "")
    place = 0
    for match in _WORD.finditer(rest):
        while place < len(names) and names[place][0] <= match.start():
            place += 1
        before = names[place - 1][1] if place else ""
        word = match.group()
        opaque = len(word) > MAX_DIGITS
        numbers = frozenset() if opaque else numbers_in(word) or frozenset({1} if word.isalpha() else ())
        yield Token(word, numbers, frozenset(), before, opaque)


def _names_beside(plain: str, places: Iterable[int]) -> Iterator[tuple[str, ...]]:
    """For the value at each place: the name of the tag that it stands behind, which may have a prefix, and the last name."""
    marks = _TAG_OR_NAME.finditer(plain)
    tag: list[str] = []
    last, room, mark = "", 0, next(marks, None)
    for place in places:
        while mark is not None and mark.start() < place:
            text, mark = mark.group(), next(marks, None)
            if text == "<":
                tag, room = [], _NAMES_OF_TAG
                continue
            last = text
            if room:
                tag.append(text)
                room -= 1
        yield (*tag, last)
