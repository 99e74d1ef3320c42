"""Devices by when they entered and left, and their recurring events, as sums by month."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from registry.snapshot.counting import at_risk
from registry.snapshot.selected import devices_of
from registry.snapshot.selection import Selection
from registry.snapshot.statement import Key, Piece, Source, outer, whole
from registry.snapshot.store import Store

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """A few columns of whole numbers, a line each; the last is how many there are."""

    columns: tuple[Ints, ...]

    @classmethod
    def none(cls, width: int) -> "Lines":
        """No line."""
        return cls(tuple(np.zeros(0, dtype=np.int64) for _ in range(width)))


@dataclass(frozen=True, slots=True, eq=False)
class DeviceEvents:
    """The devices of one row, and their events.

    devices: entry, end, number. events: month, entry and end of their device, number. pairs: the
    months of two events of one device, in both orders and with itself, number.
    """

    devices: Lines
    events: Lines
    pairs: Lines


def device_events(store: Store, selection: Selection, *, clock: str) -> dict[Key, DeviceEvents]:
    """Every device of each row and every event in its follow-up; three statements.

    selection: grouped by what is known of devices; without calendar years and windows.
    """
    devices = devices_of(selection, store.codes, component=clock)
    devices.require("i.time_to > i.time_from")
    ends = ["i.months_to_entry", "i.months_followed"]
    named = ["i.months_to_entry AS c0", "i.months_followed AS c1"]
    given = _lines(devices, store.run(devices.select(*named, "count(*) AS n", by=ends)), 2)
    source = at_risk(store, selection, clock=clock)
    month = f"e.{clock}_month"
    events = _lines(
        source,
        store.run(
            source.select(
                f"{month} AS c0",
                "i.months_to_entry AS c1",
                "i.months_followed AS c2",
                "count(*) AS n",
                by=[month, *ends],
            )
        ),
        3,
    )
    pairs = _lines(source, store.run(_paired(source, month)), 2)
    return {
        key: DeviceEvents(own, events.get(key, Lines.none(4)), pairs.get(key, Lines.none(3)))
        for key, own in given.items()
    }


def _paired(source: Source, month: str) -> Piece:
    """A device's events by month with each other, added up over devices."""
    inner = source.select(
        "i.device_no AS device", f"{month} AS month", "count(*) AS x", by=["i.device_no", month]
    )
    same = "".join(f" AND a.{name} IS NOT DISTINCT FROM b.{name}" for name in source.names)
    joined = Piece("WITH p AS (")
    joined.add_piece(inner)
    own = ", ".join([*(f"a.{name} AS {name}" for name in source.names), ""])
    both = Piece(f"SELECT {own}a.month AS c0, b.month AS c1, CAST(a.x AS BIGINT) * b.x AS x")
    both.add(f" FROM p a JOIN p b ON a.device = b.device{same}")
    joined.add(") ")
    joined.add_piece(outer(both, [*source.names, "c0", "c1"], whole("x", "n")))
    return joined


def _lines(source: Source, found: Mapping[str, NDArray[Any]], width: int) -> dict[Key, Lines]:
    """The lines of each row in the order of their columns, whatever order an engine gives."""
    names = [*(f"c{place}" for place in range(width)), "n"]
    columns = [np.asarray(found[name], dtype=np.int64) for name in names]
    rows = {}
    for key, lines in source.lines_by_key(found):
        own = [column[lines] for column in columns]
        order = np.lexsort(own[::-1])
        rows[key] = Lines(tuple(column[order] for column in own))
    return rows
