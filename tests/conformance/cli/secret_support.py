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
