"""The errors that stop the reference implementation from starting, one small tree.

    ReferenceImplError          something that the person who starts it must mend
    ├── WorldError              the world file cannot be used: unreadable, not TOML, a wrong key or value
    └── OptionError             an unknown fault, equivalent or reading, or an address that cannot be bound

What is wrong with a request is never one of these: it is an answer (`alphapoint.values.Refused`,
`tpp.values.UnreadableList`).
"""

from __future__ import annotations

from typing import ClassVar


class ReferenceImplError(Exception):
    """Base of both: `message` says what happened, `where` names file and key, `hint` what to do next."""

    exit_code: ClassVar[int] = 2

    def __init__(self, message: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text}\n{self.hint}" if self.hint else text


class WorldError(ReferenceImplError):
    """The world file cannot be used."""


class OptionError(ReferenceImplError):
    """An option names something that does not exist or cannot be had."""
