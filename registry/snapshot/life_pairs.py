"""The lines of patients' lives with each other, as sums: variances of curves need them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from registry.snapshot.firsts import owners_devices
from registry.snapshot.lives import BY_EVENT, ENTERED, LEFT
from registry.snapshot.selected import devices_of
from registry.snapshot.selection import Selection
from registry.snapshot.statement import Key, Piece, Source, outer, small_table, whole
from registry.snapshot.store import Store

Ints = NDArray[np.int64]

STEP = 10_000
"""A line's kind and month stand in one number: kind times this, plus the month."""
CAME, EVENT = 0, 2
"""The kind of a line that tells an entry, and of one that tells a first event; an end without an
event has the kind 1 + its cause, where 0 censors."""

_ALONE, _SEVERAL = "i.alone", "NOT i.alone"
_PAIRS = ("first", "second", "pairs")


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

    Rows in which no patient has several devices are left out. A patient with one device of the
    clock has two lines, its entry and its end, and such devices are counted by both: only the
    others are put together patient by patient.
    causes: what each exit status counts as, by its number in the snapshot's list: 0 censors.
    selection: grouped by what is known of devices; without calendar years and windows.
    """
    patients = _patients(store, selection, clock)
    if not patients:
        return {}
    of = _Lives(store, selection, clock, _kind_at_end(causes), per_patient)
    lone, names = of.lines(_ALONE, "i.months_to_entry", ends_only=True)
    statement = outer(lone, [*names, "owner", "line"], whole("d.x", "x"))
    found = store.run(statement)
    entry, line, n = (np.asarray(found[name], dtype=np.int64) for name in ("owner", "line", "x"))
    rows: dict[Key, list[tuple[Ints, Ints, Ints]]] = {}
    devices = _followed(store, selection, clock)
    for key, at in devices.lines_by_key(found):
        came, ended, many = entry[at], line[at], n[at]
        rows[key] = [(came, came, many), (came, ended, many), (ended, ended, many)]
    several, names = of.lines(_SEVERAL, "i.patient_no", ends_only=False)
    found = store.run(_paired(several, names))
    columns = [np.asarray(found[name], dtype=np.int64) for name in _PAIRS]
    for key, at in devices.lines_by_key(found):
        first, second, pairs = (column[at] for column in columns)
        rows.setdefault(key, []).append((first, second, pairs))
    return {key: _together(rows[key], number) for key, number in patients.items()}


def _together(lines: Sequence[tuple[Ints, Ints, Ints]], patients: int) -> LifePairs:
    first, second, pairs = (np.concatenate(each) for each in zip(*lines, strict=True))
    return LifePairs(first, second, pairs, patients)


def _followed(store: Store, selection: Selection, clock: str) -> Source:
    devices = devices_of(selection, store.codes, component=clock)
    devices.require("i.time_to > i.time_from")
    return devices


def _patients(store: Store, selection: Selection, clock: str) -> Mapping[Key, int]:
    """How many patients each row has in which some have several devices."""
    devices = _followed(store, selection, clock)
    several = f"CASE WHEN {_SEVERAL} THEN i.patient_no END"
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


def _kind_at_end(causes: Sequence[int]) -> str:
    """What kind of line the end of a device is, without an event."""
    competing = [(status, cause) for status, cause in enumerate(causes) if cause]
    if not competing:
        return "1"
    when = " ".join(f"WHEN {status} THEN {1 + cause}" for status, cause in competing)
    return f"CASE i.exit_status {when} ELSE 1 END"


@dataclass(frozen=True, slots=True)
class _Lives:
    """The devices of a selection; ended: what kind of line their end is, without an event."""

    store: Store
    selection: Selection
    clock: str
    ended: str
    per_patient: bool

    def lines(self, only: str, owner: str, *, ends_only: bool) -> tuple[Piece, list[str]]:
        """Each owner's lines `line` and how many `x`, events aside, and what first events change.

        only: a condition on devices; the names of the groupings come with them.
        """
        devices = _followed(self.store, self.selection, self.clock)
        devices.require(only)
        kinds = [(LEFT,)] if ends_only else [(ENTERED,), (LEFT,)]
        devices.join(small_table(("what",), kinds), "a ON 1 = 1")
        end = f"{STEP} * ({self.ended}) + i.months_followed"
        line = f"CASE WHEN a.what = {LEFT} THEN {end} ELSE i.months_to_entry END"
        statement = _owned(devices, owner, line, "1")
        of = owners_devices(
            self.store,
            self.selection,
            clock=self.clock,
            quantity="months",
            per_patient=self.per_patient,
        )
        of.devices.require("i.time_to > i.time_from")
        of.devices.require(only)
        of.devices.join(small_table(("what",), [(LEFT,), (BY_EVENT,)]), "a ON 1 = 1")
        line = (
            f"CASE WHEN a.what = {LEFT} THEN {end}"
            f" WHEN {of.is_own} THEN {STEP * EVENT} + {of.month} ELSE i.months_to_entry END"
        )
        sign = f"CASE WHEN a.what = {BY_EVENT} AND {of.is_own} THEN 1 ELSE -1 END"
        statement.add(" UNION ALL ")
        statement.add_piece(_owned(of.devices, owner, line, sign))
        return statement, devices.names


def _owned(source: Source, owner: str, line: str, sign: str) -> Piece:
    named = (f"{owner} AS owner", f"{line} AS line", whole(sign, "x"))
    return source.select(*named, by=[owner, line])


def _paired(lines: Piece, names: Sequence[str]) -> Piece:
    """Each patient's lines with each other, added up over patients."""
    statement = Piece("WITH p AS (SELECT * FROM (")
    statement.add_piece(outer(lines, [*names, "owner", "line"], whole("d.x", "x")))
    statement.add(") c WHERE c.x <> 0) ")
    own = ", ".join([*(f"a.{name} AS {name}" for name in names), ""])
    same = "".join(f" AND a.{name} IS NOT DISTINCT FROM b.{name}" for name in names)
    both = Piece(f"SELECT {own}a.line AS first, b.line AS second, a.x * b.x AS x")
    both.add(f" FROM p a JOIN p b ON a.owner = b.owner AND a.line <= b.line{same}")
    statement.add_piece(outer(both, [*names, "first", "second"], whole("d.x", "pairs")))
    return statement
