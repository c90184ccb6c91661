"""Permitted differences of POST api/orders/cancellations, theme by theme."""

from __future__ import annotations

from reference_impl.equivalents import tpp_conduct, tpp_form
from reference_impl.variants import Variant

EQUIVALENTS: tuple[Variant, ...] = (*tpp_form.EQUIVALENTS, *tpp_conduct.EQUIVALENTS)
