"""Violations of POST api/orders/cancellations, theme by theme."""

from __future__ import annotations

from reference_impl.faults import (
    tpp_conditions,
    tpp_effects,
    tpp_entities,
    tpp_errors,
    tpp_later,
    tpp_members,
    tpp_negotiation,
    tpp_pin,
    tpp_reading,
    tpp_results,
    tpp_spelling,
    tpp_texts,
    tpp_traps,
    tpp_xml_answer,
)
from reference_impl.variants import Variant

FAULTS: tuple[Variant, ...] = (
    *tpp_conditions.FAULTS,
    *tpp_effects.FAULTS,
    *tpp_entities.FAULTS,
    *tpp_errors.FAULTS,
    *tpp_later.FAULTS,
    *tpp_members.FAULTS,
    *tpp_negotiation.FAULTS,
    *tpp_pin.FAULTS,
    *tpp_reading.FAULTS,
    *tpp_results.FAULTS,
    *tpp_spelling.FAULTS,
    *tpp_texts.FAULTS,
    *tpp_traps.FAULTS,
    *tpp_xml_answer.FAULTS,
)
