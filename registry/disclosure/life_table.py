"""Curves from shown numbers only: interval life tables of freedom and of incidence."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import exp, log, sqrt

import numpy as np
from scipy.special import ndtri

from registry.disclosure.policy import Policy
from registry.disclosure.shown import Keyed, Protection
from registry.disclosure.table import FloatArray, IntArray

BOUNDARIES = (0, 1, 3, 6, 12, 24, 36, 60, 84)
"""Months at which a protected curve has points."""


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class CurveTruth:
    """The true numbers behind a curve of one node; never rendered, never logged.

    Each array holds, for each hand, how many records there are and the sums of the halves of their
    keys; its last two axes are hands and these three numbers. at_risk: at each boundary, the
    devices that had entered by then, were followed beyond it, and had had no event up to it; at 0
    all that were followed from the start. events: for each interval the devices whose first event
    came after its first boundary and not after its last; the first interval includes month 0. ends:
    the same of the devices that ended otherwise, by what ended them. fixes_site: whether the node
    fixes a site, where there is one hand and none is set aside.
    """

    at_risk: IntArray
    events: IntArray
    ends: Mapping[str, IntArray] = field(default_factory=dict)
    fixes_site: bool = False

    def __post_init__(self) -> None:
        each_interval = [self.events, *self.ends.values()]
        if len(self.at_risk) != len(BOUNDARIES) or any(
            len(each) != len(BOUNDARIES) - 1 for each in each_interval
        ):
            raise ValueError("at_risk, events: give one entry per boundary, and per interval.")

    def __repr__(self) -> str:
        """Name the kind, never a number."""
        return "<CurveTruth>"

    def keyed(self, hands: IntArray) -> Keyed:
        """Records by hand, as protection takes them."""
        sums = [(n, high, low) for n, high, low in hands.tolist()]
        return Keyed(*sums[0]) if self.fixes_site else Keyed.by_hand(sums)


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """The curve at one boundary; hidden values are None.

    at_risk: perturbed and rounded, at this boundary. events: perturbed, since the last boundary
    that has an estimate.
    """

    time_months: int
    at_risk: int | None
    events: int | None
    estimate: float | None
    ci_lower: float | None
    ci_upper: float | None


@dataclass(frozen=True, slots=True)
class _Interval:
    """Shown numbers between two boundaries.

    ends: how many devices ended otherwise; 0 where such ends do not compete.
    """

    begun: int
    left: int
    events: int
    ends: int = 0

    @property
    def exposed(self) -> float:
        """Devices at risk, those that were lost in between counting for half."""
        return (self.begun + self.left + self.events + self.ends) / 2


def life_table(
    truth: CurveTruth, protection: Protection, *, level: float = 0.95
) -> tuple[CurvePoint, ...]:
    """Freedom from the event at 0, 1, 3, 6, 12, 24, 36, 60 and 84 months, from shown numbers.

    An interval whose perturbed events are hidden is joined with the next until they can be shown;
    the boundaries in between have neither estimate nor number at risk. The number at risk would
    reveal who had an event: curves of other events cover the same devices, and without exits for an
    event their numbers are equal to the last device. Within an interval from n to m devices at risk
    with d events, those that left count as leaving half-way (actuarial method; Berkson and Gage,
    1950), so that q = d / ((n + m + d) / 2), at most 1, and survival is multiplied by 1 - q: it
    cannot rise. Numbers at risk are rounded by the policy before any use: curves of different
    events have nearly the same devices at risk, each perturbed independently, so that the mean over
    many curves would reveal the size of a small group as the difference of larger ones. Devices
    that entered late count from the next boundary on. The limits are on the log(-log) scale with
    Greenwood's variance (1926), to which those of perturbation and rounding are added. The curve
    ends where the perturbed number at risk is hidden, under the denominator minimum. Empty where
    the perturbed number at the start is under the curve minimum, and where no events can be shown.
    """
    policy = protection.policy
    z = -float(ndtri((1 - level) / 2))
    survival, log_variance = 1.0, 0.0

    def after(each: _Interval) -> tuple[float, float | None, float | None]:
        nonlocal survival, log_variance
        failed, variance = _failed(each, policy)
        survival *= 1 - failed
        log_variance += variance / (1 - failed) ** 2 if failed < 1 else 0.0
        return survival, *_limits(survival, survival * sqrt(log_variance), z)

    return _points(truth, protection, after, start=1.0)


def _failed(each: _Interval, policy: Policy) -> tuple[float, float]:
    """The share that had the event in an interval, and its variance with that of the noise."""
    failed = min(1.0, each.events / each.exposed)
    variance = (
        each.events * (1 - failed)
        + policy.variance(each.events) * (1 - failed / 2) ** 2
        + _variance_at_risk(each, policy) * (failed / 2) ** 2
    ) / each.exposed**2
    return failed, variance


@dataclass(frozen=True, slots=True)
class ShownMean:
    """The mean months free of the event from month 0 to `until`, with limits."""

    until: int
    mean: float
    lower: float
    upper: float


def mean_of_shown(
    points: Sequence[CurvePoint], policy: Policy, *, until: int, level: float = 0.95
) -> ShownMean:
    """The area under a protected curve of freedom, from its shown points alone.

    points: those with an estimate, the first at month 0; until: one of their months. The mean takes
    the curve as straight between two points. Where it really lies there is not shown: the lower
    limit takes it at the later point all along, the upper at the earlier, and either adds what
    chance, perturbation and rounding leave open (delta method), so that limits hold whenever in
    its intervals events happen.
    """
    z = -float(ndtri((1 - level) / 2))
    told = [point for point in points if point.time_months <= until]
    widths = [float(end.time_months - start.time_months) for start, end in pairwise(told)]
    intervals = [
        _Interval(start.at_risk or 0, end.at_risk or 0, end.events or 0)
        for start, end in pairwise(told)
    ]
    failed, variances = zip(*(_failed(each, policy) for each in intervals), strict=True)

    def area(earlier: float, changed: int = -1, share: float = 0.0) -> float:
        """The area, with so much weight on an interval's start; of one interval another share."""
        free, sum_of = 1.0, 0.0
        for place, (width, own) in enumerate(zip(widths, failed, strict=True)):
            left = free * (1 - (share if place == changed else own))
            sum_of += width * (earlier * free + (1 - earlier) * left)
            free = left
        return sum_of

    def error(earlier: float) -> float:
        """Its standard error: the area is linear in the share of each interval."""
        slopes = [area(earlier, at, 1.0) - area(earlier, at, 0.0) for at in range(len(widths))]
        return sqrt(sum(slope**2 * own for slope, own in zip(slopes, variances, strict=True)))

    lower = max(0.0, area(0.0) - z * error(0.0))
    upper = min(float(until), area(1.0) + z * error(1.0))
    return ShownMean(until, area(0.5), lower, upper)


def incidence_table(
    truth: CurveTruth, protection: Protection, *, level: float = 0.95
) -> tuple[CurvePoint, ...]:
    """Probability of the event by the same months, where other ends compete; from shown numbers.

    As `life_table`, with intervals joined until the events and the other ends, all kinds together,
    can both be shown. Of the exposed (n + m + d + c) / 2 the event takes q = d / exposed and the
    other ends r = c / exposed (multiple-decrement life table; Chiang, 1968). The probability grows
    by what is free of either at the start of the interval times q. Its variance is by the delta
    method from the multinomial variance of q and r in each interval, with those of perturbation and
    rounding added; limits on the log(-log) scale (Choudhury, 2002).
    """
    policy = protection.policy
    z = -float(ndtri((1 - level) / 2))
    free, incidence = 1.0, 0.0
    steps: list[tuple[float, float, float, FloatArray]] = []

    def after(each: _Interval) -> tuple[float, float | None, float | None]:
        nonlocal free, incidence
        failed = min(1.0, each.events / each.exposed)
        ended = min(1.0 - failed, each.ends / each.exposed)
        incidence += free * failed
        left = 1 - failed - ended
        steps.append((free, left, incidence, _covariance(each, failed, ended, policy)))
        free *= left
        variance = 0.0
        for was_free, kept, then, covariance in steps:
            later = (incidence - then) / kept if kept > 0 else 0.0
            slope = np.array([was_free - later, -later])
            variance += float(slope @ covariance @ slope)
        lower, upper = _limits(1 - incidence, sqrt(variance), z)
        return (
            incidence,
            None if upper is None else 1 - upper,
            None if lower is None else 1 - lower,
        )

    return _points(truth, protection, after, start=0.0, competing=True)


def _covariance(each: _Interval, failed: float, ended: float, policy: Policy) -> FloatArray:
    """Of the two shares of an interval: of chance, of both counts' noise, and of the exposed's."""
    exposed = each.exposed
    both = -failed * ended / exposed
    chance = np.array(
        [[failed * (1 - failed) / exposed, both], [both, ended * (1 - ended) / exposed]]
    )
    # q = d / x and r = c / x, with x moved by half of each of n, m, d and c
    of_events = np.array([1 - failed / 2, -ended / 2]) / exposed
    of_ends = np.array([-failed / 2, 1 - ended / 2]) / exposed
    of_risk = np.array([failed / 2, ended / 2]) / exposed
    noise = (
        policy.variance(each.events) * np.outer(of_events, of_events)
        + policy.variance(each.ends) * np.outer(of_ends, of_ends)
        + _variance_at_risk(each, policy) * np.outer(of_risk, of_risk)
    )
    found: FloatArray = chance + noise
    return found


def _variance_at_risk(each: _Interval, policy: Policy) -> float:
    return policy.variance_at_risk(each.begun) + policy.variance_at_risk(each.left)


def _points(
    truth: CurveTruth,
    protection: Protection,
    after: Callable[[_Interval], tuple[float, float | None, float | None]],
    *,
    start: float,
    competing: bool = False,
) -> tuple[CurvePoint, ...]:
    """A point at each boundary from the intervals that can be shown, joined until they can.

    after: the estimate and its limits after one more interval. start: the estimate at month 0.
    """
    at_start = truth.keyed(truth.at_risk[0])
    if protection.count(at_start, minimum=protection.policy.curve_minimum) is None:
        return ()
    at_risk = _at_risk([truth.keyed(each) for each in truth.at_risk], protection)
    points = [CurvePoint(BOUNDARIES[0], at_risk[0], 0, start, start, start)]
    began = 0
    for end in range(1, len(BOUNDARIES)):
        begun, left = at_risk[began], at_risk[end]
        if begun is None or left is None:
            break
        events = protection.count(truth.keyed(truth.events[began:end].sum(axis=0)))
        ends: int | None = 0
        if competing and truth.ends:
            others = sum(each[began:end].sum(axis=0) for each in truth.ends.values())
            ends = protection.count(truth.keyed(np.asarray(others)))
        if events is None or ends is None:
            points.append(CurvePoint(BOUNDARIES[end], None, None, None, None, None))
            continue
        estimate, lower, upper = after(_Interval(begun, left, events, ends))
        points.append(CurvePoint(BOUNDARIES[end], left, events, estimate, lower, upper))
        began = end
    if began == 0:
        return ()
    last = len(points)
    rest = (CurvePoint(month, None, None, None, None, None) for month in BOUNDARIES[last:])
    return (*points, *rest)


def _at_risk(devices: Sequence[Keyed], protection: Protection) -> list[int | None]:
    policy = protection.policy
    perturbed = protection.counts(devices, minimum=policy.denominator_minimum)
    return [None if n is None else _rounded(n, policy.rounding_at_risk(n)) for n in perturbed]


def _rounded(n: int, multiple: int) -> int:
    return (2 * n + multiple) // (2 * multiple) * multiple


def _limits(survival: float, error: float, z: float) -> tuple[float | None, float | None]:
    """Limits of a survival with a standard error, on the log(-log) scale."""
    if not 0 < survival < 1:
        return None, None
    width = z * error / (-survival * log(survival))
    return survival ** exp(width), survival ** exp(-width)
