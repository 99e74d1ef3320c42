"""Medians, 95th percentiles and memory of work done in a process of its own."""

import math
import resource
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

SLOW_SECONDS = 5
RUNS_WHERE_SLOW = 3
LEAST_MS = 1.0
"""What a question that takes less counts as in a ratio."""


@dataclass(frozen=True)
class Timed:
    """How long some runs took, in milliseconds."""

    runs: Sequence[float]

    @property
    def median(self) -> float:
        """The median."""
        return statistics.median(self.runs)

    @property
    def p95(self) -> float:
        """The 95th percentile, by the nearest rank."""
        return percentile(self.runs, 0.95)

    def over(self, other: "Timed") -> float:
        """How many times the median of another."""
        return max(self.median, LEAST_MS) / max(other.median, LEAST_MS)


def percentile(runs: Iterable[float], share: float) -> float:
    """The nearest rank."""
    ordered = sorted(runs)
    return ordered[math.ceil(share * len(ordered)) - 1]


def geometric_mean(ratios: Iterable[float]) -> float:
    """Of ratios, so that twice as slow and twice as fast cancel."""
    return statistics.geometric_mean(ratios)


def timed(work: Callable[[], object], runs: int) -> Timed:
    """Run some work so often, or a few times where one run is slow."""
    taken: list[float] = []
    while len(taken) < runs:
        began = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - began))
        if taken[0] > 1000 * SLOW_SECONDS:
            runs = min(runs, RUNS_WHERE_SLOW)
    return Timed(taken)


def peak_megabytes() -> float:
    """The most memory that this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
