"""A warm process serves one variant after another, each with a fresh world, and ends with who started it."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from typing import Any

import pytest

from conformance.endpoint.reference import WarmReference, warm_reference
from conformance.errors import HarnessError

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="a warm process needs os.fork"),
]


async def told(address: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """What the control hook answers."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{address}{path}", data=data)

    def ask() -> Any:
        with urllib.request.urlopen(request, timeout=5) as reply:
            return json.loads(reply.read())

    return await asyncio.to_thread(ask)


def test_each_variant_is_served_by_itself_with_a_fresh_world() -> None:
    async def scenario() -> list[Any]:
        seen = []
        async with warm_reference() as reference:
            for name in ("cao-text-104", "cao-text-20"):
                async with reference.serving(("--fault", name)) as address:
                    order = await told(address, "/_world/tpp/state", {"state": "open-order"})
                    seen.append((await told(address, "/_world/executed"), order["orders"][0]["OrderID"]))
        return seen

    first, second = asyncio.run(scenario())
    assert [first[0], second[0]] == [{"cao-text-104": 0}, {"cao-text-20": 0}]
    assert first[1] == second[1]


def test_what_was_served_is_gone_afterwards() -> None:
    async def scenario() -> str:
        async with warm_reference() as reference, reference.serving(()) as address:
            await told(address, "/_world/executed")
        return address

    address = asyncio.run(scenario())
    with pytest.raises(urllib.error.URLError):
        asyncio.run(told(address, "/_world/executed"))


def test_what_cannot_be_served_is_an_error_that_says_why_and_the_next_is_served() -> None:
    async def scenario() -> tuple[str, Any]:
        async with warm_reference() as reference:
            with pytest.raises(HarnessError) as caught:
                async with reference.serving(("--fault", "no-such-fault")):
                    pass
            async with reference.serving(()) as address:
                return caught.value.message, await told(address, "/_world/executed")

    message, executed = asyncio.run(scenario())
    assert "no-such-fault" in message
    assert executed == {}


def test_without_a_process_to_fork_each_has_a_process_of_its_own() -> None:
    async def scenario() -> Any:
        async with WarmReference(None).serving(("--fault", "cao-text-104")) as address:
            return await told(address, "/_world/executed")

    assert asyncio.run(scenario()) == {"cao-text-104": 0}


def test_a_warm_process_that_is_asked_nothing_ends_with_its_input() -> None:
    done = subprocess.run([sys.executable, "-m", "reference_impl.warm"], input=b"", capture_output=True, timeout=100)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
