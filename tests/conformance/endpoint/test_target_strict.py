"""The target file as people write it: no conversions, every complaint with line and column, marks and charsets, all secrets at once."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from conformance.contract.load import load_contract
from conformance.endpoint.complaints import places_of
from conformance.endpoint.file import load_target
from conformance.endpoint.model import TargetFile
from conformance.endpoint.secrets import Vault, with_secrets
from conformance.errors import ConfigurationError
from conformance.model.spec import Contract

SMALL = """\
name = "t"
[services.tpp]
http = "http://127.0.0.1:1"
"""


@cache
def contract() -> Contract:
    return load_contract(None)


def sample(service: str) -> str:
    return resources.files("conformance.endpoint").joinpath("samples", f"{service}.toml").read_text("utf-8")


def loaded(folder: Path, text: str | bytes) -> TargetFile:
    path = folder / "t.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return load_target(path, contract())


def complaint(folder: Path, text: str | bytes) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        loaded(folder, text)
    return caught.value


@pytest.mark.parametrize(
    ("lines", "place", "said"),
    [
        (
            '[scope]\ndestructive = "yes"',
            "5:1",
            "scope.destructive: must be true or false, not text; write it without quotes",
        ),
        ("[scope]\ndestructive = 1", "5:1", "scope.destructive: must be true or false, not an integer"),
        (
            "[scope]\neverything = 'true'",
            "5:1",
            "scope.everything: must be true or false, not text; write it without quotes",
        ),
        (
            '[scope]\naccounts = [1,\n  "2"]',
            "6:3",
            "scope.accounts.1: must be an integer, not text; write it without quotes",
        ),
        ("[scope]\naccounts = 3", "5:1", "scope.accounts: must be a list in [ ], not an integer"),
        ("[scope]\nmax_requests = 1.0", "5:1", "scope.max_requests: must be an integer, not a decimal number"),
        ("[scope]\noms = [true]", "5:8", "scope.oms.0: must be an integer, not true or false"),
        ('[limits]\nsettle_s = "2"', "5:1", "limits.settle_s: must be a number, not text; write it without quotes"),
        ("[limits]\ntotal_timeout_s = inf", "5:1", "limits.total_timeout_s: Input should be a finite number"),
        (
            'tls = { verify = "no" }',
            "4:9",
            "services.tpp.tls.verify: must be true or false, not text; write it without quotes",
        ),
        ("tls = { ca_bundle = 3 }", "4:9", "services.tpp.tls.ca_bundle: must be a path in quotes, not an integer"),
        (
            "bindings = { creator = 1.5 }",
            "4:14",
            "services.tpp.bindings.creator: must be an integer or text in quotes or the place of a secret",
        ),
        ("bindings.pin = { envv = 'X' }", "4:18", "services.tpp.bindings.pin.envv: no such key; did you mean env?"),
        ("bindings.pin = { env = 'X', file = 'y' }", "4:1", "services.tpp.bindings.pin: give exactly one of"),
        ("headers = { X = 5 }", "4:13", "services.tpp.headers.X: must be text in quotes or the place of a secret"),
        ("proxi = 3", "4:1", "services.tpp.proxi: no such key; did you mean proxy?"),
        ("[limits]\nsetle_s = 3", "5:1", "limits.setle_s: no such key; did you mean settle_s?"),
        (
            "[services.tpp.roles.client]\nlogin = 'none'\nheadrs = {}",
            "6:1",
            "services.tpp.roles.client.headrs: login 'none' has no such key; did you mean headers?",
        ),
        (
            "[services.tpp.states]\nprovider = 'hok'",
            "5:1",
            "services.tpp.states.provider: Input should be 'calls', 'hook'",
        ),
        (
            "[services.tpp.states]\nprovider = 'hook'\nurl = 'u'\nclean = 1",
            "7:1",
            "services.tpp.states.clean: must be true or false",
        ),
        (
            "[services.tpp.states]\nprovider = 'command'\ncommand = 'x'",
            "6:1",
            "services.tpp.states.command: must be a list in [ ], not text",
        ),
        (
            "[[services.tpp.desks]]\n[[services.tpp.desks]]\nbinding = {}",
            "6:1",
            "services.tpp.desks.1.binding: no such key; did you mean bindings?",
        ),
        ("[services.tp]\nhttp = 'http://h'", "4:1", "services.tp: no such service: 'tp' | Did you mean tpp?"),
        (
            "[services.tpp.roles.clinet]\nlogin = 'none'",
            "4:1",
            "services.tpp.roles.clinet: no case asks for a role of this name | Did you mean client?",
        ),
        (
            "[services.tpp.bindings]\nunknwon_order = 3",
            "5:1",
            "services.tpp.bindings.unknwon_order: no case asks for a binding of this name | Did you mean unknown_order",
        ),
        (
            "[[services.tpp.desks]]\nbindings = { creater = 3 }",
            "5:14",
            "services.tpp.desks.0.bindings.creater: no case asks for a binding of this name | Did you mean creator?",
        ),
        (
            "[services.tpp.bindings]\npin = '1234'",
            "5:1",
            "services.tpp.bindings.pin: a PIN does not stand in this file",
        ),
        ("[readings]\nunknown-idd = '1'", "5:1", "readings.unknown-idd: no such reading"),
        (
            "[[waivers]]\ncase = 'x'\nrequirement = 'x'\nfinding = 'x'\nreason = 'x'\nowner = 'x'\nexpires = 20300101",
            "10:1",
            "waivers.0.expires: must be a date such as 2999-05-31, not an integer",
        ),
        (
            "[[waivers]]\ncase = 'x'\nrequirement = 'x'\nfinding = 'x'\nreason = 'x'\nowner = 'x'\nexpires = '1 May'",
            "10:1",
            "waivers.0.expires: must be a date such as 2999-05-31",
        ),
        (
            "[[waivers]]\ncase = 'x'\nrequirement = 'x'\nfinding = 'x'\nreason = 'x'\nexpires = 2030-01-01",
            "4:1",
            "waivers.0.owner: Field required",
        ),
    ],
)
def test_each_complaint_has_its_place_and_says_what_was_meant(
    tmp_path: Path, lines: str, place: str, said: str
) -> None:
    error = complaint(tmp_path, SMALL + lines)
    assert f"{error.message} | {error.hint}".startswith(said)
    assert error.where == f"{tmp_path}/t.toml:{place}"


def test_a_flag_is_no_number_of_the_schema(tmp_path: Path) -> None:
    assert complaint(tmp_path, "schema_version = true\n" + SMALL).message == "schema_version: must be 1"


def test_several_complaints_stand_in_the_order_of_the_file(tmp_path: Path) -> None:
    error = complaint(
        tmp_path, SMALL + 'proxi = 1\n[scope]\ndestructive = "s3cret"\n[limits]\nconcurrency = "s3cret"\n'
    )
    path = f"{tmp_path}/t.toml"
    assert error.message.split("\n") == [
        "3 complaints about the target file",
        f"  {path}:4:1: services.tpp.proxi: no such key; did you mean proxy?",
        f"  {path}:6:1: scope.destructive: must be true or false, not text; write it without quotes",
        f"  {path}:8:1: limits.concurrency: must be an integer, not text; write it without quotes",
    ]


def test_what_is_written_as_it_should_be_is_taken(tmp_path: Path) -> None:
    lines = "[limits]\nsettle_s = 2\n[[waivers]]\ncase = 'cao/effects/nothing-open@http'\nrequirement = 'CAO-SYNC'\nfinding = 'x'\nreason = 'x'\nowner = 'x'\n"
    for expires in ("2030-01-01", "'2030-01-01'"):
        target = loaded(tmp_path, SMALL + lines + f"expires = {expires}\n")
        assert (target.limits.settle_s, target.waivers[0].expires.year) == (2.0, 2030)
    for service in ("alphapoint", "tpp"):
        loaded(tmp_path, sample(service))
    extra = loaded(tmp_path, SMALL + "bindings = { desk_of_ours = 3 }\nroles.auditor = { login = 'none' }\n")
    assert extra.services["tpp"].bindings == {"desk_of_ours": 3}  # like nothing that a case asks for


@pytest.mark.parametrize("charset", ["utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
def test_a_byte_order_mark_is_read(tmp_path: Path, charset: str) -> None:
    text = SMALL.replace('"t"', '"Zürich"').replace("\n", "\r\n")
    mark = "\ufeff" if charset == "utf-16-be" else ""
    assert loaded(tmp_path, (mark + text).encode(charset)).name == "Zürich"


def test_utf_16_without_a_mark_is_named(tmp_path: Path) -> None:
    assert "UTF-16 without a byte order mark" in complaint(tmp_path, SMALL.encode("utf-16-le")).message


def test_a_file_nested_without_end_is_refused(tmp_path: Path) -> None:
    assert "nested too deeply" in complaint(tmp_path, "a = " + "[" * 5000 + "]" * 5000).message


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_secret_file_may_have_a_mark(tmp_path: Path, charset: str) -> None:
    (tmp_path / "pin").write_bytes("pass wörd\r\n".encode(charset))
    target = loaded(tmp_path, SMALL + f"bindings.pin = {{ file = '{tmp_path}/pin' }}\n")
    assert with_secrets(target, Vault({})).services["tpp"].bindings["pin"] == "pass wörd"


@pytest.mark.parametrize("content", [b"\xff\xfeab\xd8", b"a\0b\0", b"\xc3("])
def test_a_secret_file_that_is_no_text_is_named_and_not_shown(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "pin").write_bytes(content)
    target = loaded(tmp_path, SMALL + f"bindings.pin = {{ file = '{tmp_path}/pin' }}\n")
    with pytest.raises(ConfigurationError) as caught:
        with_secrets(target, Vault({}))
    assert caught.value.message == f"the secret file {tmp_path}/pin is not UTF-8 text"


def test_all_missing_secrets_stand_in_one_message(tmp_path: Path) -> None:
    lines = """\
bindings = { pin = { env = "PIN_1" }, wrong_pin = { file = "/no/such/file" } }
tls = { client_certificate = "c.pem", client_key_password = { env = "PHRASE" } }
headers = { X-Token = { env = "TOKEN" } }
[services.tpp.roles.client]
login = "each-message"
user = "x"
password = { env = "EMPTY" }
"""
    target = loaded(tmp_path, SMALL + lines)
    with pytest.raises(ConfigurationError) as caught:
        with_secrets(target, Vault({"EMPTY": ""}))
    assert sorted(caught.value.message.split("\n")[1:]) == [
        "  services.tpp.bindings.pin: the environment variable PIN_1 is not set",
        "  services.tpp.bindings.wrong_pin: the secret file /no/such/file cannot be read: FileNotFoundError",
        "  services.tpp.headers.X-Token: the environment variable TOKEN is not set",
        "  services.tpp.roles.client.password: the environment variable EMPTY is empty",
        "  services.tpp.tls.client_key_password: the environment variable PHRASE is not set",
    ]
    assert caught.value.message.startswith("5 secrets are missing or cannot be used")


ODD = (
    '''\
"quoted.key" = 1 # a comment with [ and "
a . b."c d" = """x
]}[ # "" \\""" """
dates = [ 1979-05-27 07:32:00, 1979-05-27T07:32:00Z, [], {}, '''
    """'''['''"""
    """ ]

[t]
inline = { x = [ { y = "}" }, { y = 'z' } ], "w" = -1_000.5e+3 }
[[l]]
k = true
[[l]]
[l.sub]
k = 2
[[l.deep]]
z = 1
[[l.deep]]
z = 1
"""
)


def test_every_key_of_a_text_has_its_place() -> None:
    places = places_of(ODD)
    lines = ODD.split("\n")
    found = {key: places.of(key) for key in places.index}
    assert set(found) == set(_keys(tomllib.loads(ODD)))
    for key, place in found.items():
        assert place is not None
        line, column = place
        rest = lines[line - 1][column - 1 :]
        last = key.rpartition(".")[2]
        assert rest.startswith("[") or last in rest or last.isdecimal(), (key, rest)
    assert found["t.inline.x.1.y"] == (7, 33)
    assert found["l.1.deep.1.z"] == (16, 1)
    assert places.of("l.1.sub.nothing.there") == (11, 1)
    assert places.of("nothing") is None


def _keys(value: Any, path: str = "") -> list[str]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [one for key, inner in items for one in (f"{path}{key}", *_keys(inner, f"{path}{key}."))]


@pytest.mark.parametrize(
    ("change", "key", "account"),
    [
        (("account = 4111\n", "account = 4101\n"), "desks.1.bindings.account", 4101),
        (('"maker.account" = 4211\n', '"maker.account" = 4202\n'), "desks.1.bindings.maker.account", 4202),
        (("foreign = 4511\n", "foreign = 4501\n"), "desks.1.bindings.foreign", 4501),
    ],
)
def test_an_account_at_two_desks_is_refused(tmp_path: Path, change: tuple[str, str], key: str, account: int) -> None:
    text = sample("alphapoint")
    assert change[0] in text
    told = complaint(tmp_path, text.replace(*change, 1))
    assert told.message == f"services.alphapoint.{key}: account {account} is at desk 0 as well"


def test_an_account_of_the_service_is_at_every_desk(tmp_path: Path) -> None:
    text = sample("alphapoint").replace('"maker.account" = 4211\n', "", 1).replace('"maker.account" = 4201\n', "", 1)
    alone = "[services.alphapoint.bindings]\n"
    assert alone in text
    told = complaint(tmp_path, text.replace(alone, f'{alone}"maker.account" = 4201\n', 1))
    assert told.message == "services.alphapoint.bindings.maker.account: account 4201 is at desk 0 as well"
