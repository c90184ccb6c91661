"""Generated cases by number: each is a corpus value in one wire form over one channel, the same for everyone.

The live cases of the generated tier: trials of the operation's model, each by its number the same for everyone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import islice
from random import Random
from typing import Any

from conformance.cases import expect, make
from conformance.cases.expect import Ruling
from conformance.cases.families.object.malformed import or_unanswered
from conformance.cases.generated.account_grammar import random_account_trial
from conformance.cases.generated.accounts import MODELS
from conformance.cases.generated.corpus import CorpusValue
from conformance.cases.generated.list_grammar import random_list_trial
from conformance.cases.generated.rules import SearchSpace, Trial, search_space
from conformance.cases.generated.source import Source, accepted, message_in, only_named, sources, writing_of
from conformance.cases.make import Channel
from conformance.errors import UsageError
from conformance.formats.base import WireForm, Writing
from conformance.formats.json.format import JSON
from conformance.model.case import Alternative, Body, Case, Expectation, Lane
from conformance.model.spec import Contract, Operation, Shape

LISTS = "cancel-list"
_ATTEMPTS = 8
"""If no model can predict the answer of a trial, or its form cannot express it, the next one is tried."""

_TRIALS: Mapping[str, Callable[[SearchSpace, Random], Trial]] = {
    LISTS: lambda space, random: random_list_trial(space, random, live=True),
    **dict.fromkeys(MODELS, random_account_trial),
}


def live_case(source: Source, number: int) -> Case | None:
    """Orders and quotes in some state, calls of some role, and the predicted answer; None without a model."""
    space = _space(source)
    make = _TRIALS.get(space.rules.model) if space is not None else None
    if space is None or make is None:
        return None
    for attempt in range(_ATTEMPTS):
        case = make(space, Random(f"{source.seed}/{source.operation.id}/{number}/{attempt}")).case()
        if case is not None:
            return case
    return None


@lru_cache(maxsize=32)
def _space(source: Source) -> SearchSpace | None:
    return search_space(source, (), ())


SHARES: Mapping[Shape, int] = {Shape.STANDARD: 1, Shape.PAIR: 2, Shape.RESULTS: 7, Shape.RESULT: 2, Shape.DATA: 1}
"""How many of each ten cases go to an operation of each shape, formats weighed by how much they can hide."""
_LIVE_EVERY = 10
_SMALL = 2**17
_SHORT = 40
_REFUSALS = [20, 100, 104, 106]
_REFUSED = {"form": "refused"}
_NONE_SUCCEEDS = {"results": "none"}
_FRAMEWORK = {"form": "framework"}
_NOTHING: Mapping[str, Any] = {"results": []}
_NO_LIST = re.compile(r'[ \t\r\n]*(?:\Z|""|null\b)')
"""Where a JSON text ends, or begins with what some readers take for no list, whatever stands behind it."""


def check_room(found: Sequence[Source], count: int) -> None:
    """Raises `UsageError` when the corpus does not have so many cases."""
    if not found:
        return  # calls whose answers only a schema describes have named cases alone
    most = sum(source.size for source in found)
    if count > most:
        raise UsageError(f"--generated {count} is more than the corpus has", hint=f"The most is {most}.")


def numbers(found: Sequence[Source], count: int) -> Iterator[tuple[Source, int]]:
    """The first `count` numbered cases, divided among the operations. Raises `UsageError` beyond the corpus."""
    check_room(found, count)
    dealt = [source for source in found for _ in range(SHARES[source.operation.shape])]
    room = {source.operation.id: source.size for source in found}
    next_number = dict.fromkeys(room, 0)
    given = 0
    while dealt and given < count:
        for source in dealt:
            name = source.operation.id
            if given < count and next_number[name] < room[name]:
                yield source, next_number[name]
                next_number[name] += 1
                given += 1


@dataclass(frozen=True, slots=True)
class Dealt:
    """The first `count` numbered cases, or a shard of them; dealt anew each time, so that many need no room."""

    sources: tuple[Source, ...]
    count: int
    shard: tuple[int, int] = (1, 1)

    def __iter__(self) -> Iterator[tuple[Source, int]]:
        index, shards = self.shard
        return islice(numbers(self.sources, self.count), index - 1, None, shards)

    def __len__(self) -> int:
        index, shards = self.shard
        return len(range(index - 1, self.count, shards)) if self.sources else 0


def generated_case(source: Source, number: int) -> Case:
    """The case of this number. Every tenth in every fourth round is a live one: orders and quotes are really there."""
    lap = number // len(source.values)
    value = source.values[number % len(source.values)]
    turn = lap + number * source.step
    channel = source.channels[turn % len(source.channels)]
    forms = channel.format.forms
    form = forms[(turn // len(source.channels)) % len(forms)]
    if number % _LIVE_EVERY == _LIVE_EVERY - 1 and lap % 4 == 0:
        return _live(source, number, channel, form)
    return _value_case(source, number, value, partial(source.writing, number), channel, form, turn)


def value_case(source: Source, value: CorpusValue, channel: Channel, form: WireForm, turn: int) -> Case:
    """Any value in a form over a channel; over another channel if the form has nothing to break or cannot say it."""
    return _value_case(source, 0, value, partial(writing_of, source, value.value), channel, form, turn)


def _value_case(
    source: Source,
    number: int,
    value: CorpusValue,
    writing_for: Callable[[Channel], Writing],
    channel: Channel,
    form: WireForm,
    turn: int,
) -> Case:
    writing = writing_for(channel)
    body = form.write(writing)
    if not form.sure and body == channel.format.forms[0].write(writing):  # there was nothing in the text to break
        form = next(one for one in channel.format.forms if one.standing == "broken" and one.sure)
        body = form.write(writing)
    if body is None:  # the format cannot say this value
        other = next((one for one in source.channels if one.format.any_value), None)
        if other is None:
            return _legal_case(source, number, channel, form)
        channel, form = other, other.format.forms[turn % len(other.format.forms)]
        body = form.write(writing_for(channel))
        assert body is not None
    expectation = _expectation(source, channel, value, form, body)
    return _case(
        source, number, channel, form, turn, body, expectation, value.breaks, lane=_lane(source.operation, expectation)
    )


def find_case(contract: Contract, case_id: str, seed: int) -> Case | None:
    """The generated case of this id; None for an id of another kind, or one that the corpus does not have."""
    parts = case_id.partition("@")[0].split("/")
    if len(parts) != 3 or parts[1] != "generated" or not parts[2].isdigit():
        return None
    operations = tuple(one.id for one in contract.operations.values() if one.short == parts[0])
    for source in sources(contract, operations, seed) if operations else ():
        if int(parts[2]) < source.size:
            found = generated_case(source, int(parts[2]))
            return found if found.id == case_id else None
    return None


def relation_key(source: Source, number: int, case: Case) -> tuple[str, int] | None:
    """What cases must share to be answered alike: a value, in any legal form.

    A value that breaks the schema has no meaning that formats share, and one with members that the document
    does not name loses them in a format without words for others: it is compared only where any value can be said.
    """
    if case.states or not case.title.startswith("legal"):
        return None
    place = number % len(source.values)
    value = source.values[place]
    channel = Channel(case.transport, case.media_type)
    shared = channel.format.any_value or (
        value.positive and only_named(source.operation, channel, value.value) == value.value
    )
    return (case.operation, place) if shared else None


def _case_id(operation: Operation, number: int) -> str:
    return f"{operation.short}/generated/{number:06}"


def _case(
    source: Source, number: int, channel: Channel, form: WireForm, turn: int, body: Body, expectation: Expectation,
    breaks: str, **more: Any,
) -> Case:  # fmt: skip
    operation = source.operation
    return Case(
        id=f"{_case_id(operation, number)}@{make.suffix(operation, channel)}",
        operation=operation.id,
        title=f"{form.standing}: {form.name}" + (f", breaks {breaks}" if breaks else ""),
        requirements=(breaks or expectation.requirement,),
        role=operation.role,
        transport=channel.transport,
        media_type=channel.media_type,
        message=message_in(operation, channel, form, turn, body),
        expect=expectation,
        tier="generated",
        accept=accepted(channel, form, turn),
        **more,
    )


def _live(source: Source, number: int, channel: Channel, form: WireForm) -> Case:
    """A trial of the model on existing things; without a model the legal request, which must succeed in any form."""
    operation = source.operation
    found = live_case(source, number)
    if found is not None:
        case_id = f"{_case_id(operation, number)}@{found.id.partition('@')[2]}"
        return replace(found, id=case_id, title=found.title.replace("found exploring", "live"))
    return _legal_case(source, number, channel, form)


def _legal_case(source: Source, number: int, channel: Channel, form: WireForm) -> Case:
    """The legal request in this form, or in the plain one where this is no legal one."""
    operation = source.operation
    legal = form if form.standing == "legal" else channel.format.forms[0]
    body = legal.write(Writing(operation.valid, source.codecs[channel.format]))
    assert body is not None
    expectation = expect.done(operation, operation.attribution["malformed"], operation.acted_on)
    return _case(
        source,
        number,
        channel,
        legal,
        number,
        body,
        expectation,
        "",
        states=operation.states,
        lane=_lane(operation, expectation),
    )


def _lane(operation: Operation, expectation: Expectation) -> Lane:
    """What may succeed on the caller's accounts needs a desk: live cases beside it would see it."""
    may_act = any(0 in one.wanted.get("code", ()) for one in expectation.any_of)
    return make.lane_of(operation.shape) if may_act else "shared"


def _expectation(source: Source, channel: Channel, value: CorpusValue, form: WireForm, body: Body) -> Expectation:
    operation = source.operation
    requirement = value.breaks or operation.attribution["malformed"]
    if operation.shape.instructs:
        right = _alternatives_of_instructions(operation, value, form, channel, body)
        return make.possible(operation, Expectation(requirement, right))
    because = Ruling.LENIENT_READER if form.standing == "lenient" else Ruling.UNSERVED
    hopeless = form.standing == "broken"
    if form.standing == "legal" and value.positive:
        hopeless, because = _names_nothing(operation, value.value), Ruling.CODE_OF_UNKNOWN
    elif form.standing == "legal":
        hopeless = not _may_be_understood(operation, value.value)
        because = Ruling.CODE_OF_UNUSABLE if hopeless else Ruling.OTHER_SPELLING
    codes = _REFUSALS if hopeless else [0, *_REFUSALS]
    expectation = Expectation(requirement, (Alternative({"code": codes}, because=(because,)),))
    return (
        or_unanswered(expectation, ()) if channel.transport.may_be_silent and form.standing != "legal" else expectation
    )


def _alternatives_of_instructions(
    operation: Operation, value: CorpusValue, form: WireForm, channel: Channel, body: Body
) -> tuple[Alternative, ...]:
    if form.standing == "broken":
        no_list = channel.format is JSON and _NO_LIST.match(body.text)
        nothing = _NOTHING if operation.shape.listed else _NONE_SUCCEEDS
        return _allowed(Ruling.NO_LIST, *((_REFUSED, nothing) if no_list else (_REFUSED,)))
    if form.standing == "lenient":
        return _allowed(Ruling.LENIENT_READER, _NONE_SUCCEEDS, _REFUSED, _FRAMEWORK)
    if not value.positive:
        return _allowed(Ruling.LIST_OR_ITEM, _NONE_SUCCEEDS, _REFUSED)
    items = operation.shape.entries(value.value) or []
    flags = ["any" if _may_name(operation, item) else False for item in items]
    return _allowed(Ruling.ADMITTED_VALUE, {"results": flags}, _REFUSED)


def _allowed(because: Ruling, *answers: Mapping[str, Any]) -> tuple[Alternative, ...]:
    return tuple(Alternative(answer, because=(because,)) for answer in answers)


def _may_name(operation: Operation, item: Mapping[str, Any]) -> bool:
    """Whether an instruction may be for something that is there."""
    fields = operation.fields
    return any(may_exist(item.get(name), fields[name].type) for name in operation.identity)


def may_exist(identifier: Any, kind: str | None) -> bool:
    """Small numbers and short texts may be real ids; places of unknown ids, GUIDs and large numbers are not."""
    if isinstance(identifier, str):
        return kind == "string" and not identifier.startswith("${unknown") and len(identifier) < _SHORT
    return isinstance(identifier, int) and abs(identifier) < _SMALL


def _names_nothing(operation: Operation, value: Any) -> bool:
    """Whether a legal request cannot succeed: some id in it is certain to name nothing."""
    if not isinstance(value, Mapping):
        return False
    if operation.shape.legs:  # a quote that is not there may be answered with a receipt, an unknown OMS may not
        names = [name for name in value if name in operation.fields and operation.fields[name].binding == "oms"]
    else:
        names = [name for name in value if name in operation.fields]
    return any(_is_unknown(value[name]) for name in names)


def _may_be_understood(operation: Operation, value: Any) -> bool:
    """Whether a lenient reader may accept a request against the schema: it has nulls, or numbers in another spelling.

    A flag, a list, a fraction and a word in a member of the document are no ids, whatever else the request holds.
    """
    if not isinstance(value, Mapping):
        return False
    known = {name.lower() for name in operation.fields}
    contents = [content for name, content in value.items() if str(name).lower() in known]
    return all(_is_plain(one) or _may_be_an_id(one) for one in contents) and not all(map(_is_plain, contents))


def _is_plain(content: Any) -> bool:
    """Whether it is an integer, or the place of one."""
    return type(content) is int or (isinstance(content, str) and content.startswith("${"))


def _may_be_an_id(content: Any) -> bool:
    if isinstance(content, float):
        return content.is_integer()
    return content is None or (isinstance(content, str) and _may_be_a_number(content))


def _may_be_a_number(text: str) -> bool:
    """Whether a reader may read a text as a whole number: an empty one, white space, digits of any script."""
    try:
        return float(text).is_integer()
    except (ValueError, OverflowError):
        return all(one.isspace() or one.isnumeric() or one in "+-._,eExX" for one in text)


def _is_unknown(identifier: Any) -> bool:
    if isinstance(identifier, str):
        return identifier.startswith("${unknown")
    return isinstance(identifier, int) and abs(identifier) >= _SMALL
