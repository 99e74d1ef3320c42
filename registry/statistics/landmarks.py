"""What a survival or incidence curve says in a few numbers: landmarks, medians, restricted mean."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from registry.statistics.arguments import tail
from registry.statistics.results import FloatArray, Limits, SurvivalCurve

ONE_HALF = 0.5
CLOSE = 1e-9


@dataclass(frozen=True)
class Landmark:
    """A curve at one time; limits are None where they are undefined."""

    time: float
    estimate: float
    lower: float | None
    upper: float | None


@dataclass(frozen=True)
class RestrictedMean:
    """The mean time before the event between two times, with limits by the normal distribution."""

    start: float
    until: float
    mean: float
    se: float
    lower: float
    upper: float


def landmarks(
    times: FloatArray,
    estimate: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
    *,
    at: Iterable[float],
    start: float,
) -> list[Landmark]:
    """A curve's value at some times: that of its last step up to each.

    times: of the steps, ascending, the others one entry a step; start: the value before the first
    step, without limits.
    """
    found = []
    for time in at:
        place = int(np.searchsorted(times, time, side="right")) - 1
        if place < 0:
            found.append(Landmark(float(time), start, None, None))
            continue
        limits = (float(lower[place]), float(upper[place]))
        found.append(Landmark(float(time), float(estimate[place]), *map(_defined, limits)))
    return found


def median_limits(
    times: FloatArray, lower: FloatArray, upper: FloatArray, *, falls: bool = True
) -> Limits:
    """Limits of the median: the times at which the curve's own limits come to one half.

    Brookmeyer and Crowley (1982), by the curve's scale of limits, as R's survfit. falls: a curve of
    freedom, and not one of incidence, which rises. None where a limit never comes to one half, so
    that a median that is not reached can have a lower limit.
    """
    if falls:
        return _first(times, lower <= ONE_HALF + CLOSE), _first(times, upper <= ONE_HALF + CLOSE)
    return _first(times, upper >= ONE_HALF - CLOSE), _first(times, lower >= ONE_HALF - CLOSE)


def restricted_mean(
    curve: SurvivalCurve, *, until: float, start: float = 0.0, level: float = 0.95
) -> RestrictedMean:
    """The area under a Kaplan-Meier curve from `start` to `until` (Irwin, 1949).

    The variance is that of R's survfit: the squared area beyond each event time, times Greenwood's
    term d / (n (n - d)). With a start after 0 it is the mean of those free of the event then.
    Raises ValueError where `until` is not after `start`, and on a level outside 0 to 1.
    """
    if until <= start:
        raise ValueError("until: this lies after the start.")
    z = -float(ndtri(tail(level)))
    inside = curve.times < until
    steps = np.concatenate(([start], curve.times[inside], [until]))
    values = np.concatenate(([1.0], curve.survival[inside]))
    areas = values * np.diff(steps)
    mean = float(areas.sum())
    beyond = np.cumsum(areas[::-1])[::-1][1:]
    n, d = curve.at_risk[inside].astype(np.float64), curve.events[inside].astype(np.float64)
    terms = np.zeros_like(n)
    np.divide(d, n * (n - d), out=terms, where=n > d)
    se = float(np.sqrt((beyond**2 * terms).sum()))
    return RestrictedMean(start, until, mean, se, max(0.0, mean - z * se), mean + z * se)


def _first(
    times: FloatArray, reached: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
) -> float | None:
    places = np.flatnonzero(reached)
    return float(times[places[0]]) if places.size else None


def _defined(limit: float) -> float | None:
    return None if np.isnan(limit) else limit
