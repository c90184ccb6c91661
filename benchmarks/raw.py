"""The baseline: an asyncio loop with httptools that sends the same bytes and judges nothing. Arguments as `ours`."""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

import httptools

from benchmarks.workload import target, workload
from conformance.cases.generated.stream import generated_case
from conformance.contract.load import load_contract
from conformance.endpoint.desks import Desk, desks_of
from conformance.endpoint.reference import reference_environment
from conformance.run.loop import run_loop
from conformance.run.setting import http_request
from conformance.wire.address import parse_address
from conformance.wire.http.client import render
from conformance.wire.messages import HttpRequest


class Client(asyncio.Protocol):
    """One keep-alive connection that sends the next request when a response is complete."""

    def __init__(self, payloads: Iterator[bytes], done: asyncio.Future[None]) -> None:
        self._payloads = payloads
        self._done = done
        self.answered = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._next()

    def _next(self) -> None:
        payload = next(self._payloads, None)
        if payload is None:
            self._transport.close()
            if not self._done.done():
                self._done.set_result(None)
            return
        self._parser = httptools.HttpResponseParser(self)
        self._transport.write(payload)  # type: ignore[attr-defined]  # a stream transport has it

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        self.answered += 1
        self._next()


async def sign_in(address: str, user: str, password: str) -> str:
    """A session token by HTTP Basic."""
    place = urlsplit(address)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    credentials = base64.b64encode(f"{user}:{password}".encode()).decode()
    head = f"GET /AP/Authenticate HTTP/1.1\r\nHost: {place.netloc}\r\nAuthorization: Basic {credentials}\r\nConnection: close\r\n\r\n"
    writer.write(head.encode())
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    token: str = json.loads(answer.partition(b"\r\n\r\n")[2])["SessionToken"]
    return token


async def payloads(address: str, count: int, formats: str) -> Sequence[bytes]:
    """The bytes of every HTTP request of the workload; live cases are left out, for they need states."""
    contract = load_contract()
    there = target(contract, address)
    places: dict[str, Desk] = {name: desks_of(service)[0] for name, service in there.services.items()}
    passwords = reference_environment()
    tokens: dict[str, str] = {}
    written: list[bytes] = []
    for source, number in workload(contract, count, formats):
        case = generated_case(source, number)
        if case.transport != "http" or case.states:
            continue
        desk = places[source.operation.service]
        headers: tuple[tuple[str, str], ...] = ()
        if source.operation.service == "alphapoint":
            role = desk.roles[case.role]
            if case.role not in tokens:
                keys: Any = role.login_keys
                tokens[case.role] = await sign_in(address, keys.user, passwords[keys.password.env])
            headers = (("aptoken", tokens[case.role]),)
        request: HttpRequest = http_request(case.message, desk.bindings, case.media_type, headers)
        written.append(render(request, parse_address(address)))
    return written


async def measure(address: str, count: int, formats: str, concurrency: int) -> dict[str, float]:
    """Send everything once, `concurrency` requests in flight."""
    everything = await payloads(address, count, formats)
    place = parse_address(address)
    loop = asyncio.get_running_loop()
    for warm in (everything[:200], everything):
        source = iter(warm)
        futures = [loop.create_future() for _ in range(concurrency)]
        clients = [Client(source, future) for future in futures]
        cpu_s, started = time.process_time(), time.perf_counter()
        for client in clients:
            await loop.create_connection(lambda client=client: client, place.host, place.port)  # type: ignore[misc]
        await asyncio.wait_for(asyncio.gather(*futures), 600)
        seconds, cpu_s = time.perf_counter() - started, time.process_time() - cpu_s
    return {"requests": sum(client.answered for client in clients), "seconds": seconds, "cpu_s": cpu_s}


def main() -> None:
    """Measure, and print the figures as one line of JSON."""
    address, count, formats, concurrency = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    found = run_loop(measure(address, count, formats, concurrency))
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
