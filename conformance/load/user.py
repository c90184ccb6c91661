"""The Locust user that plays legal background traffic; a Locust file imports it, and Locust does the rest.

Only this module imports Locust. It sends nothing itself: each Locust process has one sender (`conformance.load.sender`),
and each user asks it for one case after the other, so often that its messages come at the pace that was asked for.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gevent
from gevent import subprocess
from gevent.event import AsyncResult
from locust import User, task
from locust import events as locust_events
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.exception import StopUser
from locust.runners import MasterRunner, WorkerRunner

from conformance.endpoint.reference import program

NOT_JUDGED = "not judged: "
"""How the text of a failure begins that is no violation."""
_OVER = "conformance-over"
_PASS, _VIOLATED, _USAGE, _INCOMPLETE, _FAILED = 0, 1, 2, 4, 5
_START_S, _END_S = 60.0, 30.0
_MOST_TOLD = 200
_log = logging.getLogger("conformance.load")


class Violation(Exception):
    """A case that a right service would have answered in another way; the text is the same for each of its kind."""


def _options(parser: LocustArgumentParser, **_: Any) -> None:
    group = parser.add_argument_group("conformance", "Legal background traffic from the cases of a contract.")
    add = group.add_argument
    add("--target", default="", metavar="FILE", env_var="CONFORMANCE_TARGET", help="Target file, or a URL.")
    add("--room", default="", metavar="DIR", help="The folder that `conformance run --room DIR` uses meanwhile.")
    add("--pace", type=float, default=10.0, metavar="N", help="How many messages a second each user sends.")
    add("--desks", type=int, default=1, metavar="N", help="How many desks of each service a process takes for itself.")
    add("--load-report", default="load-report", metavar="DIR", help="Where journals go, one folder a process.")
    add("--load-seed", type=int, default=0, metavar="N", help="Seed of the order of the cases.")
    add("--specs", default=None, metavar="DIR", help="Specs folder (default: the bundled contract).")
    add("--operation", action="append", metavar="ID", help="Play this operation only; may be given again.")
    add("--case", action="append", metavar="ID", help="Play the legal ones of these cases only; may hold *.")
    add("--transport", action="append", metavar="T", help="Play this transport only.")


class Sender:
    """The process that sends for this Locust process."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.over = ""
        self._waiting: dict[str, AsyncResult[Mapping[str, Any]]] = {}
        self._asked = 0
        self._process = subprocess.Popen(
            program("conformance.load.sender", json.dumps(_given(environment))),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        self._ready: AsyncResult[None] = AsyncResult()
        self._reading = gevent.spawn(self._read)
        self._ready.get(timeout=_START_S)

    def ask(self) -> Mapping[str, Any]:
        """What came of the next case. Raises `StopUser` when there is none any more."""
        if self.over:
            raise StopUser
        self._asked += 1
        name = str(self._asked)
        answer: AsyncResult[Mapping[str, Any]] = AsyncResult()
        self._waiting[name] = answer
        try:
            self._process.stdin.write(f"{name}\n".encode())
            self._process.stdin.flush()
        except OSError:
            gevent.sleep(1)  # why it is gone is being read
            raise StopUser from None
        try:
            said: Mapping[str, Any] = answer.get()
            return said
        finally:
            self._waiting.pop(name, None)

    def _read(self) -> None:
        for line in self._process.stdout:
            said = json.loads(line)
            if "over" in said:
                self._end(said["over"], said["code"])
            elif "for" in said:
                waiting = self._waiting.get(said["for"])
                if waiting is not None:
                    waiting.set(said)
            elif "ready" in said:
                _log.info("%d legal cases", said["ready"])
                if said["lacking"]:
                    _log.warning(said["lacking"])
                self._ready.set(None)
            else:
                _log.info("sent: %s", json.dumps(said))
        if not self.over:
            self._end("the process that sends has ended", _FAILED)

    def _end(self, words: str, code: int) -> None:
        """Tell all users, and whoever runs the whole, that nothing more is sent."""
        if self.over:
            return
        self.over = words
        self._ready.set(None)
        for waiting in self._waiting.values():
            waiting.set({"over": words})
        _say_over(self.environment, words, code)

    def close(self) -> None:
        """End it; it takes back what it has set up, which may take a while."""
        self.over = self.over or "the load has ended"
        self._process.stdin.close()
        try:
            self._process.wait(timeout=_END_S)
        except subprocess.TimeoutExpired:
            self._process.terminate()
            self._process.wait(timeout=_END_S)
        self._reading.join(timeout=1)


def _many(environment: Environment) -> tuple[int, int]:
    """Which of how many Locust processes this is."""
    options: Any = environment.parsed_options
    runner = environment.runner
    if not isinstance(runner, WorkerRunner):
        return 0, 1
    return max(0, runner.worker_index), max(1, options.expect_workers)


def _given(environment: Environment) -> dict[str, Any]:
    options: Any = environment.parsed_options
    worker, workers = _many(environment)
    return {
        "target": options.target,
        "room": options.room,
        "report": str(Path(options.load_report) / f"worker-{worker}"),
        "worker": worker,
        "workers": workers,
        "desks": options.desks,
        "seed": options.load_seed,
        "specs": options.specs,
        "operations": options.operation or [],
        "cases": options.case or [],
        "transports": options.transport or [],
    }


def _say_over(environment: Environment, words: str, code: int) -> None:
    """Tell whoever runs the whole that nothing more is sent."""
    if isinstance(environment.runner, WorkerRunner):
        environment.runner.send_message(_OVER, {"words": words, "code": code})
    else:
        _quit(environment, words, code)


def _quit(environment: Environment, words: str, code: int) -> None:
    _log.error(words)
    environment.process_exit_code = max(code, environment.process_exit_code or 0)
    if environment.runner is not None:
        gevent.spawn(environment.runner.quit)


class BackgroundUser(User):
    """One user of the endpoint, who does one legal thing after the other."""

    abstract = True
    sender: Sender | None = None

    def on_start(self) -> None:
        """Use the sender of this process; without one, the first task ends this user, since Locust takes it amiss here."""
        self.sender = _senders.get(id(self.environment))
        self._messages, self._began_s = 0, 0.0

    def wait_time(self) -> float:
        """So long that the messages of the last case come at the pace of a user."""
        options: Any = self.environment.parsed_options
        return max(0.0, self._began_s + self._messages / float(options.pace) - time.monotonic())

    @task
    def play(self) -> None:
        """Have the next case carried out, and tell Locust of each of its messages."""
        if self.sender is None:
            raise StopUser
        self._began_s = time.monotonic()
        said = self.sender.ask()
        if "over" in said:
            raise StopUser
        self._tell(said)

    def _tell(self, said: Mapping[str, Any]) -> None:
        self._messages = len(said["messages"])
        for purpose, took_ms in said["messages"]:
            judged = purpose == "judged"
            self.environment.events.request.fire(
                request_type=said["transport"],
                name=said["operation"] if judged else f"{said['operation']} ({purpose})",
                response_time=took_ms,
                response_length=said["bytes"] if judged else 0,
                exception=_problem(said, self.environment) if judged else None,
                context={},
            )


def _problem(said: Mapping[str, Any], environment: Environment) -> Exception | None:
    """What Locust counts as a failure: a violation, or that nothing can be said of the case."""
    verdict = said["verdict"]
    if verdict in ("pass", "waived", "not-applicable"):
        return None
    if verdict != "fail":
        return Violation(f"{NOT_JUDGED}{said['reason']}")
    options: Any = environment.parsed_options
    for requirement, words in said["findings"]:
        kind = f"{requirement} {said['case']}"
        if kind not in _told and len(_told) < _MOST_TOLD:
            _told.add(kind)
            _log.error(
                "%s: %s; to send it again: conformance replay %s --target %s",
                requirement,
                words,
                said["case"],
                options.target,
            )
    return Violation(f"{said['findings'][0][0]}: {said['case']}")


_senders: dict[int, Sender] = {}
_told: set[str] = set()


def _check(environment: Environment, **_: Any) -> None:
    """Complain of what is missing before anything is sent."""
    options: Any = environment.parsed_options
    if isinstance(environment.runner, MasterRunner):
        environment.runner.register_message(
            _OVER, lambda environment, msg, **_: _quit(environment, msg.data["words"], msg.data["code"])
        )
    if isinstance(environment.runner, WorkerRunner):
        return  # the master has them
    lacking = [f"--{name}" for name in ("target", "room") if not getattr(options, name)]
    if lacking or options.pace <= 0 or options.desks < 1:
        _log.error("%s", f"{' and '.join(lacking)} must be given" if lacking else "--pace and --desks are at least 1")
        sys.exit(_USAGE)


def _start(environment: Environment, **_: Any) -> None:
    if isinstance(environment.runner, MasterRunner):
        return
    worker, workers = _many(environment)
    if worker >= workers:  # its part of scope.max_requests would be another's as well
        _say_over(environment, f"more workers than the {workers} that --expect-workers says", _USAGE)
        return
    _senders[id(environment)] = Sender(environment)


def _stop(environment: Environment, **_: Any) -> None:
    sender = _senders.pop(id(environment), None)
    if sender is not None:
        sender.close()


def _exit_code(environment: Environment, **_: Any) -> None:
    """As that of a run: 1 violated, 3 out of reach, 4 nothing judged, else 0; of a worker 0, for the master has them all."""
    if isinstance(environment.runner, WorkerRunner):
        environment.process_exit_code = _PASS
    if environment.process_exit_code is not None:
        return
    failures = [str(one.error) for one in environment.stats.errors.values()]
    if any(NOT_JUDGED not in one for one in failures):
        environment.process_exit_code = _VIOLATED
    elif failures or not environment.stats.total.num_requests:
        environment.process_exit_code = _INCOMPLETE
    else:
        environment.process_exit_code = _PASS


_events: Any = locust_events
_events.init_command_line_parser.add_listener(_options)
_events.init.add_listener(_check)
_events.test_start.add_listener(_start)
_events.test_stop.add_listener(_stop)
_events.quitting.add_listener(_exit_code)
