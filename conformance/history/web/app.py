"""The pages: each asks the store its questions and fills a template."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa
from jinja2 import Environment, FileSystemLoader
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from conformance.errors import ConformanceError, UsageError
from conformance.history.add import unpacked
from conformance.history.questions import (
    blame,
    differences,
    document_at,
    due,
    evidence_of,
    find_run,
    histories,
    of_latest,
)
from conformance.history.record import CAUSE, REQUIREMENT
from conformance.history.store import Store
from conformance.history.tables import CONTENT, ENDPOINT, LINE, RUN
from conformance.history.web.access import Access, Guarded
from conformance.history.web.charts import chart, matrix_row, strip

_HERE = Path(__file__).parent
_LAST = (20, 50, 100)
_MOST_DUE = 500
_MOST_FOUND = 100
_SANDBOX = (
    "sandbox allow-scripts; default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
)
"""A report has its own style and script within; here it runs as a page of nobody, which can neither read nor send."""

_Page = Callable[["_Pages", Request, sa.Connection], Response]


def make_app(store: Store, access: Access) -> ASGIApp:
    """The page of a store, for any ASGI server."""
    pages = _Pages(store)
    paths: dict[str, Any] = {
        "/": pages.endpoints, "/endpoint": pages.endpoint, "/requirements": pages.requirements, "/run": pages.run,
        "/cause": pages.cause, "/compare": pages.compare, "/due": pages.due, "/search": pages.search,
        "/report": pages.report,
    }  # fmt: skip
    static = Mount("/static", StaticFiles(directory=_HERE / "static"))
    app = Starlette(routes=[*(Route(path, page, methods=["GET"]) for path, page in paths.items()), static])
    return Guarded(app, access, pages.sign_in)


def _asks(page: _Page) -> Callable[[_Pages, Request], Response]:
    """A page that reads the store; what is not there is 404, a store that does not work 503."""

    @functools.wraps(page)
    def answer(self: _Pages, request: Request) -> Response:
        try:
            with self.store.reading() as connection:
                return page(self, request, connection)
        except UsageError as error:
            return self.filled("error.html", request, status=404, error=error)
        except ConformanceError as error:
            return self.filled("error.html", request, status=503, error=error)

    return answer


def _moment(started_at: str) -> str:
    """When a run began, to the second; the store has it in UTC."""
    return f"{started_at[:19].replace('T', ' ')} UTC"


class _Pages:
    def __init__(self, store: Store) -> None:
        self.store = store
        self._templates = Environment(
            loader=FileSystemLoader(_HERE / "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True
        )
        self._templates.globals["link"] = _link
        self._templates.filters["moment"] = _moment

    def filled(self, template: str, request: Request, /, *, status: int = 200, **values: Any) -> HTMLResponse:
        """A template, filled."""
        text = self._templates.get_template(template).render(
            path=request.url.path, query=request.query_params, **values
        )
        return HTMLResponse(text, status)

    def sign_in(self, request: Request, *, wrong: bool) -> HTMLResponse:
        """The form that asks for the token."""
        return self.filled("sign-in.html", request, status=401, wrong=wrong)

    @_asks
    def endpoints(self, request: Request, connection: sa.Connection) -> Response:
        """Endpoints by releases."""
        last, wanted = _last(request), request.query_params.get("q", "")[:200]
        query = of_latest([RUN.c.id, RUN.c.release, RUN.c.verdict, RUN.c.causes], last, wanted)
        rows = []
        verdicts: Counter[str] = Counter()
        for name, group in groupby(connection.execute(query), key=itemgetter(0)):
            mine = [(identity, release, verdict, causes) for _, identity, release, verdict, causes in group]
            rows.append((name, mine[0][1], matrix_row(mine, last)))
            verdicts[mine[0][2]] += 1
        counts = {word: verdicts[word] for word in ("pass", "fail", "incomplete", "error")}
        return self.filled(
            "endpoints.html", request, rows=rows, last=last, lasts=_LAST, wanted=wanted, counts=counts, total=len(rows)
        )

    @_asks
    def endpoint(self, request: Request, connection: sa.Connection) -> Response:
        """One endpoint: trends, life lines of its causes, its runs."""
        name, last = request.query_params.get("name", ""), _last(request)
        mine = _runs_of(connection, name, last)
        labels = [run["release"] for run in mine]
        charts = [
            chart(title, [run[key] for run in mine], labels, kind)
            for title, key, kind in (
                ("Requirements that fail", "requirements_fail", "fail"),
                ("Causes", "causes", "fail"),
                ("Requirements not verified", "requirements_not_verified", "not-verified"),
                ("Cases carried out", "carried_out", "pass"),
            )
        ]
        lives = [
            (line, spans[-1][1], strip(spans, mine, _word_of_cause))
            for (_, line), spans in histories(connection, kind=CAUSE, endpoint=name).items()
            if any(value and at <= mine[-1]["at"] for at, value in spans) and _touches(spans, mine[0]["at"])
        ]
        return self.filled(
            "endpoint.html", request, name=name, runs=mine[::-1], charts=charts, lives=lives, last=last, lasts=_LAST,
            wrong=blame(connection, endpoint=name),
        )  # fmt: skip

    @_asks
    def requirements(self, request: Request, connection: sa.Connection) -> Response:
        """The heat map: what each requirement came to, release by release."""
        name, last = request.query_params.get("endpoint", ""), _last(request)
        mine = _runs_of(connection, name, last)
        rows = [
            (line, spans[-1][1], strip(spans, mine, _word_of_requirement))
            for (_, line), spans in histories(connection, kind=REQUIREMENT, endpoint=name).items()
        ]
        return self.filled("requirements.html", request, name=name, runs=mine, rows=rows, last=last, lasts=_LAST)

    @_asks
    def run(self, request: Request, connection: sa.Connection) -> Response:
        """One run, and what changed since the run before."""
        place = find_run(connection, request.query_params.get("id", ""))
        document = document_at(connection, place)
        before = None if place.before is None else find_run(connection, place.before)
        changes = () if before is None else differences(connection, before, place)
        causes = [(cause, evidence_of(connection, place, cause["id"])) for cause in document["causes"]]
        others = [one for one in _runs_of(connection, place.endpoint, 100)[::-1] if one["id"] != place.row["id"]]
        return self.filled(
            "run.html", request, place=place, row=place.row, document=document, before=before, changes=changes,
            causes=causes, others=others,
        )  # fmt: skip

    @_asks
    def cause(self, request: Request, connection: sa.Connection) -> Response:
        """A cause or a requirement through all endpoints."""
        name = request.query_params.get("id", "")
        found = blame(connection, name)
        kind = CAUSE if any(one["kind"] == CAUSE for one in found) else REQUIREMENT
        word = _word_of_cause if kind == CAUSE else _word_of_requirement
        lines = histories(connection, kind=kind, name=name)
        recent = _recent(connection, [endpoint for endpoint, _ in lines], _LAST[0])
        rows = [(endpoint, strip(spans, recent[endpoint], word)) for (endpoint, _), spans in lines.items()]
        return self.filled("cause.html", request, name=name, kind=kind, found=found, rows=rows)

    @_asks
    def compare(self, request: Request, connection: sa.Connection) -> Response:
        """Two runs side by side."""
        old, new = (find_run(connection, request.query_params.get(side, "")) for side in ("old", "new"))
        changes = differences(connection, old, new)
        return self.filled("compare.html", request, old=old, new=new, changes=changes)

    @_asks
    def due(self, request: Request, connection: sa.Connection) -> Response:
        """What needs somebody."""
        given = request.query_params.get("days", "30")
        days = min(int(given), 36_500) if given.isascii() and given.isdecimal() and len(given) < 7 else 30
        found = due(connection, datetime.now(UTC), days, most=_MOST_DUE + 1)
        return self.filled("due.html", request, days=days, found=found, most=_MOST_DUE)

    @_asks
    def search(self, request: Request, connection: sa.Connection) -> Response:
        """Endpoints, releases, and lines by a part of their names."""
        wanted = request.query_params.get("q", "").strip()[:200]
        names: list[str] = []
        releases: list[Any] = []
        lines: list[Any] = []
        if wanted:
            query = sa.select(ENDPOINT.c.name).where(ENDPOINT.c.name.icontains(wanted, autoescape=True))
            names = list(connection.execute(query.order_by(ENDPOINT.c.name).limit(_MOST_FOUND)).scalars())
            query_of_runs = sa.select(RUN.c.id, RUN.c.release, ENDPOINT.c.name).join(ENDPOINT)
            like = RUN.c.release.icontains(wanted, autoescape=True) | RUN.c.id.startswith(wanted, autoescape=True)
            releases = list(connection.execute(query_of_runs.where(like).order_by(RUN.c.at.desc()).limit(_MOST_FOUND)))
            query_of_lines = sa.select(LINE.c.kind, LINE.c.name).where(
                LINE.c.kind.in_((REQUIREMENT, CAUSE)), LINE.c.name.icontains(wanted, autoescape=True)
            )
            lines = list(
                connection.execute(query_of_lines.distinct().order_by(LINE.c.kind, LINE.c.name).limit(_MOST_FOUND))
            )
        return self.filled("search.html", request, wanted=wanted, names=names, releases=releases, lines=lines)

    @_asks
    def report(self, request: Request, connection: sa.Connection) -> Response:
        """The HTML report of a run, as it was written."""
        place = find_run(connection, request.query_params.get("run", ""))
        query = sa.select(CONTENT.c.body).where(CONTENT.c.id == place.row["report_id"])
        body = connection.execute(query).scalar()
        if body is None:
            raise UsageError("no HTML report of this run is kept", hint="The folder or the bundle of the run has it.")
        return HTMLResponse(unpacked(body), headers={"content-security-policy": _SANDBOX})


def _link(path: str, **values: Any) -> str:
    return f"{path}?{urlencode(values)}"


def _last(request: Request) -> int:
    given = request.query_params.get("last", "")
    return int(given) if given in map(str, _LAST) else _LAST[0]


def _word_of_cause(value: Mapping[str, Any] | None) -> str:
    return "fail" if value else ""


def _word_of_requirement(value: Mapping[str, Any] | None) -> str:
    return str(value["verdict"]) if value else ""


def _runs_of(connection: sa.Connection, endpoint: str, last: int) -> list[Mapping[str, Any]]:
    """The last runs of an endpoint, the oldest first. Raises `UsageError` for one that is not there."""
    found = _recent(connection, [endpoint], last)
    if not found:
        raise UsageError(f"the store has no endpoint {endpoint!r}", hint="The first page lists them.")
    return found[endpoint]


def _recent(connection: sa.Connection, endpoints: Sequence[str], last: int) -> dict[str, list[Mapping[str, Any]]]:
    """Each endpoint to its last runs, the oldest first."""
    query = of_latest(list(RUN.c), last)
    if len(endpoints) == 1:
        query = query.where(ENDPOINT.c.name == endpoints[0])
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in connection.execute(query).mappings():
        found.setdefault(row["endpoint"], []).append(dict(row))
    return {endpoint: mine[::-1] for endpoint, mine in found.items()}


def _touches(spans: Any, start: int) -> bool:
    """Whether a line was listed at or after a moment."""
    return any(value and at >= start for at, value in spans) or any(
        value and at < start and (number + 1 == len(spans) or spans[number + 1][0] > start)
        for number, (at, value) in enumerate(spans)
    )
