"""From the `states` table of a service to its provider (a module of its own: providers must not know each other)."""

from __future__ import annotations

from dataclasses import replace

from conformance.dialects.base import StateProvider
from conformance.dialects.sessions import Sessions
from conformance.endpoint.model import States, StateSource
from conformance.endpoint.secrets import plain
from conformance.errors import ConfigurationError
from conformance.guard.link import Link
from conformance.run.states.asked import AskedStates, Command, Hook
from conformance.run.states.pool import Ledger, PoolStates
from conformance.run.states.provider import NoStates, SharedStates
from conformance.wire.address import AddressError, parse_address
from conformance.wire.http.client import HttpTransport


def build_states(states: States, where: str, link: Link, sessions: Sessions, ledger: Ledger) -> StateProvider:
    """The provider; `where` is the path of the table, for complaints. Raises `ConfigurationError`."""
    default = _provider(states, where, link, sessions)
    pool = PoolStates(
        {name: tuple(plain(ids) for ids in entries) for name, entries in states.pool.items()},
        ledger,
        _asked(states, where, link),
    )
    own: dict[str, StateProvider] = dict.fromkeys(states.pool, pool)
    for name, source in states.by_state.items():
        own[name] = _provider(source, f"{where}.by_state.{name}", link, sessions)
    return SharedStates(default, own) if own else default


def _provider(source: StateSource, where: str, link: Link, sessions: Sessions) -> StateProvider:
    if source.provider == "calls":
        return sessions.dialect.provider(sessions) or NoStates()
    if source.provider in ("hook", "command"):
        asked = _asked(source, where, link)
        if asked is not None:
            return asked
    return NoStates()


def _asked(source: StateSource, where: str, link: Link) -> AskedStates | None:
    """Hook or command, as far as one is given; beside a pool it only observes."""
    if source.command is not None and source.provider != "hook":
        return AskedStates(Command(source.command, source.timeout_s), source.clean)
    if source.url is None:
        return None
    try:
        address = parse_address(source.url)
    except AddressError as error:
        raise ConfigurationError(str(error), where=f"{where}.url") from error
    if address.scheme not in ("http", "https"):
        raise ConfigurationError(
            f"{address.scheme}:// does not fit here", where=f"{where}.url", hint="Use http:// or https://."
        )
    limits = replace(link.limits, total_timeout_s=source.timeout_s)
    return AskedStates(Hook(HttpTransport(address), limits), source.clean)
