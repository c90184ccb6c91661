"""A world whose every secret is a recognisable random text, a reference that serves it, and the target file for it."""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
import random
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from conformance.endpoint.reference import DESKS, reference_target

ROOT = Path(__file__).resolve().parents[3]
WORLD = ROOT / "reference_impl" / "default_world.toml"
USERS = [
    "operator",
    "nobody",
    *(f"{kind}{n:02}" for kind in ("trader", "maker", "bystander") for n in range(1, DESKS + 1)),
]


def secrets_of(seed: int) -> dict[str, str]:
    """A name for each secret of the world, and the secret: letters, digits, and characters that wires escape."""
    source = random.Random(seed)

    def word(size: int, characters: str) -> str:
        return "".join(source.choice(characters) for _ in range(size))

    letters = "ABCDEFGHKLMNPQRSTUVWXYZ23456789"
    found = {f"REFERENCE_{name.upper()}_PASSWORD": f'{word(9, letters)}+"/&<{word(9, letters)}' for name in USERS}
    return {**found, "REFERENCE_PIN": word(11, letters)}


def text_of(path: Path) -> str:
    """What a file of a report says, unpacked where it is packed."""
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8", "replace")


def world_with(secrets: Mapping[str, str]) -> str:
    """The bundled world with other passwords and another PIN."""
    text = WORLD.read_text(encoding="utf-8")
    for name in USERS:
        password = json.dumps(secrets[f"REFERENCE_{name.upper()}_PASSWORD"])
        text, count = re.subn(
            rf"(?m)^({name} = \{{ )", rf"\1password = {password.replace(chr(92), chr(92) * 2)}, ", text
        )
        assert count == 1, name
    text, count = re.subn(r"(?m)^(\[tpp\]\n)", rf'\1pin = "{secrets["REFERENCE_PIN"]}"\n', text)
    assert count == 1
    return re.sub(r'(?m)^pin = "1234".*\n', "", text)


def toml(value: Any) -> str:
    """A value as TOML writes it inline."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{json.dumps(name)} = {toml(member)}" for name, member in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml(item) for item in value) + "]"
    return json.dumps(value)


def target_text(address: str, **limits: Any) -> str:
    """The target file of a reference with such a world; the PIN comes from the environment as well."""
    data = reference_target(address)
    data["limits"] = {**data["limits"], **limits}
    data["services"]["tpp"]["bindings"]["pin"] = {"env": "REFERENCE_PIN"}
    data["services"]["tpp"]["bindings"].pop("wrong_pin", None)
    return "\n".join(f"{name} = {toml(value)}" for name, value in data.items())


@contextlib.contextmanager
def reference(*arguments: str) -> Iterator[str]:
    """A reference implementation in a process of its own; its address."""
    command = [sys.executable, "-m", "reference_impl", "--port", "0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().removeprefix("listening on ").strip()
        finally:
            process.terminate()
            process.wait(10)


def written_forms(secret: str) -> set[str]:
    """How a secret may turn up in a file."""
    escaped = json.dumps(secret)[1:-1]
    encoded = {base64.b64encode(b"-" * shift + secret.encode()).decode()[4:-4] for shift in (0, 1, 2)}
    return {
        secret, escaped, json.dumps(escaped)[1:-1], quote(secret, safe=""), secret.replace("&", "&amp;").replace("<", "&lt;"),
        *encoded,
    }  # fmt: skip


def wait_for(journal: Path, lines: int) -> None:
    """Until a journal has more lines than that."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if journal.exists() and journal.read_bytes().count(b"\n") > lines:
            return
        time.sleep(0.02)
    raise AssertionError(f"the journal did not grow to {lines} lines")


def still_open(address: str, secrets: Mapping[str, str]) -> list[int]:
    """Every order and quote leg that is open at the reference, asked for as the operator of all accounts."""
    token = json.loads(
        _ask(f"{address}/AP/Authenticate", {}, basic=f"operator:{secrets['REFERENCE_OPERATOR_PASSWORD']}")
    )
    found: list[int] = []
    for account in range(101, 113):
        for place in (account, account + 100, account + 200, account + 300, account + 400):
            where = {"OMSId": 1, "AccountId": place}
            answers = [_ask(f"{address}/AP/GetOpenOrders", where, token=token["SessionToken"])]
            answers += [
                _ask(f"{address}/AP/GetOpenQuotes", {**where, "InstrumentId": instrument}, token=token["SessionToken"])
                for instrument in (1, 2)
            ]
            found += [number for answer in answers for number in _numbers(json.loads(answer))]
    return sorted(set(found))


def _numbers(value: Any) -> list[int]:
    if isinstance(value, list):
        return [number for item in value for number in _numbers(item)]
    if isinstance(value, dict):
        own = [content for name, content in value.items() if name.lower() == "orderid" and content]
        return own + [number for content in value.values() if isinstance(content, dict) for number in _numbers(content)]
    return []


def _ask(url: str, payload: dict[str, int], *, token: str = "", basic: str = "") -> str:
    request = urllib.request.Request(url, method="GET" if basic else "POST")
    if basic:
        request.add_header("Authorization", f"Basic {base64.b64encode(basic.encode()).decode()}")
    else:
        request.data = json.dumps(payload).encode()
        request.add_header("aptoken", token)
        request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=5) as answer:
        text: str = answer.read().decode()
        return text
