"""Every spelling: the plain request written by each production of the grammars that a legal request may use.

The table of spellings lists the productions. The relation is metamorphic: each spelling has the answer and the effect
of the plain request. What is sent is chosen so that a reader who loses or changes a member shows: a request that is
done, and one that must be refused; of a list one with an instruction of each kind, and where one instruction asks, one
of the second kind and one that must be refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any, Literal

from conformance.cases import expect, make, message
from conformance.cases.expect import Ruling
from conformance.cases.families.list.relations import Scene as Things
from conformance.cases.kinds import GONE, first_kind, gone_state, second_kind
from conformance.cases.make import Channel, channels
from conformance.contract.load import bundled_spellings
from conformance.formats.base import PLACE, is_text
from conformance.model.case import (
    PIPELINED,
    Alternative,
    Beside,
    Body,
    Case,
    Expectation,
    Message,
    StateNeed,
    state_names,
)
from conformance.model.spec import Operation, Spelling

GRAMMARS = ("json", "xml", "http", "ws")
"""The grammars of the table; `attribution` names the requirement of each under `spelled-` and its name."""
_UNKNOWN_CODES = (20, 100, 104)
_ANY_CODES = (20, 100, 104, 106)


@dataclass(frozen=True, slots=True)
class Scene:
    """A request by its name ("" where there is one alone), what is set up for it, and what must hold of it."""

    name: str
    value: Any
    states: Mapping[str, StateNeed]
    right: Expectation


@dataclass(frozen=True, slots=True)
class Production:
    """One row of the table for one operation: how many cases hold it, and how many of them nothing hinders."""

    operation: str
    row: Spelling
    cases: int
    carried_out: int
    hindered: Mapping[str, int]
    """Why a target cannot be sent the others, with how many."""

    @property
    def standing(self) -> Literal["held", "hindered", "no such value", "unwritten"]:
        """Whether a case that would be carried out holds it, and what else is to be said of it."""
        if self.row.unwritten:
            return "unwritten"
        return "held" if self.carried_out else "hindered" if self.cases else "no such value"


def productions(operation: Operation, hindrances: Mapping[str, str]) -> Iterator[Production]:
    """Every row of the grammars that the operation speaks; `hindrances`: case id to why it cannot be sent, else empty."""
    for row in bundled_spellings():
        if key_of(row.grammar) in operation.attribution:
            patterns = row.cases or (f"{operation.short}/{row.cases_of_its_own}[-@]*",)
            own = [one for one in hindrances if any(fnmatchcase(one, pattern) for pattern in patterns)]
            own = [one for one in own if row.cases or _is_of(one, row)]
            why = Counter(reason for one in own if (reason := hindrances[one]))
            yield Production(operation.id, row, len(own), len(own) - why.total(), why)


def _is_of(identifier: str, row: Spelling) -> bool:
    """Whether a case is of this row, and not of another one whose name is longer."""
    return identifier.partition("@")[0].split("/", 1)[1].removeprefix(row.cases_of_its_own) in SCENES


SCENES = ("", "-done", "-refused", "-with-secret")
"""How the ids of a row's cases end."""


def without_scene(name: str) -> str:
    """The name of a case of a row without the scene, such as `tpp/spelled/json-tabs`; any other name as it is."""
    ends = (end for end in SCENES if end and "/spelled/" in name and name.endswith(end))
    return name.removesuffix(next(ends, ""))


def spelling_cases(operation: Operation) -> Iterator[Case]:
    """Each row of the table that is written, over each channel that speaks its grammar, with each scene."""
    if not any(key_of(grammar) in operation.attribution for grammar in GRAMMARS):
        return
    for row in bundled_spellings():
        requirement = operation.attribution.get(key_of(row.grammar))
        if requirement is None or row.cases or row.unwritten:
            continue
        if row.id == PIPELINED:
            yield from _in_one_go(operation, requirement, row)
            continue
        scenes = tuple(_scenes(operation, requirement, row))
        for channel in _channels(operation, row):
            for scene in scenes:
                sent = _message(operation, channel, row, scene.value)
                if sent is not None:
                    yield _case(operation, channel, row, scene, sent)


_OF_A_PAIR = ("-done", "-refused")
_NO_ROW = Spelling("", "http", "", "")


def key_of(grammar: str) -> str:
    """The key of `attribution` under which an operation names its requirement for a grammar."""
    return f"spelled-{grammar}"


def _channels(operation: Operation, row: Spelling) -> Iterator[Channel]:
    """Where the row's grammar is spoken, the first media type of each format standing for all."""
    seen = set()
    for channel in channels(operation):
        kind = (channel.transport, channel.format)
        spoken = {channel.format.name, "ws" if channel.transport.framed else "http"}
        if row.grammar in spoken and kind not in seen:
            seen.add(kind)
            yield channel


def _scenes(operation: Operation, requirement: str, row: Spelling) -> Iterator[Scene]:
    if operation.shape.instructs:
        yield from _of_instructions(operation, requirement)
        if row.grammar in ("json", "xml"):  # how the body is carried says nothing of its texts
            yield from _with_secret(operation, requirement)
        return
    assert isinstance(operation.valid, Mapping)
    names = operation.acted_on
    yield Scene("-done", operation.valid, operation.states, expect.done(operation, requirement, names))
    accounts = operation.scope.members.items() if operation.scope else ()
    account = next((name for name, one in accounts if one.kind == "account" and name in operation.fields), None)
    if account is not None:
        value = {**operation.valid, account: operation.fields[account].unknown}
        right = expect.refused(operation, requirement, names, _UNKNOWN_CODES, (Ruling.HIDDEN_PLACE,))
        yield Scene("-refused", value, operation.states, right)


def _in_one_go(operation: Operation, requirement: str, row: Spelling) -> Iterator[Case]:
    """A request that is done and one that is refused, written before either is answered, in both orders.

    They are about different things, so that each answer tells whose it is, and none depends on the other.
    """
    pair = _done_and_refused(operation, requirement)
    if len(pair) < len(_OF_A_PAIR):
        return
    for channel in _channels(operation, row):
        for first, second in (pair, pair[::-1]):
            sent, other = (
                replace(make.message(operation, channel, message.body(operation, channel, one.value)), spelling=row.id)
                for one in (first, second)
            )
            beside = Beside(other, _or_closed(second.right))
            yield replace(_case(operation, channel, row, first, sent), beside=(beside,))


def _done_and_refused(operation: Operation, requirement: str) -> list[Scene]:
    """The two scenes, neither of which says anything of the other's things."""
    if not operation.shape.instructs:
        scenes = {scene.name: scene for scene in _scenes(operation, requirement, _NO_ROW)}
    else:
        things = Things(first_kind(operation), None, gone_state(operation))
        parts: dict[str, tuple[Mapping[str, Any], tuple[str, ...]]] = {
            "-done": (things.first.item, (things.first.thing,))
        }
        if things.gone:
            parts["-refused"] = (things.first.named(GONE), ())
        effect = operation.attribution["effect"]
        scenes = {
            name: Scene(
                name,
                operation.shape.request([item]),
                things.states,
                Expectation(requirement, (Alternative({"results": [bool(done)]}, done),), effect=effect),
            )
            for name, (item, done) in parts.items()
        }
    found = [scenes[name] for name in _OF_A_PAIR if name in scenes]
    return [replace(one, right=_of_itself(one.right)) for one in found]


def _of_itself(right: Expectation) -> Expectation:
    """The expectation without what must stay, which the request beside it may cancel."""
    return replace(right, any_of=tuple(replace(one, untouched=()) for one in right.any_of))


def _or_closed(right: Expectation) -> Expectation:
    """The same, or no answer and no effect: the server may close behind the first."""
    because = (Ruling.CLOSED_BEHIND,)
    answered = tuple(replace(one, because=(*one.because, *because)) for one in right.any_of)
    untouched = tuple(name for one in right.any_of for name in one.cancelled)
    closed = Alternative({"form": "closed"}, untouched=untouched, because=because)
    return replace(right, any_of=(*answered, closed), outside=right.requirement)


def _of_instructions(operation: Operation, requirement: str) -> Iterator[Scene]:
    """An instruction of each kind, and one for a thing on which the call can no longer act: in one list, or alone."""
    things = Things(first_kind(operation), second_kind(operation), gone_state(operation))
    parts = [(things.first.item, things.first.thing)]
    if things.second is not None:
        parts.append((things.second.named(things.second.alias), things.second.alias))
    if things.gone:
        parts.append((things.first.named(GONE), ""))

    def scene(name: str, chosen: Sequence[tuple[Mapping[str, Any], str]]) -> Scene:
        done = tuple(thing for _, thing in chosen if thing)
        others = () if operation.shape.listed else tuple(one for one in things.things if one not in done)
        right = Alternative({"results": [bool(thing) for _, thing in chosen]}, done, others)
        value = operation.shape.request([item for item, _ in chosen])
        expectation = Expectation(requirement, (right,), effect=operation.attribution["effect"])
        return Scene(name, value, things.states, expectation)

    if operation.shape.listed:
        yield scene("", parts)
        return
    yield scene("", parts[1:2] if things.second is not None else parts[:1])
    if things.gone:
        yield scene("-refused", parts[-1:])


def _with_secret(operation: Operation, requirement: str) -> Iterator[Scene]:
    """An instruction that is carried out because its text value is right, where the call has such things."""
    things = operation.explore.things if operation.explore else ()
    first = first_kind(operation)
    guarded = next((one.state for one in things if one.secret and one.base == "base"), None)
    if guarded is not None:
        right = expect.done(operation, requirement, (first.thing,))
        states = {first.thing: replace(first.need, state=guarded)}
        yield Scene("-with-secret", operation.valid, states, right)


def _message(operation: Operation, channel: Channel, row: Spelling, value: Any) -> Message | None:
    """The request in this spelling; None where it is the plain one."""
    body = message.body(operation, channel, value)
    on_template = channel.format.template_spellings.get(row.id)
    if on_template is not None:
        spelled = on_template(body.text)
        return None if spelled == body.text else make.message(operation, channel, Body(spelled))
    sample, on_text = _sample(body.text), channel.format.spellings.get(row.id)
    if on_text is not None and on_text(sample) == sample:
        return None
    if row.headers:
        own = tuple((name, _of(text, channel.media_type)) for name, text in row.headers)
        return make.message(operation, channel, body, headers=own)
    if row.frame:
        frame = row.frame.replace("ESCAPED", f"\\u{ord(operation.call[0]):04x}{operation.call[1:]}")
        return make.message(operation, channel, body, frame=frame)
    if row.path:
        head, slash, last = operation.path.rpartition("/")
        return make.message(operation, channel, body, path=f"{head}{slash}%{ord(last[0]):02X}{last[1:]}")
    return replace(make.message(operation, channel, body), spelling=row.id)


def _of(text: str, media_type: str) -> str:
    return text.replace("{CAPITALS}", media_type.upper()).replace("{}", media_type)


def _sample(template: str) -> str:
    """The text with made-up ids in its places."""
    made_up = {"uid": "6269c403-5b9f-47dd-b8c3-00000000000a", "pin": "1234"}
    return PLACE.sub(
        lambda place: (
            next((one for end, one in made_up.items() if place[1].lower().endswith(end)), "text")
            if is_text(place[1])
            else "4711"
        ),
        template,
    )


def _case(operation: Operation, channel: Channel, row: Spelling, scene: Scene, sent: Message) -> Case:
    title = f"Another spelling: {row.text}"
    right = _or_refused(operation, scene, channel) if row.refused else scene.right
    accept = channel.media_type if operation.shape.instructs else None
    name = f"{row.cases_of_its_own}{scene.name}"
    return make.case(operation, channel, name, title, (), sent, right, states=scene.states, accept=accept)


def _or_refused(operation: Operation, scene: Scene, channel: Channel) -> Expectation:
    """The answer of the plain request, or a refusal in whichever form, and then without an effect."""
    every, because = state_names(scene.states), (Ruling.REFUSED_SPELLING,)
    open_ones = tuple(name for name in every if not name.startswith(GONE))
    answers: list[Mapping[str, object]] = [{"form": "http-refusal"}] if not channel.transport.framed else []
    if operation.shape.instructs:
        answers += [{"form": "framework"}, {"form": "refused"}]
    else:
        answers.append(operation.shape.refusal(_ANY_CODES))
    right = [replace(one, because=because) for one in scene.right.any_of]
    right += [Alternative(one, untouched=open_ones, because=because) for one in answers]
    return replace(scene.right, any_of=tuple(right))
