"""Rates over time: a straight trend on the log scale, and an alarm when events run ahead."""

from collections.abc import Sequence
from itertools import accumulate

import numpy as np
from scipy.special import log_softmax, softmax, stdtr, stdtrit

from registry.statistics.arguments import (
    Numbers,
    equally_long,
    finite_row,
    positive,
    row,
    tail,
    whole_row,
)
from registry.statistics.regression import poisson_regression
from registry.statistics.results import (
    AdjustedTrend,
    BoolArray,
    Cusum,
    FloatArray,
    IntArray,
    RateTrend,
    Reason,
)

FEWEST_PERIODS = 5
FEWEST_EVENTS = 10
STEPS = 100
LEAST_APART = 0.1
LARGEST_LOG = 700.0  # e to this is about the largest float; a limit beyond is uninformative


def rate_trend(
    events: Numbers,
    exposure: Numbers,
    periods: Numbers,
    *,
    level: float = 0.95,
    added_variance: float | Numbers = 0.0,
    fewest: int = FEWEST_PERIODS,
) -> RateTrend:
    """Rate ratio from one period to the next, by log-linear quasi-Poisson regression.

    events, exposure, periods: one entry per period; periods are its numbers, such as years, and the
    ratio is per unit of them. Leave an incomplete last period out. The dispersion is Pearson's
    chi-squared over its degrees of freedom, and less than 1 counts as 1; p and limits are Student's
    with n - 2 degrees of freedom (McCullagh and Nelder, 1989; R's quasipoisson, except for the
    floor).
    added_variance: known variance of each count beyond chance, such as from perturbation; a number
    or one per period. It adds to the variance that Pearson's chi-squared expects and, by the
    sandwich formula, to that of the ratio.
    fewest: the least number of periods, 3 or more. Under 5 the dispersion is not estimated: it is
    None, and the limits are those of chance and the added variance alone (normal).
    Undefined with a reason: fewer periods with exposure, under 10 events, events without
    exposure, all events in the first or the last period, where no finite trend fits best, or data
    so uninformative that a limit overflows.
    Raises ValueError on negative or missing values and on arrays of different length.
    """
    each_tail = tail(level)
    y, time, when = row("events", events), row("exposure", exposure), finite_row("periods", periods)
    noise = np.broadcast_to(row("added_variance", np.atleast_1d(added_variance)), y.shape)
    equally_long(events=y, exposure=time, periods=when)
    reason = _why_no_trend(y, time, when, fewest)
    if reason:
        return RateTrend(None, None, None, None, None, reason)
    y, noise, when, time = y[time > 0], noise[time > 0], when[time > 0], time[time > 0]
    middle, half_span = (when.max() + when.min()) / 2, (when.max() - when.min()) / 2
    x = (when - middle) / half_span
    slope, fitted = _fit(x, y, time)
    df = y.size - 2
    varying = fitted + noise
    estimated = y.size >= FEWEST_PERIODS
    dispersion = max(1.0, _pearson(y, fitted, varying) / df) if estimated else 1.0
    degrees = df if estimated else np.inf
    centred = x - np.average(x, weights=fitted)
    slope_variance = float(centred**2 @ varying) / float(centred**2 @ fitted) ** 2
    log_ratio = slope / half_span
    se = np.sqrt(dispersion * slope_variance) / half_span
    half = -stdtrit(degrees, each_tail) * se
    if abs(log_ratio) + half > LARGEST_LOG:
        return RateTrend(None, None, None, None, None, Reason.NO_INFORMATION)
    return RateTrend(
        rate_ratio=float(np.exp(log_ratio)),
        lower=float(np.exp(log_ratio - half)),
        upper=float(np.exp(log_ratio + half)),
        p=float(2 * stdtr(degrees, -abs(log_ratio / se))),
        dispersion=dispersion if estimated else None,
        reason=None,
    )


def adjusted_rate_trend(
    events: Numbers,
    exposure: Numbers,
    periods: Numbers,
    strata: Numbers | Sequence[Numbers],
    *,
    level: float = 0.95,
) -> AdjustedTrend:
    """Rate ratio from one period to the next with the strata held alike, by Poisson regression.

    One entry a cell: a period in a stratum, such as a calendar year in a year of the devices' age.
    strata: the number of each cell's stratum, or several such rows, of which each has main effects,
    such as ages and models. log(rate) = stratum (+ stratum ...) + slope * period. The dispersion is
    Pearson's of the periods' totals over n - 2, and less than 1 counts as 1; p and limits are
    Student's with n - 2 degrees of freedom, as of `rate_trend`, which this is with one stratum.
    Strata without events say nothing and are left out.
    Undefined with a reason as of `rate_trend`; and where the fit does not converge, or where
    periods and strata cannot be told apart: less than a tenth of the periods' variance is not
    explained by strata (a variance inflation factor over 10), so that what differs within a stratum
    would pass for a trend. Raises ValueError as `rate_trend` does.
    """
    each_tail = tail(level)
    y, time, when = row("events", events), row("exposure", exposure), finite_row("periods", periods)
    rows = np.atleast_2d(np.asarray(strata))
    columns = [whole_row("strata", each) for each in rows]
    for column in columns:
        equally_long(events=y, exposure=time, periods=when, strata=column)
    kept = time > 0
    each, place = np.unique(when[kept], return_inverse=True)
    own, given = (_by(place, values[kept], each.size) for values in (y, time))
    if reason := _why_no_trend(own, given, each, FEWEST_PERIODS):
        return _not_adjusted(each, reason)
    kept = _eventful(y, columns, kept)
    y, time, when = y[kept], time[kept], when[kept]
    place = np.searchsorted(each, when)
    middle, half_span = (each[-1] + each[0]) / 2, (each[-1] - each[0]) / 2
    levels = np.column_stack([_indicators(column[kept]) for column in columns])
    design = np.column_stack([(when - middle) / half_span, levels])
    fit = poisson_regression(y, time, design)
    slope = np.eye(design.shape[1])[0]
    if fit.reason or not fit.is_estimable(slope) or _apart(when, levels, fit.fitted) < LEAST_APART:
        return _not_adjusted(each, fit.reason or Reason.ONE_AGE)
    fitted = _by(place, fit.fitted, each.size)
    dispersion = max(1.0, _pearson(own, fitted, fitted) / (each.size - 2))
    log_ratio = float(fit.coefficients[0]) / half_span
    se = float(np.sqrt(dispersion * fit.covariance[0, 0])) / half_span
    half = -float(stdtrit(each.size - 2, each_tail)) * se
    if abs(log_ratio) + half > LARGEST_LOG:
        return _not_adjusted(each, Reason.NO_INFORMATION)
    found = RateTrend(
        rate_ratio=float(np.exp(log_ratio)),
        lower=float(np.exp(log_ratio - half)),
        upper=float(np.exp(log_ratio + half)),
        p=float(2 * stdtr(each.size - 2, -abs(log_ratio / se))),
        dispersion=dispersion,
        reason=None,
    )
    return AdjustedTrend(found, each, fitted / given)


def trend_line(
    rate_ratio: float, events: Numbers, exposure: Numbers, periods: Numbers
) -> FloatArray:
    """The fitted rate of each period, per unit of exposure; fitted events sum to the observed.

    rate_ratio: from `rate_trend` of the same arrays. A period without exposure has a fitted rate as
    well. Raises ValueError without any exposure or on a ratio of 0 or less.
    """
    y, time, when = row("events", events), row("exposure", exposure), finite_row("periods", periods)
    equally_long(events=y, exposure=time, periods=when)
    growth = np.exp(np.log(positive("rate_ratio", rate_ratio)) * (when - when.mean()))
    if not (time > 0).any():
        raise ValueError("exposure: a line needs periods with exposure.")
    line: FloatArray = y.sum() * growth / float(time @ growth)
    return line


def poisson_cusum(events: Numbers, expected: Numbers, *, ratio: float, h: float) -> Cusum:
    """Running excess of events over what is expected, and the periods in which it alarms.

    events, expected: one entry per period, in time order. The reference value lies between the
    expected count and `ratio` times it, expected * (ratio - 1) / log(ratio); the statistic is
    max(0, previous + events - reference), and a period alarms while it is h events or more (Lucas,
    1985). The statistic is not reset after an alarm, which lasts until it falls below h.
    Raises ValueError on negative or missing values, on arrays of different length, on a ratio of 1
    or less, on h = 0, and on events in a period that expects none.
    """
    y, target = row("events", events), row("expected", expected)
    equally_long(events=y, expected=target)
    rise, decision = positive("ratio", ratio), positive("h", h)
    if rise <= 1:
        raise ValueError("ratio: must be above 1, the rise to detect.")
    if ((target == 0) & (y > 0)).any():
        raise ValueError("expected: a period has events although none are expected.")
    reference = target * (rise - 1) / np.log(rise)
    excess = (y - reference).tolist()
    running = accumulate(excess, lambda total, step: max(0.0, total + step), initial=0.0)
    statistic = np.array(list(running)[1:])
    return Cusum(statistic=statistic, alarms=statistic >= decision, reference=reference)


def _why_no_trend(y: FloatArray, time: FloatArray, when: FloatArray, fewest: int) -> Reason | None:
    if ((time == 0) & (y > 0)).any():
        return Reason.EVENTS_WITHOUT_EXPOSURE
    present = np.unique(when[time > 0])
    if present.size < fewest:
        return Reason.TOO_FEW_PERIODS
    if y.sum() < FEWEST_EVENTS:
        return Reason.TOO_FEW_EVENTS
    eventful = np.unique(when[y > 0])
    if eventful.size == 1 and eventful[0] in (present[0], present[-1]):
        return Reason.EVENTS_AT_ONE_END
    return None


def _fit(x: FloatArray, y: FloatArray, time: FloatArray) -> tuple[float, FloatArray]:
    """Slope and the fitted counts, by Newton steps on the likelihood.

    The level is profiled out, as the fitted counts add up to the observed ones; each step is one of
    iteratively reweighted least squares. It starts at a constant rate and halves a step that lowers
    the likelihood, which is concave: it finds the one maximum.
    """
    slope = 0.0
    for _ in range(STEPS):
        fitted = _fitted(slope, x, y, time)
        centred = x - np.average(x, weights=fitted)
        step = float(centred @ y / (centred**2 @ fitted))
        reached = _likelihood(slope, x, y, time)
        while _likelihood(slope + step, x, y, time) < reached - 1e-9 * abs(reached):
            step /= 2
        slope += step
        if abs(step) < 1e-12:
            break
    return slope, _fitted(slope, x, y, time)


def _fitted(slope: float, x: FloatArray, y: FloatArray, time: FloatArray) -> FloatArray:
    """Counts that add up to the observed ones, shared out in proportion to time * exp(slope x)."""
    counts: FloatArray = y.sum() * softmax(np.log(time) + slope * x)
    return counts


def _likelihood(slope: float, x: FloatArray, y: FloatArray, time: FloatArray) -> float:
    """Log of the Poisson likelihood, without terms that do not depend on the slope."""
    return float(y @ log_softmax(np.log(time) + slope * x))


def _by(places: IntArray, values: FloatArray, size: int) -> FloatArray:
    """The sum of the values at each place."""
    return np.bincount(places, values, size).astype(np.float64)


def _not_adjusted(periods: FloatArray, reason: Reason) -> AdjustedTrend:
    return AdjustedTrend(RateTrend(None, None, None, None, None, reason), periods, None)


def _eventful(y: FloatArray, columns: Sequence[IntArray], kept: BoolArray) -> BoolArray:
    """The cells whose strata all have events in such cells."""
    while True:
        found = kept.copy()
        for column in columns:
            found &= np.bincount(column, np.where(found, y, 0.0))[column] > 0
        if found.sum() == kept.sum():
            return found
        kept = found


def _indicators(column: IntArray) -> FloatArray:
    """A column of 0 and 1 for each value."""
    values, levels = np.unique(column, return_inverse=True)
    return np.eye(values.size)[levels]


def _apart(when: FloatArray, levels: FloatArray, weights: FloatArray) -> float:
    """The share of the periods' variance that the strata do not explain."""
    root = np.sqrt(weights)[:, np.newaxis]
    total = when - np.average(when, weights=weights)
    explained = levels @ np.linalg.lstsq(root * levels, root[:, 0] * total, rcond=None)[0]
    return float(((total - explained) ** 2 @ weights) / (total**2 @ weights))


def _pearson(y: FloatArray, fitted: FloatArray, varying: FloatArray) -> float:
    """Pearson's chi-squared; a fitted count too small for a float adds nothing."""
    terms = np.zeros_like(fitted)
    np.divide(np.square(y - fitted), varying, out=terms, where=fitted > 0)
    return float(terms.sum())
