"""The words of the harness as frozen values: what a contract says, what is sent, what must hold, what came out.

Here stand the marks on the attributes of those values, by which a file is read into them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Names:
    """Marks a text that names something of this kind; a name that nothing has is an error with a suggestion."""

    kind: str


@dataclass(frozen=True, slots=True)
class OneOf:
    """Marks a text that is one of these words."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Key:
    """Marks an attribute whose key in the file has another name."""

    name: str


GIVEN = "given"
"""Marks an attribute that is in no file: the loader gives it."""
REST = "rest"
"""Marks the attribute that takes every key which has no attribute of its own."""
