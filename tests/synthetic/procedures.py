"""How often limits of rates per procedure, by year and by window, hold the truth.

Pumps are implanted from 2012 to 2021 and followed for one to six years. Each has its placing
procedure and others at any time of its follow-up, of which sites tell the number alone; after each
an infection follows within 90 days with one probability, which every row is to find.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from registry.records import Cell, Window
from registry.vocabulary import CountingRule
from tests.reporting.asking import Asker
from tests.snapshot.rows import event, implant

CHANCE, OTHERS_A_MONTH = 0.06, 0.03
BANDS = ((0.25, "0-7"), (1.0, "8-30"), (2.0, "31-60"), (3.0, "61-90"))
WHERE = (("complication", ("infection-pocket",)),)
WINDOWS = (Window(0, 3), Window(4, 12), Window(13, None))
YEARS = (2016, 2020)
Rows = list[tuple[object, ...]]


@dataclass
class Row:
    """One row over registries: events, procedures, and how often its limits held."""

    events: list[float] = field(default_factory=list)
    procedures: list[float] = field(default_factory=list)
    held: list[bool] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """The rate over the truth, of all registries together."""
        return sum(self.events) / sum(self.procedures) / CHANCE

    @property
    def coverage(self) -> float:
        """How often 95 % limits held the truth."""
        return sum(self.held) / len(self.held)


def registry_of(dice: np.random.Generator, pumps: int) -> tuple[Rows, Rows]:
    """The implants and events that sites would send."""
    implants: Rows = []
    events: Rows = []
    for number in range(pumps):
        born, followed = float(dice.uniform(2012, 2022)), int(dice.integers(12, 73))
        others = dice.uniform(0, followed, dice.poisson(OTHERS_A_MONTH * followed))
        name = f"p{number}"
        implants.append(
            implant(
                name,
                implant_year=int(born),
                months_followed=followed,
                procedures=1 + len(others),
                refills=0,
            )
        )
        for place, time in enumerate([0.0, *others.tolist()]):
            if dice.random() >= CHANCE:
                continue
            after = float(dice.uniform(0, 3))
            band = next(code for months, code in BANDS if after < months)
            values = {
                "months_since_implant": round(time + after),
                "year": int(born + (time + after) / 12),
                "days_since_procedure": band,
            }
            named = f"{number}-{place}"
            events.append(event(named, on=name, complication="infection-pocket", **values))
    return implants, events


def rows_of(asker: Asker) -> Iterator[tuple[str, dict[str, Cell]]]:
    """The rows that are judged, by what they are of."""
    asks = {"where": WHERE, "counting": CountingRule.EVENTS}
    yield "all", asker.rates(**asks)[()]
    for (year,), numbers in asker.rates(**asks, years=YEARS, group_by=("year",)).items():
        yield f"year {year}", numbers
    by_window = asker.rates(**asks, windows=WINDOWS, group_by=("window",))
    for (window,), numbers in by_window.items():
        yield f"months {window}", numbers


def study(seeds: range, *, pumps: int = 1000) -> dict[str, Row]:
    """Each row over many seeded registries."""
    found: dict[str, Row] = {}
    for seed in seeds:
        implants, events = registry_of(np.random.default_rng(seed), pumps)
        with TemporaryDirectory() as folder:
            told = dict(rows_of(Asker(Path(folder), events=events, implants=implants)))
        for name, numbers in told.items():
            row = found.setdefault(name, Row())
            row.events.append(float(numbers["events"] or 0))
            row.procedures.append(float(numbers["exposure"] or 0))
            lower, upper = (float(numbers[each] or 0) for each in ("ci_lower", "ci_upper"))
            row.held.append(lower <= CHANCE <= upper)
    return found
