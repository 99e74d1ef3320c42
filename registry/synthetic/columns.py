"""Rows kept as columns of numbers, and read as stored values or as records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from zlib import crc32

import numpy as np
import numpy.typing as npt

from registry.records.declared import Holds, RowColumn
from registry.synthetic.hazards import Ints
from registry.vocabulary import Code, Severity

_LETTERS = np.frombuffer(b"bcdfghjklmnpqrstvwxz", dtype=np.uint8)
_LENGTH = 6
_KEYS = 20**_LENGTH
_SCATTER = 37_512_781
"""Coprime with the number of keys: every number gets a unique key."""


def keys(numbers: Ints, suffix: str) -> list[str | None]:
    """Source ids of up to 64 million rows, scrambled, without digits; -1 is None."""
    scattered = (numbers.astype(np.int64) * _SCATTER + 11_777_777) % _KEYS
    letters = np.empty((numbers.size, _LENGTH), dtype=np.uint8)
    for place in range(_LENGTH):
        scattered, digit = np.divmod(scattered, 20)
        letters[:, place] = _LETTERS[digit]
    words = letters.view(f"S{_LENGTH}").ravel().astype(f"U{_LENGTH}").tolist()
    return [
        word + suffix if number >= 0 else None
        for word, number in zip(words, numbers.tolist(), strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Coded:
    """Positions in a list of codes; -1 is not recorded. `codes` gives what a position means."""

    array: npt.NDArray[Any]
    codes: tuple[Any, ...]

    def values(self, rows: slice) -> list[Any]:
        """Codes as plain strings or numbers, or None."""
        plain = [code.value if isinstance(code, Code | Severity) else code for code in self.codes]
        return _looked_up(self.array[rows], plain)

    def members(self, rows: slice) -> list[Any]:
        """Codes as members of their list, or None."""
        return _looked_up(self.array[rows], list(self.codes))


@dataclass(frozen=True, slots=True)
class CodeSets:
    """Packed sets of codes; 0 is not recorded."""

    array: npt.NDArray[Any]
    codelist: type[Code]

    def values(self, rows: slice) -> list[Any]:
        """Packed numbers, or None."""
        return [bits or None for bits in self.array[rows].tolist()]

    def members(self, rows: slice) -> list[Any]:
        """Frozen sets of members, or None."""
        return [
            frozenset(self.codelist.unpack(bits)) if bits else None
            for bits in self.array[rows].tolist()
        ]


@dataclass(frozen=True, slots=True)
class Numbers:
    """Whole numbers; -1 is not recorded."""

    array: npt.NDArray[Any]

    def values(self, rows: slice) -> list[Any]:
        """Numbers, or None."""
        return [None if number < 0 else number for number in self.array[rows].tolist()]

    members = values


@dataclass(frozen=True, slots=True)
class KeyColumn:
    """Rows of another table, or of this one, by number; -1 is none."""

    array: npt.NDArray[Any]
    suffix: str

    def values(self, rows: slice) -> list[Any]:
        """Source ids, or None."""
        return keys(self.array[rows], self.suffix)

    members = values


@dataclass(frozen=True, slots=True)
class Model:
    """A model whose list is that of the row's component."""

    pumps: Coded
    catheters: Coded
    is_pump: npt.NDArray[np.bool_]

    def values(self, rows: slice) -> list[Any]:
        """Codes as plain strings, or None."""
        return self._either(self.pumps.values(rows), self.catheters.values(rows), rows)

    def members(self, rows: slice) -> list[Any]:
        """Codes as members of their list, or None."""
        return self._either(self.pumps.members(rows), self.catheters.members(rows), rows)

    def _either(self, pumps: list[Any], catheters: list[Any], rows: slice) -> list[Any]:
        return [
            pump if is_pump else catheter
            for pump, catheter, is_pump in zip(
                pumps, catheters, self.is_pump[rows].tolist(), strict=True
            )
        ]


Column = Coded | CodeSets | Numbers | KeyColumn | Model
Record = TypeVar("Record")


def recorded(
    columns: Mapping[str, RowColumn], drawn: Mapping[str, npt.NDArray[Any]]
) -> dict[str, Column]:
    """The codes, sets and numbers of declared columns.

    drawn: by column, as `Coded`, `CodeSets` and `Numbers` take them. A column of codes that nobody
    draws holds every code about equally often, and a blank as often as one of them; sets and
    numbers that nobody draws are blank.
    """
    size = len(next(iter(drawn.values())))
    found: dict[str, Column] = {}
    for name, column in columns.items():
        array = drawn[name] if name in drawn else _undrawn(column, size)
        if column.holds in (Holds.NUMBER, Holds.YEAR):
            found[name] = Numbers(array)
        elif column.holds is Holds.GRADE:
            found[name] = Coded(array, tuple(Severity))
        elif column.codes and column.holds is Holds.CODES:
            found[name] = CodeSets(array, column.codes)
        elif column.codes:
            found[name] = Coded(array, tuple(column.codes))
    return found


def _undrawn(column: RowColumn, size: int) -> npt.NDArray[Any]:
    """A column that nobody draws, the same whatever else is drawn."""
    if column.holds is Holds.CODE and column.codes:
        rng = np.random.default_rng(crc32(column.name.encode()))
        return rng.integers(-1, len(column.codes), size, dtype=np.int16)
    return np.full(size, 0 if column.holds is Holds.CODES else -1, dtype=np.int8)


@dataclass(frozen=True, slots=True)
class Table:
    """One kind of row as columns of equal length, by the names of its record's fields.

    aside: stored columns that records do not have.
    """

    size: int
    columns: Mapping[str, Column]
    aside: Mapping[str, Column] = field(default_factory=dict)

    def chunks(self, size: int) -> Iterator[Mapping[str, list[Any]]]:
        """Stored values by column, in chunks of rows: codes as text, sets as packed numbers, None
        where not recorded.

        A key `x` also gives `x_number`, the number of the row it refers to, from 0; a model also
        gives `pump_model` and `catheter_model`.
        """
        for start in range(0, self.size, size):
            rows = slice(start, start + size)
            chunk: dict[str, list[Any]] = {}
            for name, column in {**self.columns, **self.aside}.items():
                chunk[name] = column.values(rows)
                if isinstance(column, KeyColumn):
                    chunk[f"{name}_number"] = Numbers(column.array).values(rows)
                elif isinstance(column, Model):
                    chunk["pump_model"] = column.pumps.values(rows)
                    chunk["catheter_model"] = column.catheters.values(rows)
            yield chunk

    def records(self, kind: type[Record]) -> Iterator[Record]:
        """Rows as records, in order."""
        for start in range(0, self.size, 4096):
            rows = slice(start, start + 4096)
            members = [column.members(rows) for column in self.columns.values()]
            for row in zip(*members, strict=True):
                yield kind(**dict(zip(self.columns, row, strict=True)))


def _looked_up(positions: npt.NDArray[Any], values: list[Any]) -> list[Any]:
    table = np.empty(len(values) + 1, dtype=object)
    table[:-1] = values
    table[-1] = None
    found: list[Any] = table[positions].tolist()
    return found
