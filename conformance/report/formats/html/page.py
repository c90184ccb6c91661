"""Writes a summary as one HTML page: everything in it, nothing fetched, and only its own script and style allowed.

Whatever came over the wire is hostile: each text is escaped by the template, controls and marks that turn the direction of
writing are written out, and the policy names script and style by their hashes.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined, Template
from markupsafe import Markup

from conformance.model.spec import Contract
from conformance.model.verdict import Verdict
from conformance.report.formats.html.causes import cause_views
from conformance.report.formats.html.messages import quoted
from conformance.report.formats.html.tables import case_views, gaps, matrices, requirement_views, target_lines
from conformance.report.formats.text import messages_words
from conformance.report.rows import ReportFormat, RunSummary, replay_command, troubled, waived
from conformance.report.safe_text import many, shortened, visible, xml_safe

_LONGEST, _BRIEF = 4000, 200
_TEMPLATE, _STYLE, _SCRIPT = "report.html", "report.css", "report.js"


def to_html(summary: RunSummary, contract: Contract) -> str:
    """The page."""
    causes = cause_views(summary, contract)
    requirements = requirement_views(summary, contract, causes)
    numbers = _numbers(summary)
    cases = tuple(case_views(summary, causes, numbers))
    open_rows = [row for row in summary.requirements if row.verdict in _OPEN]
    target = dict(summary.info.target)
    return _template().render(
        summary=summary,
        policy=_policy(_part(_STYLE), _part(_SCRIPT)),
        title=str(target.get("name") or target.get("file") or target.get("url") or "a target"),
        listed=frozenset(row.id for row in summary.requirements),
        addresses=_addresses(target),
        headline=_headline(summary),
        causes=causes,
        numbers=numbers,
        requirements=requirements,
        matrices=tuple(matrices(summary.error_codes, contract)),
        readings=[
            (row, contract.readings[row.id].question if row.id in contract.readings else "")
            for row in summary.readings
            if row.observed or row.pinned is not None
        ],
        exceptions={"Waived": waived(summary), "No verdict": troubled(summary)},
        gaps=tuple(gaps(summary)),
        open_rows=open_rows,
        accepted_rows=sum(row.accepted for row in open_rows),
        cases=cases,
        uncounted=sum(summary.folded.verdicts.values()),
        filters=_filters(summary, cases, numbers),
        replay_target=replay_command("", summary.info).removeprefix("conformance replay ''"),
        target=tuple(target_lines(target)),
    )


_OPEN = (Verdict.NOT_VERIFIED, Verdict.TARGET_ERROR, Verdict.HARNESS_ERROR)


def _headline(summary: RunSummary) -> str:
    """What the verdict means, in a sentence for who has to decide."""
    if summary.cut_short:
        return f"The run was cut short: {shortened(visible(summary.cut_short), _BRIEF)}"
    if summary.verdict == "fail":
        if not summary.causes:
            return "A requirement is broken, or a waiver is stale."
        worst = summary.causes[0].kind.words
        return f"The contract is broken: {many(len(summary.causes), 'cause')}, the worst: {worst}."
    if summary.verdict == "pass":
        return "Nothing that was tried breaks the contract."
    if summary.verdict == "incomplete":
        return "Nothing that was tried breaks the contract, but not enough was tried to say that it holds."
    return "The run came to no verdict."


def _addresses(target: Mapping[str, Any]) -> str:
    services = target.get("services")
    if not isinstance(services, Mapping):
        return ""
    return ", ".join(
        str(service[key])
        for _, service in sorted(services.items())
        if isinstance(service, Mapping)
        for key in ("http", "websocket")
        if service.get(key)
    )


def _numbers(summary: RunSummary) -> dict[str, int]:
    """A short number for each requirement, by which the filter knows it."""
    found = {finding.requirement for result in summary.cases for finding in result.findings}
    found.update(name for cause in summary.causes for name in (*cause.requirements, *cause.follows))
    return {name: place for place, name in enumerate(sorted(found.union(row.id for row in summary.requirements)))}


def _filters(summary: RunSummary, cases: Any, numbers: Mapping[str, int]) -> dict[str, list[tuple[str, str]]]:
    """What each field of the filter offers: values and how they are shown."""
    rows = [row for group in cases for row in group.rows]

    def offered(values: Any) -> list[tuple[str, str]]:
        return [(value, value) for value in sorted(set(values))]

    return {
        "verdict": offered([row.verdict for row in rows] + [row.verdict.value for row in summary.requirements]),
        "requirement": [(str(number), name) for name, number in numbers.items()],
        "operation": offered(row.operation for row in summary.requirements),
        "format": offered(row.format for row in rows),
        "role": offered(row.role for row in rows),
    }


def _policy(*parts: str) -> str:
    """The policy under which a browser takes the page's own style and script and nothing else."""
    style, script = (base64.b64encode(hashlib.sha256(part.encode()).digest()).decode() for part in parts)
    return (
        f"default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _harmless(value: Any) -> Any:
    """What the template writes, without what no text may hold or what turns it round, also where no filter says so."""
    return xml_safe(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _template() -> Template:
    environment = Environment(
        loader=DictLoader(
            {_TEMPLATE: _part(_TEMPLATE), **{name: _as_it_is(_part(name)) for name in (_STYLE, _SCRIPT)}}
        ),
        autoescape=True,
        finalize=_harmless,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["visible"] = lambda text: shortened(visible(str(text)), _LONGEST)
    environment.filters["brief"] = lambda text: shortened(visible(str(text)), _BRIEF)
    environment.filters["visible_lines"] = lambda text: "\n".join(visible(line) for line in str(text).split("\n"))
    environment.filters["many"] = many
    environment.filters["quoted"] = quoted
    environment.filters["messages_words"] = messages_words
    return environment.get_template(_TEMPLATE)


@cache
def _part(name: str) -> str:
    return (resources.files("conformance.report.formats.html") / "templates" / name).read_text("utf-8").rstrip("\n")


def _as_it_is(part: str) -> str:
    return f"{{% raw %}}{part}{{% endraw %}}"


HTML = ReportFormat("report.html", to_html)
