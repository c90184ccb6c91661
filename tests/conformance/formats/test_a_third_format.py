"""The recipe "add a wire format", followed to the letter: one package, one registration, and everything works in it."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import MISSING, dataclass, fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from form_urlencoded.format import FORM, MEDIA_TYPE
from live_support import live, pointed, run, sample

from conformance.cases.build import build_cases
from conformance.cases.fixtures import from_data, to_data
from conformance.cases.generated.source import sources
from conformance.cases.generated.stream import generated_case
from conformance.cases.message import codec_of, is_text, places_of
from conformance.checks.answer import Observation
from conformance.checks.judge import Pins, judge
from conformance.checks.kit import build_kit
from conformance.contract.load import load_contract
from conformance.contract.schemas import load_validator
from conformance.errors import SpecError
from conformance.formats import registry
from conformance.formats.base import Decoded, Format, WireForm, as_written, changed
from conformance.formats.errors import CodecError
from conformance.formats.json.format import JSON, json_text
from conformance.formats.members import json_content
from conformance.guard.guard import Granted, Scope, catalogue_of, decide_by
from conformance.model.case import Alternative, Body, Case, Expectation
from conformance.model.spec import Contract, Operation
from conformance.model.verdict import Finding
from conformance.run.setting import http_request
from conformance.wire.messages import Exchange, HttpReply, HttpRequest

CAO = "alphapoint.cancel_all_orders"
SPECS = Path(__file__).parents[3] / "specs"
OWN = Scope(accounts=frozenset({101}), oms=frozenset({1}), destructive=True)


@pytest.fixture(autouse=True)
def _registered() -> Iterator[None]:
    registry.register(FORM)
    yield
    registry.unregister(FORM)


@pytest.fixture
def specs(tmp_path: Path) -> Path:
    """The contract of AlphaPoint, in which CancelAllOrders takes forms as well, over HTTP alone."""
    folder = tmp_path / "specs"
    shutil.copytree(SPECS / "alphapoint", folder / "alphapoint", ignore=shutil.ignore_patterns("fixtures"))
    path = folder / "alphapoint" / "cancel_all_orders" / "operation.yaml"
    text = path.read_text(encoding="utf-8").replace("transports: [http, ws]", "transports: [http]")
    path.write_text(text.replace("[application/json]", f"[application/json, {MEDIA_TYPE}]"), encoding="utf-8")
    return folder


@pytest.fixture
def contract(specs: Path) -> Contract:
    return load_contract(specs)


@pytest.fixture
def operation(contract: Contract) -> Operation:
    return contract.operations[CAO]


def of_form(operation: Operation) -> dict[str, Case]:
    """The named cases in the third format, by the part of their ids before the channel."""
    return {one.id.partition("@")[0]: one for one in build_cases(operation) if one.media_type == MEDIA_TYPE}


def test_the_recipe_names_every_field_that_a_format_must_have() -> None:
    page = (SPECS.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
    steps = re.findall(r"^\d+\. .*$", page.partition("### Add a wire format")[2].partition("\n#")[0], re.MULTILINE)
    assert 0 < len(steps) <= 10
    named = set(re.findall(r"`(\w+)`", " ".join(steps)))
    assert {one.name for one in fields(Format) if one.default is MISSING} <= named


def test_a_media_type_without_a_format_is_refused_where_the_contract_names_it(specs: Path) -> None:
    registry.unregister(FORM)
    try:
        with pytest.raises(
            SpecError, match=re.escape(f"no format is known for the media type '{MEDIA_TYPE}'")
        ) as caught:
            load_contract(specs)
    finally:
        registry.register(FORM)
    assert caught.value.where.endswith("operation.yaml:10")


def test_a_name_or_a_media_type_belongs_to_one_format() -> None:
    with pytest.raises(ValueError, match="'form' has"):
        registry.register(FORM)


def test_a_value_comes_back_and_is_judged_by_the_same_schema(operation: Operation) -> None:
    codec = codec_of(operation, FORM)
    data = codec.encode({"OMSId": 1, "AccountId": -7})
    assert data == "OMSId=1&AccountId=-7"
    schema = load_validator(operation.folder / "request.schema.json")
    assert codec.decode(data.encode()).value == {"OMSId": 1, "AccountId": -7}
    assert schema.is_valid(codec.decode(data.encode()).value)
    wrong = schema.problems(codec.decode(b"OMSId=one").value)
    assert [problem.requirement for problem in wrong] == ["CAO-REQ-OMSID-TYPE"]


def test_places_stay_and_are_filled_with_escapes(operation: Operation) -> None:
    case = of_form(operation)["cao/http/charset"]
    assert case.message.body.text == "OMSId=${oms}&AccountId=${account}"
    request = http_request(case.message, {"oms": 1, "account": "a&b"}, MEDIA_TYPE, ())
    assert request.body == b"OMSId=1&AccountId=a%26b"
    assert ("Content-Type", f"{MEDIA_TYPE}; charset=utf-8") in request.headers


def test_its_forms_and_the_members_that_it_can_say_become_cases(operation: Operation) -> None:
    cases = of_form(operation)
    assert {name for name in cases if name.startswith("cao/malformed/")} == {
        f"cao/malformed/{form.name}" for form in FORM.forms if form.standing != "legal"
    }
    cut = cases["cao/malformed/cut-off"]
    assert cut.message.body.text == "OMSId"
    assert [0] not in [one.wanted.get("code") for one in cut.expect.any_of]
    assert cases["cao/fields/omsid-twice-same"].message.body.text.count("OMSId=") == 2
    assert "cao/fields/omsid-object" not in cases  # no words for it
    in_json = {one.id.partition("@")[0] for one in build_cases(operation) if one.media_type != MEDIA_TYPE}
    assert {f"cao/codes/{code}" for code in ("20", "100", "101", "102", "104", "106")} <= set(cases) & in_json
    assert all(from_data(to_data(case)) == case for case in cases.values())


def test_generated_values_are_written_in_every_form_and_those_without_words_in_json(contract: Contract) -> None:
    source = next(one for one in sources(contract, None, 0) if one.operation.id == CAO)
    cases = [generated_case(source, number) for number in range(400)]
    own = [case for case in cases if case.media_type == MEDIA_TYPE]
    assert 60 < len(own) < 200
    written = Counter(case.title.partition(": ")[2].partition(",")[0] for case in own)
    assert set(written) >= {form.name for form in FORM.forms}
    for case in own:
        if case.title.startswith("legal"):
            FORM.codec(source.operation, "request").decode(case.message.body.text.encode())


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"OMSId=1&AccountId=101", ""),
        (b"AccountId=101&OMSId=1", ""),
        (b"OMSId=1&AccountId=999", "AccountId: 999 is outside scope.accounts"),
        (b"OMSId=1&AccountId=101&AccountId=999", "999"),
        (b"OMSId=1&Account%49d=999", "999"),
        (b"OMSId=1&accountid=999", "999"),
        (b"OMSId=1", "AccountId may be read as absent"),
        (b"OMSId=1&AccountId=0", "AccountId"),
        (b"OMSId=1&AccountId=", "AccountId"),
        (b"OMSId=1&AccountId=101&UserId=5", "UserId"),
        (b"OMSId", "may"),
        (b'{"OMSId":1,"AccountId":999}', "999"),
    ],
)
def test_the_scope_guard_sees_the_ids_in_its_body(contract: Contract, body: bytes, why: str) -> None:
    request = HttpRequest("POST", "/AP/CancelAllOrders", (("Content-Type", MEDIA_TYPE),), body)
    decision = decide_by(catalogue_of(contract.operations), OWN, request, Granted())
    assert decision.allowed is (why == ""), decision.reason
    assert why in decision.reason


def test_it_is_not_looked_for_where_the_call_does_not_take_it(contract: Contract) -> None:
    """A body that only a form reader understands names nothing to a call that knows no forms: it cannot be judged."""
    request = HttpRequest("POST", "/AP/SendOrder", (("Content-Type", MEDIA_TYPE),), b"OMSId=1&AccountId=101")
    others = {name: one for name, one in contract.operations.items() if name != CAO}
    assert not decide_by(catalogue_of(others), OWN, request, Granted()).allowed


class _TakesForms:
    """The reference, to which forms are translated, and which then answers in forms."""

    def __init__(self, app: Any) -> None:
        self.app, self.forms = app, 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = dict(scope.get("headers", ()))
        if (
            scope["type"] != "http"
            or headers.get(b"content-type", b"").partition(b";")[0].strip().lower() != MEDIA_TYPE.encode()
        ):
            await self.app(scope, receive, send)
            return
        self.forms += 1
        body = b""
        while True:
            event = await receive()
            body += event.get("body", b"")
            if not event.get("more_body"):
                break
        data = json.dumps(_of_form(body)).encode()
        kept = [
            (name, text)
            for name, text in scope["headers"]
            if name not in (b"content-type", b"content-length", b"accept", b"transfer-encoding")
        ]
        inner = {
            **scope,
            "headers": [*kept, (b"content-type", b"application/json"), (b"content-length", b"%d" % len(data))],
        }
        await self.app(inner, _Once(data, receive), _InForms(send))


class _Once:
    """The translated body, then whatever the client does."""

    def __init__(self, data: bytes, receive: Any) -> None:
        self.data, self.receive, self.given = data, receive, False

    async def __call__(self) -> Any:
        if self.given:
            return await self.receive()
        self.given = True
        return {"type": "http.request", "body": self.data, "more_body": False}


class _InForms:
    """An answer that is held back until it is whole, and then sent as a form where it is an object."""

    def __init__(self, send: Any) -> None:
        self.send, self.start, self.body = send, {}, b""

    async def __call__(self, event: Any) -> None:
        if event["type"] == "http.response.start":
            self.start = dict(event)
            return
        self.body += event.get("body", b"")
        if event.get("more_body"):
            return
        headers = [
            pair for pair in self.start["headers"] if pair[0].lower() not in (b"content-type", b"content-length")
        ]
        try:
            value = json.loads(self.body)
            data = urlencode(
                {name: _word(one) for name, one in value.items() if one is not None or name == "errormsg"}
            ).encode()
            kind = MEDIA_TYPE.encode()
        except (ValueError, AttributeError):
            data, kind = self.body, b"text/plain"
        headers += [(b"content-type", kind), (b"content-length", b"%d" % len(data))]
        await self.send({**self.start, "headers": headers})
        await self.send({"type": "http.response.body", "body": data})


def _word(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


def _of_form(body: bytes) -> Any:
    """What a form says, numbers as numbers; text, which the reference refuses, for what is none."""
    text = body.decode("utf-8", "replace")
    parts = text.split("&")
    if not all("=" in part for part in parts) or re.search("%(?![0-9A-Fa-f]{2})", text):
        return "no form"
    pairs = parse_qsl(text, keep_blank_values=True)
    if len(dict(pairs)) != len(pairs):
        return "a member twice"
    return {name: int(one) if re.fullmatch("-?[0-9]{1,19}", one) else one for name, one in pairs}


def test_a_whole_run_goes_through_in_it(specs: Path, tmp_path: Path) -> None:
    """Sign-in, states, forms legal and broken, generated values: sent to a loopback server, decoded and judged."""
    wrapped: list[_TakesForms] = []

    def wrap(app: Any) -> _TakesForms:
        wrapped.append(_TakesForms(app))
        return wrapped[0]

    with live(wrap=wrap) as server:
        target = pointed(sample("alphapoint"), server.url)
        chosen = ("--specs", str(specs), "--operation", CAO, "--media-type", MEDIA_TYPE, "--generated", "60")
        came = run(tmp_path, target, *chosen)
    reasons = came.reasons()
    assert {name: reasons[name] for name, verdict in came.verdicts().items() if verdict != "pass"} == {}
    named = [case for case in came.results["cases"] if case["tier"] == "named"]
    assert len(named) > 100
    assert {(case["transport"], case["media_type"]) for case in named} == {("http", MEDIA_TYPE)}
    assert wrapped[0].forms >= len(named)


def test_a_fault_is_caught_in_it(specs: Path, tmp_path: Path) -> None:
    """The value of the form is judged by the schema that judges JSON."""
    with live(wrap=_TakesForms, faults=("cao-error-text-empty",)) as server:
        target = pointed(sample("alphapoint"), server.url)
        chosen = ("--specs", str(specs), "--media-type", MEDIA_TYPE, "--case", "cao/codes/104@*")
        came = run(tmp_path, target, *chosen)
    (case,) = came.results["cases"]
    assert case["verdict"] == "fail"
    assert [(one["requirement"], one["at"]) for one in case["findings"]] == [("CAO-CODE-104", "/errormsg")]


MAGIC = b"\x00\xff"
PACKED_TYPE = "application/x-packed"


@dataclass(frozen=True)
class _Departure:
    kind: str
    message: str


class _Packed:
    """A format that is no text: two bytes that no charset has, then JSON, and nothing behind it."""

    def encode(self, value: Any) -> bytes:
        return MAGIC + json_text(value).encode()

    plain = encode

    def decode(self, data: bytes, charset: str | None = None) -> Decoded:
        if not data.startswith(MAGIC):
            raise CodecError("the first two bytes are wrong")
        packed = data[2:].removesuffix(b"\x00")
        departures = (_Departure("tail", "a byte behind the list"),) if data.endswith(b"\x00") else ()
        return replace(JSON.codec(TPP_OPERATION, "request").decode(packed), problems=departures)


TPP_OPERATION = load_contract().operations["tpp.create_cancellations"]
PACKED = Format(
    name="packed", label="packed list", media_types=(PACKED_TYPE,), codec=lambda _operation, _document: _Packed(),
    escape=JSON.escape, members=lambda text: json_content(text[2:]),
    forms=(WireForm("plain", "legal", as_written), WireForm("cut-off", "broken", changed(lambda text: text[:1]))),
)  # fmt: skip


@pytest.fixture
def packed(tmp_path: Path) -> Iterator[Operation]:
    """The list operation, which takes and gives packed lists alone."""
    registry.register(PACKED)
    folder = tmp_path / "packed"
    shutil.copytree(TPP_OPERATION.folder, folder, ignore=shutil.ignore_patterns("fixtures"))
    scenarios = folder / "scenarios.yaml"
    scenarios.write_text(scenarios.read_text(encoding="utf-8").replace("json: TPP", "packed: TPP"), encoding="utf-8")
    yield replace(
        TPP_OPERATION,
        folder=folder,
        media_types=(PACKED_TYPE,),
        request_media={PACKED_TYPE: TPP_OPERATION.request_media["application/json"]},
        response_media={PACKED_TYPE: TPP_OPERATION.response_media["application/json"]},
        error_media={"packed": "TPP-ERR-JSON"},
    )
    registry.unregister(PACKED)


def test_a_format_that_is_no_text_goes_through_as_bytes(packed: Operation) -> None:
    cases = {one.id.partition("@")[0]: one for one in build_cases(packed)}
    assert len(cases) > 100
    assert [name for name, case in cases.items() if case.message.body.data is None] == ["tpp/negotiation/method-get"]
    assert cases["tpp/forms/cut-off"].message.body == Body(data=b"\x00")
    domestic = cases["tpp/response/domestic"]
    assert from_data(to_data(domestic)) == domestic
    assert places_of(domestic.message)[0].startswith("creator") or "order.OrderID" in places_of(domestic.message)
    bindings = {name: "0" * 4 if is_text(name) else 7 for name in places_of(domestic.message)}
    request = http_request(domestic.message, bindings, PACKED_TYPE, ())
    assert request.body.startswith(MAGIC + b'[{"')
    assert b"${" not in request.body


@pytest.mark.parametrize(
    ("answer", "findings"),
    [
        ([{"OrderID": 7, "InternationalOrderUID": None, "Success": True, "Errors": None}], []),
        ([{"OrderID": 8, "InternationalOrderUID": None, "Success": True, "Errors": None}], ["identity"]),
        ([{"OrderID": 7, "InternationalOrderUID": None, "Success": "yes", "Errors": None}], ["schema"]),
    ],
)
def test_results_in_bytes_are_matched_and_judged_by_the_same_schema(
    packed: Operation, answer: Any, findings: list[str]
) -> None:
    assert [one.check for one in judged_in_bytes(packed, _Packed().encode(answer))] == findings


def test_a_departure_that_the_codec_notes_is_a_finding_on_the_form(packed: Operation) -> None:
    right = [{"OrderID": 7, "InternationalOrderUID": None, "Success": True, "Errors": None}]
    (found,) = judged_in_bytes(packed, _Packed().encode(right) + b"\x00")
    assert (found.check, found.requirement) == ("form", packed.attribution["schema"])
    assert (found.message, found.expected, found.actual) == (
        "a byte behind the list",
        "packed list as documented",
        "tail",
    )


def judged_in_bytes(packed: Operation, body: bytes) -> tuple[Finding, ...]:
    """What is found in an answer of these bytes to one instruction for order 7."""
    sent = [{"OrderID": 7, "CreatorID": None, "PIN": "1", "IsInternationalOrder": False, "InternationalOrderUID": None}]
    headers = (("Content-Type", PACKED_TYPE),)
    exchange = Exchange(b"", body, HttpReply(200, "", headers, body, "1.1"), None, 0.0, 0.0)
    case = next(one for one in build_cases(packed) if one.id.startswith("tpp/response/domestic"))
    wanted = replace(case, expect=Expectation("CASE", (Alternative({"results": ["any"]}),)))
    return judge(build_kit(packed), wanted, Observation((exchange,), _Packed().encode(sent)), Pins()).findings
