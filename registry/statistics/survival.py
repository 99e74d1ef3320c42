"""Time to an event: Kaplan-Meier and Aalen-Johansen curves and the log-rank test.

Times are those since implantation, in any unit. With delayed entry a device is at risk at time t
if entry < t <= duration; an entry of 0 means from the start, time 0 included. Who enters at the
moment of leaving is never at risk and counts nowhere. At a tie events come before censorings.
"""

from typing import Literal

import numpy as np
from scipy.special import chdtrc, ndtri

from registry.statistics.arguments import (
    Numbers,
    equally_long,
    flags,
    labels,
    row,
    tail,
    whole_row,
)
from registry.statistics.results import (
    BoolArray,
    FloatArray,
    IncidenceCurves,
    IntArray,
    LimitArrays,
    LogRank,
    Reason,
    SurvivalCurve,
)

ConfidenceScale = Literal["log-log", "log", "plain"]

CERTAIN = 1 - 1e-12  # a sum of fractions that is 1 may come out a little below it
HALF = 0.5 + 1e-9  # a product of fractions that is one half may come out a little above it


def kaplan_meier(
    durations: Numbers,
    observed: Numbers,
    *,
    entries: Numbers | None = None,
    level: float = 0.95,
    ci: ConfidenceScale = "log-log",
) -> SurvivalCurve:
    """Probability of being free of the event at each distinct event time (Kaplan and Meier, 1958).

    durations, observed: one entry per device; observed is True for the event, False for censoring.
    The standard error is Greenwood's (1926). Limits: "log-log" (Kalbfleisch and Prentice, 2002),
    "log" or "plain", the last two cut off at 0 and 1. Where survival has come down to 0 the
    standard error and the limits are NaN, as in R's survfit. The median is the first time at
    which survival is one half or less. Raises ValueError on negative or missing times, on lengths
    that differ and on an entry after the end.
    """
    if ci not in ("log-log", "log", "plain"):
        raise ValueError('ci: choose "log-log", "log" or "plain".')
    z = -float(ndtri(tail(level)))
    ends, starts = _spans(durations, entries)
    event = flags("observed", observed)
    equally_long(durations=ends, observed=event)
    times, at_risk, events = _table(ends, starts, event)
    survival, variance = _product_limit(at_risk, events)
    lower, upper = _survival_limits(survival, np.sqrt(variance), z, ci)
    median, reason = _median(times, survival)
    return SurvivalCurve(
        times=times,
        at_risk=at_risk,
        events=events,
        survival=survival,
        se=survival * np.sqrt(variance),
        lower=lower,
        upper=upper,
        median=median,
        reason=reason if ends.size else Reason.NO_OBSERVATIONS,
    )


def cumulative_incidence(
    durations: Numbers,
    causes: Numbers,
    *,
    entries: Numbers | None = None,
    level: float = 0.95,
) -> IncidenceCurves:
    """Probability of each cause having come first by each event time (Aalen and Johansen, 1978).

    durations, causes: one entry per device; causes are whole numbers and 0 is censored. The
    standard error is by the delta method (Marubini and Valsecchi, 1995, section 10.4); the limits
    are on the log(-log) scale of the incidence itself (Choudhury, 2002, as in SAS and lifelines),
    NaN while the incidence is 0 and where it is 1. Ties are exact, nothing is jittered.
    Raises ValueError on negative or missing values, on lengths that differ and on an entry after
    the end.
    """
    z = -float(ndtri(tail(level)))
    ends, starts = _spans(durations, entries)
    cause = whole_row("causes", causes)
    equally_long(durations=ends, causes=cause)
    times, at_risk, events = _table(ends, starts, cause > 0)
    survival, _ = _product_limit(at_risk, events)
    before = np.concatenate(([1.0], survival[:-1]))[: times.size]
    counts: dict[int, IntArray] = {}
    incidence: dict[int, FloatArray] = {}
    se: dict[int, FloatArray] = {}
    lower: dict[int, FloatArray] = {}
    upper: dict[int, FloatArray] = {}
    for key in np.unique(cause[cause > 0]).tolist():
        counts[key] = _count(times, ends[(cause == key) & _ever_at_risk(ends, starts)])
        incidence[key] = np.minimum(np.cumsum(before * counts[key] / at_risk), 1.0)
        se[key] = _incidence_se(incidence[key], counts[key], events, at_risk, before)
        lower[key], upper[key] = _log_log(incidence[key], se[key], z)
    return IncidenceCurves(times, at_risk, survival, counts, incidence, se, lower, upper)


def logrank(
    durations: Numbers,
    observed: Numbers,
    groups: object,
    *,
    entries: Numbers | None = None,
) -> LogRank:
    """Log-rank test that two or more groups share one survival curve (Mantel-Haenszel form).

    durations, observed, groups: one entry per device; groups holds labels of any one kind. The
    degrees of freedom are the rank of the variance, the number of groups less one unless some
    were never at risk together; with none left the test is undefined and says why.
    Raises ValueError as kaplan_meier does.
    """
    ends, starts = _spans(durations, entries)
    event = flags("observed", observed)
    names, member = np.unique(labels("groups", groups), return_inverse=True)
    equally_long(durations=ends, observed=event, groups=member)
    times, total_at_risk, total_events = _table(ends, starts, event)
    counted = event & _ever_at_risk(ends, starts)
    inside = [member == group for group in range(names.size)]
    at_risk = np.array([_at_risk(times, ends[own], starts[own]) for own in inside])
    share = at_risk.reshape(names.size, times.size) / total_at_risk
    observed_counts = np.array([float(counted[own].sum()) for own in inside])
    expected = share @ total_events.astype(np.float64)
    chi2, df = _quadratic_form(
        observed_counts - expected, _hypergeometric(share, total_at_risk, total_events)
    )
    return LogRank(
        chi2=chi2 if df else None,
        df=df,
        p=float(chdtrc(df, chi2)) if df else None,
        groups=tuple(names.tolist()),
        observed=observed_counts,
        expected=expected,
        reason=None if df else _why_no_test(names.size),
    )


def _why_no_test(groups: int) -> Reason:
    if groups == 0:
        return Reason.NO_OBSERVATIONS
    return Reason.ONE_GROUP if groups == 1 else Reason.NOTHING_TO_COMPARE


def _spans(durations: Numbers, entries: Numbers | None) -> tuple[FloatArray, FloatArray]:
    """When each device leaves and when it enters; from the start is minus infinity."""
    ends = row("durations", durations)
    starts = np.zeros_like(ends) if entries is None else row("entries", entries)
    equally_long(durations=ends, entries=starts)
    if (starts > ends).any():
        raise ValueError("entries: an entry lies after the end of its duration.")
    return ends, np.where(starts == 0, -np.inf, starts)


def _ever_at_risk(ends: FloatArray, starts: FloatArray) -> BoolArray:
    return starts < ends


def _at_risk(times: FloatArray, ends: FloatArray, starts: FloatArray) -> IntArray:
    entered = np.searchsorted(np.sort(starts), times, side="left")
    left = np.searchsorted(np.sort(ends), times, side="left")
    return (entered - left).astype(np.int64)


def _count(times: FloatArray, moments: FloatArray) -> IntArray:
    """How many of `moments` fall on each of the ascending `times`; every moment is one of them."""
    return np.bincount(np.searchsorted(times, moments), minlength=times.size).astype(np.int64)


def _table(
    ends: FloatArray, starts: FloatArray, event: BoolArray
) -> tuple[FloatArray, IntArray, IntArray]:
    times, events = np.unique(ends[event & _ever_at_risk(ends, starts)], return_counts=True)
    return times, _at_risk(times, ends, starts), events.astype(np.int64)


def _product_limit(at_risk: IntArray, events: IntArray) -> tuple[FloatArray, FloatArray]:
    """Survival, and the variance of its logarithm (NaN from the time at which it is 0)."""
    n, surviving = at_risk.astype(np.float64), (at_risk - events).astype(np.float64)
    terms = np.full_like(n, np.nan)
    np.divide(events, n * surviving, out=terms, where=surviving > 0)
    return np.cumprod(surviving / n, dtype=np.float64), np.cumsum(terms)


def _survival_limits(
    survival: FloatArray, log_se: FloatArray, z: float, ci: ConfidenceScale
) -> LimitArrays:
    if ci == "log-log":
        return _log_log(survival, survival * log_se, z)
    if ci == "log":
        factor = np.exp(z * log_se)
        return survival / factor, np.minimum(survival * factor, 1.0)
    half = z * survival * log_se
    return np.maximum(survival - half, 0.0), np.minimum(survival + half, 1.0)


def _log_log(probability: FloatArray, se: FloatArray, z: float) -> LimitArrays:
    """Limits on the scale of log(-log(probability)), which keeps them between 0 and 1."""
    inside = np.where((probability > 0) & (probability < CERTAIN), probability, np.nan)
    scaled = z * se / (inside * -np.log(inside))
    return inside ** np.exp(scaled), inside ** np.exp(-scaled)


def _median(times: FloatArray, survival: FloatArray) -> tuple[float | None, Reason | None]:
    reached = np.flatnonzero(survival <= HALF)
    if reached.size:
        return float(times[reached[0]]), None
    return None, Reason.MEDIAN_NOT_REACHED


def _incidence_se(
    incidence: FloatArray,
    own: IntArray,
    events: IntArray,
    at_risk: IntArray,
    before: FloatArray,
) -> FloatArray:
    """Delta-method standard error, with its sums over past times opened up to run in one pass.

    The sum over past times i of a_i (F - F_i)^2 is F^2 sum(a) - 2 F sum(a F_i) + sum(a F_i^2).
    Where all at risk had an event, survival is 0, F stays at F_i and the term is 0.
    """
    n, surviving = at_risk.astype(np.float64), (at_risk - events).astype(np.float64)
    spread = np.zeros_like(n)
    np.divide(events, n * surviving, out=spread, where=surviving > 0)
    drift = before * own / n**2
    variance = (
        incidence**2 * np.cumsum(spread)
        - 2 * incidence * np.cumsum(spread * incidence)
        + np.cumsum(spread * incidence**2)
        + np.cumsum(before**2 * own * (n - own) / n**3)
        - 2 * (incidence * np.cumsum(drift) - np.cumsum(drift * incidence))
    )
    return np.sqrt(np.maximum(variance, 0.0))


def _hypergeometric(share: FloatArray, at_risk: IntArray, events: IntArray) -> FloatArray:
    """Variance of the groups' event counts given the numbers at risk, summed over the times."""
    n, d = at_risk.astype(np.float64), events.astype(np.float64)
    weight = np.zeros_like(n)
    np.divide(d * (n - d), n - 1, out=weight, where=n > 1)
    weighted = share * weight
    return np.diag(weighted.sum(axis=1)) - weighted @ share.T


def _quadratic_form(difference: FloatArray, variance: FloatArray) -> tuple[float, int]:
    """The chi-squared of a difference whose variance has not full rank, and that rank."""
    if not difference.size:
        return 0.0, 0
    values, vectors = np.linalg.eigh(variance)
    kept = values > 1e-10 * max(1.0, float(values.max()))
    along = (vectors.T @ difference)[kept]
    return float((along**2 / values[kept]).sum()), int(kept.sum())
