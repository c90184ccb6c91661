"""Why a case could not be carried out: each becomes a verdict, none is a finding.

    NotCarriedOut
    ├── RoleUnavailable     the target offers no such role
    ├── StateUnavailable    a state could not be brought about
    ├── OutsideScope        the scope guard refused the message
    └── Unreached           the target cannot be reached, or stopped answering
"""

from __future__ import annotations


class NotCarriedOut(Exception):
    """Base: `reason` is the sentence that stands in the report."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class RoleUnavailable(NotCarriedOut):
    """The target offers no such role, or its credentials were refused."""


class StateUnavailable(NotCarriedOut):
    """A state could not be brought about."""


class OutsideScope(NotCarriedOut):
    """The scope guard refused the message."""


class Unreached(NotCarriedOut):
    """The target cannot be reached, or stopped answering."""
