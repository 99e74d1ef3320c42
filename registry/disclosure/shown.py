"""Turns true numbers of a node into shown ones: perturbed, rounded, or hidden.

Derived numbers take `ShownNode`, which has no field for a true or a hidden number.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Self

from registry.disclosure.perturbation import NoiseKey, perturb_counts, perturb_exposure
from registry.disclosure.policy import HANDS_OFF, Policy
from registry.disclosure.table import Noise, frozen_tables
from registry.vocabulary import Denominator


@dataclass(frozen=True, slots=True, repr=False)
class Keyed:
    """How many distinct records (patients or devices) are in a node, and the sums of their keys.

    high, low: sums of the two halves of record_key over the same records, each record once. A first
    event has the key of its device, or of its patient where it is counted once per patient: one key
    per unit, so it has one perturbation under every counting rule. largest: the same three numbers
    of the hands that have most of the records, together; nobody's in a node that fixes a site.
    """

    n: int
    high: int
    low: int
    largest: tuple[int, int, int] = (0, 0, 0)

    @classmethod
    def by_hand(cls, sums: Iterable[tuple[int, int, int]]) -> Self:
        """All records from the sums of each hand, and those of the HANDS_OFF largest.

        Of hands of one size the first are the largest.
        """
        each = sorted(sums, key=lambda hand: -hand[0])
        return cls(*_added(each), _added(each[:HANDS_OFF]))

    def __repr__(self) -> str:
        """Name the kind, never the number."""
        return "<Keyed>"

    @property
    def of_others(self) -> "Keyed":
        """The records without those of the largest hands."""
        n, high, low = self.largest
        return Keyed(self.n - n, self.high - high, self.low - low)


def _added(sums: Iterable[tuple[int, int, int]]) -> tuple[int, int, int]:
    n, high, low = (sum(column) for column in zip(*[(0, 0, 0), *sums], strict=True))
    return n, high, low


NOBODY = Keyed(0, 0, 0)


@dataclass(frozen=True, slots=True, repr=False)
class ShownExposure:
    """A node's denominator: months, procedures or refills of its devices."""

    total: float
    unit: Denominator
    devices: Keyed

    def __repr__(self) -> str:
        """Name the unit, never the number."""
        return f"<ShownExposure {self.unit.value}>"


@dataclass(frozen=True, slots=True, repr=False)
class NodeTruth:
    """The true numbers of one node, before perturbation; never rendered, never logged.

    counted: patients, devices or first events of the node. population: the patients or devices that
    could have had an event: the node without its conditions on events. exposure: None where the
    question has no denominator, whatever was recorded; a node whose devices contribute nothing has
    0.
    """

    counted: Keyed
    population: Keyed
    exposure: ShownExposure | None = None

    def __repr__(self) -> str:
        """Name the kind, never a number."""
        return "<NodeTruth>"


@dataclass(frozen=True, slots=True)
class ShownNode:
    """The publishable numbers of one node; None is hidden.

    count: perturbed, at least the threshold. population: perturbed, at least the denominator
    minimum; both reach the threshold without their largest hands. exposure: perturbed and rounded,
    at least its minimum. The variances and the standard deviation are those of the perturbation at
    the shown number, and 0 where it is hidden. has_exposure: False where the question has no
    denominator.
    """

    count: int | None
    population: int | None
    exposure: int | None = None
    has_exposure: bool = False
    count_variance: float = 0.0
    population_variance: float = 0.0
    exposure_sd: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Protection:
    """The one place where a true number becomes a shown one: the policy, the tables and K2."""

    key: NoiseKey
    policy: Policy
    tables: Noise

    @classmethod
    def under(cls, secret: bytes, *, release: str, policy: Policy | None = None) -> "Protection":
        """Protect the answers of a release with the frozen tables.

        secret: K2. release: the id of the release's snapshot.
        """
        return cls(key=NoiseKey(secret, release), policy=policy or Policy(), tables=frozen_tables())

    def __repr__(self) -> str:
        """Never show the key."""
        return "<Protection>"

    def count(self, counted: Keyed, *, minimum: int | None = None) -> int | None:
        """The perturbed number of records, None where it may not be shown.

        minimum: what it must reach; the threshold. Without the records of the largest hands it must
        reach the threshold as well.
        """
        return self.counts([counted], minimum=minimum)[0]

    def counts(self, counted: Sequence[Keyed], *, minimum: int | None = None) -> list[int | None]:
        """The perturbed numbers of several sets, each as it would be alone."""
        least = self.policy.threshold if minimum is None else minimum
        perturbed = self._perturbed(counted)
        high_enough = [place for place, n in enumerate(perturbed) if n >= least]
        others = self._perturbed([counted[place].of_others for place in high_enough])
        shown: list[int | None] = [None] * len(counted)
        for place, rest in zip(high_enough, others, strict=True):
            if rest >= self.policy.threshold:
                shown[place] = perturbed[place]
        return shown

    def _perturbed(self, counted: Sequence[Keyed]) -> list[int]:
        """Each number with its noise; one set is drawn for once, however many nodes hold it."""
        if not counted:
            return []
        sets = [(each.n, each.high, each.low) for each in counted]
        distinct = list(dict.fromkeys(sets))
        columns = zip(*distinct, strict=True)
        drawn = perturb_counts(self.key, *map(list, columns), tables=self.tables).tolist()
        noisy: dict[tuple[int, int, int], int] = dict(zip(distinct, drawn, strict=True))
        return [noisy[each] for each in sets]

    def exposure(self, exposure: ShownExposure) -> int | None:
        """The perturbed and rounded exposure, None where it is under the minimum of its unit."""
        return self._exposures([exposure])[0]

    def _exposures(self, exposures: Sequence[ShownExposure]) -> list[int | None]:
        """The perturbed exposures, all of one unit."""
        rule = self.policy.exposure[exposures[0].unit]
        perturbed = perturb_exposure(
            self.key,
            [each.total for each in exposures],
            [each.devices.n for each in exposures],
            [each.devices.high for each in exposures],
            [each.devices.low for each in exposures],
            rule=rule,
            policy=self.policy,
        )
        return [months if months >= rule.minimum else None for months in perturbed.tolist()]

    def show(self, truth: NodeTruth) -> ShownNode:
        """The publishable numbers of a node; too small a population hides all of them."""
        return self.show_all([truth])[0]

    def show_all(self, truths: Sequence[NodeTruth]) -> list[ShownNode]:
        """The publishable numbers of several nodes, each as it would be alone."""
        if not truths:
            return []
        minimum = self.policy.denominator_minimum
        populations = self.counts([truth.population for truth in truths], minimum=minimum)
        counts = self.counts([truth.counted for truth in truths])
        exposures: list[int | None] = [None] * len(truths)
        by_unit: dict[Denominator, list[tuple[int, ShownExposure]]] = {}
        for at, truth in enumerate(truths):
            if truth.exposure is not None:
                by_unit.setdefault(truth.exposure.unit, []).append((at, truth.exposure))
        for given in by_unit.values():
            perturbed = self._exposures([exposure for _, exposure in given])
            for (at, _), amount in zip(given, perturbed, strict=True):
                exposures[at] = amount
        return [
            self._shown(*each) for each in zip(truths, populations, counts, exposures, strict=True)
        ]

    def _shown(
        self, truth: NodeTruth, population: int | None, count: int | None, exposure: int | None
    ) -> ShownNode:
        has_exposure = truth.exposure is not None
        if population is None:
            return ShownNode(count=None, population=None, has_exposure=has_exposure)
        return ShownNode(
            count=count,
            population=population,
            exposure=exposure,
            has_exposure=has_exposure,
            count_variance=0.0 if count is None else self.policy.variance(count),
            population_variance=self.policy.variance(population),
            exposure_sd=0.0 if exposure is None else self._exposure_sd(truth.exposure),
        )

    def _exposure_sd(self, exposure: ShownExposure | None) -> float:
        if exposure is None:
            return 0.0
        return self.policy.exposure[exposure.unit].per_device * sqrt(self.policy.most_variance)
