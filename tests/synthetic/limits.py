"""How often 95 % limits hold a known truth, for estimates that need no registry to be drawn."""

from collections.abc import Callable

import numpy as np

from registry.statistics.burden import mean_cumulative
from registry.statistics.intervals import wilson_interval
from registry.statistics.landmarks import median_limits, restricted_mean
from registry.statistics.survival import kaplan_meier
from registry.statistics.trend import rate_trend
from tests.statistics.test_burden import sums_of

Dice = np.random.Generator
Held = Callable[[Dice], bool]
HAZARD = 0.03


def _lives(dice: Dice, devices: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """Whole months to the event or to leaving, and whether it was the event."""
    event = np.ceil(dice.exponential(1 / HAZARD, devices))
    left = np.ceil(dice.uniform(12, 120, devices))
    return np.minimum(event, left), event <= left


def median(dice: Dice) -> bool:
    """The median of times rounded up to months is the first month with half gone."""
    curve = kaplan_meier(*_lives(dice))
    lower, upper = median_limits(curve.times, curve.lower, curve.upper)
    true = np.ceil(np.log(2) / HAZARD)
    return lower is not None and lower <= true and (upper is None or true <= upper)


def mean_to_60(dice: Dice) -> bool:
    """The restricted mean of the same times: freedom from month to month, added up."""
    found = restricted_mean(kaplan_meier(*_lives(dice)), until=60)
    true = float(np.exp(-HAZARD * np.arange(60)).sum())
    return found.lower <= true <= found.upper


def trend_of(spread: float) -> Held:
    """A rate that rises by 3 % a year; spread: the variance of years' own rates over the mean."""

    def held(dice: Dice) -> bool:
        years = np.arange(2012, 2022)
        exposure = np.linspace(800, 3000, years.size)
        rate = 0.02 * 1.03 ** (years - 2012)
        own = dice.gamma(1 / spread, spread, years.size) if spread else np.ones(years.size)
        found = rate_trend(dice.poisson(exposure * rate * own), exposure, years)
        assert found.lower is not None
        assert found.upper is not None
        return bool(found.lower <= 1.03 <= found.upper)

    return held


def proportion_of(share: float, patients: int) -> Held:
    """Wilson's limits of one proportion."""

    def held(dice: Dice) -> bool:
        lower, upper = wilson_interval(int(dice.binomial(patients, share)), patients)
        return bool(lower <= share <= upper)

    return held


def burden(dice: Dice) -> bool:
    """The mean number of events by 36 months, of devices whose hazards are an exponential's."""
    devices = []
    for _ in range(200):
        end, own = int(dice.integers(20, 61)), float(dice.gamma(1.0, 1.0))
        months = np.repeat(np.arange(1, end + 1), dice.poisson(0.02 * own, end))
        devices.append((0, end, months.tolist()))
    found = mean_cumulative(sums_of(devices), last=36)
    at = int(np.searchsorted(found.times, 36, side="right")) - 1
    return bool(found.lower[at] <= 0.72 <= found.upper[at])


METHODS: dict[str, tuple[Held, int]] = {
    "median of Kaplan-Meier, 300 devices": (median, 4000),
    "restricted mean to 60 months, 300 devices": (mean_to_60, 4000),
    "crude trend of ten years, Poisson": (trend_of(0.0), 4000),
    "crude trend of ten years, rates of years vary by a third": (trend_of(0.1), 4000),
    "Wilson, 5 % of 200": (proportion_of(0.05, 200), 20000),
    "Wilson, 20 % of 60": (proportion_of(0.2, 60), 20000),
    "mean cumulative function at 36 months, 200 devices": (burden, 2000),
}
"""A method, whether its limits hold in one draw, and how many draws the table takes."""


def coverage(name: str, *, draws: int | None = None, seed: int = 1) -> float:
    """How often the limits of a method hold the truth."""
    held, many = METHODS[name]
    dice, tries = np.random.default_rng(seed), draws or many
    return sum(held(dice) for _ in range(tries)) / tries


if __name__ == "__main__":
    print("| limits of | draws | hold the truth |")
    print("|---|---|---|")
    for name, (_held, many) in METHODS.items():
        print(f"| {name} | {many:,} | {100 * coverage(name):.1f} % |", flush=True)
