"""Curves whose limits allow for clusters: the jackknife that leaves out one cluster at a time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from registry.statistics.arguments import tail
from registry.statistics.results import FloatArray
from registry.statistics.survival import ConfidenceScale, log_log, survival_limits

FEWEST_CLUSTERS = 10
Table = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ClusterMonths:
    """What clusters have in each month of a curve: s clusters by m months.

    at_risk: before the month's events. events: of interest. others: that compete, where any do.
    """

    at_risk: Table
    events: Table
    others: Table

    @property
    def clusters(self) -> int:
        """How many have anybody at risk."""
        return int((self.at_risk > 0).any(axis=1).sum())


@dataclass(frozen=True, eq=False)
class JackknifedCurve:
    """Standard errors and limits by month, m each.

    degrees: of Student's t, one less than the clusters. curves: without each cluster, n by m.
    """

    se: FloatArray
    lower: FloatArray
    upper: FloatArray
    degrees: int
    curves: FloatArray

    def mean_half_width(self, months: int, *, level: float) -> float:
        """How far the limits lie from the mean of so many months of the curve, from its start."""
        means = self.curves[:, :months].sum(axis=1)
        n = self.degrees + 1
        se = np.sqrt((n - 1) / n * ((means - means.mean()) ** 2).sum())
        return -float(stdtrit(self.degrees, tail(level)) * se)


def jackknifed(
    months: ClusterMonths, *, incidence: bool, level: float = 0.95, ci: ConfidenceScale = "log-log"
) -> JackknifedCurve | None:
    """Limits of Kaplan-Meier, or of Aalen-Johansen, robust to clusters; None under ten of them.

    The variance is (n - 1) / n times the sum of squares of the curves without each of the n
    clusters about their mean (Lipsitz and Parzen, Biometrics 1996, for Kaplan-Meier; to first order
    the sandwich of R's `survfit` with `cluster`). Limits are on the scale `ci` (of incidence:
    log(-log)), with Student's t of n - 1 degrees of freedom, since clusters are few.
    Raises ValueError on a level outside 0 to 1.
    """
    each_tail, n = tail(level), months.clusters
    if n < FEWEST_CLUSTERS:
        return None
    own = (months.at_risk > 0).any(axis=1)
    every = tuple(table[own] for table in (months.at_risk, months.events, months.others))
    total = [table.sum(axis=0, keepdims=True) for table in every]
    without = [whole - table for whole, table in zip(total, every, strict=True)]
    (curve,) = _curves(total[0], total[1], total[2], incidence=incidence)
    curves = _curves(without[0], without[1], without[2], incidence=incidence)
    se = np.sqrt((n - 1) / n * ((curves - curves.mean(axis=0)) ** 2).sum(axis=0))
    t = -float(stdtrit(n - 1, each_tail))
    if incidence:
        lower, upper = log_log(curve, se, t)
    else:
        with np.errstate(divide="ignore", invalid="ignore"):
            log_se = np.where(curve > 0, se / curve, np.nan)
        lower, upper = survival_limits(curve, log_se, t, ci)
    return JackknifedCurve(se, lower, upper, n - 1, curves)


def _curves(at_risk: Table, events: Table, others: Table, *, incidence: bool) -> FloatArray:
    """A curve in each row; a month without anybody at risk changes nothing."""
    n = np.maximum(at_risk, 1)
    if not incidence:
        freedom: FloatArray = np.cumprod(1 - events / n, axis=1, dtype=np.float64)
        return freedom
    free = np.cumprod(1 - (events + others) / n, axis=1)
    before = np.concatenate([np.ones((len(free), 1)), free[:, :-1]], axis=1)
    found: FloatArray = np.cumsum(before * events / n, axis=1)
    return found
