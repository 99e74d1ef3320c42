"""Servers as a few numbers each, for what a campaign asks thousands of times: counts of patients.

The second design is that of docs/disclosure.md; the others are what must lose to the attackers.
Noise is drawn by a hash of the sums of keys, as the registry does, but by arithmetic on arrays.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tests.disclosure.attack.worlds import PAIRS, Ints, World, tree_of

Values = NDArray[np.float64]
Names = tuple[str, ...]

EVENT_SIDE = frozenset(
    {"complication", "year", "window", "intervention", "severity", "outcome", "cause"}
)
LAST = 24
"""From so many patients on the law of the noise is the same."""

MOST_ADDED = 12
"""More is added to a count less than once in ten thousand times."""


class Tables(Protocol):
    """Whoever answers with whole tables of counts; NaN is hidden, None is refused."""

    def table(self, names: Names, release: str) -> Values | None:
        """Patients by these names, axes in this order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """How a server protects counts.

    lasting, fresh: the most variance, and variance for each patient, of the noise drawn for a set
    of patients and of that drawn for a set and a release. hands_off: a count is hidden too where it
    is under the threshold without so many of its largest hands. beside_category: how many others a
    category, or none, may be crossed with. free: three dimensions of any kind. beside_site: what a
    site goes with; a complication in funnels.
    """

    name: str
    threshold: int
    lasting: tuple[float, float] = (0.0, 0.0)
    fresh: tuple[float, float] = (0.0, 0.0)
    hands_off: int = 0
    beside_category: int = 1
    free: bool = False
    beside_site: tuple[Set[str], ...] = ({"category"}, {"year"}, {"period"}, {"complication"})

    def offers(self, names: Sequence[str]) -> bool:
        """Whether these may be asked together."""
        trees = [tree_of(name) for name in names]
        others = [name for name in names if tree_of(name) != "complication"]
        if len(set(trees)) < len(trees) or len(names) > 3:
            return False
        if "cause" in trees:
            return set(names) in PAIRS
        if "site" in names:
            rest = set(names) - {"site"}
            return not rest or rest in self.beside_site
        if self.free:
            return True
        if "complication" in names:
            return len(others) <= 1
        few = len(others) <= self.beside_category
        return few and sum(tree_of(name) in EVENT_SIDE for name in others) <= 1


SECOND = Design(
    name="second design",
    threshold=11,
    lasting=(4.0, 1.0),
    fresh=(2.0, 0.5),
    hands_off=2,
)
FINER = replace(SECOND, name="finer second design", hands_off=1, beside_category=2)
"""The second design as first drawn: two dimensions beside a category, one hand taken off.

It does not keep the limits on persons, so that they are seen to bite.
"""

FIRST = Design(name="first design", threshold=5, lasting=(6.0, 1.5), free=True)
NAIVE = Design(name="naive", threshold=5, free=True)
FREE = Design(name="free dimensions", threshold=11, lasting=(4.0, 1.0), fresh=(2.0, 0.5), free=True)
"""The second design's noise and threshold, and neither its few dimensions nor its hands."""

RENEWED = Design(name="a little noise, renewed", threshold=5, fresh=(0.25, 0.125))


@dataclass
class SimulatedServer:
    """A design over worlds by release; hides what it must, and draws as it does."""

    design: Design
    worlds: Mapping[str, World]
    seed: int = 1
    _kept: dict[tuple[Names, str], Values | None] = field(default_factory=dict)

    def table(self, names: Names, release: str) -> Values | None:
        if (names, release) not in self._kept:
            self._kept[names, release] = self._table(names, release)
        return self._kept[names, release]

    def _table(self, names: Names, release: str) -> Values | None:
        if not self.design.offers(names):
            return None
        world = self.worlds[release]
        size = int(np.prod(world.size(names), dtype=int))
        whole, others = sums(world, names, size, self.seed, self.design.hands_off)
        shown = np.full(size, np.nan)
        likely = np.flatnonzero(whole[0] >= max(1, self.design.threshold - MOST_ADDED))
        told = self._perturbed(whole[:, likely], release)
        kept = told >= self.design.threshold
        if self.design.hands_off and "site" not in names:
            left = self._perturbed(others[:, likely[kept]], release)
            kept[kept] = left >= self.design.threshold
        shown[likely[kept]] = told[kept]
        return shown.reshape(world.size(names))

    def _perturbed(self, keyed: Ints, release: str) -> Ints:
        number = 1 + sum(map(ord, release))
        shown = keyed[0] + self._noise(keyed, 0, self.design.lasting)
        return np.asarray(shown + self._noise(keyed, number, self.design.fresh))

    def _noise(self, keyed: Ints, number: int, variance: tuple[float, float]) -> Ints:
        counts = keyed[0]
        if not variance[0]:
            return np.zeros(counts.size, np.int64)
        sides = (*keyed, np.full(counts.size, number), np.full(counts.size, self.seed))
        uniform = mixed(*(side.astype(np.uint64) for side in sides)) / 2.0**64
        return drawn(counts, uniform, variance)


def sums(world: World, names: Names, size: int, seed: int, hands_off: int = 1) -> tuple[Ints, Ints]:
    """Patients of each cell and the two sums of their keys: of all, and without largest hands.

    Each of shape (3, cells).
    """
    rows, cell = world.places(names)
    most = int(world.patient.max(initial=0)) + 1
    pairs, first = np.unique(cell * most + world.patient[rows], return_index=True)
    cells, patients = np.divmod(pairs, most)
    halves = keys(most, seed)
    spread = int(world.hand.max(initial=0)) + 1
    place = cells * spread + world.hand[rows][first]
    by_hand = np.array(
        [
            np.bincount(place, weight, minlength=size * spread).reshape(size, spread)
            for weight in (None, *(half[patients] for half in halves))
        ]
    ).astype(np.int64)
    whole = by_hand.sum(axis=2)
    largest = np.argsort(-by_hand[0], axis=1, kind="stable")[:, :hands_off]
    off = np.take_along_axis(by_hand, np.broadcast_to(largest, (3, *largest.shape)), axis=2)
    return whole, whole - off.sum(axis=2)


@lru_cache(maxsize=4)
def keys(patients: int, seed: int) -> tuple[Values, Values]:
    """The two halves of the keys of so many patients, as whole numbers."""
    key = mixed(np.arange(patients, dtype=np.uint64), np.full(patients, seed, np.uint64))
    return (key >> np.uint64(34)).astype(float), (key & np.uint64(0x7FFFFFFF)).astype(float)


def mixed(*parts: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """A hash of whole numbers, entry by entry (SplitMix64; Steele, Lea and Flood, 2014)."""
    state = np.zeros(parts[0].size, np.uint64)
    for part in parts:
        state = (state ^ part) + np.uint64(0x9E3779B97F4A7C15)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        state = state ^ (state >> np.uint64(31))
    return state


def drawn(counts: Ints, uniform: Values, variance: tuple[float, float]) -> Ints:
    """The noise of each count at its uniform number; a true zero has none."""
    offsets, cumulative = laws(variance)
    rows = np.minimum(counts, LAST)
    places = (cumulative[rows] <= uniform[:, None]).sum(axis=1)
    return np.where(counts > 0, offsets[np.minimum(places, offsets.size - 1)], 0)


@cache
def laws(variance: tuple[float, float]) -> tuple[Ints, Values]:
    """Offsets, and the cumulative law of the noise of 0, 1, 2 ... LAST patients."""
    most, each = variance
    offsets = np.arange(-LAST, LAST + 1)
    rows = [np.where(offsets == 0, 1.0, 0.0)]
    for n in range(1, LAST + 1):
        rows.append(_greatest_entropy(offsets, -n, min(most, each * n)))
    return offsets, np.cumsum(rows, axis=1)


def _greatest_entropy(offsets: Ints, lowest: int, variance: float) -> Values:
    """Whole numbers from `lowest` on of mean 0 and this variance, p(d) ~ exp(a d + b d^2)."""
    places = offsets.astype(float)
    a, b = 0.0, -0.5 / variance
    for _ in range(200):
        exponent = np.where(offsets >= lowest, a * places + b * places**2, -np.inf)
        weight = np.exp(exponent - exponent.max())
        p = weight / weight.sum()
        one, two, three, four = (float(p @ places**power) for power in (1, 2, 3, 4))
        missed = np.array([one, two - variance])
        if np.abs(missed).max() < 1e-10:
            break
        slope = np.array([[two - one**2, three - one * two], [three - one * two, four - two**2]])
        step = np.linalg.solve(slope, missed)
        a, b = np.array([a, b]) - step * min(1.0, 1.0 / np.abs(step).max())
    return np.asarray(p)
