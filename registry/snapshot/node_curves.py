"""Counts, of each node, who was at risk and who had a first event, at fixed months since implant.

What a protected curve starts from. As with nodes, only counts and sums of record keys leave.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from registry.snapshot.asked import Asked
from registry.snapshot.nodes import (
    UNITS,
    Grid,
    KeySums,
    NodeKey,
    each_once,
    join_places,
    placed_devices,
    read_sums,
    summed,
    timed_events,
)
from registry.snapshot.statement import Piece, Source, devices_of, small_table
from registry.snapshot.store import SEQUENCE_STEP, Store

NONE = KeySums()


@dataclass(frozen=True, slots=True, repr=False)
class NodeCurve:
    """A node over the months of its devices.

    at_risk: at each boundary, the devices that had entered by then, were followed beyond it and
    had had no event up to it; at 0 all that were followed from the start. events: between each two
    boundaries (the first of them left out, but in the first interval), the devices or patients
    with their first event.
    """

    at_risk: tuple[KeySums, ...]
    events: tuple[KeySums, ...]


def node_curves(
    store: Store,
    grid: Grid,
    keys: Sequence[NodeKey],
    *,
    clock: str,
    each: str,
    months: Sequence[int],
) -> dict[NodeKey, NodeCurve]:
    """Nodes at these boundaries, the first of them 0; three statements.

    each: what has the first event, the device or the patient; whose first event came with an
    earlier device is not at risk with a later one. At risk are devices in any case.
    """
    present = _present(store, grid, clock=clock, months=months)
    ended = _ended(store, grid, clock=clock, each=each, months=months)
    events = _events(store, grid, clock=clock, each=each, months=months)
    intervals = range(len(months) - 1)
    return {
        key: NodeCurve(
            at_risk=tuple(
                _less(present.get((*grid.shared(key), place), NONE), ended.get((*key, place), NONE))
                for place in range(len(months))
            ),
            events=tuple(events.get((*key, place), NONE) for place in intervals),
        )
        for key in keys
    }


def _less(whole: KeySums, part: KeySums) -> KeySums:
    """The records of a set without those of a part of it."""
    return KeySums(whole.n - part.n, whole.high - part.high, whole.low - part.low)


def _present(
    store: Store, grid: Grid, *, clock: str, months: Sequence[int]
) -> Mapping[NodeKey, KeySums]:
    source, _months = placed_devices(grid, clock)
    _at_boundaries(source, months)
    found = store.run(summed(source, each_once(source, "device")))
    return read_sums(found, len(source.groups))


def _ended(
    store: Store, grid: Grid, *, clock: str, each: str, months: Sequence[int]
) -> Mapping[NodeKey, KeySums]:
    """Those of the devices present whose owner's first event had come by then."""
    owner = UNITS[each][0]
    firsts = _firsts(grid, clock, each)
    source, _months = devices_of(Asked(), component=clock)
    source.tables.add(" JOIN (")
    source.tables.add(firsts.text, *firsts.values)
    source.tables.add(f") f ON f.owner = i.{owner}")
    for number, places in enumerate(grid.of_device):
        join_places(source, places, f"q{number}", "i")
        source.require(f"q{number}.place = f.g{number}")
    source.groups = [f"f.g{number}" for number in range(_width(grid))]
    _at_boundaries(source, months)
    earlier = f"i.sequence * {SEQUENCE_STEP} > f.first"
    by_then = f"f.first <= i.sequence * {SEQUENCE_STEP} + b.month"
    source.require(f"({earlier} OR b.month > 0 AND {by_then})")
    found = store.run(summed(source, each_once(source, "device")))
    return read_sums(found, len(source.groups))


def _events(
    store: Store, grid: Grid, *, clock: str, each: str, months: Sequence[int]
) -> Mapping[NodeKey, KeySums]:
    """First events between two boundaries; month 0 belongs to the first interval."""
    firsts = _firsts(grid, clock, each)
    source = Source(Piece("("))
    source.tables.add(firsts.text, *firsts.values)
    source.tables.add(") f JOIN (")
    rows = [
        (place, -1 if place == 0 else months[place], months[place + 1])
        for place in range(len(months) - 1)
    ]
    small_table(source.tables, ("place", "after", "upto"), rows)
    month = f"f.first % {SEQUENCE_STEP}"
    source.tables.add(f") b ON {month} > b.after AND {month} <= b.upto")
    source.groups = [*(f"f.g{number}" for number in range(_width(grid))), "b.place"]
    inner = source.select("f.high AS high", "f.low AS low", by=["f.owner", "f.high", "f.low"])
    return read_sums(store.run(summed(source, inner)), len(source.groups))


def _firsts(grid: Grid, clock: str, each: str) -> Piece:
    """The first event of each owner in each node: sequence times SEQUENCE_STEP, plus the month."""
    owner, high, low = UNITS[each]
    return timed_events(grid, clock, "months").select(
        f"i.{owner} AS owner",
        f"min(i.{high}) AS high",
        f"min(i.{low}) AS low",
        f"min(i.sequence * {SEQUENCE_STEP} + e.{clock}_month) AS first",
        by=[f"i.{owner}"],
    )


def _width(grid: Grid) -> int:
    return len(grid.of_device) + len(grid.of_event)


def _at_boundaries(source: Source, months: Sequence[int]) -> None:
    """Let a device stand at every boundary at which it was followed, events aside."""
    source.require("i.time_to > i.time_from")
    source.tables.add(" JOIN (")
    small_table(source.tables, ("place", "month"), enumerate(months))
    source.tables.add(
        ") b ON i.months_to_entry <= b.month AND (i.months_followed > b.month OR b.month = 0)"
    )
    source.groups = [*source.groups, "b.place"]
