"""Builds statements from listed columns and placeholders; no value ever enters the text.

A statement is made of a `Source`: tables, conditions, and the groupings that make its rows. Events
stand under the alias `e`, implants under `i`, declared exposure under `x`. Device time is told in
quarters of a month since implantation, calendar time in quarters since year 0.
"""

# ruff: noqa: S608 - names come from the schema, values go to placeholders

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from registry.records import Cell
from registry.snapshot.codes import UNKNOWN, Codes
from registry.snapshot.engine import Value
from registry.snapshot.schema import Kind, column
from registry.snapshot.selection import Condition

Key = tuple[Cell, ...]
TABLE_OF = {"e": "events", "f": "events", "i": "implants", "x": "exposures"}


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
        numbers = [self.codes.number(name, code) for code in codes]
        room = ", ".join("?" * len(numbers))
        self.require(f"{alias}.{listed} {'NOT ' if but else ''}IN ({room})", *numbers)

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
        named = [f"{each.expression} AS g{at}" for at, each in kept]
        keys = [*(each.expression for _, each in kept), *by]
        statement = Piece()
        statement.add(f"SELECT {', '.join([*named, *expressions])} FROM ")
        statement.add_piece(self.tables)
        for place, condition in enumerate(self.where):
            statement.add(" AND " if place else " WHERE ")
            statement.add_piece(condition)
        if keys:
            statement.add(f" GROUP BY {', '.join(keys)}")
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
        return f"greatest(0, least({', '.join(ends)}) - greatest({', '.join(starts)}))"

    def keys(self, found: Mapping[str, NDArray[Any]]) -> list[Key]:
        """The rows of a result by their groupings, written as outside the engine."""
        if not self.groups:
            return [()] * len(next(iter(found.values())))
        columns = [
            [each.written(value) for value in found[name].tolist()]
            for name, each in zip(self.names, self.groups, strict=True)
        ]
        return list(zip(*columns, strict=True))


def outer(inner: Piece, names: Sequence[str], *expressions: str, where: str = "") -> Piece:
    """Sum over a subquery `d` by some of its columns."""
    statement = Piece(f"SELECT {', '.join([*names, *expressions])} FROM (")
    statement.add_piece(inner)
    statement.add(f") d{' WHERE ' + where if where else ''}")
    if names:
        statement.add(f" GROUP BY {', '.join(names)}")
    return statement


def whole(expression: str, name: str) -> str:
    """A sum as a whole number of 64 bits, 0 where there is nothing to add up."""
    return f"CAST(coalesce(sum({expression}), 0) AS BIGINT) AS {name}"


def small_table(names: Iterable[str], rows: Iterable[Iterable[Value]]) -> Piece:
    """Write a small table of placeholders, its columns named in the first line."""
    piece = Piece()
    named = ", ".join(f"? AS {name}" for name in names)
    for place, row in enumerate(rows):
        values = list(row)
        text = f" UNION ALL SELECT {', '.join('?' * len(values))}" if place else f"SELECT {named}"
        piece.add(text, *values)
    return piece


def restrict(source: Source, alias: str, conditions: Iterable[Condition]) -> None:
    """Hold a table to conditions on its listed columns."""
    for condition in conditions:
        listed = column(TABLE_OF[alias], condition.column)
        name = f"{alias}.{listed.name}"
        either: list[str] = []
        values: list[Value] = []
        numbers = _stored(source.codes, listed.name, listed.kind, condition.values)
        if numbers:
            either.append(f"{name} IN ({', '.join('?' * len(numbers))})")
            values.extend(numbers)
        if condition.bits:
            either.append(f"({name} & ?) <> 0")
            values.append(condition.bits)
        if condition.blank:
            is_number = listed.kind not in {Kind.CODE, Kind.BITS}
            either.append(f"{name} IS NULL" if is_number else f"{name} = 0")
        text = f"({' OR '.join(either)})" if either else "1 = 0"
        source.require(f"NOT {text}" if condition.unless else text, *values)


def _stored(codes: Codes, name: str, kind: Kind, values: Iterable[Value]) -> list[Value]:
    """Values as the column holds them; a code that is on no list is in no row."""
    if kind is not Kind.CODE:
        return list(values)
    numbers = [codes.number(name, str(value)) for value in values]
    return [number for number in numbers if number != UNKNOWN]
