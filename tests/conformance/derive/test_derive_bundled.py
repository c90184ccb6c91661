"""The bundled operations as `derive --check` uses them: their facts, their records, and what the readings cover."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest

from conformance.contract.load import load_contract, read_page_record
from conformance.derive.drift import check_page, covers_of
from conformance.derive.facts import facts_of_folder
from conformance.derive.page import MISFITS
from conformance.derive.read.dialects import page_of_text
from conformance.model.spec import Operation

CONTRACT = load_contract()
ALL = sorted(CONTRACT.operations.values(), key=lambda one: one.id)
RECORDED = [one for one in ALL if (one.folder / "page.yaml").exists()]


def names(operation: Operation) -> str:
    return operation.id


@pytest.mark.parametrize("operation", ALL, ids=names)
def test_every_operation_has_facts_on_each_field_code_and_role(operation: Operation) -> None:
    facts = {(key.at, key.kind): fact.value for key, fact in facts_of_folder(operation.folder).items()}
    fields = operation.fields
    assert {name for name in fields if (f"request/{name}", "type") in facts} == set(fields)
    numbers = {code.code: " | ".join(sorted(code.messages)) for code in operation.codes if code.code.isdecimal()}
    assert {number: facts[(f"codes/{number}", "message")] for number in numbers} == numbers
    assert facts[("operation", "permissions")] == ", ".join(sorted(operation.roles_allowed))


@pytest.mark.parametrize("operation", RECORDED, ids=names)
def test_a_recorded_page_has_wording_for_each_field_and_a_sample_for_each_schema(operation: Operation) -> None:
    record = read_page_record(operation.folder)
    assert record is not None
    assert {f"request/{name}" for name in operation.fields} <= set(record.wording)
    recorded = {path.stem.partition("-")[0] for path in (operation.folder / "samples").iterdir()}
    of_editions = {one.request for one in operation.editions.values()}
    schemas = [path.name for path in operation.folder.glob("*.schema.json") if path.name not in of_editions]
    assert recorded == {name.partition(".")[0] for name in schemas}


@pytest.mark.parametrize("operation", RECORDED, ids=names)
def test_every_cover_is_of_a_known_kind_and_place(operation: Operation) -> None:
    facts = facts_of_folder(operation.folder)
    places = {key.at for key in facts} | {
        part for key in facts if (part := key.at.partition("/")[0]) in ("request", "response", "error")
    }
    kinds = set(MISFITS) | {key.kind for key in facts}
    for cover in covers_of(operation.folder):
        assert cover.kind in kinds
        assert cover.kind == "silence" or any(fnmatchcase(place, cover.at) for place in places), cover


def test_a_page_that_a_folder_has_itself_is_what_its_contract_says() -> None:
    """No vendor's page of the call was at hand: the requirements cite one in our words, which lies beside them."""
    folder = CONTRACT.operations["tpp.create_cancellation"].folder
    found = check_page(page_of_text((folder / "page.txt").read_text(encoding="utf-8"), "page.txt"), folder)
    assert (list(found.drift), list(found.not_compared)) == ([], [])
    assert len(found.covered) > 5


def test_the_operations_whose_pages_are_recorded_are_there() -> None:
    assert {one.id for one in RECORDED} >= {
        "alphapoint.cancel_all_orders",
        "alphapoint.cancel_quote",
        "tpp.create_cancellations",
    }
