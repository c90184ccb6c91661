"""Finds known secrets in a text, however they are written there.

They are looked for in views of the text, in any letter case: as it stands; without escapes and joins (JSON, XML, percent,
Python, UTF-16, chunks, lines); without those of mail, or of markup, as well (quoted-printable, octal, comments, sections),
which may eat what only looks like them; and in what its runs of Base64 and hexadecimal digits say, and those in that: three
layers, each without escapes as well.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from html.entities import html5
from typing import Literal

SHORTEST = 4
"""Shorter secrets are hidden only where credentials stand: as free text they would be found everywhere."""
_LEAST_BASE64 = 6
_MOST_KEPT = 4096
_MOST_LAYERS = 4
"""JSON in JSON in a URL has three layers of escapes."""
_CHUNK = re.compile(r"\r\n[0-9A-Fa-f]{1,8}([ \t;][^\r\n]*)?\r\n")
_COMMENT = re.compile(r"<!--((?:(?!<!--).){0,400}?)-->", re.DOTALL)
_SOFT_BREAK = re.compile(r"=(?:\r?\n|\\++r\\++n|\\++n)")
_QUOTED, _OCTAL = re.compile(r"=[0-9A-Fa-f]{2}"), re.compile(r"(?<!\\)\\++[0-3][0-7]{2}")
"""Where there is one of them, `_MAIL` has a match."""
_MAIL = re.compile(r"((?:=[0-9A-Fa-f]{2})+)|((?:(?<!\\)\\++[0-3][0-7]{2})+)")
_SECTION = re.compile(r"<!\[(?i:CDATA)\[|\]\]>")
_JOINS = ("\r", "\n", "\x00")
_MARKS = ("%", "\\u", "\\x", "\\n", "\\r", "\\t", "\\U")
_ESCAPE = re.compile(
    r"(?<!\\)\\++(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|u\{([0-9A-Fa-f]{1,6})\}|[nrt])"
    r"|((?:(?<!\\)\\++x[0-9A-Fa-f]{2})+|(?:%[0-9A-Fa-f]{2})+)"
    r"|&#[xX]0*([0-9A-Fa-f]{1,6});|&#0*([0-9]{1,7});|&([A-Za-z][A-Za-z0-9]{1,30};)"
)
_BYTE = re.compile(r"(?:\\+x|%|=)([0-9A-Fa-f]{2})|\\+([0-7]{3})")
_RUN = re.compile(r"[A-Za-z0-9+/_-]{6,}")
_DIGITS = re.compile(r"[0-9A-Fa-f]{8,}")
_STANDARD = str.maketrans("-_", "+/")
_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_END_OF_ESCAPE = re.compile(r"(?:\\[nrtbf]|\\u[0-9A-Fa-f]{4}|(?:\\x|%)[0-9A-Fa-f]{2})\Z")
_OPENING = 24
_LONG_RUN = re.compile(rf"[0-9a-f-]{{{_OPENING},}}")
"""Session tokens are hexadecimal digits, most often; a text without such a run holds none of them."""
_APART = "\x1e"
"""No part of a secret, and none of what is undone: it keeps apart what does not stand side by side."""
_INNER = re.compile(rb"[A-Za-z0-9+/_-]{6,}")
_PAIRS = re.compile(r"(?:(?:0[xX])?[0-9A-Fa-f]{2}[:,+-]\+?){3,}(?:0[xX])?[0-9A-Fa-f]{2}")
"""Bytes in hexadecimal digits, with something between them; a blank has become a plus sign."""
_PAIR = re.compile(r"(?:0[xX])?([0-9A-Fa-f]{2})")
_PAIRED = re.compile(r"[0-9A-Fa-f]{2}[:,+-]\+?(?:0[xX])?[0-9A-Fa-f]{2}[:,+-]")
"""What such bytes begin with: it is seen fast that most texts have none."""
_ESCAPED = re.compile(
    rb"[%\\&](?:(?<=%)[0-9A-Fa-f]{2}|(?<=\\)(?:u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|[\"\\/])|(?<=&)(?:#[0-9xX]|[a-z]{2,4};))"
)
"""What makes it worth while to undo the escapes in what Base64 says: among random bytes it is rare."""
_MOST_WIDER = 4
"""A layer is looked at as far as so many times the length of the text: read from each of four places it may get longer."""
_MOST_SAID = 3
"""Layers of Base64 and hexadecimal digits, each in the one before."""
_BETWEEN = "/w/w/w"
"""What keeps two runs of Base64 apart, from whichever place they are read."""
Span = tuple[int, int]
Odd = Literal["", "markup", "mail", "soft"]
"""What is undone beside the usual: comments and sections; quoted-printable and octal; these with soft line breaks."""


@dataclass(frozen=True, slots=True)
class Forms:
    """How secrets look in each view; `encoded` are Base64 forms that have lost their letter case."""

    plain: tuple[str, ...]
    folded: tuple[str, ...]
    octets: tuple[bytes, ...]
    encoded: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class View:
    """A text made from another; each of its characters knows where in the other it stood."""

    text: str
    spans: list[Span]

    def span(self, start: int, end: int) -> Span:
        return self.spans[start][0], self.spans[end - 1][1]


@lru_cache(maxsize=_MOST_KEPT)
def forms_of(secret: str) -> Forms:
    """The forms of a secret of at least `SHORTEST` characters."""
    cases = {secret, secret.lower(), secret.upper()}
    octets = {
        written.encode(codec, "surrogatepass").replace(b"\x00", b"").lower()
        for written in cases
        for codec in ("utf-8", *(() if secret.isascii() else ("utf-16-le", "utf-16-be")))
    }
    written = {
        secret,
        *(() if secret.isascii() else (_units(secret), secret.encode("utf-8", "replace").decode("latin-1"))),
    }
    folded = {bare(one).casefold() for one in written}
    return Forms(
        tuple(sorted({one.casefold() for one in written})),
        tuple(sorted(one for one in folded if len(one) >= SHORTEST)),
        tuple(sorted(one for one in octets if len(one) >= SHORTEST)),
        tuple(sorted(one.casefold() for one in _base64_forms(secret.encode("utf-8", "surrogatepass")))),
    )


@dataclass(frozen=True, slots=True)
class _Owners:
    """Each form in any view, bytes as Latin-1, and whose it is."""

    any: dict[str, list[str]]
    openings: dict[str, dict[str, list[str]]]
    """Those that begin with a long run of digits, by the beginning of it: there may be a thousand."""

    def held(self, views: _Views) -> Iterator[str]:
        """Whose forms stand in these views."""
        for form in [one for one in self.any if one in views.all]:
            yield from self.any[form]
        for run in views.runs if self.openings else ():
            for start in range(len(run) - _OPENING + 1):
                for form, secrets in self.openings.get(run[start : start + _OPENING], {}).items():
                    if form in views.all:
                        yield from secrets


@lru_cache(maxsize=64)
def _owners(secrets: tuple[str, ...]) -> _Owners:
    """What to look for: most texts hold none of it, which is to be seen fast."""
    owners = _Owners({}, {})
    for secret in secrets:
        if len(secret) >= SHORTEST:
            forms = forms_of(secret)
            octets = [one.decode("latin-1") for one in forms.octets]
            for form in dict.fromkeys((*forms.plain, *forms.folded, *octets)):
                place = owners.openings.setdefault(form[:_OPENING], {}) if _LONG_RUN.match(form) else owners.any
                place.setdefault(form, []).append(secret)
    return owners


@lru_cache(maxsize=64)
def _encoded(secrets: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Each Base64 form that has lost its letter case, and whose it is."""
    return tuple((form, secret) for secret in secrets if len(secret) >= SHORTEST for form in forms_of(secret).encoded)


def _units(text: str) -> str:
    """The text with each character beyond the first plane as the two that JSON writes for it."""
    units = text.encode("utf-16-be", "surrogatepass")
    return "".join(chr(units[place] << 8 | units[place + 1]) for place in range(0, len(units), 2))


def bare(text: str, odd: Odd = "") -> str:
    """The text without escapes, joins of chunks and lines, and backslashes; a blank is a plus sign, as in forms.

    What is `odd` is undone once, and by itself: it may eat what only looks like it.
    """
    text = _aside(text, _CHUNK)
    text = _SOFT_BREAK.sub("", text) if odd == "soft" else text
    for layer in range(_MOST_LAYERS):
        before = text
        for join in _JOINS:
            text = text.replace(join, "")
        text = _ordinary(text, odd) if odd and not layer else text
        if ("&" in text and ";" in text) or any(mark in text for mark in _MARKS):
            text = _ESCAPE.sub(lambda match: "".join(one for one, _ in _written(match)), text)
        text = text.replace("\\", "")
        if text == before:
            break
    return text.replace(" ", "+")


def bare_view(text: str, odd: Odd = "") -> View:
    """The same, with the places."""
    view = _aside_view(View(text, [(place, place + 1) for place in range(len(text))]), _CHUNK)
    view = _aside_view(view, _SOFT_BREAK) if odd == "soft" else view
    for layer in range(_MOST_LAYERS):
        before = view.text
        view = _kept(view, _JOINS)
        view = _ordinary_view(view, odd) if odd and not layer else view
        if ("&" in view.text and ";" in view.text) or any(mark in view.text for mark in _MARKS):
            view = _without(view, ((match.span(), _written(match)) for match in _ESCAPE.finditer(view.text)))
        view = _kept(view, ("\\",))
        if view.text == before:
            break
    return View(view.text.replace(" ", "+"), view.spans)


def _aside(text: str, pattern: re.Pattern[str]) -> str:
    """The text without what matches; the group of each match comes last, so that it is looked at as well."""
    rest = pattern.sub("", text)
    if len(rest) == len(text):
        return text
    return "".join((rest, *(f"{_APART}{match[1]}" for match in pattern.finditer(text) if match[1])))


def _aside_view(view: View, pattern: re.Pattern[str]) -> View:
    found = list(pattern.finditer(view.text))
    rest = _without(view, ((match.span(), ()) for match in found))
    told = [match for match in found if pattern.groups and match[1]]
    spans = [span for match in told for span in (view.span(*match.span()), *view.spans[slice(*match.span(1))])]
    return View("".join((rest.text, *(f"{_APART}{match[1]}" for match in told))), [*rest.spans, *spans])


def _ordinary(text: str, odd: Odd) -> str:
    if odd == "markup":
        return _aside(_SECTION.sub("", text), _COMMENT)
    return _MAIL.sub(lambda match: "".join(one for one, _ in _of_mail(match)), text)


def _ordinary_view(view: View, odd: Odd) -> View:
    if odd == "markup":
        return _aside_view(_aside_view(view, _SECTION), _COMMENT)
    return _without(view, ((match.span(), _of_mail(match)) for match in _MAIL.finditer(view.text)))


def _of_mail(match: re.Match[str]) -> list[tuple[str, Span]]:
    return _from_bytes(list(_BYTE.finditer(match.string, *match.span())))


def _kept(view: View, gone: tuple[str, ...]) -> View:
    kept = [place for place, character in enumerate(view.text) if character not in gone]
    return View("".join(view.text[place] for place in kept), [view.spans[place] for place in kept])


def _without(view: View, changes: Iterable[tuple[Span, Iterable[tuple[str, Span]]]]) -> View:
    """The view with the parts replaced: each by characters and where in the view each of them is written."""
    pieces: list[str] = []
    spans: list[Span] = []
    end = 0
    for (start, stop), written in changes:
        pieces.append(view.text[end:start])
        spans.extend(view.spans[end:start])
        for characters, place in written:
            pieces.append(characters)
            spans.extend([view.span(*place)] * len(characters))
        end = stop
    return View("".join([*pieces, view.text[end:]]), [*spans, *view.spans[end:]])


def _written(match: re.Match[str]) -> list[tuple[str, Span]]:
    """The characters that an escape stands for, each with its place."""
    unit, wide, point, octets, hexadecimal, decimal, name = match.groups()
    if octets:
        return _from_bytes(list(_BYTE.finditer(match.string, *match.span())))
    if name:
        return [(html5.get(name, match.group()), match.span())]
    if not (unit or wide or point or hexadecimal or decimal):
        return [("\n", match.span())]
    number = int(decimal) if decimal else int(unit or wide or point or hexadecimal, 16)
    return [(chr(number) if number < 0x110000 else match.group(), match.span())]


def _from_bytes(found: list[re.Match[str]]) -> list[tuple[str, Span]]:
    content = bytes(int(one[1], 16) if one[1] else int(one[2], 8) for one in found)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
        return [(character, one.span()) for character, one in zip(text, found, strict=True)]
    written, place = [], 0
    for character in text:
        length = len(character.encode("utf-8"))
        written.append((character, (found[place].start(), found[place + length - 1].end())))
        place += length
    return written


_LONGEST_KEPT = 4096


@lru_cache(maxsize=1024)
def _views_of_short(text: str) -> _Views:
    return _views(text)


@dataclass(frozen=True, slots=True)
class Octets:
    """What a text says in Base64 and in hexadecimal digits, in small letters and without null bytes."""

    first: bytes
    """In its own runs."""
    deeper: bytes
    """In the runs of that, layer by layer."""
    undone: str
    """All of it without escapes, as far as there are any, with bytes as Latin-1."""


def _octets(folded: str) -> Octets:
    """What all runs of Base64 say, read from each of four places, and all runs of hexadecimal digits; and those in that.

    The cost is bounded: see `_MOST_WIDER`.
    """
    layers: list[bytes] = []
    undone: list[str] = []
    source = folded
    while source and len(layers) < _MOST_SAID:
        said = _said(source)
        layers.append(said.replace(b"\x00", b"").lower())
        runs = _INNER.findall(said)
        if _ESCAPED.search(said):
            plain = bare(said.decode("latin-1"))
            undone.append(plain.casefold())
            runs.extend(_INNER.findall(plain.encode("latin-1", "replace")))
        source = b" ".join(runs)[: _MOST_WIDER * len(folded)].decode("ascii")
    return Octets(layers[0] if layers else b"", b"\n".join(layers[1:]), "\n".join(undone))


def _said(folded: str) -> bytes:
    runs = _BETWEEN.join([*dict.fromkeys(_RUN.findall(folded)), ""]).translate(_STANDARD)
    said = [binascii.a2b_base64(runs[first : len(runs) - (len(runs) - first) % 4]) for first in range(4)]
    said.extend(_from_digits(run, first) for run in dict.fromkeys(_DIGITS.findall(folded)) for first in (0, 1))
    if _PAIRED.search(folded):
        said.extend(_from_pairs(run) for run in dict.fromkeys(_PAIRS.findall(folded)))
    return b"\n".join(said)


def _from_pairs(run: str) -> bytes:
    return bytes.fromhex("".join(_PAIR.findall(run)))


def _from_digits(run: str, first: int) -> bytes:
    return bytes.fromhex(run[first : len(run) - (len(run) - first) % 2])


def _parts(folded: str, forms: Forms, layers: int = _MOST_SAID) -> set[str]:
    """Every part of the text that says the secret in Base64 or in hexadecimal digits, in so many layers."""
    parts: set[str] = set()
    for run in dict.fromkeys(_RUN.findall(folded)):
        for first in range(4):
            padded = f"{run[first:]}{'A' * (-(len(run) - first) % 4)}".translate(_STANDARD)
            for start, end in _in_content(binascii.a2b_base64(padded), forms, layers):
                parts.add(run[first + start * 4 // 3 : first + -(-end * 4 // 3)])
    for run in dict.fromkeys(_DIGITS.findall(folded)):
        for first in (0, 1):
            for start, end in _in_content(_from_digits(run, first), forms, layers):
                parts.add(run[first + start * 2 : first + end * 2])
    for run in dict.fromkeys(_PAIRS.findall(folded)):
        pairs = list(_PAIR.finditer(run))
        for start, end in _in_content(_from_pairs(run), forms, layers):
            parts.add(run[pairs[start].start() : pairs[end - 1].end()])
    return parts


def _in_content(content: bytes, forms: Forms, layers: int) -> Iterator[Span]:
    """Where bytes that were said say the secret: as it is, with escapes, or in the next layer."""
    for octets in forms.octets:
        yield from _in_bytes(content, octets)
    views = [View(content.decode("latin-1"), [(place, place + 1) for place in range(len(content))])]
    if _ESCAPED.search(content):
        views.append(bare_view(views[0].text))
        letters = caseless(views[1])
        for folded in forms.folded:
            yield from (letters.span(*span) for span in places(letters.text, folded))
    for view in views if layers > 1 else ():
        for part in _parts(view.text, forms, layers - 1):
            yield from (view.span(*span) for span in places(view.text, part))


def _in_bytes(content: bytes, octets: bytes) -> Iterator[Span]:
    """Where the bytes stand, null bytes between them left out."""
    narrow = content.replace(b"\x00", b"").lower()
    place = narrow.find(octets)
    kept = [place for place, one in enumerate(content) if one] if place >= 0 else []
    while place >= 0:
        yield kept[place], kept[place + len(octets) - 1] + 1
        place = narrow.find(octets, place + 1)


def _base64_forms(content: bytes) -> set[str]:
    """The part of its Base64 form that does not depend on its context, for each of the three offsets."""
    forms: set[str] = set()
    for shift, first in ((0, 0), (1, 2), (2, 3)):
        text = base64.b64encode(b"\x00" * shift + content).decode("ascii")
        if (shift + len(content)) % 3:
            text = text.rstrip("=")[:-1]
        core = text[first:]
        if len(core) >= _LEAST_BASE64:
            forms.update((core, core.replace("+", "-").replace("/", "_")))
    forms.add(base64.b64encode(content).decode("ascii"))
    return forms


def _whole_base64(text: str, span: Span) -> Span:
    """The span widened by the characters that still hold bits of the secret, and by its padding."""
    start, end = span
    while start > 0 and span[0] - start < 2 and (text[start - 1].isalnum() or text[start - 1] in "+/-_"):
        start -= 1
    while end < len(text) and end - span[1] < 2 and (text[end].isalnum() or text[end] in "+/-_="):
        end += 1
    return start, end


def _padded(text: str, span: Span) -> Span:
    """The span with the padding behind it."""
    return span[0], span[1] + len(text[span[1] : span[1] + 2]) - len(text[span[1] : span[1] + 2].lstrip("="))


def caseless(view: View) -> View:
    """The view with all letters alike; some become two, such as the German sharp s."""
    letters = [character.casefold() for character in view.text]
    spans = [span for letter, span in zip(letters, view.spans, strict=True) for _ in letter]
    return View("".join(letters), spans)


def places(text: str, part: str) -> Iterator[Span]:
    place = text.find(part)
    while place >= 0:
        yield place, place + len(part)
        place = text.find(part, place + 1)


def found(
    text: str, secrets: Iterable[str], others: Iterable[str] = (), *, within_words: bool = False
) -> Iterator[tuple[int, int, str]]:
    """Start, end and secret of every place; of `secrets` also in Base64 that has lost its letter case.

    A short one is looked for as a word of its own, or `within_words`.
    """
    own, rest = tuple(secrets), tuple(others)
    if not own and not rest:
        return
    seen = _views_of_short(text) if len(text) <= _LONGEST_KEPT else _views(text)
    looked, raw = _Looked(text, seen), seen.raw
    for secret in dict.fromkeys((*_owners(own).held(seen), *_owners(rest).held(seen))):
        for start, end in looked.find(secret, forms_of(secret), within_words=within_words):
            yield start, end, secret
    encoded = _encoded(own) if len(raw) == len(text) else ()
    for form, secret in [one for one in encoded if one[0] in raw]:
        for span in places(raw, form):
            yield *_whole_base64(text, span), secret


@dataclass(frozen=True, slots=True)
class _Views:
    """What a text says in each view, whatever is looked for in it."""

    raw: str
    folded: str
    lowered: str
    octets: Octets
    odd: Mapping[Odd, str]
    all: str
    runs: tuple[str, ...]
    """The long runs of digits in all of them."""


def _views(text: str) -> _Views:
    raw, folded = text.casefold(), bare(text)
    lowered, octets = folded.casefold(), _octets(folded)
    odd = {kind: bare(text, kind).casefold() for kind in _odd_kinds(text)}
    said = b"\n".join((octets.first, octets.deeper)).decode("latin-1")
    views = "\n".join((raw, lowered, said, octets.undone, *odd.values()))
    return _Views(raw, folded, lowered, octets, odd, views, tuple(dict.fromkeys(_LONG_RUN.findall(views))))


def _odd_kinds(text: str) -> Iterator[Odd]:
    if "<!" in text or "]]>" in text:
        yield "markup"
    if ("=" in text and _QUOTED.search(text)) or ("\\" in text and _OCTAL.search(text)):
        yield "mail"
    if "=" in text and _SOFT_BREAK.search(text):
        yield "soft"


@dataclass(slots=True)
class _Looked:
    """One text and its views; the places in it are worked out only when a secret is certainly there."""

    text: str
    views: _Views
    _view: View | None = None
    _odd_views: dict[Odd, View] = field(default_factory=dict)

    def find(self, secret: str, forms: Forms, *, within_words: bool = False) -> list[Span]:
        spans: list[Span] = []
        for plain in forms.plain:
            spans.extend(self._in_raw(plain))
        for folded in forms.folded:
            if self.views.lowered.count(folded) > sum(self.views.raw.count(one) for one in forms.plain):
                view = caseless(self._bare_view())
                spans.extend(view.span(*span) for span in places(view.text, folded))
            for kind, odd in self.views.odd.items():
                if folded in odd:
                    view = self._odd_view(kind)
                    spans.extend(view.span(*span) for span in places(view.text, folded))
        if not within_words:
            spans = _proper(self.text, spans, secret)
        spans.extend(self._said(forms))
        return spans

    def _said(self, forms: Forms) -> Iterator[Span]:
        """Where Base64 and hexadecimal digits say it."""
        said, undone = (self.views.octets.first, self.views.octets.deeper), self.views.octets.undone
        if not any(one in layer for one in forms.octets for layer in said) and not any(
            one in undone for one in forms.folded
        ):
            return
        for part in _parts(self.views.folded, forms):
            yield from (_padded(self.text, span) for span in places(self.text, part))
            if self.views.folded.count(part) > self.text.count(part):
                view = self._bare_view()
                yield from (_padded(self.text, view.span(*span)) for span in places(view.text, part))

    def _in_raw(self, plain: str) -> Iterator[Span]:
        if plain not in self.views.raw:
            return
        if len(self.views.raw) == len(self.text):
            yield from places(self.views.raw, plain)
            return
        view = caseless(View(self.text, [(place, place + 1) for place in range(len(self.text))]))
        yield from (view.span(*span) for span in places(view.text, plain))

    def _odd_view(self, kind: Odd) -> View:
        if kind not in self._odd_views:
            self._odd_views[kind] = caseless(bare_view(self.text, kind))
        return self._odd_views[kind]

    def _bare_view(self) -> View:
        if self._view is None:
            self._view = bare_view(self.text)
        return self._view


def _proper(text: str, spans: list[Span], secret: str) -> list[Span]:
    """A short secret counts as a word of its own, and is not one of the groups of a GUID."""
    if not spans or len(secret) >= 8:
        return spans
    beside = any("-" in (text[start - 1 : start], text[end : end + 1]) for start, end in spans)
    guids = [match.span() for match in _GUID.finditer(text)] if beside else []
    return [
        (start, end)
        for start, end in spans
        if not (
            (_is_word(text[start - 1 : start]) and not _END_OF_ESCAPE.search(text[max(0, start - 6) : start]))
            or _is_word(text[end : end + 1])
        )
        and not any(first <= start and end <= last for first, last in guids)
    ]


def _is_word(character: str) -> bool:
    return character.isascii() and character.isalnum()
