"""A registry as arrays, and what happens to it between two releases; no database, no web.

A record is one accepted event of a patient with its device's attributes, as it can be asked for.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from registry import synthetic
from registry.catalogue import read_catalogue
from registry.disclosure import vocabulary_tree
from registry.records import RowKind
from registry.vocabulary import NOT_RECORDED

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Labels = tuple[str, ...]

EVENTS_PER_IMPLANT = 1.42
YEARS_IN_PERIOD = 5
EVENT_COLUMNS = ("complication", "year", "severity", "outcome")
DEVICE_COLUMNS = ("drug", "pump_model", "age_band", "indication", "sex")
COARSER = {
    "category": "complication",
    "period": "year",
    "drug_class": "drug",
    "manufacturer": "pump_model",
    "indication_group": "indication",
}
"""Parameters that name the groups of another."""

WHO = ("year", "drug", "pump_model", "age_band", "indication", "sex")
ASKED = (*WHO, "severity", "period", "drug_class", "manufacturer", "indication_group")
"""What a complication or a category is crossed with."""


def tree_of(name: str) -> str:
    """The dimension that a parameter belongs to."""
    return COARSER.get(name, name)


@dataclass(frozen=True, slots=True)
class World:
    """Records as columns of positions in lists of labels.

    patient: a number for each record's patient; hand: the number of the hand that reported it.
    in_totals: whether it counts in `all`; named: complications of categories that hold only such.
    """

    columns: Mapping[str, Ints]
    labels: Mapping[str, Labels]
    patient: Ints
    hand: Ints
    in_totals: Bools

    def __len__(self) -> int:
        return self.patient.size

    def at(self, records: Bools | Ints) -> "World":
        """Some of the records."""
        return World(
            {name: column[records] for name, column in self.columns.items()},
            self.labels,
            self.patient[records],
            self.hand[records],
            self.in_totals[records],
        )

    def joined(self, other: "World") -> "World":
        """The records of both; labels are the same."""
        return World(
            {name: np.concatenate([c, other.columns[name]]) for name, c in self.columns.items()},
            self.labels,
            np.concatenate([self.patient, other.patient]),
            np.concatenate([self.hand, other.hand]),
            np.concatenate([self.in_totals, other.in_totals]),
        )

    def changed(self, records: Ints, **columns: Ints) -> "World":
        """The same records, some of them with other values in some columns."""
        new = dict(self.columns)
        for name, values in columns.items():
            new[name] = new[name].copy()
            new[name][records] = values
        return replace(self, columns=new)

    def size(self, names: Sequence[str]) -> tuple[int, ...]:
        """The shape of a table by these names."""
        return tuple(len(self.labels[name]) for name in names)

    def cells(self, names: Sequence[str]) -> Ints:
        """The place of each record in a table by these names, laid flat; -1 is outside."""
        cell = np.zeros(len(self), np.int64)
        for name in names:
            cell = cell * len(self.labels[name]) + self.columns[name]
        if "complication" in names:
            return cell
        return np.where(self.in_totals, cell, -1)


def made_up(*, implants: int, seed: int, sites: int = 12) -> World:
    """A synthetic registry of about so many implants."""
    made = synthetic.registry(events=round(implants * EVENTS_PER_IMPLANT), sites=sites, seed=seed)
    events, devices = (_columns(made, kind) for kind in (RowKind.EVENT, RowKind.IMPLANT))
    kept = np.flatnonzero(
        (_numbers(events["patient_number"]) >= 0)
        & (np.array(events["actuality"], object) != "near-miss")
    )
    place = {number: row for row, number in enumerate(devices["implant_number"])}
    device_of = [place.get(events["implant_number"][row], -1) for row in kept]
    found = {name: [_text(events[name][row]) for row in kept] for name in EVENT_COLUMNS}
    for name in DEVICE_COLUMNS:
        found[name] = [NOT_RECORDED if row < 0 else _text(devices[name][row]) for row in device_of]
    found["site"] = [str(events["site"][row]) for row in kept]
    for name, finer in COARSER.items():
        group_of = groups_of(finer)
        found[name] = [group_of(value) for value in found[finer]]
    columns, labels = coded(found)
    counts = read_catalogue().by_code
    return World(
        columns,
        labels,
        _numbers(events["patient_number"])[kept],
        columns["site"],
        np.array([counts[code].in_totals for code in found["complication"]], bool),
    )


def _columns(made: synthetic.SyntheticRegistry, kind: RowKind) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for chunk in made.columns(kind):
        for name, values in chunk.items():
            found.setdefault(name, []).extend(values)
    return found


def _numbers(values: Sequence[int | None]) -> Ints:
    return np.array([-1 if value is None else value for value in values], np.int64)


def _text(value: object) -> str:
    return NOT_RECORDED if value is None else str(value)


def coded(found: Mapping[str, Sequence[str]]) -> tuple[dict[str, Ints], dict[str, Labels]]:
    """Columns of text as positions in their sorted labels, and these."""
    columns, labels = {}, {}
    for name, values in found.items():
        known, inverse = np.unique(np.array(values), return_inverse=True)
        labels[name], columns[name] = tuple(map(str, known)), inverse.astype(np.int64)
    return columns, labels


def groups_of(finer: str) -> Callable[[str], str]:
    """The group of each value of a dimension."""
    if finer == "complication":
        known = read_catalogue().by_code
        return lambda code: known[code].category
    if finer == "year":
        return lambda year: _period(int(year))
    groups = vocabulary_tree(finer).group_of
    return lambda value: groups.get(value, NOT_RECORDED)


def _period(year: int) -> str:
    start = year - year % YEARS_IN_PERIOD
    return f"{start}-{start + YEARS_IN_PERIOD - 1}"


def parted(count: int, parts: Sequence[int], chance: np.random.Generator) -> Iterator[Ints]:
    """Disjoint random choices of 0 to count, of these sizes."""
    order, start = chance.permutation(count), 0
    for size in parts:
        yield order[start : start + size]
        start += size
