"""All named cases of a contract, from its data alone, in the order of their ids.

The bodies of named cases with made-up ids in their places, for checks that need bytes and no target.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace

from conformance.cases.combinations.arrays import combination_cases, counted
from conformance.cases.families.data import data_cases
from conformance.cases.families.list.conditions import condition_cases
from conformance.cases.families.list.fields import instruction_field_cases
from conformance.cases.families.list.forms import malformed_list_cases
from conformance.cases.families.list.negotiation import negotiation_cases
from conformance.cases.families.list.relations import list_relation_cases
from conformance.cases.families.list.traps import trap_cases
from conformance.cases.families.object.codes import code_cases
from conformance.cases.families.object.fields import object_field_cases
from conformance.cases.families.object.malformed import malformed_object_cases
from conformance.cases.families.object.relations import object_relation_cases
from conformance.cases.families.object.wire_forms import frame_cases, http_form_cases, way_cases
from conformance.cases.families.races import race_cases
from conformance.cases.families.spellings import GRAMMARS, key_of, spelling_cases
from conformance.cases.message import fill_body, is_text, places
from conformance.cases.sample import check_sampled, sampled
from conformance.cases.scenario import scenario_cases
from conformance.contract.check.problems import CaseSet, Specimen
from conformance.contract.operation import AppliesTo, RequirementKey, demand_keys
from conformance.errors import SpecError
from conformance.formats.base import Format
from conformance.formats.registry import format_for
from conformance.formats.xml.format import XML
from conformance.model.case import Body, Case, Transport
from conformance.model.spec import Contract, Operation, Shape

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
    way_cases,
    object_relation_cases,
    race_cases,
    spelling_cases,
    combination_cases,
)
_INSTRUCTIONS: tuple[Family, ...] = (
    scenario_cases,
    condition_cases,
    instruction_field_cases,
    malformed_list_cases,
    negotiation_cases,
    list_relation_cases,
    trap_cases,
    race_cases,
    spelling_cases,
    combination_cases,
)

_DATA: tuple[Family, ...] = (scenario_cases, data_cases)
_FAMILIES = {
    Shape.STANDARD: _OBJECT,
    Shape.PAIR: _OBJECT,
    Shape.RESULTS: _INSTRUCTIONS,
    Shape.RESULT: _INSTRUCTIONS,
    Shape.DATA: _DATA,
}

_INSTRUCTED = AppliesTo((Shape.RESULTS, Shape.RESULT))
_IN_FORMATS = AppliesTo((Shape.RESULTS, Shape.RESULT, Shape.DATA))
_OBJECTS = AppliesTo((Shape.STANDARD, Shape.PAIR))
_XML, _WEBSOCKET = AppliesTo((Shape.RESULTS, Shape.RESULT, Shape.DATA), format=XML), AppliesTo(transport=Transport.WS)
KEYS = (
    *(RequirementKey(name) for name in ("effect", "malformed", "bad-input", "media-type", "route")),
    RequirementKey("refusal", _OBJECTS),
    *(RequirementKey(name, _OBJECTS, needed=False) for name in ("key-case", "operator")),
    *(RequirementKey(name, _INSTRUCTED) for name in ("error-string", "framework-error")),
    RequirementKey("roles", AppliesTo((Shape.DATA,)), needed=False),
    *(
        RequirementKey(name, _WEBSOCKET)
        for name in ("frame-m", "frame-i", "frame-n", "frame-o", "frame-type", "frame-malformed")
    ),
    RequirementKey("same-transport", _WEBSOCKET),
    RequirementKey("ways", _OBJECTS, needed=False),
    *(RequirementKey(key_of(grammar), needed=False) for grammar in GRAMMARS),
    RequirementKey("parameters", _INSTRUCTED, needed=False),
    RequirementKey("nothing-opened", _XML, needed=False),
    *(RequirementKey(name, _IN_FORMATS, needed=False) for name in ("method", "unsupported-media")),
    *(RequirementKey(name, _INSTRUCTED, needed=False) for name in ("multiple", "broken", "error-status", "twice")),
    RequirementKey("formats-agree", _IN_FORMATS, needed=False),
    *(
        RequirementKey(f"request-xml-{part}", _XML, needed=False)
        for part in ("root", "namespace", "item", "order", "nil")
    ),
)
"""The requirement keys by which the families find what their cases speak for; checks have keys of their own."""


def build_cases(operation: Operation) -> tuple[Case, ...]:
    """The named cases of one operation. Raises `SpecError` for a missing key, for two cases with one id, and as `check_sampled`."""
    demand_keys(operation, KEYS)
    found: dict[str, Case] = {}
    for family in _FAMILIES[operation.shape]:
        for case in sampled(operation, _cases_of(family, operation)):
            if case.id in found:
                raise SpecError(f"two cases have the id {case.id}", where=str(operation.folder))
            found[case.id] = case
    check_sampled(operation, found.values())
    grid = counted(operation)
    cases = [found[identifier] for identifier in sorted(found)]
    if grid is None:
        return tuple(cases)
    return tuple(case if case.edition else replace(case, rows=grid.texts(case)) for case in cases)


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


_FIRST_ID = 1001
_LONGEST_LIST = 50


def case_set(contract: Contract) -> CaseSet:
    """The cases that the contract's data gives now, and their bodies."""
    cases = build_all(contract)
    return CaseSet(cases, tuple(specimens(cases)))


def specimens(cases: tuple[Case, ...]) -> Iterator[Specimen]:
    """One for each message of each case; a long list is cut to fifty items, which are all alike."""
    for case in cases:
        sent = [(case.media_type, one) for one in (case.message, *(other.message for other in case.beside))]
        sent += [(case.twin.media_type, message) for message in case.twin.messages] if case.twin else []
        for media_type, message in sent:
            into = format_for(media_type)
            yield Specimen(case.id, case.operation, into.name, _filled(message.body, into))


def _filled(body: Body, into: Format) -> bytes:
    if body.repeat is not None and body.repeat.count > _LONGEST_LIST:
        repeat = type(body.repeat)(body.repeat.head, body.repeat.separator, body.repeat.tail, _LONGEST_LIST)
        body = replace(body, repeat=repeat)
    count = body.repeat.count if body.repeat else 1
    names = dict.fromkeys(
        name.replace("#", str(index)) for name in places(body.template) for index in range(count if "#" in name else 1)
    )
    bindings = {name: _made_up(name, number) for number, name in enumerate(names, _FIRST_ID)}
    return fill_body(body, bindings, into)


def _made_up(name: str, number: int) -> int | str:
    if not is_text(name):
        return number
    return f"{number % 10_000:04d}" if name.lower().endswith("pin") else f"6269c403-5b9f-47dd-b8c3-{number:012d}"
