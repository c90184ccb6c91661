"""The bundled contract's cases with made-up ids in their places, read back as a target would."""

from __future__ import annotations

from functools import cache
from typing import Any

from conformance.cases.build import build_all
from conformance.cases.message import fill, fill_body, is_text, places
from conformance.checks.kit import Kit, build_kit
from conformance.contract.load import load_contract
from conformance.contract.schemas import SchemaValidator, load_validator
from conformance.formats.errors import CodecError
from conformance.formats.registry import format_for
from conformance.model.case import Body, Case, Message
from conformance.model.spec import Contract

CAO, CQ, TPP = "alphapoint.cancel_all_orders", "alphapoint.cancel_quote", "tpp.create_cancellations"
CO = "alphapoint.cancel_order"


@cache
def contract() -> Contract:
    return load_contract()


@cache
def cases() -> tuple[Case, ...]:
    return build_all(contract())


def family(name: str, operation: str | None = None) -> list[Case]:
    """The cases whose id has this family."""
    return [one for one in cases() if one.id.split("/")[1] == name and operation in (None, one.operation)]


@cache
def kit(operation: str) -> Kit:
    return build_kit(contract().operations[operation])


@cache
def request_schema(operation: str) -> SchemaValidator:
    return load_validator(contract().operations[operation].folder / "request.schema.json")


def bindings(text: str) -> dict[str, int | str]:
    """The same made-up value for a name wherever it stands."""
    found: dict[str, int | str] = {"i": 4}
    for name in places(text):
        number = sum(name.encode()) + 1000
        if name.lower().endswith("pin"):
            found[name] = f"{number:04d}"
        else:
            found.setdefault(name, f"6269c403-5b9f-47dd-b8c3-{number:012d}" if is_text(name) else number)
    return found


def filled(body: Body, media_type: str) -> bytes:
    """The bytes of a body; the items of a long list have places of their own."""
    indexes = range(body.repeat.count) if body.repeat else range(1)
    every = " ".join(body.text.replace("#", str(index)) for index in indexes)
    return fill_body(body, bindings(every), format_for(media_type))


def filled_frame(message: Message) -> str:
    """A frame's text, with the body as a JSON string."""
    import json

    assert message.frame is not None
    body = filled(message.body, "application/json").decode()
    return fill(message.frame, {**bindings(""), "o": json.dumps(body), "body": body})


def value_of(operation: str, body: Body, media_type: str) -> Any:
    """The instance that a strict reader sees. Raises `CodecError`."""
    data = filled(body, media_type)
    document = kit(operation).codec(format_for(media_type)).decode(data)
    if any(problem.kind == "root" for problem in document.problems):
        raise CodecError("the root is another document's", kind="root")
    return document.value


def folded(operation: str, value: Any) -> Any:
    """AlphaPoint members under the names of the document, whatever their letter case."""
    names = {name.lower(): name for name in contract().operations[operation].fields}
    return (
        {names.get(key.lower(), key): content for key, content in value.items()} if isinstance(value, dict) else value
    )


def succeeds(one: Case) -> bool:
    """Whether success is the only right outcome."""
    return all(_is_success(alternative.wanted) for alternative in one.expect.any_of)


def may_succeed(one: Case) -> bool:
    """Whether a success is among the right outcomes."""
    return any(_is_success(alternative.wanted) for alternative in one.expect.any_of)


def _is_success(answer: Any) -> bool:
    if "results" in answer:
        return answer["results"] == "all" or (
            bool(answer["results"]) and all(flag is True for flag in answer["results"])
        )
    return answer.get("code") in (0, [0])
