"""How many cells of protected tables are told, and how far what they tell is from exact numbers.

Cells that hold at least one patient in exact numbers; empty ones are hidden like small ones, and
would make every share smaller.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from django.http import QueryDict

from registry.filters import parse_query
from registry.records import NotAvailableAtThisDetail, Release
from registry.reporting.answering import _exact, protected_answer
from registry.reporting.asking.freshness import Frozen
from registry.vocabulary import NOT_RECORDED, Measure

OPEN_END = 10**9
BANDS = ((1, 10), (11, 19), (20, 29), (30, 49), (50, 199), (200, OPEN_END))
"""True sizes that are told apart."""

COUNTING = {Measure.COUNTS: "patients", Measure.RATES: "first_event"}
"""What protected answers count, said to exact ones too."""

COUNTED = {Measure.COUNTS: "n", Measure.RATES: "events"}
TOLD = {Measure.COUNTS: "n", Measure.RATES: "rate"}
"""What a cell's size is read from, and the number whose error is measured."""


@dataclass(frozen=True, slots=True)
class TableAsked:
    """One breakdown of one measure."""

    measure: Measure
    group_by: str

    @property
    def words(self) -> str:
        """As a row of the table names it."""
        asked = self.group_by.replace(",", " by ").replace("_", " ")
        return asked if self.measure is Measure.COUNTS else f"{self.measure} by {asked}"


TABLES = (
    *(
        TableAsked(Measure.COUNTS, group_by)
        for group_by in (
            "category",
            "complication",
            "category,severity",
            "category,year",
            "category,drug",
            "category,pump_model",
            "category,site",
            "complication,severity",
            "complication,year",
            "complication,drug",
            "complication,pump_model",
            "category,drug,age_band",
        )
    ),
    *(
        TableAsked(Measure.RATES, group_by)
        for group_by in ("complication", "category,year", "category,drug", "complication,drug")
    ),
)


@dataclass(frozen=True, slots=True)
class Cells:
    """Cells of at least one patient or event: sizes in exact numbers; errors of what is told, as
    shares of the exact number, NaN where the cell is hidden."""

    sizes: np.ndarray = field(default_factory=lambda: np.zeros(0))
    errors: np.ndarray = field(default_factory=lambda: np.zeros(0))

    @classmethod
    def joined(cls, many: Iterable["Cells"]) -> "Cells":
        """Of several tables or registries."""
        kept = [cls(), *many]
        return cls(
            np.concatenate([each.sizes for each in kept]),
            np.concatenate([each.errors for each in kept]),
        )

    def between(self, low: int, high: int) -> "Cells":
        """Those of a band of true sizes, ends included."""
        inside = (self.sizes >= low) & (self.sizes <= high)
        return Cells(self.sizes[inside], self.errors[inside])

    @property
    def hidden(self) -> float:
        """The share of cells that are hidden."""
        return float(np.isnan(self.errors).mean()) if self.errors.size else 0.0

    @property
    def hidden_patients(self) -> float:
        """The share of the sum of all cells that hidden ones hold."""
        total = float(self.sizes.sum())
        return float(self.sizes[np.isnan(self.errors)].sum()) / total if total else 0.0

    def error(self, quantile: float) -> float | None:
        """The error that this share of the told cells does not exceed; None where none is told."""
        told = self.errors[~np.isnan(self.errors)]
        return float(np.quantile(told, quantile)) if told.size else None


def cells_of(table: TableAsked, frozen: Frozen) -> Cells | None:
    """The cells of one table of one release; None where the question is refused."""
    asked = f"group_by={table.group_by}&counting={COUNTING[table.measure]}"
    query = parse_query(QueryDict(asked), measure=table.measure)
    try:
        shown = protected_answer(query, table.measure, frozen)
    except NotAvailableAtThisDetail:
        return None
    counted, number = COUNTED[table.measure], TOLD[table.measure]
    told = {place: row[number] for place, row in _by_place(shown).items()}
    sizes, errors = [], []
    for place, row in _by_place(_exact(query, table.measure, frozen)).items():
        if row[counted]:
            said = told.get(place)  # years before the first that is told have no row
            sizes.append(float(row[counted]))
            errors.append(np.nan if said is None else abs(said - row[number]) / row[number])
    return Cells(np.array(sizes), np.array(errors))


def _by_place(release: Release) -> dict[tuple[Any, ...], Mapping[str, Any]]:
    names = [column.name for column in release.columns if column.role == "dimension"]
    return {
        tuple(NOT_RECORDED if row[name] is None else str(row[name]) for name in names): row
        for row in release.rows
    }


def lines_of(found: Mapping[TableAsked, Sequence[Cells | None]]) -> list[str]:
    """Two tables in Markdown: by breakdown, and counts of all of them by their true size."""
    lines = [
        "| table | cells | hidden, % | patients in them, % | median error, % | nine tenths, % |"
    ]
    lines.append("|---|---|---|---|---|---|")
    for table, each in found.items():
        kept = Cells.joined(one for one in each if one is not None)
        told = "refused | | | | |"
        if kept.sizes.size:
            told = f"{_shares(kept)} | {100 * kept.hidden_patients:.0f} | {_errors(kept)} |"
        lines.append(f"| {table.words} | {told}")
    lines += ["", "| true size | cells | hidden, % | median error, % | nine tenths, % |"]
    lines.append("|---|---|---|---|---|")
    counts = [each for table, each in found.items() if table.measure is Measure.COUNTS]
    every = Cells.joined(one for each in counts for one in each if one is not None)
    for low, high in BANDS:
        inside = every.between(low, high)
        if inside.sizes.size:
            words = f"{low} to {high}" if high < OPEN_END else f"{low} and more"
            lines.append(f"| {words} | {_shares(inside)} | {_errors(inside)} |")
    return lines


def _shares(cells: Cells) -> str:
    return f"{cells.sizes.size:,} | {100 * cells.hidden:.0f}"


def _errors(cells: Cells) -> str:
    found = (cells.error(quantile) for quantile in (0.5, 0.9))
    return " | ".join("" if error is None else f"{100 * error:.1f}" for error in found)
