"""What a careless service keeps or undoes: values of the instruction before, and cancellations that do not last.

Where the request is no list, the instruction before is a call of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from conformance.cases import make, message
from conformance.cases.expect import Ruling
from conformance.cases.kinds import InstructionKind, first_kind, naming_member, second_kind
from conformance.cases.make import Channel, channels
from conformance.model.case import Alternative, Case, Expectation, Message, StateNeed
from conformance.model.spec import Condition, Operation

_ONE, _TWO, _SPARE = "one", "two", "spare"


def trap_cases(operation: Operation) -> Iterator[Case]:
    """Instructions that lack what the one before has, a flag behind another one, and a second look at what is done."""
    for channel in channels(operation):
        if operation.condition is not None:
            yield from _lacking_behind_whole(operation, channel, operation.condition)
            yield from _lacking_behind_the_other(operation, channel, operation.condition)
            yield from _flag_behind_flag(operation, channel, operation.condition)
        yield from _lasting(operation, channel)


def _kinds(operation: Operation) -> tuple[InstructionKind, ...]:
    second = second_kind(operation)
    return (first_kind(operation),) if second is None else (first_kind(operation), second)


def _lacking_behind_whole(operation: Operation, channel: Channel, rule: Condition) -> Iterator[Case]:
    """A whole instruction, then one of the same kind that lacks a member which it needs."""
    for kind, half in zip(_kinds(operation), (rule.when_false, rule.when_true), strict=False):
        for member in half.needs:
            lacking = {name: value for name, value in kind.named(_TWO).items() if name != member}
            requirement = half.requirement[member]
            right = (
                Alternative({"results": [True, False]}, (_ONE,), (_TWO,), readings=("broken-instruction=only-itself",)),
                Alternative({"form": "refused"}, untouched=(_ONE, _TWO), readings=("broken-instruction=whole-list",)),
            )
            yield _case(
                operation,
                channel,
                f"carried/{rule.names.get(member, member.lower())}-{kind.alias}",
                f"{member} in the first of two instructions and not in the second",
                (operation.attribution["broken"],) if "broken" in operation.attribution else (),
                [kind.named(_ONE), lacking],
                {_ONE: kind.need, _TWO: kind.need},
                Expectation(
                    requirement,
                    right,
                    effect=operation.effect_of_success or requirement,
                    outside=operation.attribution["effect"],
                ),
            )


def _lacking_behind_the_other(operation: Operation, channel: Channel, rule: Condition) -> Iterator[Case]:
    """A whole instruction of the first kind, then one of the second that lacks a member which both can have."""
    first, second = first_kind(operation), second_kind(operation)
    for member in rule.when_true.needs if second is not None else ():
        if second is None or first.item.get(member) is None or second.item.get(member) is None:
            continue
        lacking = {name: value for name, value in second.named(_TWO).items() if name != member}
        requirement = rule.when_true.requirement[member]
        own, whole = ("broken-instruction=only-itself",), ("broken-instruction=whole-list",)
        right = (
            Alternative({"results": [True, False]}, (_ONE,), (_TWO,), readings=own),
            Alternative({"form": "refused"}, untouched=(_ONE, _TWO), readings=whole),
        )
        yield _case(
            operation,
            channel,
            f"carried/{rule.names.get(member, member.lower())}-to-{second.alias}",
            f"{member} in the first of two instructions of different kinds and not in the second",
            (operation.attribution["broken"],) if "broken" in operation.attribution else (),
            [first.named(_ONE), lacking],
            {_ONE: first.need, _TWO: second.need},
            Expectation(requirement, right, effect=requirement, outside=operation.attribution["effect"]),
        )


def _flag_behind_flag(operation: Operation, channel: Channel, rule: Condition) -> Iterator[Case]:
    """An instruction of the second kind, then one of the first that also has an id of the second kind."""
    first, second = first_kind(operation), second_kind(operation)
    if second is None:
        return
    flag = rule.flag
    requirement = operation.fields[flag].requirement.type
    spare = naming_member(second, operation)
    both = {**first.named(_TWO), spare: second.named(_SPARE)[spare]}
    all_of_them = (_ONE, _TWO, _SPARE)
    because = (Ruling.BOTH_IDS,)
    right = (
        Alternative({"results": [True, True]}, (_ONE, _TWO), (_SPARE,), because=because),
        Alternative({"results": [True, False]}, (_ONE,), (_TWO, _SPARE), because=because),
        Alternative({"form": "refused"}, untouched=all_of_them, because=because),
    )
    for name, title, item in (
        ("false", "false", {**both, flag: False}),
        ("absent", "left out", {member: value for member, value in both.items() if member != flag}),
    ):
        yield _case(
            operation,
            channel,
            f"carried/flag-{name}",
            f"{flag} true in the first of two instructions and {title} in the second, which has both ids",
            (),
            [second.named(_ONE), item],
            {_ONE: second.need, _TWO: first.need, _SPARE: second.need},
            Expectation(requirement, right, effect=requirement, outside=requirement),
        )


def _lasting(operation: Operation, channel: Channel) -> Iterator[Case]:
    """Cancelled things are looked at again, and cancelled again, when the effect has had time to settle."""
    rules = operation.attribution
    done, twice = operation.effect_of_success or rules["effect"], rules.get("twice", rules["effect"])
    said = "The same list" if operation.shape.listed else "The same instruction"
    told = next((row.requirement for row in operation.codes if row.code == "success"), done)
    for kind in _kinds(operation):
        items = [kind.named(_ONE)]
        success = Alternative({"results": [True]}, (_ONE,))
        yield _case(
            operation, channel, f"lasting/stays-{kind.alias}", "What is cancelled is so a while later", (done,), items,
            {_ONE: kind.need}, Expectation(told, (success,), effect=done), later=True,
        )  # fmt: skip
        sent = _sent(operation, channel, items)
        again = Alternative({"results": [False]}, (_ONE,))
        yield _case(
            operation, channel, f"lasting/again-{kind.alias}", f"{said} a second time, a while later", (), items,
            {_ONE: kind.need}, Expectation(twice, (again,), effect=done), later=True, before=(sent,),
        )  # fmt: skip


def _case(
    operation: Operation,
    channel: Channel,
    name: str,
    title: str,
    also: Sequence[str],
    items: list[Any],
    states: Mapping[str, StateNeed],
    expectation: Expectation,
    **more: Any,
) -> Case:
    if len(items) > 1 and not operation.shape.listed:
        more["before"] = tuple(_sent(operation, channel, [one]) for one in items[:-1])
        items, title = items[-1:], title.replace("instructions", "calls")
        right = tuple(_of_the_last(one) for one in expectation.any_of)
        expectation = replace(expectation, any_of=right)
    sent = _sent(operation, channel, items)
    return make.case(
        operation, channel, name, title, also, sent, expectation, states=states, accept=channel.media_type, **more
    )


def _sent(operation: Operation, channel: Channel, items: Sequence[Mapping[str, Any]]) -> Message:
    return make.message(operation, channel, message.body(operation, channel, operation.shape.request(items)))


def _of_the_last(one: Alternative) -> Alternative:
    """What holds of the last of two calls where this holds of a list of both: the first one is done either way."""
    flags = one.wanted.get("results", ())
    untouched = tuple(name for name in one.untouched if name != _ONE)
    wanted = {"results": [flags[-1]]} if flags else one.wanted
    return replace(one, wanted=wanted, cancelled=tuple(dict.fromkeys((_ONE, *one.cancelled))), untouched=untouched)
