"""Intervals of perturbed numbers: chance and perturbation together."""

from math import exp, hypot, log, sqrt

from scipy.special import gammainccinv, gammaincinv, ndtri


def perturbed_rate_interval(
    count: float,
    exposure: float = 1.0,
    *,
    count_variance: float,
    exposure_sd: float = 0.0,
    level: float = 0.95,
) -> tuple[float, float]:
    """Interval of a rate from a perturbed count d and a perturbed exposure T, per unit of T.

    The variance of d is its Poisson variance and that of the perturbation, V. So d is worth
    x = d^2 / (d + V) events, whose mean has the same relative error: Garwood's limits (1936) of x
    are scaled by d / x = (d + V) / d, and divided by T:

        lower0 = (d + V) / d * gammaincinv(x, a/2) / T, with a = 1 - level
        upper0 = (d + V) / d * gammaincinv(x + 1, 1 - a/2) / T

    The exposure's noise of standard deviation s (206 months) is added on the log scale, around
    the rate r = d / T, with z the normal quantile of 1 - a/2 (delta method):

        lower = r exp(-sqrt(log(r / lower0)^2 + (z s / T)^2))
        upper = r exp(+sqrt(log(upper0 / r)^2 + (z s / T)^2))

    Without V and s these are Garwood's limits. A sum of shown nodes has the sum of their variances.
    Raises ValueError on a count or an exposure of 0 or less: such values are never shown.
    """
    if count <= 0 or exposure <= 0:
        raise ValueError("count, exposure: only shown numbers, above 0, have an interval.")
    each_tail = _tail(level)
    worth = count**2 / (count + count_variance)
    scale = (count + count_variance) / count
    rate = count / exposure
    noise = float(ndtri(each_tail)) * exposure_sd / exposure
    low = hypot(log(count / (scale * float(gammaincinv(worth, each_tail)))), noise)
    high = hypot(log(scale * float(gammainccinv(worth + 1, each_tail)) / count), noise)
    return rate * exp(-low), rate * exp(high)


def perturbed_proportion_interval(
    numerator: float,
    denominator: float,
    *,
    numerator_variance: float,
    denominator_variance: float,
    level: float = 0.95,
) -> tuple[float, float]:
    """Score interval of a proportion d / D of two perturbed counts, within 0 and 1.

    Wilson's interval (1927) with the variance of the perturbation added to the binomial one: the
    proportions p for which |d - p D| <= z sqrt(D p (1 - p) + V + p^2 W), V and W the variances of
    the perturbations of d and D. They lie between the roots of

        (D^2 + z^2 (D - W)) p^2 - (2 d D + z^2 D) p + d^2 - z^2 V = 0

    and without V and W are Wilson's. A numerator above the denominator counts as equal to it.
    Raises ValueError where the denominator is not above 0 or its noise exceeds it.
    """
    if denominator <= 0 or denominator_variance >= denominator:
        raise ValueError("denominator: only a shown number, above its noise, has an interval.")
    d, total = min(numerator, denominator), denominator
    z2 = float(ndtri(_tail(level))) ** 2
    square = total**2 + z2 * (total - denominator_variance)
    middle = 2 * d * total + z2 * total
    root = sqrt(middle**2 - 4 * square * (d**2 - z2 * numerator_variance))
    return max(0.0, (middle - root) / (2 * square)), min(1.0, (middle + root) / (2 * square))


def _tail(level: float) -> float:
    if not 0 < level < 1:
        raise ValueError("level: give a probability between 0 and 1.")
    return (1 - level) / 2
