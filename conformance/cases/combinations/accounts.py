"""The levels of cases whose call names an account, an order or a quote.

All is seen from the caller: which of his accounts the call names or whose it is, where the thing stands that it names,
and what stands beside that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from conformance.cases.combinations.reading import Ref, read_request
from conformance.cases.generated.account_grammar import INSTRUMENTS
from conformance.cases.generated.account_model import CLIENT, OMS, own_accounts
from conformance.cases.generated.accounts import KEYS
from conformance.cases.generated.rules import SearchSpace
from conformance.model.case import Case, OwnSession, StateNeed
from conformance.model.scenario import Factor

Levels = dict[str, str]
_SURE = 2**17
"""A number as large as this is no id that a target has given."""


@dataclass(frozen=True, slots=True)
class _Thing:
    """An order or a quote that is set up, as the caller may see it."""

    name: str
    need: StateNeed
    account: str
    instrument: str

    @property
    def quote(self) -> bool:
        return self.need.state.endswith("-quote")

    @property
    def many(self) -> bool:
        return int(self.need.params.get("count", 1)) > 1


@dataclass(frozen=True, slots=True)
class _View:
    """A call and the book, seen by its caller."""

    space: SearchSpace
    role: str
    parts: Mapping[str, Any]
    """Each part of the call, as `explore.members` has it: a name, "" for one that is left out, None for another value."""
    things: tuple[_Thing, ...]

    @property
    def own(self) -> tuple[str, ...]:
        return own_accounts(self.space.rules, self.role)

    @property
    def place(self) -> str:
        """The account that the call is for; empty where nobody can say."""
        return self.parts.get("account") or (
            self.own[0] if self.own and self.role not in self.space.rules.every else ""
        )

    def whose(self, account: str) -> str:
        if account == self.place:
            return "here"
        return "own-elsewhere" if account in self.own else "others"

    def thing(self, name: str) -> _Thing | None:
        return next((one for one in self.things if name in (one.name, *_watched(one), f"{one.name}{CLIENT}")), None)


def _watched(one: _Thing) -> tuple[str, ...]:
    return (f"{one.name}.bid", f"{one.name}.ask") if one.quote else ()


def levels_of_call(space: SearchSpace, factors: Sequence[Factor], case: Case) -> Iterator[Levels]:
    """The levels of the judged call, once for each thing that stands beside what it names."""
    if case.together > 1 or case.beside or case.race:
        return
    request = read_request(space.operation, case, case.message)
    things = _things(case)
    if request is None or things is None or not isinstance(request.value, Mapping):
        return
    spelling, parts = _parts(space, request.value)
    earlier, gone = _earlier(space, case)
    if not parts or not earlier:
        return
    view = _View(space, case.role, parts, tuple(one for one in things if one.name not in gone))
    sent = {
        "role": case.role, "transport": str(case.transport), "session": _session(case.session), "keys": spelling,
        "oms": _oms(parts["oms"]), "account": _account(view), "instrument": "", "earlier": earlier,
    }  # fmt: skip
    for seen in _SEEN[space.rules.model](view):
        yield {factor.name: {**sent, **seen}.get(factor.of, "") for factor in factors}


def _things(case: Case) -> tuple[_Thing, ...] | None:
    found = []
    for name, need in case.states.items():
        params = need.params
        if isinstance(params.get("client"), str) or params.get("after"):
            return None
        account = str(params.get("account", "${account}"))[2:-1]
        found.append(_Thing(name, need, account, str(params.get("instrument", "${instrument}"))[2:-1]))
    return tuple(found)


def _parts(space: SearchSpace, value: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """How the members are spelled, and the parts of the call; no parts where there are other members."""
    members = space.rules.members
    by_name = {member.lower(): part for part, member in members.items()}
    parts: dict[str, Any] = dict.fromkeys(members, "")
    for name, content in value.items():
        part = by_name.pop(name.lower(), None)
        if part is None:
            return "", {}
        parts[part] = _name(content)
    documented = [members[part] for part in members if members[part].lower() in {name.lower() for name in value}]
    spellings = (style for style, change in KEYS.items() if {change(name) for name in documented} == set(value))
    return next(spellings, ""), parts


def _name(value: Any) -> str | None:
    """The name of an id; `unknown` for a number that nothing can have."""
    if isinstance(value, Ref):
        unknown = value.name.startswith("unknown")
        return None if value.shifted and not unknown else value.name
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= _SURE:
        return "unknown"
    return None


def _oms(name: str | None) -> str:
    if name is None or name == "":
        return "absent" if name == "" else ""
    return "unknown" if name.startswith("unknown") else {OMS: "right", "other_oms": "other"}.get(name, "")


def _account(view: _View) -> str:
    name = view.parts["account"]
    if name is None or name == "":
        return "absent" if name == "" else ""
    if name.startswith("unknown"):
        return "unknown"
    known = {account for accounts in view.space.rules.accounts.values() for account in accounts}
    if name not in known:
        return ""
    return "first" if name in view.own[:1] else "second" if name in view.own[1:2] else "others"


def _session(session: OwnSession | None) -> str:
    if session is None:
        return "run"
    return "after-another" if session.first and replace(session, first="") == OwnSession() else ""


def _earlier(space: SearchSpace, case: Case) -> tuple[str, frozenset[str]]:
    """What was sent before, and the things that it alone names."""
    if not case.before:
        return "none", frozenset()
    if not case.before_role and all(one == case.message for one in case.before):
        return "same", frozenset()
    if len(case.before) > 1 or case.before_role:
        return "", frozenset()
    before = read_request(space.operation, case, case.before[0])
    if before is None:
        return _of_another_call(space, case)
    named = {_name(value) or "" for value in before.value.values()} if isinstance(before.value, Mapping) else set()
    return "other", frozenset(name.partition(".")[0] for name in named).intersection(case.states)


def _of_another_call(space: SearchSpace, case: Case) -> tuple[str, frozenset[str]]:
    call = space.rules.cancel
    text = case.before[0].path + (case.before[0].frame or "")
    named = frozenset(name for name in case.states if f"${{{name}}}" in case.before[0].body.text)
    return ("other-call", named) if call and call in text and named else ("", frozenset())


def _seen_all(view: _View) -> Iterator[Levels]:
    """Of a call that empties an account: what stands in it, and elsewhere."""
    here = [one for one in view.things if one.account == view.place]
    for beside in _beside(view, [one for one in view.things if one.account != view.place]):
        yield {"stands": _standing(here), "beside": beside}


def _standing(here: Sequence[_Thing]) -> str:
    orders, quotes = [one for one in here if not one.quote], [one for one in here if one.quote]
    if not orders:
        return "quote" if quotes else "nothing"
    if quotes:
        return "order-and-quote"
    if any(one.many for one in orders):
        return "many"
    return "several" if len(orders) > 1 else "numbered" if orders[0].need.params.get("client") else "order"


def _seen_one(view: _View) -> Iterator[Levels]:
    """Of a call that names an order: where that stands, and what stands beside it."""
    order, client = view.parts["order"], view.parts["client"]
    named = {one.name for name in (order, client) if name and (one := view.thing(name))}
    meant = next((one for one in view.things if one.name == order and not one.quote), None)
    for beside in _beside(view, [one for one in view.things if one.name not in named]):
        yield {"order": _order(view, order), "client": _client(view, client, meant), "beside": beside}


def _order(view: _View, name: str | None) -> str:
    if name is None or name == "":
        return "absent" if name == "" else ""
    thing = view.thing(name)
    if thing is None:
        return "unknown" if name.startswith("unknown") else ""
    if thing.quote or thing.many:
        return ""
    return "client-number" if name.endswith(CLIENT) else view.whose(thing.account)


def _client(view: _View, name: str | None, meant: _Thing | None) -> str:
    if name is None or name == "":
        return "absent" if name == "" else ""
    thing = view.thing(name)
    if thing is None:
        return "unknown" if name.startswith("unknown") else ""
    if not name.endswith(CLIENT):
        return "" if thing.quote else "order-id"
    whose = view.whose(thing.account)
    other = meant is not None and meant != thing and view.whose(meant.account) == "here"
    return ("another" if other else "here") if whose == "here" else "others" if whose == "others" else ""


def _seen_quote(view: _View) -> Iterator[Levels]:
    """Of a call that names two legs: the quote that it is about, seen from each quote that it names."""
    named = [one for name in (view.parts["bid"], view.parts["ask"]) if name and (one := view.thing(name)) and one.quote]
    mains = named or [one for one in view.things if one.quote]
    for main in {one.name: one for one in mains}.values():
        legs = {leg: _leg(view, leg, main) for leg in ("bid", "ask")}
        used = {main.name, *(one.name for name in legs if (one := view.thing(view.parts[name] or " ")))}
        others = [one for one in view.things if one.name not in used]
        for beside in _beside(view, others):
            yield {
                **legs,
                "whose": view.whose(main.account),
                "stands": "cancelled" if main.need.state.startswith("cancelled") else "open",
                "instrument": _instrument(view.parts["instrument"], main),
                "beside": beside,
            }


def _leg(view: _View, leg: str, main: _Thing) -> str:
    name = view.parts[leg]
    if name is None or name == "":
        return "absent" if name == "" else ""
    thing = view.thing(name)
    if thing is None:
        return "unknown" if name.startswith("unknown") else ""
    if not thing.quote:
        return "" if name.endswith(CLIENT) else "order"
    own_leg = name == f"{thing.name}.{leg}"
    if thing == main:
        return "right" if own_leg else "other-leg"
    return "another" if own_leg and thing.account == main.account and thing.need.state == "open-quote" else ""


def _instrument(name: str | None, main: _Thing) -> str:
    if name is None or name == "":
        return "absent" if name == "" else ""
    if name.startswith("unknown"):
        return "unknown"
    return "right" if name == main.instrument else "other" if name in INSTRUMENTS else ""


def _beside(view: _View, things: Sequence[_Thing]) -> Iterator[str]:
    """What these things are beside what the call names, each once; `nothing` for none."""
    quotes = view.space.rules.model == "cancel-quote"
    of_another_kind = "order" if quotes else "quote"
    found = {view.whose(one.account) if one.quote is quotes else of_another_kind for one in things}
    yield from sorted(found) if things else ("nothing",)


_SEEN = {"cancel-all": _seen_all, "cancel-one": _seen_one, "cancel-quote": _seen_quote}
