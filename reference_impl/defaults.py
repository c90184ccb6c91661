"""The default parts: a server that keeps every document, with the first alternative of every reading."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

from reference_impl.alphapoint import (
    accounts,
    cancel_all,
    cancel_order,
    cancel_quote,
    dispatch,
    events,
    frames,
    history,
    http,
    orders,
    scope,
)
from reference_impl.alphapoint.book import Book
from reference_impl.alphapoint.members import read_members
from reference_impl.alphapoint.sessions import Sessions
from reference_impl.alphapoint.values import CANCEL_ALL_ORDERS, CANCEL_ORDER, CANCEL_QUOTE
from reference_impl.parts import AlphaPointParts, Parts, Policy, TppParts
from reference_impl.tpp import charset, negotiation, one, service, write_json, write_xml
from reference_impl.tpp import http as tpp_http
from reference_impl.tpp.orders import TppOrders
from reference_impl.tpp.read_json import read_json
from reference_impl.tpp.read_xml import read_xml
from reference_impl.world.model import World


def default_parts(
    world: World,
    *,
    clock: Callable[[], float] = time.monotonic,
    new_token: Callable[[], str] = secrets.token_hex,
) -> Parts:
    """A fresh server of that world; `clock` in seconds times the sessions, `new_token` names them."""
    return Parts(world, _alphapoint(world, clock, new_token), _tpp(world))


def _alphapoint(world: World, clock: Callable[[], float], new_token: Callable[[], str]) -> AlphaPointParts:
    return AlphaPointParts(
        policy=Policy(scope.may_call, scope.may_touch, scope.default_account),
        book=Book(),
        sessions=Sessions(world.session_lifetime_s, clock, new_token),
        calls={
            CANCEL_ALL_ORDERS: cancel_all.cancel_all_orders,
            CANCEL_QUOTE: cancel_quote.cancel_quote,
            CANCEL_ORDER: cancel_order.cancel_order,
            **orders.CALLS,
            **accounts.CALLS,
            **events.CALLS,
            **history.CALLS,
        },
        public_calls=accounts.PUBLIC_CALLS,
        reading_calls=accounts.READING_CALLS,
        cancel_all=cancel_all.STEPS,
        cancel_quote=cancel_quote.STEPS,
        cancel_order=cancel_order.STEPS,
        login=accounts.login,
        read_members=read_members,
        standard=dispatch.standard,
        early_error=dispatch.early_error,
        error_text=dispatch.error_text,
        render_standard=dispatch.render_standard,
        render_pair=dispatch.render_pair,
        finish=dispatch.finish,
        encode=dispatch.encode,
        http_status=dispatch.http_status,
        http_no_session=http.no_session,
        frames=frames.CODEC,
    )


def _tpp(world: World) -> TppParts:
    return TppParts(
        orders=TppOrders(world.tpp.orders),
        decode=charset.decode,
        readers={"json": read_json, "xml": read_xml},
        request_format=negotiation.request_format,
        negotiate=negotiation.negotiate,
        problem=service.problem,
        admit=service.admit,
        judge=service.judge,
        effect=service.effect,
        carry_out=service.carry_out,
        arrange=service.arrange,
        writers={"json": write_json.WRITER, "xml": write_xml.WRITER},
        as_list={"json": one.json_as_list, "xml": one.xml_as_list},
        of_one={"json": one.json_of_one, "xml": one.xml_of_one},
        encode=charset.encode,
        processed_status=200,
        refused_status=400,
        answer_error=tpp_http.answer_error,
        answer_framework=tpp_http.answer_framework,
    )
