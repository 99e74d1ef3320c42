"""Make a whole synthetic registry from a seed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np

from registry.catalogue import read_catalogue
from registry.records import EventRecord, ExposureRecord, ImplantRecord, RowKind
from registry.synthetic.columns import Table
from registry.synthetic.exposures import Declared
from registry.synthetic.follow import NOT_OPERATED, PUMP, Course, follow
from registry.synthetic.happen import (
    NEAR_MISS,
    Happenings,
    happen,
    in_order,
    joined,
    taken,
)
from registry.synthetic.hazards import NEAR_MISSES
from registry.synthetic.months import cut, device_months, event_times
from registry.synthetic.patients import Population, draw_patients
from registry.synthetic.reports import report
from registry.synthetic.rows import RowsWritten
from registry.synthetic.sites import SyntheticSite, make_sites
from registry.synthetic.truth import Expectation, written

MOST_EVENTS = 50_000_000
_EVENTS_PER_PATIENT = 3.1
_LARGEST_BATCH = 60_000


@dataclass(frozen=True, slots=True)
class SyntheticRegistry:
    """A made-up registry, as columns, with the truth it was made from.

    Rows come in an order in which they can be stored: sites, patients, implants, exposures, then
    events, each after the event that caused it. truth is JSON-ready.
    """

    sites: tuple[SyntheticSite, ...]
    patients: Table
    tables: Mapping[RowKind, Table]
    truth: Mapping[str, Any]

    def implants(self) -> Iterator[ImplantRecord]:
        """The implants of the sites that send them."""
        return self.tables[RowKind.IMPLANT].records(ImplantRecord)

    def exposures(self) -> Iterator[ExposureRecord]:
        """The device time of the sites that declare it."""
        return self.tables[RowKind.EXPOSURE].records(ExposureRecord)

    def events(self) -> Iterator[EventRecord]:
        """The events of all sites; those that declare name no implant."""
        return self.tables[RowKind.EVENT].records(EventRecord)

    def columns(self, kind: RowKind, *, chunk: int = 50_000) -> Iterator[Mapping[str, list[Any]]]:
        """Stored values by column, in chunks of rows; see Table.chunks."""
        return self.tables[kind].chunks(chunk)


def registry(*, events: int = 5000, sites: int = 12, seed: int = 1) -> SyntheticRegistry:
    """Make a registry of exactly this many events, near misses included; reproducible by seed.

    Whole patients are added while their events fit; near misses, which no rate counts, fill up the
    rest. Raises ValueError on a number out of range.
    """
    if not 1 <= events <= MOST_EVENTS:
        raise ValueError(f"events: ask for 1 to {MOST_EVENTS:,}")
    rng = np.random.default_rng(seed)
    catalogue = read_catalogue()
    known = catalogue.by_code
    profiles = make_sites(rng, sites)
    expected, declared = Expectation(len(profiles)), Declared()
    rows = RowsWritten(profiles, catalogue.complications)
    quality = np.array([site.quality for site in profiles])
    while rows.event_count < events:
        left = events - rows.event_count
        wanted = min(_LARGEST_BATCH, ceil(left / _EVENTS_PER_PATIENT * 1.1) + 50)
        population = draw_patients(rng, wanted, profiles)
        followed = follow(rng, population, known)
        happened = happen(rng, population, followed, known)
        if len(happened) > left:
            population, followed, happened = _fitted(rng, population, followed, happened, left)
        rounded = device_months(population, followed)
        times = event_times(population, followed, happened, rounded)
        reports = report(
            rng,
            happened,
            followed,
            catalogue.complications,
            quality[population.site[happened.patient]],
        )
        expected.add(population, followed, rounded, known)
        declared.add(population, followed, profiles)
        rows.add(rng, population, followed, happened, rounded, times, reports)
    tables = rows.tables(declared)
    counted = {kind.value: table.size for kind, table in tables.items()}
    truth = written(
        expected,
        profiles,
        catalogue.complications,
        seed=seed,
        rows={"sites": len(profiles), "patients": rows.patients().size, **counted},
    )
    return SyntheticRegistry(profiles, rows.patients(), tables, truth)


def _fitted(
    rng: np.random.Generator,
    population: Population,
    followed: Course,
    happened: Happenings,
    left: int,
) -> tuple[Population, Course, Happenings]:
    """Cut a batch to its first patients whose events fit, and fill up with near misses.

    Where even the first patient's events do not fit, that patient keeps the earliest.
    """
    fitting = int(happened.patient[left])
    population, followed, happened = cut(population, followed, happened, max(1, fitting))
    if len(happened) >= left:
        return population, followed, taken(happened, np.arange(left))
    missing = left - len(happened)
    devices = followed.devices
    pumps = np.flatnonzero(devices.component == PUMP)
    pump = rng.choice(pumps, missing)
    seen_from = devices.start[pump] + devices.entry[pump]
    time = seen_from + rng.random(missing) * (devices.end[pump] - seen_from)
    codes = list(read_catalogue().by_code)
    kinds = np.array([codes.index(hazard.complication) for hazard in NEAR_MISSES])
    noticed = Happenings(
        patient=devices.patient[pump],
        device=pump,
        complication=rng.choice(kinds, missing),
        time=time,
        context=time,
        action=np.full(missing, NOT_OPERATED),
        kind=np.full(missing, NEAR_MISS),
        cause=np.full(missing, -1),
    )
    return population, followed, in_order(joined([happened, noticed]))
