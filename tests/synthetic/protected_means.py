"""How often the limits of protected medians and restricted means hold the truth.

Devices whose time to the event is Weibull's, of a shape under, at and over 1, and who leave at any
time after a year; the life table is drawn with the registry's own noise.
"""

from dataclasses import dataclass
from math import exp, log

import numpy as np
from scipy.integrate import quad

from registry.disclosure import Protection, life_table
from registry.reporting.protected.curves import _mean, _said
from tests.synthetic.curve_study import Spells, truth_of


@dataclass(frozen=True)
class Wear:
    """Freedom at t is exp(-(t / scale) ** shape); leavers: whether devices leave before 84."""

    name: str
    shape: float
    scale: float
    leavers: bool = True

    def freedom(self, month: float) -> float:
        """The true share free of the event."""
        return exp(-((month / self.scale) ** self.shape))

    @property
    def median(self) -> float:
        """The true median."""
        return float(self.scale * log(2) ** (1 / self.shape))

    def mean(self, until: float) -> float:
        """The true mean up to a month."""
        return float(quad(self.freedom, 0, until)[0])


SCENARIOS = (
    Wear("early events", 0.6, 60),
    Wear("at one hazard", 1, 50),
    Wear("rare, at one hazard", 1, 400),
    Wear("late events, nobody leaves", 4, 60, leavers=False),
    Wear("late events, half leave before", 4, 60),
)


@dataclass
class Held:
    """Over registries: told means, their error, and how often either limits held the truth."""

    means: int = 0
    error: float = 0.0
    width: float = 0.0
    held_mean: int = 0
    medians: int = 0
    held_median: int = 0


def study(wear: Wear, seeds: range, *, devices: int = 1500) -> Held:
    """Many seeded registries of one kind."""
    found = Held()
    for seed in seeds:
        dice = np.random.default_rng(seed)
        event = np.ceil(wear.scale * dice.exponential(1, devices) ** (1 / wear.shape))
        left = np.ceil(dice.uniform(12, 108, devices)) if wear.leavers else np.full(devices, 100)
        ends = np.minimum(event, left).astype(np.int64)
        spells = Spells(np.zeros(devices, dtype=np.int64), ends, (event <= left).astype(np.int64))
        protection = Protection.under(dice.bytes(32), release=str(seed))
        points = life_table(truth_of(spells, dice), protection)
        mean = _mean(points, protection, 0.95)
        if mean is not None:
            true = wear.mean(float(mean["until_months"] or 0))
            lower, upper, told = (
                float(mean[name] or 0) for name in ("ci_lower", "ci_upper", "mean_months")
            )
            found.means += 1
            found.error += told - true
            found.width += upper - lower
            found.held_mean += lower <= true <= upper
        said = _said(points, competing=False) if points else {}
        before, by = said.get("median_lower"), said.get("median_upper")
        if before is not None or by is not None:
            found.medians += 1
            found.held_median += (before or 0) <= wear.median and (by is None or wear.median <= by)
    return found


if __name__ == "__main__":
    print("| events | means told | error, months | width | limits hold | medians | limits hold |")
    print("|---|---|---|---|---|---|---|")
    for wear in SCENARIOS:
        got = study(wear, range(1, 501))
        mean = f"{got.error / got.means:+.2f} | {got.width / got.means:.1f}"
        held = f"{100 * got.held_mean / got.means:.1f} %"
        median = f"{100 * got.held_median / got.medians:.1f} %" if got.medians else ""
        print(f"| {wear.name} | {got.means} | {mean} | {held} | {got.medians} | {median} |")
