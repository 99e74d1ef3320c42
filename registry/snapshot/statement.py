"""Builds statements from listed columns and placeholders; only whole numbers enter the text.

A statement is made of a `Source`: tables, conditions, and the groupings that make its rows. Events
stand under the alias `e`, implants under `i`, declared exposure under `x`. Device time is told in
quarters of a month since implantation, calendar time in quarters since year 0.
"""

# ruff: noqa: S608 - names come from the schema, values go to placeholders

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from registry.records import Cell
from registry.snapshot.codes import UNKNOWN, Codes
from registry.snapshot.engine import Value
from registry.snapshot.schema import Kind, column
from registry.snapshot.selection import Condition

Key = tuple[Cell, ...]
TABLE_OF = {"e": "events", "f": "events", "i": "implants", "j": "implants", "x": "exposures"}


@dataclass(slots=True)
class Piece:
    """Part of a statement and the values of its placeholders, in order."""

    text: str = ""
    values: list[Value] = field(default_factory=list)

    def add(self, text: str, *values: Value) -> None:
        """Append text and the values of the placeholders in it."""
        self.text += text
        self.values.extend(values)

    def add_piece(self, piece: "Piece") -> None:
        """Append another piece with its values."""
        self.add(piece.text, *piece.values)


@dataclass(frozen=True, slots=True)
class Grouping:
    """An expression that makes rows, and how its values are written outside the engine."""

    expression: str
    written: Callable[[Any], Cell]


@dataclass(slots=True)
class Source:
    """The FROM and WHERE of a statement, its groupings, and the bounds of time in a row.

    starts, ends: expressions whose greatest and least bound the device time of one row.
    """

    codes: Codes
    tables: Piece = field(default_factory=Piece)
    where: list[Piece] = field(default_factory=list)
    groups: list[Grouping] = field(default_factory=list)
    starts: list[str] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)

    def require(self, text: str, *values: Value) -> None:
        """Add a condition."""
        self.where.append(Piece(text, list(values)))

    def require_code(self, alias: str, name: str, *codes: str, but: bool = False) -> None:
        """Let a code column hold one of these codes, or with `but` any other."""
        listed = column(TABLE_OF[alias], name).name
        numbers = {self.codes.number(name, code) for code in codes}
        size = len(self.codes.lists[name])
        if but:
            numbers = set(range(size)) - numbers
        self.where.append(among_codes(f"{alias}.{listed}", numbers, size))

    def join(self, piece: Piece, condition: str, *, kind: str = "JOIN") -> None:
        """Join a subquery."""
        self.tables.add(f" {kind} (")
        self.tables.add_piece(piece)
        self.tables.add(f") {condition}")

    def select(self, *expressions: str, by: Iterable[str] = (), but: Iterable[int] = ()) -> Piece:
        """Select the groupings as g0, g1 ... and the expressions, grouped by those and `by`.

        but: places of groupings to leave out.
        """
        left = set(but)
        kept = [(at, each) for at, each in enumerate(self.groups) if at not in left]
        statement = self._chosen(kept, expressions)
        if keys := [*(each.expression for _, each in kept), *by]:
            statement.add(f" GROUP BY {', '.join(keys)}")
        return statement

    def rows(self, *expressions: str) -> Piece:
        """Select the groupings as g0, g1 ... and the expressions of every row, nothing summed."""
        return self._chosen(enumerate(self.groups), expressions)

    def _chosen(self, kept: Iterable[tuple[int, Grouping]], expressions: Sequence[str]) -> Piece:
        named = [f"{each.expression} AS g{at}" for at, each in kept]
        statement = Piece(f"SELECT {', '.join([*named, *expressions])} FROM ")
        statement.add_piece(self.tables)
        for place, condition in enumerate(self.where):
            statement.add(" AND " if place else " WHERE ")
            statement.add_piece(condition)
        return statement

    @property
    def names(self) -> list[str]:
        """What the groupings are called in the result."""
        return [f"g{place}" for place in range(len(self.groups))]

    @property
    def time(self) -> str:
        """The device time of an implant in its row, in quarters; 0 where there is none."""
        starts, ends = ["i.time_from", *self.starts], ["i.time_to", *self.ends]
        if len(starts) == 1:
            return "(i.time_to - i.time_from)"
        return f"greatest(0, {least_of(ends)} - {greatest_of(starts)})"

    def keys(self, found: Mapping[str, NDArray[Any]]) -> list[Key]:
        """The rows of a result by their groupings, written as outside the engine."""
        if not self.groups:
            return [()] * len(next(iter(found.values())))
        columns: list[list[Cell]] = []
        for name, each in zip(self.names, self.groups, strict=True):
            values = found[name].tolist()
            written = {value: each.written(value) for value in set(values)}  # few are different
            columns.append([written[value] for value in values])
        return list(zip(*columns, strict=True))

    def lines_by_key(
        self, found: Mapping[str, NDArray[Any]]
    ) -> list[tuple[Key, NDArray[np.int64]]]:
        """The rows of a result that has several lines a row, each with the places of its lines."""
        size = len(next(iter(found.values())))
        if not size:
            return []
        row = np.zeros(size, dtype=np.int64)
        for name in self.names:
            numbers, distinct = _numbers(found[name])
            row, _ = _numbers(row * distinct + numbers)
        order = np.argsort(_narrow(row), kind="stable")
        lines = np.split(order, np.flatnonzero(np.diff(row[order])) + 1)
        first = np.array([each[0] for each in lines])
        keys = self.keys({name: values[first] for name, values in found.items()})
        return list(zip(keys, lines, strict=True))


def _numbers(values: NDArray[Any]) -> tuple[NDArray[np.int64], int]:
    """The values of a column as whole numbers from 0 up, each its own; and what they are under."""
    filled = np.ma.filled(np.ma.asarray(values).astype(np.int64), np.iinfo(np.int64).min)
    least, most = int(filled.min()), int(filled.max())
    if most - least < _NARROW:  # no need to sort them
        return filled - least, most - least + 1
    distinct, numbers = np.unique(filled, return_inverse=True)
    return numbers, len(distinct)


_NARROW = 2**15


def _narrow(row: NDArray[np.int64]) -> NDArray[Any]:
    """The same numbers, in 16 bits where they fit: numpy sorts such ones by counting."""
    return row.astype(np.int16) if int(row.max()) < _NARROW else row


def outer(inner: Piece, names: Sequence[str], *expressions: str, where: str = "") -> Piece:
    """Sum over a subquery `d` by some of its columns."""
    statement = Piece(f"SELECT {', '.join([*names, *expressions])} FROM (")
    statement.add_piece(inner)
    statement.add(f") d{' WHERE ' + where if where else ''}")
    if names:
        statement.add(f" GROUP BY {', '.join(names)}")
    return statement


def greatest_of(expressions: Sequence[str]) -> str:
    """The greatest of one or more; Spark's own function wants two."""
    return f"greatest({', '.join(expressions)})" if len(expressions) > 1 else expressions[0]


def least_of(expressions: Sequence[str]) -> str:
    """The least of one or more; Spark's own function wants two."""
    return f"least({', '.join(expressions)})" if len(expressions) > 1 else expressions[0]


def whole(expression: str, name: str) -> str:
    """A sum as a whole number of 64 bits, 0 where there is nothing to add up."""
    return f"CAST(coalesce(sum({expression}), 0) AS BIGINT) AS {name}"


def small_table(names: Iterable[str], rows: Iterable[Iterable[int]]) -> Piece:
    """Write a small table of whole numbers; there is no such table without rows.

    The numbers stand in the text: engines plan a placeholder for each ten times slower.
    """
    lines = ", ".join(f"({', '.join(f'{value:d}' for value in row)})" for row in rows)
    return Piece(f"SELECT * FROM (VALUES {lines}) AS v({', '.join(names)})")


def restrict(source: Source, alias: str, conditions: Iterable[Condition]) -> None:
    """Hold a table to conditions on its listed columns."""
    for condition in conditions:
        listed = column(TABLE_OF[alias], condition.column)
        name = f"{alias}.{listed.name}"
        if listed.kind is Kind.CODE:
            source.where.append(_among_listed(source.codes, name, condition))
            continue
        either = [among(name, condition.values)] if condition.values else []
        if condition.bits:
            either.append(Piece(f"({name} & ?) <> 0", [condition.bits]))
        if condition.blank:
            is_bits = listed.kind is Kind.BITS
            either.append(Piece(f"{name} = 0" if is_bits else f"{name} IS NULL"))
        found = _either(either)
        source.where.append(_either([found], but=True) if condition.unless else found)


def _among_listed(codes: Codes, name: str, condition: Condition) -> Piece:
    """A condition on a code column, which has no NULLs; a code on no list is in no row."""
    listed = condition.column
    numbers = {codes.number(listed, str(value)) for value in condition.values} - {UNKNOWN}
    if condition.blank:
        numbers.add(0)
    size = len(codes.lists[listed])
    if condition.unless:
        numbers = set(range(size)) - numbers
    return among_codes(name, numbers, size)


def among_codes(name: str, numbers: Set[int], size: int) -> Piece:
    """A code column, of a list of so many codes, holds one of these numbers.

    Written as what it does not hold, where that is shorter.
    """
    others = set(range(size)) - numbers
    if numbers and len(_runs(others)) < len(_runs(numbers)):
        return _either([among(name, others)], but=True) if others else Piece("1 = 1")
    return _either([among(name, numbers)] if numbers else [])


def among(name: str, values: Iterable[Value]) -> Piece:
    """A column holds one of these values; whole numbers that follow each other as a range.

    Engines compare with a range several times faster than with a list.
    """
    whole_numbers = [value for value in values if type(value) is int]
    others = [value for value in values if type(value) is not int]
    either = []
    singles: list[Value] = list(others)
    for first, last in _runs(whole_numbers):
        if first == last:
            singles.append(first)
        else:
            either.append(Piece(f"{name} BETWEEN ? AND ?", [first, last]))
    if len(singles) == 1:
        either.append(Piece(f"{name} = ?", singles))
    elif singles:
        either.append(Piece(f"{name} IN ({', '.join('?' * len(singles))})", singles))
    return _either(either)


def _either(pieces: Sequence[Piece], *, but: bool = False) -> Piece:
    """Any of these conditions, or none of them; nothing where there are none."""
    if len(pieces) == 1 and not but:
        return pieces[0]
    found = Piece("NOT (" if but else "(")
    for place, piece in enumerate(pieces or [Piece("1 = 0")]):
        found.add(" OR " if place else "")
        found.add_piece(piece)
    found.add(")")
    return found


def _runs(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """The first and the last of each run of whole numbers that follow each other."""
    found: list[tuple[int, int]] = []
    for number in sorted(set(numbers)):
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found
