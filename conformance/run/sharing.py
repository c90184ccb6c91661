"""What several workers that judge one live target must not do at the same time, and what they share out.

Each worker has its own desks, its part of the rate limits, of the request cap and of the concurrency. What a part cannot
settle is settled by locks on files in a folder that the workers share: a case that may touch every account waits until no
other worker is at work, one worker at a time uses a desk, and one worker at a time takes ids from a pool.
The bundled reference implementation needs none of it: there each worker has a server of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from conformance.endpoint.model import ServiceTarget, TargetFile
from conformance.errors import ConfigurationError, UsageError
from conformance.run.states import Ledger

_POLL_S = 0.01


@dataclass(frozen=True, slots=True)
class Share:
    """Which of how many workers this process is; `room` is the folder of the locks, where there are several."""

    worker: int = 0
    workers: int = 1
    room: Path | None = None
    whole_scopes: bool = True
    """Whether all items of a scope come to the same process."""
    rates_together: bool = False
    """Whether the rates are kept by all workers together, so that none is shared out."""

    @property
    def alone(self) -> bool:
        """Whether nobody else is at work on the target."""
        return self.room is None


_RATES = ("requests_per_second", "requests_per_minute", "requests_per_hour", "requests_per_day")


def share_of(target: TargetFile, share: Share) -> TargetFile:
    """The target as one worker sees it: its desks, and its part of what is limited for all of them together."""
    if share.alone:
        return target
    limits, divided = target.limits, 1 if share.rates_together else share.workers
    rates = {name: rate / divided for name in _RATES if (rate := getattr(limits, name)) is not None}
    windows = tuple(
        window.model_copy(
            update={name: rate / divided for name in _RATES if (rate := getattr(window, name, None)) is not None}
        )
        for window in limits.windows
    )
    concurrency = max(1, limits.concurrency // share.workers)
    cap = target.scope.max_requests
    part = None if cap is None else cap // share.workers + (share.worker % share.workers < cap % share.workers)
    return target.model_copy(
        update={
            "limits": limits.model_copy(update={**rates, "windows": windows, "concurrency": concurrency}),
            "scope": target.scope.model_copy(update={"max_requests": part}),
            "services": {name: _desks_of(service, share) for name, service in target.services.items()},
        }
    )


def desks_of(desks: int, share: Share) -> tuple[int, ...]:
    """The numbers of the worker's desks: every n-th, or one that it shares when there are fewer desks than workers."""
    own = tuple(range(share.worker % share.workers, desks, share.workers))
    return own or ((share.worker % desks,) if desks else ())


def _desks_of(service: ServiceTarget, share: Share) -> ServiceTarget:
    own = tuple(service.desks[number] for number in desks_of(len(service.desks), share))
    return service.model_copy(update={"desks": own})


class Claims:
    """Which desks of a target a process has for all its time, by locks in the room that it shares with others.

    Runs have a desk together, and take turns; a load has it alone. Runs count desks from the first one up to that which
    a load has, loads from the last one down, never the first: so every run gives a desk the same number.
    """

    def __init__(self, share: Share) -> None:
        self.share = share
        self._held: dict[tuple[str, int], IO[bytes]] = {}

    def __enter__(self) -> Claims:
        return self

    def __exit__(self, *_error: object) -> None:
        for file in self._held.values():
            file.close()
        self._held.clear()

    def for_run(self, target: TargetFile) -> TargetFile:
        """The target without the desks that a load has."""
        if self.share.alone:
            return target
        services = {}
        for name, service in target.services.items():
            free = next((n for n in range(len(service.desks)) if not self._take(name, n, alone=False)), None)
            services[name] = service.model_copy(update={"desks": service.desks[:free]})
        return target.model_copy(update={"services": services})

    def for_load(self, target: TargetFile, desks: int) -> dict[str, ServiceTarget]:
        """The services with at most so many desks each, which no run has; with all of them where none was to be had."""
        services = {}
        for name, service in target.services.items():
            own: list[int] = []
            for number in range(len(service.desks) - 1, 0, -1):
                if len(own) < desks and self._take(name, number, alone=True):
                    own.append(number)
            mine = tuple(service.desks[number] for number in sorted(own)) or service.desks
            services[name] = service.model_copy(update={"desks": mine})
        return services

    def holds(self, service: str) -> bool:
        """Whether a desk of the service is this process's own."""
        return any(name == service for name, _ in self._held)

    def _take(self, service: str, number: int, *, alone: bool) -> bool:
        import fcntl

        assert self.share.room is not None
        if (service, number) in self._held:
            return True
        file = (self.share.room / f"claim-{service}-{number}").open("ab")
        try:
            fcntl.flock(file, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        self._held[service, number] = file
        return True


def make_room(room: Path) -> None:
    """Make the folder that processes share. Raises `UsageError`, and `ConfigurationError` where there are no locks."""
    demand_locks()
    try:
        room.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot be made: {error.strerror or error}", where="--room") from error


def demand_locks() -> None:
    """Raises `ConfigurationError` where this system has no locks that workers could share."""
    if importlib.util.find_spec("fcntl") is None:
        raise ConfigurationError(
            "several processes cannot share a live target on this system", hint="Run without -n or --room."
        )


class Room:
    """The folder of locks of the workers on one target; without a folder nobody is waited for."""

    def __init__(self, share: Share, target: TargetFile, ledger: Ledger | None = None) -> None:
        """`target` is the whole one, before it is shared out; `ledger` is this worker's."""
        self._folder = share.room
        self._desks = {name: desks_of(len(service.desks), share) or (0,) for name, service in target.services.items()}
        self.pooled = share.workers > 1 and any(
            service.states.provider == "pool" or bool(service.states.pool) for service in target.services.values()
        )
        self.ledger = ledger or Ledger()
        if share.room is not None and self.pooled:
            self.ledger.on_taken = self._write_down

    @contextlib.asynccontextmanager
    async def entered(self, *, alone: bool, services_with_desks: Sequence[str] = ()) -> AsyncIterator[None]:
        """Be among those at work, or `alone`; the worker's desks of the services are its own meanwhile."""
        folder = self._folder
        if folder is None:
            yield
            return
        async with contextlib.AsyncExitStack() as held:
            # whoever waits to be alone stands in the door, so that nobody enters after him
            async with _lock(folder / "door", exclusive=True):
                await held.enter_async_context(_lock(folder / "room", exclusive=alone or self.pooled))
            for name in sorted(services_with_desks):
                for desk in self._desks[name]:
                    await held.enter_async_context(_lock(folder / f"desk-{name}-{desk}", exclusive=True))
            if self.pooled:
                self._read_up()
            yield

    def telling(self, note: Callable[[str], None]) -> Callable[[str], None]:
        """What notes ids of a pool that are used up, here and for the other workers."""

        def both(key: str) -> None:
            note(key)
            if self.pooled:
                self._write_down(key)

        return both

    def _write_down(self, key: str) -> None:
        assert self._folder is not None
        with (self._folder / "ledger").open("a", encoding="ascii") as file:
            file.write(f"{key}\n")

    def _read_up(self) -> None:
        assert self._folder is not None
        path = self._folder / "ledger"
        if path.exists():
            self.ledger.taken.update(path.read_text(encoding="ascii").split())


@contextlib.asynccontextmanager
async def _lock(path: Path, *, exclusive: bool) -> AsyncIterator[None]:
    import fcntl

    kind = fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH
    with path.open("ab") as file:
        while True:
            try:
                fcntl.flock(file, kind | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                await asyncio.sleep(_POLL_S)
        yield
