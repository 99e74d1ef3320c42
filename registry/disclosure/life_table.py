"""Survival from shown numbers only: an interval life table that cannot go up."""

from dataclasses import dataclass
from math import exp, log, sqrt

from scipy.special import ndtri

from registry.disclosure.shown import NOBODY, Keyed, Protection

BOUNDARIES = (0, 1, 3, 6, 12, 24, 36, 60, 84)
"""Months at which a protected curve has points."""


@dataclass(frozen=True, slots=True, repr=False)
class CurveTruth:
    """The true numbers behind a curve of one node; never rendered, never logged.

    at_risk: at each boundary, the devices that had entered by then, were followed beyond it, and
    had had no event up to it; at 0 all that were followed from the start. events: for each interval
    the devices whose first event came after its first boundary and not after its last; the first
    interval includes month 0.
    """

    at_risk: tuple[Keyed, ...]
    events: tuple[Keyed, ...]

    def __post_init__(self) -> None:
        if len(self.at_risk) != len(BOUNDARIES) or len(self.events) != len(BOUNDARIES) - 1:
            raise ValueError("at_risk, events: give one entry per boundary, and per interval.")

    def __repr__(self) -> str:
        """Name the kind, never a number."""
        return "<CurveTruth>"


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
    if protection.count(truth.at_risk[0], minimum=policy.curve_minimum) is None:
        return ()
    at_risk = [_at_risk(each, protection) for each in truth.at_risk]
    z = -float(ndtri((1 - level) / 2))
    points = [CurvePoint(BOUNDARIES[0], at_risk[0], 0, 1.0, 1.0, 1.0)]
    survival, log_variance, start = 1.0, 0.0, 0
    for end in range(1, len(BOUNDARIES)):
        begun, left = at_risk[start], at_risk[end]
        events = protection.count(sum(truth.events[start:end], NOBODY))
        if begun is None or left is None:
            break
        if events is None:
            points.append(CurvePoint(BOUNDARIES[end], None, None, None, None, None))
            continue
        exposed = (begun + left + events) / 2
        failed = min(1.0, events / exposed)
        variance = (
            events * (1 - failed)
            + policy.variance(events) * (1 - failed / 2) ** 2
            + (policy.variance_at_risk(begun) + policy.variance_at_risk(left)) * (failed / 2) ** 2
        ) / exposed**2
        survival *= 1 - failed
        log_variance += variance / (1 - failed) ** 2 if failed < 1 else 0.0
        lower, upper = _limits(survival, log_variance, z)
        points.append(CurvePoint(BOUNDARIES[end], left, events, survival, lower, upper))
        start = end
    if start == 0:
        return ()
    last = len(points)
    rest = (CurvePoint(month, None, None, None, None, None) for month in BOUNDARIES[last:])
    return (*points, *rest)


def _at_risk(devices: Keyed, protection: Protection) -> int | None:
    n = protection.count(devices, minimum=protection.policy.denominator_minimum)
    if n is None:
        return None
    multiple = protection.policy.rounding_at_risk(n)
    return (2 * n + multiple) // (2 * multiple) * multiple


def _limits(survival: float, log_variance: float, z: float) -> tuple[float | None, float | None]:
    if not 0 < survival < 1:
        return None, None
    width = z * sqrt(log_variance) / -log(survival)
    return survival ** exp(width), survival ** exp(-width)
