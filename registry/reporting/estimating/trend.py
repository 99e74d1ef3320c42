"""The trend of a rate from year to year, and a CUSUM of events above expectation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from registry.records import Cell
from registry.reporting.asking.spec import Row
from registry.reporting.asking.still_open import StillOpen
from registry.reporting.estimating.cusum import cusum_of
from registry.reporting.estimating.held_alike import HeldAlike
from registry.reporting.estimating.observed import Observed
from registry.reporting.words.reasons import in_words
from registry.statistics.results import RateTrend, Reason
from registry.statistics.trend import (
    FEWEST_PERIODS,
    rate_trend,
    trend_line,
)

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
    """The rows of a trend, the years that are not provisional, and its metadata."""

    rows: Sequence[Row]
    meta: Mapping[str, Any] = field(default_factory=dict)


def trend_of(
    years: Sequence[Observed],
    *,
    per: float,
    level: float,
    open_years: StillOpen,
    with_cusum: bool,
    pooled: Sequence[Point] = (),
    adjusted: HeldAlike | None = None,
) -> FittedTrend:
    """Fits a log-linear trend to the years that are not provisional.

    years: rows by calendar year; ignores rows without a year. open_years: those that are
    provisional. with_cusum: only for exact numbers.
    pooled: periods of years where years can be hidden. A year is hidden because its number is low:
    a line through the others would lie too high where few are shown. So the years of a period of
    which one is hidden are one observation, of the period's own number; a period that is hidden, or
    not over, is left out unless all its years that are over are shown. adjusted: the trend with
    what devices differ in held alike, which is then the answer's, and the crude one beside it.
    """
    first_open = open_years.first
    dated_years = sorted((each for each in years if each.key[0] is not None), key=_year)
    over = [each for each in dated_years if first_open is None or _year(each) < first_open]
    left = [_year(each) for each in dated_years[len(over) :]]
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
        "dropped_period": open_years.running if open_years.running in left else None,
        "dropped_periods": left,
        "pooled": [list(point.years) for point in points if len(point.years) > 1],
    }
    if adjusted is not None:
        held = adjusted.found
        why = in_words(held.trend.reason)
        meta |= {**_told(held.trend, why), "adjusted_for": list(adjusted.names), "crude": crude}
        if held.fitted is not None:
            for at, rate in zip(held.periods.tolist(), held.fitted.tolist(), strict=True):
                more.setdefault(int(at), {})["fitted"] = per * rate
    elif found.rate_ratio is not None:
        line = trend_line(found.rate_ratio, events, exposure, places)
        for point, rate in zip(points, line.tolist(), strict=True):
            for year in point.years:
                fitted = per * rate * found.rate_ratio ** (year - point.at)
                more.setdefault(year, {})["fitted"] = fitted
    if with_cusum and any(events):
        steps, meta["cusum"] = cusum_of(list(map(_year, used)), events, exposure, per=per)
        for year, told in steps.items():
            more.setdefault(year, {}).update(told)
    rows = [
        Row(each.key, {**each.numbers, **more.get(_year(each), {})}, each.status) for each in over
    ]
    return FittedTrend(rows, {"trend": meta})


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
