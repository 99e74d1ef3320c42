"""What a registry truly holds, by which an attack is judged; the attacker never sees it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from registry.disclosure import Policy, vocabulary_tree
from registry.records import DIMENSIONS, Side
from registry.snapshot.codes import UNKNOWN, Codes
from registry.snapshot.manifest import Manifest
from registry.snapshot.selection import period_label
from registry.vocabulary import NOT_RECORDED

Labels = tuple[str, ...]
Where = Mapping[str, Sequence[str]]
Column = tuple[Labels, NDArray[np.int64]]
"""A column as the labels that occur, and which of them each row has."""

NOT_ATTACKED = frozenset({"window", "seriousness", "intervention"})
"""Windows, and what an event has several of: other attacks ask for these."""

OFFERED = tuple(each for each in Policy().offered if each.name not in NOT_ATTACKED)
_NAMES = [name for each in OFFERED for name in (each.name, each.group) if name]
_OF_EVENTS = frozenset({Side.EVENT, Side.TIME})
EVENT_SIDE = tuple(name for name in _NAMES if DIMENSIONS[name].side in _OF_EVENTS)
DEVICE_SIDE = tuple(name for name in _NAMES if DIMENSIONS[name].side not in _OF_EVENTS)
COARSER = {each.name: each.group for each in OFFERED if each.group}
WIDER: Mapping[str, Mapping[str, str]] = {
    each.name: vocabulary_tree(each.name).group_of
    for each in OFFERED
    if each.group is None and each.name != "site" and vocabulary_tree(each.name).group_of
}
"""Groups that no parameter names: they are had by asking for all of their values."""


@dataclass(frozen=True, slots=True)
class Truth:
    """Every accepted event of a known patient, and every device, as labels by dimension.

    events, devices: columns by name; `patients` and `devices` number the units of each row,
    `months` is a device's time. whole_categories: those of which every complication is in no total,
    so that they count where the category is named.
    """

    events: Mapping[str, Column]
    devices: Mapping[str, Column]
    event_units: Mapping[str, NDArray[np.int64]]
    device_units: Mapping[str, NDArray[np.int64]]
    months: NDArray[np.float64]
    in_totals: NDArray[np.bool_]
    whole_categories: frozenset[str]

    @classmethod
    def read(cls, folder: Path) -> "Truth":
        """Read a frozen snapshot's own rows."""
        codes = Codes(Manifest.read(folder).codes)
        stored = [name for name in EVENT_SIDE if name != "period"]
        with duckdb.connect(str(folder / "registry.duckdb"), read_only=True) as connection:
            happened = connection.execute(
                f"SELECT {', '.join((*stored, *DEVICE_SIDE))}, "  # noqa: S608 - our own names
                "year - year % 5 AS period, patient_no, device_no, in_totals FROM events "
                "WHERE state = ? AND actuality <> ? AND patient_no IS NOT NULL",
                [codes.number("state", "accepted"), codes.number("actuality", "near-miss")],
            ).fetchnumpy()
            placed = connection.execute(
                f"SELECT {', '.join(DEVICE_SIDE)}, patient_no, device_no, "  # noqa: S608
                "(time_to - time_from) / 4 AS months FROM implants"
            ).fetchnumpy()
        in_totals = np.asarray(happened["in_totals"], bool)
        events = {
            name: _labels(name, happened[name], codes) for name in (*EVENT_SIDE, *DEVICE_SIDE)
        }
        known, inverse = events["category"]
        whole = {known[c] for c in inverse[~in_totals]} - {known[c] for c in inverse[in_totals]}
        return cls(
            events=_widened(events),
            devices=_widened({name: _labels(name, placed[name], codes) for name in DEVICE_SIDE}),
            event_units=_units(happened) | {"events": np.arange(in_totals.size)},
            device_units=_units(placed),
            months=np.asarray(placed["months"], float),
            in_totals=in_totals,
            whole_categories=frozenset(map(str, whole)),
        )

    def counted(
        self, axes: Mapping[str, Labels], *, where: Where | None = None, unit: str = "patients"
    ) -> NDArray[np.int64]:
        """How many different patients, devices or events truly are in each cell of a table."""
        counts, _high, _low = self.keyed(axes, where=where, unit=unit)
        return counts

    def keyed(
        self,
        axes: Mapping[str, Labels],
        *,
        where: Where | None = None,
        unit: str = "patients",
        keys: NDArray[np.int64] | None = None,
        population: bool = False,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Units of each cell and the sums of their keys, (units, 2); of devices if `population`.

        Patients and devices leave out what counts only where it is named; events are all events.
        """
        columns = self.devices if population else self.events
        units = (self.device_units if population else self.event_units)[unit]
        leave_out = not population and unit != "events"
        cell, inside = self._cells(columns, axes, where or {}, leave_out=leave_out)
        shape = tuple(len(labels) for labels in axes.values())
        pairs = np.unique(cell[inside] * (units.max(initial=0) + 1) + units[inside])
        cells, owners = np.divmod(pairs, units.max(initial=0) + 1)
        size = int(np.prod(shape, dtype=int))
        counts = np.bincount(cells, minlength=size).reshape(shape)
        if keys is None:
            return counts, counts, counts
        sums = []
        for half in (0, 1):
            total = np.zeros(size, np.int64)
            np.add.at(total, cells, keys[owners, half])
            sums.append(total.reshape(shape))
        return counts, sums[0], sums[1]

    def time(
        self, axes: Mapping[str, Labels], *, where: Where | None = None
    ) -> NDArray[np.float64]:
        """Device time of each cell; axes and filters of the event's side do not restrict it."""
        mine = {name: labels for name, labels in axes.items() if name in self.devices}
        rest = {name: values for name, values in (where or {}).items() if name in self.devices}
        cell, inside = self._cells(self.devices, mine, rest, leave_out=False)
        shape = tuple(len(labels) for labels in mine.values())
        size = int(np.prod(shape, dtype=int))
        total = np.bincount(cell[inside], self.months[inside], minlength=size).reshape(shape)
        full = tuple(len(labels) if name in mine else 1 for name, labels in axes.items())
        return np.broadcast_to(total.reshape(full), tuple(len(labels) for labels in axes.values()))

    def _cells(
        self,
        columns: Mapping[str, Column],
        axes: Mapping[str, Labels],
        where: Where,
        *,
        leave_out: bool,
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        inside = np.ones(next(iter(columns.values()))[1].size, bool)
        if leave_out and not {"complication"} & (set(axes) | set(where)):
            named = {"category", "complication:group"} & (set(axes) | set(where))
            known, inverse = columns["category"]
            whole = np.array([label in self.whole_categories for label in known], bool)[inverse]
            inside &= self.in_totals | (whole if named else False)
        for name, values in where.items():
            known, inverse = columns[name]
            inside &= np.array([label in values for label in known], bool)[inverse]
        cell = np.zeros(inside.size, np.int64)
        for name, labels in axes.items():
            place = {label: index for index, label in enumerate(labels)}
            known, inverse = columns[name]
            index = np.array([place.get(label, -1) for label in known], np.int64)[inverse]
            inside &= index >= 0
            cell = cell * len(labels) + index
        return cell, inside


def _labels(name: str, column: NDArray[np.int64], codes: Codes) -> Column:
    """Labels as an answer shows them: blanks are `not-recorded`."""
    blank = np.ma.getmaskarray(column)
    known, inverse = np.unique(np.where(blank, UNKNOWN, np.ma.getdata(column)), return_inverse=True)

    def label(number: int) -> str:
        if number == UNKNOWN:
            return NOT_RECORDED
        if name == "period":
            return period_label(number)
        return (codes.text(name, number) or NOT_RECORDED) if name in codes.lists else str(number)

    return tuple(map(label, known.tolist())), inverse


def _widened(columns: dict[str, Column]) -> dict[str, Column]:
    for name, group_of in WIDER.items():
        known, inverse = columns[name]
        groups = tuple(group_of.get(label, NOT_RECORDED) for label in known)
        columns[f"{name}:group"] = (groups, inverse)
    for name, group in COARSER.items():
        if group in columns:
            columns[f"{name}:group"] = columns[group]
    return columns


def _units(found: Mapping[str, NDArray[np.int64]]) -> dict[str, NDArray[np.int64]]:
    return {
        "patients": np.asarray(found["patient_no"], np.int64),
        "devices": np.asarray(found["device_no"], np.int64),
    }
