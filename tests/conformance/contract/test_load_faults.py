"""What is wrong in a file under specs is told with file, line and the word that was probably meant; all of it at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from conformance.cli.main import main
from conformance.contract.load import load_contract, read_scenarios
from conformance.errors import SpecError

Edit = Callable[[str, str, str], None]
CAO, CQ = "alphapoint/cancel_all_orders", "alphapoint/cancel_quote"
CO, TPP = "alphapoint/cancel_order", "tpp/create_cancellations"

# what: (file, old, new, the text on the line that is named, message, hint)
FAULTS = {
    "a misspelt key": (
        f"{CAO}/operation.yaml", "transports:", "transprots:", "transprots:", "unknown key 'transprots'", "'transports'",
    ),
    "a misspelt key of a field": (
        f"{CAO}/operation.yaml", "    unknown: ${unknown_oms}", "    unknwon: ${unknown_oms}", "unknwon:",
        "unknown key 'fields.OMSId.unknwon'", "Did you mean 'unknown'?",
    ),
    "a misspelt key of an error code": (
        f"{CAO}/operation.yaml", "CAO-CODE-20, messages:", "CAO-CODE-20, mesages:", "mesages", "unknown key 'codes.20.mesages'",
        "Did you mean 'messages'?",
    ),
    "a misspelt key of the scope": (
        f"{CAO}/operation.yaml", "absent: everything}\n    I", "abesnt: everything}\n    I", "abesnt",
        "unknown key 'scope.members.AccountId.abesnt'", "Did you mean 'absent'?",
    ),
    "a misspelt general check": (
        f"{CAO}/operation.yaml", "  key-case: ", "  key-cases: ", "key-cases:",
        "attribution: there is no general check 'key-cases'", "Did you mean 'key-case'?",
    ),
    "a misspelt departure": (
        f"{CAO}/operation.yaml", "    omitted: ", "    omited: ", "omited:", "unknown key 'explore.requirement.omited'",
        "Did you mean 'omitted'?",
    ),
    "a departure that the model needs": (
        f"{CAO}/operation.yaml", "    foreign: CAO-SCOPE-TRADING\n", "", "    done: CAO-RESP-RESULT-TRUE",
        "explore.requirement: key 'foreign' is missing", "cancel-all",
    ),
    "a misspelt key of a requirement": (
        f"{CAO}/requirements.yaml", "  place: heading, Category", "  plaec: heading, Category", "plaec:", ".plaec'", "Did you mean 'place'?",
    ),
    "a misspelt key of a reading": (
        "tpp/readings.yaml", "  question:", "  qestion:", "qestion:", "unknown key 'null-members.qestion'", "'question'",
    ),
    "a misspelt key of a service": (
        "tpp/service.yaml", "documents:", "docments:", "docments:", "unknown key 'docments'", "Did you mean 'documents'?",
    ),
    "a missing key": (f"{CAO}/operation.yaml", "short: cao\n", "", "id:", "key 'short' is missing", "authoring.md"),
    "a missing key of a requirement": (
        f"{CAO}/requirements.yaml", "  level: must\n", "", "- id:", ": key 'level' is missing", "authoring.md",
    ),
    "a key that this kind of answer needs": (
        f"{CQ}/operation.yaml", "legs: {bid: BidResult, ask: AskResult}\n", "", "id:", "key 'legs' is missing", "'pair'",
    ),
    "a general check that frames need": (
        f"{CAO}/operation.yaml", "  frame-m: CAO-WS-M\n", "", "answered:", "attribution: key 'frame-m' is missing",
        "member m of a frame",
    ),
    "a number where a text belongs": (
        f"{CAO}/operation.yaml", 'code: "20"', "code: 20", "code: 20", "expected a text, found the number '20'", "quotes",
    ),
    "a text where a list belongs": (
        f"{CAO}/operation.yaml", "roles_allowed: [operator, trading]", "roles_allowed: operator", "roles_allowed:",
        "roles_allowed: expected a list, found the text 'operator'", "authoring.md",
    ),
    "a list where a mapping belongs": (
        f"{CAO}/operation.yaml", "  mine: {state: open-order, account: \"${account}\"}", "  - open-order", "- open-order",
        "states: expected a mapping, found a list", "authoring.md",
    ),
    "a text where a flag belongs": (
        f"{CAO}/operation.yaml", "    required: true", "    required: yes please", "required:",
        "fields.OMSId.required: expected true or false, found the text 'yes please'", "authoring.md",
    ),
    "a key without a value": (
        f"{CAO}/operation.yaml", "method: POST", "method:", "method:", "method: expected a text, found nothing", "authoring.md",
    ),
    "a key that stands twice": (
        f"{CAO}/operation.yaml", "method: POST\n", "method: POST\nmethod: GET\n", "method: GET", "key 'method' stands there twice", "",
    ),
    "a key that is a number": (
        "tpp/readings.yaml", "    '200': '200'", "    200: '200'", "    200:",
        "processed-status.alternatives: a key must be a text, not the number '200'", "Put it in quotes.",
    ),
    "a word that is none": (
        f"{CAO}/requirements.yaml", "level: must", "level: shuold", "level: shuold", "'shuold' is none of must, should, open",
        "Did you mean 'should'?",
    ),
    "a kind of answer that is none": (
        f"{CAO}/operation.yaml", "answer: standard", "answer: standart", "answer:", "'standart' is none of", "'standard'?",
    ),
    "a transport that is none": (
        f"{CAO}/operation.yaml", "[http, ws]", "[http, wss]", "wss", "'wss' is none of http, ws", "Did you mean 'ws'?",
    ),
    "a kind of thing that is none": (
        f"{CAO}/operation.yaml", "{kind: account, absent: everything}", "{kind: acount, absent: everything}", "acount",
        "scope.members.AccountId.kind: 'acount' is none of account, oms", "Did you mean 'account'?",
    ),
    "an attribution to nothing": (
        f"{CAO}/operation.yaml", "answered: CAO-SYNC", "answered: CAO-SINC", "CAO-SINC",
        "attribution.answered: there is no requirement 'CAO-SINC'", "Did you mean 'CAO-SYNC'?",
    ),
    "an attribution to another operation's": (
        f"{CAO}/operation.yaml", "answered: CAO-SYNC", "answered: CQ-SYNC", "CQ-SYNC", "there is no requirement 'CQ-SYNC'", "CAO-SYNC",
    ),
    "a code of a lost requirement": (
        f"{CAO}/operation.yaml", "requirement: CAO-CODE-101", "requirement: CAO-CODE-1", "CAO-CODE-1,",
        "codes.101.requirement: there is no requirement 'CAO-CODE-1'", "Did you mean 'CAO-CODE-1",
    ),
    "a field of a lost requirement": (
        f"{CAO}/operation.yaml", "type: CAO-REQ-OMSID-TYPE", "type: CAO-REQ-OMSID-TIPE", "CAO-REQ-OMSID-TIPE,",
        "fields.OMSId.requirement.type: there is no requirement 'CAO-REQ-OMSID-TIPE'", "Did you mean 'CAO-REQ-OMSID-TYPE'?",
    ),
    "a member that is no field": (
        f"{CAO}/operation.yaml", "  AccountId: ${account}\n", "  AcountId: ${account}\n", "AcountId:",
        "base: 'AcountId' is none of the fields", "Did you mean 'AccountId'?",
    ),
    "a request that is not there": (
        f"{CO}/operation.yaml", "base: by_client", "base: by_clinet", "by_clinet", "there is no base 'by_clinet'", "'by_client'?",
    ),
    "an identity that is no field": (
        f"{TPP}/operation.yaml", "identity: [OrderID,", "identity: [OrderId,", "identity:", "there is no field 'OrderId'", "'OrderID'?",
    ),
    "a condition on no field": (
        f"{TPP}/operation.yaml", "when_false: {needs: [OrderID]", "when_false: {needs: [OrdreID]", "OrdreID",
        "condition.when_false.needs.0: there is no field 'OrdreID'", "Did you mean 'OrderID'?",
    ),
    "a condition without its requirement": (
        f"{TPP}/operation.yaml", "requirement: {OrderID: TPP-REQ-ORDERID-REQUIRED}}", "requirement: {}}", "when_false:",
        "condition.when_false.requirement: key 'OrderID' is missing", "breaks",
    ),
    "a pair with one leg": (
        f"{CQ}/operation.yaml", "legs: {bid: BidResult, ask: AskResult}", "legs: {bid: BidResult}", "legs:", "a pair has two", "authoring.md",
    ),
    "an instruction that is no list": (
        f"{TPP}/operation.yaml", "base:\n  - OrderID", "base:\n    OrderID", "    OrderID: ${order.OrderID}",
        "base: expected a list of instructions", "authoring.md",
    ),
    "a media type without requirement": (
        f"{TPP}/operation.yaml", "  text/json: TPP-REQ-JSON-TEXT\n", "", "  application/json: TPP-REQ-JSON-APPLICATION",
        "request_media: no requirement for text/json", "authoring.md",
    ),
    "a media type that the call does not have": (
        f"{TPP}/operation.yaml", "  text/json: TPP-RESP-JSON-TEXT\n", "  text/jsn: TPP-RESP-JSON-TEXT\n", "text/jsn",
        "there is no media type 'text/jsn'", "Did you mean 'text/json'?",
    ),
    "an `unless` on no member": (
        f"{CAO}/operation.yaml", "unless: [AccountId]", "unless: [AcountId]", "AcountId",
        "scope.members.OMSId.unless: 'AcountId' is none of the members", "Did you mean 'AccountId'?",
    ),
    "an XSD that is not there": (
        f"{TPP}/operation.yaml", "request: request.xsd", "request: reqest.xsd", "reqest.xsd", "there is no file 'reqest.xsd'", "'request.xsd'?",
    ),
    "a text of a reading that is none": (
        f"{CAO}/operation.yaml", "  code-100-text:", "  code-100-txt:", "code-100-txt:",
        "there is no reading id 'code-100-txt'", "Did you mean 'code-100-text'?",
    ),
    "a text of an alternative that is none": (
        f"{CAO}/operation.yaml", '"Invalid Request": invalid-request', '"Invalid Request": invalid-reqest', "invalid-reqest",
        "there is no alternative 'invalid-reqest'", "Did you mean 'invalid-request'?",
    ),
    "a document that no service lists": (
        f"{CAO}/requirements.yaml", "document: CancelAllOrders", "document: CancelAllOrder", "document: CancelAllOrder\n",
        ".document: there is no document 'CancelAllOrder'", "Did you mean 'CancelAllOrders'?",
    ),
    "an id that stands twice": (
        f"{CAO}/requirements.yaml", "id: CAO-SYNC", "id: CAO-PERM-OPERATOR", "", "requirement CAO-PERM-OPERATOR is defined twice", "another id",
    ),
    "a reason without its word": (
        f"{CAO}/requirements.yaml", "verify: untested", "verify: cases", "", "belong together", "Give both, or neither.",
    ),
    "a reading whose id is taken": (
        "tpp/readings.yaml", "id: guid-case", "id: null-members", "", "reading null-members is defined twice", "another id",
    ),
    "a reading of a lost operation": (
        "tpp/readings.yaml", "  - tpp.create_cancellations", "  - tpp.create_cancelations", "tpp.create_cancelations",
        "there is no operation 'tpp.create_cancelations'", "Did you mean 'tpp.create_cancellations'?",
    ),
    "a reading of a lost requirement": (
        "alphapoint/readings.yaml", "  - CQ-RESP-DETAIL", "  - CQ-RESP-DETALE", "CQ-RESP-DETALE",
        "there is no requirement 'CQ-RESP-DETALE'", "Did you mean 'CQ-RESP-DETAIL'?",
    ),
    "an operation that has no folder": (
        "tpp/service.yaml", "- tpp.create_cancellations", "- tpp.create_cancelations", "tpp.create_cancelations",
        "no folder has the operation 'tpp.create_cancelations'", "Did you mean 'tpp.create_cancellations'?",
    ),
}  # fmt: skip


def refused(folder: Path) -> list[SpecError]:
    with pytest.raises(SpecError) as caught:
        load_contract(folder)
    return [caught.value, *caught.value.others]


def lines_with(path: Path, shown: str) -> set[int]:
    text = path.read_text(encoding="utf-8")
    if "\n" in shown:
        return {text[: found.start()].count("\n") + 1 for found in re.finditer(re.escape(shown), text)}
    return {number for number, line in enumerate(text.splitlines(), 1) if shown in line}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_names_file_line_and_what_was_meant(fault: str, specs: Path, edit: Edit) -> None:
    file, old, new, shown, message, hint = FAULTS[fault]
    edit(file, old, new)
    found = [one for one in refused(specs) if message in one.message]
    assert found, refused(specs)
    path, _, line = found[0].where.rpartition(":")
    assert path == str(specs / file)
    assert int(line) in lines_with(specs / file, shown)
    assert hint in found[0].hint


SCENARIO_FAULTS = {
    "a misspelt key": ("  expect: &done", "  expcet: &done", "expcet", "unknown key 'response/domestic.expcet'", "'expect'"),
    "a misspelt key of an answer": (
        "[{results: [true], cancelled: [order]}]", "[{results: [true], canceled: [order]}]", "canceled", ".canceled'", "'cancelled'",
    ),
    "no answer in an alternative": (
        "[{results: [true], cancelled: [order]}]", "[{cancelled: [order]}]", "[{cancelled: [order]}]", "says nothing of the answer", "results",
    ),
    "a lost requirement": ("[TPP-REQ-LIST,", "[TPP-REQ-LISTS,", "TPP-REQ-LISTS", "there is no requirement 'TPP-REQ-LISTS'", "'TPP-REQ-LIST'?"),
    "a lost requirement of an effect": (
        "effect: TPP-EFFECT\n", "effect: TPP-EFFECTS\n", "TPP-EFFECTS", "expect.effect: there is no requirement", "'TPP-EFFECT'?",
    ),
    "a code that the table lacks": (
        "code: order-not-active", "code: order-inactive", "order-inactive", "there is no code 'order-inactive'", "'order-not-active'?",
    ),
    "a request that is not there": ("base: international", "base: internatoinal", "internatoinal", "there is no base", "'international'?"),
    "a reading that does not exist": (
        "broken-instruction=only-itself", "broken-instructions=only-itself", "broken-instructions", "there is no reading", "broken-instruction=",
    ),
    "an alternative that a reading lacks": (
        "empty-list=empty-result", "empty-list=empty-reslt", "empty-reslt", "there is no reading 'empty-list=empty-reslt'", "empty-list=empty-result'?",
    ),
    "a reason that is neither a requirement of its own nor a ruling": (
        "because: [TPP-TWICE]", "because: [CAO-AGAIN]", "CAO-AGAIN", "there is no requirement or ruling 'CAO-AGAIN'", "",
    ),
    "an effect on nothing": (
        "[{results: [true], cancelled: [order]}]", "[{results: [true], cancelled: [ordr]}]", "[ordr]", "there is no thing 'ordr'", "Did you mean 'order'?",
    ),
    "a word that is no outcome": ("results: all,", "results: every,", "every", "'every' is none of all, none", "Known: all, none."),
    "a list without its length": ("  count: 50\n", "", "name: list/fifty", "`each` and `count` belong together", "both"),
    "a lane that is none": ("  together: 4\n", "  together: 4\n  lane: alnoe\n", "alnoe", "'alnoe' is none of shared, desk, alone", "'alone'?"),
}  # fmt: skip


@pytest.mark.parametrize("fault", SCENARIO_FAULTS)
def test_fault_of_a_scenario_names_line_and_what_was_meant(fault: str, specs: Path, edit: Edit) -> None:
    old, new, shown, message, hint = SCENARIO_FAULTS[fault]
    edit(f"{TPP}/scenarios.yaml", old, new)
    operation = load_contract(specs).operations["tpp.create_cancellations"]
    with pytest.raises(SpecError) as caught:
        read_scenarios(operation)
    (found,) = {one.where: one for one in (caught.value, *caught.value.others) if message in one.message}.values()
    path, _, line = found.where.rpartition(":")
    assert path == str(operation.folder / "scenarios.yaml")
    assert int(line) in lines_with(Path(path), shown)
    assert hint in found.hint


def test_all_faults_of_all_files_are_told_at_once_in_the_order_of_their_lines(specs: Path, edit: Edit) -> None:
    edit(f"{CAO}/operation.yaml", "answered: CAO-SYNC", "answered: CAO-SINK")
    edit(f"{CAO}/operation.yaml", "secrets: CAO-SECRETS", "secrets: CAO-SECRET")
    edit("tpp/service.yaml", "title:", "titel:")
    found = [one.where.removeprefix(f"{specs}/").partition(":")[0] for one in refused(specs)]
    assert found == [f"{CAO}/operation.yaml", f"{CAO}/operation.yaml", "tpp/service.yaml", "tpp/service.yaml"]
    lines = [int(one.where.rpartition(":")[2]) for one in refused(specs)[:2]]
    assert lines == sorted(lines)


def test_the_command_shows_every_fault_with_its_place(specs: Path, edit: Edit) -> None:
    edit(f"{CAO}/operation.yaml", "answered: CAO-SYNC", "answered: CAO-SINK")
    edit(f"{CQ}/operation.yaml", "secrets: CQ-SECRETS", "secrets: CQ-SECRET")
    done = CliRunner().invoke(main, ["list", "operations", "--specs", str(specs)])
    assert done.exit_code == 2
    assert done.stderr.count("error: attribution.") == 2
    assert f"  where: {specs}/{CAO}/operation.yaml:" in done.stderr
    assert "  hint: Did you mean 'CQ-SECRETS'?" in done.stderr


def test_a_fault_of_an_anchor_is_told_where_it_is_written(specs: Path, edit: Edit) -> None:
    edit(
        f"{TPP}/scenarios.yaml",
        "requirement: TPP-TWICE\n    effect: TPP-EFFECT\n",
        "requirement: TPP-TWICE\n    effcet: X\n",
    )
    operation = load_contract(specs).operations["tpp.create_cancellations"]
    with pytest.raises(SpecError) as caught:
        read_scenarios(operation)
    assert {one.where for one in (caught.value, *caught.value.others)} == {caught.value.where}


@pytest.mark.parametrize("file", [f"{CAO}/operation.yaml", f"{CAO}/requirements.yaml", "alphapoint/readings.yaml"])
def test_what_cannot_be_read_is_not_called_missing_elsewhere(file: str, specs: Path) -> None:
    path = specs / file
    path.write_text(
        path.read_text(encoding="utf-8").replace("document:", "documnet:", 1).replace("question:", "qestion:", 1),
        encoding="utf-8",
    )
    assert {one.where.rpartition(":")[0] for one in refused(specs)} == {str(path)}


def test_model_of_lists_needs_a_condition(specs: Path) -> None:
    path = specs / TPP / "operation.yaml"
    text = re.sub(r"^condition:\n(?:  .*\n)+", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    path.write_text(text, encoding="utf-8")
    (found,) = refused(specs)
    assert found.message == "explore.model: 'cancel-list' needs a condition"
    assert int(found.where.rpartition(":")[2]) in lines_with(path, "model: cancel-list")


def test_sound_contract_has_no_fault(specs: Path) -> None:
    contract = load_contract(specs)
    assert [len(read_scenarios(contract.operations[name])) > 20 for name in sorted(contract.operations)] == [True] * 5


def test_errors_look_as_the_authoring_page_shows_them(specs: Path, edit: Edit) -> None:
    text = (Path(__file__).parents[3] / "docs" / "authoring.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```\n(error: .*?)```", text, re.DOTALL)
    edit(f"{CO}/operation.yaml", "    unknown: ${unknown_oms}", "    unknwon: ${unknown_oms}")
    assert "unknown key 'fields.OMSId.unknwon'" in shown
    first = CliRunner().invoke(main, ["list", "operations", "--specs", str(specs)]).stderr
    edit(f"{CO}/operation.yaml", "    unknwon: ${unknown_oms}", "    unknown: ${unknown_oms}")
    edit(f"{CO}/operation.yaml", "answered: CO-SYNC", "answered: CO-SINC")
    second = CliRunner().invoke(main, ["list", "operations", "--specs", str(specs)]).stderr
    assert (first + second).replace(str(specs), "specs") == shown
