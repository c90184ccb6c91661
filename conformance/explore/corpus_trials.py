"""Trials with mutated corpus values: members exchanged between two values, numbers and texts changed at random."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from conformance.cases.generated.corpus import CorpusValue
from conformance.cases.generated.generate import proved, second_validator, tamed
from conformance.cases.generated.rules import SearchSpace
from conformance.cases.generated.source import HEADERS
from conformance.cases.generated.stream import value_case
from conformance.cases.generated.trial import lane_of, trial_id
from conformance.cases.make import Channel
from conformance.model.case import Case

_SCALARS: tuple[Any, ...] = (None, True, False, "", " ", "a", 1.5, [], {})


@dataclass(frozen=True, slots=True)
class CorpusTrial:
    """One value in any form, legal or not, and what the generated tier expects of it."""

    space: SearchSpace
    value: CorpusValue
    channel: Channel
    form: int = 0
    headers: int = 0

    def case(self) -> Case | None:
        """The case; None if it would use a channel that the run's filters exclude."""
        form = self.channel.format.forms[self.form]
        made = value_case(self.space.source, self.value, self.channel, form, self.headers)
        channel = Channel(made.transport, made.media_type)
        if channel not in self.space.channels:
            return None
        title = f"found exploring: {made.title}"
        return replace(made, id=trial_id(self.space, channel), title=title, lane=lane_of(self.space))

    def simpler(self) -> Iterator[CorpusTrial]:
        """The plain form; then without one of its parts, as long as it proves the same."""
        if self.form:
            yield replace(self, form=0)
        if self.headers:
            yield replace(self, headers=0)
        for smaller in _smaller(self.value.value):
            kept = judged_value(self.space, smaller)
            if kept is not None and (kept.positive, kept.breaks) == (self.value.positive, self.value.breaks):
                yield replace(self, value=kept)

    def larger(self) -> None:
        """None: a corpus value cannot be enlarged."""


def random_corpus_trial(space: SearchSpace, random: Random) -> CorpusTrial:
    """A value of the corpus, usually changed; if the changed value proves nothing, it is sent unchanged."""
    values = space.source.values
    channel = random.choice(space.channels)
    form, headers = random.randrange(len(channel.format.forms)), random.randrange(len(HEADERS))
    one = random.choice(values)
    if random.random() < 0.75:
        changed = tamed(space.operation, _crossed(one.value, random.choice(values).value, random))
        one = judged_value(space, changed) or one
    return CorpusTrial(space, one, channel, form, headers)


def judged_value(space: SearchSpace, value: Any) -> CorpusValue | None:
    """What a value proves; None when it proves nothing."""
    return proved(value, space.request, second_validator(space.operation.folder))


def _crossed(one: Any, other: Any, random: Random) -> Any:
    """Members of both, or items of both; a scalar becomes another one."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        crossed = dict(one)
        for name, content in other.items():
            if random.random() < 0.5:
                crossed[name] = content
        if crossed and random.random() < 0.3:
            name = random.choice(sorted(crossed))
            crossed[name] = _scalar(crossed[name], random)
        return crossed
    if isinstance(one, list) and isinstance(other, list):
        if one and other and random.random() < 0.6:
            return [_crossed(random.choice(one), random.choice(other), random), *one[1:]]
        return [*one[:2], *other[:2]]
    return _scalar(one, random)


def _scalar(value: Any, random: Random) -> Any:
    """Another scalar; places of ids stay, because a random number could be a real id."""
    if isinstance(value, str) and value.startswith("${"):
        return value
    if isinstance(value, str) and value:
        cut = random.randrange(len(value) + 1)
        return value[:cut] + random.choice(("", " ", "\u00df", "\u4e2d", "'", "0")) + value[cut + 1 :]
    return random.choice(_SCALARS)


def _smaller(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for place, item in enumerate(value):
            yield [*value[:place], *value[place + 1 :]]
            yield from ([*value[:place], smaller, *value[place + 1 :]] for smaller in _smaller(item))
    elif isinstance(value, Mapping):
        for name, content in value.items():
            yield {key: part for key, part in value.items() if key != name}
            yield from ({**value, name: smaller} for smaller in _smaller(content))
