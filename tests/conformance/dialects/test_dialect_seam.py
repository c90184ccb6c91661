"""One vendor's protocol stands in one package: its words in no other module, its name in data, its answers on a dry wire."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import conformance
from conformance.contract.check.run import check_specs
from conformance.contract.load import load_contract, specs_root
from conformance.dialects import Plain
from conformance.dialects.alphapoint import frame, reply_value
from conformance.dialects.alphapoint.session import AlphaPoint
from conformance.dialects.base import Reply
from conformance.endpoint.model import Role
from conformance.errors import SpecError
from conformance.plugins import DIALECTS, LOGINS, find_dialect, find_login
from conformance.wire.messages import Exchange, HttpReply, HttpRequest, ReplyMatch, WsReply, WsRequest

PACKAGE = Path(conformance.__file__).parent
AT_HOME = ("dialects/alphapoint/", "derive/read/")
"""The dialect, and the reader of the vendor's pages."""
WORDS = re.compile(
    r"aptoken|SendOrder|GetUserAccounts|/AP/|/AP\b|AuthenticateUser|Authenticate2FA|Requires2FA|Pending2Fa|SessionToken"
    r"|CreateQuote|GetOpenOrders|GetOpenQuotes|BidQuoteId|AskQuoteId|WSGateway",
    re.IGNORECASE,
)
ELSEWHERE = [
    path for path in sorted(PACKAGE.rglob("*.py")) if not path.relative_to(PACKAGE).as_posix().startswith(AT_HOME)
]


@pytest.mark.parametrize("path", ELSEWHERE, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_no_other_module_speaks_the_vendors_words(path: Path) -> None:
    found = [
        f"{number}: {line.strip()}"
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if WORDS.search(line)
    ]
    assert found == []


def test_words_that_are_looked_for_stand_in_the_dialect() -> None:
    text = "".join(path.read_text("utf-8") for path in (PACKAGE / "dialects" / "alphapoint").glob("*.py")).lower()
    for word in ("aptoken", "sendorder", "getuseraccounts", "/ap/", "createquote", "getopenorders", "authenticate2fa"):
        assert word in text


def test_every_named_part_is_there_and_bears_its_name() -> None:
    assert {name: find_dialect(name)().name for name in DIALECTS} == {name: name for name in DIALECTS}
    assert {name: find_login(name).name for name in LOGINS} == {name: name for name in LOGINS}


def test_dialect_of_a_service_is_data_and_plain_unless_said() -> None:
    assert {one.id: one.dialect for one in load_contract().services.values()} == {
        "alphapoint": "alphapoint",
        "tpp": "plain",
    }


def test_unknown_dialect_is_named_with_the_known_ones(tmp_path: Path) -> None:
    import shutil

    shutil.copytree(specs_root(), tmp_path / "specs")
    path = tmp_path / "specs" / "tpp" / "service.yaml"
    path.write_text(path.read_text("utf-8") + "dialect: soap\n", "utf-8")
    with pytest.raises(SpecError, match="dialect: no such dialect: 'soap'") as caught:
        load_contract(tmp_path / "specs")
    assert caught.value.where == f"{path}:11"
    assert "alphapoint" in caught.value.hint
    problems = check_specs(tmp_path / "specs", lambda _contract: pytest.fail("no contract")).problems
    assert any("no such dialect: 'soap'" in str(problem) and "service.yaml" in str(problem) for problem in problems)


@pytest.mark.parametrize("seed", ["first", "second"])
def test_dry_wire_answers_the_whole_life_of_an_order(seed: str) -> None:
    """Twice, for the ids must be the same in every run."""
    del seed
    dialect = AlphaPoint()
    signed_in = _said(dialect.dry_answer(dialect.sign_in_request(())))
    session = dialect.session(signed_in)
    assert session is not None
    assert session.headers[0][0] == "aptoken"
    order = {"OMSId": 1, "AccountId": 7, "InstrumentId": 1, "Side": 0}
    ids = [_value(dialect, "SendOrder", order)["OrderId"] for _ in range(2)]
    assert ids == [2_050_000_002, 2_050_000_003], "ids of 31 bits, as the scope guard expects of usual ones"
    where = {"OMSId": 1, "AccountId": 7}
    assert _value(dialect, "GetOpenOrders", where) == []
    assert [one["OrderId"] for one in _value(dialect, "GetOpenOrders", where, still_open=True)] == ids
    assert _value(dialect, "GetOpenOrders", {**where, "AccountId": 8}, still_open=True) == []
    refused = _value(dialect, "CancelOrder", {**where, "OrderId": ids[0]})
    assert refused["result"] is False, "so that the look after a refusal is planned, too"
    assert [one["OrderId"] for one in _value(dialect, "GetOpenOrders", where, still_open=True)] == ids[1:]


def test_dry_wire_answers_in_frames_under_the_same_number() -> None:
    dialect = AlphaPoint()
    for number, call, payload in ((0, "WebAuthenticateUser", {"UserName": "x", "Password": "y"}), (8, "Ping", {})):
        reply = dialect.dry_answer(WsRequest(frame(number, call, payload), ReplyMatch(number)))
        assert isinstance(reply, WsReply)
        assert dialect.number_of(reply.text) == number
    quote = {"OMSId": 1, "AccountId": 7, "InstrumentId": 1, "BidQty": 1}
    made = _value(dialect, "CreateQuote", quote)
    place = {"OMSId": 1, "AccountId": 7, "InstrumentId": 1}
    seen = _value(dialect, "GetOpenQuotes", place, still_open=True)
    assert [seen["Bid"]["OrderId"], seen["Ask"]["OrderId"]] == [made["BidQuoteId"], made["AskQuoteId"]]
    assert _value(dialect, "GetOpenQuotes", place) == {"Bid": None, "Ask": None}


def test_dry_wire_leaves_the_judged_messages_to_others() -> None:
    assert AlphaPoint().dry_answer(HttpRequest("POST", "/AP/CancelAllOrders", (), b"{}")) is None
    assert AlphaPoint().dry_answer(WsRequest("no frame", ReplyMatch(None))) is None
    assert Plain().dry_answer(HttpRequest("POST", "/api/orders/cancellations")) is None


@pytest.mark.parametrize(
    ("role", "request_", "holds"),
    [
        (
            {"token_url": "https://h/t", "client_id": "c", "client_secret": {"env": "S"}},
            HttpRequest("POST", "", (), b"grant_type=client_credentials"),
            b'"token_type": "Bearer"',
        ),
        (
            {"user": "u", "password": {"env": "S"}, "sign_in_path": "/login"},
            HttpRequest("POST", "/login"),
            b"",
        ),
    ],
)
def test_login_with_messages_of_its_own_answers_them(
    role: dict[str, object], request_: HttpRequest, holds: bytes
) -> None:
    made = Role.model_validate(role)
    login = find_login(made.sign_in)
    reply = login.dry_answer(made.login_keys, request_)
    assert isinstance(reply, HttpReply)
    assert holds in reply.body
    assert login.dry_answer(made.login_keys, HttpRequest("POST", "/api/orders/cancellations")) is None


def _said(reply: Reply | None) -> Exchange:
    assert reply is not None
    return Exchange(b"", b"", reply, None, 0.0, 0.0)


def _value(dialect: AlphaPoint, call: str, payload: dict[str, int], *, still_open: bool = False) -> Any:
    return reply_value(_said(dialect.dry_answer(dialect.call_request(call, payload, ()), still_open=still_open)))
