"""What a bundle states: an in-toto Statement with the test-result predicate, and its signature in a DSSE envelope.

https://github.com/in-toto/attestation/tree/main/spec (Statement v1, predicate test-result v0.1); DSSE v1. The Statement
is plain JSON and needs no library; signing, and checking a signature, need those of the extra `evidence`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.errors import ConfigurationError, need
from conformance.formats.json.pointer import load_json
from conformance.model.verdict import Verdict
from conformance.report.bundle.archive import BundleError, digest
from conformance.report.rows import RunSummary

STATEMENT, ENVELOPE, KEY = "statement.json", "envelope.json", "public-key.json"
_TYPE = "https://in-toto.io/Statement/v1"
_PREDICATE = "https://in-toto.io/attestation/test-result/v0.1"
_PAYLOAD = "application/vnd.in-toto+json"
TOOL = "order-cancellation-conformance"
_RESULTS = {"pass": "PASSED", "fail": "FAILED"}


def canonical(value: Any) -> bytes:
    """JSON with sorted keys and without blanks, in ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")


def statement_of(summary: RunSummary, members: Mapping[str, bytes]) -> dict[str, Any]:
    """The Statement on a run: its subjects are the files of the bundle, its tests the requirements."""
    return {
        "_type": _TYPE,
        "subject": [{"name": name, "digest": {"sha256": digest(members[name])}} for name in sorted(members)],
        "predicateType": _PREDICATE,
        "predicate": {
            "result": _RESULTS.get(summary.verdict, "WARNED"),
            "configuration": [
                {"name": "contract", "digest": {"sha256": summary.info.specs_digest}},
                {"name": TOOL, "annotations": {"version": summary.info.tool_version, "run": summary.info.id}},
            ],
            **_tests(summary),
        },
    }


def _tests(summary: RunSummary) -> dict[str, list[str]]:
    named: dict[str, list[str]] = {"passedTests": [], "warnedTests": [], "failedTests": []}
    for row in summary.requirements:
        if row.verdict is Verdict.NOT_APPLICABLE:
            continue
        kind = {Verdict.PASS: "passedTests", Verdict.FAIL: "failedTests"}.get(row.verdict, "warnedTests")
        named[kind].append(row.id)
    return {kind: sorted(names) for kind, names in named.items()}


@dataclass(frozen=True, slots=True)
class Stated:
    """What a Statement says that is to be checked; `signer` is the id of the key that signed it, empty without one."""

    digests: Mapping[str, str]
    result: str
    tests: Mapping[str, list[str]]
    contract: str
    tool_version: str
    signer: str = ""


def read_statement(content: bytes, signer: str = "") -> Stated:
    """The Statement in these bytes. Raises `BundleError` for what is none of this kind."""
    try:
        raw = load_json(content)
        if raw["_type"] != _TYPE or raw["predicateType"] != _PREDICATE:
            raise ValueError(f"{raw['_type']!r} with {raw['predicateType']!r}")
        predicate = raw["predicate"]
        configured = {one["name"]: one for one in predicate["configuration"]}
        return Stated(
            {one["name"]: one["digest"]["sha256"] for one in raw["subject"]},
            predicate["result"],
            {kind: list(predicate[kind]) for kind in ("passedTests", "warnedTests", "failedTests")},
            configured["contract"]["digest"]["sha256"],
            configured[TOOL]["annotations"]["version"],
            signer,
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BundleError(f"is no in-toto Statement of a run: {error}", where=STATEMENT) from error


def _demand(what: str) -> None:
    need("evidence", what, "securesystemslib", "cryptography", "in_toto_attestation")


def signed(content: bytes, key: Path) -> dict[str, bytes]:
    """Envelope and public key for a Statement, signed with the private key in a PEM file.

    Raises `UsageError` without the libraries, `ConfigurationError` for a file that is no such key.
    """
    _demand("signing a bundle")
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from in_toto_attestation.v1.statement import Statement
    from securesystemslib.dsse import Envelope
    from securesystemslib.exceptions import Error
    from securesystemslib.signer import CryptoSigner, SSlibKey

    try:
        private = load_pem_private_key(key.read_bytes(), None)
        public = SSlibKey.from_crypto(private.public_key())
        signer = CryptoSigner(private, public)
    except (OSError, ValueError, TypeError, Error) as error:
        hint = "Give an unencrypted private key in PEM: `openssl genpkey -algorithm ed25519 -out key.pem` makes one."
        raise ConfigurationError(f"is no private key that can sign: {error}", where=str(key), hint=hint) from error
    stated = json.loads(content)
    Statement.copy_from_pb(_as_protobuf(stated)).validate()
    envelope = Envelope(content, _PAYLOAD, {})
    envelope.sign(signer)
    return {ENVELOPE: canonical(envelope.to_dict()), KEY: canonical({"keyid": public.keyid, **public.to_dict()})}


def _as_protobuf(stated: Mapping[str, Any]) -> Any:
    """The Statement as the library of its authors has it, so that its own rules are asked."""
    from google.protobuf.json_format import ParseDict
    from in_toto_attestation.v1 import statement_pb2

    renamed = {("type" if name == "_type" else name): value for name, value in stated.items()}
    return ParseDict(renamed, statement_pb2.Statement())


def opened(members: Mapping[str, bytes], trusted: Path | None) -> tuple[bytes, str]:
    """The Statement's bytes, and the id of the key that signed it; of an unsigned bundle no id.

    With `trusted`, the public key in a PEM file, that key must have signed. Raises `BundleError`.
    """
    if ENVELOPE not in members:
        if STATEMENT not in members:
            raise BundleError("holds no Statement", where=STATEMENT)
        if trusted is not None or KEY in members:
            raise BundleError("is not signed", where=STATEMENT)
        return members[STATEMENT], ""
    if STATEMENT in members:
        raise BundleError("holds a Statement beside the signed one", where=STATEMENT)
    _demand("a signed bundle")
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from securesystemslib.dsse import Envelope
    from securesystemslib.exceptions import Error
    from securesystemslib.signer import Key, SSlibKey

    try:
        if trusted is not None:
            public: Key = SSlibKey.from_crypto(load_pem_public_key(trusted.read_bytes()))
        else:
            described = load_json(members[KEY])
            public = Key.from_dict(described.pop("keyid"), described)
        envelope = Envelope.from_dict(load_json(members[ENVELOPE]))
        if envelope.payload_type != _PAYLOAD:
            raise ValueError(f"it holds {envelope.payload_type!r}")
        envelope.verify([public], 1)
    except OSError as error:
        raise ConfigurationError(f"cannot be read: {error.strerror or error}", where=str(trusted)) from error
    except (Error, ValueError, KeyError, TypeError, AttributeError) as error:
        whose = "the given key" if trusted is not None else "the key in the bundle"
        raise BundleError(f"the signature is not one of {whose}: {error}", where=ENVELOPE) from error
    return bytes(envelope.payload), public.keyid
