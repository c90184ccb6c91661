"""The parts that are found by name: dialects, logins and report formats, built in or from another package.

One line here is all that a new part needs beside its own module. The line is a name and not an import for two reasons.
The target file and the contract are read by packages that stand below the dialects and know none of them. And what no
target names is never loaded.

Another package adds a part without a line here, by an entry point of the group `conformance.dialects`,
`conformance.logins` or `conformance.report_formats`: the entry's name is the part's name, its value is
`module:attribute`.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any

DIALECTS: Mapping[str, str] = {
    "plain": "conformance.dialects:Plain",
    "alphapoint": "conformance.dialects.alphapoint.session:AlphaPoint",
}
LOGINS: Mapping[str, str] = {
    "none": "conformance.dialects.logins:NONE",
    "two-factor": "conformance.dialects.alphapoint.two_factor:LOGIN",
    "cookies": "conformance.dialects.logins.cookies:LOGIN",
    "oauth2": "conformance.dialects.logins.oauth2:LOGIN",
    "signature": "conformance.dialects.logins.signature:LOGIN",
    "basic": "conformance.dialects.logins.basic:BASIC",
    "websocket": "conformance.dialects.logins.basic:WEBSOCKET",
    "each-message": "conformance.dialects.logins.basic:EACH_MESSAGE",
}
"""In this order a role without `login` is asked whether its keys are those of one."""
REPORT_FORMATS: Mapping[str, str] = {
    "json": "conformance.report.summary:JSON",
    "junit": "conformance.report.formats.junit:JUNIT",
    "md": "conformance.report.formats.markdown:MARKDOWN",
    "html": "conformance.report.formats.html.page:HTML",
    "ctrf": "conformance.report.formats.ctrf:CTRF",
    "sarif": "conformance.report.formats.sarif:SARIF",
    "har": "conformance.report.formats.har:HAR",
    "badge": "conformance.report.formats.brief:BADGE",
    "annotations": "conformance.report.formats.brief:ANNOTATIONS",
    "job-summary": "conformance.report.formats.brief:JOB_SUMMARY",
}


def dialect_names() -> tuple[str, ...]:
    """The names of all dialects, sorted."""
    return _names(DIALECTS, "conformance.dialects")


def login_names() -> tuple[str, ...]:
    """The names of all logins: the built-in ones in their order, then the others, sorted."""
    return _names(LOGINS, "conformance.logins")


def report_format_names() -> tuple[str, ...]:
    """The names of all report formats: the built-in ones in their order, then the others, sorted."""
    return _names(REPORT_FORMATS, "conformance.report_formats")


def find_dialect(name: str) -> Any:
    """What makes the dialect of this name (`dialects.base.Dialect`). Raises `KeyError` when there is none."""
    return _find(DIALECTS, "conformance.dialects", name)


def find_login(name: str) -> Any:
    """The login of this name (`dialects.base.Login`). Raises `KeyError` when there is none."""
    return _find(LOGINS, "conformance.logins", name)


def find_report_format(name: str) -> Any:
    """The report format of this name (`report.rows.ReportFormat`). Raises `KeyError` when there is none."""
    return _find(REPORT_FORMATS, "conformance.report_formats", name)


def _names(built_in: Mapping[str, str], group: str) -> tuple[str, ...]:
    others = {entry.name for entry in entry_points(group=group)} - built_in.keys()
    return (*built_in, *sorted(others))


def _find(built_in: Mapping[str, str], group: str, name: str) -> Any:
    if name in built_in:
        module, _, attribute = built_in[name].partition(":")
        return getattr(importlib.import_module(module), attribute)
    for entry in entry_points(group=group, name=name):
        return entry.load()
    raise KeyError(name)
