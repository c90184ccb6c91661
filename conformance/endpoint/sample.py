"""Commented target files: those that come with the bundled services, and one made of what any other service's cases ask for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import resources

from conformance.cases.fixtures import load_cases
from conformance.cases.message import is_text, places
from conformance.endpoint.model import is_pin
from conformance.model.case import Case
from conformance.model.spec import Contract

BUNDLED = ("alphapoint", "tpp")
_ALWAYS = ("anonymous", "invented")
_FRAME = ("i", "o", "body")
_HEAD = """\
# A target file for `conformance run --target FILE`: {title}.
# `conformance target check FILE` says what is still missing; docs/staging.md explains every key.
schema_version = 1
name = "{service} staging"

# ---- What may be touched. Things that the state provider below hands out are always in scope. ----
[scope]
destructive = true                      # needed for any address that is not loopback
unknown = []                            # ids that you vouch do not exist, such as the unknown ones below
# everything = true                     # only for a sandbox that is all yours: lifts every limit

# ---- Where it is. ----
[services.{service}]
http = "https://{service}.staging.example.com"
"""


def bundled_sample(service: str) -> str:
    """The commented file of a bundled service."""
    return resources.files("conformance.endpoint").joinpath("samples", f"{service}.toml").read_text("utf-8")


def sample_of(contract: Contract, service: str) -> str:
    """A target file with every binding, role, state and error code that the cases of a service ask for."""
    cases = load_cases(contract, contract.services[service].operations)
    lines = [_HEAD.format(title=contract.services[service].title, service=service)]
    if any(case.transport == "ws" for case in cases):
        lines[0] += f'websocket = "wss://{service}.staging.example.com"\n'
    lines.append("# ---- The values that the messages are filled with. ----")
    lines.append(f"[services.{service}.bindings]")
    lines.extend(_bindings(cases))
    lines.append("\n# ---- Who calls. ----")
    for role in sorted({case.role for case in cases}.difference(_ALWAYS)):
        lines.append(f'[services.{service}.roles.{role}]\nlogin = "none"')
        lines.append('# headers = { Authorization = { env = "STAGING_AUTHORIZATION" } }')
    lines.append("\n# ---- Who brings about " + ", ".join(_states(cases)) + ". ----")
    lines.append(f'[services.{service}.states]\nprovider = "hook"\nurl = "http://127.0.0.1:8099/states"')
    for code in sorted({case.provoke for case in cases if case.provoke is not None}):
        lines.append(
            f'\n[services.{service}.errors.any."{code}"]\nunreachable = "nobody has said yet how it is provoked"'
        )
    return "\n".join(lines) + "\n"


def _states(cases: Sequence[Case]) -> list[str]:
    return sorted({need.state for case in cases for need in case.states.values()})


def binding_names(cases: Sequence[Case]) -> set[str]:
    """The bindings that the cases ask for."""
    made = {state for case in cases for state in case.states}
    names = {name for case in cases for name in _places(case) if name.partition(".")[0] not in made}
    return names.difference(_FRAME)


def _bindings(cases: Sequence[Case]) -> Iterator[str]:
    for number, name in enumerate(sorted(binding_names(cases)), 1):
        key = f'"{name}"' if "." in name else name
        if is_pin(name):
            yield f'{key} = {{ env = "STAGING_{name.replace(".", "_").upper()}" }}'
        else:
            value = f'"00000000-dead-4bad-8bad-{number:012}"' if is_text(name) else str(1_987_654_000 + number)
            yield f"{key} = {value}"


def _places(case: Case) -> tuple[str, ...]:
    params = "".join(str(value) for need in case.states.values() for value in need.params.values())
    twins = "".join(message.body.text for message in case.twin.messages) if case.twin else ""
    return places(case.message.body.text + (case.message.frame or "") + params + twins)
