"""All named cases of a contract, from its data alone, in the order of their ids."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from conformance.cases.families.codes import code_cases
from conformance.cases.families.conditions import condition_cases
from conformance.cases.families.frames import frame_cases
from conformance.cases.families.http_forms import http_form_cases
from conformance.cases.families.instruction_fields import instruction_field_cases
from conformance.cases.families.list_relations import list_relation_cases
from conformance.cases.families.malformed_json import malformed_object_cases
from conformance.cases.families.malformed_list import malformed_list_cases
from conformance.cases.families.negotiation import negotiation_cases
from conformance.cases.families.object_fields import object_field_cases
from conformance.cases.families.relations import object_relation_cases
from conformance.cases.scenario import scenario_cases
from conformance.errors import SpecError
from conformance.model.case import Case
from conformance.model.spec import Contract, Operation

_UNEXPECTED_SHAPE = (LookupError, TypeError, AttributeError, ValueError, AssertionError, StopIteration, RuntimeError)
"""What a family raises when the data lacks a key, or has a list where a mapping belongs."""
Family = Callable[[Operation], Iterator[Case]]

_OBJECT: tuple[Family, ...] = (
    scenario_cases,
    object_field_cases,
    code_cases,
    malformed_object_cases,
    frame_cases,
    http_form_cases,
    object_relation_cases,
)
_LIST: tuple[Family, ...] = (
    scenario_cases,
    condition_cases,
    instruction_field_cases,
    malformed_list_cases,
    negotiation_cases,
    list_relation_cases,
)
FAMILIES: dict[str, tuple[Family, ...]] = {"standard": _OBJECT, "pair": _OBJECT, "results": _LIST}


def build_cases(operation: Operation) -> tuple[Case, ...]:
    """The named cases of one operation. Raises `SpecError` when two of them would share an id."""
    found: dict[str, Case] = {}
    for family in FAMILIES[operation.answer]:
        for case in _cases_of(family, operation):
            if case.id in found:
                raise SpecError(f"two cases have the id {case.id}", where=str(operation.folder))
            found[case.id] = case
    return tuple(found[identifier] for identifier in sorted(found))


def _cases_of(family: Family, operation: Operation) -> Iterator[Case]:
    """The cases of a family; what its readers stumble over in the data is the data's fault."""
    try:
        yield from family(operation)
    except _UNEXPECTED_SHAPE as error:
        what = f"no cases can be made ({family.__name__}): {type(error).__name__} {error}"
        hint = "A key is missing or has another shape than its readers expect; docs/authoring.md lists the keys."
        raise SpecError(what, where=str(operation.folder / "operation.yaml"), hint=hint) from error


def build_all(contract: Contract, operations: Collection[str] | None = None) -> tuple[Case, ...]:
    """The named cases of the chosen operations (default: all)."""
    chosen = [contract.operations[name] for name in sorted(contract.operations) if not operations or name in operations]
    return tuple(case for operation in chosen for case in build_cases(operation))
