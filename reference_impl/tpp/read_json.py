"""Reading a list of instructions from JSON: names in any case, types strictly."""

from __future__ import annotations

from typing import Any, NoReturn

from reference_impl.depth import load_json
from reference_impl.tpp.fields import INT32, Members, build, within
from reference_impl.tpp.guid import canonical_guid
from reference_impl.tpp.values import NO_INSTRUCTION, Instruction, Items, UnreadableList


def read_json(
    text: str, *, bound: int = INT32, items: Items = "refused", nulls: Items = "refused"
) -> list[Instruction]:
    """The instructions; `null` and an empty text are an empty list; raises `UnreadableList`.

    A member of the wrong type, or an integer beyond `bound`, breaks its own instruction only. `nulls` says what becomes
    of a null in the list, `items` what becomes of anything else that is no instruction.
    """
    if not text.strip():
        return []
    try:
        value = load_json(text, parse_constant=_no_constant)
    except ValueError as error:
        raise UnreadableList("The body is not valid JSON.") from error
    if value is None:
        return []
    if not isinstance(value, list):
        raise UnreadableList("The body is not a list of cancellation instructions.")
    found: list[Instruction] = []
    for item in value:
        fate = nulls if item is None else items
        if isinstance(item, dict):
            found.append(_instruction(item, bound))
        elif fate == "refused":
            raise UnreadableList("The body is not a list of cancellation instructions.")
        elif fate == "broken":
            found.append(Instruction(problem=NO_INSTRUCTION))
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _instruction(item: dict[str, Any], bound: int) -> Instruction:
    values = {name.lower(): value for name, value in item.items()}
    members = Members()
    return build(
        members,
        order_id=members.read("OrderID", lambda: _integer(values.get("orderid"), bound)),
        creator_id=members.read("CreatorID", lambda: _integer(values.get("creatorid"), bound)),
        pin=members.read("PIN", lambda: _text(values.get("pin"))),
        is_international=members.read("IsInternationalOrder", lambda: _boolean(values.get("isinternationalorder"))),
        uid=members.read("InternationalOrderUID", lambda: _guid(values.get("internationalorderuid"))),
    )


def _integer(value: Any, bound: int) -> int | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise ValueError(value)
    return None if value is None else within(value, bound)


def _text(value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise ValueError(value)
    return value


def _boolean(value: Any) -> bool | None:
    if value is not None and not isinstance(value, bool):
        raise ValueError(value)
    return value


def _guid(value: Any) -> str | None:
    if value is None:
        return None
    guid = canonical_guid(value) if isinstance(value, str) else None
    if guid is None:
        raise ValueError(value)
    return guid
