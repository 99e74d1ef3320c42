"""What the statistics return: frozen dataclasses; an undefined number is None, with a reason.

Inside arrays an undefined number is NaN. It is never replaced by 0 or infinity.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]
BoolArray: TypeAlias = NDArray[np.bool_]
Limits: TypeAlias = tuple[float | None, float | None]
LimitArrays: TypeAlias = tuple[FloatArray, FloatArray]


class Reason(StrEnum):
    """Why a number is undefined, as a code that a reply can carry."""

    NO_EXPOSURE = "no_exposure"
    EVENTS_WITHOUT_EXPOSURE = "events_without_exposure"  # an error in the data
    ONE_CLUSTER = "one_cluster"
    NO_OBSERVATIONS = "no_observations"
    MEDIAN_NOT_REACHED = "median_not_reached"
    ONE_GROUP = "one_group"
    NONE_COMPARED = "none_compared"
    NOTHING_TO_COMPARE = "nothing_to_compare"
    LATE_ENTRIES = "late_entries"
    TOO_FEW_SITES = "too_few_sites"
    NO_REPORTS = "no_reports"
    EMPTY_CELL = "empty_cell"
    NO_GROUP_EXPOSURE = "no_group_exposure"
    NO_GROUP_EVENTS = "no_group_events"
    TOO_FEW_PERIODS = "too_few_periods"
    TOO_FEW_EVENTS = "too_few_events"
    EVENTS_AT_ONE_END = "events_at_one_end"
    NO_INFORMATION = "no_information"
    NOT_CONVERGED = "not_converged"
    NO_EVENTS_HERE = "no_events_here"
    NO_TIME_HERE = "no_time_here"
    NO_EVENTS_IN_REFERENCE = "no_events_in_reference"
    NO_COMMON_STRATUM = "no_common_stratum"
    ONE_AGE = "one_age"


class Criterion(StrEnum):
    """A condition of the outlier rule that a component meets."""

    RATE_OVER_TWICE_THE_GROUP = "rate_over_twice_the_group"
    UNLIKELY_BY_CHANCE = "unlikely_by_chance"
    TEN_DEVICES = "ten_devices"
    THREE_QUARTERS_REVISED = "three_quarters_revised"


@dataclass(frozen=True)
class Rate:
    """An incidence rate and its limits, all three in events per `per` units of exposure."""

    events: float
    exposure: float
    rate: float | None
    lower: float | None
    upper: float | None
    reason: Reason | None


@dataclass(frozen=True)
class ClusteredRate(Rate):
    """A rate whose events cluster within patients; a dispersion of 1 is Poisson variance alone."""

    dispersion: float | None


@dataclass(frozen=True, eq=False)
class SurvivalCurve:
    """A Kaplan-Meier curve: one entry per distinct event time, in the unit of the durations.

    survival, se, lower and upper hold the value from that time on; before the first time the
    curve is 1. `median` is None, with `reason`, where the curve stays above one half.
    """

    times: FloatArray
    at_risk: IntArray
    events: IntArray
    survival: FloatArray
    se: FloatArray
    lower: FloatArray
    upper: FloatArray
    median: float | None
    reason: Reason | None


@dataclass(frozen=True, eq=False)
class IncidenceCurves:
    """Aalen-Johansen curves: one entry per time at which an event of any cause happened.

    events, incidence, se, lower and upper are keyed by cause, in ascending order; `survival` is
    the probability of none of them, so that the incidences and it add up to 1.
    """

    times: FloatArray
    at_risk: IntArray
    survival: FloatArray
    events: Mapping[int, IntArray]
    incidence: Mapping[int, FloatArray]
    se: Mapping[int, FloatArray]
    lower: Mapping[int, FloatArray]
    upper: Mapping[int, FloatArray]


@dataclass(frozen=True, eq=False)
class LogRank:
    """A log-rank test; `observed` and `expected` hold one count per label in `groups`."""

    chi2: float | None
    df: int
    p: float | None
    groups: tuple[Any, ...]
    observed: FloatArray
    expected: FloatArray
    reason: Reason | None


@dataclass(frozen=True)
class GrayTest:
    """A test that groups share one cumulative incidence."""

    chi2: float | None
    df: int
    p: float | None
    reason: Reason | None


@dataclass(frozen=True)
class Overdispersion:
    """How much sites differ beyond chance: `phi` as a variance ratio, `tau` as an SD of logs."""

    phi: float | None
    tau: float | None
    reason: Reason | None


@dataclass(frozen=True)
class Disproportionality:
    """How much more often one event is reported with one product than with the others.

    prr_noise: the standard deviation that known errors of the counts add to the log of the PRR.
    """

    prr: float | None
    prr_lower: float | None
    prr_upper: float | None
    ror: float | None
    ror_lower: float | None
    ror_upper: float | None
    ic: float | None
    ic_lower: float | None
    ic_upper: float | None
    chi2_yates: float | None
    expected: float | None
    reason: Reason | None
    prr_noise: float = 0.0


@dataclass(frozen=True)
class OutlierSignal:
    """The verdict of the outlier rule on one component, with every condition that it meets.

    `flagged` is None where there is no rate to compare; `group_rate` is per unit of exposure.
    """

    flagged: bool | None
    reasons: tuple[Criterion, ...]
    rate_ratio: float | None
    p: float | None
    group_rate: float | None
    reason: Reason | None


@dataclass(frozen=True)
class RateTrend:
    """The factor by which a rate changes from one unit of `periods` to the next."""

    rate_ratio: float | None
    lower: float | None
    upper: float | None
    p: float | None
    dispersion: float | None
    reason: Reason | None


@dataclass(frozen=True, eq=False)
class AdjustedTrend:
    """A trend with strata held alike; fitted: the rate of each of `periods`, None without one."""

    trend: RateTrend
    periods: FloatArray
    fitted: FloatArray | None


@dataclass(frozen=True, eq=False)
class Cusum:
    """A Poisson CUSUM: statistic and reference value in events, one entry per period."""

    statistic: FloatArray
    alarms: BoolArray
    reference: FloatArray
