"""Generated cases by number: each is a corpus value in one wire form over one channel, the same for everyone."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.cases import expect, make, render
from conformance.cases.corpus.forms import HEADERS, JSON_FORMS, XML_FORMS, WireForm
from conformance.cases.corpus.values import CorpusValue, load_values
from conformance.cases.families.malformed_json import or_unanswered
from conformance.cases.make import Channel, channels
from conformance.codec.xml_codec import XmlContract
from conformance.errors import UsageError
from conformance.model.case import Alternative, Body, Case, Expectation, Message
from conformance.model.spec import Contract, Operation

SHARES: Mapping[str, int] = {"standard": 1, "pair": 2, "results": 7}
"""How many of each ten cases go to an operation of each kind of answer, formats weighed by how much they can hide."""
_STEP = 7
"""Coprime to the numbers of forms and channels, so that neighbours differ in all of them."""
_LIVE_EVERY = 20
_SMALL = 2**17
_REFUSALS = [20, 100, 104, 106]
_REFUSED = Alternative({"form": "refused"})
_NONE_SUCCEEDS = Alternative({"results": "none"})
_FRAMEWORK = Alternative({"form": "framework"})


@dataclass(frozen=True, slots=True)
class Source:
    """The corpus of one operation with everything that its cases are made of."""

    operation: Operation
    values: Sequence[CorpusValue]
    channels: tuple[Channel, ...]
    contract: XmlContract | None

    @property
    def size(self) -> int:
        """How many different cases there are."""
        forms = sum(len(XML_FORMS if one.form == "xml" else JSON_FORMS) for one in self.channels)
        return len(self.values) * forms


def sources(contract: Contract, operations: Collection[str] | None, seed: int) -> tuple[Source, ...]:
    """The sources of the chosen operations, in the order of their ids."""
    chosen = [contract.operations[name] for name in sorted(contract.operations) if not operations or name in operations]
    return tuple(
        Source(
            operation,
            load_values(operation, seed),
            tuple(channels(operation)),
            render.xml_contract(operation) if "xsd" in operation.raw else None,
        )
        for operation in chosen
    )


def numbers(found: Sequence[Source], count: int) -> Iterator[tuple[Source, int]]:
    """The first `count` numbered cases, dealt to the operations by their shares. Raises `UsageError` beyond the corpus."""
    dealt = [source for source in found for _ in range(SHARES[source.operation.answer])]
    room = {source.operation.id: source.size for source in found}
    if count > sum(room.values()):
        raise UsageError(f"--generated {count} is more than the corpus has", hint=f"The most is {sum(room.values())}.")
    next_number = dict.fromkeys(room, 0)
    given = 0
    while given < count:
        for source in dealt:
            name = source.operation.id
            if given < count and next_number[name] < room[name]:
                yield source, next_number[name]
                next_number[name] += 1
                given += 1


def generated_case(source: Source, number: int) -> Case:
    """The case of this number. Every twentieth in the first round is a live one: its order is really there."""
    lap = number // len(source.values)
    value = source.values[number % len(source.values)]
    turn = lap + number * _STEP
    channel = source.channels[turn % len(source.channels)]
    forms = XML_FORMS if channel.form == "xml" else JSON_FORMS
    form = forms[(turn // len(source.channels)) % len(forms)]
    if number % _LIVE_EVERY == _LIVE_EVERY - 1 and lap % 4 == 0:
        return _live(source, number, channel, form)
    return value_case(source, number, value, channel, form, turn)


def value_case(source: Source, number: int, value: CorpusValue, channel: Channel, form: WireForm, turn: int) -> Case:
    """A value in a form over a channel; over another one where there is nothing to break, or XML cannot say it."""
    forms = XML_FORMS if channel.form == "xml" else JSON_FORMS
    shown = only_named(source.operation, channel, value.value)
    body = form.write(shown, source.contract)
    if form.standing == "broken" and body == forms[0].write(shown, source.contract):
        form = next(one for one in forms if one.name == "cut-off")  # there was nothing in the text to break
        body = form.write(shown, source.contract)
    if body is None:  # XML cannot say this value
        channel = next(one for one in source.channels if one.form == "json")
        form = JSON_FORMS[turn % len(JSON_FORMS)]
        body = form.write(value.value, None)
        assert body is not None
    expectation = _expectation(source, channel, value, form)
    return _case(source, number, channel, form, turn, body, expectation, value.breaks)


def find_case(contract: Contract, case_id: str, seed: int) -> Case | None:
    """The generated case of this id; None for an id of another kind, or one that the corpus does not have."""
    parts = case_id.partition("@")[0].split("/")
    if len(parts) != 3 or parts[1] != "generated" or not parts[2].isdigit():
        return None
    for source in sources(contract, None, seed):
        if source.operation.short == parts[0] and int(parts[2]) < source.size:
            found = generated_case(source, int(parts[2]))
            return found if found.id == case_id else None
    return None


def relation_key(source: Source, number: int, case: Case) -> tuple[str, int] | None:
    """What cases must share to be answered alike: a value, in any legal form.

    A value that breaks the schema has no meaning that JSON and XML share, so it is compared in JSON alone.
    """
    place = number % len(source.values)
    comparable = case.title.startswith("legal") and not case.states
    positive = source.values[place].positive
    return (case.operation, place) if comparable and (positive or case.media_type.endswith("json")) else None


def only_named(operation: Operation, channel: Channel, value: Any) -> Any:
    """For XML: only the members that the document names, for an element can have no other name."""
    if channel.form != "xml" or not isinstance(value, list):
        return value
    names = operation.raw["fields"]
    return [{key: part for key, part in item.items() if key in names} if isinstance(item, dict) else item for item in value]


def _case(
    source: Source, number: int, channel: Channel, form: WireForm, turn: int, body: Body, expectation: Expectation,
    breaks: str, **more: Any,
) -> Case:  # fmt: skip
    operation = source.operation
    return Case(
        id=f"{operation.short}/generated/{number:06}@{make.suffix(operation, channel)}",
        operation=operation.id,
        title=f"{form.standing}: {form.name}" + (f", breaks {breaks}" if breaks else ""),
        requirements=(breaks or expectation.requirement,),
        role=str(operation.raw["role"]),
        transport=channel.transport,
        media_type=channel.media_type,
        message=message_in(operation, channel, form, turn, body),
        expect=expectation,
        tier="generated",
        **more,
    )


def message_in(operation: Operation, channel: Channel, form: WireForm, turn: int, body: Body) -> Message:
    """The message with this body; `turn` chooses the way in which its headers are written."""
    if channel.transport == "ws":
        return make.message(operation, channel, body)
    headers = tuple(
        (name, text.replace("{}", channel.media_type + form.charset).replace("{answer}", channel.media_type))
        for name, text in HEADERS[turn % len(HEADERS)]
    )
    return Message(body, operation.method, operation.path, headers)


def _live(source: Source, number: int, channel: Channel, form: WireForm) -> Case:
    """A legal request for something that is there: it must be done, in this form as in any other."""
    operation = source.operation
    legal = form if form.standing == "legal" else (XML_FORMS if channel.form == "xml" else JSON_FORMS)[0]
    body = legal.write(operation.valid, source.contract)
    assert body is not None
    states = make.states_of(operation.raw["states"])
    expectation = expect.done(operation, operation.attribution["malformed"], make.state_names(states))
    lane = "shared" if operation.answer == "results" else "desk"
    return _case(source, number, channel, legal, number, body, expectation, "", states=states, lane=lane)


def _expectation(source: Source, channel: Channel, value: CorpusValue, form: WireForm) -> Expectation:
    operation = source.operation
    requirement = value.breaks or operation.attribution["malformed"]
    if operation.answer == "results":
        return Expectation(requirement, _list_alternatives(value, form))
    if form.standing == "legal":
        hopeless = _names_nothing(operation, value.value) if value.positive else not _may_be_understood(value.value)
    else:
        hopeless = form.standing == "broken"
    codes = _REFUSALS if hopeless else [0, *_REFUSALS]
    expectation = Expectation(requirement, (Alternative({"code": codes}),))
    return or_unanswered(expectation, ()) if channel.transport == "ws" and form.standing != "legal" else expectation


def _list_alternatives(value: CorpusValue, form: WireForm) -> tuple[Alternative, ...]:
    if form.standing == "broken":
        return (_REFUSED,)
    if form.standing == "lenient":
        return (_NONE_SUCCEEDS, _REFUSED, _FRAMEWORK)
    if not value.positive:
        return (_NONE_SUCCEEDS, _REFUSED)
    flags = ["any" if _may_exist(item.get("OrderID")) else False for item in value.value]
    return (Alternative({"results": flags}), _REFUSED)


def _may_exist(identifier: Any) -> bool:
    """Small numbers may be somebody's ids; the places of unknown ids, and large numbers, are nobody's."""
    return isinstance(identifier, int) and abs(identifier) < _SMALL


def _names_nothing(operation: Operation, value: Any) -> bool:
    """Whether a legal request cannot succeed: some id in it is certain to name nothing."""
    if not isinstance(value, Mapping):
        return False
    if operation.answer == "pair":  # a quote that is not there may be answered with a receipt, an unknown OMS may not
        names = [name for name in value if operation.raw["fields"].get(name, {}).get("binding") == "oms"]
    else:
        names = [name for name in value if name in operation.raw["fields"]]
    return any(_is_unknown(value[name]) for name in names)


def _may_be_understood(value: Any) -> bool:
    """Whether a lenient reader may take a request that breaks the schema: numbers as text, nulls, flags, lists of one."""
    if not isinstance(value, Mapping):
        return isinstance(value, list)
    return any(
        content is None or isinstance(content, bool | float | list) or (isinstance(content, str) and not content.strip("+-0123456789. "))
        for content in value.values()
    )


def _is_unknown(identifier: Any) -> bool:
    if isinstance(identifier, str):
        return identifier.startswith("${unknown")
    return isinstance(identifier, int) and abs(identifier) >= _SMALL
