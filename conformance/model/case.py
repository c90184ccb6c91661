"""A case: one message to send, as one role, over one transport and media type, and what must hold of the answer.

How it travels is a `Transport`, what carries it a `Body` of text or of bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import Annotated, Any, Literal

from conformance.model import REST
from conformance.values import value_class


class Transport(StrEnum):
    """How a message is sent. Ids, files and options use its short name; everything else asks this class."""

    HTTP = "http"
    WS = "ws"

    @property
    def label(self) -> str:
        """As it stands in a sentence."""
        return _OF_TRANSPORT[self].label

    @property
    def framed(self) -> bool:
        """Whether a message is a frame on an open socket, with its body as a member; otherwise it is a request."""
        return _OF_TRANSPORT[self].framed

    @property
    def may_be_silent(self) -> bool:
        """Whether a server may leave a message that it cannot read without an answer."""
        return _OF_TRANSPORT[self].framed

    @property
    def address_key(self) -> str:
        """The key of a service in the target file that holds the address."""
        return _OF_TRANSPORT[self].address_key

    def carries(self, media_type: str) -> bool:
        """Whether a body of this media type can travel so: frames have no headers that could name another one."""
        only = _OF_TRANSPORT[self].only
        return only is None or media_type == only

    def accept(self, media_type: str) -> str | None:
        """The media type that an answer must have; None where answers carry none."""
        return media_type if _OF_TRANSPORT[self].only is None else None


@value_class(frozen=True, slots=True)
class _Ways:
    label: str
    address_key: str
    framed: bool = False
    only: str | None = None
    """The one media type of its bodies, which no header names; None where headers name media types."""


_OF_TRANSPORT = {
    Transport.HTTP: _Ways("HTTP", "http"),
    Transport.WS: _Ways("WebSocket", "websocket", framed=True, only="application/json"),
}

Tier = Literal["named", "generated"]
Lane = Literal["shared", "desk", "alone"]
"""Who else may run beside a case: anyone; anyone who holds another desk; nobody."""


@value_class(frozen=True, slots=True)
class Body:
    """Text of a message with `${binding}` places, and how it becomes bytes; or bytes, which may hold such places too.

    `encoding` is a Python codec name; `latin-1` writes any byte as the character of the same number, for bodies
    that no charset allows. With `repeat` the text is `text[0] + join(text[1] filled for each index) + text[2]`,
    where `#` inside a placeholder name stands for the index. `data` is the body of a format that is no text: it takes
    the place of all three.
    """

    text: str = ""
    encoding: str = "utf-8"
    repeat: Repeat | None = None
    data: bytes | None = None

    @property
    def template(self) -> str:
        """What the places are looked for in: the text, or the bytes as the characters of the same numbers."""
        return self.text if self.data is None else self.data.decode("latin-1")


PIPELINED = "http-pipelined"
"""The spelling of messages that go out in one go with those beside them."""


@value_class(frozen=True, slots=True)
class Repeat:
    """A long list without its long text: `head`, `count` times `text` joined by `separator`, `tail`."""

    head: str
    separator: str
    tail: str
    count: int


@value_class(frozen=True, slots=True)
class Message:
    """What goes on the wire, before bindings are filled in."""

    body: Body
    method: str = "POST"
    path: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    spelling: str = ""
    """Another legal way to write the body, the request or the frames: a row of the table of spellings; empty: none."""
    frame: str | None = None
    """WebSocket only: the frame's text, in which `${i}` is the sequence number and `${o}` the body as a JSON string."""


@value_class(frozen=True, slots=True)
class StateNeed:
    """A state of the target that must be set up before the message, under a name that binds its ids.

    The parameter `after` puts it behind so many of the messages that are sent before the judged one, or into a race. A state with a
    parameter that names another one of the case (`${mine.client}`) is set up behind that.
    """

    state: str
    params: Annotated[Mapping[str, Any], REST] = field(default_factory=dict)


def state_names(states: Mapping[str, StateNeed]) -> tuple[str, ...]:
    """The names under which effects are watched: a quote has two legs, everything else is one thing."""
    names: list[str] = []
    for name, need in states.items():
        names.extend((f"{name}.bid", f"{name}.ask") if need.state.endswith("-quote") else (name,))
    return tuple(names)


@value_class(frozen=True, slots=True)
class Alternative:
    """One answer that is right, the effect that goes with it, and the readings it stands for.

    `wanted` keys: `code` (a code or a list of codes; both legs of a pair, or the flat form), `bid` and `ask`,
    `results` (one entry for each instruction: true, false or "any"; or "all"), `form` (see `conformance.checks.answer`),
    `detail` ("given": each object with a code has one).
    """

    wanted: Mapping[str, Any]
    cancelled: tuple[str, ...] = ()
    untouched: tuple[str, ...] = ()
    readings: tuple[str, ...] = ()
    because: tuple[str, ...] = ()
    """The requirements and rulings that allow it, where more than one answer is right and no reading says so."""

    @property
    def several(self) -> bool:
        """Whether it says more than one answer: one of several codes, or any result."""
        values = (self.wanted.get(key) for key in ("code", "bid", "ask", "results"))
        return any(value == "none" or (isinstance(value, list) and _leaves_open(value)) for value in values)


def _leaves_open(value: list[Any]) -> bool:
    return "any" in value or (len(value) > 1 and not any(isinstance(one, bool) for one in value))


@value_class(frozen=True, slots=True)
class Expectation:
    """What must hold: one of the alternatives.

    No alternative's answer: a finding on `requirement`. The answer of one, but not its effect: a finding on `effect`
    for what should have been cancelled and was not, on `outside` for what was cancelled and should not have been.
    """

    requirement: str
    any_of: tuple[Alternative, ...]
    effect: str = ""
    outside: str = ""


@value_class(frozen=True, slots=True)
class Twin:
    """The same request said in another way, of which a metamorphic relation holds that it is answered alike.

    It is sent in its own states, set up like those of the case. Several `messages` are several lists whose
    results, one list after the other, stand for those of the case; `order` gives, for each result of the case, its place
    among them (empty: the same place).
    """

    relation: str
    requirement: str
    transport: Transport
    media_type: str
    messages: tuple[Message, ...]
    role: str = ""
    accept: str | None = None
    order: tuple[int, ...] = ()


@value_class(frozen=True, slots=True)
class OwnSession:
    """A session that a case has to itself, and what has become of it before the message goes out.

    It is never one of the run's: `ended` and wrong `credentials` must cost nobody else his session. A token that is not
    `whole` was never given out; it is made of the run's own, which stays as it is.
    """

    over: Transport | None = None
    """Where it is opened; None: where the message goes."""
    first: str = ""
    """The role that signs in on the same WebSocket before the role of the case does."""
    credentials: Literal["right", "changed", "shorter"] = "right"
    """Whether password and signature are right, have another character, or lack their last one."""
    token: Literal["whole", "changed", "shorter", "longer"] = "whole"
    """Whether the token is as the service gave it, has another character, lacks some at its end, or has more."""
    ended: bool = False
    """Whether LogOut was called in it."""

    @property
    def lasts(self) -> bool:
        """Whether the message is meant to find it open."""
        return self.credentials == "right" and self.token == "whole" and not self.ended


@value_class(frozen=True, slots=True)
class Beside:
    """Another message that goes out at the same moment as the judged one, and what must hold of its answer."""

    message: Message
    expect: Expectation


@value_class(frozen=True, slots=True)
class RaceStep:
    """One thing that a session of a race does, and what must hold of the answer by itself.

    `cancel` and `cancel-all` are calls of the operation. `beside` is a call of another one, which is not judged and may
    take the same things. `look` asks how things stand, `place` sets up a state of the case.
    """

    does: Literal["cancel", "cancel-all", "beside", "look", "place"]
    things: tuple[str, ...] = ()
    """The watched names that a success takes: of a pair leg by leg, of a list one for each instruction."""
    message: Message | None = None
    expect: Expectation | None = None


@value_class(frozen=True, slots=True)
class RaceSession:
    """One of the sessions that are under way at the same moment; it takes its steps one after the other."""

    role: str
    transport: Transport
    media_type: str
    steps: tuple[RaceStep, ...]


PLACED = "race"
"""The parameter `after` of a state that a step of a race sets up."""


@value_class(frozen=True, slots=True)
class Case:
    """One thing to try; the id is stable and the same on every machine."""

    id: str
    operation: str
    title: str
    requirements: tuple[str, ...]
    role: str
    transport: Transport
    media_type: str
    message: Message
    expect: Expectation
    states: Mapping[str, StateNeed] = field(default_factory=dict)
    before: tuple[Message, ...] = ()
    before_role: str = ""
    """Who sends the messages before the judged one; empty: the role of the case, in its session."""
    together: int = 1
    """How many copies go out at the same moment; more than one asks that at most one of them takes effect."""
    later: bool = False
    """Whether its effect is looked at again after it had time to settle; earlier messages wait too."""
    lane: Lane = "shared"
    code: str | None = None
    """The error code whose cell of the matrix this case verifies."""
    provoke: str | None = None
    """The error code for whose provocation the target's parameters are merged into the message."""
    tier: Tier = "named"
    accept: str | None = None
    """The media type that the answer must have; None when the case does not say."""
    twin: Twin | None = None
    session: OwnSession | None = None
    """The session that its messages are sent in; None for the run's own."""
    beside: tuple[Beside, ...] = ()
    """What else is under way when the judged message is: over a WebSocket, on the same socket."""
    race: tuple[RaceSession, ...] = ()
    """Sessions whose calls overlap; the judged message is the first call of the first of them."""
    edition: str = ""
    """The edition of the operation that alone has it."""
    rows: tuple[str, ...] = ()
    """The levels of the operation's factors that it has, one text for each row; see `conformance.cases.combinations`."""

    @property
    def roles(self) -> tuple[str, ...]:
        """Whom it sends as, outside of races and twins."""
        return (self.role, self.before_role) if self.before_role else (self.role,)

    @property
    def raced(self) -> tuple[RaceStep, ...]:
        """The steps of all its sessions."""
        return tuple(step for session in self.race for step in session.steps)

    @property
    def cancels(self) -> bool:
        """Whether a right answer may cancel something."""
        return bool(self.race) or any(one.cancelled for expect in self.expectations for one in expect.any_of)

    @property
    def messages(self) -> tuple[Message, ...]:
        """Every message that it sends."""
        twins = self.twin.messages if self.twin else ()
        raced = (step.message for step in self.raced if step.message is not None)
        return (*self.before, self.message, *(one.message for one in self.beside), *raced, *twins)

    @property
    def expectations(self) -> tuple[Expectation, ...]:
        """What must hold of each answer that is judged by itself."""
        raced = (step.expect for step in self.raced if step.expect is not None)
        return (self.expect, *(one.expect for one in self.beside), *raced)


def media_slug(media_type: str) -> str:
    """`application/json` as it stands in a case id: `application-json`."""
    return media_type.replace("/", "-")
