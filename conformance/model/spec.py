"""What a vendor's document says, as values: operations, requirements, readings, error codes.

These classes are the one description of the files under `specs/`: `contract.forms` reads a file into them, and the
JSON Schemas for editors are made of them. A text behind an attribute says what the key holds; editors show it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from conformance.model import GIVEN, Key, Names, OneOf
from conformance.model.case import StateNeed, Transport, state_names
from conformance.model.paths import arguments_in

Json: TypeAlias = Any
"""A JSON value that is sent as it stands: open by nature."""
Level = Literal["must", "should", "open"]
RequirementId: TypeAlias = Annotated[str, Names("requirement")]
FieldName: TypeAlias = Annotated[str, Names("field")]
BaseName: TypeAlias = Annotated[str, Names("base")]
MediaType: TypeAlias = Annotated[str, Names("media type")]
Document = Literal["request", "response", "error"]
FieldType = Literal["integer", "boolean", "string", "guid"]
Sampled = Literal["format", "one"]
"""In one media type of each format, or in one of all; of the spellings with one of their requests, too."""
ThingKind = Literal["account", "oms", "instrument", "order", "client", "uid", "user"]
"""An order has an id, a number that its client gave it, or a GUID; none of these replaces another."""


class Shape(StrEnum):
    """The shape of a call's request and answer; `answer` in `operation.yaml`. It selects the cases and the checks."""

    STANDARD = "standard"
    """An object asks, and one standard response object answers."""
    PAIR = "pair"
    """An object asks, and one standard response object for each of two legs answers."""
    RESULTS = "results"
    """A list of instructions asks, and a list with one result for each answers."""
    RESULT = "result"
    """One instruction asks, and one result answers: a single object where `results` has a list."""
    DATA = "data"
    """Arguments, if any, ask, and what the response schema describes answers: a record, a list, a value, or nothing."""

    @property
    def listed(self) -> bool:
        """Whether the request is a list, and so is the answer."""
        return self is Shape.RESULTS

    @property
    def instructs(self) -> bool:
        """Whether instructions ask, each judged alone with a result of its own, and errors have their own document."""
        return self in (Shape.RESULTS, Shape.RESULT)

    def request(self, instructions: Sequence[Json]) -> Json:
        """The request that consists of these instructions; where it is no list, of the one that there is."""
        if self.listed:
            return list(instructions)
        (one,) = instructions
        return one

    def entries(self, value: Json) -> list[Json] | None:
        """The instructions of a request, or the results of an answer; None for a value that is of another form."""
        if self.listed:
            return value if isinstance(value, list) else None
        return [value] if isinstance(value, Mapping) else None

    @property
    def legs(self) -> tuple[str, ...]:
        """The parts of an answer that are standard objects of their own; empty for one that is not divided."""
        return ("bid", "ask") if self is Shape.PAIR else ()

    @property
    def success(self) -> dict[str, Any]:
        """What an alternative wants where the one thing that was asked for is done."""
        if self is Shape.DATA:
            return {"form": "data"}
        return {"results": [True]} if self.instructs else {"code": [0]}

    def refusal(self, codes: Sequence[int]) -> dict[str, Any]:
        """What an alternative wants if the whole request is refused, with one of the codes if there are any."""
        if self is Shape.DATA:
            return {"form": "error"}
        return {"form": "refused"} if self.instructs else {"code": list(codes)}


@dataclass(frozen=True, slots=True)
class Requirement:
    """One testable statement of a document."""

    id: str
    """Begins with the operation's `short` in capitals."""
    operation: Annotated[str, GIVEN]
    level: Level
    """must: a document says so; should: softly; open: silent or at odds with itself, which is a reading."""
    document: Annotated[str, Names("document")]
    """The document, as `service.yaml` calls it."""
    place: str
    """Where the document says it."""
    text: str
    """The statement in our own words."""
    verify: Literal["cases", "untested"]
    """`untested` needs the key of that name with the reason."""
    untested: str | None = None
    """Why no case verifies it; None when cases do."""
    edition: Annotated[str, Names("edition")] = ""
    """The edition that alone has it; without the key, every edition has it."""


@dataclass(frozen=True, slots=True)
class Covered:
    """One departure of a page from the contract that a reading accounts for; `at` may hold wildcards."""

    kind: str
    at: str
    says: str
    against: str


@dataclass(frozen=True, slots=True)
class Settled:
    """A departure of a page that is no reading and no fault, with the reason."""

    kind: str
    at: str
    says: str
    against: str
    because: str


@dataclass(frozen=True, slots=True)
class PageRecord:
    """What a page says beyond the schemas, so that a later page can be compared with it."""

    dialect: str
    """How the page is written."""
    call_type: str | None = None
    category: str | None = None
    wording: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """A digest of every sentence, by the section that it stands in."""
    settled: tuple[Settled, ...] = ()
    """What does not fit on the page and is no reading, with the reason."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A question that the documents leave open, and the answers that are accepted unless a target pins one."""

    id: str
    service: Annotated[str, GIVEN]
    operations: tuple[Annotated[str, Names("operation")], ...]
    """The operations whose documents leave it open."""
    requirement: RequirementId
    """The requirement of the first operation that an alternative other than a pinned one breaks."""
    question: str
    alternatives: Mapping[str, str]
    """Name to what it means; the first is the default of the reference implementation."""
    also: tuple[RequirementId, ...] = ()
    """The requirements of the operations behind the first, in their order."""
    source: str = ""
    """What leaves the question open."""
    covers: Mapping[Annotated[str, Names("operation")], tuple[Covered, ...]] = field(default_factory=dict)
    """For each operation, the departures of its page that this reading accounts for."""

    @property
    def requirements(self) -> Mapping[str, str]:
        """For each operation, the requirement that an alternative other than a pinned one breaks."""
        names = (self.requirement, *self.also)
        return {name: names[min(place, len(names) - 1)] for place, name in enumerate(self.operations)}


@dataclass(frozen=True, slots=True)
class Ruling:
    """What is right where the documents are silent, or what never is; it allows an answer, and some case holds it."""

    id: str
    text: str
    """The statement in our own words."""
    source: str
    """What it rests on."""
    cases: tuple[str, ...]
    """Patterns of the ids of cases that fail where it is broken; each matches at least one."""
    readings: tuple[Annotated[str, Names("reading id")], ...] = ()
    """The readings that it makes of the question."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """One production of a grammar that a legal request may use, and how a request is written by it.

    Of `headers`, `path`, `frame`, `cases` and `unwritten` one is there at most; without any, the rendering of its format
    or transport that has its id writes it.
    """

    id: str
    grammar: Literal["json", "xml", "http", "ws"]
    clause: str
    """Where the grammar has it."""
    text: str
    """What is written otherwise than usual."""
    headers: tuple[tuple[str, str], ...] = ()
    """Header lines in the place of those of the same names; `{}` stands for the media type."""
    path: Literal["", "escaped-letter"] = ""
    frame: str = ""
    """The text of a WebSocket message; `CALL` stands for the call, `ESCAPED` for its name with an escaped letter."""
    cases: tuple[str, ...] = ()
    """Patterns of the ids of cases of other families that hold it already."""
    unwritten: str = ""
    """Why no request is written by it."""
    refused: str = ""
    """Who refuses it all the same; then a refusal without an effect is right as well."""

    @property
    def cases_of_its_own(self) -> str:
        """How the ids of its own cases begin, behind the short name of the operation."""
        return f"spelled/{self.id}"


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """One row of a document's error table: the code, its legal messages, and how a case provokes it by default."""

    code: str
    requirement: RequirementId
    messages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FieldRequirement:
    """The requirements that a member of a wrong type, and a member that is left out, break."""

    type: RequirementId
    absent: RequirementId


@dataclass(frozen=True, slots=True)
class Zero:
    """0 may be taken for the member's value."""

    requirement: RequirementId


@dataclass(frozen=True, slots=True)
class Field:
    """One member of a request."""

    requirement: FieldRequirement
    binding: str = ""
    """The place that holds its right value."""
    unknown: str = ""
    """A place such as `${unknown_order}`, to which targets bind a value that names nothing."""
    required: bool | None = None
    """For `standard` and `pair`: whether it must be there."""
    zero: Zero | None = None
    """Where 0 may be taken."""
    own_leg: Annotated[str, Names("leg")] = ""
    """The leg that it names."""
    base: BaseName = ""
    """The other legal request in which it stands."""
    type: FieldType | None = None
    """For `results` and `result`: its type."""
    nullable: bool = False
    """For `results` and `result`: whether it may be null."""
    width: RequirementId = ""
    """The requirement that says how wide the integer is."""


@dataclass(frozen=True, slots=True)
class Base:
    """Another legal request than the usual one, and what it acts on."""

    value: Json
    states: Mapping[str, StateNeed]


@dataclass(frozen=True, slots=True)
class Second:
    """The second kind of instruction."""

    base: BaseName
    """The legal request of this kind."""
    thing: str
    """The name of what it acts on, where a thing of the first kind stands beside it."""


@dataclass(frozen=True, slots=True)
class Half:
    """One half of a conditional rule: the members that an instruction needs, and what one that lacks them breaks."""

    needs: tuple[FieldName, ...]
    requirement: Mapping[FieldName, RequirementId]


@dataclass(frozen=True, slots=True)
class Condition:
    """A rule of the kind "required if"."""

    flag: FieldName
    """The member whose value decides."""
    when_true: Half
    when_false: Half
    names: Mapping[FieldName, str] = field(default_factory=dict)
    """Shorter names of members, for the ids of cases."""

    def half(self, flag: object) -> Half:
        """The half that holds under this value of the flag."""
        return self.when_true if flag is True else self.when_false


@dataclass(frozen=True, slots=True)
class ScopeMember:
    """What a member names, and what it means when it is left out, null, 0 or unusable."""

    kind: ThingKind
    absent: Literal["everything", "nothing"]
    unless: tuple[Annotated[str, Names("scope member")], ...] = ()
    """The members that lift `everything` where they name things of the harness's own."""


@dataclass(frozen=True, slots=True)
class SetUpCall:
    """A call that sets up or clears a state, as the scope guard must know it."""

    members: Mapping[str, ScopeMember] = field(default_factory=dict)
    harmless: tuple[str, ...] = ()
    """Members that name nothing."""
    unreadable: Literal["everything", "tokens"] = "everything"
    """A body that cannot be read means everything, or only what the numbers and GUIDs in it may name."""
    path: str = ""
    """Its path over HTTP; without it, its name in the folder of the operation's own."""


@dataclass(frozen=True, slots=True)
class ScopeRules:
    """What the scope guard must know of a call before anything is sent."""

    members: Mapping[str, ScopeMember] = field(default_factory=dict)
    harmless: tuple[str, ...] = ()
    """Members that name nothing."""
    unreadable: Literal["everything", "tokens"] = "everything"
    """A body that cannot be read means everything, or only what the numbers and GUIDs in it may name."""
    reads: tuple[str, ...] = ()
    """Calls that change nothing; wildcards are allowed."""
    calls: Mapping[str, SetUpCall] = field(default_factory=dict)
    """Calls that set up or clear a state."""


Deviation: TypeAlias = Annotated[
    str,
    OneOf(
        (
            "done", "several", "twice", "gone", "secret", "cancelled", "untouched", "refused", "again", "omitted",
            "role", "foreign", "unknown", "client", "both", "neither", "legs", "bid", "ask", "shown",
        )
    ),
]  # fmt: skip
"""In which way a request of an exploring run departs from the documented one."""


PLACES = ("oms", "account", "order", "client", "instrument", "bid", "ask")


@dataclass(frozen=True, slots=True)
class ExploredThing:
    """A thing that an exploring run may set up."""

    state: str
    base: Annotated[str, Names("any base")]
    """The request whose first instruction cancels it: `base`, or the name of another one."""
    stands: Literal["open", "cancelled", "executed"] = "open"
    """How it stands when it is set up."""
    secret: FieldName = ""
    """A member that must hold what the thing binds under its name."""
    wrong: tuple[Json, ...] = ()
    """Wrong values of the secret."""
    without: FieldName = ""
    """A secret that things of other states may need and this one does not."""


@dataclass(frozen=True, slots=True)
class Explored:
    """What an exploring run must know: the model that predicts the answers, and what it may vary."""

    model: Literal["cancel-all", "cancel-one", "cancel-quote", "cancel-list"]
    requirement: Mapping[Deviation, RequirementId]
    """The requirement that each kind of departure speaks for."""
    things: tuple[ExploredThing, ...] = ()
    members: Mapping[Annotated[str, OneOf(PLACES)], FieldName] = field(default_factory=dict)
    """The members that say where."""
    roles: Mapping[str, int] = field(default_factory=dict)
    """Each role that is tried, and how often beside the others."""
    every: tuple[str, ...] = ()
    """The roles that may touch every account."""
    accounts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The accounts of each role, the default one first."""
    quoting: tuple[str, ...] = ()
    """The accounts in which quotes stand, if they do not in all of them."""
    cancel: str = ""
    """The service's call that cancels one order."""


@dataclass(frozen=True, slots=True)
class Edition:
    """One edition of an operation's page: how it differs from the contract, which leaves open what editions do not share."""

    title: str
    """What sets it apart, in words."""
    settles: Mapping[Annotated[str, Names("reading id")], str]
    """Readings that its page answers, each with the alternative that it takes."""
    request: Annotated[str, Names("file")] = ""
    """The JSON Schema of its request; without the key, `request.schema.json`."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One call of one vendor; a folder under `specs/<service>/` and nothing else."""

    id: str
    """`service.name`."""
    short: str
    """The first part of its case ids; in capitals, that of its requirements."""
    service: Annotated[str, GIVEN]
    folder: Annotated[Path, GIVEN]
    document: Annotated[str, Names("document")]
    """The document, as `service.yaml` calls it."""
    call: str
    """The call's name in frames."""
    shape: Annotated[Shape, Key("answer")]
    """The kind of answer: one standard object, two legs, results or one result, or any data; it selects cases and checks."""
    method: str
    path: str
    """For `data`, a member of the request in braces is an argument that stands there: `/things/{ThingId}`."""
    transports: tuple[Transport, ...]
    media_types: tuple[str, ...]
    role: str
    """Who sends the legal request."""
    valid: Annotated[Mapping[str, Json] | list[Json], Key("base")]
    """A request that is legal and safe to vary, with `${binding}` places."""
    states: Mapping[str, StateNeed]
    """What that request acts on, by name."""
    fields: Mapping[str, Field]
    """Every member of the request."""
    roles_allowed: tuple[str, ...]
    """The roles that may make the call."""
    roles_refused: tuple[str, ...]
    """The roles that may not; cases for code 20 use the last one."""
    codes: tuple[ErrorCode, ...]
    """One entry for each row of the error table."""
    attribution: Mapping[Annotated[str, Names("general check")], RequirementId]
    """General check to the requirement that its findings belong to."""
    legs: Mapping[str, str] = field(default_factory=dict)
    """For `pair`: the legs, and the member of the answer that holds each."""
    xsd: Mapping[Document, Annotated[str, Names("file")]] = field(default_factory=dict)
    """For XML: the XSD of each document."""
    bases: Mapping[str, Base] = field(default_factory=dict)
    """Other legal requests, by the name under which scenarios, `second` and fields mean them."""
    second: Second | None = None
    """For `results` and `result`: the second kind of instruction."""
    gone: StateNeed | None = None
    """A state in which the call can no longer act on a thing."""
    identity: tuple[FieldName, ...] = ()
    """For `results` and `result`: the members that name a thing, in the request and in a result."""
    success: str = ""
    """For `results` and `result`: the flag of a result. For `data`: the boolean member of an answer that is false in an error."""
    errors: str = ""
    """For `results` and `result`: a result's list of texts."""
    condition: Condition | None = None
    request_media: Mapping[MediaType, RequirementId] = field(default_factory=dict)
    """For `results` and `result`: the requirement of each media type of a request."""
    response_media: Mapping[MediaType, RequirementId] = field(default_factory=dict)
    """For `results` and `result`: the requirement of each media type of an answer."""
    error_media: Mapping[Annotated[str, Names("format")], RequirementId] = field(default_factory=dict)
    """For `results` and `result`: the requirement of an error in each format."""
    reading_texts: Annotated[Mapping[Annotated[str, Names("reading id")], Mapping[str, str]], Key("readings")] = field(
        default_factory=dict
    )
    """For `standard` and `pair`: texts of `errormsg` that show an alternative of a reading."""
    scope: ScopeRules | None = None
    """What the scope guard must know; without it the guard lets nothing pass."""
    role_every: str = ""
    """The role that may touch every account; without it, the first of `explore.every`. Where there is none, no case has it."""
    explore: Explored | None = None
    """The model of an exploring run; without it that varies values alone."""
    effect_of_success: RequirementId = ""
    """The requirement that a success without its effect breaks; without it, that of the case."""
    effect_beyond: RequirementId = ""
    """The requirement that a success breaks which has an effect on what was not named; without it, that of `effect`."""
    sampled: Mapping[str, Sampled] = field(default_factory=dict)
    """Families of cases of which not every message goes out in every media type, as where a larger call has them all."""
    editions: Mapping[str, Edition] = field(default_factory=dict)
    """The editions of its page by name, the one that the contract is made from first; empty where only one is known."""
    edition: Annotated[str, GIVEN] = ""
    """The edition that the target file pins; empty where any of them will do."""
    readings: Annotated[Mapping[str, Reading], GIVEN] = field(default_factory=dict)
    """The readings that its documents leave open, by id."""
    requirements: Annotated[frozenset[str], GIVEN] = frozenset()
    """The ids of its requirements."""
    rulings: Annotated[frozenset[str], GIVEN] = frozenset()
    """The ids of the rulings of its contract."""
    methods_beside: Annotated[frozenset[str], GIVEN] = frozenset()
    """The methods by which other calls of its service are made at the same path."""

    @property
    def elevated(self) -> str:
        """The role that may touch every account; "" where the operation has none."""
        return self.role_every or next(iter(self.explore.every if self.explore else ()), "")

    @property
    def acted_on(self) -> tuple[str, ...]:
        """The names of what the legal request acts on, as effects are watched."""
        return state_names(self.states)

    @property
    def request_schema(self) -> Path:
        """The JSON Schema of its request, as the pinned edition has it."""
        own = self.editions[self.edition].request if self.edition else ""
        return self.folder / (own or "request.schema.json")

    @property
    def settled(self) -> Mapping[str, str]:
        """The readings that the pinned edition answers; none without a pin."""
        return self.editions[self.edition].settles if self.edition else {}

    def has_edition(self, name: str) -> bool:
        """Whether what is of this edition alone is of the contract now; what has no edition always is."""
        return name in ("", self.edition)

    @property
    def in_query(self) -> bool:
        """Whether arguments that are not in its path stand in the query: a call by GET or DELETE has no body."""
        return self.shape is Shape.DATA and self.method in ("GET", "DELETE")

    @property
    def in_path(self) -> tuple[str, ...]:
        """The members of the request that stand in its path, where that has them in braces."""
        return arguments_in(self.path) if self.shape is Shape.DATA else ()

    @property
    def has_body(self) -> bool:
        """Whether its request has a body: not by GET or DELETE, nor where every member stands in the path."""
        return not self.in_query and (not self.in_path or any(name not in self.in_path for name in self.fields))

    def with_base(self, name: str) -> Operation:
        """The operation as it is seen from another of its legal requests; itself for no name."""
        if not name:
            return self
        base = self.bases[name]
        return replace(self, valid=base.value, states=base.states)


@dataclass(frozen=True, slots=True)
class Service:
    """One vendor's service: its operations and the readings they share."""

    id: Annotated[str, Key("service")]
    title: str
    documents: Mapping[str, str]
    """The documents that requirements cite, and what each of them is."""
    operations: tuple[str, ...]
    """The ids of its operations, each of which has a folder."""
    dialect: str = "plain"
    """The protocol that it speaks around its operations: sign-in, sessions, set-up calls."""
    readings: Annotated[tuple[Reading, ...], GIVEN] = ()


@dataclass(frozen=True, slots=True)
class Contract:
    """Everything under one `specs/` folder, and the digest of its files."""

    root: Path
    digest: str
    services: Mapping[str, Service]
    operations: Mapping[str, Operation]
    requirements: Mapping[str, Requirement]
    readings: Mapping[str, Reading]
    rulings: Mapping[str, Ruling] = field(default_factory=dict)
    own_rulings: frozenset[str] = frozenset()
    """Those that stand in its own folder; without such a file the bundled rulings hold, whose cases are not looked for."""

    def in_editions(self, chosen: Mapping[str, str]) -> Contract:
        """The same contract with the editions that are pinned, by operation; itself without any."""
        pinned = {name: replace(self.operations[name], edition=edition) for name, edition in chosen.items()}
        return replace(self, operations={**self.operations, **pinned}) if pinned else self

    @property
    def pinned_editions(self) -> Mapping[str, str]:
        """The edition that each operation is pinned to, of those that are."""
        return {name: one.edition for name, one in sorted(self.operations.items()) if one.edition}
