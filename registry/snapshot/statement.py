"""Builds statements from listed columns and placeholders; no value ever enters the text."""

# ruff: noqa: S608 - names come from the schema, values go to placeholders

from collections.abc import Iterable
from dataclasses import dataclass, field

from registry.records import DIMENSIONS, Side
from registry.snapshot.asked import Asked, Condition, is_multiple
from registry.snapshot.engine import Value
from registry.snapshot.schema import Kind, column
from registry.vocabulary import CODELISTS, ExitStatus

INELIGIBLE = ExitStatus.ELIGIBILITY_NOT_MET.value
_ENDLESS = 1_000_000
_ALIASES = {"e": "events", "f": "events", "i": "implants", "x": "exposures"}


@dataclass(slots=True)
class Piece:
    """Part of a statement and the values of its placeholders, in order."""

    text: str = ""
    values: list[Value] = field(default_factory=list)

    def add(self, text: str, *values: Value) -> None:
        """Append text and the values of the placeholders in it."""
        self.text += text
        self.values.extend(values)


@dataclass(slots=True)
class Source:
    """The FROM and WHERE of a statement, and the expressions that it is grouped by."""

    tables: Piece = field(default_factory=Piece)
    where: list[Piece] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)

    def require(self, text: str, *values: Value) -> None:
        """Add a condition."""
        self.where.append(Piece(text, list(values)))

    def select(self, *expressions: str, by: Iterable[str] = ()) -> Piece:
        """Select the groups as g0, g1 ... and the expressions, grouped by the groups and `by`."""
        named = [f"{group} AS g{place}" for place, group in enumerate(self.groups)]
        keys = [*self.groups, *by]
        statement = Piece()
        statement.add(f"SELECT {', '.join([*named, *expressions])} FROM ")
        statement.add(self.tables.text, *self.tables.values)
        for place, condition in enumerate(self.where):
            statement.add(" AND " if place else " WHERE ")
            statement.add(condition.text, *condition.values)
        if keys:
            statement.add(f" GROUP BY {', '.join(keys)}")
        return statement

    def count_distinct(self, expression: str) -> Piece:
        """Count the different values of an expression in each group; NULLs do not count."""
        self.require(f"{expression} IS NOT NULL")
        inner = self.select(f"{expression} AS counted", by=[expression])
        names = [f"g{place}" for place in range(len(self.groups))]
        statement = Piece(f"SELECT {', '.join([*names, 'count(*) AS n'])} FROM (")
        statement.add(inner.text, *inner.values)
        statement.add(") d" + (f" GROUP BY {', '.join(names)}" if names else ""))
        return statement


def restrict(source: Source, alias: str, conditions: Iterable[Condition]) -> None:
    """Hold a table to conditions on its listed columns."""
    for condition in conditions:
        listed = column(_ALIASES[alias], condition.column)
        name = f"{alias}.{listed.name}"
        either: list[str] = []
        values: list[Value] = []
        if condition.values:
            either.append(f"{name} IN ({', '.join('?' * len(condition.values))})")
            values.extend(condition.values)
        if condition.bits:
            either.append(f"({name} & ?) <> 0")
            values.append(condition.bits)
        if condition.blank:
            either.append(_is_blank(name, listed.kind))
        text = f"({' OR '.join(either)})" if either else "1 = 0"
        source.require(f"NOT {text}" if condition.unless else text, *values)


def _is_blank(name: str, kind: Kind) -> str:
    if kind is Kind.CODE:
        return f"{name} = ''"
    return f"{name} = 0" if kind is Kind.BITS else f"{name} IS NULL"


def events_of(asked: Asked, *, clock: str, device: str) -> Source:
    """The events asked for; `clock` names the month they are placed by (device, pump, catheter).

    device: the alias whose columns hold the device's and patient's attributes: `e` for the
    event's own, `i` for the device on that clock, which is then joined. The component is always
    the event's own as well: a pump's event on a catheter's clock is no catheter's event.
    """
    source = Source(Piece("events e"))
    if device == "i":
        source.tables.add(f" JOIN implants i ON i.device_no = e.{_listed('events', clock, 'no')}")
        _leave_out_ineligible(source)
    month = "e.months_since_implant" if clock == "device" else f"e.{clock}_month"
    if device == "e" and clock != "device":  # where no device is found on that clock
        month = f"coalesce({month}, e.months_since_implant)"
    restrict(source, "e", asked.on_events)
    restrict(source, device, asked.on_devices)
    if device == "i":
        restrict(source, "e", [each for each in asked.on_devices if each.column == "component"])
    if asked.years is not None:
        restrict(source, "e", [Condition("year", asked.years, blank=asked.no_year)])
    if asked.spans:
        _join_spans_of_events(source, asked, month)
    for name in asked.group_by:
        source.groups.append(_event_group(source, asked, name, device))
    return source


def _listed(table: str, clock: str, what: str) -> str:
    return column(table, f"{clock}_{what}").name


def _event_group(source: Source, asked: Asked, name: str, device: str) -> str:
    if name == "window":
        return "w.label"
    if is_multiple(name):
        return _join_codes(source, asked, name)
    side = DIMENSIONS[name].side
    alias = "e" if side in {Side.EVENT, Side.TIME} or name == "component" else device
    return f"{alias}.{column(_ALIASES[alias], name).name}"


def _join_codes(source: Source, asked: Asked, name: str) -> str:
    """Let an event stand in the row of each of its codes, or in that of the blanks.

    Where the question names some of the codes, only these make rows.
    """
    listed = column("events", name).name
    codes = [("", 0)] + [
        (str(code.value), 1 << code.bit) for code in CODELISTS[DIMENSIONS[name].codelist or ""]
    ]
    for condition in asked.on_events:
        if condition.column == name:
            codes = [
                (code, bit)
                for code, bit in codes
                if (bit & condition.bits if bit else condition.blank)
            ]
    alias = f"m_{listed}"
    source.tables.add(" JOIN (")
    small_table(source.tables, ("code", "bit"), codes)
    source.tables.add(
        f") {alias} ON ((e.{listed} & {alias}.bit) <> 0 OR (e.{listed} = 0 AND {alias}.bit = 0))"
    )
    return f"{alias}.code"


def _join_spans_of_events(source: Source, asked: Asked, month: str) -> None:
    rows = [
        (span.label, span.first, _ENDLESS if span.last is None else span.last)
        for span in asked.spans
    ]
    source.tables.add(" JOIN (")
    small_table(source.tables, ("label", "first_month", "last_month"), rows)
    source.tables.add(
        f") w ON ({month} >= w.first_month AND {month} <= w.last_month"
        f" OR {month} IS NULL AND w.first_month < 0)"
    )


def devices_of(asked: Asked, *, component: str | None) -> tuple[Source, str]:
    """The implants asked for, and an expression for the device time of each in each row."""
    source = Source(Piece("implants i"))
    _leave_out_ineligible(source)
    if component is not None:
        source.require("i.component = ?", component)
    restrict(source, "i", asked.on_devices)
    starts, ends = ["i.time_from"], ["i.time_to"]
    if asked.spans:
        source.tables.add(" JOIN (")
        rows = [
            (span.label, span.time_from, min(span.time_to, _ENDLESS)) for span in asked.timed_spans
        ] or [("", 0, 0)]
        small_table(source.tables, ("label", "time_from", "time_to"), rows)
        source.tables.add(") w ON w.time_from < i.time_to AND w.time_to > i.time_from")
        starts.append("w.time_from")
        ends.append("w.time_to")
    if asked.splits_years:
        _join_years(source, asked)
        starts.append("y.month_from - 12 * i.implant_year - 6")
        ends.append("y.month_to - 12 * i.implant_year - 6")
    for name in asked.shared:
        source.groups.append(_device_group(asked, name))
    if len(starts) == 1:
        return source, "i.time_to - i.time_from"
    return source, f"greatest(0, least({', '.join(ends)}) - greatest({', '.join(starts)}))"


def _leave_out_ineligible(source: Source) -> None:
    """Implants that should not have been followed give neither time nor patients."""
    source.require(f"i.{column('implants', 'exit_status').name} <> ?", INELIGIBLE)


def _join_years(source: Source, asked: Asked) -> None:
    names = (
        *(f"label{place}" for place in range(len(asked.time_groups))),
        "month_from",
        "month_to",
    )
    rows = [
        (*span.labels, 12 * span.first, 12 * span.last + 12) for span in asked.year_spans()
    ] or [(*(0 for _ in asked.time_groups), 0, 0)]
    source.tables.add(" JOIN (")
    small_table(source.tables, names, rows)
    source.tables.add(
        ") y ON y.month_from < 12 * i.implant_year + 6 + i.time_to"
        " AND y.month_to > 12 * i.implant_year + 6 + i.time_from"
    )


def _device_group(asked: Asked, name: str) -> str:
    if name == "window":
        return "w.label"
    if name in asked.time_groups:
        return f"y.label{asked.time_groups.index(name)}"
    return f"i.{column('implants', name).name}"


def small_table(piece: Piece, names: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Write a small table of placeholders, its columns named in the first line."""
    named = ", ".join(f"? AS {name}" for name in names)
    for place, row in enumerate(rows):
        values = list(row)
        text = f" UNION ALL SELECT {', '.join('?' * len(values))}" if place else f"SELECT {named}"
        piece.add(text, *values)  # type: ignore[arg-type]
