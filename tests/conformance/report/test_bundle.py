"""Bundles: what a run recorded is judged again to the same verdict, and whatever was changed in one is named."""

from __future__ import annotations

import base64
import io
import json
import socket
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from conformance.cli.main import main
from conformance.endpoint.reference import reference_environment
from conformance.report.bundle import archive
from conformance.report.bundle.archive import digest, write_archive
from conformance.report.bundle.statement import canonical, signed

Members = dict[str, bytes]
CASE = "cao/effects/again@http"


def invoke(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def run_into(folder: Path, *words: str, code: int = 0) -> Path:
    came = invoke("run", "--quiet", "--report", folder, *words)
    assert came.exit_code == code, came.output
    return folder


def bundled(folder: Path, out: Path, *words: str | Path) -> Path:
    came = invoke("report", "bundle", folder, "--out", out, *words)
    assert came.exit_code == 0, came.output
    return out


def members_of(path: Path) -> Members:
    with zipfile.ZipFile(path) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


@dataclass(frozen=True)
class Ran:
    """One run, its unsigned and its signed bundle, and the keys."""

    folder: Path
    plain: Path
    signed: Path
    private: Path
    public: Path


def keys(folder: Path, name: str) -> tuple[Path, Path]:
    key = Ed25519PrivateKey.generate()
    private, public = folder / f"{name}.pem", folder / f"{name}.pub"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return private, public


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    home = tmp_path_factory.mktemp("bundle")
    folder = run_into(home / "run", "--operation", "alphapoint.cancel_all_orders", "--generated", "40")
    private, public = keys(home, "key")
    plain = bundled(folder, home / "plain.zip")
    return Ran(folder, plain, bundled(folder, home / "signed.zip", "--key", private), private, public)


def test_the_same_verdict_is_judged_again_without_a_network(ran: Ran, monkeypatch: pytest.MonkeyPatch) -> None:
    carried_out = json.loads((ran.folder / "results.json").read_bytes())["summary"]["carried_out"]
    assert carried_out["cases"] == carried_out["of"] > 0
    number = f"{carried_out['of']:,}"
    told = (
        f"{number} cases judged again, each with the same result\nsame verdict: pass (exit 0) · {number} of {number} "
    )
    monkeypatch.setattr(socket, "socket", None)
    for words in ((ran.plain,), (ran.signed,), (ran.signed, "--key", ran.public)):
        came = invoke("verify", *words)
        assert came.exit_code == 0, came.output
        assert told in came.output
    assert "not signed: anyone may have made it" in invoke("verify", ran.plain).output


def test_the_same_run_gives_the_same_bytes(ran: Ran, tmp_path: Path) -> None:
    assert bundled(ran.folder, tmp_path / "a.zip").read_bytes() == ran.plain.read_bytes()
    assert bundled(ran.folder, tmp_path / "b.zip", "--key", ran.private).read_bytes() == ran.signed.read_bytes()


def test_no_secret_is_in_a_bundle_and_the_statement_is_what_in_toto_says(ran: Ran) -> None:
    everything = b"".join(members_of(ran.plain).values())
    assert not [word for word in reference_environment().values() if word.encode() in everything]
    stated = json.loads(members_of(ran.plain)["statement.json"])
    assert stated["_type"] == "https://in-toto.io/Statement/v1"
    assert stated["predicateType"] == "https://in-toto.io/attestation/test-result/v0.1"
    assert stated["predicate"]["result"] == "PASSED"
    assert "CAO-RESP-RESULT-TRUE" in stated["predicate"]["passedTests"]


FAULTS = ("cao-echoes-token", "cao-password-beginning", "cao-again-20", "tpp-drops-last-result")
"""Their findings rest on a secret, on a part of one, on what became of an order, on several results."""


def test_hidden_secrets_and_effects_leave_a_verdict_as_it_was(tmp_path: Path) -> None:
    folder, cases = tmp_path / "run", ("cao/response/sample@http", CASE, "tpp/batch/failure-first@*")
    words = [word for name in FAULTS for word in ("--fault", name)] + [
        word for one in cases for word in ("--case", one)
    ]
    run_into(folder, *words, "--generated", "0", code=1)
    findings = [
        one for case in json.loads((folder / "results.json").read_text("ascii"))["cases"] for one in case["findings"]
    ]
    assert {"secrets", "outcome", "one-each"} <= {one["check"] for one in findings}
    out = bundled(folder, tmp_path / "run.zip")
    came = invoke("verify", out)
    assert came.exit_code == 1, came.output
    assert "same verdict: fail (exit 1)" in came.output
    everything = b"".join(members_of(out).values())
    assert not [word for word in reference_environment().values() if word.encode() in everything]


def test_what_an_exploring_run_found_is_judged_again_as_well(tmp_path: Path) -> None:
    words = (
        "--operation",
        "alphapoint.cancel_order",
        "--case",
        "co/effects/lasting@http",
        "--fault",
        "co-error-with-true",
    )
    folder = run_into(tmp_path / "run", *words, "--generated", "0", "--explore", "8", code=1)
    results = json.loads((folder / "results.json").read_text("ascii"))["cases"]
    found = [case["id"] for case in results if case["verdict"] == "fail"]
    assert found
    assert not any(name.startswith("co/effects/") for name in found)
    out = bundled(folder, tmp_path / "run.zip")
    came = invoke("verify", out)
    assert came.exit_code == 1, came.output
    assert f"{len(results)} cases judged again, each with the same result" in came.output
    members = members_of(out)
    restated(edited(JOURNAL, found[0], lambda raw: raw.update(verdict="pass", findings=[])))(members)
    write_archive(tmp_path / "changed.zip", members)
    came = invoke("verify", tmp_path / "changed.zip")
    assert came.exit_code == 2, came.output
    assert found[0] in came.output


def test_shards_are_one_bundle_when_they_are_merged(tmp_path: Path) -> None:
    words = ("--case", "tpp/response/*", "--generated", "0")
    shards = [run_into(tmp_path / str(one), *words, "--shard", f"{one}/2") for one in (1, 2)]
    assert invoke("report", "merge", *shards, "--out", tmp_path / "whole", "--quiet").exit_code == 0
    came = invoke("verify", bundled(tmp_path / "whole", tmp_path / "whole.zip"))
    assert came.exit_code == 0, came.output


def test_a_folder_without_its_recording_makes_no_bundle(ran: Ran, tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").write_bytes((ran.folder / "journal.jsonl").read_bytes())
    came = invoke("report", "bundle", tmp_path, "--out", tmp_path / "out.zip")
    assert came.exit_code == 2
    assert "observations.jsonl.gz" in came.output
    whole = (ran.folder / "observations.jsonl.gz").read_bytes()
    (tmp_path / "observations.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    came = invoke("report", "bundle", tmp_path, "--out", tmp_path / "out.zip")
    assert (came.exit_code, (tmp_path / "out.zip").exists()) == (2, False)
    assert "it is cut off" in came.output


# A bundle that somebody has changed. `restated`: he made the digests fit again, which he can where nothing is signed.


def line_with(members: Members, name: str, wanted: str) -> tuple[list[bytes], int]:
    lines = members[name].split(b"\n")
    return lines, next(place for place, line in enumerate(lines) if f'"{wanted}"'.encode() in line)


def edited(name: str, wanted: str, change: Callable[[Any], Any]) -> Callable[[Members], None]:
    def edit(members: Members) -> None:
        lines, place = line_with(members, name, wanted)
        raw = json.loads(lines[place])
        lines[place] = json.dumps(change(raw) or raw).encode()
        members[name] = b"\n".join(lines)

    return edit


def without(name: str, wanted: str) -> Callable[[Members], None]:
    def edit(members: Members) -> None:
        lines, place = line_with(members, name, wanted)
        del lines[place]
        members[name] = b"\n".join(lines)

    return edit


def restated(*edits: Callable[[Members], None]) -> Callable[[Members], None]:
    def edit(members: Members) -> None:
        for one in edits:
            one(members)
        stated = json.loads(members["statement.json"])
        for subject in stated["subject"]:
            subject["digest"]["sha256"] = digest(members[subject["name"]])
        members["statement.json"] = canonical(stated)

    return edit


def stating(change: Callable[[Any], None]) -> Callable[[Members], None]:
    def edit(members: Members) -> None:
        stated = json.loads(members["statement.json"])
        change(stated)
        members["statement.json"] = canonical(stated)

    return edit


def replaced_in(name: str, old: bytes, new: bytes) -> Callable[[Members], None]:
    def edit(members: Members) -> None:
        assert old in members[name]
        members[name] = members[name].replace(old, new, 1)

    return edit


def other_answer(raw: Any) -> None:
    raw["turns"][0][0]["exchanges"][0]["http"]["body"] = '{"result":false,"errormsg":"Server Error","errorcode":102}'


def other_effect(raw: Any) -> None:
    raw["turns"][0][0]["after"] = dict.fromkeys(raw["turns"][0][0]["after"], "open")


JOURNAL, SEEN = "journal.jsonl", "observations.jsonl"
TAMPERED: dict[str, tuple[Callable[[Members], None], str]] = {
    "a byte of an answer": (replaced_in(SEEN, b'\\"errorcode\\":0', b'\\"errorcode\\":1'), f"{SEEN} <- was changed"),
    "a byte of the journal": (replaced_in(JOURNAL, b'"verdict":"pass"', b'"verdict":"fail"'), "was changed"),
    "a case less": (without(JOURNAL, CASE), "was changed"),
    "another target": (lambda members: members.update({"target.json": b'{"name":"production"}'}), "was changed"),
    "no journal": (lambda members: members.pop(JOURNAL), f"{JOURNAL} <- is missing"),
    "no statement": (lambda members: members.pop("statement.json"), "holds no Statement"),
    "another file": (lambda members: members.update({"notes.txt": b""}), "a file that no bundle has: 'notes.txt'"),
    "a path out of it": (lambda members: members.update({"../../.profile": b""}), "a file that no bundle has"),
    "another contract": (
        stating(lambda one: one["predicate"]["configuration"][0]["digest"].update(sha256="0" * 64)),
        "judged by another contract: 000000000000",
    ),
    "another result": (stating(lambda one: one["predicate"].update(result="FAILED")), "the Statement says FAILED"),
    "another requirement": (
        stating(lambda one: one["predicate"]["passedTests"].append("CAO-MADE-UP")), "the Statement says PASSED, and"
    ),
    "another predicate": (stating(lambda one: one.update(predicateType="x")), "is no in-toto Statement"),
    "another version": (
        stating(lambda one: one["predicate"]["configuration"][1]["annotations"].update(version="9.9")),
        "another version of the tool",
    ),
    "nothing said of a file": (stating(lambda one: one["subject"].pop(0)), "the Statement says nothing of it"),
    "an answer, restated": (restated(edited(SEEN, CASE, other_answer)), f"{CASE}: verdict: pass in the journal, fail"),
    "an effect, restated": (restated(edited(SEEN, CASE, other_effect)), f"{CASE}: verdict: pass in the journal, fail"),
    "a case less, restated": (restated(without(JOURNAL, CASE)), f"{CASE}: it was removed from the journal"),
    "a generated case less, restated": (
        restated(without(JOURNAL, "cao/generated/000007@ws"), without(SEEN, "cao/generated/000007@ws")),
        "cao/generated/000007@ws: it was removed from the journal",
    ),
    "what a case rests on, restated": (
        restated(without(SEEN, CASE)), f"{CASE}: what it rests on was not recorded"
    ),
    "a verdict, restated": (
        restated(edited(JOURNAL, CASE, lambda raw: raw.update(verdict="fail"))),
        f"{CASE}: verdict: fail in the journal, pass when judged again",
    ),
    "a reading, restated": (
        restated(edited(JOURNAL, CASE, lambda raw: raw.update(readings=[]))), f"{CASE}: readings: [] in the journal"
    ),
    "a made-up case, restated": (
        restated(edited(JOURNAL, CASE, lambda raw: raw.update(id="cao/effects/made-up@http"))),
        "cao/effects/made-up@http: no case of this contract has this id",
    ),
    "another target, restated": (
        restated(lambda members: members.update({"target.json": b'{"name":"production"}'})),
        "target.json <- is not the target of the journal",
    ),
    "no end, restated": (restated(without(JOURNAL, "footer")), "the journal has no end"),
    "no journal at all, restated": (restated(lambda one: one.update({JOURNAL: b"{}\n"})), "expected a header line"),
    "no observations, restated": (restated(lambda one: one.update({SEEN: b"[]\n"})), f"{SEEN}.gz:1 <- not understood"),
}  # fmt: skip


@pytest.mark.parametrize("what", TAMPERED)
def test_a_bundle_that_was_changed_is_refused_for_the_right_reason(what: str, ran: Ran, tmp_path: Path) -> None:
    change, reason = TAMPERED[what]
    members = members_of(ran.plain)
    change(members)
    write_archive(tmp_path / "changed.zip", members)
    came = invoke("verify", tmp_path / "changed.zip")
    assert came.exit_code == 2, came.output
    where, _, told = reason.rpartition(" <- ")
    assert told in came.output, came.output
    assert where in came.output, came.output


def test_a_signature_is_that_of_the_key_and_of_these_bytes(ran: Ran, tmp_path: Path) -> None:
    private, public = keys(tmp_path, "other")
    original = members_of(ran.signed)
    envelope = json.loads(original["envelope.json"])

    def refused(members: Members, *words: str | Path) -> str:
        write_archive(tmp_path / "changed.zip", members)
        came = invoke("verify", tmp_path / "changed.zip", *words)
        assert came.exit_code == 2, came.output
        return came.output

    assert "not one of the given key" in refused(original, "--key", public)
    assert "is not signed" in refused(members_of(ran.plain), "--key", ran.public)
    stated = base64.b64decode(envelope["payload"])
    changed = {**envelope, "payload": base64.b64encode(stated.replace(b"PASSED", b"FAILED")).decode()}
    assert "not one of the key in the bundle" in refused({**original, "envelope.json": canonical(changed)})
    assert "not one of the key in the bundle" in refused({**original, "envelope.json": b"[]"})
    assert "beside the signed one" in refused({**original, "statement.json": stated})
    again = {**original, **signed(stated, private)}
    assert "not one of the given key" in refused(again, "--key", ran.public)
    write_archive(tmp_path / "again.zip", again)
    assert invoke("verify", tmp_path / "again.zip").exit_code == 0
    (tmp_path / "broken.pem").write_text("no key", encoding="ascii")
    came = invoke("report", "bundle", ran.folder, "--out", tmp_path / "x.zip", "--key", tmp_path / "broken.pem")
    assert (came.exit_code, "is no private key" in came.output) == (2, True)


def test_hostile_archives_are_refused_within_bounds(ran: Ran, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MOST_BYTES", 4 * 1024 * 1024)
    path = tmp_path / "hostile.zip"
    whole = ran.plain.read_bytes()

    def refused(content: bytes) -> str:
        path.write_bytes(content)
        came = invoke("verify", path)
        assert came.exit_code == 2, came.output
        return came.output

    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr(JOURNAL, bytes(8 * 1024 * 1024))
    assert "unpacks to more than 4,194,304 bytes" in refused(bomb.getvalue())
    twice = io.BytesIO()
    with zipfile.ZipFile(twice, "w") as opened:
        opened.writestr(JOURNAL, b"1")
        with pytest.warns(UserWarning, match="Duplicate name"):
            opened.writestr(JOURNAL, b"2")
    assert f"holds {JOURNAL} twice" in refused(twice.getvalue())
    many = io.BytesIO()
    with zipfile.ZipFile(many, "w") as opened:
        for number in range(40):
            opened.writestr(str(number), b"")
    assert "holds 40 files" in refused(many.getvalue())
    for content in (b"", b"no archive", whole[: len(whole) // 2], whole[:200] + bytes(50) + whole[250:]):
        assert "no archive that can be read" in refused(content)
    assert invoke("verify", tmp_path / "nowhere.zip").exit_code == 2


def test_without_the_libraries_unsigned_bundles_work_and_signed_ones_say_what_is_missing(ran: Ran) -> None:
    program = (
        "import sys\n"
        "class Gone:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] in ('securesystemslib', 'in_toto_attestation', 'google'):\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Gone())\n"
        "import importlib.util as util\n"
        "old = util.find_spec\n"
        "util.find_spec = lambda name, *a: None if name in ('securesystemslib', 'in_toto_attestation') else old(name, *a)\n"
        "from click.testing import CliRunner\n"
        "from conformance.cli.main import main\n"
        "for path in sys.argv[1:]:\n"
        "    came = CliRunner().invoke(main, ['verify', path])\n"
        "    print(came.exit_code, came.output)\n"
    )
    command = [sys.executable, "-c", program, str(ran.plain), str(ran.signed)]
    came = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert "0 target reference" in came.stdout, came.stdout
    assert (
        "2 error: a signed bundle needs securesystemslib, in_toto_attestation, which the extra `evidence`"
        in came.stdout
    )
