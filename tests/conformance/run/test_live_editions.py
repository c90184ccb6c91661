"""Editions of a call: which one an endpoint speaks, the pinned one, and what no edition may touch."""

from __future__ import annotations

from pathlib import Path

import pytest
from live_support import Came, Live, live, pointed, run, sample

from conformance.contract.load import load_contract
from reference_impl.readings import EDITIONS

CAO = "alphapoint.cancel_all_orders"
TELLING = ("--generated", "0", "--case", "cao/account/*", "--case", "cao/members/*", "--case", "cao/edition*")
OF_EDITION = {
    "3.2": ["cao/edition-earlier/user@http", "cao/edition-earlier/nobody@ws"],
    "later": ["cao/edition-later/instrument@http", "cao/edition-later/no-account@ws"],
}
LATER = OF_EDITION["later"]
NAMES = list(load_contract(None).operations[CAO].editions)


def pinned(server: Live, edition: str | None, *, everything: bool = True) -> str:
    text = pointed(sample("alphapoint"), server.url, everything=everything)
    line = "" if edition is None else f'edition = "{edition}"\n'
    for account, user in ((4101, 72), (4111, 75)):
        text = text.replace(f"account = {account}", f"user = {user}\nforeign_user = {user + 2}\naccount = {account}", 1)
    return text.replace("[services.alphapoint]\n", f"[services.alphapoint]\n{line}", 1)


def told(came: Came) -> tuple[str | None, list[str]]:
    (row,) = came.results["editions"]
    return row["pinned"], row["spoken"]


def test_the_reference_speaks_the_editions_of_the_contract() -> None:
    editions = load_contract(None).operations[CAO].editions
    assert list(EDITIONS) == list(editions)
    for name, edition in editions.items():
        assert EDITIONS[name] == tuple(f"{reading}={alternative}" for reading, alternative in edition.settles.items())


@pytest.mark.parametrize(
    ("spoken", "pin"),
    [(one, pin) for number, one in enumerate(NAMES) for pin in (None, one, NAMES[number - 1])],
)
def test_a_run_tells_the_edition_and_a_wrong_pin_fails_for_a_named_reason(
    tmp_path: Path, spoken: str, pin: str | None
) -> None:
    with live(edition=spoken) as server:
        came = run(tmp_path, pinned(server, pin), *TELLING)
    assert told(came) == (pin, [spoken])
    cases = came.verdicts()
    assert {name: [one in cases for one in ids] for name, ids in OF_EDITION.items()} == {
        name: [pin == name] * 2 for name in OF_EDITION
    }
    notices = " ".join(came.results["summary"]["notices"])
    named = f"{CAO} speaks the edition {spoken}, and the target file pins {pin}"
    if pin in (None, spoken):
        assert (came.exit_code, set(cases.values()), named in notices) == (0, {"pass"}, False)
        return
    assert (came.exit_code, named in notices) == (1, True)
    findings = [one["message"] for name in cases for one in came.case(name)["findings"]]
    assert f"the edition {pin} has another alternative of the reading" in " ".join(findings)
    assert cases["cao/members/unknown@http"] == "pass"


def test_the_cases_that_tell_stand_in_every_report(tmp_path: Path) -> None:
    with live(edition="later") as server:
        came = run(tmp_path, pinned(server, None), *TELLING)
    (row,) = came.results["editions"]
    assert "cao/account/omitted@http" in row["told_by"]["later"]["for"]
    assert row["told_by"]["3.3"] == {"for": [], "against": ["cao/members/instrument@http", "cao/members/instrument@ws"]}
    assert "cao/members/instrument@ws" in row["told_by"]["3.2"]["for"]
    assert "cao/account/omitted@ws" in row["told_by"]["3.2"]["against"]
    assert "cao/members/instrument@ws" in came.files
    assert "Which edition of its page the endpoint speaks" in came.files


def test_an_endpoint_of_two_minds_speaks_none_of_them_throughout(tmp_path: Path) -> None:
    with live(readings=("extra-members=honoured",)) as server:
        came = run(tmp_path, pinned(server, None), *TELLING)
    assert (came.exit_code, told(came)) == (0, (None, []))


def test_without_a_pin_nothing_of_another_edition_is_sent_or_listed(tmp_path: Path) -> None:
    with live() as server:
        came = run(tmp_path, pinned(server, None), *TELLING[:4])
        asked = run(tmp_path, pinned(server, None), *TELLING[:2], "--case", LATER[0])
    assert not [name for name in came.verdicts() if "edition" in name]
    assert not [one["id"] for one in came.results["requirements"] if "LATER" in one["id"] or "EARLIER" in one["id"]]
    assert asked.exit_code == 2
    assert 'Give edition = "later" in [services.alphapoint]' in asked.output


def test_in_a_limited_scope_no_order_of_a_foreign_account_is_touched(tmp_path: Path) -> None:
    """A call without an account means every account in the later edition; the guard refuses it, pinned or not."""
    with live(edition="later") as server:
        book = server.app.routes[0].endpoint._parts.alphapoint.book
        foreign = book.place(7, 4201, 31, "Buy", 1.0, 1.0)
        text = pinned(server, "later", everything=False).replace(" 4201,", "")
        came = run(tmp_path, text, *TELLING)
        assert foreign in book.open_orders(7, 4201)
    reasons = came.reasons()
    for name in ("no-account", "account-zero", "no-account-one-instrument", "operator-without-account"):
        assert "AccountId" in reasons[f"cao/edition-later/{name}@http"], reasons
        assert came.verdicts()[f"cao/edition-later/{name}@http"] == "not-verified"
    assert came.verdicts()["cao/edition-later/instrument@http"] == "pass"
    assert told(came) == ("later", ["3.2", "later"])  # what tells the two apart names no account


def test_in_a_limited_scope_nobody_names_a_user(tmp_path: Path) -> None:
    """Which accounts a user has nobody says; a call without an account means everybody in the earlier edition."""
    with live(edition="3.2") as server:
        book = server.app.routes[0].endpoint._parts.alphapoint.book
        foreign = book.place(7, 4201, 31, "Buy", 1.0, 1.0)
        came = run(tmp_path, pinned(server, "3.2", everything=False).replace(" 4201,", ""), *TELLING)
        assert foreign in book.open_orders(7, 4201)
    cases, reasons = came.verdicts(), came.reasons()
    for name in ("user", "user-and-account", "user-by-operator", "other-user"):
        assert "UserId: " in reasons[f"cao/edition-earlier/{name}@http"], reasons
        assert "nobody knows" in reasons[f"cao/edition-earlier/{name}@http"]
    assert "AccountId" in reasons["cao/edition-earlier/nobody@ws"]
    assert cases["cao/edition-earlier/account-and-instrument@http"] == "pass"


def test_a_fault_of_an_edition_is_found_by_one_command(tmp_path: Path) -> None:
    """The bundled server speaks the edition of the fault, and the target that it is pins that one."""
    for options in (("--fault", "cao-later-instrument-ignored"), ("--edition", "later")):
        came = run(tmp_path, "reference", *TELLING[:2], "--case", LATER[0], *options)
        assert (came.exit_code, told(came)[0]) == (int("--fault" in options), "later")


@pytest.mark.parametrize(
    ("edition", "more", "words"),
    [
        ("latter", "", "services.alphapoint.edition: no such edition: 'latter'"),
        ("later", '[readings]\naccount-omitted = "own"\n', "readings.account-omitted: the edition later of"),
    ],
)
def test_a_pin_that_cannot_hold_is_refused_before_anything_is_sent(
    tmp_path: Path, edition: str, more: str, words: str
) -> None:
    with live() as server:
        came = run(tmp_path, pinned(server, edition) + more, *TELLING)
    assert (came.exit_code, words in came.output) == (2, True), came.output


def test_a_waiver_may_name_a_case_of_the_pinned_edition(tmp_path: Path) -> None:
    """An endpoint of the other edition, of which that is known."""
    case = "cao/edition-later/instrument@http"
    with live(edition="3.3") as server:
        came = run(tmp_path, pinned(server, "later"), "--generated", "0", "--case", case)
        waivers = "".join(
            f'\n[[waivers]]\ncase = "{case}"\nrequirement = "{name}"\nfinding = "*"\nreason = "known"\nowner = "qa"\nexpires = 2999-01-01\n'
            for name in sorted({one["requirement"] for one in came.case(case)["findings"]})
        )
        again = run(tmp_path, pinned(server, "later") + waivers, "--generated", "0", "--case", case)
    assert (came.exit_code, again.exit_code) == (1, 0), again.output
