"""Every deliberate violation, by id."""

from __future__ import annotations

from collections.abc import Mapping

from reference_impl.faults import (
    alphapoint_codes,
    alphapoint_frames,
    alphapoint_identity,
    alphapoint_leniency,
    alphapoint_moments,
    alphapoint_races,
    alphapoint_roles,
    alphapoint_sessions,
    alphapoint_shape,
    alphapoint_spelling,
    alphapoint_ways,
    alphapoint_wire,
    books,
    cancel_all,
    cancel_all_editions,
    cancel_all_request,
    cancel_order,
    cancel_order_answers,
    cancel_order_request,
    cancel_quote,
    cancel_quote_request,
    combined,
    tpp,
    tpp_one,
)
from reference_impl.variants import Variant, registry

FAULTS: Mapping[str, Variant] = registry(
    alphapoint_codes.FAULTS,
    alphapoint_frames.FAULTS,
    alphapoint_identity.FAULTS,
    alphapoint_leniency.FAULTS,
    alphapoint_moments.FAULTS,
    alphapoint_races.FAULTS,
    alphapoint_roles.FAULTS,
    alphapoint_sessions.FAULTS,
    alphapoint_shape.FAULTS,
    alphapoint_spelling.FAULTS,
    alphapoint_ways.FAULTS,
    alphapoint_wire.FAULTS,
    books.FAULTS,
    cancel_all.FAULTS,
    cancel_all_editions.FAULTS,
    cancel_all_request.FAULTS,
    cancel_order.FAULTS,
    cancel_order_answers.FAULTS,
    cancel_order_request.FAULTS,
    cancel_quote.FAULTS,
    cancel_quote_request.FAULTS,
    combined.FAULTS,
    tpp.FAULTS,
    tpp_one.FAULTS,
)
