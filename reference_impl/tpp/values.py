"""The words of the TPP side: instructions, results, and what can be wrong with a list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Format = Literal["json", "xml"]
Charset = Literal["utf-8", "utf-16"]
Items = Literal["refused", "broken", "dropped"]
"""What becomes of an item that is no instruction: the list is refused, or it is a broken one, or it is dropped."""
NO_INSTRUCTION = "The item is no instruction."


@dataclass(frozen=True, slots=True)
class Instruction:
    """One CancellationCreation as it was read; GUIDs in lower case with dashes.

    `problem` says why a member could not be read; the members that could be are still here.
    """

    order_id: int | None = None
    creator_id: int | None = None
    pin: str | None = None
    is_international: bool = False
    uid: str | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """One CancellationCreationResult; `errors` is None on success."""

    order_id: int | None
    uid: str | None
    success: bool
    errors: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Media:
    """The media type and charset of an answer, as they stand in its Content-Type."""

    format: Format
    media_type: str
    charset: Charset = "utf-8"

    @property
    def content_type(self) -> str:
        """The header's value."""
        return f"{self.media_type}; charset={self.charset}"


class UnreadableList(Exception):
    """The body is not a list of instructions; the text is the error string of the answer."""
