"""Incidence rates: of independent events, and of events that cluster within patients."""

import numpy as np

from registry.statistics.arguments import Numbers, equally_long, positive, row, scalar
from registry.statistics.intervals import poisson_interval
from registry.statistics.results import ClusteredRate, FloatArray, Limits, Rate, Reason


def incidence_rate(
    events: float, exposure: float, *, per: float = 1.0, level: float = 0.95
) -> Rate:
    """Rate of events per `per` units of exposure, with its exact interval (Garwood, 1936).

    Without exposure the rate is undefined, whatever the count: `no_exposure`, or
    `events_without_exposure` where the count shows that device time is missing from the data.
    Raises ValueError on negative or missing values and on a level outside 0 to 1.
    """
    x, time = scalar("events", events), scalar("exposure", exposure)
    units = positive("per", per)
    lower, upper = poisson_interval(x, time, level=level)
    return Rate(
        events=x,
        exposure=time,
        rate=_per(x / time if time else None, units),
        lower=_per(lower, units),
        upper=_per(upper, units),
        reason=_missing_exposure(x, time),
    )


def clustered_rate(
    events: Numbers, exposure: Numbers, *, per: float = 1.0, level: float = 0.95
) -> ClusteredRate:
    """Rate of events that cluster within patients, its interval widened by the dispersion found.

    events, exposure: one entry per cluster (patient). The dispersion is the variance of the rate
    by the ratio of cluster totals (Cochran, 1977, chapter 6) over its Poisson variance:
    sum((o - r t)^2) / sum(o) * n / (n - 1), never below 1. The limits are Garwood's for
    events / dispersion, scaled back: quasi-Poisson. No events: dispersion 1. One cluster:
    dispersion None with `one_cluster`, and Garwood's plain limits. Clusters with neither events nor
    exposure do not count; events in a cluster without exposure do, as a split of its time by
    calendar year is approximate and can leave some.
    Raises ValueError on negative or missing values and on arrays of different length.
    """
    x, time = row("events", events), row("exposure", exposure)
    equally_long(events=x, exposure=time)
    present = (x > 0) | (time > 0)
    x, time = x[present], time[present]
    units = positive("per", per)
    total, pooled_time = float(x.sum()), float(time.sum())
    reason = _missing_exposure(total, pooled_time)
    dispersion = None if reason else _dispersion(x, time)
    if reason is None and dispersion is None:
        reason = Reason.ONE_CLUSTER
    factor = dispersion or 1.0
    lower, upper = _scaled(poisson_interval(total / factor, pooled_time, level=level), factor)
    return ClusteredRate(
        events=total,
        exposure=pooled_time,
        rate=_per(total / pooled_time if pooled_time else None, units),
        lower=_per(lower, units),
        upper=_per(upper, units),
        reason=reason,
        dispersion=dispersion,
    )


def _dispersion(x: FloatArray, time: FloatArray) -> float | None:
    clusters = x.size
    if clusters == 1:
        return None
    total = x.sum()
    if total == 0:
        return 1.0
    residuals = x - total / time.sum() * time
    found = np.square(residuals).sum() / total * clusters / (clusters - 1)
    return max(1.0, float(found))


def _missing_exposure(events: float, exposure: float) -> Reason | None:
    if exposure > 0:
        return None
    return Reason.EVENTS_WITHOUT_EXPOSURE if events > 0 else Reason.NO_EXPOSURE


def _scaled(limits: Limits, factor: float) -> Limits:
    lower, upper = limits
    return _per(lower, factor), _per(upper, factor)


def _per(value: float | None, units: float) -> float | None:
    return None if value is None else value * units
