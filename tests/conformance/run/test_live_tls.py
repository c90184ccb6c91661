"""TLS on the way: a private authority, a client certificate, and `verify = false` with its warning."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import pty
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from live_support import ENVIRONMENT, Live, command, live, pointed, run, sample

CASES = ("--generated", "0", "--case", "cao/effects/*", "--case", "cao/roles/*")


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@contextlib.contextmanager
def tls_front(server: Live, authority: trustme.CA, *, client_certificates: bool = False) -> Iterator[int]:
    """Takes TLS connections and passes their bytes on to the server; gives its port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    if client_certificates:
        authority.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    loop, ready, ports = asyncio.new_event_loop(), threading.Event(), []

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", server.port)
        await asyncio.gather(pump(reader, inner_writer), pump(inner_reader, writer))

    fronts: list[asyncio.Server] = []

    async def listen() -> None:
        fronts.append(await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context))
        ports.append(fronts[0].sockets[0].getsockname()[1])
        ready.set()

    def work() -> None:
        loop.set_exception_handler(lambda _loop, _context: None)
        loop.create_task(listen())
        loop.run_forever()

    async def end() -> None:
        fronts[0].close()
        mine = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in mine:
            task.cancel()
        await asyncio.gather(*mine, return_exceptions=True)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert ready.wait(5)
        yield ports[0]
    finally:
        asyncio.run_coroutine_threadsafe(end(), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


def _text(server: Live, port: int, tls: str, service: str = "alphapoint") -> str:
    text = pointed(sample(service), f"https://127.0.0.1:{port}").replace(
        f"https://127.0.0.1:{port}/_world", f"{server.url}/_world"
    )
    return text.replace(f"[services.{service}]\n", f"[services.{service}]\ntls = {tls}\n")


def test_a_private_authority_is_trusted_for_http_and_websocket(tmp_path: Path, authority: trustme.CA) -> None:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    with live() as server, tls_front(server, authority) as port:
        came = run(tmp_path, _text(server, port, f'{{ ca_bundle = "{tmp_path}/ca.pem" }}'), *CASES)
    assert set(came.verdicts().values()) == {"pass"}, came.reasons()
    assert {case["transport"] for case in came.results["cases"]} == {"http", "ws"}
    assert came.results["summary"]["notices"] == []


def test_an_authority_that_is_not_trusted_is_exit_3(tmp_path: Path, authority: trustme.CA) -> None:
    with live() as server, tls_front(server, authority) as port:
        came = run(tmp_path, _text(server, port, "{}"), *CASES)
    assert came.exit_code == 3
    assert "certificate was not accepted" in " ".join(came.results["summary"]["reasons"])


def test_unchecked_tls_is_warned_of_in_every_report(tmp_path: Path, authority: trustme.CA) -> None:
    with live() as server, tls_front(server, authority) as port:
        came = run(tmp_path, _text(server, port, "{ verify = false }"), *CASES)
    assert set(came.verdicts().values()) == {"pass"}, came.reasons()
    warning = "TLS of services.alphapoint was not checked (verify = false): anybody may have answered"
    assert warning in came.results["summary"]["notices"]
    assert warning in (came.folder / "junit.xml").read_text("utf-8")
    command(tmp_path, "report", "render", str(came.folder), "--format", "md", "--format", "html")
    written = [path.read_text("utf-8") for path in came.folder.iterdir() if path.suffix in (".md", ".html")]
    assert len(written) == 2
    assert all("anybody may have answered" in text for text in written)


def test_a_tpp_client_may_be_known_by_its_certificate_alone(tmp_path: Path, authority: trustme.CA) -> None:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    certificate = authority.issue_cert("client@example.test")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "client.pem")
    certificate.private_key_pem.write_to_path(tmp_path / "client.key")
    names = {"ca_bundle": "ca.pem", "client_certificate": "client.pem", "client_key": "client.key"}
    tls = "{ " + ", ".join(f'{key} = "{tmp_path}/{name}"' for key, name in names.items()) + " }"
    arguments = ("--generated", "0", "--case", "tpp/effects/*@application-json")
    with live() as server, tls_front(server, authority, client_certificates=True) as port:
        came = run(tmp_path, _text(server, port, tls, "tpp"), *arguments)
        without = run(
            tmp_path, _text(server, port, tls.split(", client")[0] + " }", "tpp"), *arguments, report="without"
        )
    assert set(came.verdicts().values()) == {"pass"}, came.reasons()
    assert "pass" not in without.verdicts().values()


def test_a_certificate_that_is_not_there_is_a_configuration_error(tmp_path: Path) -> None:
    text = pointed(sample("alphapoint"), "https://127.0.0.1:9")
    text = text.replace("[services.alphapoint]\n", '[services.alphapoint]\ntls = { ca_bundle = "missing.pem" }\n')
    came = run(tmp_path, text, *CASES)
    assert came.exit_code == 2
    assert "services.alphapoint.tls" in came.output
    assert json.dumps(came.results) == "{}"


def _encrypted(folder: Path, authority: trustme.CA) -> str:
    """A client's certificate with a key that the phrase `open sesame` opens, as a table of the target file."""
    from cryptography.hazmat.primitives import serialization

    certificate = authority.issue_cert("client@example.test")
    certificate.cert_chain_pems[0].write_to_path(folder / "client.pem")
    key = serialization.load_pem_private_key(certificate.private_key_pem.bytes(), None)
    locked = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"open sesame"),
    )
    (folder / "client.key").write_bytes(locked)
    authority.cert_pem.write_to_path(folder / "ca.pem")
    return (
        f'{{ ca_bundle = "{folder}/ca.pem", client_certificate = "{folder}/client.pem", '
        f'client_key = "{folder}/client.key" }}'
    )


def test_an_encrypted_key_is_opened_by_its_secret(tmp_path: Path, authority: trustme.CA) -> None:
    tls = _encrypted(tmp_path, authority).replace(" }", ', client_key_password = { env = "PHRASE" } }')
    with live() as server, tls_front(server, authority, client_certificates=True) as port:
        text = _text(server, port, tls, "tpp")
        arguments = ("--generated", "0", "--case", "tpp/effects/*@application-json")
        came = run(tmp_path, text, *arguments, env={**ENVIRONMENT, "PHRASE": "open sesame"})
        wrong = run(tmp_path, text, *arguments, report="wrong", env={**ENVIRONMENT, "PHRASE": "open barley"})
    assert set(came.verdicts().values()) == {"pass"}, came.reasons()
    assert "open sesame" not in (came.folder / "journal.jsonl").read_text("utf-8")
    assert wrong.exit_code == 2
    assert "client.key is encrypted, and the pass phrase does not open it" in wrong.output


def test_an_encrypted_key_without_its_secret_is_exit_2_and_never_a_prompt(
    tmp_path: Path, authority: trustme.CA
) -> None:
    text = pointed(sample("tpp"), "https://127.0.0.1:9")
    text = text.replace("[services.tpp]\n", f"[services.tpp]\ntls = {_encrypted(tmp_path, authority)}\n")
    (tmp_path / "target.toml").write_text(text, "utf-8")
    parent, child = pty.openpty()  # OpenSSL asks at the terminal
    done = subprocess.run(
        [sys.executable, "-m", "conformance", "run", "--target", "target.toml", "--report", "r"],
        cwd=tmp_path, env={**os.environ, **ENVIRONMENT}, stdin=child, stdout=child, stderr=subprocess.PIPE,
        start_new_session=True, timeout=100, check=False,
    )  # fmt: skip
    os.close(parent)
    os.close(child)
    assert done.returncode == 2
    said = done.stderr.decode()
    assert "client.key is encrypted, and there is no pass phrase for it" in said
    assert "client_key_password" in said
