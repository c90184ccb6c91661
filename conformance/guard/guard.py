"""The scope guard of a run: the target file's scope and what the run itself set up, asked before every message.

The scope guard, the last gate before the wire: it refuses what a reader may take for too much.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from conformance.endpoint.model import Binding, ScopePart, TargetFile, every_role, is_client_number, is_pin
from conformance.guard.messages import frame_reason, http_reason
from conformance.guard.pointing import points_elsewhere
from conformance.guard.rules import Catalogue, catalogue_of
from conformance.guard.values import ALLOWED, Bounds, Decision, Granted, Scope
from conformance.model.spec import Contract, Operation
from conformance.wire.messages import HttpRequest, WsRequest

__all__ = ["Catalogue", "Decision", "Granted", "Scope", "catalogue_of", "decide_by"]


def decide_by(catalogue: Catalogue, scope: Scope, sent: HttpRequest | WsRequest, granted: Granted) -> Decision:
    """Whether this message may be sent, set-up calls included.

    Refused are messages to a call that no operation's `scope:` key knows, and messages that could, for any
    reader however lenient, name or mean a thing outside the scope. An absent or zero account means every
    account (published AlphaPoint documents on CancelAllOrders).
    """
    if scope.unlimited:
        return ALLOWED
    bounds = Bounds(scope, granted)
    reason = (
        frame_reason(bounds, catalogue, sent.text)
        if isinstance(sent, WsRequest)
        else http_reason(bounds, catalogue, sent)
    )
    return Decision(False, reason) if reason else ALLOWED


_ANYTHING = Decision(True, "the target file lets everything be touched")


@dataclass(slots=True)
class Guard:
    """Decides on each message; `grant` widens the scope by what a state provider has just made for the run."""

    catalogue: Catalogue
    scope: Scope
    harmless: set[str]
    harmless_members: frozenset[str] = frozenset()
    """Members whose values name nothing that the call acts on."""
    orders: set[int] = field(default_factory=set)
    quotes: set[int] = field(default_factory=set)
    clients: set[int] = field(default_factory=set)
    uids: set[str] = field(default_factory=set)
    places: set[str] = field(default_factory=set)
    """Addresses and files of the run that a body may name."""

    def __call__(self, sent: HttpRequest | WsRequest) -> Decision:
        """Whether the message may be written. Whatever the scope, it points the server at nothing that is not the run's."""
        if isinstance(sent, HttpRequest) and (reason := points_elsewhere(sent.body, self.places)):
            return Decision(False, reason)
        if self.scope.unlimited:
            return _ANYTHING
        granted = Granted(
            orders=frozenset(self.orders),
            quotes=frozenset(self.quotes),
            clients=frozenset(self.clients),
            uids=frozenset(self.uids),
            harmless_values=frozenset(self.harmless),
        )
        return decide_by(self.catalogue, self.scope, sent, granted)

    def grant(self, bindings: Mapping[str, Binding]) -> None:
        """Take the ids of a state into the scope, and places that a body may name: they exist because this run made them."""
        places = {value for value in bindings.values() if isinstance(value, str) and "://" in value}
        self.places |= places
        if self.scope.unlimited:
            return
        for name, value in bindings.items():
            if value in places:
                continue
            member = name.rpartition(".")[2]
            if member in self.harmless_members or is_pin(member):
                self.harmless.add(str(value))
            elif isinstance(value, str):
                self.uids.add(value.lower())
            elif is_client_number(name):
                self.clients.add(value)
            elif member in ("bid", "ask"):
                self.quotes.add(value)
            else:
                self.orders.add(value)

    def afresh(self) -> Guard:
        """The same guard, to which nothing is granted yet."""
        return replace(
            self, harmless=set(self.harmless), orders=set(), quotes=set(), clients=set(), uids=set(), places=set()
        )

    @property
    def bounded(self) -> bool:
        """Whether there is anything that may not be touched."""
        return not self.scope.unlimited

    def known_as(self, number: int) -> str:
        """What the target file takes an id of an order for, in words; "" for one that may be new."""
        if number in self.scope.unknown:
            return "an id that nothing has, as scope.unknown says"
        return "an order that scope.orders names, and so no new one" if number in (self.scope.orders or ()) else ""


def guard_for(target: TargetFile, contract: Contract) -> Guard:
    """The guard of a target file."""
    operations = {
        name: contract.operations[name] for service in target.services for name in contract.services[service].operations
    }
    sign_ins = frozenset(way for role in every_role(target) for way in role.login_keys.paths())
    catalogue = replace(catalogue_of(operations), sign_ins=sign_ins)
    members, bindings = _harmless(operations.values())
    harmless = {
        str(value)
        for service in target.services.values()
        for name, value in service.bindings.items()
        if name in bindings or is_pin(name)
    }
    return Guard(catalogue, scope_of(target.scope), harmless, members)


def _harmless(operations: Iterable[Operation]) -> tuple[frozenset[str], frozenset[str]]:
    """The members that the operations call harmless, and the bindings that stand in them."""
    members: set[str] = set()
    bindings: set[str] = set()
    for operation in operations:
        for name in operation.scope.harmless if operation.scope is not None else ():
            members.add(name)
            bindings.add(operation.fields[name].binding if name in operation.fields else "")
    return frozenset(members), frozenset(bindings)


def scope_of(part: ScopePart) -> Scope:
    """The `[scope]` table as the guard reads it."""
    if part.everything:
        return Scope.everything(max_requests=part.max_requests)
    return Scope(
        accounts=frozenset(part.accounts),
        oms=frozenset(part.oms),
        instruments=frozenset(part.instruments),
        orders=frozenset(part.orders),
        uids=frozenset(uid.lower() for uid in part.uids),
        unknown=frozenset(one.lower() if isinstance(one, str) else one for one in part.unknown),
        max_requests=part.max_requests,
        destructive=part.destructive,
    )
