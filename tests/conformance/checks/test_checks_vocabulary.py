"""A credential that is a word of the contract is not looked for: right answers hold it; any other one is."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from checks_support import (
    CAO,
    CQ,
    TPP,
    broken,
    case,
    error,
    failed,
    http,
    instruction,
    judged,
    kit,
    result,
    results_xml,
    success,
)

from conformance.checks.kit import telling, vocabulary_of
from conformance.model.case import Alternative
from conformance.wire.messages import Exchange

ANY = Alternative({})
WORDS = (
    "Operation", "operation", "OPERATION", "Not Authorized", "Authorized", "Unauthorized", "Accepted", "errorcode", "errormsg",
    "Resource Not Found", "Resource", "Supported", "Forbidden", "application/json", "Authorization", "keep-alive",
)  # fmt: skip
ORDINARY = (
    "correct-horse-battery",
    "hunter2hunter2",
    "Operation-7!",
    "s3cret",
    "Tr4ding",
    "7d0ccf3a-ae63-44f5-a409-2301d80228bc",
)


def said_of(answer: Exchange, operation: str, *secrets: str) -> list[str]:
    sent = [instruction()] if operation == TPP else {}
    return [
        one
        for one in broken(judged(case(operation, ANY), answer, sent=sent, secrets=secrets))
        if one.endswith("SECRETS")
    ]


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("code", [20, 101, 104, 106])
def test_a_right_error_that_holds_a_password_by_chance_passes(word: str, code: int) -> None:
    assert said_of(http(error(code, detail=f"{word}: {word.lower()}")), CAO, word) == []


@pytest.mark.parametrize("word", ["errorcode", "errormsg", "result", "detail", "ErrorCode"])
def test_a_documented_member_s_name_is_no_echo(word: str) -> None:
    assert said_of(http(success()), CAO, word) == []


@pytest.mark.parametrize("word", ["Success", "Errors", "OrderID", "InternationalOrderUID", "not active", "cancelled"])
def test_a_word_of_the_list_operation_s_answers_is_no_echo(word: str) -> None:
    assert said_of(http([result(), failed(Errors=["Order is not active: cancelled."])]), TPP, word) == []


def test_a_short_word_where_one_text_ends_and_the_next_begins_is_no_echo() -> None:
    assert telling(kit(CAO).vocabulary, ("PATCH", "CONNECT", "OPTIONS", "TRACE")) == ()


def test_a_sample_that_is_no_utf_8_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    operation = kit(CAO).operation
    shutil.copytree(operation.folder, tmp_path / "call")
    (tmp_path / "call" / "samples").mkdir(exist_ok=True)
    (tmp_path / "call" / "samples" / "answer.bin").write_bytes(b"\xff\xfe Gespr\xc3\xa4chspartner \xc3")
    assert telling(
        vocabulary_of(replace(operation, folder=tmp_path / "call")), ("Gesprächspartner", "Zuhörerschaft")
    ) == ("Zuhörerschaft",)


def test_a_word_of_the_xml_contract_is_no_echo() -> None:
    answer = http(results_xml(), 200, "application/xml")
    assert said_of(answer, TPP, "ArrayOfCancellationCreationResult", "CancellationCreationResult") == []


@pytest.mark.parametrize("secret", ORDINARY)
def test_an_ordinary_password_that_comes_back_is_caught(secret: str) -> None:
    assert said_of(http(error(20, detail=f"no {secret} here")), CAO, secret) == ["CAO-SECRETS"]
    assert said_of(http([failed(Errors=[f"password {secret}"])]), TPP, secret) == ["TPP-SECRETS"]


def test_an_ordinary_password_is_caught_beside_one_that_is_a_word() -> None:
    assert said_of(http(error(20, detail="Not Authorized: hunter2hunter2")), CAO, "Authorized", "hunter2hunter2") == [
        "CAO-SECRETS"
    ]


@pytest.mark.parametrize("operation", [CAO, CQ, TPP])
@pytest.mark.parametrize("secret", ["4711", "100", "104", "2004", "200", "2147483647", ""])
def test_a_number_is_no_word_whatever_the_contract_counts(operation: str, secret: str) -> None:
    assert telling(kit(operation).vocabulary, (secret,)) == (secret,)


@pytest.mark.parametrize(
    ("vocabulary", "secret", "told"),
    [
        ("not authorized", "Authorized", False),
        ("not authorized", "authoriz", False),
        ("not authorized", "author", True),
        ("not authorized", "not", False),
        ("not authorized", "not4", True),
        ("a not4 b", "not4", False),
        ("x-not-y", "not", False),
        ("a (b) c", "(b)", False),
        ("", "anything", True),
    ],
)
def test_a_short_word_counts_as_a_whole_and_a_long_one_as_a_part(vocabulary: str, secret: str, told: bool) -> None:
    assert telling(vocabulary, (secret,)) == ((secret,) if told else ())


def test_what_is_told_keeps_its_order() -> None:
    kept: tuple[Any, ...] = telling("operation failed", ("zzz", "failed", "yyy", "operation", "xxx"))
    assert kept == ("zzz", "yyy", "xxx")
