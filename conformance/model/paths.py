"""Arguments in the path of a call: the names in braces, and what a path as it was sent has in their places."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import unquote

_ESCAPED = re.compile(r"%([2-7][0-9A-Fa-f])")
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]")
ARGUMENT = re.compile(r"\{([A-Za-z_]\w*)\}")


def arguments_in(template: str) -> tuple[str, ...]:
    """The members of the request that stand in a path, in its order."""
    return tuple(ARGUMENT.findall(template))


@lru_cache(maxsize=256)
def _pattern(template: str) -> re.Pattern[str]:
    parts, end = [], 0
    for number, one in enumerate(ARGUMENT.finditer(template)):
        parts += [re.escape(template[end : one.start()]), f"(?P<a{number}>[^/?]+)"]
        end = one.end()
    return re.compile("".join((*parts, re.escape(template[end:]))) + r"/?", re.IGNORECASE)


def arguments_of(template: str, path: str) -> Mapping[str, str] | None:
    """What stands in the places of a template, as it was sent; None for the path of another call.

    Letters of the template may be in either case, and one slash may follow, as with a path that has no arguments; an
    escape of a letter, a digit or one of `-._~` is that character (RFC 3986, 6.2.2.2).
    """
    found = _pattern(template).fullmatch(_ESCAPED.sub(_plain, path))
    return None if found is None else dict(zip(arguments_in(template), found.groups(), strict=True))


def _plain(match: re.Match[str]) -> str:
    character = chr(int(match.group(1), 16))
    return character if _UNRESERVED.fullmatch(character) else match.group()


def is_at(template: str, path: str) -> bool:
    """Whether a path, which a gateway may have put behind one of its own, is that of a call."""
    if not ARGUMENT.search(template):
        return path.lower().rstrip("/").endswith(template.lower())
    count = template.rstrip("/").count("/")
    own = path.rstrip("/").rsplit("/", count)
    return len(own) == count + 1 and arguments_of(template, "/" + "/".join(own[1:])) is not None


def arguments_at(template: str, path: str) -> Mapping[str, str]:
    """As `arguments_of`, decoded, of a path that `is_at` the template."""
    count = template.rstrip("/").count("/")
    own = path.rstrip("/").rsplit("/", count)
    found = arguments_of(template, "/" + "/".join(own[1:])) or {}
    return {name: unquote(text) for name, text in found.items()}
