"""Violations of one edition of CancelAllOrders: what a user, an account and an instrument mean, named or left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reference_impl.alphapoint.book import Order
from reference_impl.alphapoint.members import optional_integer
from reference_impl.alphapoint.values import INVALID_REQUEST, Call, CancelAllRequest, Refused
from reference_impl.changes import CAO, fault_of, step
from reference_impl.parts import Parts
from reference_impl.variants import Change, Variant
from reference_impl.world.model import Account, User

EARLIER, LATER = "3.2", "later"
Orders = tuple[Order, ...]
Meant = tuple[Account, ...]
When = Callable[[Parts, Call, CancelAllRequest], bool]


def instrument_of(call: Call) -> int | None:
    """The instrument that the call names, under either name of the page; None where there is none."""
    first = optional_integer(call, "InstrumentId")
    return optional_integer(call, "IntrumentId") if first is None else first


def is_unknown(parts: Parts, call: Call) -> bool:
    """Whether the call names an instrument that does not exist."""
    instrument = instrument_of(call)
    return bool(instrument) and instrument not in parts.world.instruments


def _on(parts: Parts, request: CancelAllRequest, meant: Meant, instrument: int | None = None) -> Orders:
    """The open orders of these accounts, on one instrument or on all."""
    book = parts.alphapoint.book
    orders = (order for account in meant for order in book.open_orders(request.oms_id, account.account_id))
    return tuple(one for one in orders if not one.is_quote and instrument in (None, one.instrument_id))


def _selecting(when: When, instrument: int | None = None) -> Change:
    """In these calls, the orders on one instrument or on all of them, whichever the call names."""

    def select(inner: Any, parts: Parts, call: Call, request: CancelAllRequest, meant: Meant) -> Orders:
        if when(parts, call, request):
            return _on(parts, request, meant, instrument)
        found: Orders = inner(parts, call, request, meant)
        return found

    return step(CAO, "select", select)


def _meaning(when: When, accounts: Callable[[Parts, Call, CancelAllRequest], Meant]) -> Change:
    """In these calls, other accounts than the call means."""

    def changed(inner: Any, parts: Parts, call: Call, request: CancelAllRequest) -> Meant:
        found: Meant = (accounts if when(parts, call, request) else inner)(parts, call, request)
        return found

    return step(CAO, "accounts", changed)


def _always(_parts: Parts, _call: Call, _request: CancelAllRequest) -> bool:
    return True


def _no_account(_parts: Parts, _call: Call, request: CancelAllRequest) -> bool:
    return not request.account_id


def _account_zero(_parts: Parts, _call: Call, request: CancelAllRequest) -> bool:
    return request.account_id == 0


def _no_instrument(_parts: Parts, call: Call, _request: CancelAllRequest) -> bool:
    return instrument_of(call) is None


def _instrument_zero(_parts: Parts, call: Call, _request: CancelAllRequest) -> bool:
    return instrument_of(call) == 0


def _unknown(parts: Parts, call: Call, _request: CancelAllRequest) -> bool:
    return is_unknown(parts, call)


def _user(_parts: Parts, call: Call, _request: CancelAllRequest) -> bool:
    return bool(optional_integer(call, "UserId"))


def _user_alone(parts: Parts, call: Call, request: CancelAllRequest) -> bool:
    return _user(parts, call, request) and not request.account_id


def _nobody(parts: Parts, call: Call, request: CancelAllRequest) -> bool:
    return not _user(parts, call, request) and not request.account_id


def _by_operator(when: When) -> When:
    return lambda parts, call, request: "Operator" in call.user.permissions and when(parts, call, request)


def _with_instrument(when: When) -> When:
    return lambda parts, call, request: bool(instrument_of(call)) and when(parts, call, request)


def _of_user(parts: Parts, request: CancelAllRequest, user: User) -> Meant:
    found = (parts.world.accounts[one] for one in user.accounts)
    return tuple(one for one in found if one.oms_id == request.oms_id and one.on_cancel == "succeed")


def _own_default(parts: Parts, call: Call, request: CancelAllRequest) -> Meant:
    return _of_user(parts, request, call.user)[:1]


def _own(parts: Parts, call: Call, request: CancelAllRequest) -> Meant:
    return _of_user(parts, request, call.user)


def _everybodys(parts: Parts, _call: Call, request: CancelAllRequest) -> Meant:
    every = parts.world.accounts.values()
    return tuple(one for one in every if one.oms_id == request.oms_id and one.on_cancel == "succeed")


def _of_the_user_named(parts: Parts, call: Call, request: CancelAllRequest) -> Meant:
    user_id = optional_integer(call, "UserId")
    user = next((one for one in parts.world.users.values() if one.user_id == user_id), None)
    return () if user is None else _of_user(parts, request, user)


def _first_of_the_user_named(parts: Parts, call: Call, request: CancelAllRequest) -> Meant:
    return _of_the_user_named(parts, call, request)[:1]


def _refusing(when: When, detail: str) -> Change:
    def accounts(_parts: Parts, _call: Call, _request: CancelAllRequest) -> Meant:
        raise Refused(INVALID_REQUEST, "member", detail)

    return _meaning(when, accounts)


def _nothing(when: When) -> Change:
    """In these calls nothing is cancelled, and success reported."""
    return _meaning(when, lambda _parts, _call, _request: ())


def _later(name: str, summary: str, breaks: str, change: Change) -> Variant:
    return fault_of(CAO, f"later-{name}", summary, breaks, change, LATER)


def _earlier(name: str, summary: str, breaks: str, change: Change) -> Variant:
    return fault_of(CAO, f"earlier-{name}", summary, breaks, change, EARLIER)


FAULTS: tuple[Variant, ...] = (
    _later("instrument-ignored", "Ignores the instrument", "LATER-INSTRUMENT", _selecting(_always)),
    _later(
        "instrument-needs-account",
        "Ignores the instrument where no account is named",
        "LATER-INSTRUMENT",
        _selecting(_no_account),
    ),
    _later(
        "unknown-instrument-is-none",
        "Cancels on every instrument for one that does not exist",
        "LATER-INSTRUMENT",
        _selecting(_unknown),
    ),
    _later(
        "instrument-zero-nothing",
        "Looks for orders on an instrument 0 and reports success",
        "LATER-EVERY-INSTRUMENT",
        _nothing(_instrument_zero),
    ),
    _later(
        "first-instrument",
        "Without an instrument cancels on the first one alone",
        "LATER-EVERY-INSTRUMENT",
        _selecting(_no_instrument, 1),
    ),
    _later(
        "instrument-required",
        "Asks for an instrument",
        "LATER-EVERY-INSTRUMENT",
        _refusing(_no_instrument, "InstrumentId is Required"),
    ),
    _later(
        "default-account",
        "Without an account cancels in the caller's default account alone",
        "LATER-EVERY-ACCOUNT",
        _meaning(_no_account, _own_default),
    ),
    _later(
        "account-zero-default",
        "For account 0 cancels in the caller's default account alone",
        "LATER-EVERY-ACCOUNT",
        _meaning(_account_zero, _own_default),
    ),
    _later(
        "everybody",
        "Without an account cancels everybody's orders, whoever calls",
        "LATER-EVERY-ACCOUNT SCOPE-TRADING",
        _meaning(_no_account, _everybodys),
    ),
    _later(
        "operators-own",
        "Without an account cancels an operator's own orders alone",
        "LATER-EVERY-ACCOUNT",
        _meaning(_by_operator(_no_account), _own),
    ),
    _later(
        "account-required",
        "Asks for an account",
        "LATER-EVERY-ACCOUNT",
        _refusing(_no_account, "AccountId is Required"),
    ),
    _earlier(
        "user-default-account",
        "For a user cancels in his default account alone",
        "EARLIER-USER",
        _meaning(_user_alone, _first_of_the_user_named),
    ),
    _earlier(
        "user-is-everybody",
        "For a user without an account cancels everybody's orders",
        "EARLIER-USER",
        _meaning(_user_alone, _everybodys),
    ),
    _earlier(
        "user-by-operator-is-everybody",
        "For a user whom an operator names cancels everybody's orders",
        "EARLIER-USER",
        _meaning(_by_operator(_user_alone), _everybodys),
    ),
    _earlier(
        "user-widens-account",
        "For a user cancels in all his accounts, whichever is named beside him",
        "EARLIER-USER",
        _meaning(_user, _of_the_user_named),
    ),
    _earlier("instrument-ignored", "Ignores the instrument", "EARLIER-INSTRUMENT", _selecting(_always)),
    _earlier(
        "user-drops-instrument",
        "Ignores the instrument where a user is named",
        "EARLIER-INSTRUMENT",
        _selecting(_user),
    ),
    _earlier(
        "first-instrument",
        "Without an instrument cancels on the first one alone",
        "EARLIER-INSTRUMENT",
        _selecting(_no_instrument, 1),
    ),
    _earlier(
        "nobody-is-caller",
        "For neither a user nor an account cancels the caller's orders, without the special permission",
        "EARLIER-EVERYBODY",
        _meaning(_nobody, _own),
    ),
    _earlier(
        "nobody-is-everybody",
        "For neither a user nor an account cancels everybody's orders, whoever calls",
        "EARLIER-EVERYBODY",
        _meaning(_nobody, _everybodys),
    ),
    _earlier(
        "instrument-needs-no-permission",
        "For an instrument alone cancels the orders of everybody on it, whoever calls",
        "EARLIER-EVERYBODY",
        _meaning(_with_instrument(_nobody), _everybodys),
    ),
    _earlier(
        "nobody-100",
        "Refuses a call without user and account with code 100",
        "EARLIER-EVERYBODY",
        _refusing(_nobody, "UserId or AccountId is Required"),
    ),
    _earlier(
        "other-user",
        "Cancels the orders of any user who is named, whoever calls",
        "EARLIER-OTHER-USER",
        _meaning(_user_alone, _of_the_user_named),
    ),
)
