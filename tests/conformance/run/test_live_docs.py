"""docs/staging.md: every sample in it is used, every key of the model is told of, every reason it lists exists."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from live_support import ENVIRONMENT, judge_all, live, pointed, sample

from conformance.cases.fixtures import load_cases
from conformance.contract.load import load_contract
from conformance.endpoint.file import check_target
from conformance.endpoint.model import Limits, Part, Role, ScopePart, ServiceTarget, States, TargetFile, Tls, Waiver
from conformance.model.case import Case
from conformance.model.spec import Contract
from conformance.plugins import LOGINS, find_login

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "staging.md").read_text("utf-8")
BLOCKS = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
FRAGMENTS = [block for block in BLOCKS if not block.startswith("#")]
OFF_THE_WIRE = ("tls", "proxy", "token_url", "sign_in_path", "totp_seed")
CASES = ("cao/effects/nothing-open@http", "cao/roles/operator-account@http", "cao/codes/101@http",
         "tpp/response/domestic@application-json", "tpp/effects/unknown-order@application-json")  # fmt: skip


@cache
def contract() -> Contract:
    return load_contract(None)


@cache
def cases() -> tuple[Case, ...]:
    return tuple(case for case in load_cases(contract()) if case.id in CASES)


def _merged(base: dict[str, Any], extra: dict[str, Any]) -> dict[str, Any]:
    """`extra` laid over `base`; a role or a states table takes the place of the old one."""
    whole = dict(base)
    for key, value in extra.items():
        replaced = (
            not isinstance(value, dict)
            or not isinstance(whole.get(key), dict)
            or key in ("states", "operator", "client")
        )
        whole[key] = value if replaced else _merged(whole[key], value)
    return whole


def _service(fragment: str) -> str:
    return "tpp" if "services.tpp" in fragment else "alphapoint"


@pytest.mark.parametrize("service", ["alphapoint", "tpp"])
def test_the_whole_files_are_those_that_init_writes(service: str) -> None:
    assert sample(service) in BLOCKS


@pytest.mark.parametrize("fragment", FRAGMENTS)
def test_a_fragment_fits_into_the_whole_file(fragment: str) -> None:
    data = _merged(tomllib.loads(sample(_service(fragment))), tomllib.loads(fragment))
    check_target(data, contract(), "staging.toml")


@pytest.mark.parametrize("fragment", [one for one in FRAGMENTS if not any(word in one for word in OFF_THE_WIRE)])
def test_a_fragment_does_not_break_a_run(fragment: str) -> None:
    service = _service(fragment)
    own = [case for case in cases() if case.operation.startswith(service)]
    environment = {
        **ENVIRONMENT,
        "STAGING_OPERATOR_KEY": "opkey-1",
        "STAGING_OPERATOR_SECRET": "opsecret-1",
        "STAGING_TPP_PASSWORD": "anything",
    }
    with live() as server:
        data = _merged(tomllib.loads(pointed(sample(service), server.url)), tomllib.loads(fragment))
        results = judge_all(contract(), own, data, environment=environment)
    assert len(results) == len(own)
    assert {str(result.verdict) for result in results.values()} <= {"pass", "not-verified"}
    if "command" not in fragment:
        assert "pass" in {str(result.verdict) for result in results.values()}


LOGIN_KEYS = [find_login(name).keys for name in LOGINS]


@pytest.mark.parametrize("part", [TargetFile, Limits, ScopePart, ServiceTarget, Tls, Role, States, Waiver, *LOGIN_KEYS])
def test_every_key_is_told_of(part: type[Part]) -> None:
    told = set(re.findall(r"`([a-z_]+)(?: = [a-z]+)?`", PAGE)) | set(
        re.findall(r"^\[*([a-z_.]+)\]* *=?", "\n".join(BLOCKS), re.MULTILINE)
    )
    assert sorted(set(part.model_fields) - told - {"login_keys", "sign_in"}) == []


def test_every_login_has_a_row_and_what_it_needs_stands_there() -> None:
    table = PAGE[PAGE.index("| `login` | needs | does |") :].partition("\n\n")[0]
    rows = dict(re.findall(r"^\| `([a-z0-9-]+)` \|([^|]*)\|", table, re.MULTILINE))
    del rows["login"]
    needed = {
        name: {key for key, info in find_login(name).keys.model_fields.items() if info.is_required()} for name in LOGINS
    }
    assert {name: set(re.findall(r"`([a-z_]+)`", cell)) for name, cell in rows.items()} == needed


def test_every_reason_in_the_table_is_one_that_the_harness_gives() -> None:
    table = PAGE[PAGE.index("| the reason begins with |") :]
    reasons = [
        text for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for text in re.findall(r"`([^`]+)`", row)
    ]
    sources = "\n".join(path.read_text("utf-8") for path in (ROOT / "conformance").rglob("*.py"))
    assert len(reasons) >= 13
    assert [reason for reason in reasons if reason not in sources] == []


def test_the_defaults_in_the_table_of_limits_are_those_of_the_model() -> None:
    page = PAGE[PAGE.index("### `[limits]`") : PAGE.index("### `[scope]`")]
    rows = dict(re.findall(r"^\| (`[a-z_`, ]+`) \| ([0-9., ]+) \|", page, re.MULTILINE))
    for names, values in rows.items():
        for name, value in zip(re.findall(r"`([a-z_]+)`", names), values.split(", "), strict=True):
            assert Limits.model_fields[name].default == float(value), name
    assert len(rows) >= 5
