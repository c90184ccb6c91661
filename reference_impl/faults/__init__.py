"""Every deliberate violation, by id."""

from __future__ import annotations

from collections.abc import Mapping

from reference_impl.faults import cancel_all, cancel_quote, tpp
from reference_impl.variants import Variant, registry

FAULTS: Mapping[str, Variant] = registry(cancel_all.FAULTS, cancel_quote.FAULTS, tpp.FAULTS)
