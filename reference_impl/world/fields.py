"""Reading typed values out of a TOML table, with errors that name file, key and what was expected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

from reference_impl.errors import WorldError


@dataclass(frozen=True, slots=True)
class Table:
    """A TOML table and where it stands: `file` and the dotted `path` of keys that leads to it."""

    file: str
    path: str
    values: Mapping[str, Any]

    def at(self, key: str) -> str:
        """The dotted path of a key of this table."""
        return f"{self.path}.{key}" if self.path else key

    def wrong(self, key: str, expected: str, found: object) -> WorldError:
        """The error for a value that is not what its key asks for."""
        return WorldError(
            f"{self.at(key)}: expected {expected}, found {found!r}",
            where=self.file,
            hint=f"Correct {self.at(key)} in the world file, or leave --world out for the bundled world.",
        )

    def only(self, known: Iterable[str]) -> None:
        """Refuse keys that nobody reads, a misspelling most of the time."""
        names = sorted(known)
        for key in self.values:
            if key not in names:
                raise WorldError(
                    f"{self.at(key)}: unknown key",
                    where=self.file,
                    hint=f"Remove it or spell it as one of: {', '.join(names)}.",
                )

    def integer(self, key: str, default: int | None = None) -> int:
        """A whole number."""
        value = self.values.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.wrong(key, "an integer", value)
        return value

    def seconds(self, key: str, default: float) -> float:
        """A positive number of seconds."""
        value = self.values.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
            raise self.wrong(key, "a positive number of seconds", value)
        return float(value)

    def number(self, key: str, default: float, *, zero: bool = False) -> float:
        """A finite number above zero, or zero where that makes sense."""
        value = self.values.get(key, default)
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not (0 < value < inf or (zero and value == 0))
        ):
            raise self.wrong(key, "a number of zero or more" if zero else "a number above zero", value)
        return float(value)

    def boolean(self, key: str, default: bool) -> bool:
        """True or false."""
        value = self.values.get(key, default)
        if not isinstance(value, bool):
            raise self.wrong(key, "true or false", value)
        return value

    def string(self, key: str, default: str | None = None) -> str:
        """A text that is not empty."""
        value = self.values.get(key, default)
        if not isinstance(value, str) or not value:
            raise self.wrong(key, "a text that is not empty", value)
        return value

    def choice(self, key: str, allowed: tuple[str, ...], default: str) -> str:
        """One of a few words."""
        value = self.values.get(key, default)
        if value not in allowed:
            raise self.wrong(key, f"one of {', '.join(allowed)}", value)
        return str(value)

    def integers(self, key: str) -> tuple[int, ...]:
        """A list of whole numbers."""
        value = self.values.get(key)
        if not isinstance(value, list) or any(isinstance(v, bool) or not isinstance(v, int) for v in value):
            raise self.wrong(key, "a list of integers", value)
        return tuple(value)

    def words(self, key: str, allowed: tuple[str, ...]) -> tuple[str, ...]:
        """A list out of a few words."""
        value = self.values.get(key, [])
        if not isinstance(value, list) or any(v not in allowed for v in value):
            raise self.wrong(key, f"a list out of {', '.join(allowed)}", value)
        return tuple(value)

    def table(self, key: str) -> Table:
        """A table inside this one."""
        value = self.values.get(key, {})
        if not isinstance(value, dict):
            raise self.wrong(key, "a table", value)
        return Table(self.file, self.at(key), value)

    def tables(self) -> list[tuple[str, Table]]:
        """Every entry of this table, each of which must be a table."""
        return [(key, self.table(key)) for key in self.values]

    def numbered(self) -> list[tuple[int, Table]]:
        """Every entry of this table, by its number: keys are whole numbers and values tables."""
        entries = []
        for key, table in self.tables():
            if not key.isdecimal():
                raise self.wrong(key, "a number as key", key)
            entries.append((int(key), table))
        return entries

    def list_of_tables(self, key: str) -> list[Table]:
        """An array of tables."""
        value = self.values.get(key, [])
        if not isinstance(value, list) or any(not isinstance(v, dict) for v in value):
            raise self.wrong(key, "an array of tables", value)
        return [Table(self.file, f"{self.at(key)}[{index}]", v) for index, v in enumerate(value)]
