"""Violations of every call that show only where two or three circumstances meet: each of them alone is served right."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from reference_impl.alphapoint.book import Order
from reference_impl.alphapoint.values import Answer, Call, Pair, Standard
from reference_impl.changes import CAO, CO, CQ, Operation, fault_of, handler
from reference_impl.parts import Parts, with_tpp
from reference_impl.recorder import Recorder
from reference_impl.tpp.changes import tpp_fault
from reference_impl.tpp.service import key_of
from reference_impl.tpp.values import Format, Instruction, Result
from reference_impl.variants import Change, Variant
from reference_impl.wire import HttpRequest

_Inner = Callable[[Parts, Call], Answer]
_PAGE = 20


@dataclass(slots=True)
class _List:
    """The list under way: its request, its instructions, and how many of them were carried out."""

    request: HttpRequest | None = None
    items: Sequence[Instruction] = ()
    done: list[Result] = field(default_factory=list)

    @property
    def place(self) -> int:
        """The place of the instruction that is next."""
        return len(self.done)

    @property
    def last(self) -> bool:
        """Whether it is the last one."""
        return self.place == len(self.items) - 1

    def header(self, name: str) -> str:
        """A header of the request, without its parameters; empty where it has none."""
        assert self.request is not None
        return (self.request.header(name) or "").partition(";")[0].strip().lower()

    def neighbour(self, step: int) -> Instruction | None:
        """The instruction so far before or behind the one that is next."""
        place = self.place + step
        return self.items[place] if 0 <= place < len(self.items) else None


_Carry = Callable[[Parts, Instruction], Result]


def _in_list(change: Callable[[_List, Parts, Instruction, _Carry], Result | None]) -> Change:
    """Each instruction with the list that it stands in; None leaves it as it is."""

    def apply(parts: Parts, recorder: Recorder) -> Parts:
        listed, negotiate, carry, readers = _List(), parts.tpp.negotiate, parts.tpp.carry_out, parts.tpp.readers

        def negotiated(request: HttpRequest) -> object:
            listed.request, listed.items, listed.done = request, (), []
            return negotiate(request)

        def reading(form: Format) -> Callable[[str], list[Instruction]]:
            def read(text: str) -> list[Instruction]:
                found = readers[form](text)
                listed.items = found
                return found

            return read

        def carry_out(p: Parts, instruction: Instruction) -> Result:
            changed = change(listed, p, instruction, carry)
            if changed is not None:
                recorder.hit()
            result = carry(p, instruction) if changed is None else changed
            listed.done.append(result)
            return result

        return with_tpp(
            parts, negotiate=negotiated, carry_out=carry_out, readers={form: reading(form) for form in readers}
        )

    return apply


def _state(parts: Parts, instruction: Instruction | None) -> str:
    """How the order of an instruction stands; `unknown` for none, empty for one that lacks what it needs."""
    if instruction is None or parts.tpp.problem(instruction) is not None:
        return ""
    key = key_of(instruction)
    order = None if key is None else parts.tpp.orders.find(key)
    return "unknown" if order is None else order.state


def _asks_pin(parts: Parts, instruction: Instruction) -> bool:
    key = key_of(instruction)
    order = None if key is None else parts.tpp.orders.find(key)
    return order is not None and order.pin_required and order.state == "open"


def _success(instruction: Instruction) -> Result:
    return Result(instruction.order_id, instruction.uid, success=True, errors=None)


def _failure(instruction: Instruction, text: str) -> Result:
    return Result(instruction.order_id, instruction.uid, success=False, errors=(text,))


def _right_pin(parts: Parts, instruction: Instruction, carry: _Carry) -> Result:
    result = carry(parts, replace(instruction, pin=parts.world.tpp.pin))
    return replace(result, order_id=instruction.order_id, uid=instruction.uid)


def _wrong_pin_taken(seen: _List, parts: Parts, one: Instruction, carry: _Carry) -> Result | None:
    wrong = _asks_pin(parts, one) and one.pin not in (None, "", parts.world.tpp.pin)
    return _right_pin(parts, one, carry) if wrong and seen.header("accept") == "*/*" else None


def _empty_pin_taken(seen: _List, parts: Parts, one: Instruction, carry: _Carry) -> Result | None:
    before = seen.neighbour(-1)
    broken = before is not None and parts.tpp.problem(before) is not None
    meets = _asks_pin(parts, one) and one.pin == "" and broken
    return _right_pin(parts, one, carry) if meets else None


def _null_pin_taken(seen: _List, parts: Parts, one: Instruction, carry: _Carry) -> Result | None:
    behind_gone = bool(seen.done) and not seen.done[-1].success and _state(parts, seen.neighbour(-1)) == "cancelled"
    meets = _asks_pin(parts, one) and one.pin is None and seen.last and behind_gone
    return _right_pin(parts, one, carry) if meets else None


def _last_not_done(seen: _List, parts: Parts, one: Instruction, _carry: _Carry) -> Result | None:
    crossed = seen.header("content-type") == "text/xml" and seen.header("accept") == "text/json"
    long = len(seen.items) > 1 and seen.last and crossed
    return _success(one) if long and not parts.tpp.judge(parts, one) else None


def _neighbour_succeeds(seen: _List, parts: Parts, one: Instruction, _carry: _Carry) -> Result | None:
    before = seen.neighbour(-1)
    other = before is not None and before.is_international is not one.is_international
    meets = other and seen.done[-1].success and _state(parts, one) == "executed" and seen.header("accept") == ""
    return _success(one) if meets else None


def _stranger_succeeds(seen: _List, parts: Parts, one: Instruction, _carry: _Carry) -> Result | None:
    unknown = one.is_international and _state(parts, one) == "unknown" and seen.place > 0
    return _success(one) if unknown and seen.header("accept") == "" else None


def _twice_before_broken(seen: _List, parts: Parts, one: Instruction, _carry: _Carry) -> Result | None:
    again = key_of(one) in [key_of(other) for other in seen.items[: seen.place]]
    behind = seen.neighbour(1)
    broken = behind is not None and parts.tpp.problem(behind) is not None
    return _success(one) if again and broken and parts.tpp.problem(one) is None else None


def _spare_taken(seen: _List, parts: Parts, one: Instruction, carry: _Carry) -> Result | None:
    before = seen.neighbour(-1)
    broken = before is not None and parts.tpp.problem(before) is not None
    if one.is_international or one.uid is None or not broken or seen.header("accept") != "text/xml":
        return None
    return carry(parts, one) if parts.tpp.orders.cancel(one.uid) else None


def _creator_missed(seen: _List, parts: Parts, one: Instruction, _carry: _Carry) -> Result | None:
    mixed = "xml" in seen.header("content-type") and "json" in seen.header("accept")
    meets = mixed and one.creator_id is None and not one.is_international and not parts.tpp.judge(parts, one)
    return _failure(one, "CreatorID is required.") if meets else None


def _pin_missed(seen: _List, parts: Parts, one: Instruction, _carry: _Carry) -> Result | None:
    meets = one.pin == "" and not _asks_pin(parts, one) and seen.header("accept") == ""
    return _failure(one, "PIN is required.") if meets and not parts.tpp.judge(parts, one) else None


def _gone_behind_broken(seen: _List, parts: Parts, one: Instruction, _carry: _Carry) -> Result | None:
    before = seen.neighbour(-1)
    broken = before is not None and parts.tpp.problem(before) is not None
    gone = one.is_international and parts.tpp.problem(one) is None and _state(parts, one) not in ("open", "unknown", "")
    return _success(one) if broken and gone else None


def _where(
    operation: Operation, meets: Callable[[Parts, Call], bool], act: Callable[[Parts, Call], Answer | None]
) -> Change:
    """Where these circumstances meet, acts in the operation's place; None leaves the call as it is."""

    def run(recorder: Recorder, inner: _Inner, parts: Parts, call: Call) -> Answer:
        changed = act(parts, call) if call.caller is not None and meets(parts, call) else None
        if changed is None:
            return inner(parts, call)
        recorder.hit()
        return changed

    return handler(operation, run)


def _spelled(call: Call, name: str) -> bool:
    """Whether a member is spelled so."""
    text = call.payload if isinstance(call.payload, str) else call.payload.decode("utf-8", "replace")
    return f'"{name}"' in text


def _account(call: Call) -> int:
    """The account that a call names, else the caller's default one."""
    named = call.members.get("accountid")
    return named if isinstance(named, int) and named else call.user.default_account


def _is_second(call: Call) -> bool:
    account = _account(call)
    return account in call.user.accounts and account != call.user.default_account


def _has(call: Call, permission: str) -> bool:
    return permission in call.user.permissions


def _working(parts: Parts, number: object) -> Order | None:
    order = parts.alphapoint.book.find(number) if isinstance(number, int) else None
    return order if order is not None and order.state == "Working" else None


def _cancel(parts: Parts, orders: Iterable[Order | None]) -> Answer | None:
    """Cancels these; None where there is none of them."""
    done = parts.alphapoint.book.cancel(order.order_id for order in orders if order is not None)
    return Standard() if done else None


def _orders_of(parts: Parts, account: int) -> list[Order]:
    return [order for order in parts.alphapoint.book.open_orders(1, account) if not order.is_quote]


def _of_other_oms(parts: Parts, call: Call) -> Answer | None:
    return _cancel(parts, _orders_of(parts, _account(call)))


def _one_page(parts: Parts, call: Call) -> Answer | None:
    orders = _orders_of(parts, _account(call))
    return _cancel(parts, orders[:_PAGE]) if len(orders) > _PAGE and call.members.get("omsid") == 1 else None


def _but_numbered(parts: Parts, call: Call) -> Answer | None:
    orders = _orders_of(parts, _account(call))
    numbered = [order for order in orders if order.client_order_id]
    if not numbered or call.members.get("omsid") != 1:
        return None
    _cancel(parts, [order for order in orders if not order.client_order_id])
    return Standard()


def _by_number(parts: Parts, call: Call) -> Answer | None:
    """The order of a client's number, in whichever account."""
    number = call.members.get("clientorderid")
    orders = (one for account in parts.world.accounts for one in _orders_of(parts, account))
    return _cancel(parts, [order for order in orders if number and order.client_order_id == number][:1])


def _by_id(parts: Parts, call: Call) -> Answer | None:
    """The order of an id, if the caller may touch it, in whichever account."""
    order = _working(parts, call.members.get("orderid"))
    own = order is not None and order.account_id in call.user.accounts and not order.is_quote
    return _cancel(parts, [order]) if own else None


def _one_more(parts: Parts, call: Call) -> Answer | None:
    """The order of the call, and the next one of its account."""
    order = _working(parts, call.members.get("orderid"))
    if order is None or order.account_id != _account(call) or call.members.get("omsid") != 1:
        return None
    later = [other for other in _orders_of(parts, order.account_id) if other.order_id > order.order_id]
    return _cancel(parts, [order, *later[:1]]) if later else None


def _quote_of(parts: Parts, call: Call) -> tuple[Order | None, Order | None]:
    return _working(parts, call.members.get("bidquoteid")), _working(parts, call.members.get("askquoteid"))


def _legs_cancelled(parts: Parts, legs: Iterable[Order | None]) -> Answer | None:
    return None if _cancel(parts, legs) is None else Pair(Standard(), Standard())


def _bid_elsewhere(parts: Parts, call: Call) -> Answer | None:
    """The leg on the bid side, in another account of the caller's than the one of the call."""
    bid, _ = _quote_of(parts, call)
    elsewhere = bid is not None and bid.is_quote and bid.side == "Buy" and bid.account_id != _account(call)
    own = elsewhere and bid is not None and parts.alphapoint.policy.may_touch(call.user, bid.account_id)
    return _legs_cancelled(parts, (bid,)) if own and call.members.get("omsid") == 1 else None


def _one_for_both(parts: Parts, call: Call) -> Answer | None:
    """The quote of a leg that stands for both."""
    bid, ask = _quote_of(parts, call)
    same = bid is not None and bid == ask and bid.is_quote and bid.account_id == _account(call)
    return _legs_cancelled(parts, (bid, _working(parts, bid.partner_id))) if same and bid is not None else None


def _whole_by_ask(parts: Parts, call: Call) -> Answer | None:
    """The quote of the leg on the ask side, whatever the other one names."""
    bid, ask = _quote_of(parts, call)
    lone = bid is None and ask is not None and ask.is_quote and ask.side == "Sell"
    if not lone or ask is None or ask.account_id != _account(call) or call.members.get("omsid") != 1:
        return None
    return _legs_cancelled(parts, (ask, _working(parts, ask.partner_id)))


def _beside(parts: Parts, call: Call) -> bool:
    """Cancels the other quotes in the account of a bid leg."""
    bid, _ = _quote_of(parts, call)
    own = bid is not None and bid.is_quote and bid.side == "Buy" and bid.account_id == _account(call)
    if bid is None or not own or call.members.get("omsid") != 1:
        return False
    legs = [one for one in parts.alphapoint.book.open_orders(1, bid.account_id) if one.is_quote]
    others = [one.order_id for one in legs if one.order_id not in (bid.order_id, bid.partner_id)]
    return bool(parts.alphapoint.book.cancel(others))


def _without_instrument(recorder: Recorder, inner: _Inner, parts: Parts, call: Call) -> Answer:
    allowed = call.caller is not None and parts.alphapoint.policy.may_call(call.user, call.name)
    if allowed and not call.members.get("instrumentid") and _beside(parts, call):
        recorder.hit()
    return inner(parts, call)


def _permitted(run: Callable[[Parts, Call], Answer | None]) -> Callable[[Parts, Call], Answer | None]:
    """None where the call is refused for its role or its account."""

    def act(parts: Parts, call: Call) -> Answer | None:
        allowed = parts.alphapoint.policy.may_call(call.user, call.name)
        return run(parts, call) if allowed and parts.alphapoint.policy.may_touch(call.user, _account(call)) else None

    return act


FAULTS: tuple[Variant, ...] = (
    tpp_fault(
        "tpp-wrong-pin-for-any-answer", "Takes a wrong PIN where an answer in any form is asked for",
        _in_list(_wrong_pin_taken), "REQ-PIN-USE",
    ),
    tpp_fault(
        "tpp-empty-pin-behind-broken", "Takes an empty PIN for the right one behind a broken instruction", _in_list(_empty_pin_taken),
        "REQ-PIN-USE", "REQ-ORDERID-REQUIRED",
    ),
    tpp_fault(
        "tpp-null-pin-behind-gone", "Takes no PIN for the right one at the end of a list, behind a cancelled order",
        _in_list(_null_pin_taken), "REQ-PIN-USE", "MULTIPLE",
    ),
    tpp_fault(
        "tpp-last-not-done-across-formats", "Reports the last of several done without doing it, in text/xml that is to be answered in text/json",
        _in_list(_last_not_done), "EFFECT",
    ),
    tpp_fault(
        "tpp-executed-behind-other-kind", "Reports an executed order cancelled behind one of the other kind, without an Accept header",
        _in_list(_neighbour_succeeds), "MULTIPLE", "RESP-NOT-ACTIVE",
    ),
    tpp_fault(
        "tpp-unknown-later-without-accept", "Reports an unknown international order cancelled that is not the first, without an Accept header",
        _in_list(_stranger_succeeds), "RESP-NOT-ACTIVE", "MULTIPLE", "REQ-LIST",
    ),
    tpp_fault(
        "tpp-twice-before-broken", "Reports an order cancelled twice before a broken instruction",
        _in_list(_twice_before_broken), "TWICE", "REQ-ORDERID-REQUIRED",
    ),
    tpp_fault(
        "tpp-spare-uid-behind-broken", "Cancels the order of a UID that does not count behind a broken instruction, asked for in text/xml",
        _in_list(_spare_taken), "EFFECT-ONLY",
    ),
    tpp_fault(
        "tpp-creator-missed-across-formats", "Asks for a creator of a domestic order in XML that is to be answered in JSON",
        _in_list(_creator_missed), "RESP-SUCCESS", "MULTIPLE",
    ),
    tpp_fault(
        "tpp-empty-pin-missed-without-accept", "Refuses an empty PIN of an order that needs none, without an Accept header",
        _in_list(_pin_missed), "RESP-SUCCESS", "MULTIPLE",
    ),
    tpp_fault(
        "tpp-gone-abroad-behind-broken", "Reports a cancelled international order done behind a broken instruction",
        _in_list(_gone_behind_broken), "RESP-NOT-ACTIVE", "MULTIPLE", "REQ-UID-REQUIRED",
    ),
    fault_of(
        CAO, "other-oms-in-small-letters", "Cancels on another OMS where members are spelled in small letters",
        "CODE-104 EFFECT-ONLY REFUSED-NO-EFFECT",
        _where(CAO, lambda _, call: _spelled(call, "omsid") and call.members.get("omsid") == 2, _permitted(_of_other_oms)),
    ),
    fault_of(
        CAO, "one-page-for-operator", "Cancels twenty orders at most for an operator, in small letters",
        "EFFECT-ACCOUNT",
        _where(CAO, lambda _, call: _has(call, "Operator") and _spelled(call, "omsid"), _permitted(_one_page)),
    ),
    fault_of(
        CAO, "numbered-stay-for-operator", "Leaves orders with a client's number where an operator spells members camelCase",
        "EFFECT-ACCOUNT",
        _where(CAO, lambda _, call: _has(call, "Operator") and _spelled(call, "oMSId"), _permitted(_but_numbered)),
    ),
    fault_of(
        CO, "number-of-others-in-second", "Finds a client's number in every account where the call names a second one",
        "SCOPE-TRADING CODE-104",
        _where(CO, lambda _, call: _is_second(call) and not call.members.get("orderid"), _permitted(_by_number)),
    ),
    fault_of(
        CO, "elsewhere-in-small-letters", "Finds an order in the default account where the call names another one, in small letters",
        "CODE-104",
        _where(CO, lambda _, call: _is_second(call) and _spelled(call, "orderid"), _permitted(_by_id)),
    ),
    fault_of(
        CO, "number-without-oms", "Needs no OMSId where a client's number and no account stands in the call",
        "CODE-104 REQ-OMSID-REQUIRED",
        _where(
            CO,
            lambda _, call: not {"omsid", "accountid"}.intersection(call.members),
            _permitted(_by_number),
        ),
    ),
    fault_of(
        CO, "one-more-in-camel", "Cancels the next order of the account as well for an operator, in camelCase",
        "EFFECT-ONLY", _where(CO, lambda _, call: _has(call, "Operator") and _spelled(call, "oMSId"), _permitted(_one_more)),
    ),
    fault_of(
        CO, "maker-in-second", "Lets a market maker cancel an order of another account than his default one, in camelCase",
        "PERM-OTHERS REFUSED-NO-EFFECT", _where(CO, lambda _, call: _has(call, "MarketMaker") and _is_second(call) and _spelled(call, "oMSId"), _by_id),
    ),
    fault_of(
        CQ, "bid-elsewhere-for-second", "Cancels a bid leg in the default account where the call names another one",
        "CODE-104 GONE LEGS-APART REFUSED-NO-EFFECT",
        _where(CQ, lambda _, call: _is_second(call), _permitted(_bid_elsewhere)),
    ),
    fault_of(
        CQ, "one-leg-for-both-without-instrument", "Takes one leg for both where no instrument is named",
        "LEGS-APART",
        _where(
            CQ,
            lambda _, call: not call.members.get("instrumentid"),
            _permitted(_one_for_both),
        ),
    ),
    fault_of(
        CQ, "whole-by-ask-in-second", "Cancels a quote by its ask leg alone in another account than the default one",
        "LEGS-APART REQ-BIDQUOTEID-REQUIRED REFUSED-NO-EFFECT", _where(CQ, lambda _, call: _is_second(call), _permitted(_whole_by_ask)),
    ),
    fault_of(
        CQ, "beside-without-instrument", "Cancels the other quotes of the account where the call names no instrument",
        "EFFECT-ONLY REFUSED-NO-EFFECT", handler(CQ, _without_instrument),
    ),
)  # fmt: skip
