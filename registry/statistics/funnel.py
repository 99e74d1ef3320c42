"""Funnel plots: how far a site's ratio of observed to expected may lie from 1 by chance."""

from typing import overload

import numpy as np
from scipy.special import gammainccinv, gammaincinv, ndtri

from registry.statistics.arguments import (
    Numbers,
    broadcast,
    equally_long,
    non_negative,
    row,
    tail,
)
from registry.statistics.results import (
    FloatArray,
    LimitArrays,
    Limits,
    Overdispersion,
    Reason,
)

FEWEST_SITES = 10
WINSORISED = 0.1  # share of z scores Winsorised at either end


def chance_of_none(expected: Numbers, *, tau: float = 0.0) -> FloatArray:
    """Probability that a site whose ratio is as the others' has no event at all.

    exp(-expected) of a Poisson count; with ratios that vary by tau^2 among sites (gamma)
    (1 + expected tau^2)^(-1 / tau^2). Raises ValueError on negative or missing values.
    """
    target, spread = row("expected", expected), float(non_negative("tau", tau)) ** 2
    mean = np.log1p(target * spread) / spread if spread else target
    found: FloatArray = np.exp(-mean)
    return found


@overload
def poisson_limits(expected: float, *, level: float, tau: float | None = None) -> Limits: ...
@overload
def poisson_limits(
    expected: Numbers, *, level: float, tau: float | Numbers | None = None
) -> LimitArrays: ...
@overload
def poisson_limits(expected: float, *, level: float, tau: Numbers) -> LimitArrays: ...
def poisson_limits(
    expected: float | Numbers, *, level: float, tau: float | Numbers | None = None
) -> Limits | LimitArrays:
    """Control limits of observed / expected around 1, by gamma quantiles (Spiegelhalter, 2005).

    expected: a scalar or an array, in events; 0 is undefined. Draw levels 0.95 and 0.998.
    tau: standard deviation of the sites' log ratios beyond chance, from `overdispersion` (None or
    0: nothing); it broadcasts with expected. It widens each limit on the log scale by the sum of
    squares (additive random effects), log(limit)^2 + (z tau)^2, which for many expected events is
    z^2 (1 / expected + tau^2), and for tau = 0 the exact limit.
    Raises ValueError on negative or missing values.
    """
    each_tail = tail(level)
    target, spread = broadcast(
        expected=non_negative("expected", expected),
        tau=non_negative("tau", 0.0 if tau is None else tau),
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        low = -np.log(gammaincinv(target, each_tail) / target)
        high = np.log(gammainccinv(target + 1, each_tail) / target)
    widening = ndtri(each_tail) * spread
    lower, upper = np.exp(-np.hypot(low, widening)), np.exp(np.hypot(high, widening))
    if target.ndim == 0:
        return (float(lower), float(upper)) if target > 0 else (None, None)
    return np.where(target > 0, lower, np.nan), np.where(target > 0, upper, np.nan)


def overdispersion(
    observed: Numbers, expected: Numbers, *, added_variance: float | Numbers = 0.0
) -> Overdispersion:
    """How much sites differ beyond chance, by additive random effects (Spiegelhalter, 2005).

    observed, expected: one entry per site; sites with 0 expected are left out. The z score of a
    site is log(observed / expected) * sqrt(expected), with 0 events taken as 0.5 and the outer
    tenths Winsorised. phi is the mean of z^2; tau is 0 where phi stays below (n - 1) / n.
    added_variance: known variance of each log ratio beyond chance, such as from perturbation; a
    number or one per site. It is added to 1 / expected, and tau is what remains.
    Under 10 sites both are undefined: `too_few_sites`.
    Raises ValueError on negative or missing values and on arrays of different length.
    """
    counts, target = row("observed", observed), row("expected", expected)
    equally_long(observed=counts, expected=target)
    noise = np.broadcast_to(row("added_variance", np.atleast_1d(added_variance)), target.shape)
    counts, noise, target = counts[target > 0], noise[target > 0], target[target > 0]
    sites = target.size
    if sites < FEWEST_SITES:
        return Overdispersion(phi=None, tau=None, reason=Reason.TOO_FEW_SITES)
    precision = target / (1 + target * noise)
    scores = np.log(np.where(counts > 0, counts, 0.5) / target) * np.sqrt(precision)
    phi = float(np.square(_winsorised(scores)).mean())
    weight = precision.sum() - np.square(precision).sum() / precision.sum()
    tau_squared = max(0.0, (sites * phi - (sites - 1)) / float(weight))
    return Overdispersion(phi=phi, tau=float(np.sqrt(tau_squared)), reason=None)


def tau_at_most(
    found: Overdispersion,
    expected: Numbers,
    *,
    level: float,
    added_variance: float | Numbers = 0.0,
) -> float | None:
    """Upper limit of tau, the standard deviation of sites' log ratios beyond chance.

    found: of the sites that `overdispersion` found it from; expected, added_variance: what it was
    found from. The variance of n log ratios is tau^2 + v, with v the harmonic mean of
    1 / expected + added_variance, and its estimate has the standard error sqrt(2 / n) of itself
    (normal theory), so that with the level's normal quantile z

        tau^2 at most = tau^2 + z sqrt(2 / n) (tau^2 + v)

    None where tau is.
    """
    if found.tau is None:
        return None
    target = row("expected", expected)
    noise = np.broadcast_to(row("added_variance", np.atleast_1d(added_variance)), target.shape)
    target, noise = target[target > 0], noise[target > 0]
    chance = 1 / float(np.mean(target / (1 + target * noise)))
    error = np.sqrt(2 / target.size) * (found.tau**2 + chance)
    return float(np.sqrt(found.tau**2 - ndtri(tail(level)) * error))


def limits_beyond_noise(
    expected: Numbers,
    *,
    level: float,
    tau: float,
    count_variance: Numbers,
    ratio_sd: Numbers,
    noise_sds: float,
) -> LimitArrays:
    """Limits of perturbed observed / expected: a ratio beyond them most likely is so exactly, too.

    Those of `poisson_limits`, each moved out by noise_sds standard deviations of the noise in a
    ratio that lies at it, on the log scale: hypot(sqrt(count_variance) / (limit * expected),
    ratio_sd). count_variance: of the perturbation of the observed count; ratio_sd: of the log of
    the expected number. Raises ValueError on negative or missing values.
    """
    target = row("expected", expected)
    variance, spread = row("count_variance", count_variance), row("ratio_sd", ratio_sd)
    equally_long(expected=target, count_variance=variance, ratio_sd=spread)
    lower, upper = poisson_limits(target, level=level, tau=tau)
    with np.errstate(divide="ignore", invalid="ignore"):
        below, above = (
            noise_sds * np.hypot(np.sqrt(variance) / (limit * target), spread)
            for limit in (lower, upper)
        )
    return lower * np.exp(-below), upper * np.exp(above)


def _winsorised(scores: FloatArray) -> FloatArray:
    lowest, highest = np.quantile(scores, (WINSORISED, 1 - WINSORISED))
    return np.clip(scores, lowest, highest)
