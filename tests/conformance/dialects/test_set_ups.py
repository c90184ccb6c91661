"""What is written down of set-ups: before they are asked for, without secrets, and until they are over."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from conformance.dialects.set_ups import LeftOpen, SetUps
from conformance.endpoint.desks import Desk
from conformance.errors import HarnessError, StateUnavailable
from conformance.model.case import StateNeed
from conformance.run.states import AskedStates, Command, NoAnswer

DESK = Desk(3, {}, {})


def recording(*secrets: str) -> tuple[SetUps, list[Any]]:
    lines: list[Any] = []
    return SetUps("tpp", lambda more, _now: lines.extend(more), set(secrets)), lines


def test_no_line_holds_a_secret_of_the_run() -> None:
    set_ups, lines = recording("s3cret-word", "8642")
    (key,) = set_ups.begin("open-order", 0, "r", [{"client": 8642, "note": ["x"], "name": "a s3cret-word b"}])
    set_ups.made(key, [{"OrderID": 8642, "Name": "czNjcmV0LXdvcmQ="}, 8642, 8643, None])
    assert "s3cret-word" not in str(lines)
    assert "8642" not in str(lines)
    assert "czNjcmV0LXdvcmQ=" not in str(lines)
    assert lines[1]["ids"][1:] == [None, 8643, None]


def test_secret_that_is_learnt_later_is_hidden_in_words_that_were_written_before() -> None:
    lines: list[Any] = []
    secrets = {"s3cret-word"}
    set_ups = SetUps("tpp", lambda more, _now: lines.extend(more), secrets)
    set_ups.begin("open-order", 0, "r", [{"name": "a later-word"}])
    secrets.add("later-word")
    set_ups.begin("open-order", 0, "r", [{"name": "a later-word"}])
    assert ["later-word" in str(line) for line in lines] == [True, False]


def test_what_is_over_is_written_once_and_read_as_gone() -> None:
    set_ups, lines = recording()
    one, two = set_ups.begin("open-order", 1, "r", [{}, {}])
    set_ups.made(one, [5])
    set_ups.over([one, one, "of-nobody"])
    set_ups.over([one])
    assert [line for line in lines if line["type"] == "over"] == [{"type": "over", "keys": [one]}]
    assert [each.key for each in set_ups.standing([one, two])] == [two]
    assert ([each.key for each in set_ups.take()], set_ups.take()) == ([two], ())
    left = LeftOpen()
    for line in lines:
        left.take(line)
    assert (set(left.set_ups), left.broken) == ({two}, 0)
    assert (left.set_ups[two].desk, left.set_ups[two].service, left.set_ups[two].ids) == (1, "tpp", None)


@dataclass
class Oracle:
    """Whom states are asked of: answers each action as it is told."""

    what: str = "the state hook"
    answers: dict[str, Any] = field(default_factory=dict)
    lines: list[Any] = field(default_factory=list)
    told: list[int] = field(default_factory=list)
    """How many lines had been written as each question came."""

    async def ask(self, action: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        self.told.append(len(self.lines))
        answer = self.answers[action]
        if isinstance(answer, Exception):
            raise answer
        return {"orders": [dict(one) for one in answer]}

    async def aclose(self) -> None:
        return


def asked(takes_back: bool = True, **answers: Any) -> tuple[AskedStates, list[Any], Oracle]:
    set_ups, lines = recording()
    oracle = Oracle(answers=answers, lines=lines)
    return AskedStates(oracle, takes_back, set_ups), lines, oracle


def test_what_a_hook_gives_and_takes_back_is_written_down() -> None:
    states, lines, oracle = asked(state=[{"OrderID": 5, "PIN": "1111"}], clean=[{"OrderID": 5, "state": "cancelled"}])
    handle = asyncio.run(states.prepare("order", StateNeed("open-order"), DESK))
    assert oracle.told == [1], "before it was asked"
    assert lines[1] == {"type": "made", "key": lines[0]["key"], "ids": [{"OrderID": 5}]}
    assert asyncio.run(states.clean((handle,), {}, DESK)) == ()
    assert lines[2] == {"type": "over", "keys": [lines[0]["key"]]}
    again = asyncio.run(states.prepare("order", StateNeed("open-order"), DESK))
    asyncio.run(states.clean((again,), {"order": "cancelled"}, DESK))
    assert [line["type"] for line in lines[3:]] == ["set-up", "made", "over"]


def test_what_stays_open_or_was_never_answered_is_not_over_and_a_refusal_is() -> None:
    states, lines, oracle = asked(state=[{"OrderID": 5}], clean=[{"OrderID": 5, "state": "open"}])
    handle = asyncio.run(states.prepare("order", StateNeed("open-order"), DESK))
    assert asyncio.run(states.clean((handle,), {}, DESK)) == ('{"OrderID": 5}',)
    assert [line["type"] for line in lines] == ["set-up", "made"]
    oracle.answers["state"] = NoAnswer("no answer")
    with pytest.raises(StateUnavailable):
        asyncio.run(states.prepare("order", StateNeed("open-order"), DESK))
    assert [line["type"] for line in lines[2:]] == ["set-up"]
    for refusal in (StateUnavailable("refused"), []):
        oracle.answers["state"] = refusal
        with pytest.raises(StateUnavailable):
            asyncio.run(states.prepare("order", StateNeed("open-order"), DESK))
    assert [line["type"] for line in lines[3:]] == ["set-up", "over"] * 2


@pytest.mark.parametrize(("takes_back", "state"), [(False, "open-order"), (True, "cancelled-order")])
def test_what_is_not_to_be_taken_back_is_not_written_down(takes_back: bool, state: str) -> None:
    states, lines, _ = asked(takes_back, state=[{"OrderID": 5}])
    asyncio.run(states.prepare("order", StateNeed(state), DESK))
    assert lines == []


def test_a_command_for_which_no_descriptor_is_left_is_no_fault_of_the_target(monkeypatch: pytest.MonkeyPatch) -> None:
    async def none_left(*_arguments: Any, **_more: Any) -> Any:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(asyncio, "create_subprocess_exec", none_left)
    with pytest.raises(HarnessError, match="no file descriptor is left"):
        asyncio.run(Command(("true",), 1).ask("state", {}))
