"""The corpus keeps its promises: proved values, the same bytes for everyone, and a cache that is never trusted blindly."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from conformance.cases.generated.corpus import (
    CorpusValue,
    cache_file,
    carried_file,
    content_address,
    read_values,
    write_values,
)
from conformance.cases.generated.generate import concrete as concrete_of
from conformance.cases.generated.generate import generate_values
from conformance.cases.generated.source import load_values
from conformance.contract.load import load_contract
from conformance.contract.schemas import load_validator
from conformance.errors import SpecError
from conformance.model.spec import Operation

CONTRACT = load_contract()
OPERATIONS = sorted(CONTRACT.operations)


def operation(name: str) -> Operation:
    return CONTRACT.operations[name]


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_carried_corpus_belongs_to_the_contract(name: str) -> None:
    address, values = read_values(carried_file(operation(name)))

    assert address == content_address(operation(name), 0)
    assert len(values) > 500
    assert 0.3 < sum(value.positive for value in values) / len(values) < 0.8


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_value_is_what_it_claims(name: str) -> None:
    schema = json.loads((operation(name).folder / "request.schema.json").read_text(encoding="utf-8"))
    judge = jsonschema.Draft202012Validator(schema)
    fast = load_validator(operation(name).folder / "request.schema.json")
    for value in load_values(operation(name)):
        concrete = concrete_of(value.value)
        assert judge.is_valid(concrete) is value.positive, value
        broken = {problem.requirement for problem in fast.problems(concrete)}
        assert broken == ({value.breaks} if value.breaks else set()), value


@pytest.mark.parametrize("name", OPERATIONS)
def test_each_request_requirement_of_the_schema_is_broken_by_some_value(name: str) -> None:
    text = (operation(name).folder / "request.schema.json").read_text(encoding="utf-8")
    stated = {
        line.split('"')[3]
        for line in text.replace("{", "{\n").replace(",", ",\n").splitlines()
        if "x-requirement" in line
    }

    broken = {value.breaks for value in load_values(operation(name))} - {""}

    assert broken == stated


def test_the_same_seed_gives_the_same_values_and_another_seed_others() -> None:
    one = operation("alphapoint.cancel_all_orders")

    first, second, other = (generate_values(one, seed, examples=25) for seed in (1, 1, 2))

    assert first == second
    assert first != other


def test_values_survive_their_file(tmp_path: Path) -> None:
    one = operation("tpp.create_cancellations")
    values = (
        CorpusValue([{"OrderID": 1, "x\ud800": "\u00e9"}], positive=True),
        CorpusValue("a", positive=False, breaks="TPP-REQ-LIST"),
    )

    write_values(tmp_path / "v.jsonl", one, 3, values)

    assert read_values(tmp_path / "v.jsonl") == (content_address(one, 3), values)


@pytest.mark.parametrize("text", ["", "{}", "not json\n", '{"address":"a"}\n{"nothing":1}\n'])
def test_a_file_that_is_no_corpus_is_an_error_that_says_what_to_do(tmp_path: Path, text: str) -> None:
    path = tmp_path / "v.jsonl"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(SpecError, match="not a corpus file"):
        read_values(path)


def test_the_cache_folder_follows_the_environment() -> None:
    one = operation("alphapoint.cancel_quote")

    assert cache_file(one, 1, {"XDG_CACHE_HOME": "/c"}).parent == Path("/c/order-cancellation-conformance")
    assert cache_file(one, 1, {"HOME": "/h"}).parent == Path("/h/.cache/order-cancellation-conformance")
    assert cache_file(one, 1, {"HOME": "/h"}).name != cache_file(one, 2, {"HOME": "/h"}).name
