"""The fleet file: strict keys, places of complaints, schedules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from conformance.errors import ConfigurationError
from conformance.fleet.file import SCHEMA_FILE, Endpoint, Fleet, load_fleet, schema_text

GOOD = """store = "sqlite:///h.db"

[endpoints.acme]
target = "acme.toml"
owner = "o"
"""


def loaded(folder: Path, text: str) -> Fleet:
    (folder / "acme.toml").touch()
    (folder / "fleet.toml").write_text(text, "utf-8")
    return load_fleet(folder / "fleet.toml")


def test_published_schema_is_that_of_the_model() -> None:
    assert SCHEMA_FILE.read_text("utf-8") == schema_text()


def test_paths_are_seen_from_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = loaded(tmp_path, GOOD)
    assert fleet.store_url(None) == f"sqlite:///{tmp_path}/h.db"
    assert fleet.store_url("sqlite:///x.db") == "sqlite:///x.db"
    assert fleet.target_of(fleet.endpoints["acme"]) == str(tmp_path / "acme.toml")
    assert fleet.folder == tmp_path / "fleet"


@pytest.mark.parametrize(
    ("old", "new", "place", "said"),
    [
        ("owner = ", "ownr = ", "5:1", "did you mean owner?"),
        ('owner = "o"', "owner = 5", "5:1", "must be text in quotes, not an integer"),
        ('owner = "o"', 'owner = "o"\nschedule = "0 3 * *"', "6:1", "is no schedule"),
        ('owner = "o"', 'owner = "o"\nschedule = "every 0 h"', "6:1", "is no schedule"),
        ('owner = "o"', 'owner = "o"\nschedule = "0 3 31 2 *"', "6:1", "is no schedule"),
        ('owner = "o"', 'owner = "o"\nzone = "Mars/North"', "6:1", "no time zone"),
        ('owner = "o"', 'owner = "o"\nshards = 0', "6:1", "greater than or equal to 1"),
        ('owner = "o"', 'owner = "o"\nshards = "2"', "6:1", "must be an integer, not text; write it without quotes"),
        (
            'owner = "o"',
            'owner = "o"\nedition = "q3-26"\n[editions]\nq4-26 = "."',
            "6:1",
            "no such edition; did you mean q4-26?",
        ),
        ('owner = "o"', 'owner = "o"\n[editions]\nq4 = "nowhere"', "7:1", "there is no such folder"),
        ('"acme.toml"', '"acmee.toml"', "4:1", "there is no such file; did you mean acme.toml?"),
        (
            'owner = "o"',
            'owner = "o"\n[endpoints.b]\ntarget = "./acme.toml"\nowner = "p"',
            "7:1",
            "is that of acme, too",
        ),
        ('owner = "o"', 'owner = "o"\n[endpoints.Acme]\ntarget = "reference"\nowner = "p"', "6:1", "in case alone"),
        ("[endpoints.acme]", '[endpoints."../x"]', "3:1", "should match pattern"),
        ('"sqlite:///h.db"', '"postgresql://u:hunter2@db/x"', "1:1", "a password does not stand in this file"),
        ('"sqlite:///h.db"', '"postgresql://db/x?password=hunter2"', "1:1", "a password does not stand in this file"),
        ('owner = "o"', 'owner = "o"\n[hooks.x]\nurl = "https://h"', "6:1", "url needs secret"),
        (
            'owner = "o"',
            'owner = "o"\n[hooks.x]\nurl = "https://h"\nsecret = "hunter2"',
            "8:1",
            "a secret does not stand",
        ),
        ('owner = "o"', 'owner = "o"\n[hooks.x]\nurl = "http://h"\nsecret = { env = "X" }', "7:1", "loopback alone"),
        ('owner = "o"', 'owner = "o"\n[hooks.x]\nevents = ["new-cause"]', "6:1", "exactly one of url and command"),
        ('owner = "o"', 'owner = "o"\n[hooks.x]\ncommand = "rm -r"', "7:1", "must be a list in [ ]"),
    ],
)
def test_complaint_names_line_column_and_what_was_meant(
    tmp_path: Path, old: str, new: str, place: str, said: str
) -> None:
    text = GOOD.replace(old, new)
    assert text != GOOD
    with pytest.raises(ConfigurationError) as caught:
        loaded(tmp_path, text)
    assert said in str(caught.value)
    assert f"fleet.toml:{place}: " in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(("content", "said"), [(b"x = ", "not TOML"), (b"\xff", "cannot be read"), (b"", "endpoints")])
def test_file_that_is_none_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "fleet.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=said):
        load_fleet(path)
    with pytest.raises(ConfigurationError, match="no such fleet file"):
        load_fleet(tmp_path / "other.toml")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "now", "since", "after"),
    [
        ("every 6 h", "2026-03-05T10:00", "2026-03-05T04:00", "2026-03-05T15:00"),
        ("0 3 * * 1-5", "2026-03-05T10:00", "2026-03-05T02:00", "2026-03-06T02:00"),
        ("0 3 * * 1-5", "2026-03-28T10:00", "2026-03-27T02:00", "2026-03-30T01:00"),  # summer time begins on the 29th
        (None, "2026-03-05T10:00", None, None),
    ],
)
def test_schedule_says_since_when_a_run_is_out_of_date(
    schedule: str | None, now: str, since: str | None, after: str | None
) -> None:
    endpoint = Endpoint(target="reference", owner="o", schedule=schedule, zone="Europe/Berlin")
    assert endpoint.due_since(at(now)) == (None if since is None else at(since))
    judged = at(now) - timedelta(hours=1)
    assert endpoint.due_next(at(now), judged) == (None if after is None else at(after))
