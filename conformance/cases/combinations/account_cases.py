"""The case whose call has given levels: what it names, what is set up, and what is sent before.

The expectation comes from the model of the operation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from conformance.cases.generated.account_grammar import INSTRUMENTS
from conformance.cases.generated.account_model import CLIENT, OMS, OrderOrQuote, Request, own_accounts
from conformance.cases.generated.accounts import AccountTrial, CancelOne, PlannedState, Step
from conformance.cases.generated.rules import SearchSpace, Wire
from conformance.model.case import Case, OwnSession
from conformance.model.scenario import Factor

_MANY = 21
"""More orders than a page of twenty holds."""
_ANYWHERE = ("here", "own-elsewhere", "others")


@dataclass(slots=True)
class _Book:
    """What is set up for a case; a name is taken once, and a quote stands alone on its account and instrument."""

    space: SearchSpace
    role: str
    here: str
    placed: list[PlannedState]

    @property
    def own(self) -> tuple[str, ...]:
        return own_accounts(self.space.rules, self.role)

    def accounts(self, whose: str) -> list[str]:
        """The accounts that are the one of the call, another one of the caller's, or another owner's."""
        every = [name for names in self.space.rules.accounts.values() for name in names]
        if whose == "here":
            return [self.here] if self.here in every else []
        return [name for name in every if name != self.here and (name in self.own) is (whose == "own-elsewhere")]

    def order(self, name: str, whose: str, *, client: bool = False, many: bool = False) -> PlannedState | None:
        """An order there; None where there is no such account."""
        account = next(iter(self.accounts(whose)), None)
        if account is None:
            return None
        instrument = INSTRUMENTS[len(self.placed) % 2]
        one = PlannedState(
            OrderOrQuote(name, quote=False, account=account, instrument=instrument, client=client),
            side="sell" if len(self.placed) % 2 else "",
            count=_MANY if many else 1,
        )
        self.placed.append(one)
        return one

    def quote(self, name: str, whose: str, instrument: str = "", *, gone: bool = False) -> PlannedState | None:
        """A quote there; None where there is no free place."""
        taken = {(one.thing.account, one.thing.instrument) for one in self.placed if one.thing.quote}
        for account in self.accounts(whose):
            for place in (instrument,) if instrument else INSTRUMENTS:
                if account in self.space.rules.quoting and (account, place) not in taken:
                    one = PlannedState(OrderOrQuote(name, quote=True, account=account, instrument=place), gone=gone)
                    self.placed.append(one)
                    return one
        return None


def case_of_call(space: SearchSpace, factors: Sequence[Factor], row: Mapping[str, str]) -> Case | None:
    """The case with these levels, which the model predicts; None where it cannot, or where nothing can be set up so."""
    by_kind = {str(one.of): row[one.name] for one in factors}
    role = by_kind["role"]
    account = _account_of(space, role, by_kind)
    if account is None:
        return None
    own = own_accounts(space.rules, role)
    book = _Book(space, role, account or (own[0] if own and role not in space.rules.every else ""), [])
    oms = {"right": OMS, "other": "other_oms", "unknown": "unknown_oms", "absent": ""}[by_kind["oms"]]
    request = _MAKERS[space.rules.model](book, by_kind, Request(role, oms, account))
    before = None if request is None else _before(book, by_kind, request)
    if request is None or before is None:
        return None
    channel = next(one for one in space.channels if one.transport == by_kind["transport"])
    trial = AccountTrial(space, Wire(channel), role, (*before, request), tuple(book.placed), keys=by_kind["keys"])
    case = trial.case()
    return None if case is None else replace(case, session=_session_of(space, role, by_kind["session"]))


def _session_of(space: SearchSpace, role: str, level: str) -> OwnSession | None:
    if level == "after-another":
        return OwnSession(first=next(one for one in space.rules.roles if one != role))
    return None


def _account_of(space: SearchSpace, role: str, by_kind: Mapping[str, str]) -> str | None:
    """The account that the call names; None where there is none of that kind."""
    level, own = by_kind["account"], own_accounts(space.rules, role)
    if level in ("unknown", "absent"):
        return "unknown_account" if level == "unknown" else ""
    if level in ("first", "second"):
        return next(iter(own[level == "second" :]), None)
    every = [name for names in space.rules.accounts.values() for name in names if name not in own[:2]]
    quotes = space.rules.model == "cancel-quote" or "quote" in by_kind.get("stands", "")
    return next((name for name in every if not quotes or name in space.rules.quoting), None)


def _before(book: _Book, by_kind: Mapping[str, str], request: Request) -> tuple[Step, ...] | None:
    """What is sent before; None where nothing like it can be."""
    level = by_kind["earlier"]
    if level in ("none", "same"):
        return (request,) if level == "same" else ()
    whose = "here" if book.here in book.own else "own-elsewhere" if book.own else "others"
    if level == "other" and book.space.rules.model == "cancel-all":
        own = book.accounts("own-elsewhere")[by_kind["beside"] == "own-elsewhere" :]
        others = (*reversed(own), "unknown_account", *book.accounts("others"))
        return (replace(request, oms=OMS, account=next(name for name in others if name != request.account)),)
    if book.space.rules.model == "cancel-quote":
        kinds = [whose, "own-elsewhere", "others"]
        quote = next((one for kind in kinds if (one := book.quote("e", kind)) is not None), None)
        if quote is None:
            return None
        thing = quote.thing
        return (Request(request.role, OMS, thing.account, thing.instrument, "e.bid", "e.ask"),)
    one = book.order("e", whose)
    if one is None:
        return None
    return (CancelOne("e") if level == "other-call" else Request(request.role, OMS, one.thing.account, order="e"),)


def _empties(book: _Book, by_kind: Mapping[str, str], request: Request) -> Request | None:
    stands = by_kind["stands"]
    made: list[PlannedState | None] = []
    if stands in ("order", "numbered", "several", "many", "order-and-quote"):
        made.append(book.order("o", "here", client=stands == "numbered", many=stands == "many"))
    if stands == "several":
        made.append(book.order("o2", "here"))
    if "quote" in stands:
        made.append(book.quote("q", "here"))
    return _with_beside(book, by_kind, request, made)


def _names_order(book: _Book, by_kind: Mapping[str, str], request: Request) -> Request | None:
    order, client = by_kind["order"], by_kind["client"]
    made: list[PlannedState | None] = []
    named = {"unknown": "unknown_order", "client-number": f"o{CLIENT}", "absent": ""}.get(order, "o")
    number = {"unknown": "unknown_order2", "absent": "", "order-id": "c", "here": f"o{CLIENT}"}.get(
        client, f"c{CLIENT}"
    )
    if named.startswith("o"):
        numbered = order == "client-number" or (order == "here" and client == "here")
        made.append(book.order("o", "here" if order == "client-number" else order, client=numbered))
    if client == "here" and order not in ("here", "client-number"):
        number = f"c{CLIENT}"
    if number.startswith("c"):
        made.append(book.order("c", "others" if client == "others" else "here", client=client != "order-id"))
    return _with_beside(book, by_kind, replace(request, order=named, client=number), made)


def _names_legs(book: _Book, by_kind: Mapping[str, str], request: Request) -> Request | None:
    whose = by_kind["whose"]
    made = [book.quote("q", whose, INSTRUMENTS[0], gone=by_kind["stands"] == "cancelled")]
    if made[0] is None:
        return None
    legs = [by_kind["bid"], by_kind["ask"]]
    if "another" in legs:
        other = OrderOrQuote("q2", quote=True, account=made[0].thing.account, instrument=INSTRUMENTS[1])
        book.placed.append(PlannedState(other))
    if "order" in legs:
        made.append(next(one for whose in _ANYWHERE if (one := book.order("o", whose))))
    bid, ask = (
        {
            "right": f"q.{leg}", "other-leg": f"q.{opposite}", "another": f"q2.{leg}", "order": "o", "absent": "",
            "unknown": unknown,
        }[level]
        for level, leg, opposite, unknown in zip(
            legs, ("bid", "ask"), ("ask", "bid"), ("unknown_order", "unknown_order2"), strict=True
        )
    )  # fmt: skip
    instrument = {"right": INSTRUMENTS[0], "other": INSTRUMENTS[1], "absent": "", "unknown": "unknown_instrument"}
    request = replace(request, instrument=instrument[by_kind["instrument"]], bid=bid, ask=ask)
    return _with_beside(book, by_kind, request, made)


def _with_beside(
    book: _Book, by_kind: Mapping[str, str], request: Request, made: list[PlannedState | None]
) -> Request | None:
    """The request, when what it needs is set up, and what stands beside that; None where something cannot be."""
    level, quotes = by_kind["beside"], book.space.rules.model == "cancel-quote"
    if level in ("order", "quote"):
        options = _ANYWHERE if level == "order" else ("own-elsewhere", "others", "here")
        make = book.order if level == "order" else book.quote
        made.append(next((one for whose in options if (one := make("b", whose)) is not None), None))
    elif level != "nothing":
        made.append(book.quote("b", level) if quotes else book.order("b", level))
    return None if None in made else request


_MAKERS = {"cancel-all": _empties, "cancel-one": _names_order, "cancel-quote": _names_legs}
