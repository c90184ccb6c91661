"""A secret is in no evidence and in no finding, however it is written and wherever it stands."""

from __future__ import annotations

import base64
import gzip
import json
import re
import zlib
from collections.abc import Callable

import pytest
from echo_support import ENCODINGS

from conformance.endpoint.redact import HIDDEN, redact_excerpt
from conformance.model.verdict import Finding
from conformance.run.evidence import SHORT_BYTES, evidence_of, redacted_finding
from conformance.wire.messages import Exchange

SECRETS = (
    "4711",
    "Qz7!",
    "p&ss1",
    "Tr4der-SeCret-77",
    'Süper-"Geheim"-99',
    "a/b+c d\\e<f>'g",
    "kEy" + "0123456789abc" * 4 + "END987/=x",
)
GUIDS = tuple(f"{number:08x}-dead-4bad-8bad-{number:012x}" for number in range(1, 60))


def _octets(secret: str) -> bytes:
    return secret.encode()


WITH_MORE = (
    "base64 between others", "split by a section", "base64 of json", "base64 of percent", "base64 three times", "json web token",
)  # fmt: skip
"""These write something of their own around the secret, and here all that is no secret must stay as it is."""
FORMS: dict[str, Callable[[str], str]] = {
    **{name: write for name, write in ENCODINGS.items() if name not in WITH_MORE},
    "json without escapes": lambda secret: json.dumps(secret, ensure_ascii=False)[1:-1],
    "base64 behind one": lambda secret: base64.b64encode(b":" + _octets(secret)).decode(),
    "base64 behind two": lambda secret: base64.b64encode(b"u:" + _octets(secret) + b":").decode(),
    "base64 of capitals": lambda secret: base64.b64encode(_octets(secret.upper())).decode(),
}

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
MARK = b"<@>"
PLACES: dict[str, bytes] = {
    "body": HEAD + b"\r\n{<@>}",
    "text": HEAD + b"\r\nyou are (<@>), welcome",
    "header": HEAD + b"X-Debug: <@>\r\n\r\nok",
    "coding": HEAD + b"Content-Encoding: <@>\r\n\r\nok",
    "reason": b"HTTP/1.1 500 <@>\r\n\r\nok",
    "trailer": HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Debug: <@>\r\n\r\n",
    "extension": HEAD + b"Transfer-Encoding: chunked\r\n\r\n2;x=<@>\r\nok\r\n0\r\n\r\n",
    "comment": HEAD + b"\r\n<x><!-- <@> --></x>",
    "entity": HEAD + b'\r\n<!DOCTYPE x [<!ENTITY e "<@>">]><x>&e;</x>',
    "attribute": HEAD + b'\r\n<x y="<@>"/>',
    "message": b'{"m":1,"i":0,"n":"CancelOrder","o":"<@>"}',
}


def _seen(received: bytes, secret: str, *, full: bool = False, own: bool = False, again: tuple[bytes, ...] = ()) -> str:
    exchange = Exchange(b"", received, None, None, 0.0, 0.0, again=list(again))
    secrets, others = ((secret,), GUIDS) if own else (GUIDS[:1], (*GUIDS[1:], secret))
    return evidence_of((exchange,), secrets, others, full=full).received


def _hidden(shown: str, template: bytes) -> bool:
    """Whether the secret alone is gone; of what is encoded with it a few characters may be left."""
    before, after = (re.escape(part.decode()) for part in template.split(MARK))
    few = r"(?:[^A-Za-z0-9]|[A-Za-z0-9]{0,3}(?![A-Za-z0-9]{2}))*"
    return re.fullmatch(f"{before}{few}{re.escape(HIDDEN)}{few}{after}", shown) is not None


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("place", PLACES)
def test_no_evidence_shows_a_secret_and_all_else_stays(form: str, place: str) -> None:
    template = PLACES[place]
    for secret in SECRETS:
        received = template.replace(MARK, FORMS[form](secret).encode())
        for full, own in ((True, False), (False, False), (False, True)):
            shown = _seen(received, secret, full=full, own=own)
            assert _hidden(shown, template), (secret, shown)
            assert shown == _seen(received, secret, full=full, own=own)


@pytest.mark.parametrize("form", FORMS)
def test_a_secret_that_is_split_over_chunks_lines_or_messages_is_hidden(form: str) -> None:
    for secret in SECRETS:
        written = FORMS[form](secret).encode()
        for cut in {1, len(written) // 2, len(written) - 1}:
            first, second = written[:cut], written[cut:]
            rest = re.sub(r"(?:=|%3D)*$", "", second.decode())
            chunks = HEAD + b"\r\n%x\r\n(%b\r\n%x;x=y\r\n%b)\r\n0\r\n\r\n" % (cut + 1, first, len(second) + 1, second)
            shown = _seen(chunks, secret)
            assert HIDDEN in shown, (secret, shown)
            assert len(rest) < 4 or rest not in shown[len(HEAD) :], (secret, shown)
            shown = _seen(first, secret, again=(second,))
            assert HIDDEN in shown, (secret, shown)


@pytest.mark.parametrize("form", FORMS)
def test_a_secret_that_is_split_over_the_frames_of_one_message_is_hidden(form: str) -> None:
    for secret in SECRETS:
        payload = f'{{"o": "{FORMS[form](secret)}"}}'.encode()
        parts = [payload[at : at + 7] for at in range(0, len(payload), 7)]
        codes = [0x01, *[0x00] * (len(parts) - 2), 0x80]
        frames = b"".join(bytes((code, len(part))) + part for code, part in zip(codes, parts, strict=True))
        sent = b"\x81\x82abcd##"
        for before in (b"", b"\x8a\x80abcd", b"\x01\x80abcd"):  # a pong, a part of the message
            exchange = Exchange(before + sent, frames, None, None, 0.0, 0.0)
            shown = evidence_of((exchange,), (secret,), full=True).received
            assert shown.startswith('{"o": "')
            assert HIDDEN in shown, (secret, shown)
        harmless = evidence_of((Exchange(sent, frames, None, None, 0.0, 0.0),), ("another one",), full=True).received
        assert harmless == frames.decode("utf-8", "backslashreplace")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("end", ["", "…", "… (400 characters)"])
def test_no_finding_shows_a_secret(form: str, end: str) -> None:
    for secret in SECRETS:
        words = f"no answer: '{FORMS[form](secret)}'{end}"
        finding = redacted_finding(Finding("R", "answered", words, words, f"x {words}", words), (*GUIDS, secret))
        for shown in (finding.message, finding.expected, finding.actual, finding.at):
            assert HIDDEN in shown, (secret, shown)
            assert FORMS[form](secret).lower() not in shown.lower()


def test_base64_that_was_written_small_by_somebody_is_hidden_in_words() -> None:
    for secret in SECRETS:
        words = f"content coding '{FORMS['base64'](secret).lower()}'"
        assert redacted_finding(Finding("R", "answered", words), (secret,)).message.startswith(
            f"content coding '{HIDDEN}"
        )


@pytest.mark.parametrize("form", [form for form in FORMS if form != "small letters"])
def test_a_packed_answer_that_holds_a_secret_is_not_kept(form: str) -> None:
    for secret in SECRETS:
        body = f'{{"debug": "{FORMS[form](secret)}"}}'.encode()
        head = HEAD + b"Content-Encoding: %b\r\n\r\n"
        raw = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        packed = {
            b"gzip": gzip.compress(body, mtime=0),
            b"x-gzip": gzip.compress(b"first", mtime=0) + gzip.compress(body, mtime=0),
            b"deflate": zlib.compress(body),
            b"gzip, deflate": raw.compress(body) + raw.flush(),
            b"gzip, nothing": gzip.compress(body, mtime=0)[:-7],
        }
        for coding, content in packed.items():
            assert _seen(head % coding + content, secret) == (head % coding).decode() + HIDDEN, (coding, secret)
        content = packed[b"gzip"]
        chunked = b"5\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (content[:5], len(content) - 5, content[5:])
        assert _seen(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunked, secret).endswith(f"\r\n\r\n{HIDDEN}")


def test_a_packed_answer_without_a_secret_is_kept_and_one_that_is_too_large_to_look_at_is_not() -> None:
    head = HEAD + b"Content-Encoding: gzip\r\n\r\n"
    harmless = gzip.compress(b'{"OrderID": 7}', mtime=0)
    assert _seen(head + harmless, SECRETS[3]) == (head + harmless).decode("utf-8", "backslashreplace")
    bomb = gzip.compress(b"a" * 3_000_000, mtime=0)
    assert _seen(head + bomb, SECRETS[3], full=True) == head.decode() + HIDDEN


def test_half_a_secret_at_the_edge_is_not_shown_where_much_before_it_was_hidden() -> None:
    secret = "kEy" + "0123456789abc" * 4
    for shift in range(0, 60, 7):
        received = b"." * shift + (secret + " ").encode() * (4 * SHORT_BYTES // len(secret))
        shown = _seen(received, secret)
        assert "0123" not in shown.replace(HIDDEN, "")
        letters = b"." * shift + ("ü" * 30 + secret).encode() * (4 * SHORT_BYTES // len(secret))
        assert "0123" not in _seen(letters, secret).replace(HIDDEN, "")


@pytest.mark.parametrize(
    ("secret", "text"),
    [
        ("4711", "order 1234711 of 47110"),
        ("4711", "00000000-4711-4bad-8bad-000000000000"),
        ("open", "reopened OpenOrders isopen"),
        ("Tr4der-SeCret-77", '{"trader": "secret-77", "a": ["Tr4der", "SeCret"]}'),
        ("4711", "Content-Length: 34\r\n\r\n7\r\n11"),
    ],
)
def test_what_only_looks_like_a_secret_stays(secret: str, text: str) -> None:
    assert _seen(text.encode(), secret) == text


def test_a_short_secret_is_hidden_as_a_word_of_ordinary_text() -> None:
    assert _seen(b'{"state":"Open","text":"reopen\\nopen"}', "open") == (
        f'{{"state":"{HIDDEN}","text":"reopen\\n{HIDDEN}"}}'
    )


@pytest.mark.parametrize("form", FORMS)
def test_a_form_of_a_secret_of_which_most_stands_before_a_cut_is_hidden(form: str) -> None:
    for secret in SECRETS[3:]:
        whole = FORMS[form](secret)
        for cut in range(len(whole) - len(whole) // 4, len(whole)):
            shown = redact_excerpt(f'of "{whole[:cut]}… (343 characters)', (*GUIDS[:9], secret))
            assert re.fullmatch(rf'of ".{{0,3}}{re.escape(HIDDEN)}\\*… \(343 characters\)', shown), (secret, shown)
