"""Rates and survival of pumps through Django's ORM.

What SQL cannot group twice (the first event of a device, the sums of a patient) is fetched as
plain tuples and summed with numpy, which took less time than DISTINCT ON or window functions.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from django.db.models import Case, Count, F, Min, Q, Sum, When

from registry.models import Exposure
from registry.statistics.rates import ClusterSums
from registry.vocabulary import Component
from tests.benchmarks.eight_questions import Rows
from tests.benchmarks.estimates import (
    QUARTERS,
    Ints,
    added,
    clustered_row,
    rate_row,
    time_within,
)
from tests.benchmarks.followed import Followed, curve_rows
from tests.benchmarks.orm_rows import (
    BLANK,
    at_risk,
    dated,
    dated_events,
    in_totals,
    of_pumps,
    pumps,
    year_or_blank,
)


def _ends(followed: Ints) -> Ints:
    return np.where(followed == 0, 1, QUARTERS * followed)


def _origins(implant_year: Ints) -> Ints:
    return QUARTERS * (12 * implant_year + 6)


def _columns(rows: Iterable[tuple[Any, ...]], width: int) -> list[tuple[Any, ...]]:
    """Rows turned into columns, which numpy reads several times as fast."""
    return list(zip(*rows, strict=True)) or [()] * width


def _ints(*columns: tuple[int, ...]) -> list[Ints]:
    return [np.array(column, dtype=np.int64) for column in columns]


def _numbered(codes: Iterable[str]) -> tuple[list[str], Ints]:
    """The different codes, and the place among them of each."""
    places: dict[str, int] = {}
    numbers = [places.setdefault(code, len(places)) for code in codes]
    return list(places), np.array(numbers, dtype=np.int64)


# Rates ---------------------------------------------------------------------------------------


def first_events_by_model_and_year() -> Rows:
    """Five queries: device time, first events of each device and year, and what was reported; and
    what sites declare."""
    devices = (
        dated(pumps())
        .values_list("pump_model", "implant_year", "months_to_entry", "months_followed")
        .annotate(n=Count("pk"))
        .order_by()
    )
    codes, *times = _columns(devices, 5)
    models, model = _numbered(codes)
    implanted, entry, followed, n = _ints(*times)
    ends, origins = _ends(followed), _origins(implanted)
    quarters: dict[tuple[str, int], int] = {}
    for year in range(int(implanted.min()), int((12 * implanted + 6 + followed).max()) // 12 + 1):
        given = n * time_within(QUARTERS * entry, ends, origins, year)
        sums = np.bincount(model, weights=given, minlength=len(models))
        quarters |= {(models[at], year): int(each) for at, each in enumerate(sums) if each}
    firsts = (
        dated_events(at_risk(in_totals()))
        .filter(year__isnull=False)
        .values_list(
            "implant__pump_model",
            "implant_id",
            "year",
            "implant__implant_year",
            "implant__months_followed",
        )
        .annotate(first=Min("months_since_implant"))
        .order_by()
    )
    codes, _, *found = _columns(firsts, 6)
    of_events, model = _numbered(codes)
    years, implanted, followed, month = _ints(*found)
    starts = np.maximum(QUARTERS * month, 1)
    after = time_within(starts, _ends(followed), _origins(implanted), years)
    events: dict[tuple[str, int], int] = {}
    for at in np.unique(model).tolist():
        own = model == at
        first = int(years[own].min())
        counts = np.bincount(years[own] - first)
        less = np.bincount(years[own] - first, weights=after[own])
        for step in np.flatnonzero(counts).tolist():
            key = of_events[at], first + step
            events[key] = int(counts[step])
            quarters[key] = quarters.get(key, 0) - int(less[step])
    own_model = Case(When(implant__isnull=True, then="pump_model"), default="implant__pump_model")
    reported = {
        (code, year): n
        for code, year, n in of_pumps(in_totals())
        .values_list(own_model, "year")
        .annotate(n=Count("pk"))
        .order_by()
    }
    declared = _declared("pump_model")
    return {
        (code or BLANK, year_or_blank(year)): rate_row(
            events.get((code, year), 0),
            quarters.get((code, year), 0) / QUARTERS,
            declared=declared.get((code, year)),
            reported=reported.get((code, year), 0),
        )
        for code, year in {*quarters, *events, *reported, *declared}
    }


def all_events_by_year() -> Rows:
    """Five queries; the sums of each patient's year with numpy."""
    devices = (
        dated(pumps())
        .values_list("patient_id", "implant_year", "months_to_entry", "months_followed")
        .order_by()
    )
    patients, implanted, entry, followed = _ints(*_columns(devices, 4))
    clusters, place = np.unique(patients, return_inverse=True)
    happened = (
        dated_events(at_risk(in_totals()))
        .filter(year__isnull=False)
        .values_list("patient_id", "year")
        .annotate(n=Count("pk"))
        .order_by()
    )
    patient, years, x = _ints(*_columns(happened, 3))
    patient = np.searchsorted(clusters, patient)
    ends, origins = _ends(followed), _origins(implanted)
    sums: dict[int, ClusterSums | None] = {}
    for year in range(int(implanted.min()), int((12 * implanted + 6 + followed).max()) // 12 + 1):
        given = time_within(QUARTERS * entry, ends, origins, year)
        t = np.bincount(place, weights=given, minlength=clusters.size).astype(np.int64)
        own = years == year
        sums[year] = _cluster_sums(x[own], t[patient[own]], t[t > 0], QUARTERS)
    for (year,), declared in _declared().items():
        sums[year] = added(sums.get(year), declared)
    reported = dict(of_pumps(in_totals()).values_list("year").annotate(n=Count("pk")).order_by())
    told = {year for year, each in sums.items() if each and (each.events or each.time)}
    return {
        (year_or_blank(year),): clustered_row(sums.get(year), reported=reported.get(year, 0))
        for year in {*told, *reported}
    }


def _cluster_sums(x: Ints, t_of_x: Ints, t: Ints, units: int) -> ClusterSums:
    """Sums over clusters: their events, the time of those, and the time of all that have any."""
    return ClusterSums(
        events=int(x.sum()),
        time=int(t.sum()) / units,
        x2=int((x * x).sum()),
        xt=int((x * t_of_x).sum()) / units,
        t2=int((t * t).sum()) / units**2,
        clusters=int(t.size + (t_of_x == 0).sum()),
    )


def _declared(*by: str) -> dict[tuple[Any, ...], ClusterSums]:
    """What sites declare, a site's year a cluster, by columns and year; two queries.

    For sites that send no implants, as those of a made registry that declare.
    """
    given = (
        Exposure.objects.filter(component=Component.PUMP)
        .values_list("site_id", *by, "year")
        .annotate(t=Sum("component_months"))
        .order_by()
    )
    time = {tuple(key): t for *key, t in given}
    happened = (
        in_totals()
        .filter(implant__isnull=True, complication__clock=Component.PUMP)
        .values_list("site_id", *by, "year")
        .annotate(n=Count("pk"))
        .order_by()
    )
    events = {tuple(key): n for *key, n in happened if tuple(key) in time}
    cells: dict[tuple[Any, ...], list[tuple[int, int]]] = {}
    for key, months in time.items():
        cells.setdefault(key[1:], []).append((events.get(key, 0), months))
    found = {}
    for cell, clusters in cells.items():
        x = [n for n, _ in clusters if n]
        of_x = [months for n, months in clusters if n]
        t = [months for _, months in clusters if months]
        found[cell] = _cluster_sums(*(np.array(each, dtype=np.int64) for each in (x, of_x, t)), 1)
    return found


# Survival ------------------------------------------------------------------------------------


def survival_by_model() -> Rows:
    """Two queries: the devices, and the first event of each."""
    devices = (
        pumps()
        .filter(Q(months_to_entry__lt=F("months_followed")) | Q(months_followed=0))
        .values_list(
            "pump_model", "pk", "months_to_entry", "months_followed", "patient_id", "site_id"
        )
        .order_by("pk")
    )
    codes, *lives = _columns(devices, 6)
    models, model = _numbered(codes)
    device, came, ended, patient, site = _ints(*lives)
    first = (
        at_risk(in_totals().filter(complication__category="pump"))
        .values_list("implant_id")
        .annotate(first=Min("months_since_implant"))
        .order_by()
    )
    having, month = _ints(*_columns(first, 2))
    by_event = np.zeros(device.size, dtype=bool)
    place = np.searchsorted(device, having)
    ended[place], by_event[place] = month, True
    followed = Followed(came, ended, by_event, patient, site)
    return {
        (models[at] or BLANK, number): row
        for at, own in followed.by(model).items()
        for number, row in enumerate(curve_rows(own))
    }
