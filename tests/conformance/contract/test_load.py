"""A specs folder is read whole, or refused with the file and the key that is wrong."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from conformance.contract import load, source
from conformance.contract.load import digest_of, load_contract, read_yaml, specs_root
from conformance.contract.schemas import read_schema
from conformance.errors import SpecError

CAO = "alphapoint.cancel_all_orders"
OPERATION = "alphapoint/cancel_all_orders/operation.yaml"
REQUIREMENTS = "alphapoint/cancel_all_orders/requirements.yaml"


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The bundled contract without fixtures and generated cases, to be spoilt."""
    folder = tmp_path / "specs"
    shutil.copytree(specs_root(), folder, ignore=shutil.ignore_patterns("fixtures", "corpus"))
    return folder


def replaced(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    return change


def test_the_bundled_contract_is_read_whole() -> None:
    contract = load_contract()
    assert sorted(contract.services) == ["alphapoint", "tpp"]
    assert contract.operations[CAO].media_types == ("application/json",)
    assert contract.requirements["CAO-CATEGORY"].untested
    assert contract.readings["leg-form"].operations == ("alphapoint.cancel_quote",)
    assert contract.readings["foreign-account"].also == ("CQ-SCOPE-MARKETMAKER", "CO-SCOPE-TRADING")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (replaced(OPERATION, "short: cao", "shirt: cao"), r"operation\.yaml:2: key 'short' is missing"),
        (
            replaced(OPERATION, "answer: standard", "answer: loud"),
            "'loud' is none of standard, pair, results, result, data\nKnown: data",
        ),
        (replaced(OPERATION, "id: alph", "id: [alph"), r"operation\.yaml:\d+: not YAML"),
        (replaced(REQUIREMENTS, "level: must", "level: shall"), "level: 'shall' is none of must, should, open"),
        (
            replaced(REQUIREMENTS, "- id: CAO-CATEGORY", "- ib: CAO-CATEGORY"),
            r"requirements\.yaml:1: 0: key 'id' is missing",
        ),
        (replaced(REQUIREMENTS, "CAO-CATEGORY", "CAO-SYNC"), "requirement CAO-SYNC is defined twice"),
        (replaced("alphapoint/service.yaml", "service: alphapoint", "service: tpp"), "service 'tpp' is defined twice"),
        (lambda folder: (folder / REQUIREMENTS).unlink(), "file is missing"),
        (lambda folder: (folder / REQUIREMENTS).write_bytes(b"\xff"), "not UTF-8 text\nByte 0"),
        (lambda folder: (folder / REQUIREMENTS).write_text("a: 1"), "yaml:1: expected a list, found a mapping"),
        (lambda folder: (folder / OPERATION).write_text("- 1"), "yaml:1: expected a mapping, found a list"),
        (
            lambda folder: (folder / "alphapoint/readings.yaml").write_text("- 1"),
            "0: expected a mapping, found the number '1'",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_named(copied: Path, change: Callable[[Path], object], message: str) -> None:
    change(copied)
    with pytest.raises(SpecError, match=message):
        load_contract(copied)


def test_a_folder_without_operations_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="no operation found"):
        load_contract(tmp_path)
    with pytest.raises(SpecError, match="no such folder"):
        load_contract(tmp_path / "none")


def test_another_folder_may_add_a_service(copied: Path, tmp_path: Path) -> None:
    more = tmp_path / "more"
    shutil.move(copied / "tpp", more / "tpp")
    assert set(load_contract(copied, [more]).services) == {"alphapoint", "tpp"}


def test_a_service_without_readings_has_none(copied: Path) -> None:
    (copied / "tpp" / "readings.yaml").unlink()
    assert load_contract(copied).services["tpp"].readings == ()


def test_the_digest_speaks_for_the_contract_alone(copied: Path) -> None:
    before = digest_of([copied])
    assert before == load_contract().digest
    fixtures = copied / "tpp" / "create_cancellations" / "fixtures"
    fixtures.mkdir()
    (fixtures / "x.json").write_text("{}", encoding="utf-8")
    (copied / ".hidden").write_text("x", encoding="utf-8")
    assert digest_of([copied]) == before
    replaced(REQUIREMENTS, "must", "open")(copied)
    assert digest_of([copied]) != before


def test_without_the_c_loader_yaml_is_read_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("a: [1]", encoding="utf-8")
    monkeypatch.delattr(source.yaml, "CSafeLoader", raising=False)
    assert read_yaml(path) == {"a": [1]}


def test_an_installation_without_specs_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "__file__", str(tmp_path / "conformance" / "specs" / "load.py"))
    with pytest.raises(SpecError, match="specs folder is missing"):
        specs_root()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: path.mkdir(), "cannot be read"),
        (lambda path: path.write_text('{"not":' * 5000 + "{}" + "}" * 5000, encoding="utf-8"), "nested too deeply"),
    ],
)
def test_a_schema_file_that_cannot_be_taken_in_is_named(
    tmp_path: Path, make: Callable[[Path], object], message: str
) -> None:
    path = tmp_path / "request.schema.json"
    make(path)
    with pytest.raises(SpecError, match=message) as caught:
        read_schema(path)
    assert caught.value.where == str(path)
