"""The eight questions by numpy over a release's columns in memory: the practical floor.

Each question starts from the columns as they stand in the Parquet files, with nothing prepared for
it beyond what freezing derives.
"""

from collections.abc import Callable, Mapping
from types import SimpleNamespace

import numpy as np

from registry.statistics.rates import ClusterSums
from tests.benchmarks.arrays import BLANK, NOTHING, Arrays, Flags
from tests.benchmarks.eight_questions import Key, Rows
from tests.benchmarks.estimates import (
    QUARTERS,
    QUARTERS_A_YEAR,
    Ints,
    added,
    clustered_row,
    count_row,
    rate_row,
)
from tests.benchmarks.followed import Followed, curve_rows


def answer_of(of: Arrays, number: int) -> Rows:
    """The answer to one of the eight questions."""
    return FORMS[number](of)


# Counts --------------------------------------------------------------------------------------


def by_complication(of: Arrays) -> Rows:
    """One pass."""
    e = of.events
    kept = of.counted() & (e.drug == of.code("drug", "baclofen"))
    kept &= (e.sex == of.code("sex", "female")) & (e.serious == of.code("serious", "yes"))
    found = np.bincount(e.complication[kept])
    return {
        (of.text("complication", at),): count_row(int(found[at]))
        for at in np.flatnonzero(found).tolist()
    }


def by_site_and_period(of: Arrays) -> Rows:
    """Events by site and year, devices by site and their first and last year."""
    e, x = of.events, of.exposures
    kept = of.in_totals()
    base, width = of.first_year, len(of.years) + 1
    found = np.bincount(e.site[kept].astype(np.int64) * width + e.year[kept] - base)
    counts: dict[Key, int] = {}
    for at in np.flatnonzero(found).tolist():
        key = of.text("site", at // width), _period(base + at % width)
        counts[key] = counts.get(key, 0) + int(found[at])
    present = {
        (of.text("site", site), _period(year))
        for site, year in _years_with_time(of, of.implants.site, of.eligible())
    }
    declared = zip(x.site[x.counts].tolist(), x.year[x.counts].tolist(), strict=True)
    present |= {(of.text("site", site), _period(year)) for site, year in declared}
    return {key: count_row(counts.get(key, 0)) for key in {*counts, *present}}


def by_category_severity_and_sex(of: Arrays) -> Rows:
    """Events by three codes, devices by one and their years."""
    e, i = of.events, of.implants
    drug = of.code("drug", "morphine")
    kept = of.in_totals() & (e.drug == drug) & (e.year >= 2015)
    sexes = len(of.codes["sex"])
    cell = (e.category[kept].astype(np.int64) * 7 + e.severity[kept] + 1) * sexes + e.sex[kept]
    found = np.bincount(cell)
    counts: dict[Key, int] = {}
    for at in np.flatnonzero(found).tolist():
        rest, sex = divmod(at, sexes)
        grade = rest % 7 - 1
        counts[
            of.text("category", rest // 7),
            BLANK if grade == NOTHING else grade,
            of.text("sex", sex),
        ] = int(found[at])
    dated = (i.last_year >= 2015) & (i.first_year <= i.last_year)
    there = np.flatnonzero(np.bincount(i.sex[of.eligible() & (i.drug == drug) & dated]))
    present = {
        (category, grade, of.text("sex", sex))
        for category, grade, _ in counts
        for sex in there.tolist()
    }
    return {key: count_row(counts.get(key, 0)) for key in {*counts, *present}}


def by_year(of: Arrays) -> Rows:
    """Events of one code by year, devices by their first and last year."""
    e, x = of.events, of.exposures
    kept = of.counted() & (e.complication == of.code("complication", "catheter-migration"))
    found = np.bincount(e.year[kept] - NOTHING)
    counts: dict[Key, int] = {
        (_year(at + NOTHING),): int(found[at]) for at in np.flatnonzero(found).tolist()
    }
    everywhere = np.zeros(of.eligible().size, dtype=np.int64)
    present = {(year,) for _, year in _years_with_time(of, everywhere, of.eligible())}
    present |= {(year,) for year in x.year[x.counts].tolist()}
    return {key: count_row(counts.get(key, 0)) for key in {*counts, *present}}


def total(of: Arrays) -> Rows:
    """One pass."""
    e = of.events
    sites = [of.code("site", f"SITE-0{number}") for number in (1, 2, 3)]
    kept = of.in_totals() & (e.drug == of.code("drug", "morphine"))
    kept &= (e.sex == of.code("sex", "female")) & (e.serious == of.code("serious", "yes"))
    kept &= (e.category == of.code("category", "catheter")) & (e.year >= 2012)
    kept &= (e.site == sites[0]) | (e.site == sites[1]) | (e.site == sites[2])
    return {(): count_row(int(np.count_nonzero(kept)))}


def _period(year: int) -> str:
    return BLANK if year <= 0 else f"{year - year % 5}-{year - year % 5 + 4}"


def _year(year: int) -> int | str:
    return BLANK if year == NOTHING else year


def _years_with_time(of: Arrays, group: Ints, kept: Flags) -> set[tuple[int, int]]:
    """The calendar years in which devices were followed, by a small number."""
    i = of.implants
    base, width = of.first_year, len(of.years)
    kept = kept & (i.first_year <= i.last_year) & (i.first_year > 0)
    cell = (group[kept].astype(np.int64) * width + i.first_year[kept] - base) * width
    cell += i.last_year[kept] - base
    found = set()
    for at in np.flatnonzero(np.bincount(cell)).tolist():
        rest, last = divmod(at, width)
        number, first = divmod(rest, width)
        found |= {(number, base + year) for year in range(first, last + 1)}
    return found


# Rates ---------------------------------------------------------------------------------------


def first_events_by_model_and_year(of: Arrays) -> Rows:
    """Devices by model and their first and last year; the first event of each device's year."""
    e, i = of.events, of.implants
    models, base, width = len(of.codes["pump_model"]), of.first_year, len(of.years)
    quarters = _quarters_by_year(of, i.pump_model, models, of.pumps())
    kept = of.at_risk()
    kept = kept[(i.origin[e.pump_no[kept]] != NOTHING) & (e.year[kept] > 0)]
    own = e.pump_no[kept].astype(np.int64) * width + e.year[kept] - base
    ordered = np.sort(own * 1024 + e.pump_month[kept])
    owner = ordered >> 10
    first = np.concatenate(([True], owner[1:] != owner[:-1]))[: owner.size]
    device, step = np.divmod(owner[first], width)
    month = ordered[first] & 1023
    begins = QUARTERS_A_YEAR * (base + step) - i.origin[device]
    ends = np.minimum(i.time_to[device], begins + QUARTERS_A_YEAR)
    after = np.maximum(ends - np.maximum(np.maximum(QUARTERS * month, 1), begins), 0)
    cell = i.pump_model[device].astype(np.int64) * width + step
    events = np.bincount(cell, minlength=models * width)
    left = quarters.ravel() - np.bincount(cell, weights=after, minlength=models * width)
    told = of.in_totals() & (e.component == of.code("component", "pump"))
    dated = told & (e.year > 0)
    cell = e.pump_model[dated].astype(np.int64) * width + e.year[dated] - base
    reported = np.bincount(cell, minlength=models * width)
    declared = _declared(of, by_model=True)
    given = {model * width + year - base for model, year in declared}
    rows: Rows = {}
    for at in {*np.flatnonzero((quarters.ravel() > 0) | (reported > 0)).tolist(), *given}:
        model, step = divmod(at, width)
        rows[of.text("pump_model", model), base + step] = rate_row(
            int(events[at]),
            float(left[at]) / QUARTERS,
            declared=declared.get((model, base + step)),
            reported=int(reported[at]),
        )
    undated = np.bincount(e.pump_model[told & (e.year == NOTHING)])
    for model in np.flatnonzero(undated).tolist():
        key = of.text("pump_model", model), BLANK
        rows[key] = rate_row(0, 0.0, declared=None, reported=int(undated[model]))
    return rows


def _quarters_by_year(of: Arrays, group: Ints, groups: int, kept: Flags) -> Ints:
    """Device time by a small number and calendar year, in quarters of a month."""
    i = of.implants
    base, width = of.first_year, len(of.years)
    kept = kept & (i.first_year <= i.last_year) & (i.first_year > 0)
    first, last = i.first_year[kept] - base, i.last_year[kept] - base
    cell = (group[kept].astype(np.int64) * width + first) * width + last
    size = groups * width * width
    n, head, tail = (
        np.bincount(cell, weights=weights, minlength=size).reshape(groups, width, width)
        for weights in (None, i.first_quarters[kept], i.last_quarters[kept])
    )
    found = head.sum(axis=2) + tail.sum(axis=1)
    for year in range(width):
        found[:, year] += QUARTERS_A_YEAR * n[:, :year, year + 1 :].sum(axis=(1, 2))
    return found


def all_events_by_year(of: Arrays) -> Rows:
    """The time of each patient's year, and the events of each."""
    e, i = of.events, of.implants
    base, width = of.first_year, len(of.years)
    pumps = np.flatnonzero(of.pumps() & (i.first_year <= i.last_year) & (i.first_year > 0))
    first, last = i.first_year[pumps] - base, i.last_year[pumps] - base
    spans = last - first + 1
    row = np.repeat(i.patient_no[pumps].astype(np.int64) * width, spans)
    step = np.arange(row.size) - np.repeat(np.cumsum(spans) - spans, spans)
    time = np.full(row.size, QUARTERS_A_YEAR, dtype=np.int64)
    ends = np.cumsum(spans) - 1
    time[ends] = i.last_quarters[pumps]
    time[ends - spans + 1] = i.first_quarters[pumps]
    patients = int(i.patient_no.max()) + 1
    t = np.bincount(row + np.repeat(first, spans) + step, weights=time, minlength=patients * width)
    kept = of.at_risk()
    kept = kept[(i.origin[e.pump_no[kept]] != NOTHING) & (e.year[kept] > 0)]
    cell = e.patient_no[kept].astype(np.int64) * width + e.year[kept] - base
    cells, x = np.unique(cell, return_counts=True)
    years, of_x = cells % width, t[cells]
    per_year = t.reshape(patients, width)
    n, x2, xt, none = (
        np.bincount(years, weights=weights, minlength=width)
        for weights in (x, x * x, x * of_x, of_x == 0)
    )
    amount, t2 = per_year.sum(axis=0), np.einsum("py,py->y", per_year, per_year)
    clusters = np.count_nonzero(per_year, axis=0)
    declared = _declared(of, by_model=False)
    told = of.in_totals() & (e.component == of.code("component", "pump"))
    reported = np.bincount(e.year[told] - NOTHING)
    rows: Rows = {}
    for at in range(width):
        year = base + at
        sums = added(
            ClusterSums(
                events=int(n[at]),
                time=float(amount[at]) / QUARTERS,
                x2=int(x2[at]),
                xt=float(xt[at]) / QUARTERS,
                t2=float(t2[at]) / QUARTERS**2,
                clusters=int(clusters[at] + none[at]),
            ),
            declared.get((0, year)),
        )
        of_year = int(reported[year - NOTHING]) if year - NOTHING < reported.size else 0
        if sums.time or sums.events or of_year:
            rows[(year,)] = clustered_row(sums, reported=of_year)
    if reported[0]:
        rows[(BLANK,)] = clustered_row(None, reported=int(reported[0]))
    return rows


def _declared(of: Arrays, *, by_model: bool) -> dict[tuple[int, int], ClusterSums]:
    """What sites declare, a site's year a cluster, by pump model (or 0) and year."""
    e, x = of.events, of.exposures
    pump = of.code("component", "pump")
    base, width = of.first_year, len(of.years)
    models = len(of.codes["pump_model"])

    def cells(rows: SimpleNamespace, kept: Flags, weights: Ints | None) -> dict[int, int]:
        model = rows.pump_model[kept].astype(np.int64) if by_model else 0
        cell = (rows.site[kept].astype(np.int64) * models + model) * width + rows.year[kept] - base
        sums = np.bincount(cell, weights=weights)
        return {at: int(sums[at]) for at in np.flatnonzero(sums).tolist()}

    kept = x.counts & (x.component == pump)
    time = cells(x, kept, x.component_months[kept])
    told = of.in_totals() & (e.device_no == NOTHING) & (e.component == pump) & (e.year > 0)
    events = cells(e, told, None)
    found: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for at, months in time.items():
        site_model, step = divmod(at, width)
        row = found.setdefault((site_model % models, base + step), [])
        row.append((events.get(at, 0), months))
    return {key: ClusterSums.of(*zip(*rows, strict=True)) for key, rows in found.items()}


# Survival ------------------------------------------------------------------------------------


def survival_by_model(of: Arrays) -> Rows:
    """The first event of each device; then devices by model, with their patients and sites."""
    e, i = of.events, of.implants
    kept = of.at_risk()
    kept = kept[e.category[kept] == of.code("category", "pump")]
    ordered = np.sort((e.pump_no[kept].astype(np.int64) << 10) + e.pump_month[kept])
    owner = ordered >> 10
    first = np.concatenate(([True], owner[1:] != owner[:-1]))[: owner.size]
    ended = i.months_followed.copy()
    by_event = np.zeros(ended.size, dtype=bool)
    ended[owner[first]], by_event[owner[first]] = ordered[first] & 1023, True
    pumps = of.pumps() & (i.time_to > i.time_from)
    devices = Followed(
        i.months_to_entry[pumps], ended[pumps], by_event[pumps], i.patient_no[pumps], i.site[pumps]
    )
    return {
        (of.text("pump_model", model), number): row
        for model, own in devices.by(i.pump_model[pumps]).items()
        for number, row in enumerate(curve_rows(own))
    }


FORMS: Mapping[int, Callable[[Arrays], Rows]] = {
    1: by_complication,
    2: by_site_and_period,
    3: by_category_severity_and_sex,
    4: by_year,
    5: total,
    6: first_events_by_model_and_year,
    7: all_events_by_year,
    8: survival_by_model,
}
