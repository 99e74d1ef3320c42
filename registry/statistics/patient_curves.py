"""Curves whose limits allow for patients with several devices: the infinitesimal jackknife."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from registry.statistics.arguments import equally_long, tail, whole_row
from registry.statistics.life_counts import LifeCounts
from registry.statistics.results import FloatArray
from registry.statistics.survival import THE_EVENT, ConfidenceScale, log_log, survival_limits

FEWEST_PATIENTS = 10
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class LinesOfPatients:
    """Sums over patients of products of how many of their devices' lines of two kinds they have.

    A device has two lines: its entry, and its end. ended: of each kind of line, the cause of the
    end, 0 censored and 1 the event, or -1 for an entry. month: its month, after implantation; an
    entry of 0 is from the start. products: kinds by kinds, symmetric. patients: how many.
    Raises ValueError on arrays of different length, and on numbers that are not whole.
    """

    ended: Ints
    month: Ints
    products: NDArray[np.float64]
    patients: int

    def __post_init__(self) -> None:
        equally_long(ended=self.ended, month=whole_row("month", self.month))
        if self.products.shape != (self.ended.size, self.ended.size):
            raise ValueError("products: these have a row and a column for each kind of line.")


ENTRY = -1


@dataclass(frozen=True, eq=False)
class PatientsCurve:
    """Standard errors and limits by month of the span, and the variance of a restricted mean."""

    se: FloatArray
    lower: FloatArray
    upper: FloatArray
    z: float
    influences: FloatArray
    products: NDArray[np.float64]
    factor: float

    def mean_half_width(self, months: int) -> float:
        """How far the limits lie from the mean of so many months of the curve, from its start."""
        own = self.influences[:, :months].sum(axis=1)
        return self.z * float(np.sqrt(max(self.factor * float(own @ self.products @ own), 0.0)))


def robust_to_patients(
    counts: LifeCounts,
    lines: LinesOfPatients,
    span: tuple[int, int],
    *,
    incidence: bool,
    level: float = 0.95,
    ci: ConfidenceScale = "log-log",
) -> PatientsCurve | None:
    """Limits of Kaplan-Meier, or of Aalen-Johansen, robust to patients; None under ten of them.

    The variance is the sum over patients of the square of what their devices together add to the
    curve's error, the derivative of the curve by a weight of the patient (infinitesimal jackknife;
    equal to R's `survfit` with `cluster`), times n / (n - 1) of n patients. Limits are on the scale
    `ci` (of incidence: log(-log)) by the normal distribution. counts: of the same devices; span:
    the first and the last month of the curve, whose steps are the months between.
    Raises ValueError on a level outside 0 to 1.
    """
    z = -float(ndtri(tail(level)))
    if lines.patients < FEWEST_PATIENTS:
        return None
    curve, spent, worth = _weights(counts, span, incidence=incidence)
    at = np.clip(lines.month - span[0] + 1, 0, len(curve))
    held = spent[at]
    held[(lines.ended == ENTRY) & (lines.month == 0)] = 0.0
    told = np.where((lines.ended == ENTRY)[:, None], held, -held)
    inside = (lines.month >= span[0]) & (lines.month <= span[1])
    for cause, of_month in worth.items():
        own = inside & (lines.ended == cause if cause == THE_EVENT else lines.ended > THE_EVENT)
        told[own] += of_month[at[own] - 1]
    factor = lines.patients / (lines.patients - 1)
    steps, step = _steps(curve)
    moved = told[:, steps]
    variance = factor * (moved * (lines.products @ moved)).sum(axis=0)[step]
    se = np.sqrt(np.maximum(variance, 0.0))
    if incidence:
        lower, upper = log_log(curve, se, z)
    else:
        with np.errstate(divide="ignore", invalid="ignore"):
            log_se = np.where(curve > 0, se / curve, np.nan)
        lower, upper = survival_limits(curve, log_se, z, ci)
    return PatientsCurve(se, lower, upper, z, told, lines.products, factor)


OTHERS = 2
Weights = tuple[FloatArray, FloatArray, dict[int, FloatArray]]


def _weights(counts: LifeCounts, span: tuple[int, int], *, incidence: bool) -> Weights:
    """The curve by month; and how a device moves it, months r by months t of the curve.

    spent: what a device loses by being at risk up to month r, a row more than there are months.
    worth: what an event, or another end that competes, adds in month r.
    """
    months = np.arange(span[0], span[1] + 1)
    n = counts.at_risk(months).astype(np.float64)
    own = _by_month(counts, span, {THE_EVENT})
    every = own + (_by_month(counts, span, set(counts.ended) - {0, THE_EVENT}) if incidence else 0)
    at_least = np.maximum(n, 1.0)
    left = np.where(n > every, 1 / np.maximum(n - every, 1.0), 0.0)
    free: FloatArray = np.cumprod(1 - every / at_least, dtype=np.float64)
    past = months[:, None] <= months[None, :]
    if not incidence:
        worth = np.where(past, left[:, None], 0.0) * -free
        spent = worth * (own / at_least)[:, None]
        return free, _cumulated(spent), {THE_EVENT: worth}
    before = np.concatenate([[1.0], free[:-1]])
    curve: FloatArray = np.cumsum(before * own / at_least, dtype=np.float64)
    later = np.where(past, (curve[None, :] - curve[:, None]) * left[:, None], 0.0)
    now = np.where(past, (before / at_least)[:, None], 0.0)
    spent = now * (own / at_least)[:, None] - later * (every / at_least)[:, None]
    return curve, _cumulated(spent), {THE_EVENT: now - later, OTHERS: -later}


def _steps(curve: FloatArray) -> tuple[Ints, Ints]:
    """The months in which a curve moves, and the first; and of each month, the last of these.

    What moves a curve, and so its variance, stays until it moves again.
    """
    moves = np.concatenate([[True], curve[1:] != curve[:-1]])
    return np.flatnonzero(moves), np.cumsum(moves) - 1


def _cumulated(spent: FloatArray) -> FloatArray:
    """Up to each month, before the first too."""
    return np.concatenate([np.zeros((1, spent.shape[1])), np.cumsum(spent, axis=0)])


def _by_month(counts: LifeCounts, span: tuple[int, int], causes: set[int]) -> FloatArray:
    """How many ended of these causes in each month of the span."""
    found = np.zeros(span[1] - span[0] + 1)
    inside = (counts.times >= span[0]) & (counts.times <= span[1])
    places = (counts.times[inside] - span[0]).astype(np.int64)
    for cause in causes:
        found[places] += counts.ended_of(cause)[inside]
    return found
