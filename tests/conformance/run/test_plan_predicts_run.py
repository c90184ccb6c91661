"""A plan is the same session on a dry wire: whatever a run sends stands in it, and not more often than it says."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from click.testing import CliRunner
from live_support import Came, live, pointed, run, sample

from conformance.cases.fixtures import load_cases
from conformance.cli.main import main
from conformance.contract.load import load_contract
from conformance.guard.gate import Gate, Guard, Label, Message
from conformance.model.case import Case
from conformance.wire.messages import HttpRequest

pytestmark = pytest.mark.timeout(180)

OPERATIONS = (
    "alphapoint.cancel_all_orders",
    "alphapoint.cancel_quote",
    "alphapoint.cancel_order",
    "tpp.create_cancellations",
)
_PLACE = re.compile(r"\$\{[^}]*\}")
_A_FAMILY = 3
"""Cases of each family and channel; those with messages of their own before, beside or after come on top."""
Key = tuple[str, str, str, str]
"""Transport, call or path, role, purpose."""


def call_of(frame: str | bytes) -> str:
    """The call that a frame names; what is no frame counts as one."""
    try:
        name = json.loads(frame)["n"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return "?"
    return str(name) or "?"


def place_of(path: str) -> str:
    """The path, with the names in its query and without their values: an id of a run is not known before."""
    return re.sub(r"=[^&]*", "=", path)


class Recorder:
    """Counts every message that comes to the server, except those to the hook that makes orders."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.seen: Counter[tuple[str, str]] = Counter()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and not scope["path"].startswith("/_world/"):
            self.seen["http", scope["path"]] += 1

        async def heard() -> Any:
            message = await receive()
            if message["type"] == "websocket.receive":
                self.seen["ws", call_of(message.get("text") or message.get("bytes") or "")] += 1
            return message

        await self.app(scope, heard, send)


@dataclass
class Sent:
    """What passed the gate of a run."""

    of_case: Counter[tuple[str, Key]] = field(default_factory=Counter)

    def note(self, message: Message, label: Label) -> None:
        if isinstance(message, HttpRequest):
            key = ("http", place_of(message.path), label.role, label.purpose.value)
        else:
            key = ("ws", call_of(message.text), label.role, label.purpose.value)
        self.of_case[label.case, key] += 1

    @property
    def together(self) -> Counter[Key]:
        total: Counter[Key] = Counter()
        for (_, key), count in self.of_case.items():
            total[key] += count
        return total


@contextmanager
def recorded() -> Iterator[tuple[str, Recorder, Sent]]:
    """A reference server that records, its address, and what passes a gate meanwhile."""
    recorders: list[Recorder] = []
    noted, admit = Sent(), Gate.admit

    def wrap(app: Any) -> Recorder:
        recorders.append(Recorder(app))
        return recorders[0]

    async def noting(gate: Gate, request: Message, label: Label, guard: Guard | None = None) -> None:
        await admit(gate, request, label, guard)
        noted.note(request, label)

    with pytest.MonkeyPatch.context() as patch, live(wrap=wrap) as server:
        patch.setattr(Gate, "admit", noting)
        yield server.url, recorders[0], noted


def chosen(operation: str) -> list[str]:
    """Some cases of every family, as options: in each channel, and all that send more than one message."""
    groups: dict[tuple[str, ...], list[Case]] = {}
    special: list[str] = []
    for case in load_cases(load_contract(), [operation]):
        groups.setdefault((case.id.split("/")[1], case.transport, case.media_type), []).append(case)
        if case.before or case.race or case.together > 1 or (case.twin is not None and len(case.twin.messages) > 1):
            special.append(case.id)
    some = [case.id for group in groups.values() for case in group[:_A_FAMILY]]
    return [word for name in dict.fromkeys((*some, *special)) for word in ("--case", name)]


def planned(target: Path, *words: str) -> Mapping[str, Any]:
    done = CliRunner().invoke(main, ["plan", "--json", "--target", str(target), *words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    content: Mapping[str, Any] = json.loads(done.stdout)
    return content


def key_of(message: Mapping[str, Any]) -> Key:
    what = call_of(_PLACE.sub("0", message["frame"])) if "frame" in message else place_of(message["path"])
    return (message["transport"], what, message["role"], message["purpose"])


def bounds(messages: Sequence[Mapping[str, Any]]) -> dict[tuple[str, Key], list[int]]:
    """At least, undisturbed and at most, by case and kind of message."""
    found: dict[tuple[str, Key], list[int]] = {}
    for message in messages:
        limits = found.setdefault((message["case"], key_of(message)), [0, 0, 0])
        for place, name in enumerate(("at_least", "undisturbed", "at_most")):
            limits[place] += message[name]
    return found


BUSY = 3
"""Sign-ins that come again because the machine is busy with other tests, and a socket was given up: that disturbs a run."""


def check_predicted(plan: Mapping[str, Any], sent: Sent) -> None:
    """Every message of the run is in the plan, case by case, as often as it says; the summary adds up."""
    predicted = bounds(plan["messages"])
    for where, count in sent.of_case.items():
        if where[1][3] != "sign-in":  # whoever comes first signs in
            assert where in predicted, where
            least, undisturbed, most = predicted[where]
            assert least <= count <= undisturbed <= most, (where, count)
    for where, (least, _, _) in predicted.items():
        assert least == 0 or where[1][3] == "sign-in" or sent.of_case[where] >= least, where
    whole: dict[Key, list[int]] = {}
    for (_, key), limits in predicted.items():
        whole[key] = [one + other for one, other in zip(whole.get(key, [0, 0, 0]), limits, strict=True)]
    for key, count in sent.together.items():
        assert whole[key][0] <= count <= whole[key][2], (key, count, whole[key])
    for purpose, limits in plan["summary"]["messages"].items():
        count = sum(count for key, count in sent.together.items() if key[3] == purpose)
        assert limits["at_least"] <= count <= limits["at_most"], (purpose, count, limits)
        assert limits["undisturbed"] <= limits["at_most"], (purpose, limits)
        assert count <= limits["undisturbed"] + (BUSY if purpose == "sign-in" else 0), (purpose, count, limits)
    assert sent.together.total() <= plan["summary"]["max_requests_at_least"]


def check_received(came: Came, recorder: Recorder, sent: Sent) -> None:
    """What the server got is what passed the gate, and what the report says."""
    passed: Counter[tuple[str, str]] = Counter()
    for (transport, what, _, _), count in sent.together.items():
        passed[transport, unquote(what.partition("?")[0]) if transport == "http" else what] += count
    assert passed == recorder.seen
    assert came.results["run"]["messages_sent"] == recorder.seen.total()
    footer = json.loads((came.folder / "journal.jsonl").read_text("utf-8").splitlines()[-1])
    by_purpose = dict.fromkeys(footer["messages"], 0)
    for key, count in sent.together.items():
        by_purpose[key[3]] += count
    assert footer["messages"] == by_purpose


def of_service(operation: str, url: str, *, everything: bool = True) -> str:
    return pointed(sample(operation.partition(".")[0]), url, everything=everything)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_a_run_sends_is_predicted_and_counted(operation: str, tmp_path: Path) -> None:
    words = ("--operation", operation, "--generated", "60")
    with recorded() as (url, recorder, sent):
        came = run(tmp_path, of_service(operation, url), *words)
    assert came.exit_code in (0, 4), came.output
    check_received(came, recorder, sent)
    check_predicted(planned(tmp_path / "target.toml", *words), sent)


@pytest.mark.parametrize("operation", ["alphapoint.cancel_all_orders", "tpp.create_cancellations"])
def test_what_the_scope_refuses_is_predicted_as_refused(operation: str, tmp_path: Path) -> None:
    words = ("--operation", operation, *chosen(operation), "--generated", "0")
    with recorded() as (url, recorder, sent):
        came = run(tmp_path, of_service(operation, url, everything=False), *words)
    check_received(came, recorder, sent)
    plan = planned(tmp_path / "target.toml", *words)
    check_predicted(plan, sent)
    refused = {message["case"] for message in plan["messages"] if not message["scope"]["allowed"]}
    outside = {name for name, reason in came.reasons().items() if reason.startswith("outside scope")}
    assert refused
    assert refused == outside
