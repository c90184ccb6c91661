"""A secret that is to go out as a header and cannot be one is a mistake of the target file, before anything is sent."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.contract.load import load_contract
from conformance.endpoint.file import check_target
from conformance.endpoint.secrets import Vault, with_secrets
from conformance.errors import ConfigurationError

KEY = "services.tpp.roles.client.headers.X-Key"


def _fetched(text: str) -> None:
    data: dict[str, Any] = {
        "name": "headers",
        "scope": {"destructive": True, "everything": True},
        "services": {
            "tpp": {
                "http": "http://127.0.0.1:9",
                "roles": {"client": {"login": "none", "headers": {"X-Key": {"env": "KEY"}}}},
            }
        },
    }
    with_secrets(check_target(data, load_contract(), "target.toml"), Vault({"KEY": text}))


@pytest.mark.parametrize(
    "text", ["two\nlines", "two\r\nlines", "nul\x00", "euro \u20ac", "zebra ", "\tzebra", "bell\x07"]
)
def test_what_cannot_be_a_header_is_named_by_its_key_and_not_shown(text: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        _fetched(text)
    assert refused.value.where == KEY
    assert text.strip() not in str(refused.value)


@pytest.mark.parametrize("text", ["plain", "Basic dXNlcjpwYXNz", "two words", "caf\xe9", "tab\tinside"])
def test_what_can_be_a_header_is_taken(text: str) -> None:
    _fetched(text)
