"""The recipe of docs/architecture.md, followed literally: a login from a package that is not this one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path
from typing import Any

import pytest
from live_support import ENVIRONMENT, live, pointed, sample

PAGE = (Path(__file__).parents[3] / "docs" / "architecture.md").read_text("utf-8")
RECIPE = PAGE[PAGE.index("### Add a login\n") :].partition("\n### ")[0]
FILES = {
    name: textwrap.dedent(text)
    for name, text in re.findall(r"`([\w.]+)`:\n\n +```\w+\n(.*?)\n +```", RECIPE, re.DOTALL)
}


class _Token:
    """Lets through to the order resource only requests with the token."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.refused = self.served = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/api/"):
            self.served += 1
            if dict(scope["headers"]).get(b"x-token") != b"t0ken-Zq8":
                self.refused += 1
        await self.app(scope, receive, send)


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The files of the recipe where an installer puts them."""
    folder = tmp_path / "site"
    record = folder / "my_login-1.0.dist-info"
    record.mkdir(parents=True)
    (folder / "my_login.py").write_text(FILES["my_login.py"], "utf-8")
    ((group, entries),) = tomllib.loads(FILES["pyproject.toml"])["project"]["entry-points"].items()
    lines = [f"[{group}]", *(f"{name} = {value}" for name, value in entries.items())]
    (record / "entry_points.txt").write_text("\n".join(lines) + "\n", "utf-8")
    (record / "METADATA").write_text("Metadata-Version: 2.1\nName: my-login\nVersion: 1.0\n", "utf-8")
    return folder


def conformance(folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **ENVIRONMENT, "PYTHONPATH": str(folder), "NO_COLOR": "1", "COLUMNS": "300", **more}
    command = [sys.executable, "-m", "conformance", *words]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=100, check=False)


def target(folder: Path, url: str) -> str:
    keys = re.search(r'`(login = "[\w-]+")` in a role, and `(token = \{ env = "NAME" \})`', RECIPE)
    assert keys is not None
    path = folder.parent / "target.toml"
    path.write_text(pointed(sample("tpp"), url).replace('\nlogin = "none"', "\n" + "\n".join(keys.groups())), "utf-8")
    return str(path)


def test_login_of_another_package_signs_in(installed: Path) -> None:
    with live(wrap=_Token) as server:
        file = target(installed, server.url)
        checked = conformance(installed, "target", "check", file, "-v", NAME="t0ken-Zq8")
        report = str(installed.parent / "report")
        words = (
            "run",
            "--target",
            file,
            "--generated",
            "0",
            "--case",
            "tpp/effects/unknown-order@*",
            "--report",
            report,
        )
        ran = conformance(installed, *words, NAME="t0ken-Zq8")
        assert server.app.served > 0
        assert server.app.refused == 0
    assert "client signs in over HTTP" in checked.stdout, checked.stdout + checked.stderr
    assert "pass" in ran.stdout, ran.stdout + ran.stderr
    assert "t0ken-Zq8" not in ran.stdout + checked.stdout + Path(report, "journal.jsonl").read_text("utf-8")


def test_login_of_another_package_has_its_keys_checked_and_its_secret_fetched(installed: Path) -> None:
    file = target(installed, "http://127.0.0.1:9")
    unset = conformance(installed, "target", "check", file)
    assert (unset.returncode, "NAME is not set" in unset.stderr) == (2, True)
    Path(file).write_text(Path(file).read_text("utf-8").replace("token = {", "tokn = {"), "utf-8")
    wrong = conformance(installed, "target", "check", file, NAME="x")
    assert wrong.returncode == 2
    assert "services.tpp.roles.client.token: login 'my-login' needs token" in wrong.stderr
    assert "services.tpp.roles.client.tokn: login 'my-login' has no such key" in wrong.stderr


def test_unknown_login_is_told_with_those_of_other_packages(installed: Path) -> None:
    file = target(installed, "http://127.0.0.1:9")
    Path(file).write_text(Path(file).read_text("utf-8").replace('"my-login"', '"mine"'), "utf-8")
    said = conformance(installed, "target", "check", file, NAME="x").stderr
    assert "services.tpp.roles.client.login: no such login" in said
    assert "oauth2" in said
    assert "my-login" in said


def test_recipe_is_short() -> None:
    steps = re.findall(r"^\d+\. ", RECIPE, re.MULTILINE)
    assert 3 <= len(steps) <= 10
    assert all(len([line for line in text.splitlines() if line]) <= 10 for text in FILES.values())
