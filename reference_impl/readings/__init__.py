"""Every reading that can be chosen, by id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reference_impl.errors import OptionError
from reference_impl.parts import Parts
from reference_impl.readings import cancel_all, cancel_quote, shared, tpp
from reference_impl.readings.values import Reading

READINGS: Mapping[str, Reading] = {
    reading.id: reading for reading in (*shared.READINGS, *cancel_all.READINGS, *cancel_quote.READINGS, *tpp.READINGS)
}


EDITIONS: Mapping[str, tuple[str, ...]] = {
    "3.3": ("extra-members=ignored",),
    "3.2": ("account-omitted=by-user", "extra-members=honoured"),
    "later": ("account-omitted=all-accessible", "account-zero=as-omitted", "extra-members=honoured"),
}
"""Edition of the vendor's pages to the readings under which the server speaks it."""


def readings_of(edition: str | None) -> tuple[str, ...]:
    """The readings of an edition; none for None. Raises `OptionError` for one that does not exist."""
    if edition is None:
        return ()
    if edition not in EDITIONS:
        what = f"unknown edition {edition!r}"
        raise OptionError(what, where="--edition", hint=f"Known: {', '.join(EDITIONS)}.")
    return EDITIONS[edition]


def choose(parts: Parts, choices: Iterable[str]) -> Parts:
    """Parts under the readings chosen as `ID=ALTERNATIVE`; raises `OptionError` for one that does not exist.

    They are applied in the order of the registry, whatever the order of the choices; of two for one id the
    last holds.
    """
    chosen: dict[str, str] = {}
    for choice in choices:
        reading_id, _, name = choice.partition("=")
        reading = READINGS.get(reading_id)
        if reading is None:
            raise OptionError(
                f"unknown reading {reading_id!r}",
                where="--reading",
                hint=f"Known: {', '.join(sorted(READINGS))}.",
            )
        if name not in reading.alternatives:
            raise OptionError(
                f"{reading_id} has no alternative {name!r}",
                where="--reading",
                hint=f"Write {reading_id}= and one of: {', '.join(reading.alternatives)}.",
            )
        chosen[reading_id] = name
    for reading_id, reading in READINGS.items():
        if reading_id in chosen:
            parts = reading.alternatives[chosen[reading_id]](parts)
    return parts
