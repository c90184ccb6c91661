"""Makes up list trials from a random source: ids that name nothing, orders in every state, sequences, copies."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

from conformance.cases.generated.lists import (
    Instruction,
    Listed,
    ListTrial,
    ManyTrial,
    SetUpOrder,
    condition_of,
    judged_instruction,
    of_thing,
)
from conformance.cases.generated.rules import OPEN, SearchSpace, StateKind, Trial, Wire, random_wire
from conformance.model.spec import Field

_TEXTS = (
    "",
    " ",
    "0",
    "0000",
    "00001234",
    "pin",
    "a b",
    "\u00e9\u4e2d\U0001f511",
    "<&>'\"",
    "]]>",
    "null",
    "true",
    "%00",
    "x" * 64,
)
_EDGE_UIDS = (
    "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", "00000000-0000-0000-0000-000000000001",
    "FFFFFFFF-FFFF-4FFF-BFFF-FFFFFFFFFFFF",
)  # fmt: skip
_SPREAD = 1000
_CARELESS = 0.15
"""How often an order that is there is named by an instruction with a hole in it."""
_UPPER, _BOTH = 0.1, 0.1
"""How often it is named in capitals, and how often beside an id of the other kind, which does not count."""
_INT32 = 2**31
_MANY = (8, 24, 64)
_BYSTANDER = "b"
ABSENT = object()


def random_list_trial(space: SearchSpace, random: Random, *, live: bool) -> Trial:
    """A trial; `live` ones name orders that are set up for it."""
    wire = random_wire(space, random)
    if not live:
        listed = tuple(_unknown(space, random) for _ in range(_length(space, random)))
        twin = random_wire(space, random) if random.random() < 0.05 and _is_sound(space, listed) else None
        return ListTrial(space, wire, (listed,), twin=twin)
    chance = random.random()
    if chance < 0.2 and not space.operation.shape.listed:
        return _sequence(space, wire, random)
    if chance < 0.2:
        kinds = [kind for kind in space.rules.kinds.values() if kind.is_plain]
        return ManyTrial(space, Wire(wire.channel), random.choice(kinds).state, random.choice(_MANY))
    if chance < 0.35:
        return _sequence(space, wire, random)
    if chance < 0.42:
        kind = _kind(space, random)
        one = _for_thing(space, kind, "o0", random)
        return ListTrial(space, wire, ((one,),), {"o0": SetUpOrder(kind.state)}, copies=random.randint(2, 6))
    things: dict[str, SetUpOrder] = {}
    listed = _mixed(space, random, things, turn=0)
    twin = random_wire(space, random) if random.random() < 0.15 and _is_sound(space, listed) else None
    return ListTrial(space, wire, (listed,), things, twin)


def _sequence(space: SearchSpace, wire: Wire, random: Random) -> ListTrial:
    things: dict[str, SetUpOrder] = {}
    lists = tuple(_mixed(space, random, things, turn) for turn in range(random.randint(2, 4)))
    return ListTrial(space, wire, lists, things)


def _mixed(space: SearchSpace, random: Random, things: dict[str, SetUpOrder], turn: int) -> Listed:
    """Orders set up for this list, orders of earlier lists once more, now and then one twice, unknown ones between."""
    listed: list[Instruction] = []
    for _ in range(_length(space, random)):
        chance = random.random()
        named = [name for name in things if not name.startswith(_BYSTANDER)]
        if named and chance < (0.5 if turn else 0.1):
            name = random.choice(sorted(named))
        elif chance < 0.8 or not listed:
            name = f"o{len(things)}"
            things[name] = SetUpOrder(_kind(space, random).state, turn)
        else:
            listed.append(_unknown(space, random, whole=True))
            continue
        kind = space.rules.kinds[things[name].state]
        one = _for_thing(space, kind, name, random)
        listed.append(_with_both_ids(space, kind, one, things, turn, random) if random.random() < _BOTH else one)
    return tuple(listed)


def _with_both_ids(
    space: SearchSpace, kind: StateKind, one: Instruction, things: dict[str, SetUpOrder], turn: int, random: Random
) -> Instruction:
    """With an id of the other kind as well: of nothing, or of an order that is there and that no instruction is for."""
    operation = space.operation
    spare = [name for name in operation.identity if kind.instruction.get(name) is None]
    others = [
        other
        for other in space.rules.kinds.values()
        if other.stands == OPEN and spare and other.instruction.get(spare[0])
    ]
    if not others:
        return one
    if random.random() < 0.5:
        value = _value(operation.fields[spare[0]], random, needed=True)
        return replace(one, members={**one.members, spare[0]: value})
    name = f"{_BYSTANDER}{len(things)}"
    things[name] = SetUpOrder(others[0].state, turn)
    return replace(one, members={**one.members, spare[0]: of_thing(others[0].instruction[spare[0]], name)})


def _is_sound(space: SearchSpace, listed: Listed) -> bool:
    """Whether every instruction is complete and for an order of its own, so that the same answer comes in any form."""
    names = [one.thing for one in listed if one.thing]
    return len(set(names)) == len(names) and all(judged_instruction(space, one).sort == "whole" for one in listed)


def _length(space: SearchSpace, random: Random) -> int:
    if not space.operation.shape.listed:
        return 1
    chance = random.random()
    return 1 if chance < 0.55 else random.randint(2, 3) if chance < 0.85 else random.randint(4, 8)


def _kind(space: SearchSpace, random: Random) -> StateKind:
    kinds = list(space.rules.kinds.values())
    return random.choice(kinds[:2] if random.random() < 0.5 else kinds)


def _for_thing(space: SearchSpace, kind: StateKind, name: str, random: Random) -> Instruction:
    """The documented instruction for an order of this kind, now and then with a hole or with the wrong secret."""
    upper = random.random() < _UPPER
    fields = space.operation.fields
    members = {
        member: _in_capitals(of_thing(value, name))
        if upper and fields[member].type == "guid"
        else of_thing(value, name)
        for member, value in kind.instruction.items()
    }
    if not kind.secret:
        return Instruction(_careless(space, kind, members, random) if random.random() < _CARELESS else members, name)
    if random.random() < 0.6:
        return Instruction({**members, kind.secret: f"${{{name}.{kind.secret}}}"}, name)
    return Instruction({**members, kind.secret: random.choice(kind.wrong)}, name, wrong=True)


def _in_capitals(value: Any) -> Any:
    return value.replace("}", "^}") if isinstance(value, str) else value


def _careless(space: SearchSpace, kind: StateKind, members: dict[str, Any], random: Random) -> dict[str, Any]:
    """With one member null or left out, needed or not, but none that says which order is meant.

    A secret stays: whether an order needs one is the service's choice, but for an order whose kind needs none.
    """
    operation = space.operation
    secrets = {other.secret for other in space.rules.kinds.values()} - {kind.without}
    kept = {*operation.identity, *secrets}
    chosen = random.choice([name for name in members if operation.fields[name].nullable and name not in kept])
    if random.random() < 0.5:
        return {**members, chosen: None}
    return {name: value for name, value in members.items() if name != chosen}


def _unknown(space: SearchSpace, random: Random, *, whole: bool = False) -> Instruction:
    """An instruction for an order that does not exist; unless `whole`, members may be null or left out."""
    condition = condition_of(space)
    flagged = random.random() < 0.65
    needs = condition.half(flagged).needs
    members: dict[str, Any] = {}
    for name, field in space.operation.fields.items():
        value = flagged if name == condition.flag else _value(field, random, needed=name in needs)
        careless = not whole and random.random() < 0.04
        if careless and field.nullable:
            value = None if random.random() < 0.5 else ABSENT
        if name == condition.flag and not flagged and random.random() < 0.1:
            value = ABSENT
        if value is not ABSENT:
            members[name] = value
    return Instruction(members)


def _value(field: Field, random: Random, *, needed: bool) -> Any:
    """A value of a member's type; what is not needed is null, left out, or there all the same."""
    kind = field.type
    chance = random.random()
    if not needed and chance < 0.7 and kind in ("guid", "integer"):
        return None if chance < 0.5 else ABSENT
    if kind == "guid":
        return random_uid(random)
    if field.unknown:
        return f"{field.unknown[:-1]}+{random.randrange(_SPREAD)}}}"
    if kind == "integer":
        return f"${{{field.binding}}}" if chance < 0.85 else random.randrange(-_INT32, _INT32)
    if kind == "boolean":
        return random.random() < 0.5
    if chance < 0.6:
        return f"${{{field.binding}}}"
    return None if chance < 0.7 else ABSENT if chance < 0.8 else random.choice(_TEXTS)


def random_uid(random: Random) -> str:
    """A GUID that nobody gave out: any bits, in any letter case, now and then an edge."""
    chance = random.random()
    if chance < 0.03:
        return random.choice(_EDGE_UIDS)
    digits = f"{random.getrandbits(128):032x}"
    text = f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
    return text.upper() if chance < 0.13 else text
