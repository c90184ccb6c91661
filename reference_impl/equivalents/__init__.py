"""Every permitted difference, by id."""

from __future__ import annotations

from collections.abc import Mapping

from reference_impl.equivalents import (
    alphapoint_http,
    alphapoint_lenient,
    alphapoint_readings,
    alphapoint_sessions,
    alphapoint_text,
    cancel_all_editions,
    cancel_order,
    tpp,
    tpp_one,
)
from reference_impl.variants import Variant, registry

EQUIVALENTS: Mapping[str, Variant] = registry(
    alphapoint_http.EQUIVALENTS,
    alphapoint_lenient.EQUIVALENTS,
    alphapoint_readings.EQUIVALENTS,
    alphapoint_sessions.EQUIVALENTS,
    alphapoint_text.EQUIVALENTS,
    cancel_all_editions.EQUIVALENTS,
    cancel_order.EQUIVALENTS,
    tpp.EQUIVALENTS,
    tpp_one.EQUIVALENTS,
)
