"""One release in memory: the columns of its Parquet files, each an array of whole numbers."""

from functools import cached_property
from pathlib import Path
from types import SimpleNamespace

import duckdb
import numpy as np
from numpy.typing import NDArray

from registry.snapshot.manifest import Manifest
from registry.snapshot.schema import TABLES
from tests.benchmarks.estimates import Ints

Flags = NDArray[np.bool_]

BLANK = "not-recorded"
NOTHING = -1
"""What stands in an array where nothing is recorded."""


def _table(folder: Path, name: str, columns: tuple[str, ...]) -> SimpleNamespace:
    """Read some columns of a table in the order of its numbers, each a contiguous array.

    The files themselves are in no order from some 100,000 rows.
    """
    number = TABLES[name][0].name
    found = duckdb.sql(
        f"SELECT {', '.join(columns)} FROM '{folder / name}.parquet' ORDER BY {number}"  # noqa: S608
    ).fetchnumpy()
    filled = {
        column: np.ma.filled(values, False if values.dtype == bool else NOTHING)
        for column, values in found.items()
    }
    return SimpleNamespace(**{name: np.ascontiguousarray(each) for name, each in filled.items()})


class Arrays:
    """One release in memory."""

    def __init__(self, folder: Path) -> None:
        self.codes = Manifest.read(folder).codes
        self.events = _table(
            folder,
            "events",
            (
                *("patient_no", "device_no", "pump_no", "pump_month", "pump_time", "in_totals"),
                *("complication", "category", "year", "severity", "serious", "actuality"),
                *("state", "site", "component", "pump_model", "drug", "sex"),
            ),
        )
        self.implants = _table(
            folder,
            "implants",
            (
                *("patient_no", "sequence", "alone", "months_to_entry", "months_followed"),
                *("time_from", "time_to", "origin", "first_year", "first_quarters", "last_year"),
                *("last_quarters", "exit_status", "site", "component", "pump_model", "drug"),
                "sex",
            ),
        )
        self.exposures = _table(
            folder,
            "exposures",
            ("site", "year", "component", "pump_model", "component_months", "counts"),
        )

    def code(self, column: str, text: str) -> int:
        """The number of a code."""
        return self.codes[column].index(text)

    def text(self, column: str, number: int) -> str:
        """The code of a number."""
        return self.codes[column][number] or BLANK

    def counted(self) -> Flags:
        """Accepted events that reached a patient."""
        e = self.events
        near_miss = self.code("actuality", "near-miss")
        return (e.state == self.code("state", "accepted")) & (e.actuality != near_miss)

    def in_totals(self) -> Flags:
        """Those of them that count without being named."""
        return self.counted() & self.events.in_totals

    def eligible(self) -> Flags:
        """Implants that should have been followed."""
        return self.implants.exit_status != self.code("exit_status", "eligibility-not-met")

    def pumps(self) -> Flags:
        """Eligible pumps."""
        return self.eligible() & (self.implants.component == self.code("component", "pump"))

    def at_risk(self) -> Ints:
        """Places of counted events of pumps in the follow-up of an eligible pump."""
        e = self.events
        places = np.flatnonzero(
            self.in_totals()
            & (e.component == self.code("component", "pump"))
            & (e.pump_time == self.code("pump_time", "at-risk"))
        )
        return places[self.eligible()[e.pump_no[places]]]

    @cached_property
    def first_year(self) -> int:
        """The first calendar year of anything."""
        starts = self.implants.first_year
        return int(min(self.events.year[self.events.year > 0].min(), starts[starts > 0].min()))

    @cached_property
    def years(self) -> range:
        """The calendar years of anything."""
        last = max(self.events.year.max(), self.implants.last_year.max())
        return range(self.first_year, int(last) + 1)
