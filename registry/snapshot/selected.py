"""The events, devices and declared exposure of a selection, as sources of statements.

What makes an event part of a row, and what gives a device time in it, is written here once: exact
and protected answers, counts, rates and curves start from these.
"""

from collections.abc import Mapping
from typing import Any

from registry.records import DIMENSIONS, Side
from registry.snapshot.codes import UNKNOWN, Codes
from registry.snapshot.schema import TABLES, Kind, column
from registry.snapshot.selection import (
    ENDLESS,
    Condition,
    Placed,
    Selection,
    is_multiple,
    period_label,
)
from registry.snapshot.statement import (
    TABLE_OF,
    Grouping,
    Piece,
    Source,
    among_codes,
    restrict,
    small_table,
)
from registry.vocabulary import CODELISTS

QUARTERS_A_YEAR = 48


def events_of(selection: Selection, codes: Codes, *, clock: str, device: str) -> Source:
    """The events of a selection; `clock` names the month they are placed by.

    clock: device, pump or catheter. device: the alias whose columns hold the device's and the
    patient's attributes: `e` for the event's own, `i` for the device on that clock, which is then
    joined. The component is always the event's own as well: a pump's event on a catheter's clock
    is no catheter's event.
    """
    source = Source(codes, Piece("events e"))
    if device == "i":
        source.tables.add(
            f" JOIN implants i ON i.device_no = e.{column('events', f'{clock}_no').name}"
        )
        leave_out_uncounted(source)
    month = "e.months_since_implant" if clock == "device" else f"e.{clock}_month"
    if device == "e" and clock != "device":  # where no device is found on that clock
        month = f"coalesce({month}, e.months_since_implant)"
    restrict(source, "e", selection.on_events)
    restrict(source, device, selection.on_devices)
    if device == "i":
        own = [each for each in selection.on_devices if each.column == "component"]
        restrict(source, "e", own)
    place_in_time(source, selection, "e", month)
    for name in selection.group_by:
        source.groups.append(_event_group(source, selection, name, device))
    return source


def place_in_time(source: Source, selection: Selection, alias: str, month: str) -> None:
    """Keep the events of the years and windows of a selection, in each row that they lie in.

    alias: `e`, or `f` for other rows of events that have a year; month: that of the event.
    """
    if selection.years is not None:
        restrict(source, alias, [Condition("year", selection.years, blank=selection.no_year)])
    if selection.spans:
        _join_windows_of_events(source, selection, month)
    if selection.calendar:
        rows = [
            (*span.labels, year)
            for span in selection.calendar
            for year in range(span.first, span.last + 1)
        ]
        source.join(small_table(("label0", "year"), rows), f"y ON y.year = {alias}.year")


def time_group(selection: Selection, name: str, alias: str) -> Grouping:
    """A grouping by the time of events, which `place_in_time` placed."""
    if name == "window":
        return _window_group(selection)
    if name == "period":
        return Grouping(f"{alias}.year - {alias}.year % 5", _period)
    year = "y.label0" if selection.calendar else f"{alias}.year"
    return Grouping(year, lambda value: None if value is None else int(value))


def _event_group(source: Source, selection: Selection, name: str, device: str) -> Grouping:
    if DIMENSIONS[name].side is Side.TIME:
        return time_group(selection, name, "e")
    placed = selection.places_of(name)
    if is_multiple(name) and placed is None:
        return _join_codes(source, selection, name)
    side = DIMENSIONS[name].side
    alias = "e" if side is Side.EVENT or name == "component" else device
    if name == "component" and device == "i":
        source.require("e.component = i.component")
    return _value_group(source, alias, name, placed)


def _value_group(source: Source, alias: str, name: str, placed: Placed | None) -> Grouping:
    listed = column(TABLE_OF[alias], name)
    expression = f"{alias}.{listed.name}"
    codes = source.codes
    if placed is not None:
        return _join_places(source, expression, listed.kind, placed)
    if listed.kind is Kind.CODE:
        return Grouping(expression, lambda number: codes.text(name, int(number)))
    return Grouping(expression, lambda value: None if value is None else int(value))


def _join_places(source: Source, expression: str, kind: Kind, placed: Placed) -> Grouping:
    """Group by places; for a set of codes a row may stand in several.

    Where each place is one code, rows are grouped by the code, and no place is looked up.
    """
    if kind is Kind.CODE and (alone := _codes_alone(source.codes, placed)):
        size = len(source.codes.lists[placed.column])
        source.where.append(among_codes(expression, set(alone), size))
        return Grouping(expression, lambda number: alone[int(number)])
    alias = f"p_{placed.column}"
    if kind is Kind.BITS:
        codes = {
            str(code.value): 1 << code.bit
            for code in CODELISTS[DIMENSIONS[placed.column].codelist or ""]
        }
        bits: dict[int, int] = {}
        blank = None
        for value, place in placed.place_of:
            if value is None:
                blank = place
            else:
                bits[place] = bits.get(place, 0) | codes[str(value)]
        rows = [(bit, place) for place, bit in bits.items()]
        rows += [] if blank is None else [(0, blank)]
        on = f"(({expression} & {alias}.value) <> 0 OR ({expression} = 0 AND {alias}.value = 0))"
    else:
        rows = []
        for value, place in placed.place_of:
            if kind is Kind.CODE:
                stored = source.codes.number(placed.column, "" if value is None else str(value))
            else:
                stored = UNKNOWN if value is None else int(value)
            rows.append((stored, place))
        held = expression if kind is Kind.CODE else f"coalesce({expression}, {UNKNOWN})"
        on = f"{alias}.value = {held}"
    source.join(small_table(("value", "place"), rows), f"{alias} ON {on}")
    return Grouping(f"{alias}.place", int)


def _codes_alone(codes: Codes, placed: Placed) -> dict[int, int]:
    """The place of each code, if no place has two; otherwise empty."""
    numbered = {
        codes.number(placed.column, "" if value is None else str(value)): place
        for value, place in placed.place_of
    }
    alone = len(set(numbered.values())) == len(placed.place_of)
    return {n: place for n, place in numbered.items() if n != UNKNOWN} if alone else {}


def _join_codes(source: Source, selection: Selection, name: str) -> Grouping:
    """Let an event stand in the row of each of its codes, or in that of the blanks.

    Where the question names some of the codes, only these make rows.
    """
    listed = column("events", name).name
    texts = [""] + [str(code.value) for code in CODELISTS[DIMENSIONS[name].codelist or ""]]
    bits = [0] + [1 << code.bit for code in CODELISTS[DIMENSIONS[name].codelist or ""]]
    rows = list(enumerate(bits))
    for condition in selection.on_events:
        if condition.column == name:
            rows = [
                (place, bit)
                for place, bit in rows
                if (bit & condition.bits if bit else condition.blank)
            ]
    alias = f"m_{listed}"
    source.join(
        small_table(("place", "bit"), rows or [(0, -1)]),
        f"{alias} ON ((e.{listed} & {alias}.bit) <> 0 AND {alias}.bit > 0"
        f" OR (e.{listed} = 0 AND {alias}.bit = 0))",
    )
    return Grouping(f"{alias}.place", lambda place: texts[int(place)])


def _join_windows_of_events(source: Source, selection: Selection, month: str) -> None:
    rows = [
        (
            place,
            span.first,
            ENDLESS if span.last is None else span.last,
            span.time_from,
            span.time_to,
        )
        for place, span in enumerate(selection.spans)
    ]
    names = ("place", "first_month", "last_month", "time_from", "time_to")
    source.join(
        small_table(names, rows),
        f"w ON ({month} >= w.first_month AND {month} <= w.last_month"
        f" OR {month} IS NULL AND w.first_month < 0)",
    )


def devices_of(
    selection: Selection, codes: Codes, *, component: str | None, by_year: bool = True
) -> Source:
    """The implants of a selection, in each row in which they have any time.

    by_year: join the calendar years of the rows; without, groupings by calendar time are left
    out and the caller splits the time.
    """
    source = Source(codes, Piece("implants i"))
    leave_out_uncounted(source)
    if component is not None:
        source.require_code("i", "component", component)
    restrict(source, "i", selection.on_devices)
    place_devices_in_time(source, selection, by_year=by_year)
    for name in selection.shared:
        if name not in selection.time_groups:
            source.groups.append(device_group(source, selection, name))
        elif by_year:
            source.groups.append(year_group(selection, name))
    return source


def place_devices_in_time(source: Source, selection: Selection, *, by_year: bool = True) -> None:
    """Join the windows and the calendar years in which the devices `i` have any time."""
    if selection.spans:
        _join_windows_of_devices(source, selection)
    if selection.splits_years and by_year:
        join_years(source, selection)


def name_their_devices(selection: Selection, *, clock: str) -> bool:
    """Whether events on a clock name the device there, so that their columns are the device's.

    They do where only events of that component are asked for: nothing needs to be joined.
    """
    return Condition("component", (clock,)) in selection.on_devices


def leave_out_uncounted(source: Source, alias: str = "i") -> None:
    """Implants that do not count give neither time nor patients.

    They should not have been followed, or were entered after their site's last closed round.
    """
    source.require(f"{alias}.{column('implants', 'counts').name}")


def _join_windows_of_devices(source: Source, selection: Selection) -> None:
    rows = [
        (place, span.time_from, span.time_to)
        for place, span in enumerate(selection.spans)
        if span in selection.timed_spans
    ]
    source.join(
        small_table(("place", "time_from", "time_to"), rows or [(0, 0, 0)]),
        "w ON w.time_from < i.time_to AND w.time_to > i.time_from",
    )
    source.starts.append("w.time_from")
    source.ends.append("w.time_to")


def join_years(source: Source, selection: Selection, alias: str = "y") -> None:
    """Join the calendar years of the rows in which a device `i` was followed."""
    width = len(selection.time_groups)
    names = (*(f"label{place}" for place in range(width)), "first_year", "last_year")
    rows = [(*span.labels, span.first, span.last) for span in selection.year_spans()]
    source.join(
        small_table(names, rows or [(*(0 for _ in range(width)), 1, 0)]),
        f"{alias} ON {alias}.first_year <= i.last_year AND {alias}.last_year >= i.first_year",
    )
    source.starts.append(f"{QUARTERS_A_YEAR} * {alias}.first_year - i.origin")
    source.ends.append(f"{QUARTERS_A_YEAR} * ({alias}.last_year + 1) - i.origin")


def bound_by_years(source: Source, selection: Selection, labels: Mapping[str, str]) -> list[str]:
    """Bound the time of the devices `i` by the calendar years of the row that they are joined to.

    labels: the columns that hold the row's groupings by calendar time. Gives factors that are 1 in
    the first of a row's spans of years and 0 in the others.
    """
    groups = selection.time_groups
    if groups == ("year",) and not selection.calendar:  # each row is the year that it is named by
        first = last = labels["year"]
        source.require(f"{first} IS NOT NULL")
        factors = []
    else:
        names = [f"label{place}" for place in range(len(groups))]
        seen: set[tuple[int, ...]] = set()
        rows = []
        for span in selection.year_spans():
            rows.append((*span.labels, span.first, span.last, int(span.labels not in seen)))
            seen.add(span.labels)
        own = [f"b.{label} = {labels[name]}" for label, name in zip(names, groups, strict=True)]
        nothing = (*[0] * len(groups), 1, 0, 0)
        table = small_table((*names, "first_year", "last_year", "is_first"), rows or [nothing])
        source.join(table, f"b ON {' AND '.join(own) or '1 = 1'}")
        first, last, factors = "b.first_year", "b.last_year", ["b.is_first"]
    source.starts.append(f"{QUARTERS_A_YEAR} * {first} - i.origin")
    source.ends.append(f"{QUARTERS_A_YEAR} * ({last} + 1) - i.origin")
    return factors


def year_group(selection: Selection, name: str) -> Grouping:
    """A grouping by the calendar years that `join_years` joined."""
    written = _period if name == "period" else int
    return Grouping(f"y.label{selection.time_groups.index(name)}", written)


def device_group(source: Source, selection: Selection, name: str) -> Grouping:
    """A grouping by what a device is, or by the months since its implantation."""
    if name == "window":
        return _window_group(selection)
    return _value_group(source, "i", name, selection.places_of(name))


def exposures_of(selection: Selection, codes: Codes, *, component: str | None) -> Source | None:
    """The declared exposure of a selection, or None where it cannot be followed there.

    Nobody declares by drug, months since implant, age ...
    """
    listed = {each.name for each in TABLES["exposures"]} | {"period"}
    groups = selection.shared
    needed = {condition.column for condition in selection.on_devices} | set(groups)
    if selection.spans or not needed <= listed:
        return None
    source = Source(codes, Piece("exposures x"))
    source.require("x.counts")
    if component is not None:
        source.require_code("x", "component", component)
    restrict(source, "x", selection.on_devices)
    if selection.years is not None:
        restrict(source, "x", [Condition("year", selection.years)])
    for name in groups:
        if name == "period":
            source.groups.append(Grouping("x.year - x.year % 5", _period))
        else:
            source.groups.append(_value_group(source, "x", name, None))
    return source


def _window_group(selection: Selection) -> Grouping:
    labels = [span.label for span in selection.spans]
    return Grouping("w.place", lambda place: labels[int(place)])


def _period(start: Any) -> str:
    return "" if start is None else period_label(int(start))
