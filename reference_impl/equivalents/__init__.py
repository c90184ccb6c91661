"""Every permitted difference, by id."""

from __future__ import annotations

from collections.abc import Mapping

from reference_impl.equivalents import alphapoint, tpp
from reference_impl.variants import Variant, registry

EQUIVALENTS: Mapping[str, Variant] = registry(alphapoint.EQUIVALENTS, tpp.EQUIVALENTS)
