"""The lines of patients' lives with each other, as sums: variances of curves need them."""

# ruff: noqa: S608 - names come from the schema

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from registry.snapshot.firsts import devices_with_firsts
from registry.snapshot.selected import devices_of
from registry.snapshot.selection import Selection
from registry.snapshot.statement import Key, Piece, outer
from registry.snapshot.store import Store

Ints = NDArray[np.int64]

STEP = 10_000
"""A line's kind and month stand in one number: kind times this, plus the month."""
CAME, EVENT = 0, 2
"""The kind of a line that tells an entry, and of one that tells a first event; an end without an
event has the kind 1 + its cause, where 0 censors."""

_FOLLOWED = "i.time_to > i.time_from"
_COUNTED = "count(*) AS n"


@dataclass(frozen=True, slots=True, eq=False)
class LifePairs:
    """Sums over the patients of one row, a line for each two lines that a patient has.

    first, second: kind times STEP plus the month, first <= second; two may be in several lines.
    pairs: the sum over patients of how many of the one times how many of the other. patients: how
    many there are.
    """

    first: Ints
    second: Ints
    pairs: Ints
    patients: int


def life_pairs(
    store: Store, selection: Selection, *, clock: str, per_patient: bool, causes: Sequence[int]
) -> dict[Key, LifePairs]:
    """What `lives` tells, patient by patient with itself; three statements.

    Rows in which no patient has several devices are left out. A device has two lines, its entry
    and its end: each is with itself and with the other, and where its patient has another device
    in the row, with both lines of that.
    causes: what each exit status counts as, by its number in the snapshot's list: 0 censors.
    selection: grouped by what is known of devices; without calendar years and windows.
    """
    patients = _patients(store, selection, clock)
    if not patients:
        return {}
    of = devices_with_firsts(store, selection, clock=clock, per_patient=per_patient)
    devices = of.devices
    devices.require(_FOLLOWED)
    came = "i.months_to_entry"
    ended = f"CASE WHEN {of.is_own} THEN {STEP * EVENT} + {of.month} ELSE {_at_end(causes)} END"
    found = store.run(
        devices.select(f"{came} AS came", f"{ended} AS ended", _COUNTED, by=[came, ended])
    )
    own, end, many = _whole(found, "came", "ended", "n")
    rows: dict[Key, list[tuple[Ints, Ints, Ints]]] = {}
    for key, at in devices.lines_by_key(found):
        rows[key] = [_counted(*pair, many[at]) for pair in _within(own[at], end[at])]
    devices.require("NOT i.alone")
    named = (f"{came} AS came", f"{ended} AS ended", "i.patient_no AS owner", "i.device_no AS own")
    found = store.run(_paired(devices.rows(*named), devices.names))
    own, end, other, others_end, many = _whole(found, "came", "ended", "other", "others_end", "n")
    for key, at in devices.lines_by_key(found):
        one, another = (own[at], end[at]), (other[at], others_end[at])
        for line, others in product(one, another):
            twice = np.where(line == others, 2, 1)  # the one with the other, and the other way
            rows[key].append(_counted(line, others, twice * many[at]))
    return {key: _together(rows[key], number) for key, number in patients.items()}


def _whole(found: Mapping[str, NDArray[Any]], *names: str) -> list[Ints]:
    return [np.asarray(found[name], dtype=np.int64) for name in names]


def _within(came: Ints, ended: Ints) -> Sequence[tuple[Ints, Ints]]:
    """The lines of one device with each other; an entry is less than any end."""
    return (came, came), (came, ended), (ended, ended)


def _counted(line: Ints, other: Ints, pairs: Ints) -> tuple[Ints, Ints, Ints]:
    return np.minimum(line, other), np.maximum(line, other), pairs


def _together(lines: Sequence[tuple[Ints, Ints, Ints]], patients: int) -> LifePairs:
    first, second, pairs = (np.concatenate(each) for each in zip(*lines, strict=True))
    return LifePairs(first, second, pairs, patients)


def _patients(store: Store, selection: Selection, clock: str) -> Mapping[Key, int]:
    """How many patients each row has in which some have several devices."""
    devices = devices_of(selection, store.codes, component=clock)
    devices.require(_FOLLOWED)
    several = "CASE WHEN NOT i.alone THEN i.patient_no END"
    found = store.run(
        devices.select(
            f"count({several}) AS devices", f"count(DISTINCT {several}) AS n", "count(*) AS every"
        )
    )
    counts = zip(*(found[name].tolist() for name in ("devices", "n", "every")), strict=True)
    return {
        key: every - shared + patients
        for key, (shared, patients, every) in zip(devices.keys(found), counts, strict=True)
        if patients < shared
    }


def _at_end(causes: Sequence[int]) -> str:
    """The line that tells the end of a device without an event."""
    competing = [(status, cause) for status, cause in enumerate(causes) if cause]
    when = " ".join(f"WHEN {status} THEN {1 + cause}" for status, cause in competing)
    kind = f"CASE i.exit_status {when} ELSE 1 END" if when else "1"
    return f"{STEP} * ({kind}) + i.months_followed"


def _paired(devices: Piece, names: Sequence[str]) -> Piece:
    """How many patients have two devices of such lines; each two of a patient once."""
    lines = ["came", "ended", "other", "others_end"]
    own = [f"a.{name} AS {name}" for name in (*names, "came", "ended")]
    others = ["b.came AS other", "b.ended AS others_end"]
    same = "".join(f" AND a.{name} IS NOT DISTINCT FROM b.{name}" for name in names)
    both = Piece(f"SELECT {', '.join([*own, *others])} FROM p a JOIN p b")
    both.add(f" ON a.owner = b.owner AND a.own < b.own{same}")
    statement = Piece("WITH p AS (")
    statement.add_piece(devices)
    statement.add(") ")
    statement.add_piece(outer(both, [*names, *lines], _COUNTED))
    return statement
