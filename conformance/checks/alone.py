"""Judges one HTTP answer by its request alone: no case stands behind it, and nobody knows how orders and quotes stand.

What only a case can tell (the code that must come, the effect) is left out. A request that the documents do not describe
may be refused before the operation, in any form.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any

from conformance.checks import answer as forms
from conformance.checks.answer import Answer
from conformance.checks.identity import instructions_of, match_results
from conformance.checks.kit import BAD_INPUT, Kit, telling
from conformance.checks.outcome import OUTCOME
from conformance.checks.read import read_answer
from conformance.checks.secrets import SECRETS, echoed, in_headers, may_be_echoed
from conformance.contract.schemas import SchemaValidator, load_validator
from conformance.formats.base import Decoded, Format
from conformance.formats.errors import CodecError
from conformance.formats.registry import format_of
from conformance.formats.text import parse_media_type
from conformance.model.verdict import Finding
from conformance.plugins import dialect_names, find_dialect
from conformance.wire.messages import Exchange, HttpReply, HttpRequest, header_values

_SECRET_NAME = re.compile(r"(?i)^(?:pin|password|secret|token)$")
_LONG_TOKEN = 8
_LONG_PIN = 4
_ANY_REQUEST = (BAD_INPUT.id, SECRETS.id)
"""What no answer may show, whatever was asked."""


@cache
def _carriers() -> tuple[str, ...]:
    """Request headers whose value is a credential, in lower case: the session's header of each dialect, and the usual ones."""
    sessions = (str(find_dialect(name)().session_header).lower() for name in dialect_names())
    return tuple(dict.fromkeys((*sessions, "authorization", "cookie", "signature")))


@dataclass(frozen=True)
class Asked:
    """A request that was sent, read as the contract has it."""

    kit: Kit
    request: HttpRequest
    session: str = ""
    """The requirement that a call without a session breaks by succeeding; empty where the call knows no sessions."""

    @property
    def credentials(self) -> tuple[str, ...]:
        """The values of its headers that may stand for a session."""
        return tuple(value for name in _carriers() for value in header_values(self.request.headers, name))

    @property
    def validator(self) -> SchemaValidator:
        """What the operation's requests are valid under."""
        return _validator(self.kit.operation.request_schema)

    @cached_property
    def written_in(self) -> Format | None:
        """The format that its content type names, if the operation has that media type."""
        values = header_values(self.request.headers, "content-type")
        try:
            media = parse_media_type(values[0]) if len(values) == 1 else None
        except CodecError:
            return None
        if media is None or media.essence not in self.kit.operation.media_types:
            return None
        return format_of(media)

    @cached_property
    def document(self) -> Decoded | None:
        """Its body, if every reader sees the same in it; else None."""
        if self.written_in is None:
            return None
        try:
            read = self.kit.codec(self.written_in).decode(self.request.body)
        except CodecError:
            return None
        return read if read.plainly else None

    @property
    def plain(self) -> bool:
        """Whether it is a call of the operation whose body can be read, so that the operation itself must answer."""
        return self.request.method == self.kit.operation.method and self.document is not None

    @cached_property
    def valid(self) -> bool:
        """Whether it is a plain call and valid under the schema of the request."""
        return self.plain and self.document is not None and self.validator.is_valid(self.document.value)

    @cached_property
    def accept(self) -> str | None:
        """The media type that its answer must have: the one documented type that it accepts; None for any other wish."""
        values = header_values(self.request.headers, "accept")
        wish = values[0].strip().lower() if len(values) == 1 else ""
        return wish if wish in self.kit.operation.media_types else None

    @cached_property
    def secrets(self) -> tuple[str, ...]:
        """Credentials that it carries: headers of a session, and PINs of the body that nothing else in it says as well."""
        carried = [part for value in self.credentials for part in value.split() if len(part) >= _LONG_TOKEN]
        pins, others = _texts_of(None if self.document is None else self.document.value)
        carried += [pin for pin in pins if len(pin) >= _LONG_PIN and not any(pin in other for other in others)]
        return telling(self.kit.vocabulary, tuple(dict.fromkeys(carried)))


@lru_cache(maxsize=64)
def _validator(file: Path) -> SchemaValidator:
    return load_validator(file)


@dataclass(frozen=True, slots=True)
class Alone:
    """What can be said of one answer: how it was read, and the findings."""

    answer: Answer
    findings: tuple[Finding, ...]


def judge_alone(asked: Asked, reply: HttpReply) -> Alone:
    """The findings that hold of this answer whatever the state of the service is."""
    kit = asked.kit
    exchange = Exchange(b"", b"", reply, None, 0.0, 0.0)
    answer = read_answer(kit, exchange, b"", asked.accept)
    found = list(answer.findings)
    if answer.unreadable is not None:
        found.append(answer.unreadable)
    if not answer.beyond:
        found += _given_away(asked, exchange, answer)
    if not asked.plain and not _of_the_framework(asked, reply):
        return Alone(answer, tuple(one for one in found if one.check in _ANY_REQUEST))
    if answer.unreadable is None and not answer.beyond:
        found += _results(asked, answer)
        found += _accepted(asked, answer)
    return Alone(answer, tuple(dict.fromkeys(found)))


def _of_the_framework(asked: Asked, reply: HttpReply) -> bool:
    """Whether it is an early error of a list operation, whose form is documented."""
    operation = asked.kit.operation
    return operation.shape.instructs and asked.request.method == operation.method and 400 <= reply.status < 500


def _given_away(asked: Asked, exchange: Exchange, answer: Answer) -> Iterator[Finding]:
    if not asked.secrets:
        return
    if may_be_echoed(exchange, asked.secrets):
        yield from echoed(asked.kit.operation, answer.value, asked.secrets)
    yield from in_headers(asked.kit.operation, exchange, asked.secrets)


def _results(asked: Asked, answer: Answer) -> Iterable[Finding]:
    """One result for each instruction, and each for its own: of a list that no reader may refuse a part of."""
    if forms.RESULTS not in answer.forms or not asked.valid or asked.written_in is None:
        return ()
    kit = asked.kit
    sent = instructions_of(asked.request.body, kit.codec(asked.written_in), kit.operation.fields, kit.operation.shape)
    return match_results(kit, sent, answer.results).findings


def _accepted(asked: Asked, answer: Answer) -> Iterator[Finding]:
    """A success without a session, or for what the schema of the request does not let pass."""
    done = bool(answer.legs) and all(leg.code == 0 for leg in answer.legs)
    if done and asked.session and not asked.credentials:
        message = "a call without a session succeeds"
        yield OUTCOME.finding_on(asked.session, message, "an error", answer.summary, "answer", way="accepted")
    if asked.document is None or asked.valid:
        return
    message, expected = "a request that the document does not allow succeeds", "an error"
    shape = asked.kit.operation.shape
    if answer.results and shape.instructs:
        wrong = [_wrong(asked, shape.request([item])) for item in shape.entries(asked.document.value) or ()]
        said = sum(entry.get(asked.kit.operation.success) is True for entry in answer.results)
        broken = [problem for problem in wrong if problem is not None]
        if broken and said > len(wrong) - len(broken):
            actual = f"{said} successes for {len(wrong)} instructions, {len(broken)} of them wrong: {broken[0][1]}"
            yield OUTCOME.finding_on(broken[0][0], message, expected, actual, "answer", way="accepted")
    elif done:
        problem = _wrong(asked, asked.document.value)
        if problem is not None:
            yield OUTCOME.finding_on(problem[0], message, expected, problem[1], "answer", way="accepted")


def _wrong(asked: Asked, value: Any) -> tuple[str, str] | None:
    """A requirement that a value breaks, and how; None where a reader may see it otherwise."""
    kit = asked.kit
    known = {name.lower(): name for name in kit.operation.fields}
    if isinstance(value, list):
        if value and isinstance(value[0], dict) and not all(name in kit.operation.fields for name in value[0]):
            return None  # a member in another letter case may count
    elif isinstance(value, dict):
        folded = {known.get(name.lower(), name): content for name, content in value.items()}
        if len(folded) < len(value):
            return None
        value = folded
    for problem in asked.validator.problems(value):
        if problem.requirement in _needed(kit):
            return str(problem.requirement), problem.message
    return None


def _needed(kit: Kit) -> frozenset[str]:
    """The requirements that a request without a member breaks; a value of another type may be read leniently."""
    operation = kit.operation
    halves = () if operation.condition is None else (operation.condition.when_true, operation.condition.when_false)
    absent = (one.requirement.absent for one in operation.fields.values())
    lenient = {one.requirement.type for one in operation.fields.values()}
    return frozenset((*absent, *(name for half in halves for name in half.requirement.values()))) - lenient


def _texts_of(value: Any, name: str = "") -> tuple[list[str], list[str]]:
    """The values of members that a PIN or password stands in, and all other scalars, as texts."""
    pins: list[str] = []
    others: list[str] = []
    parts = (
        value.items()
        if isinstance(value, Mapping)
        else [(name, one) for one in value]
        if isinstance(value, list)
        else None
    )
    if parts is None:
        (pins if _SECRET_NAME.search(name) else others).append(str(value))
        return pins, others
    for key, content in parts:
        more, rest = _texts_of(content, str(key))
        pins += more
        others += rest
    return pins, others
