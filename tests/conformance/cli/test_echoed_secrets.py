"""No secret of any login is in a file, an output or a traceback, however a service writes it and wherever it puts it.

The usual tests try a quarter of all places and encodings together; `tox -e echoes` tries each with each (`ECHOES=all`).
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from click.testing import CliRunner
from echo_support import (
    ENCODINGS,
    HANDSHAKE_PLACES,
    HTTP_PLACES,
    MOST_ROLES,
    OTHER_ROLES,
    PLACES,
    SECRETS,
    TOKENS,
    Echo,
    Roles,
    leaks,
    needles,
    target_text,
    views,
)
from hostile_support import scripted
from secret_support import text_of

from conformance.cli.main import main

EVERY = os.environ.get("ECHOES") == "all"
FORMATS = ("json", "junit", "md", "html")
_PLACE_NUMBERS, _ENCODING_NUMBERS = (
    {name: number for number, name in enumerate(names)} for names in (PLACES, ENCODINGS)
)


def chosen(place: str, encoding: str) -> bool:
    """Each place with a fifth of the encodings, and the other way round."""
    return EVERY or (_PLACE_NUMBERS[place] + _ENCODING_NUMBERS[encoding]) % 5 == 0


@dataclass
class Bench:
    """A service, a target file for it, and everything that any command has written about it."""

    folder: Path
    echo: Echo
    target: Path
    texts: dict[str, str] = field(default_factory=dict)

    def call(self, *words: str) -> int:
        self.echo.meet(self.target.read_text(encoding="utf-8"))
        done = CliRunner().invoke(main, list(words), env=SECRETS)
        self.texts[f"{len(self.texts)}: {' '.join(words[:3])}"] = done.output
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.exit_code

    def run(self, *cases: str, name: str = "report") -> int:
        words = [word for case in cases for word in ("--case", case)]
        report = str(self.folder / name)
        return self.call("run", "--target", str(self.target), "--report", report, "--generated", "0", "-v", *words)

    def leaks(self) -> list[tuple[str, str]]:
        for path in self.folder.rglob("*"):
            if path.is_file() and path != self.target:
                self.texts[str(path.relative_to(self.folder))] = text_of(path)
        return leaks(self.texts, self.echo)


@contextlib.contextmanager
def bench(folder: Path, roles: Roles, spoils: str = "") -> Iterator[Bench]:
    echo = Echo(chosen, spoils)
    target = folder / "target.toml"
    with scripted(echo) as server:
        target.write_text(target_text(server.port, roles), encoding="utf-8")
        yield Bench(folder, echo, target)


_CASES = ("c*", "tpp/*") if EVERY else ("co/fields/*", "tpp/fields/orderid*", "tpp/fields/creatorid*")


@pytest.mark.timeout(120)
def test_a_replay_shows_no_secret_wherever_the_answer_has_it(tmp_path: Path) -> None:
    with bench(tmp_path, MOST_ROLES) as one:
        for wanted in HTTP_PLACES:
            one.echo.only(lambda place, encoding, wanted=wanted: (place, encoding) == (wanted, "base64"))
            assert one.call("replay", "co/fields/orderid-wrapped-int64@http", "--target", str(one.target)) in (1, 3, 4)
        assert {place for place, encoding in one.echo.served if encoding == "base64"} == set(HTTP_PLACES)
        assert one.leaks() == []


@pytest.mark.timeout(600 if EVERY else 120)
def test_no_secret_that_comes_back_is_in_any_file_or_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with bench(tmp_path, MOST_ROLES) as one:
        assert one.run(*_CASES) == 1
        assert one.echo.table() - one.echo.served == set()
        report, target = str(tmp_path / "report"), str(one.target)
        for name in FORMATS:
            assert one.call("report", "render", report, "--format", name) == 0
        assert one.run("cao/fields/omsid*", "tpp/fields/pin*", name="second") in (1, 4)
        one.call("report", "compare", report, str(tmp_path / "second"))
        failed = [
            case for case in json.loads((tmp_path / "report/results.json").read_text())["cases"] if case["findings"]
        ]
        for case in {case["id"].partition("/")[0] + case["transport"]: case["id"] for case in failed}.values():
            assert one.call("replay", case, "--target", target) in (1, 4)
            assert one.call("explain", case) == 0
        assert one.call("plan", "--target", target, "--case", "tpp/fields/pin*") == 0
        assert one.call("list", "cases", "--json") == 0
        assert one.call("target", "check", target) in (0, 2, 3, 4)

        assert one.echo.ever.keys() >= {TOKENS["session"], SECRETS["PIN"], SECRETS["CLIENT_PASSWORD"]}
        told = [
            write(secret) for write in ENCODINGS.values() for secret in one.echo.ever if secret not in TOKENS.values()
        ]

        def breaks(*_: object) -> None:
            raise RuntimeError(f"cannot send {told}, " + ", ".join(told))

        monkeypatch.setattr("conformance.run.session.Session.reach", breaks)
        assert one.run("cao/fields/*", name="broken") == 5
        assert "RuntimeError" in "".join(one.texts.values())
        found = one.leaks()
        assert found == []


_ONE_OF_EACH_ROLE = (
    "cao/fields/omsid-null@*", "cao/account/omitted-by-operator@*", "cq/fields/omsid-null@*", "cao/roles/none-own@*",
    "tpp/fields/pin-number@application-json",
)  # fmt: skip


@pytest.mark.parametrize("spoils", ["json text", "header", "reason", *HANDSHAKE_PLACES])
def test_no_secret_that_comes_back_instead_of_a_session_is_in_any_file_or_output(tmp_path: Path, spoils: str) -> None:
    for number, roles in enumerate((MOST_ROLES, OTHER_ROLES) if spoils in HTTP_PLACES else (MOST_ROLES,)):
        folder = tmp_path / str(number)
        folder.mkdir()
        with bench(folder, roles, spoils) as one:
            assert one.run(*_ONE_OF_EACH_ROLE) in (1, 3, 4)
            if spoils == "reason":
                assert one.call("target", "check", str(one.target)) in (3, 4)
            assert one.echo.written
            assert one.leaks() == []


def test_no_secret_of_the_other_logins_is_in_any_file_or_output(tmp_path: Path) -> None:
    with bench(tmp_path, OTHER_ROLES) as one:
        assert one.run("cao/fields/omsid-*@http", "tpp/fields/pin-*@application-json") == 1
        assert {TOKENS["pending"], TOKENS["cookie"], SECRETS["SEED"]} <= one.echo.ever.keys()
        assert one.leaks() == []


def test_the_table_has_what_the_page_says() -> None:
    page = Path(__file__).parents[3] / "docs" / "fuzzing.md"
    assert f"in {len(ENCODINGS)} encodings at {len(PLACES)} places" in page.read_text(encoding="utf-8")
    assert len(ENCODINGS) >= 26
    assert len(PLACES) >= 31
    assert {len(secret) for secret in SECRETS.values()} >= {4, 64}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_search_finds_every_secret_in_every_encoding(encoding: str) -> None:
    for secret in SECRETS.values():
        written = f'{{"debug": "{ENCODINGS[encoding](secret)}"}}'
        for text in (written, json.dumps(written), written.replace("}", "}\r\n")):
            seen = "\n".join(views(text)).casefold()
            assert any(needle in seen for needle in needles(secret)), (secret, text)
