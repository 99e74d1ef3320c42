"""Counts the records of nodes and sums their keys: what disclosure control starts from.

A node is one place in each of a few columns, and a place is a value or several. One statement
answers every node of a grid: each column's values are joined to their places, and the places are
what is grouped by. The keys of a record are used here and leave as sums only.
"""

# ruff: noqa: S608 - names come from the schema, values go to placeholders

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from registry.snapshot.asked import Asked, Condition
from registry.snapshot.engine import Value
from registry.snapshot.schema import RECORD_KEYS, Kind, column
from registry.snapshot.selections import after_entry, at_risk
from registry.snapshot.statement import Piece, Source, devices_of, events_of, small_table
from registry.snapshot.store import SEQUENCE_STEP, Store

NodeKey = tuple[int, ...]
"""The places of a node: those of devices in the grid's order, of calendar time, of events."""

BLANK_NUMBER = -1
FIRST_HALF_MONTH = 0.25
ENDLESS = 1_000_000
_ORIGIN = "12 * i.implant_year + 6"
_KEYS = [key.name for key in RECORD_KEYS]
UNITS = {"device": ("device_no", *_KEYS[:2]), "patient": ("patient_no", *_KEYS[2:])}
"""The number of a record and the two halves of its key, by what is counted."""


@dataclass(frozen=True, slots=True)
class Places:
    """Which place each value of a column belongs to; a value that is not here is in no node.

    place_of: pairs of value and place; a blank is "" where the column holds codes, and -1 where
    it holds numbers.
    """

    column: str
    place_of: tuple[tuple[Value, int], ...]


@dataclass(frozen=True, slots=True)
class YearPlace:
    """A place in calendar time: its number, its first year and its last."""

    place: int
    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Nodes that name the same columns; each combination of places is one.

    on_events: what every counted event must be besides.
    """

    on_events: tuple[Condition, ...] = ()
    of_device: tuple[Places, ...] = ()
    years: tuple[YearPlace, ...] = ()
    of_event: tuple[Places, ...] = ()

    def shared(self, key: NodeKey) -> NodeKey:
        """The part of a node's key that its devices have, whatever happened to them."""
        return key[: len(self.of_device) + bool(self.years)]


@dataclass(frozen=True, slots=True, repr=False)
class KeySums:
    """How many different records a node holds, and the sums of the two halves of their keys."""

    n: int = 0
    high: int = 0
    low: int = 0


@dataclass(frozen=True, slots=True, repr=False)
class DeviceTime:
    """What a node's devices contribute to a denominator, and which devices they are."""

    total: float
    devices: KeySums


def reported_units(store: Store, grid: Grid, *, each: str) -> dict[NodeKey, KeySums]:
    """Different devices, or patients, with a reported event that names an implant."""
    source = events_of(Asked(on_events=grid.on_events), clock="device", device="e")
    source.tables.add(" JOIN implants i ON i.device_no = e.device_no")
    _place_events(source, grid, device="e")
    return _key_sums(store, source, each)


def affected_units(
    store: Store, grid: Grid, *, clock: str | None, each: str
) -> dict[NodeKey, KeySums]:
    """Different devices, or patients, with an event after entry; those that a proportion counts."""
    source = after_entry(Asked(on_events=grid.on_events), clock=clock)
    _place_events(source, grid, device="i")
    if grid.years:
        source.require(f"12 * y.first_year < {_ORIGIN} + i.time_to")
        source.require(f"12 * y.last_year + 12 > {_ORIGIN} + i.time_from")
    return _key_sums(store, source, each)


def carrier_units(
    store: Store, grid: Grid, *, clock: str | None, each: str
) -> dict[NodeKey, KeySums]:
    """Different devices, or patients with one, under observation; keys as `Grid.shared`."""
    source, _months = placed_devices(grid, clock)
    source.require("i.time_to > i.time_from")
    return _key_sums(store, source, each)


def first_events(
    store: Store, grid: Grid, *, clock: str, each: str, quantity: str
) -> dict[NodeKey, KeySums]:
    """Devices, or patients, with an event in the device time that a rate divides by."""
    return _key_sums(store, timed_events(grid, clock, quantity), each)


def device_time(
    store: Store, grid: Grid, *, clock: str, quantity: str
) -> dict[NodeKey, DeviceTime]:
    """Months, or procedures or refills since entry, of the devices; keys as `Grid.shared`."""
    source, amount = placed_devices(grid, clock)
    if quantity != "months":
        amount = f"i.{column('implants', quantity).name}"
        source.require(f"{amount} IS NOT NULL")
    inner = each_once(source, "device", f"sum(CAST({amount} AS DOUBLE)) AS amount")
    found = store.run(summed(source, inner, "sum(amount) AS amount"))
    totals = [float(total or 0) for total in found["amount"].tolist()]
    sums = read_sums(found, len(source.groups))
    return {
        key: DeviceTime(total, devices)
        for (key, devices), total in zip(sums.items(), totals, strict=True)
    }


def time_after_first(store: Store, grid: Grid, *, clock: str, each: str) -> dict[NodeKey, float]:
    """Device months that no longer count, since they come after the node's first events.

    A first event at month m ends its device's time at m (0.25 at month 0); where patients count,
    the time of their later devices in the same node goes as well.
    """
    owner = UNITS[each][0]
    events = timed_events(grid, clock, "months")
    firsts = events.select(
        f"i.{owner} AS owner",
        f"min(i.sequence * {SEQUENCE_STEP} + e.{clock}_month) AS first",
        by=[f"i.{owner}"],
    )
    source, _months = devices_of(Asked(), component=clock)
    source.tables.add(" JOIN (")
    source.tables.add(firsts.text, *firsts.values)
    source.tables.add(f") f ON f.owner = i.{owner}")
    for number, places in enumerate(grid.of_device):
        join_places(source, places, f"q{number}", "i")
        source.require(f"q{number}.place = f.g{number}")
    starts, ends = ["i.time_from"], ["i.time_to"]
    if grid.years:
        _join_calendar(source, grid, starts, ends)
        source.require(f"y.place = f.g{len(grid.of_device)}")
    sequence = f"floor(f.first / {SEQUENCE_STEP}.0)"
    month = f"(f.first - {SEQUENCE_STEP} * {sequence})"
    starts.append(
        f"CASE WHEN i.sequence = {sequence} THEN greatest({month}, {FIRST_HALF_MONTH})"
        f" WHEN i.sequence > {sequence} THEN -{ENDLESS} ELSE {ENDLESS} END"
    )
    source.groups = [f"f.g{number}" for number in range(len(events.groups))]
    months = f"greatest(0, least({', '.join(ends)}) - greatest({', '.join(starts)}))"
    found = store.run(source.select(f"sum(CAST({months} AS DOUBLE)) AS lost"))
    lost = [float(total or 0) for total in found["lost"].tolist()]
    return dict(zip(_node_keys(found, len(source.groups)), lost, strict=True))


def timed_events(grid: Grid, clock: str, quantity: str) -> Source:
    """The events that lie in the follow-up of a device which contributes to the denominator."""
    source = at_risk(Asked(on_events=grid.on_events), clock, quantity)
    _place_events(source, grid, device="i")
    if grid.years:
        source.require("i.implant_year IS NOT NULL")
    return source


def placed_devices(grid: Grid, clock: str | None) -> tuple[Source, str]:
    """The implants by place, and an expression for the months of each in its node."""
    source, _months = devices_of(Asked(), component=clock)
    for number, places in enumerate(grid.of_device):
        join_places(source, places, f"q{number}", "i")
        source.groups.append(f"q{number}.place")
    starts, ends = ["i.time_from"], ["i.time_to"]
    if grid.years:
        _join_calendar(source, grid, starts, ends)
        source.groups.append("y.place")
    if len(starts) == 1:
        return source, "i.time_to - i.time_from"
    return source, f"greatest(0, least({', '.join(ends)}) - greatest({', '.join(starts)}))"


def _place_events(source: Source, grid: Grid, *, device: str) -> None:
    """Put events into nodes; device: the alias that holds the device's and patient's columns."""
    for number, places in enumerate(grid.of_device):
        join_places(source, places, f"q{number}", device)
        if places.column == "component":  # a pump's event on a catheter's clock is no catheter's
            source.require(f"e.component = q{number}.value")
        source.groups.append(f"q{number}.place")
    if grid.years:
        source.tables.add(" JOIN (")
        rows = [(each.place, each.first, each.last) for each in grid.years]
        small_table(source.tables, ("place", "first_year", "last_year"), rows)
        source.tables.add(") y ON e.year >= y.first_year AND e.year <= y.last_year")
        source.groups.append("y.place")
    for number, places in enumerate(grid.of_event):
        join_places(source, places, f"p{number}", "e")
        source.groups.append(f"p{number}.place")


def join_places(source: Source, places: Places, name: str, alias: str) -> None:
    listed = column("events" if alias == "e" else "implants", places.column)
    value = f"{alias}.{listed.name}"
    if listed.kind is Kind.NUMBER:
        value = f"coalesce({value}, {BLANK_NUMBER})"
    source.tables.add(" JOIN (")
    small_table(source.tables, ("value", "place"), places.place_of)
    source.tables.add(f") {name} ON {name}.value = {value}")


def _join_calendar(source: Source, grid: Grid, starts: list[str], ends: list[str]) -> None:
    source.tables.add(" JOIN (")
    rows = [(each.place, 12 * each.first, 12 * each.last + 12) for each in grid.years]
    small_table(source.tables, ("place", "month_from", "month_to"), rows)
    source.tables.add(
        f") y ON y.month_from < {_ORIGIN} + i.time_to AND y.month_to > {_ORIGIN} + i.time_from"
    )
    starts.append(f"y.month_from - ({_ORIGIN})")
    ends.append(f"y.month_to - ({_ORIGIN})")


def _key_sums(store: Store, source: Source, each: str) -> dict[NodeKey, KeySums]:
    found = store.run(summed(source, each_once(source, each)))
    return read_sums(found, len(source.groups))


def each_once(source: Source, each: str, *more: str) -> Piece:
    """Every record once in each node, with its keys; the keys belong to the record."""
    number, high, low = (f"i.{name}" for name in UNITS[each])
    return source.select(f"min({high}) AS high", f"min({low}) AS low", *more, by=[number])


def summed(source: Source, inner: Piece, *more: str) -> Piece:
    """Count the records of each node and sum their keys, as whole numbers of 64 bits."""
    names = [f"g{place}" for place in range(len(source.groups))]
    sums = [f"CAST(coalesce(sum({key}), 0) AS BIGINT) AS {key}" for key in ("high", "low")]
    columns = ", ".join([*names, "count(*) AS n", *sums, *more])
    statement = Piece(f"SELECT {columns} FROM (")
    statement.add(inner.text, *inner.values)
    statement.add(") d" + (f" GROUP BY {', '.join(names)}" if names else ""))
    return statement


def read_sums(found: Mapping[str, NDArray[Any]], groups: int) -> dict[NodeKey, KeySums]:
    rows = zip(*(found[name].tolist() for name in ("n", "high", "low")), strict=True)
    sums = (KeySums(int(n), int(high), int(low)) for n, high, low in rows)
    return dict(zip(_node_keys(found, groups), sums, strict=True))


def _node_keys(found: Mapping[str, NDArray[Any]], groups: int) -> list[NodeKey]:
    if not groups:
        return [() for _ in next(iter(found.values()))]
    places = (found[f"g{number}"].tolist() for number in range(groups))
    return [tuple(int(place) for place in key) for key in zip(*places, strict=True)]


__all__ = [
    "BLANK_NUMBER",
    "UNITS",
    "DeviceTime",
    "Grid",
    "KeySums",
    "NodeKey",
    "Places",
    "YearPlace",
    "affected_units",
    "carrier_units",
    "device_time",
    "each_once",
    "first_events",
    "join_places",
    "placed_devices",
    "read_sums",
    "reported_units",
    "summed",
    "time_after_first",
    "timed_events",
]
