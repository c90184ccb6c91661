"""Writes a summary as one HTML page (a module of its own: each report format is one).

The page needs nothing else: no script, no font, no picture from anywhere.
"""

from __future__ import annotations

from importlib import resources

from jinja2 import DictLoader, Environment, StrictUndefined

from conformance.model.spec import Contract
from conformance.report.formats.text import (
    Grid,
    carried_out_section,
    code_section,
    messages_words,
    reading_section,
    waiver_section,
)
from conformance.report.rows import SHOWN_ORDER, ReportFormat, RunSummary, finding_groups, troubled, waived
from conformance.report.safe_text import beside, many, shortened, visible

_MOST_FINDINGS = 20
_LONGEST = 4000
_TEMPLATE = "report.html"


def to_html(summary: RunSummary, contract: Contract) -> str:
    """The page: every text escaped, control characters visible, scripts forbidden by policy."""
    environment = Environment(
        loader=DictLoader({_TEMPLATE: _template()}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["visible"] = lambda text: shortened(visible(str(text)), _LONGEST)
    environment.filters["many"] = many
    environment.globals["beside"] = lambda finding: beside(finding.expected, finding.actual, _LONGEST)
    environment.filters["messages_words"] = messages_words
    return environment.get_template(_TEMPLATE).render(
        summary=summary,
        verdicts=[verdict.value for verdict in SHOWN_ORDER],
        groups=finding_groups(summary, contract, _MOST_FINDINGS),
        requirements=contract.requirements,
        matrices=[*code_section(summary.error_codes), *carried_out_section(summary), *waiver_section(summary)],
        readings=[block for block in reading_section(summary) if isinstance(block, Grid)],
        exceptions={"Waived": waived(summary), "No verdict": troubled(summary)},
        is_grid=lambda block: isinstance(block, Grid),
    )


def _template() -> str:
    return (resources.files("conformance.report.formats") / "templates" / _TEMPLATE).read_text(encoding="utf-8")


HTML = ReportFormat("report.html", to_html)
