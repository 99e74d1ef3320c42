"""A registry as arrays, and what happens to it between two releases; no database, no web.

A record is one accepted event of a patient with its device's attributes, as it can be asked for.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from registry import synthetic
from registry.catalogue import read_catalogue
from registry.disclosure import vocabulary_tree
from registry.disclosure.trees import WINDOWS
from registry.records import RowKind
from registry.vocabulary import NOT_RECORDED, Intervention, PumpModel

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Labels = tuple[str, ...]

EVENTS_PER_IMPLANT = 1.42
YEARS_IN_PERIOD = 5
EVENT_COLUMNS = ("complication", "year", "severity", "outcome")
DEVICE_COLUMNS = (
    "drug",
    "pump_model",
    "age_band",
    "indication",
    "sex",
    "procedure",
    "pump_site",
    "pump_plane",
)
COARSER = {
    "category": "complication",
    "period": "year",
    "wide_window": "window",
    "drug_class": "drug",
    "manufacturer": "pump_model",
    "pump_family": "pump_model",
    "age_group": "age_band",
    "indication_group": "indication",
    "cause_category": "cause",
}
"""Parameters that follow from another: its groups, and a cause's category."""

WHO = ("year", "drug", "pump_model", "age_band", "indication", "sex")
COURSE = ("window", "intervention", "severity", "outcome")
"""What happened, and when: known to who has read the letters about a patient."""

ASKED = (
    *WHO,
    *COURSE,
    "procedure",
    "pump_site",
    "pump_plane",
    *(name for name in COARSER if name not in {"category", "cause_category"}),
)
"""What a complication or a category is crossed with."""

PAIRS = ({"complication", "cause"}, {"category", "cause_category"})
"""Cause and effect, which cascades tell."""

UNTOLD = frozenset({"window", "wide_window", "cause", "cause_category"})
"""Where these are not recorded, a record has no cell."""


def tree_of(name: str) -> str:
    """The dimension that a parameter belongs to."""
    return COARSER.get(name, name)


@dataclass(frozen=True, slots=True)
class World:
    """Records as columns of positions in lists of labels.

    patient: a number for each record's patient; hand: the number of the hand that reported it.
    in_totals: whether it counts in `all`. several: of a column of which a record may have several
    labels, which they are: (records, labels); the column itself holds one of them.
    """

    columns: Mapping[str, Ints]
    labels: Mapping[str, Labels]
    patient: Ints
    hand: Ints
    in_totals: Bools
    several: Mapping[str, Bools] = field(default_factory=dict)

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
            {name: labels[records] for name, labels in self.several.items()},
        )

    def joined(self, other: "World") -> "World":
        """The records of both; labels are the same."""
        return World(
            {name: np.concatenate([c, other.columns[name]]) for name, c in self.columns.items()},
            self.labels,
            np.concatenate([self.patient, other.patient]),
            np.concatenate([self.hand, other.hand]),
            np.concatenate([self.in_totals, other.in_totals]),
            {name: np.concatenate([m, other.several[name]]) for name, m in self.several.items()},
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
        inside = np.ones(len(self), bool) if "complication" in names else self.in_totals
        for name in UNTOLD.intersection(names):
            told = np.array([label != NOT_RECORDED for label in self.labels[name]], bool)
            inside = inside & told[self.columns[name]]
        return np.where(inside, cell, -1)

    def places(self, names: Sequence[str]) -> tuple[Ints, Ints]:
        """Every record that has a cell, as often as it has one, and which."""
        rows = np.arange(len(self))
        world = self
        for name in names:
            if name in self.several:
                again, label = np.nonzero(self.several[name][rows])
                rows = rows[again]
                world = self.at(rows)
                world = replace(world, columns={**world.columns, name: label})
        cell = world.cells(names)
        return rows[cell >= 0], cell[cell >= 0]


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
    found["window"] = [window_of(events["months_since_implant"][row]) for row in kept]
    caused = [events["caused_by_number"][row] for row in kept]
    found["cause"] = [
        NOT_RECORDED if row is None else _text(events["complication"][row]) for row in caused
    ]
    return world_of(
        found,
        interventions=[events["interventions"][row] for row in kept],
        patient=_numbers(events["patient_number"])[kept],
    )


def world_of(
    found: dict[str, list[str]],
    *,
    interventions: Sequence[int | None],
    patient: Ints,
    columns: Mapping[str, Ints] | None = None,
) -> World:
    """A world of columns of labels, of sets of interventions as bits, and of other numbers."""
    for name, finer in COARSER.items():
        group_of = groups_of(finer if name != "pump_family" else name)
        found[name] = [group_of(value) for value in found[finer]]
    placed, labels = coded(found)
    codes = tuple(Intervention.codes())
    labels["intervention"] = (*codes, NOT_RECORDED)
    done = _members(interventions)
    several = np.column_stack([done, ~done.any(axis=1)])
    placed["intervention"] = _rarest(several)
    known = read_catalogue().by_code
    return World(
        {**placed, **(columns or {})},
        labels,
        patient,
        placed["site"],
        np.array([known[code].in_totals for code in found["complication"]], bool),
        {"intervention": several},
    )


def _members(packed: Sequence[int | None]) -> Bools:
    bits = np.array([code.bit for code in Intervention], np.int64)
    sets = np.array([0 if each is None else each for each in packed], np.int64)
    return (sets[:, None] >> bits[None, :]) & 1 == 1


def _rarest(several: Bools) -> Ints:
    """Of each record the label that fewest have: it says most."""
    often = several.sum(axis=0)
    return np.where(several, often[None, :], several.shape[0] + 1).argmin(axis=1)


def window_of(months: int | None) -> str:
    """The window of a number of months since implant, as parameters write it."""
    if months is None:
        return NOT_RECORDED
    starts = [(int(window.split("-")[0]), window) for window in WINDOWS]
    return next(window for start, window in reversed(starts) if months >= start)


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
    if finer in {"complication", "cause"}:
        known = read_catalogue().by_code
        return lambda code: NOT_RECORDED if code == NOT_RECORDED else known[code].category
    if finer == "year":
        return lambda year: _period(int(year))
    if finer == "window":
        return lambda window: WINDOWS.get(window, NOT_RECORDED)
    if finer == "pump_family":
        family = {str(model): str(model.family) for model in PumpModel}
        return lambda model: family.get(model, NOT_RECORDED)
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
