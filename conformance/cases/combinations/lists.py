"""The levels of cases whose call takes instructions, one row for each; and the case that has given levels.

An instruction is seen with what it names, its members, and what stands before and behind it. The expectation of a case
that is made of levels comes from the model of the operation.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from conformance.cases.combinations.reading import Ref, read_request
from conformance.cases.generated.lists import Instruction, ListTrial, SetUpOrder, condition_of, of_thing
from conformance.cases.generated.rules import CANCELLED, OPEN, SearchSpace, StateKind, Wire, written
from conformance.cases.generated.stream import may_exist
from conformance.cases.make import Channel, headers_of
from conformance.errors import SpecError
from conformance.model.case import Case, Message
from conformance.model.scenario import Factor

_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_INT32 = 2**31
Levels = dict[str, str]


@dataclass(frozen=True, slots=True)
class _Item:
    """One instruction: the members as they were sent, what it is for, and how it must end."""

    members: Mapping[str, Any]
    abroad: bool
    thing: str
    level: str
    """What it names; empty for what no level stands for."""
    outcome: str
    """open, failing or broken."""


def levels_of_list(space: SearchSpace, factors: Sequence[Factor], case: Case) -> Iterator[Levels]:
    """The levels of each instruction of the judged list; none where the case is about something else."""
    if case.together > 1 or case.beside or case.race or case.session is not None or case.role != space.operation.role:
        return
    request = read_request(space.operation, case, case.message)
    items = None if request is None else _items(space, case, request.value)
    earlier = _earlier(space, case)
    if request is None or items is None or not earlier:
        return
    times = Counter(one.thing for one in items if one.thing)
    sent = {"media-type": case.media_type, "accept": request.accept, "earlier": earlier, "count": _count(len(items))}
    for place, one in enumerate(items):
        level = one.level if times[one.thing] < 2 else "twice" if one.level == "open-order" else ""
        seen = {
            **sent,
            "thing": level,
            "flag": "given" if condition_of(space).flag in one.members else "absent",
            "letters": _letters(space, one),
            "spare": _spare(space, case, one, times),
            "behind": "first" if place == 0 else _neighbour(one, items[place - 1]),
            "ahead": "last" if place == len(items) - 1 else _neighbour(one, items[place + 1]),
        }
        yield {factor.name: _level(space, factor, one, seen) for factor in factors}


def _level(space: SearchSpace, factor: Factor, one: _Item, seen: Mapping[str, str]) -> str:
    if factor.of == "secret":
        return _secret(space, factor.member, one)
    if factor.of == "member":
        value = one.members.get(factor.member, ...)
        right = (
            isinstance(value, Ref) and not value.shifted and value.name == space.operation.fields[factor.member].binding
        )
        return _absence(value) or ("right" if right else "")
    return seen.get(factor.of, "")


def _count(number: int) -> str:
    return str(number) if number < 4 else "more"


def _absence(value: Any) -> str:
    return "absent" if value is ... else "null" if value is None else ""


def _items(space: SearchSpace, case: Case, value: Any) -> list[_Item] | None:
    """The instructions of a request; None where one of them is none, or has a value of another type."""
    entries = space.operation.shape.entries(value)
    if entries is None or not all(isinstance(one, Mapping) for one in entries):
        return None
    fields = space.operation.fields
    for one in entries:
        if not all(name in fields and _is_of_type(fields[name].type, member) for name, member in one.items()):
            return None
        if one.get(condition_of(space).flag, False) is None:
            return None
    return [_item(space, case, one) for one in entries]


def _is_of_type(kind: str | None, value: Any) -> bool:
    if value is None or isinstance(value, Ref):
        return True
    if kind == "integer":
        return isinstance(value, int) and not isinstance(value, bool) and -_INT32 <= value < _INT32
    if kind == "boolean":
        return isinstance(value, bool)
    return isinstance(value, str) and (kind != "guid" or _GUID.fullmatch(value) is not None)


def _item(space: SearchSpace, case: Case, members: Mapping[str, Any]) -> _Item:
    abroad = members.get(condition_of(space).flag) is True
    needs = condition_of(space).half(abroad).needs
    named = _named_by(space, abroad)
    thing, level = _thing(space, case, members.get(named), named, abroad=abroad)
    item = _Item(members, abroad, thing, level, "failing")
    if any(members.get(name) is None for name in needs):
        return replace(item, outcome="broken")
    kind = space.rules.kinds.get(level)
    if kind is not None and kind.stands == OPEN and (not kind.secret or _secret(space, kind.secret, item) == "right"):
        return replace(item, outcome="open")
    return item if level else replace(item, outcome="")


def _named_by(space: SearchSpace, abroad: bool) -> str:
    """The member that says which order an instruction of this kind is for."""
    needs = condition_of(space).half(abroad).needs
    return next(name for name in space.operation.identity if name in needs)


def _thing(space: SearchSpace, case: Case, value: Any, named: str, *, abroad: bool) -> tuple[str, str]:
    """The name and the level of what a member names; empty where it is nothing of which that is known."""
    unknown = "unknown-international" if abroad else "unknown-domestic"
    if isinstance(value, Ref):
        if value.name.startswith("unknown"):
            return "", unknown
        thing, _, member = value.name.rpartition(".")
        need = case.states.get(thing.partition(".")[0])
        known = need is not None and member == named and not value.shifted
        return (thing, need.state) if known and need is not None else ("", "")
    if value is None or may_exist(value, space.operation.fields[named].type):
        return "", ""
    return "", unknown


def _secret(space: SearchSpace, member: str, one: _Item) -> str:
    """Whether an instruction holds the secret of what it is for."""
    value = one.members.get(member, ...)
    if not isinstance(value, Ref):
        return _absence(value) or ("wrong" if value else "empty")
    field = space.operation.fields[member]
    usual = value.name == field.binding and not (one.level in space.rules.kinds and space.rules.kinds[one.level].secret)
    if value.name == f"{one.thing}.{member}" or usual:
        return "right"
    return "wrong" if value.name.startswith("wrong") else ""


def _spare(space: SearchSpace, case: Case, one: _Item, times: Mapping[str, int]) -> str:
    """What the id of the other kind is, which does not count."""
    named = _named_by(space, not one.abroad)
    value = one.members.get(named, ...)
    if value is ... or value is None:
        return _absence(value)
    thing, level = _thing(space, case, value, named, abroad=not one.abroad)
    kind = space.rules.kinds.get(level)
    if level.startswith("unknown"):
        return "unknown"
    return "another" if kind is not None and kind.stands == OPEN and thing not in times else ""


def _letters(space: SearchSpace, one: _Item) -> str:
    value = one.members.get(_named_by(space, one.abroad))
    capitals = value.capitals if isinstance(value, Ref) else isinstance(value, str) and value != value.lower()
    return "capitals" if one.abroad and capitals else "given"


def _neighbour(one: _Item, other: _Item) -> str:
    if other.outcome == "open":
        return "alike" if other.abroad is one.abroad else "other-kind"
    return other.outcome


def _earlier(space: SearchSpace, case: Case) -> str:
    """What was sent before; empty for what no level stands for."""
    if not case.before:
        return "none"
    if not case.before_role and all(one == case.message for one in case.before):
        return "same"
    if len(case.before) > 1 or case.before_role:
        return ""
    before = case.before[0]
    if read_request(space.operation, case, before) is not None:
        return "other"
    others = (one for one in space.channels if one.format is not Channel(case.transport, case.media_type).format)
    readable = (replace(case, transport=one.transport, media_type=one.media_type) for one in others)
    return "other-format" if any(read_request(space.operation, one, before) is not None for one in readable) else ""


# --- the case that has given levels


def case_of_list(space: SearchSpace, factors: Sequence[Factor], row: Mapping[str, str]) -> Case | None:
    """The case with an instruction of these levels, which the model predicts; None where it cannot."""
    by_kind = {str(one.of): row[one.name] for one in factors}
    channel = next(one for one in space.channels if one.media_type == by_kind["media-type"])
    listed, things = _list(space, factors, row, by_kind)
    lists: tuple[tuple[Instruction, ...], ...] = (listed,)
    if by_kind["earlier"] == "same":
        lists = (listed, listed)
    elif by_kind["earlier"] != "none":
        lists = ((_instruction(space, _first_kind(space, abroad=False), "e"),), listed)
        things = {name: replace(one, after=1) for name, one in things.items()}
        things["e"] = SetUpOrder(_first_kind(space, abroad=False).state)
    case = ListTrial(space, Wire(channel), lists, things).case()
    if case is None:
        return None
    accept = None if by_kind["accept"] in ("any", "none") else by_kind["accept"]
    case = replace(case, message=_asking(case.message, channel, by_kind["accept"]), accept=accept)
    if by_kind["earlier"] == "same":
        return replace(case, before=(case.message,))
    if by_kind["earlier"] == "other-format":
        other = next(one for one in space.channels if one.format is not channel.format)
        before = written(space, Wire(other), space.operation.shape.request([one.members for one in lists[0]]))
        return None if before is None else replace(case, before=(before,))
    return case


def _asking(message: Message, channel: Channel, accept: str) -> Message:
    """The message with this Accept header."""
    content_type = headers_of(channel)[:1]
    wanted = () if accept == "none" else (("Accept", "*/*" if accept == "any" else accept),)
    return replace(message, headers=(*content_type, *wanted))


def _list(
    space: SearchSpace, factors: Sequence[Factor], row: Mapping[str, str], by_kind: Mapping[str, str]
) -> tuple[tuple[Instruction, ...], dict[str, SetUpOrder]]:
    """The instruction that has the levels among its neighbours, and everything that is set up."""
    things: dict[str, SetUpOrder] = {}
    focus = _focus(space, factors, row, by_kind, things)
    abroad = focus.members.get(condition_of(space).flag) is True
    told = by_kind.get("count", "1")
    count = 4 if told == "more" else int(told)
    before, after = (
        [] if by_kind.get(side, end) == end else [by_kind[side]]
        for side, end in (("behind", "first"), ("ahead", "last"))
    )
    spare = ["alike"] * (count - 1 - len(before) - len(after))
    kinds = (before, [*after, *spare]) if after else ([*spare, *before], [])
    again = focus.thing if by_kind["thing"] == "twice" else ""
    mates: list[Instruction] = []
    for number, kind in enumerate((*kinds[0], *kinds[1])):
        if again and kind == "alike":
            mates.append(Instruction(_instruction(space, _first_kind(space, abroad=abroad), again).members, again))
            again = ""
        else:
            mates.append(_mate(space, kind, f"m{number}", things, abroad=abroad))
    place = len(kinds[0])
    return (*mates[:place], focus, *mates[place:]), things


def _focus(
    space: SearchSpace, factors: Sequence[Factor], row: Mapping[str, str], by_kind: Mapping[str, str],
    things: dict[str, SetUpOrder],
) -> Instruction:  # fmt: skip
    level, thing = by_kind["thing"], "o"
    state = "open-order" if level == "twice" else level
    if level.startswith("unknown"):
        thing, kind = "", _first_kind(space, abroad=level == "unknown-international")
    else:
        kind = space.rules.kinds[state]
        things[thing] = SetUpOrder(state)
    members = dict(_instruction(space, kind, thing).members)
    abroad = members.get(condition_of(space).flag) is True
    wrong = False
    for factor in factors:
        if factor.of == "secret":
            wrong = bool(kind.secret) and row[factor.name] != "right"
            right = f"${{{thing}.{factor.member}}}" if kind.secret else members[factor.member]
            given = {"right": right, "wrong": f"${{wrong_{factor.member.lower()}}}", "empty": "", "null": None}
            _put(members, factor.member, given.get(row[factor.name], ...))
        elif factor.of == "member":
            given = {"right": members[factor.member], "null": None}
            _put(members, factor.member, given.get(row[factor.name], ...))
    _put(members, _named_by(space, not abroad), _spare_value(space, by_kind["spare"], things, abroad=abroad))
    if by_kind["flag"] == "absent":
        _put(members, condition_of(space).flag, ...)
    if by_kind["letters"] == "capitals":
        named = _named_by(space, abroad)
        members[named] = str(members[named]).replace("}", "^}")
    return Instruction(members, thing, wrong, doubtful=by_kind["spare"] in ("unknown", "another"))


def _put(members: dict[str, Any], name: str, value: Any) -> None:
    """The value in its place, or the member taken out."""
    if value is ...:
        members.pop(name, None)
    else:
        members[name] = value


def _spare_value(space: SearchSpace, level: str, things: dict[str, SetUpOrder], *, abroad: bool) -> Any:
    if level in ("null", "absent"):
        return None if level == "null" else ...
    named = _named_by(space, not abroad)
    if level == "unknown":
        return _unknown(space, named, 7)
    other = _first_kind(space, abroad=not abroad)
    things["spare"] = SetUpOrder(other.state)
    return of_thing(other.instruction[named], "spare")


def _unknown(space: SearchSpace, named: str, number: int = 0) -> str:
    """A value that names nothing, another one for each number."""
    place = space.operation.fields[named].unknown or "${unknown_uid}"
    return f"{place[:-1]}+{number}}}" if number else place


def _first_kind(space: SearchSpace, *, abroad: bool) -> StateKind:
    """The usual open thing of this kind."""
    for kind in space.rules.kinds.values():
        if kind.is_plain and _abroad(space, kind) is abroad:
            return kind
    raise SpecError("no open thing of a kind can be set up", where=str(space.operation.folder / "operation.yaml"))


def _abroad(space: SearchSpace, kind: StateKind) -> bool:
    return kind.instruction.get(condition_of(space).flag) is True


def _instruction(space: SearchSpace, kind: StateKind, thing: str, number: int = 0) -> Instruction:
    """The documented instruction for a thing, or, without one, for one that does not exist."""
    if thing:
        return Instruction({name: of_thing(value, thing) for name, value in kind.instruction.items()}, thing)
    fields = space.operation.fields
    plain = {
        name: f"${{{fields[name].binding}}}" if isinstance(value, str) and "|" in value else value
        for name, value in kind.instruction.items()
    }
    named = _named_by(space, _abroad(space, kind))
    return Instruction({**plain, named: _unknown(space, named, number)})


def _mate(space: SearchSpace, kind: str, name: str, things: dict[str, SetUpOrder], *, abroad: bool) -> Instruction:
    """A neighbour of a kind; what fails is an order that was cancelled, or none at all, by turns."""
    usual = _first_kind(space, abroad=abroad is (kind != "other-kind"))
    if kind in ("alike", "other-kind"):
        things[name] = SetUpOrder(usual.state)
        return _instruction(space, usual, name)
    number = 1 + int(name[1:])
    gone = next(
        (one for one in space.rules.kinds.values() if one.stands == CANCELLED and _abroad(space, one) is abroad), None
    )
    if kind == "failing" and gone is not None and number % 2:
        things[name] = SetUpOrder(gone.state)
        return _instruction(space, gone, name)
    one = _instruction(space, usual, "", number)
    return Instruction({**one.members, _named_by(space, abroad): None}) if kind == "broken" else one
