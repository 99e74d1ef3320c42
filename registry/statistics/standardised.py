"""Directly standardised rates: what a row's rates would give in the strata of a standard."""

from dataclasses import dataclass

import numpy as np
from scipy.special import gammainccinv, gammaincinv

from registry.statistics.arguments import Numbers, equally_long, positive, row, tail


@dataclass(frozen=True)
class StandardisedRate:
    """A directly standardised rate with its limits, beside the crude rate, in the same unit."""

    rate: float
    lower: float
    upper: float
    crude: float


def directly_standardised(
    events: Numbers,
    exposure: Numbers,
    standard: Numbers,
    *,
    dispersion: Numbers | None = None,
    per: float = 1.0,
    level: float = 0.95,
) -> StandardisedRate:
    """The rates of strata weighted by a standard's exposure, with gamma limits.

    With weights w that add up to 1 the rate is y = sum(w x / T), its variance v = sum(w^2 phi x /
    T^2), and m the largest w phi / T. The limits are gamma quantiles (Fay and Feuer, Stat Med
    1997): of shape y^2 / v and scale v / y, and of shape (y + m)^2 / (v + m^2) and scale
    (v + m^2) / (y + m). Of one stratum they are Garwood's; no events give a lower limit of 0.
    They hold the truth at least as often as they say.

    events, exposure, standard: one entry a stratum; strata without standard count for nothing.
    dispersion: phi of each stratum's events over Poisson, 1 where left out.
    Raises ValueError where the standard is empty, where a stratum of it has no exposure, on
    negative values and on arrays of different length.
    """
    x, time = row("events", events), row("exposure", exposure)
    weight = row("standard", standard)
    phi = np.ones_like(x) if dispersion is None else row("dispersion", dispersion)
    equally_long(events=x, exposure=time, standard=weight, dispersion=phi)
    held = weight > 0
    if not held.any():
        raise ValueError("standard: give at least one stratum some exposure.")
    if (time[held] <= 0).any():
        raise ValueError("exposure: a stratum of the standard has none.")
    x, time, weight, phi = x[held], time[held], weight[held], phi[held]
    weight = weight / weight.sum()
    units, half = positive("per", per), tail(level)
    each = weight / time
    rate, variance = float(each @ x), float(each**2 @ (phi * x))
    largest = float((each * phi).max())
    lower = 0.0
    if rate > 0:
        lower = float(gammaincinv(rate**2 / variance, half)) * variance / rate
    above, spread = rate + largest, variance + largest**2
    upper = float(gammainccinv(above**2 / spread, half)) * spread / above
    crude = float(x.sum() / time.sum())
    return StandardisedRate(rate * units, lower * units, upper * units, crude * units)
