"""From sums to the rows of an answer, the same for the ORM and for arrays.

What is compared is how sums are found; the estimators are the registry's own.
"""

import numpy as np
from numpy.typing import NDArray

from registry.statistics.rates import ClusterSums, clustered_rate_of_sums, first_event_rate
from tests.benchmarks.eight_questions import Numbers

PER = 1000
QUARTERS = 4
QUARTERS_A_YEAR = 48
FEWEST_STABLE = 20

Ints = NDArray[np.int64]


def count_row(n: int) -> Numbers:
    """A number of events."""
    return n, "ok" if n else "zero"


def rate_row(events: int, months: float, *, declared: ClusterSums | None, reported: int) -> Numbers:
    """First events and their time, and what sites declare; without time what was reported."""
    found = first_event_rate(events, months, declared=declared or ClusterSums.of([], []), per=PER)
    if not found.exposure:
        return reported, 0.0, None, None, None, "no_denominator"
    n = int(found.events)
    return n, found.exposure, found.rate, found.lower, found.upper, status_of(n)


def clustered_row(sums: ClusterSums | None, *, reported: int) -> Numbers:
    """Events that cluster within patients; without time what was reported."""
    if sums is None or not sums.time:
        return reported, 0.0, None, None, None, "no_denominator"
    found = clustered_rate_of_sums(sums, per=PER)
    status = status_of(int(sums.events))
    return int(sums.events), float(sums.time), found.rate, found.lower, found.upper, status


def added(one: ClusterSums | None, other: ClusterSums | None) -> ClusterSums | None:
    """The sums of clusters of both; no cluster is in the two of them."""
    if one is None or other is None:
        return one or other
    names = ("events", "time", "x2", "xt", "t2", "clusters")
    return ClusterSums(**{name: getattr(one, name) + getattr(other, name) for name in names})


def time_within(starts: Ints, ends: Ints, origins: Ints, year: int) -> Ints:
    """Quarters of a month that each device was followed in a calendar year.

    starts, ends: in quarters since implantation; origins: quarters from year 0 to that.
    """
    first = QUARTERS_A_YEAR * year - origins
    return np.maximum(np.minimum(ends, first + QUARTERS_A_YEAR) - np.maximum(starts, first), 0)


def status_of(events: int) -> str:
    """Whether a number of events is enough."""
    if not events:
        return "zero"
    return "ok" if events >= FEWEST_STABLE else "unstable"
