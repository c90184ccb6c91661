"""What every report says beside the verdict: unchecked TLS, flaky cases, throttling, and what was left on the target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from conformance.model.verdict import FLAKY_NOTE, CaseResult, RunInfo
from conformance.report.settings import Ending
from conformance.report.text import many


def notices(info: RunInfo, cases: Sequence[CaseResult], ending: Ending) -> tuple[str, ...]:
    """One line each, in a fixed order."""
    return (
        *_unchecked_tls(info.target),
        *(
            f"{note.removeprefix(FLAKY_NOTE)} attempts, flaky: {result.id}"
            for result in cases
            for note in result.notes
            if note.startswith(FLAKY_NOTE)
        ),
        *(["the target turned messages away with TOO MANY REQUESTS; they were sent again"] if ending.throttled else ()),
        *([f"{many(len(ending.left_behind), 'thing')} left behind on the target; the journal's last line names them"]
          if ending.left_behind else ()),
    )


def _unchecked_tls(target: Mapping[str, object]) -> list[str]:
    services = target.get("services")
    if not isinstance(services, Mapping):
        return []
    return [
        f"TLS of services.{name} was not checked (verify = false): anybody may have answered"
        for name, service in sorted(services.items())
        if isinstance(service, Mapping) and isinstance(service.get("tls"), Mapping) and service["tls"].get("verify") is False
    ]
