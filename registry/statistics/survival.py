"""Time to an event: Kaplan-Meier and Aalen-Johansen curves and the log-rank test.

`product_limit`, `aalen_johansen` and `logrank_of` take counts (`LifeCounts`); `kaplan_meier`,
`cumulative_incidence` and `logrank` take one row per device, tabulate and call them.

Times are those since implantation, in any unit. With delayed entry a device is at risk at time t
if entry < t <= duration; an entry of 0 means from the start, time 0 included. A device that enters
at the moment of leaving is never at risk and not counted. At a tie events come before censorings.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from scipy.special import chdtrc, ndtri

from registry.statistics.arguments import (
    Numbers,
    equally_long,
    flags,
    labels,
    tail,
)
from registry.statistics.life_counts import LifeCounts, spans
from registry.statistics.quadratic import quadratic_form
from registry.statistics.results import (
    FloatArray,
    IncidenceCurves,
    IntArray,
    LimitArrays,
    LogRank,
    Reason,
    SurvivalCurve,
)

__all__ = [
    "THE_EVENT",
    "ConfidenceScale",
    "LifeCounts",
    "aalen_johansen",
    "cumulative_incidence",
    "kaplan_meier",
    "logrank",
    "logrank_of",
    "product_limit",
    "stratified_logrank",
]

ConfidenceScale = Literal["log-log", "log", "plain"]

THE_EVENT = 1
CERTAIN = 1 - 1e-12  # a sum of fractions that is 1 may come out a little below it
HALF = 0.5 + 1e-9  # a product of fractions that is one half may come out a little above it


def product_limit(
    counts: LifeCounts,
    *,
    cause: int = THE_EVENT,
    level: float = 0.95,
    ci: ConfidenceScale = "log-log",
) -> SurvivalCurve:
    """Probability of being free of the event at each distinct event time (Kaplan and Meier, 1958).

    counts: of the devices of one curve; `cause` is the event, every other end is censored.
    The standard error is Greenwood's (1926). Limits: "log-log" (Kalbfleisch and Prentice, 2002),
    "log" or "plain", the last two cut off at 0 and 1. Where survival is 0 the standard error and
    the limits are NaN, as in R's survfit. The median is the first time at which survival is one
    half or less. Raises ValueError on a level outside 0 to 1 and on an unknown scale.
    """
    if ci not in ("log-log", "log", "plain"):
        raise ValueError('ci: choose "log-log", "log" or "plain".')
    z = -float(ndtri(tail(level)))
    ended = counts.ended_of(cause)
    times, events = counts.times[ended > 0], ended[ended > 0]
    at_risk = counts.at_risk(times)
    survival, variance = _survival_and_variance(at_risk, events)
    lower, upper = survival_limits(survival, np.sqrt(variance), z, ci)
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
        reason=reason if counts.devices else Reason.NO_OBSERVATIONS,
    )


def kaplan_meier(
    durations: Numbers,
    observed: Numbers,
    *,
    entries: Numbers | None = None,
    level: float = 0.95,
    ci: ConfidenceScale = "log-log",
) -> SurvivalCurve:
    """The curve of `product_limit` from individual devices.

    durations, observed: one entry per device; observed is True for the event, False for censoring.
    Raises ValueError on negative or missing times, on lengths that differ, on an entry after the
    end, and as product_limit does.
    """
    ends, starts = spans(durations, entries)
    event = flags("observed", observed)
    equally_long(durations=ends, observed=event)
    counts = LifeCounts.of_spans(ends, starts, event.astype(np.int64))
    return product_limit(counts, level=level, ci=ci)


def aalen_johansen(counts: LifeCounts, *, level: float = 0.95) -> IncidenceCurves:
    """Probability of each cause having come first by each event time (Aalen and Johansen, 1978).

    counts: of the devices of one group; every cause of the table but 0 (censored) has a curve. The
    standard error is by the delta method (Marubini and Valsecchi, 1995, section 10.4); the limits
    are on the log(-log) scale of the incidence itself (Choudhury, 2002, as in SAS and lifelines),
    NaN while the incidence is 0 and where it is 1. Ties are handled exactly, without jitter.
    Raises ValueError on a level outside 0 to 1.
    """
    z = -float(ndtri(tail(level)))
    by_cause = {cause: ended for cause, ended in counts.ended.items() if cause > 0}
    any_cause = sum(by_cause.values(), np.zeros(counts.times.size, dtype=np.int64))
    happened = any_cause > 0
    times, events = counts.times[happened], any_cause[happened]
    at_risk = counts.at_risk(times)
    survival, _ = _survival_and_variance(at_risk, events)
    before = np.concatenate(([1.0], survival[:-1]))[: times.size]
    own: dict[int, IntArray] = {}
    incidence: dict[int, FloatArray] = {}
    se: dict[int, FloatArray] = {}
    lower: dict[int, FloatArray] = {}
    upper: dict[int, FloatArray] = {}
    for key, ended in by_cause.items():
        own[key] = ended[happened]
        incidence[key] = np.minimum(np.cumsum(before * own[key] / at_risk), 1.0)
        se[key] = _incidence_se(incidence[key], own[key], events, at_risk, before)
        lower[key], upper[key] = log_log(incidence[key], se[key], z)
    return IncidenceCurves(times, at_risk, survival, own, incidence, se, lower, upper)


def cumulative_incidence(
    durations: Numbers,
    causes: Numbers,
    *,
    entries: Numbers | None = None,
    level: float = 0.95,
) -> IncidenceCurves:
    """The curves of `aalen_johansen` from individual devices.

    durations, causes: one entry per device; causes are whole numbers and 0 is censored.
    Raises ValueError on negative or missing values, on lengths that differ and on an entry after
    the end.
    """
    return aalen_johansen(LifeCounts.of(durations, causes, entries), level=level)


def logrank_of(tables: Sequence[LifeCounts], *, cause: int = THE_EVENT) -> LogRank:
    """Log-rank test that two or more groups share one survival curve (Mantel-Haenszel form).

    tables: the counts of each group, in one unit of time; `groups` of the result are their places
    in it, from 0. `cause` is the event, every other end is censored. The degrees of freedom are
    the rank of the variance, the number of groups less one unless some were never at risk
    together; with 0 degrees of freedom the test is undefined, with a reason.
    """
    return stratified_logrank([tables], cause=cause)


def stratified_logrank(
    strata: Sequence[Sequence[LifeCounts]], *, cause: int = THE_EVENT
) -> LogRank:
    """The log-rank test of the same groups within strata: only like is compared with like.

    strata: in each the counts of every group, in one order; a group without devices in a stratum
    has an empty table. Observed, expected and variance add up over the strata (Mantel, 1966), as
    in R's survdiff with strata().
    """
    groups = len(strata[0]) if strata else 0
    observed, expected = np.zeros(groups), np.zeros(groups)
    variance = np.zeros((groups, groups))
    for tables in strata:
        own, likely, spread = _observed_and_expected(tables, cause)
        observed, expected, variance = observed + own, expected + likely, variance + spread
    chi2, df = quadratic_form(observed - expected, variance)
    return LogRank(
        chi2=chi2 if df else None,
        df=df,
        p=float(chdtrc(df, chi2)) if df else None,
        groups=tuple(range(groups)),
        observed=observed,
        expected=expected,
        reason=None if df else _why_no_test(groups),
    )


def _observed_and_expected(
    tables: Sequence[LifeCounts], cause: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Each group's events, those expected, and the variance of their difference."""
    ended = [counts.ended_of(cause) for counts in tables]
    times = np.unique(
        np.concatenate(
            [np.empty(0), *(each.times[own > 0] for each, own in zip(tables, ended, strict=True))]
        )
    )
    total_events = np.zeros(times.size, dtype=np.int64)
    for each, own in zip(tables, ended, strict=True):
        total_events[np.searchsorted(times, each.times[own > 0])] += own[own > 0]
    at_risk = np.array([each.at_risk(times) for each in tables], dtype=np.int64)
    at_risk = at_risk.reshape(len(tables), times.size)
    total_at_risk = at_risk.sum(axis=0)
    share = at_risk / total_at_risk
    observed = np.array([float(own.sum()) for own in ended])
    expected = share @ total_events.astype(np.float64)
    return observed, expected, _hypergeometric(share, total_at_risk, total_events)


def logrank(
    durations: Numbers,
    observed: Numbers,
    groups: object,
    *,
    entries: Numbers | None = None,
) -> LogRank:
    """The test of `logrank_of` from individual devices.

    durations, observed, groups: one entry per device; groups holds labels of any one kind.
    Raises ValueError as kaplan_meier does.
    """
    ends, starts = spans(durations, entries)
    event = flags("observed", observed).astype(np.int64)
    names, member = np.unique(labels("groups", groups), return_inverse=True)
    equally_long(durations=ends, observed=event, groups=member)
    inside = [member == group for group in range(names.size)]
    tables = [LifeCounts.of_spans(ends[own], starts[own], event[own]) for own in inside]
    return replace(logrank_of(tables), groups=tuple(names.tolist()))


def _why_no_test(groups: int) -> Reason:
    if groups == 0:
        return Reason.NO_OBSERVATIONS
    return Reason.ONE_GROUP if groups == 1 else Reason.NOTHING_TO_COMPARE


def _survival_and_variance(at_risk: IntArray, events: IntArray) -> tuple[FloatArray, FloatArray]:
    """Survival, and the variance of its logarithm (NaN from the time at which it is 0)."""
    n, surviving = at_risk.astype(np.float64), (at_risk - events).astype(np.float64)
    terms = np.full_like(n, np.nan)
    np.divide(events, n * surviving, out=terms, where=surviving > 0)
    return np.cumprod(surviving / n, dtype=np.float64), np.cumsum(terms)


def survival_limits(
    survival: FloatArray, log_se: FloatArray, z: float, ci: ConfidenceScale
) -> LimitArrays:
    if ci == "log-log":
        return log_log(survival, survival * log_se, z)
    if ci == "log":
        factor = np.exp(z * log_se)
        return survival / factor, np.minimum(survival * factor, 1.0)
    half = z * survival * log_se
    return np.maximum(survival - half, 0.0), np.minimum(survival + half, 1.0)


def log_log(probability: FloatArray, se: FloatArray, z: float) -> LimitArrays:
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
    """Delta-method standard error, with its sums over past times expanded to run in one pass.

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
