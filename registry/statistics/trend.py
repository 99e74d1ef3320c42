"""Rates over time: a straight trend on the log scale, and an alarm when events run ahead."""

from itertools import accumulate

import numpy as np
from scipy.special import stdtr, stdtrit

from registry.statistics.arguments import Numbers, equally_long, finite_row, positive, row, tail
from registry.statistics.results import Cusum, FloatArray, RateTrend, Reason

FEWEST_PERIODS = 5
FEWEST_EVENTS = 10
STEPS = 100
LARGEST_LOG = 700.0  # e to this is about the largest float; a limit beyond says nothing


def rate_trend(
    events: Numbers, exposure: Numbers, periods: Numbers, *, level: float = 0.95
) -> RateTrend:
    """Rate ratio from one period to the next, by log-linear quasi-Poisson regression.

    events, exposure, periods: one entry per period; periods are its numbers, such as years, and the
    ratio is per unit of them. Leave an incomplete last period out. The dispersion is Pearson's
    chi-squared over its degrees of freedom, and less than 1 counts as 1; p and limits are Student's
    with n - 2 degrees of freedom (McCullagh and Nelder, 1989; R's quasipoisson but for the floor).
    Undefined with a reason: under 5 periods with exposure, under 10 events, events without
    exposure, all events in the first or the last period, where no finite trend fits best, or data
    that say so little of a trend that a limit is beyond any number.
    Raises ValueError on negative or missing values and on arrays of different length.
    """
    each_tail = tail(level)
    y, time, when = row("events", events), row("exposure", exposure), finite_row("periods", periods)
    equally_long(events=y, exposure=time, periods=when)
    reason = _why_no_trend(y, time, when)
    if reason:
        return RateTrend(None, None, None, None, None, reason)
    y, time, when = y[time > 0], time[time > 0], when[time > 0]
    middle, half_span = (when.max() + when.min()) / 2, (when.max() - when.min()) / 2
    design = np.column_stack((np.ones_like(when), (when - middle) / half_span))
    slope, slope_variance, fitted = _fit(design, y, time)
    df = y.size - 2
    dispersion = max(1.0, _pearson(y, fitted) / df)
    log_ratio = slope / half_span
    se = np.sqrt(dispersion * slope_variance) / half_span
    half = -stdtrit(df, each_tail) * se
    if abs(log_ratio) + half > LARGEST_LOG:
        return RateTrend(None, None, None, None, None, Reason.NO_INFORMATION)
    return RateTrend(
        rate_ratio=float(np.exp(log_ratio)),
        lower=float(np.exp(log_ratio - half)),
        upper=float(np.exp(log_ratio + half)),
        p=float(2 * stdtr(df, -abs(log_ratio / se))),
        dispersion=dispersion,
        reason=None,
    )


def poisson_cusum(events: Numbers, expected: Numbers, *, ratio: float, h: float) -> Cusum:
    """Running excess of events over what is expected, and the periods in which it alarms.

    events, expected: one entry per period, in time order. The reference value lies between the
    expected count and `ratio` times it, expected * (ratio - 1) / log(ratio); the statistic is
    max(0, previous + events - reference), and a period alarms while it is h events or more (Lucas,
    1985). Nothing is reset after an alarm: it lasts until the excess is worked off.
    Raises ValueError on negative or missing values, on arrays of different length, on a ratio of 1
    or less, on h = 0, and on events in a period that expects none.
    """
    y, target = row("events", events), row("expected", expected)
    equally_long(events=y, expected=target)
    rise, decision = positive("ratio", ratio), positive("h", h)
    if rise <= 1:
        raise ValueError("ratio: must be above 1, the rise to be found.")
    if ((target == 0) & (y > 0)).any():
        raise ValueError("expected: a period has events although none are expected.")
    reference = target * (rise - 1) / np.log(rise)
    excess = (y - reference).tolist()
    running = accumulate(excess, lambda total, step: max(0.0, total + step), initial=0.0)
    statistic = np.array(list(running)[1:])
    return Cusum(statistic=statistic, alarms=statistic >= decision, reference=reference)


def _why_no_trend(y: FloatArray, time: FloatArray, when: FloatArray) -> Reason | None:
    if ((time == 0) & (y > 0)).any():
        return Reason.EVENTS_WITHOUT_EXPOSURE
    present = np.unique(when[time > 0])
    if present.size < FEWEST_PERIODS:
        return Reason.TOO_FEW_PERIODS
    if y.sum() < FEWEST_EVENTS:
        return Reason.TOO_FEW_EVENTS
    eventful = np.unique(when[y > 0])
    if eventful.size == 1 and eventful[0] in (present[0], present[-1]):
        return Reason.EVENTS_AT_ONE_END
    return None


def _fit(design: FloatArray, y: FloatArray, time: FloatArray) -> tuple[float, float, FloatArray]:
    """Slope, its Poisson variance and the fitted counts, by iteratively reweighted least squares.

    Starts at a constant rate, where the likelihood is finite, and halves a step that lowers it: the
    likelihood is concave, so that this finds its one maximum.
    """
    offset = np.log(time)
    beta = np.array([np.log(y.sum() / time.sum()), 0.0])
    for _ in range(STEPS):
        fitted = np.exp(offset + design @ beta)
        information = design.T @ (design * fitted[:, None])
        step = np.linalg.solve(information, design.T @ (y - fitted))
        floor = _likelihood(design, y, offset, beta)
        while _likelihood(design, y, offset, beta + step) < floor - 1e-9 * abs(floor):
            step /= 2
        beta = beta + step
        if np.abs(step).max() < 1e-12:
            break
    fitted = np.exp(offset + design @ beta)
    information = design.T @ (design * fitted[:, None])
    return float(beta[1]), float(np.linalg.inv(information)[1, 1]), fitted


def _pearson(y: FloatArray, fitted: FloatArray) -> float:
    """Pearson's chi-squared; a fitted count too small for a float adds nothing."""
    terms = np.zeros_like(fitted)
    np.divide(np.square(y - fitted), fitted, out=terms, where=fitted > 0)
    return float(terms.sum())


def _likelihood(design: FloatArray, y: FloatArray, offset: FloatArray, beta: FloatArray) -> float:
    """Poisson log likelihood, less what does not depend on the coefficients."""
    eta = offset + design @ beta
    with np.errstate(over="ignore"):
        return float((y * eta - np.exp(eta)).sum())
