"""Answers are remembered by what they were read from, in bounded room."""

from __future__ import annotations

from conformance.checks.answer import Answer
from conformance.checks.kit import AnswerMemory
from conformance.formats.text import parse_media_type

JSON = parse_media_type("application/json")


class _Reader:
    """Gives a new answer each time, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self) -> Answer:
        self.asked += 1
        return Answer(frozenset(), summary=f"reading {self.asked}")


def test_the_same_body_is_read_once() -> None:
    memory, read = AnswerMemory(), _Reader()
    answers = [memory.recall(200, JSON, b"[]", read) for _ in range(3)]
    assert [one.summary for one in answers] == ["reading 1"] * 3


def test_another_status_media_type_charset_or_body_is_another_answer() -> None:
    memory, read = AnswerMemory(), _Reader()
    memory.recall(200, JSON, b"[]", read)
    memory.recall(400, JSON, b"[]", read)
    memory.recall(200, parse_media_type("application/xml"), b"[]", read)
    memory.recall(200, parse_media_type("application/json; charset=utf-16"), b"[]", read)
    memory.recall(200, None, b"[]", read)
    memory.recall(200, JSON, b"[ ]", read)
    assert read.asked == 6


def test_a_long_body_is_not_kept() -> None:
    memory, read = AnswerMemory(), _Reader()
    for _ in range(2):
        memory.recall(200, JSON, b"[" + b" " * 2048, read)
    assert (read.asked, len(memory.answers)) == (2, 0)


def test_what_was_not_used_for_longest_is_forgotten_first() -> None:
    memory, read = AnswerMemory(), _Reader()
    for number in range(1024):
        memory.recall(200, JSON, b"%d" % number, read)
    memory.recall(200, JSON, b"0", read)
    memory.recall(200, JSON, b"new", read)
    assert len(memory.answers) == 1024
    asked = read.asked
    memory.recall(200, JSON, b"0", read)
    assert read.asked == asked
    memory.recall(200, JSON, b"1", read)
    assert read.asked == asked + 1
