"""Some faults and equivalents of the gateway over real sockets: each makes its difference, and counts it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from reference_support import Server, Socket, running, standard

from reference_impl.equivalents import EQUIVALENTS
from reference_impl.faults import FAULTS
from reference_impl.variants import registry

pytestmark = pytest.mark.timeout(120)


def _two_orders_left(server: Server) -> Any:
    server.order("trader01")
    server.order("trader01")
    assert standard(0, None) == server.call("trader01", "CancelAllOrders", OMSId=1)
    return len(server.open_ids("trader01", 101))


def _unknown_account(server: Server) -> Any:
    return server.call("operator", "CancelAllOrders", OMSId=1, AccountId=4)["errorcode"]


def _frame_number(server: Server) -> Any:
    with Socket(server) as socket:
        return socket.frame("CancelAllOrders", {"OMSId": 1}, i=4)["i"], socket.frame("Ping", i=6)["i"]


def _mixed_quote(server: Server) -> Any:
    bid, _ask = server.quote("maker01")
    answer = server.call("maker01", "CancelQuote", OMSId=1, BidQuoteId=bid, AskQuoteId=1)
    return answer["BidResult"]["errorcode"], answer["AskResult"]["errorcode"], len(server.open_ids("maker01", 201))


def _whole_quote(server: Server) -> Any:
    bid, ask = server.quote("maker01")
    return server.call("maker01", "CancelQuote", OMSId=1, BidQuoteId=bid, AskQuoteId=ask)["BidResult"]["detail"]


def _quote_frame(server: Server) -> Any:
    with Socket(server) as socket:
        socket.send(json.dumps({"m": 0, "i": 1, "n": "CancelQuote", "o": "{}"}))
        return list(json.loads(socket.receive()))


@dataclass(frozen=True)
class Difference:
    """What one look sees on a server with the variant, and on one without."""

    look: Callable[[Server], Any]
    changed: Any
    unchanged: Any


DIFFERENCES: Mapping[str, Difference] = {
    "cao-only-first-order": Difference(_two_orders_left, 1, 0),
    "cao-unknown-account-101": Difference(_unknown_account, 101, 104),
    "cao-ws-i-off-by-one": Difference(_frame_number, (5, 6), (4, 6)),
    "cq-effect-on-refused-leg": Difference(_mixed_quote, (104, 104, 1), (104, 104, 2)),
    "cq-success-on-wrong-leg": Difference(_mixed_quote, (104, 0, 2), (104, 104, 2)),
    "cao-members-reversed": Difference(
        lambda s: next(iter(s.call("trader01", "CancelAllOrders", OMSId=1))), "detail", "result"
    ),
    "cq-detail-on-success": Difference(_whole_quote, "Cancel request received", None),
    "cq-ws-frame-keys-reordered": Difference(_quote_frame, ["i", "m", "n", "o"], ["m", "i", "n", "o"]),
}


@pytest.mark.parametrize("variant_id", sorted(DIFFERENCES))
def test_a_variant_makes_its_difference_and_counts_it(variant_id: str) -> None:
    variant = {**FAULTS, **EQUIVALENTS}[variant_id]
    difference = DIFFERENCES[variant.id]
    faults, equivalents = ((variant.id,), ()) if variant.kind == "fault" else ((), (variant.id,))
    with running(faults=faults, equivalents=equivalents) as server:
        assert {variant.id: 0} == server.executed()
        assert difference.changed == difference.look(server)
        assert server.executed()[variant.id] >= 1


@pytest.mark.parametrize("variant_id", sorted(DIFFERENCES))
def test_the_default_server_does_not_differ(server: Server, variant_id: str) -> None:
    difference = DIFFERENCES[variant_id]
    if "open_ids" in difference.look.__code__.co_names:
        with running() as fresh:
            assert difference.unchanged == difference.look(fresh)
    else:
        assert difference.unchanged == difference.look(server)


def test_variants_add_up() -> None:
    with running(faults=("cao-only-first-order", "cao-unknown-account-101")) as server:
        assert (_two_orders_left(server), _unknown_account(server)) == (1, 101)
        assert server.executed() == {"cao-only-first-order": 1, "cao-unknown-account-101": 1}


def test_two_variants_of_one_name_are_refused() -> None:
    some = next(iter(FAULTS.values()))
    with pytest.raises(ValueError, match=some.id):
        registry([some], [some])


def test_ids_name_their_operation() -> None:
    prefixes = {
        "alphapoint.cancel_all_orders": "cao-",
        "alphapoint.cancel_quote": "cq-",
        "alphapoint.cancel_order": "co-",
        "tpp.create_cancellation": "tpp1-",
        "tpp.create_cancellations": "tpp-",
    }
    for variant in (*FAULTS.values(), *EQUIVALENTS.values()):
        assert variant.id.startswith(prefixes[variant.operation])
