"""What a target file says that its service lacks: names, patterns, and what the file gives all the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.contract.load import load_contract
from conformance.endpoint.file import load_target
from conformance.endpoint.model import Lacks
from conformance.errors import ConfigurationError

HEAD = """\
name = "t"
[services.tpp]
http = "http://127.0.0.1:1"
[services.tpp.roles.client]
login = "none"
[services.tpp.bindings]
creator = 1
[services.tpp.lacks]
"""


def lacks(folder: Path, text: str, head: str = HEAD) -> Lacks:
    path = folder / "t.toml"
    path.write_text(head + text, "utf-8")
    return load_target(path, load_contract(None)).services["tpp"].lacks


def test_a_lack_has_its_reason_by_name_and_by_pattern(tmp_path: Path) -> None:
    read = lacks(tmp_path, 'state."pin-*" = "no PIN"\nstate.pin-order = "none"\nbinding.unknown_uid = "numbers only"\n')
    assert read.reason("state.pin-order") == "none"
    assert read.reason("state.pin-international-order") == "no PIN"
    assert read.reason("state.no-pin-order") == ""
    assert read.reason("binding.unknown_uid") == "numbers only"
    assert read.reason("transport.http") == ""
    assert read
    assert not Lacks()


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('state.pin-ordre = "x"', "services.tpp.lacks.state.pin-ordre: no such state"),
        ('role.client = "x"', "services.tpp.lacks.role.client: the file gives the role 'client'"),
        ('binding."*" = "x"', "services.tpp.lacks.binding.*: the file gives the binding 'creator'"),
        ('transport.http = "x"', "services.tpp.lacks.transport.http: the file gives the transport 'http'"),
        ('operation.create = "x"', "services.tpp.lacks.operation.create: no such operation"),
        ('state.pin-order = ""', "services.tpp.lacks.state.pin-order"),
        ('pin-validation = "x"', "services.tpp.lacks.pin-validation"),
    ],
)
def test_what_is_not_lacking_or_not_known_is_refused(tmp_path: Path, line: str, complaint: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        lacks(tmp_path, line + "\n")
    assert complaint in str(caught.value)


def test_a_state_that_the_file_lists_is_not_lacking(tmp_path: Path) -> None:
    states = '[services.tpp.states]\nprovider = "pool"\npool = { pin-order = [{ OrderID = 1 }] }\n'
    with pytest.raises(ConfigurationError, match="the file gives the state 'pin-order'"):
        lacks(tmp_path, states, HEAD + 'state."pin-*" = "no PIN"\n')
