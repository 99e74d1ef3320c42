"""How long reports take, from delays that are seen only where they are short enough."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from registry.statistics.life_counts import HALF_A_MONTH, LifeCounts
from registry.statistics.results import SurvivalCurve
from registry.statistics.survival import THE_EVENT, product_limit

FEWEST_DELAYS = 30
"""How many delays the hazard of the longest one is estimated from, at the least."""


@dataclass(frozen=True, slots=True)
class Delay:
    """Delays that are alike: their months, and the months after which they would not be seen yet.

    n: how many there are. Months are whole, and 0 <= months <= watched.
    """

    months: int
    watched: int
    n: int


@dataclass(frozen=True, slots=True, eq=False)
class ReportingDelay:
    """The distribution of delays up to the longest that enough of them could have had.

    longest: in months; shares are of the delays up to it. events: how many delays are used.
    curve: of the time from a delay back to the longest one.
    """

    longest: int
    events: int
    curve: SurvivalCurve

    def share(self, elapsed: int) -> tuple[float, float | None, float | None]:
        """The share of delays of at most so many months, with limits; None where it is 0 or 1.

        Raises ValueError where more months have elapsed than the longest delay has.
        """
        if not 0 <= elapsed <= self.longest:
            raise ValueError("elapsed: whole months, from 0 up to the longest delay.")
        place = int(np.searchsorted(self.curve.times, self.longest - elapsed, side="left")) - 1
        if place < 0:
            return 1.0, None, None
        share = float(self.curve.survival[place])
        if np.isnan(self.curve.lower[place]):
            return share, None, None
        return share, float(self.curve.lower[place]), float(self.curve.upper[place])


def reporting_delay(delays: Iterable[Delay], *, level: float = 0.95) -> ReportingDelay | None:
    """The distribution of delays that are right-truncated: a longer one is not on file yet.

    Time is turned round, from the longest delay back to none: a delay then enters the study late,
    and the product limit over those under observation gives the share of delays of at most d months
    among those of at most the longest (Kalbfleisch and Lawless 1989; Lawless 1994). Limits are on
    the log-log scale, from Greenwood's variance. None where no hazard has FEWEST_DELAYS behind it.
    Raises ValueError on a delay that could not have been seen, and on a level outside 0 to 1.
    """
    held = [(each.months, each.watched, each.n) for each in delays if each.n]
    months, watched, n = np.array(held, dtype=np.int64).reshape(-1, 3).T
    if ((months < 0) | (months > watched)).any():
        raise ValueError("delays: of 0 months at the least, and of those watched at the most.")
    enough = [
        d
        for d in range(int(watched.max(initial=-1)) + 1)
        if n[(months <= d) & (d <= watched)].sum() >= FEWEST_DELAYS
    ]
    if not enough:
        return None
    longest = enough[-1]
    used = months <= longest
    entries = np.maximum(longest - watched[used] - HALF_A_MONTH, 0)
    ends = (longest - months[used]).astype(np.float64)
    times = np.unique(np.concatenate((entries, ends)))
    counts = LifeCounts(
        times, _summed(times, entries, n[used]), {THE_EVENT: _summed(times, ends, n[used])}
    )
    return ReportingDelay(longest, int(n[used].sum()), product_limit(counts, level=level))


def _summed(times: np.ndarray, moments: np.ndarray, n: np.ndarray) -> np.ndarray:
    """How many fall on each of the ascending times; every moment is one of them."""
    places = np.searchsorted(times, moments)
    return np.bincount(places, weights=n, minlength=times.size).astype(np.int64)
