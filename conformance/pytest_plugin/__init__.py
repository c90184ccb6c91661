"""The pytest plugin: `pytest --pyargs conformance.suite --target FILE` judges an endpoint.

pytest loads it in every run where this package is installed, so it only adds options and looks whether the suite
is named; what does the work is imported after that.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from conformance.suite import SUITE, SUITE_FILE


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """The options; `--target`, a name that others may want, only on a command line that names the suite and uses it."""
    group = parser.getgroup("conformance", "conformance of order-cancellation endpoints (--pyargs conformance.suite)")
    names = ["--conformance-target"]
    config = pluginmanager.get_plugin("pytestconfig")
    words = [str(word) for word in config.invocation_params.args] if isinstance(config, pytest.Config) else []
    if names_suite(words) and any(word.partition("=")[0] == "--target" for word in words):
        names.append("--target")
    group.addoption(
        *names, dest="conformance_target", default="reference", metavar="FILE|URL|reference",
        help="The endpoint to judge; also --target where the command line names conformance.suite.",
    )  # fmt: skip
    group.addoption(
        "--conformance-operation", dest="conformance_operations", action="append", default=[], metavar="ID",
        help="Only items of this operation; repeatable.",
    )  # fmt: skip
    group.addoption(
        "--conformance-generated", dest="conformance_generated", type=_count, default=None, metavar="N",
        help="How many generated cases to run beside the named ones (default: 5000).",
    )  # fmt: skip
    group.addoption(
        "--conformance-report", dest="conformance_report", type=Path, default=None, metavar="DIR",
        help="Where to write journal.jsonl, results.json and junit.xml, as `conformance run` does.",
    )  # fmt: skip


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError(text)
    return number


def names_suite(arguments: Sequence[str], folder: Path | None = None) -> bool:
    """Whether one of pytest's arguments is the suite or a part of it, as a module or as a file."""
    for argument in arguments:
        place = argument.partition("[")[0].partition("::")[0]
        if place == SUITE:
            return True
        if place.endswith(SUITE_FILE.name) and os.path.realpath(Path(folder or "", place)) == os.path.realpath(
            SUITE_FILE
        ):
            return True
    return False


def pytest_configure(config: pytest.Config) -> None:
    """Bring the suite in when it is named. Raises `pytest.UsageError` for an unusable target or operation."""
    if names_suite(config.args, config.invocation_params.dir) and not config.option.help:
        from conformance.pytest_plugin.front import Front

        config.pluginmanager.register(Front(config), "conformance-front")
