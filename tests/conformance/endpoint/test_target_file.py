"""The target file: what is accepted, what each complaint says, and that no secret can stand in it or get out of it."""

from __future__ import annotations

import copy
import json
import tomllib
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from conformance.contract.load import load_contract
from conformance.endpoint.choose import permitted
from conformance.endpoint.file import SCHEMA_FILE, check_target, load_target, schema_text
from conformance.endpoint.model import TargetFile
from conformance.endpoint.secrets import Vault, with_secrets
from conformance.errors import ConfigurationError, UsageError
from conformance.model.spec import Contract

SECRET = {"env": "NAME"}


@cache
def contract() -> Contract:
    return load_contract(None)


def sample(service: str) -> dict[str, Any]:
    text = resources.files("conformance.endpoint").joinpath("samples", f"{service}.toml").read_text("utf-8")
    return tomllib.loads(text)


def target(service: str = "alphapoint", **changes: Any) -> dict[str, Any]:
    """The sample with values replaced, `a__b=1` for `services.<service>.a.b`; `top__x` for a key of the whole file."""
    data = copy.deepcopy(sample(service))
    for path, value in changes.items():
        steps = path.split("__")
        place: Any = data if steps[0] == "top" else data["services"][service]
        for step in steps[1 if steps[0] == "top" else 0 : -1]:
            place = place.setdefault(step, {})
        place[steps[-1]] = value
    return data


def complaint(data: dict[str, Any]) -> str:
    with pytest.raises(ConfigurationError) as caught:
        check_target(data, contract(), "staging.toml")
    assert caught.value.where == "staging.toml"
    return f"{caught.value.message} | {caught.value.hint}"


@pytest.mark.parametrize("service", ["alphapoint", "tpp"])
def test_the_samples_are_accepted_by_the_model_and_by_the_published_schema(service: str) -> None:
    check_target(sample(service), contract(), "sample")
    jsonschema.validate(sample(service), json.loads(SCHEMA_FILE.read_text("utf-8")))


def test_the_published_schema_is_the_one_of_the_model() -> None:
    assert SCHEMA_FILE.read_text("utf-8") == schema_text()


@pytest.mark.parametrize(("data", "words"), [
    ({}, ["name: Field required", "services: Field required"]),
    (target(bogus=1), ["services.alphapoint.bogus: no such key"]),
    (target(http=None, websocket=None), ["services.alphapoint: ", "give http, websocket or both"]),
    (target(top__limits__requests_per_second=0), ["limits.requests_per_second: ", "greater than 0"]),
    (target(top__limits__concurrency="many"), ["limits.concurrency: ", "integer"]),
    (target(top__services={"alphapont": {"http": "http://h"}}), ["services.alphapont: no such service", "Did you mean alphapoint?"]),
    (target(errors__any__999={}), ["services.alphapoint.errors.any.999: no such error code", "Known: 0, 100"]),
    (target(errors__cancel_all={}), ["services.alphapoint.errors.cancel_all: no such operation"]),
    (target(errors__any__101={"role": "oprator"}), ["errors.any.101.role: no such role: 'oprator'", "Did you mean operator?"]),
    (target(top__readings={"errormsg-on-succes": "null"}), ["readings.errormsg-on-succes: no such reading", "Did you mean errormsg-on-success"]),
    (target(top__readings={"errormsg-on-success": "nil"}), ["no such alternative: 'nil'", "null"]),
    (target(top__flaky=["cao/effects/nothing-opn@http"]), ["flaky.0: no such case", "cao/effects/nothing-open@http"]),
    (target(states={"provider": "hook"}), ['provider = "hook" needs url']),
    (target(states={"provider": "command"}), ['provider = "command" needs command']),
    (target(states={"provider": "pool"}), ['provider = "pool" needs a table `pool`']),
    (target(tls={"client_key": "k.pem"}), ["client_key needs client_certificate"]),
    (target(roles__operator={"user": "x"}), ["services.alphapoint.roles.operator.password: login 'basic' needs user and password"]),
    (target(roles__operator={"api_key": SECRET}), ["operator.user_id: login 'signature' needs user_id, api_key and api_secret", "operator.api_secret: "]),
    (target(roles__operator={"login": "websocket"}), ["operator.user: login 'websocket' needs user and password"]),
    (target(roles__operator={"login": "basik"}), ["services.alphapoint.roles.operator.login: no such login", "each-message"]),
    (target(roles__operator={"login": "basic", "user": "x", "password": SECRET, "pasword": 1}), ["operator.pasword: login 'basic' has no such key"]),
    (target(roles__operator={"login": "none", "user": "x"}), ["operator.user: login 'none' has no such key"]),
    (target(roles__operator={"login_keys": {}}), ["operator.login_keys: login 'none' has no such key"]),
    (target("tpp", roles__client={"user": "x", "password": SECRET}), ["services.tpp.roles.client.login: this service has no sign-in", "each-message"]),
    (target("tpp", states={"provider": "calls"}), ["services.tpp.states.provider: ", "hook"]),
    (target(proxy={"url": "http://me:s3cret@proxy:1"}), ["services.alphapoint.proxy.url: ", "authorization"]),
])  # fmt: skip
def test_a_complaint_names_the_key_and_what_was_expected(data: dict[str, Any], words: list[str]) -> None:
    said = complaint(data)
    for word in words:
        assert word in said
    assert "s3cret" not in said


@pytest.mark.parametrize("data", [
    target(roles__operator={"user": "x", "password": "s3cret-Zq8"}),
    target(headers={"Authorization": "s3cret-Zq8"}),
    target("tpp", roles__client={"login": "none", "headers": {"X-Api-Key": "s3cret-Zq8"}}),
    target(proxy={"url": "http://p:1", "authorization": "s3cret-Zq8"}),
    target(roles__operator={"user_id": "1", "api_key": "s3cret-Zq8", "api_secret": SECRET}),
])  # fmt: skip
def test_a_secret_in_the_file_is_refused_and_not_repeated(data: dict[str, Any]) -> None:
    said = complaint(data)
    assert '{ env = "NAME" } or { file = "PATH" }' in said
    assert "s3cret" not in said


def test_a_pin_in_a_file_is_refused_and_not_repeated(tmp_path: Path) -> None:
    text = resources.files("conformance.endpoint").joinpath("samples", "tpp.toml").read_text("utf-8")
    path = tmp_path / "target.toml"
    path.write_text(text.replace('pin = { env = "STAGING_PIN" }', 'pin = "s3cret-Zq8"'), "utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load_target(path, contract())
    assert "services.tpp.bindings.pin: a PIN does not stand in this file" in str(caught.value)
    assert "s3cret" not in str(caught.value)


POOL = 'provider = "pool"\npool = { open-order = [{ OrderID = "7" }, { OrderID = "seven" }] }\n'


@pytest.mark.parametrize(("service", "was", "now", "said"), [
    ("alphapoint", "unknown_account = 987654321", 'unknown_account = "abc def"', r"services\.alphapoint\.\S+account: 'abc def' is no integer"),
    ("alphapoint", "account = 4101 ", 'account = "0x10" ', r"services\.alphapoint\.desks\.0\.\S+account: '0x10' is no"),
    ("tpp", 'provider = "hook"\n', POOL, r"states\.pool\.open-order\.1\.OrderID: 'seven' is no integer"),
])  # fmt: skip
def test_a_text_where_the_messages_have_a_number_is_refused(
    service: str, was: str, now: str, said: str, tmp_path: Path
) -> None:
    """Such a message would be no JSON, and an endpoint that refuses it would be blamed."""
    text = resources.files("conformance.endpoint").joinpath("samples", f"{service}.toml").read_text("utf-8")
    assert was in text
    path = tmp_path / "target.toml"
    path.write_text(text.replace(was, now, 1), "utf-8")
    with pytest.raises(ConfigurationError, match=said) as caught:
        load_target(path, contract())
    assert "For example that of " in caught.value.hint


def test_an_integer_written_as_a_text_is_one(tmp_path: Path) -> None:
    text = resources.files("conformance.endpoint").joinpath("samples", "alphapoint.toml").read_text("utf-8")
    path = tmp_path / "target.toml"
    path.write_text(text.replace("unknown_account = 987654321", 'unknown_account = "987654321"', 1), "utf-8")
    assert load_target(path, contract()).services


def test_a_waiver_names_a_case_and_a_requirement_that_exist() -> None:
    waiver = {"case": "cao/effects/nothing-open@http", "requirement": "CAO-SYNC", "finding": "x", "reason": "x", "owner": "x",
              "expires": "2030-01-01"}  # fmt: skip
    check_target(target(top__waivers=[waiver]), contract(), "x")
    assert "waivers.0.requirement: no such requirement: 'CAO-SINC'" in complaint(
        target(top__waivers=[{**waiver, "requirement": "CAO-SINC"}])
    )
    assert "waivers.0.case: no such case" in complaint(target(top__waivers=[{**waiver, "case": "cao/x"}]))


@pytest.mark.parametrize(("content", "said"), [(b"a = ", "not TOML"), (b"\xff", "cannot be read")])
def test_a_file_that_is_no_toml_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "target.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=said) as caught:
        load_target(path, contract())
    assert caught.value.where == str(path)


def test_a_file_that_is_not_there_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_target(tmp_path / "none.toml", contract())
    assert "conformance target init" in caught.value.hint


def test_secrets_are_fetched_from_environment_and_files_once_and_all_are_known(tmp_path: Path) -> None:
    (tmp_path / "pin").write_text("8642-file\n", "utf-8")
    data = target(
        "tpp",
        bindings__pin={"file": str(tmp_path / "pin")},
        roles__client={"login": "none", "headers": {"X-Token": SECRET}},
    )
    vault = Vault({"NAME": "token-1", "STAGING_WRONG_PIN": "1111"})
    filled = with_secrets(check_target(data, contract(), "x"), vault)
    assert filled.services["tpp"].bindings["pin"] == "8642-file"
    assert vault.known == {"8642-file", "token-1", "1111"}


@pytest.mark.parametrize(("secret", "said"), [
    ({"env": "MISSING"}, "the environment variable MISSING is not set"), ({"env": "EMPTY"}, "the environment variable EMPTY is empty"),
    ({"file": "/no/such/file"}, "cannot be read"),
])  # fmt: skip
def test_a_secret_that_cannot_be_had_names_its_place(secret: dict[str, str], said: str) -> None:
    checked = check_target(target("tpp", bindings__pin=secret), contract(), "x")
    with pytest.raises(ConfigurationError, match=said) as caught:
        with_secrets(checked, Vault({"EMPTY": "", "STAGING_WRONG_PIN": "1111"}))
    assert caught.value.where == "services.tpp.bindings.pin"


def test_what_reports_show_of_a_target_holds_no_secret_and_no_pin() -> None:
    checked = check_target(target("tpp", bindings__pin="8642-plain"), contract(), "x")
    assert "8642" not in json.dumps(checked.redacted())
    assert checked.redacted()["services"]["tpp"]["bindings"]["creator"] == 55001


def _file(**changes: Any) -> TargetFile:
    return check_target(target(**changes), contract(), "x")


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://[::1]:1", "http://localhost:1", "https://127.9.9.9"])
def test_loopback_needs_no_permission(url: str) -> None:
    permitted(_file(http=url, websocket=url.replace("http", "ws"), top__scope={}))


@pytest.mark.parametrize("url", ["http://10.0.0.1", "http://127.0.0.1.example.com", "http://localhost.example.com", "http://0.0.0.0:1",
                                 "http://[::ffff:8.8.8.8]"])  # fmt: skip
def test_anything_else_needs_permission(url: str) -> None:
    with pytest.raises(ConfigurationError, match="not a loopback address"):
        permitted(_file(http=url, top__scope={}))


def test_a_websocket_address_needs_permission_just_the_same() -> None:
    with pytest.raises(ConfigurationError) as caught:
        permitted(_file(http="http://127.0.0.1:1", top__scope={}))
    assert caught.value.where == "services.alphapoint.websocket"


def test_a_usage_error_is_no_configuration_error() -> None:
    assert not issubclass(UsageError, ConfigurationError)
