"""The trend of a rate from year to year, and a CUSUM of events above expectation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from registry.records import Cell
from registry.reporting.asking.spec import Question, Row
from registry.reporting.asking.years import running_year
from registry.reporting.estimating.cell_tables import cell_table
from registry.reporting.estimating.observed import Observed
from registry.reporting.words.reasons import in_words
from registry.snapshot.store import Store
from registry.statistics.results import AdjustedTrend, RateTrend, Reason
from registry.statistics.trend import (
    FEWEST_PERIODS,
    adjusted_rate_trend,
    poisson_cusum,
    rate_trend,
    trend_line,
)

CUSUM_RATIO = 2.0
CUSUM_H = 5.0
"""The rise that the CUSUM detects, and the excess of events that alarms.

Over twelve years at a constant rate these alarm in at most 4 % of series, whatever the yearly
count; after a rise to 2.5 times in the last four years in 58 % at three events a year and in 97 %
at ten (docs/methods.md).
"""
FEWEST_SHOWN = 3
"""Shown years and periods that a line needs where years can be hidden."""

OF_THE_SHOWN = {
    Reason.TOO_FEW_PERIODS: "A trend needs three shown years, or periods of years, with exposure.",
    Reason.TOO_FEW_EVENTS: "A trend needs ten events in the shown years.",
}
"""The reasons where years can be hidden."""


@dataclass(frozen=True, slots=True)
class Point:
    """What a line is fitted to: a year, or the years of a period, its hidden ones too."""

    years: tuple[int, ...]
    observed: Observed

    @property
    def at(self) -> float:
        """The middle of its years."""
        return sum(self.years) / len(self.years)


@dataclass(frozen=True, slots=True)
class FittedTrend:
    """The rows of a trend, the years that are over, and its metadata."""

    rows: Sequence[Row]
    meta: Mapping[str, Any] = field(default_factory=dict)


def trend_of(
    years: Sequence[Observed],
    *,
    per: float,
    level: float,
    as_of: datetime | None,
    with_cusum: bool,
    pooled: Sequence[Point] = (),
    adjusted: AdjustedTrend | None = None,
) -> FittedTrend:
    """Fits a log-linear trend to the years that are over.

    years: rows by calendar year; ignores rows without a year. with_cusum: only for exact numbers.
    pooled: periods of years where years can be hidden. A year is hidden because its number is low:
    a line through the others would lie too high where few are shown. So the years of a period of
    which one is hidden are one observation, of the period's own number; a period that is hidden, or
    not over, is left out unless all its years that are over are shown. adjusted: the trend with
    months since implant held alike, which is then the answer's, and the crude one beside it.
    """
    running = running_year(as_of)
    dated_years = sorted((each for each in years if each.key[0] is not None), key=_year)
    over = [each for each in dated_years if running is None or _year(each) < running]
    points = _points(over, pooled)
    used = [point.observed for point in points]
    events = [float(each.events or 0) for each in used]
    exposure = [float(each.exposure or 0) for each in used]
    places = [point.at for point in points]
    variances = [each.count_variance + _of_exposure(each) for each in used]
    found = rate_trend(
        events,
        exposure,
        places,
        level=level,
        added_variance=variances,
        fewest=FEWEST_SHOWN if pooled else FEWEST_PERIODS,
    )
    more: dict[int, dict[str, Cell]] = {}
    crude = _told(found, _why(found.reason, of_true_numbers=with_cusum))
    meta: dict[str, Any] = {
        **crude,
        "periods": len(used),
        "adjusted_for": [],
        "crude": None,
        "dropped_period": running if len(over) < len(dated_years) else None,
        "pooled": [list(point.years) for point in points if len(point.years) > 1],
    }
    if adjusted is not None:
        why = in_words(adjusted.trend.reason)
        meta |= {**_told(adjusted.trend, why), "adjusted_for": ["window"], "crude": crude}
        if adjusted.fitted is not None:
            for at, rate in zip(adjusted.periods.tolist(), adjusted.fitted.tolist(), strict=True):
                more.setdefault(int(at), {})["fitted"] = per * rate
    elif found.rate_ratio is not None:
        line = trend_line(found.rate_ratio, events, exposure, places)
        for point, rate in zip(points, line.tolist(), strict=True):
            for year in point.years:
                fitted = per * rate * found.rate_ratio ** (year - point.at)
                more.setdefault(year, {})["fitted"] = fitted
    if with_cusum and any(events):
        baseline = sum(events) / sum(exposure)
        cusum = poisson_cusum(
            events, [baseline * time for time in exposure], ratio=CUSUM_RATIO, h=CUSUM_H
        )
        steps = zip(map(_year, used), cusum.statistic.tolist(), cusum.alarms.tolist(), strict=True)
        for year, statistic, alarm in steps:
            more.setdefault(year, {}).update(cusum=statistic, alarm=bool(alarm))
        meta["cusum"] = {
            "ratio": CUSUM_RATIO,
            "h": CUSUM_H,
            "baseline_rate": per * baseline,
            "in_words": (
                f"Sum of events above those expected at the rate of all these years (Lucas 1985); "
                f"the reference value is set for a rise to {CUSUM_RATIO:g} times that rate, and "
                f"{CUSUM_H:g} events in excess alarm."
            ),
        }
    rows = [
        Row(each.key, {**each.numbers, **more.get(_year(each), {})}, each.status) for each in over
    ]
    return FittedTrend(rows, {"trend": meta})


def adjusted_trend(store: Store, question: Question) -> AdjustedTrend:
    """The trend of the years that are over, with months since implant held alike.

    Of the tier of implants: exposure that sites declare has no months since implant.
    """
    table = cell_table(store, question, ("window",))
    running = running_year(question.as_of)
    ages = list(dict.fromkeys(key[1] for key in table.keys))
    cells = [
        (events, time, int(str(key[0])), ages.index(key[1]))
        for key, events, time in zip(table.keys, table.events, table.exposure, strict=True)
        if key[0] is not None and (running is None or int(str(key[0])) < running)
    ]
    columns = zip(*cells, strict=True) if cells else ((), (), (), ())
    return adjusted_rate_trend(*map(list, columns), level=question.query.level)


def _told(found: RateTrend, reason: str | None) -> dict[str, Any]:
    return {
        "rate_ratio": found.rate_ratio,
        "ci_lower": found.lower,
        "ci_upper": found.upper,
        "p": found.p,
        "dispersion": found.dispersion,
        "reason": reason,
    }


def _points(years: Sequence[Observed], pooled: Sequence[Point]) -> list[Point]:
    """The years that count, those of a period with a hidden one as one; in order of time."""
    over = set(map(_year, years))
    shown = {_year(each): each for each in years if each.counts}
    points = []
    for period in pooled:
        here = over.intersection(period.years)
        if here <= shown.keys():
            continue
        for year in here:
            shown.pop(year, None)
        if len(here) == len(period.years) and period.observed.counts:
            points.append(period)
    points += [Point((year,), each) for year, each in shown.items()]
    return sorted(points, key=lambda point: point.at)


def _why(reason: Reason | None, *, of_true_numbers: bool) -> str | None:
    """Why there is no trend; with other words where years and events can be hidden."""
    if of_true_numbers or reason is None:
        return in_words(reason)
    return OF_THE_SHOWN.get(reason, in_words(reason))


def _year(observed: Observed) -> int:
    return int(observed.key[0] or 0)


def _of_exposure(observed: Observed) -> float:
    """The variance that the perturbation of exposure adds to a count."""
    if not observed.exposure:
        return 0.0
    return ((observed.events or 0) * observed.exposure_sd / observed.exposure) ** 2
