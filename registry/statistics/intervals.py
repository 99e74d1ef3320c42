"""Intervals for one Poisson rate and for one proportion, alone or a whole array at a time."""

from typing import overload

import numpy as np
from scipy.special import betaincinv, gammainccinv, gammaincinv, ndtri

from registry.statistics.arguments import Numbers, broadcast, non_negative, tail
from registry.statistics.results import BoolArray, FloatArray, LimitArrays, Limits


@overload
def poisson_interval(events: float, exposure: float = 1.0, *, level: float = 0.95) -> Limits: ...
@overload
def poisson_interval(
    events: Numbers, exposure: float | Numbers = 1.0, *, level: float = 0.95
) -> LimitArrays: ...
@overload
def poisson_interval(events: float, exposure: Numbers, *, level: float = 0.95) -> LimitArrays: ...
def poisson_interval(
    events: float | Numbers, exposure: float | Numbers = 1.0, *, level: float = 0.95
) -> Limits | LimitArrays:
    """Exact two-sided interval for a Poisson rate, in events per unit of exposure (Garwood, 1936).

    events, exposure: scalars or arrays that broadcast. Zero events give a lower limit of exactly 0;
    without exposure both limits are undefined. Events need not be whole: a count divided by its
    dispersion has the same limits by gamma quantiles. Raises ValueError on negative or missing
    values.
    """
    x, time = broadcast(
        events=non_negative("events", events), exposure=non_negative("exposure", exposure)
    )
    each_tail = tail(level)
    with np.errstate(divide="ignore", invalid="ignore"):
        lower = np.where(x > 0, gammaincinv(x, each_tail), 0.0) / time
        upper = gammainccinv(x + 1, each_tail) / time
    return _limits(lower, upper, defined=time > 0)


@overload
def wilson_interval(successes: float, trials: float, *, level: float = 0.95) -> Limits: ...
@overload
def wilson_interval(
    successes: Numbers, trials: float | Numbers, *, level: float = 0.95
) -> LimitArrays: ...
@overload
def wilson_interval(successes: float, trials: Numbers, *, level: float = 0.95) -> LimitArrays: ...
def wilson_interval(
    successes: float | Numbers, trials: float | Numbers, *, level: float = 0.95
) -> Limits | LimitArrays:
    """Score interval for a proportion (Wilson, 1927; method 3 of Newcombe, 1998).

    successes, trials: scalars or arrays that broadcast. Without trials both limits are undefined.
    Raises ValueError on negative or missing values and on more successes than trials.
    """
    x, n = _proportion(successes, trials)
    z = -float(ndtri(tail(level)))
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = (x + z**2 / 2) / (n + z**2)
        half = z / (n + z**2) * np.sqrt(x * (n - x) / n + z**2 / 4)
    # At the ends the limit is known exactly; the difference would leave a rounding error.
    lower = np.where(x == 0, 0.0, centre - half)
    upper = np.where(x == n, 1.0, centre + half)
    return _limits(lower, upper, defined=n > 0)


@overload
def clopper_pearson_interval(successes: float, trials: float, *, level: float = 0.95) -> Limits: ...
@overload
def clopper_pearson_interval(
    successes: Numbers, trials: float | Numbers, *, level: float = 0.95
) -> LimitArrays: ...
@overload
def clopper_pearson_interval(
    successes: float, trials: Numbers, *, level: float = 0.95
) -> LimitArrays: ...
def clopper_pearson_interval(
    successes: float | Numbers, trials: float | Numbers, *, level: float = 0.95
) -> Limits | LimitArrays:
    """Exact interval for a proportion, by beta quantiles (Clopper and Pearson, 1934).

    successes, trials: scalars or arrays that broadcast. No success gives a lower limit of exactly
    0, no failure an upper limit of exactly 1; without trials both are undefined.
    Raises ValueError on negative or missing values and on more successes than trials.
    """
    x, n = _proportion(successes, trials)
    each_tail = tail(level)
    lower = np.where(x == 0, 0.0, betaincinv(x, n - x + 1, each_tail))
    upper = np.where(x == n, 1.0, betaincinv(x + 1, n - x, 1 - each_tail))
    return _limits(lower, upper, defined=n > 0)


def _proportion(successes: float | Numbers, trials: float | Numbers) -> tuple[FloatArray, ...]:
    x, n = broadcast(
        successes=non_negative("successes", successes), trials=non_negative("trials", trials)
    )
    if (x > n).any():
        raise ValueError("successes: there are more successes than trials.")
    return x, n


def _limits(lower: FloatArray, upper: FloatArray, *, defined: BoolArray) -> Limits | LimitArrays:
    """Arrays with NaN where undefined, or, from scalars, two floats or two times None."""
    if np.ndim(defined) == 0:
        return (float(lower), float(upper)) if defined else (None, None)
    return np.where(defined, lower, np.nan), np.where(defined, upper, np.nan)
