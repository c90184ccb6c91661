"""Tells events to hooks: a signed POST, or a command; tried a few times, and never at the cost of a result.

The signature is HMAC-SHA256 with the hook's secret over `TIMESTAMP.BODY`, in hexadecimal; the header is
`X-Conformance-Signature: t=TIMESTAMP,v1=SIGNATURE`. A receiver computes it anew and refuses old timestamps.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import os
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from conformance.endpoint.redact import redact
from conformance.endpoint.secrets import Vault
from conformance.fleet.events import Told
from conformance.fleet.file import Hook
from conformance.report.safe_text import shortened, visible
from conformance.wire.address import Address
from conformance.wire.http.client import HttpTransport
from conformance.wire.messages import HttpReply, HttpRequest, Limits

SIGNATURE = "X-Conformance-Signature"
_MOST_BYTES = 64 * 1024


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """The value of the header for a body that is sent at this time (seconds since 1970)."""
    mac = hmac.new(secret.encode(), b"%d.%s" % (timestamp, body), hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={mac}"


class Teller:
    """Tells events to the hooks of a fleet; commands run in `folder`. Secrets are fetched at once.

    Raises `ConfigurationError` for a secret that is missing.
    """

    def __init__(
        self, hooks: Mapping[str, Hook], folder: Path, environment: Mapping[str, str],
        *, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep, say: Callable[[str], object] | None = None,
    ) -> None:  # fmt: skip
        self._hooks, self._folder, self._sleep = dict(sorted(hooks.items())), folder, sleep
        self._say = say or (lambda text: sys.stderr.write(f"{text}\n"))
        self._vault = Vault(environment)
        self._receivers: dict[str, tuple[Address, str, str]] = {}
        """Address, path and key of each hook that is posted to."""
        for name, hook in self._hooks.items():
            if hook.secret is not None:
                key = self._vault.get(hook.secret, f"hooks.{name}.secret")
                self._receivers[name] = (*hook.receiver(self._vault, f"hooks.{name}"), key)

    async def tell(self, events: Sequence[Told]) -> None:
        """Tell each event to each hook that wants it. What cannot be told is said, and costs nothing else."""
        for event in events:
            wanted = [(name, hook) for name, hook in self._hooks.items() if event.event in hook.events]
            await asyncio.gather(*(self._tell(name, hook, event) for name, hook in wanted))

    async def _tell(self, name: str, hook: Hook, event: Told) -> None:
        problem = ""
        for attempt in range(hook.tries):
            if attempt:
                await self._sleep(2.0 ** (attempt - 1))
            try:
                problem = await (self._post(name, hook, event) if hook.url is not None else self._command(hook, event))
            except Exception as error:  # whatever a hook does, the result is kept
                problem = f"{type(error).__name__}: {error}"
            if not problem:
                return
        words = shortened(visible(redact(problem, self._vault.known)), 300)
        self._say(f"hook {name} was not told of {event.event} of {event.endpoint} in {hook.tries} tries: {words}")

    async def _post(self, name: str, hook: Hook, event: Told) -> str:
        """Send it once; what went wrong, or nothing."""
        body = event.body()
        address, path, key = self._receivers[name]
        headers = (
            ("Content-Type", "application/json"),
            ("X-Conformance-Event", event.event),
            (SIGNATURE, signature(key, int(time.time()), body)),
        )
        transport = HttpTransport(address, keep_alive=False)
        limits = Limits(hook.timeout_s, hook.timeout_s, _MOST_BYTES, _MOST_BYTES)
        try:
            exchange = await transport.send(HttpRequest("POST", path, headers, body), limits=limits)
        finally:
            await transport.aclose()
        if isinstance(exchange.reply, HttpReply) and exchange.problem is None:
            return "" if 200 <= exchange.reply.status < 300 else f"HTTP {exchange.reply.status}"
        return "no answer" if exchange.problem is None else exchange.problem.message

    async def _command(self, hook: Hook, event: Told) -> str:
        """Run it once, the event on its standard input; what went wrong, or nothing. It knows no secret of another hook."""
        process = await asyncio.create_subprocess_exec(
            *hook.command, cwd=self._folder, env=self._environment(event), start_new_session=True,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            async with asyncio.timeout(hook.timeout_s):
                await process.communicate(event.body() + b"\n")
        except TimeoutError:
            return f"took longer than {hook.timeout_s:g} s"
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, 9)
                await process.wait()
        return "" if process.returncode == 0 else f"ended with exit code {process.returncode}"

    def _environment(self, event: Told) -> dict[str, str]:
        mine = {name: value for name, value in os.environ.items() if value not in self._vault.known}
        return {**mine, "CONFORMANCE_EVENT": event.event, "CONFORMANCE_ENDPOINT": event.endpoint}
