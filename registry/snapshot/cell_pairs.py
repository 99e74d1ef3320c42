"""What patients have in two cells of a table at once, as sums: variances of comparisons need it.

A patient with several devices, or with time in several years or windows, has events and exposure in
several cells, which are then not independent. What leaves are sums over patients of products.
"""

# ruff: noqa: S608 - names of groupings are made here, values go to placeholders

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from registry.snapshot.counting import at_risk
from registry.snapshot.exposure import MONTHS, amounts_of, units_of
from registry.snapshot.firsts import first_rows
from registry.snapshot.schema import column
from registry.snapshot.selection import Selection
from registry.snapshot.statement import Key, Piece, Source, outer, whole
from registry.snapshot.store import Store

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

FIRST, FIRST_IN_ROW = "first", "first_in_row"
"""In place of a column of events: a device's or a patient's first event, where its time ends."""


@dataclass(frozen=True, slots=True, eq=False)
class CellPairs:
    """Sums over patients, a line for each two cells that a patient has anything in, in both orders.

    keys: the cells. first, second: places in keys. xx, xt, tt: events in the first times events in
    the second, events in the first times exposure in the second, exposure times exposure; exposure
    in months, procedures or refills. patients: how many there are.
    """

    keys: list[Key]
    first: Ints
    second: Ints
    xx: Floats
    xt: Floats
    tt: Floats
    patients: int


def cell_pairs(
    store: Store,
    selection: Selection,
    *,
    clock: str,
    each: str,
    per_patient: bool,
    quantity: str = MONTHS,
) -> CellPairs:
    """The products of events and exposure in pairs of cells, summed over patients; two statements.

    selection: grouped by what splits exposure. each: the column of events that is counted once,
    FIRST or FIRST_IN_ROW. Exposure that sites declared has no patients and is not in it.
    """
    asks: dict[str, Any] = {"clock": clock, "quantity": quantity}
    given, amount = amounts_of(store, selection, **asks)
    names, by_patient = given.names, ["i.patient_no"]
    patient = "i.patient_no AS patient"
    parts = given.select(patient, "0 AS x", whole(amount, "t"), by=by_patient)
    if each in (FIRST, FIRST_IN_ROW):
        in_row = each == FIRST_IN_ROW
        for of in first_rows(store, selection, per_patient=per_patient, in_row=in_row, **asks):
            parts.add(" UNION ALL ")
            x, t = whole(" * ".join(of.factors) or "1", "x"), whole(f"-({of.after})", "t")
            parts.add_piece(of.devices.select(patient, x, t, by=by_patient))
    else:
        parts.add(" UNION ALL ")
        source = at_risk(store, selection, **asks)
        if selection.splits_years:
            source.require("e.year IS NOT NULL")
        number = column("events", each).name
        counted = "count(*)" if number == "event_no" else f"count(DISTINCT e.{number})"
        parts.add_piece(source.select(patient, f"{counted} AS x", "0 AS t", by=by_patient))
    cells = outer(parts, [*names, "patient"], whole("x", "x"), whole("t", "t"))
    count = store.run(outer(cells, (), "count(DISTINCT patient) AS n", where="x <> 0 OR t <> 0"))
    return _read(given, store.run(_paired(names, cells)), int(count["n"][0]), units_of(quantity))


def _paired(names: list[str], cells: Piece) -> Piece:
    """Each patient's cells with each other, summed over patients."""
    statement = Piece("WITH p AS (")
    statement.add_piece(cells)
    sides = [f"{side}.{name}" for side in ("a", "b") for name in names]
    renamed = [f"{side}.{name} AS {side}_{name}" for side in ("a", "b") for name in names]
    sums = (
        whole("CAST(a.x AS BIGINT) * b.x", "xx"),
        whole("CAST(a.x AS BIGINT) * b.t", "xt"),
        whole("CAST(a.t AS BIGINT) * b.t", "tt"),
    )
    statement.add(
        f") SELECT {', '.join([*renamed, *sums])} FROM p a JOIN p b ON a.patient = b.patient"
        " WHERE (a.x <> 0 OR a.t <> 0) AND (b.x <> 0 OR b.t <> 0)"
    )
    if sides:
        statement.add(f" GROUP BY {', '.join(sides)}")
    return statement


def _read(
    source: Source, found: Mapping[str, NDArray[Any]], patients: int, units: int
) -> CellPairs:
    places: dict[Key, int] = {}
    ends: list[Ints] = []
    for side in ("a", "b"):
        told = {name: found[f"{side}_{name}"] for name in source.names}
        keys = source.keys(told or found)
        ends.append(np.array([places.setdefault(key, len(places)) for key in keys], dtype=np.int64))
    xx, xt, tt = (np.asarray(found[name], dtype=np.float64) for name in ("xx", "xt", "tt"))
    if not patients:
        ends = [end[:0] for end in ends]
        xx, xt, tt, places = xx[:0], xt[:0], tt[:0], {}
    first, second = ends
    return CellPairs(list(places), first, second, xx, xt / units, tt / units**2, patients)
