"""One case for each documented error code, over every transport: provoked, expected exactly, and without effect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.cases import make, message
from conformance.cases.make import Channel, channels
from conformance.model.case import Alternative, Case, Expectation
from conformance.model.spec import ErrorCode, Operation

SUCCESS, NOT_AUTHORIZED, INVALID, NOT_FOUND = "0", "20", "100", "104"
_MADE = (SUCCESS, NOT_AUTHORIZED, INVALID, NOT_FOUND)
"""The codes that a request brings about by itself, if the operation has what that takes: a role that is refused, a member."""
_BY_TARGET = "What the target file says provokes it"


def code_cases(operation: Operation) -> Iterator[Case]:
    """The cell of each code; the one of success belongs to the scenario of the documented sample."""
    for code in operation.codes:
        if code.code == SUCCESS:
            continue
        for channel in channels(operation):
            yield _code_case(operation, channel, code)


def _code_case(operation: Operation, channel: Channel, code: ErrorCode) -> Case:
    role, value, title, provoke = _provocation(operation, code.code)
    sent = make.message(operation, channel, message.body(operation, channel, value))
    return make.case(
        operation,
        channel,
        f"codes/{code.code}",
        title,
        (code.requirement, *_companions(operation)),
        sent,
        _expectation(operation, code),
        role=role,
        states=operation.states,
        lane="alone" if provoke else None,
        code=code.code,
        provoke=provoke,
        later=provoke is not None and _may_wait(operation, channel, code),
        accept=channel.transport.accept(channel.media_type),
    )


def _may_wait(operation: Operation, channel: Channel, code: ErrorCode) -> bool:
    """Whether the case looks a second time: of quotes one alone, because the next quote takes the place of the last one."""
    if not operation.shape.legs:
        return True
    return code is next(one for one in operation.codes if one.code not in _MADE) and channel == next(
        channels(operation)
    )


def _provocation(operation: Operation, code: str) -> tuple[str | None, Mapping[str, Any], str, str | None]:
    assert isinstance(operation.valid, Mapping)
    if code == NOT_AUTHORIZED and operation.roles_refused:
        return operation.roles_refused[-1], operation.valid, "A user without permission", None
    required, naming = make.required_member(operation), make.naming_member(operation)
    if code == INVALID and required is not None:
        value = {key: given for key, given in operation.valid.items() if key != required}
        return None, value, f"{required} left out", None
    if code == NOT_FOUND and naming is not None:
        value = {**operation.valid, naming: operation.fields[naming].unknown}
        return operation.elevated or None, value, f"An unknown {naming}", None
    return None, operation.valid, _BY_TARGET, code


def _expectation(operation: Operation, code: ErrorCode) -> Expectation:
    names = operation.acted_on
    right = [Alternative({"code": [int(code.code)]}, untouched=names, because=(code.requirement,))]
    if code.code == NOT_AUTHORIZED:  # the account is a stranger's to that user, and may be hidden from him
        right.append(Alternative({"code": [104]}, untouched=names, readings=("foreign-account=104",)))
    if code.code == NOT_FOUND:
        right.append(Alternative({"code": [100], "detail": "given"}, untouched=names, readings=("unknown-id=100",)))
    return Expectation(code.requirement, tuple(right), effect=operation.attribution["effect"])


def _companions(operation: Operation) -> tuple[str, ...]:
    """What every refusal also shows: the fields of a refusal, and that it changed nothing."""
    checks = ("refusal", "effect", "early-error")
    return tuple(operation.attribution[check] for check in checks if check in operation.attribution)
