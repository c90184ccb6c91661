"""The truth table of a conditional rule: every combination of the flag with each member given, null and left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from conformance.cases import expect, make, render
from conformance.cases.make import Channel, channels
from conformance.model.case import Alternative, Case, Expectation, StateNeed
from conformance.model.spec import Operation

GIVEN, NULL, ABSENT = "given", "null", "absent"
_FLAGS: tuple[tuple[str, Any], ...] = (("true", True), ("false", False), ("absent", None))
_STATES = {"order": StateNeed("open-order"), "abroad": StateNeed("open-international-order")}


def condition_cases(operation: Operation) -> Iterator[Case]:
    """One case for each row and media type; none where the operation has no conditional rule."""
    condition = operation.raw.get("condition")
    if condition is None:
        return
    members = ("OrderID", "CreatorID", "InternationalOrderUID")
    for channel in channels(operation):
        for (flag_name, flag), presences in product(_FLAGS, product((GIVEN, NULL, ABSENT), repeat=len(members))):
            row = dict(zip(members, presences, strict=True))
            yield _row_case(operation, channel, condition, flag_name, flag, row)


def _row_case(
    operation: Operation,
    channel: Channel,
    condition: Mapping[str, Any],
    flag_name: str,
    flag: bool | None,
    row: Mapping[str, str],
) -> Case:
    given = {
        "OrderID": "${order.OrderID}",
        "CreatorID": "${creator}",
        "InternationalOrderUID": "${abroad.InternationalOrderUID}",
    }
    item = {name: None if presence == NULL else given[name] for name, presence in row.items() if presence != ABSENT}
    item["PIN"] = "${pin}"
    if flag is not None:
        item[condition["flag"]] = flag  # type: ignore[assignment]  # a flag among ids
    rule = condition["when_true" if flag else "when_false"]
    lacking = [name for name in rule["needs"] if row[name] != GIVEN]
    requirement = rule["requirement"][lacking[0] if lacking else rule["needs"][-1]]
    name = "-".join([f"flag-{flag_name}", *(f"{short}-{row[member]}" for member, short in _SHORT.items())])
    sent = make.message(operation, channel, render.body(operation, channel, [item]))
    return make.case(
        operation,
        channel,
        f"conditions/{name}",
        _title(condition["flag"], flag_name, row),
        [*(rule["requirement"][member] for member in lacking), *([operation.attribution["broken"]] if lacking else [])],
        sent,
        _expectation(operation, requirement, bool(flag), lacking, row),
        states=_STATES,
        accept=channel.media_type,
    )


_SHORT = {"OrderID": "order", "CreatorID": "creator", "InternationalOrderUID": "uid"}


def _title(flag: str, value: str, row: Mapping[str, str]) -> str:
    return ", ".join([f"{flag} {value}", *(f"{name} {presence}" for name, presence in row.items())])


def _expectation(
    operation: Operation, requirement: str, international: bool, lacking: Sequence[str], row: Mapping[str, str]
) -> Expectation:
    named, other = ("abroad", "order") if international else ("order", "abroad")
    if lacking:
        return expect.broken_instruction(operation, requirement, ("order", "abroad"))
    success = Alternative({"results": [True]}, cancelled=(named,), untouched=(other,))
    spare = row["OrderID"] if international else row["InternationalOrderUID"]
    if spare != GIVEN:
        return Expectation(requirement, (success,), effect=requirement, outside=operation.attribution["effect"])
    # an id of the other kind stands there too: the document neither forbids it nor says that it is ignored
    failed = expect.broken_instruction(operation, requirement, ("order", "abroad")).any_of
    return Expectation(requirement, (success, *failed), effect=requirement, outside=operation.attribution["effect"])
