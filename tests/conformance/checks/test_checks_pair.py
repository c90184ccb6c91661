"""The two legs of CancelQuote: as objects, as texts that hold one, as one flat error, each judged by itself."""

from __future__ import annotations

import json
from typing import Any

import pytest
from checks_support import CQ, broken, case, error, faults_of, http, judged, success

from conformance.model.case import Alternative

Pair = dict[str, Any]


def pair(bid: Any, ask: Any) -> Pair:
    return {"BidResult": bid, "AskResult": ask}


RIGHT: dict[str, Any] = {
    "objects": pair(success(), success()),
    "texts": pair(json.dumps(success()), json.dumps(success())),
    "one-of-each": pair(success(), json.dumps(success())),
    "camel-keys": {"bidResult": success(), "askResult": success()},
    "pascal-legs": pair({"Result": True, "ErrorMsg": "", "ErrorCode": 0, "Detail": ""}, success()),
    "pascal-legs-in-text": pair('{"Result":true,"ErrorMsg":"","ErrorCode":0}', success()),
    "more-members": {**pair(success(), success()), "Note": 1},
    "legs-apart": pair(success(), error(104)),
    "flat": error(20),
    "flat-pascal": {"Result": False, "ErrorMsg": "Invalid Request", "ErrorCode": 100, "Detail": "omsId"},
}
WRONG: dict[str, tuple[Any, set[str]]] = {
    "bid-missing": ({"AskResult": success()}, {"CQ-RESP-BID"}),
    "ask-missing": ({"BidResult": success()}, {"CQ-RESP-ASK"}),
    "bid-null": (pair(None, success()), {"CQ-RESP-BID"}),
    "ask-list": (pair(success(), []), {"CQ-RESP-ASK"}),
    "text-without-json": (pair("fine", success()), {"CQ-RESP-LEG-FORM", "CQ-RESP-BID"}),
    "text-as-the-sample-has-it": (
        pair('{"result":true,"errormsg":"","errorcode":0,"detail":"",}', success()),
        {"CQ-RESP-LEG-FORM", "CQ-RESP-BID"},
    ),
    "text-in-text": (pair(json.dumps(json.dumps(success())), success()), {"CQ-RESP-BID"}),
    "text-empty": (pair("", success()), {"CQ-RESP-LEG-FORM", "CQ-RESP-BID"}),
    "text-of-a-wrong-leg": (pair(json.dumps(error(20, errormsg="no")), success()), {"CQ-CODE-20"}),
    "other-text-of-100": (pair(error(100, errormsg="Invalid Response"), success()), {"CQ-CODE-100"}),
    "ask-disagrees": (pair(success(), error(104, result=True)), {"CQ-AGREE"}),
    "bid-unlisted": (pair(error(20, errorcode=909), success()), {"CQ-RESP-ERRORCODE-LISTED"}),
    "flat-success": (success(), {"CQ-RESP-PAIR"}),
    "flat-wrong-text": (error(20, errormsg="no"), {"CQ-CODE-20"}),
    "flat-without-text": (error(20, errormsg=...), {"CQ-RESP-ERRORMSG"}),
    "keys-twice": ({**pair(success(), success()), "bidresult": success()}, {"CQ-RESP-PAIR"}),
    "leg-keys-twice": (pair({**success(), "Result": True}, success()), {"CQ-RESP-STANDARD"}),
    "leg-text-keys-twice": (
        pair('{"result":false,"result":true,"errormsg":null,"errorcode":0}', success()),
        {"CQ-RESP-PAIR"},
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_answer_has_no_finding(name: str) -> None:
    assert faults_of(CQ, http(RIGHT[name]), accept="application/json") == []


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_answer_is_found(name: str) -> None:
    body, expected = WRONG[name]
    assert set(faults_of(CQ, http(body))) == expected


@pytest.mark.parametrize("body", [[], None, {}, {"status": "ok"}, [pair(success(), success())], "ok"])
def test_json_without_a_documented_member_is_one_finding(body: Any) -> None:
    judgement = judged(case(CQ, Alternative({"code": [0]})), http(json.dumps(body)))
    assert broken(judgement) == ["CQ-RESP-PAIR"]


def test_a_leg_that_cannot_be_read_is_no_success() -> None:
    judgement = judged(case(CQ, Alternative({"code": [0]})), http(pair("fine", success())))
    assert broken(judgement)[-1] == "CASE"


@pytest.mark.parametrize(
    ("answer", "body", "fits"),
    [
        ({"code": [0]}, pair(success(), success()), True),
        ({"code": [0]}, pair(success(), error(104)), False),
        ({"code": [0]}, pair(error(104), success()), False),
        ({"code": [100, 104]}, pair(error(100), error(104)), True),
        ({"code": [20]}, error(20), True),
        ({"form": "flat", "code": [20]}, pair(error(20), error(20)), False),
        ({"form": "pair", "code": [20]}, error(20), False),
        ({"bid": 104, "ask": 0}, pair(error(104), success()), True),
        ({"bid": 104, "ask": 0}, pair(success(), error(104)), False),
        ({"bid": [100, 104], "ask": [0]}, pair(error(100), success()), True),
        ({"bid": 104, "ask": 104}, error(104), False),
        ({"ask": 0}, pair(error(104), success()), True),
        ({"ask": 0}, pair(success(), error(104)), False),
    ],
)
def test_each_leg_is_held_against_its_own_expectation(answer: Any, body: Any, fits: bool) -> None:
    assert (judged(case(CQ, Alternative(answer)), http(body)).findings == ()) is fits


@pytest.mark.parametrize(
    ("body", "seen", "not_seen"),
    [
        (RIGHT["objects"], "leg-form=object", "leg-form=string"),
        (RIGHT["texts"], "leg-form=string", "leg-form=object"),
        (RIGHT["flat"], "early-error=flat", "early-error=pair"),
        ({"bidresult": success(), "askresult": success()}, "response-key-case=lower", "response-key-case=camel"),
        (RIGHT["camel-keys"], "response-key-case=camel", "response-key-case=pascal"),
        (pair(error(20), error(20)), "early-error=pair", "early-error=flat"),
    ],
)
def test_readings_are_seen(body: Any, seen: str, not_seen: str) -> None:
    early = case(CQ, Alternative({}), requirements=("CQ-EARLY-ERROR",))
    readings = judged(early, http(body)).readings
    assert seen in readings
    assert not_seen not in readings


def test_mixed_forms_of_legs_are_both_seen() -> None:
    readings = judged(case(CQ, Alternative({})), http(RIGHT["one-of-each"])).readings
    assert {"leg-form=object", "leg-form=string"} <= set(readings)


def test_both_legs_refused_on_their_own_say_nothing_of_early_errors() -> None:
    wrong_ids = case(CQ, Alternative({"code": [104]}))
    assert broken(judged(wrong_ids, http(pair(error(104), error(104))), pins={"early-error": "flat"})) == []


def test_a_pinned_form_of_early_errors_is_held() -> None:
    early = case(CQ, Alternative({"code": [20]}), requirements=("CQ-EARLY-ERROR",))
    assert broken(judged(early, http(error(20)), pins={"early-error": "flat"})) == []
    assert broken(judged(early, http(pair(error(20), error(20))), pins={"early-error": "flat"})) == ["PIN-early-error"]


def test_legs_that_differ_have_no_single_code() -> None:
    assert judged(case(CQ, Alternative({})), http(pair(success(), error(104)))).code_seen is None
    assert judged(case(CQ, Alternative({})), http(pair(error(104), error(104)))).code_seen == "104"
