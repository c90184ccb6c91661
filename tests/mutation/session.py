"""Runs the unit tests against each mutant: one collection, then a forked child for every mutant, quickest tests first."""

from __future__ import annotations

import functools
import gc
import json
import os
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.state import state
from mutmut.utils.file_utils import change_cwd

from tests.mutation.mutants import COPY, Mutant
from tests.mutation.mutation_record import KILLED, SURVIVED, TIMEOUT, UNTESTED

_LEAST_CPU_S, _CPU_FACTOR, _TRACE_CPU_S = 4, 5, 1200
_MOST_BYTES, _FEW = 4 << 30, 500
_SLOWEST_S = 1.0
"""A test that takes longer searches, and would be run to its end for every mutant that lives."""
_clock = time.process_time
_ARGUMENTS = ("-s", "--rootdir=.", "-p", "no:terminal", "-p", "no:xdist", "-p", "no:cov", "-p", "no:conformance")
_NOT_HERE = (
    "checks/test_checks_registry.py::test_the_recipe_for_a_check_is_true",
    "checks/test_checks_registry.py::test_the_recipe_without_its_key_is_refused",
    "checks/test_checks_alone.py::test_nothing_is_said_of_a_permitted_difference",
)
"""Tests that do not hold on a copy with mutants, whose modules have no plain source, and one that waits for a server."""
_TRACE, _FAILURE, _WARM = Path("trace.json"), Path("failure.txt"), Path("warm.json")


@dataclass(frozen=True, slots=True)
class Trace:
    """Which tests call a function, and the seconds that each test takes."""

    tests_of: Mapping[str, Sequence[str]]
    seconds: Mapping[str, float]


Done = Callable[[Mutant, str], None]


def run(mutants: Sequence[Mutant], done: Done, recall: Done, children: int) -> None:
    """Judge every mutant with the tests of its own package, and hand each status to `done` as it comes.

    What a child has handed to its own copy of `done` comes once more, to `recall`.

    Raises `RuntimeError` where a test fails without a mutant, or none fails where every function raises.
    """
    set_mutant_under_test("collection")
    with change_cwd(COPY):
        loop = _Loop(mutants, done, recall, children)
        left_out = [f"--deselect=tests/conformance/{name}" for name in _NOT_HERE]
        code = pytest.main([*_ARGUMENTS, *left_out, *sorted({mutant.tests for mutant in mutants})], plugins=[loop])
        if not loop.ended:
            text = _FAILURE.read_text(encoding="utf-8") if _FAILURE.exists() else f"pytest ended with {code}"
            raise RuntimeError(f"the tests do not judge mutants: {text}")


class _Loop:
    """A pytest plugin that runs mutants instead of tests. No test runs in its own process, which stays as after collection."""

    def __init__(self, mutants: Sequence[Mutant], done: Done, recall: Done, children: int) -> None:
        self.mutants, self.done, self.recall, self.children = mutants, done, recall, children
        self.failed = self.brief = self.ended = False
        self.caches: list[Any] = []

    def pytest_configure(self) -> None:
        from hypothesis import HealthCheck, Phase, settings  # pytest wants to be the first to import its plugins

        settings.register_profile(
            "mutation", derandomize=True, deadline=None, database=None,
            phases=(Phase.explicit, Phase.generate), suppress_health_check=(HealthCheck.too_slow,),
        )  # fmt: skip
        settings.load_profile("mutation")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: Any, call: Any) -> Any:
        """A report without its text, which costs more than most tests."""
        if not self.brief:
            return None
        skipped = call.excinfo is not None and isinstance(call.excinfo.value, pytest.skip.Exception)
        outcome: Any = "passed" if call.excinfo is None else "skipped" if skipped else "failed"
        return pytest.TestReport(item.nodeid, item.location, {}, outcome, None, call.when, duration=call.duration)

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed:
            self.failed = True
            if not self.brief:
                with _FAILURE.open("a", encoding="utf-8") as failures:
                    failures.write(f"{report.nodeid}\n{report.longreprtext}\n")

    def pytest_runtestloop(self, session: Any) -> bool:
        _FAILURE.unlink(missing_ok=True)
        items = {item.nodeid: item for item in session.items}
        self.caches = list(_caches())  # before the freeze, which takes them out of sight
        gc.freeze()  # a collection in a child would copy the whole heap
        warm = self._fork("stats", functools.partial(self._traced, items), _TRACE_CPU_S, quiet=False)
        if _status_of(os.waitpid(warm, 0)[1]) != SURVIVED:
            return True
        trace = Trace(**json.loads(_TRACE.read_text(encoding="utf-8")))
        found = json.loads(_WARM.read_text(encoding="utf-8"))
        for cache in self.caches:
            cache.cache_clear()
        for mutant in self.mutants:
            if found[mutant.name] != SURVIVED:
                self.recall(mutant, found[mutant.name])
        self._judge(items, [one for one in self.mutants if found[one.name] == SURVIVED], trace, self.done)
        self.ended = True
        return True

    def _traced(self, items: Mapping[str, Any]) -> None:
        """In a child: trace, then judge every mutant from here, with the caches that the tests have filled.

        What is computed once and kept is not computed again under a mutant, so one that lives here is tried again with
        empty caches, in a child of the process that has run no test.
        """
        trace = self._trace(items)
        if self.failed:
            return
        _TRACE.write_text(json.dumps({"tests_of": trace.tests_of, "seconds": trace.seconds}), encoding="utf-8")
        raising = self._fork("fail", functools.partial(self._execute, list(items.values())), _TRACE_CPU_S)
        if _status_of(os.waitpid(raising, 0)[1]) != KILLED:
            _FAILURE.write_text("no test fails where every function raises", encoding="utf-8")
            self.failed = True
            return
        found: dict[str, str] = {}

        def done(mutant: Mutant, status: str) -> None:
            found[mutant.name] = status
            if status != SURVIVED:
                self.done(mutant, status)

        gc.freeze()
        self._judge(items, self.mutants, trace, done)
        _WARM.write_text(json.dumps(found), encoding="utf-8")

    def _trace(self, items: Mapping[str, Any]) -> Trace:
        """What each test calls. A test that fails without a mutant (it measures time, say) judges nothing; few may."""
        failing: set[str] = set()

        def calls(*, emptied: bool) -> tuple[dict[str, list[str]], dict[str, float]]:
            tests_of: dict[str, list[str]] = defaultdict(list)
            seconds: dict[str, float] = {}
            for name, item in items.items():
                for cache in self.caches if emptied else ():
                    cache.cache_clear()
                state()._stats.clear()
                self.failed = False
                started = _clock()
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
                seconds[name] = round(_clock() - started, 4)
                if self.failed:
                    failing.add(name)
                for function in state()._stats:
                    tests_of[function].append(name)
            return tests_of, seconds

        tests_of, _ = calls(emptied=True)
        _, seconds = calls(emptied=False)
        self.failed = len(failing) > len(items) // _FEW
        return Trace(
            {function: [name for name in names if name not in failing] for function, names in tests_of.items()}, seconds
        )

    def _judge(self, items: Mapping[str, Any], mutants: Sequence[Mutant], trace: Trace, done: Done) -> None:
        running: dict[int, Mutant] = {}

        def reap() -> None:
            child, code = os.wait()
            if child in running:
                done(running.pop(child), _status_of(code))

        for mutant in mutants:
            seconds, calling = trace.seconds, trace.tests_of.get(mutant.traced, ())
            own = [name for name in calling if name.startswith(f"{mutant.tests}/") and seconds[name] <= _SLOWEST_S]
            names = sorted(own, key=lambda name: (seconds[name], name))
            if not names:
                done(mutant, UNTESTED)
                continue
            while len(running) >= self.children:
                reap()
            limit_s = int(_LEAST_CPU_S + _CPU_FACTOR * sum(seconds[name] for name in names))
            work = functools.partial(self._execute, [items[name] for name in names])
            running[self._fork(mutant.name, work, limit_s)] = mutant
        while running:
            reap()

    def _fork(self, mutant: str, work: Callable[[], None], limit_s: int, *, quiet: bool = True) -> int:
        child = os.fork()
        if child:
            return child
        code = 3
        try:
            time.process_time = lambda: 0.0  # nothing fails because a trace is slow or two children share a core
            if quiet:
                self.brief = True
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, 1)
                os.dup2(nowhere, 2)
                resource.setrlimit(resource.RLIMIT_CPU, (limit_s, limit_s + 2))
                resource.setrlimit(resource.RLIMIT_AS, (_MOST_BYTES, _MOST_BYTES))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            set_mutant_under_test(mutant)
            work()
            code = int(self.failed)
        finally:
            os._exit(code)

    def _execute(self, items: Sequence[Any]) -> None:
        for item, following in zip(items, [*items[1:], None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self.failed:
                return


def _caches() -> Iterator[Any]:
    here = str(Path.cwd())
    for found in gc.get_objects():
        if isinstance(found, functools._lru_cache_wrapper):
            module = sys.modules.get(str(getattr(found, "__module__", "")))
            if str(getattr(module, "__file__", "") or "").startswith(here):
                yield found


def _status_of(code: int) -> str:
    if os.WIFEXITED(code):
        return SURVIVED if os.WEXITSTATUS(code) == 0 else KILLED
    return TIMEOUT  # a limit of processor time or of memory ended it


def every(mutants: Iterable[Mutant], step: int) -> list[Mutant]:
    """Every `step`-th mutant of each file, so that the sample of a file is the same wherever it is taken."""
    by_file: dict[Path, list[Mutant]] = defaultdict(list)
    for mutant in mutants:
        by_file[mutant.path].append(mutant)
    return [mutant for path in sorted(by_file) for mutant in by_file[path][::step]]
