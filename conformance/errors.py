"""The errors that stop a command, one small tree.

    ConformanceError            something that the person at the keyboard must mend; never a verdict on a target
    ├── UsageError              an option or an argument does not make sense (exit 2)
    ├── ConfigurationError      a target, world or waiver file cannot be used (exit 2)
    ├── SpecError               a file under specs/ is wrong (exit 2)
    ├── PageError               a vendor's page cannot be read (exit 2)
    ├── JournalError            a journal cannot be read, or belongs to another run (exit 2)
    ├── TargetUnreachable       the endpoint cannot be reached, or stopped answering (exit 3)
    └── HarnessError            the harness itself failed (exit 5)

What goes wrong between the harness and the endpoint while a case runs is not an error here: it is data, an
observation with a problem in it.

Why a case could not be carried out: each becomes a verdict, none is a finding.

    NotCarriedOut
    ├── RoleUnavailable     the target offers no such role
    ├── StateUnavailable    a state could not be set up
    ├── OutsideScope        the scope guard refused the message
    └── Unreached           the target cannot be reached, or stopped answering
"""

from __future__ import annotations

import errno
import importlib.util
import os
from enum import StrEnum
from typing import ClassVar

INTERRUPTED = 130
"""The exit code after Ctrl-C or SIGTERM."""


class ConformanceError(Exception):
    """Base of all: `message` says what happened, `where` names file and place, `hint` what to do next."""

    exit_code: ClassVar[int] = 2

    def __init__(self, message: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        parts = [f"{self.where}: {self.message}" if self.where else self.message]
        if self.hint:
            parts.append(self.hint)
        return "\n".join(parts)


class UsageError(ConformanceError):
    """An option or an argument does not make sense."""


class ConfigurationError(ConformanceError):
    """A target, world or waiver file cannot be used."""


class SpecError(ConformanceError):
    """A file under `specs/` is wrong; `others` are further faults that were found in one go."""

    def __init__(self, message: str, *, where: str = "", hint: str = "", others: tuple[SpecError, ...] = ()) -> None:
        super().__init__(message, where=where, hint=hint)
        self.others = others

    def __str__(self) -> str:
        return "\n".join((super().__str__(), *map(str, self.others)))


class PageError(ConformanceError):
    """A vendor's page cannot be read, or the draft made of it cannot be written."""


class JournalError(ConformanceError):
    """A journal cannot be read, or belongs to another run."""


class TargetUnreachable(ConformanceError):
    """The endpoint cannot be reached, or stopped answering."""

    exit_code = 3


class HarnessError(ConformanceError):
    """The harness itself failed; the verdict on the endpoint is unknown."""

    exit_code = 5


class Hindrance(StrEnum):
    """Why a case was not carried out, in the words that reports count by; they stay the same."""

    SCOPE = "scope"
    CAP = "cap"
    NO_ROLE = "no role"
    SIGN_IN = "sign-in"
    NO_STATE = "no state"
    POOL = "pool used up"
    BINDING = "missing binding"
    TRANSPORT = "no transport"
    CODE = "code not described"
    UNSEEN = "effect not observed"
    LOST = "lost connection"
    NOT_SENT = "not sent"
    BEYOND = "answer not read"
    INFRASTRUCTURE = "infrastructure"
    UNREACHABLE = "unreachable"
    HOOK = "hook unreachable"
    NOT_BEGUN = "not begun"
    NOT_APPLICABLE = "not applicable"
    HARNESS = "harness error"
    ACCEPTED = "accepted lack"
    OTHER = "other"


class NotCarriedOut(Exception):
    """Base: `reason` is the sentence that stands in the report.

    `thing` is what the target lacks, as `lacks` of a target file names it: `state.pin-order`, `role.operator`.
    `accepted` are the target file's words for a lack that it owns up to.
    """

    why: ClassVar[Hindrance] = Hindrance.SIGN_IN

    def __init__(self, reason: str, *, why: Hindrance | None = None, thing: str = "", accepted: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.timed_out = False
        """Whether an answer was waited for in vain."""
        self.unsent = False
        """Whether it is certain that no byte of the message left."""
        self.hindrance = why or self.why
        self.thing = thing
        self.accepted = accepted


class RoleUnavailable(NotCarriedOut):
    """The target offers no such role, or its credentials were refused."""


class StateUnavailable(NotCarriedOut):
    """A state could not be set up."""

    why = Hindrance.NO_STATE


class OutsideScope(NotCarriedOut):
    """The scope guard refused the message."""

    why = Hindrance.SCOPE


class Unreached(NotCarriedOut):
    """The target cannot be reached, or stopped answering; or the state hook, without which no case begins."""

    why = Hindrance.UNREACHABLE


def need(extra: str, what: str, *modules: str, hint: str = "") -> None:
    """Raise `UsageError` when a module that only an extra brings is not installed; `what` is what needs it."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        install = f"pip install 'order-cancellation-conformance[{extra}]', in a checkout pip install -e '.[{extra}]'"
        message = f"{what} needs {', '.join(missing)}, which the extra `{extra}` installs"
        raise UsageError(message, hint=f"{install}.{hint}")


DESCRIPTORS = "this process has as many files and connections open as it may: no file descriptor is left"
MORE_DESCRIPTORS = "Raise the limit (`ulimit -n 1024`), or lower limits.concurrency in the target file."


def out_of_descriptors(error: OSError) -> bool:
    """Whether a limit of this machine was reached, which is no fault of the target; a resolver may only say it in text."""
    return error.errno in (errno.EMFILE, errno.ENFILE) or os.strerror(errno.EMFILE) in str(error)
