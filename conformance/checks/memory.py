"""Remembers how bodies were read: the same bytes under the same status and media type are the same answer."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from conformance.checks.answer import Answer

_ENTRIES = 1024
_LONGEST_BYTES = 2048
"""Longer bodies seldom come twice, and would be a burden."""


@dataclass(slots=True)
class AnswerMemory:
    """The answers used last, at most 1,024 of bodies of at most 2,048 bytes; nobody changes an answer that was read."""

    answers: dict[Hashable, Answer] = field(default_factory=dict)

    def recall(self, status: int, media: Hashable, body: bytes, read: Callable[[], Answer]) -> Answer:
        """The answer that `read` gives for this body; it is asked only when the body is not remembered."""
        if len(body) > _LONGEST_BYTES:
            return read()
        key = (status, media, body)
        answer = self.answers.pop(key, None)
        if answer is None:
            answer = read()
            if len(self.answers) >= _ENTRIES:
                del self.answers[next(iter(self.answers))]
        self.answers[key] = answer
        return answer
