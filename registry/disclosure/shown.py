"""Turns true numbers of a node into shown ones: perturbed, rounded, or hidden.

Derived numbers take `ShownNode`, which has no field for a true or a hidden number.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from registry.disclosure.perturbation import perturb_counts, perturb_exposure
from registry.disclosure.policy import Policy
from registry.disclosure.table import PerturbationTable, frozen_table
from registry.vocabulary import Denominator


@dataclass(frozen=True, slots=True, repr=False)
class Keyed:
    """How many distinct records (patients or devices) are in a node, and the sums of their keys.

    high, low: sums of the two halves of record_key over the same records, each record once. A first
    event has the key of its device, or of its patient where it is counted once per patient: one key
    per unit, so it has one perturbation under every counting rule.
    """

    n: int
    high: int
    low: int

    def __repr__(self) -> str:
        """Name the kind, never the number."""
        return "<Keyed>"

    def __add__(self, other: "Keyed") -> "Keyed":
        """The union of two sets of records that have none in common."""
        return Keyed(self.n + other.n, self.high + other.high, self.low + other.low)


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
    minimum. exposure: perturbed and rounded, at least its minimum. The variances and the standard
    deviation are those of the perturbation at the shown number, and 0 where it is hidden.
    has_exposure: False where the question has no denominator.
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
    """The one place where a true number becomes a shown one: the policy, the table and K2.

    secret: K2, the key of the noise; 32 bytes or more; must never change.
    """

    secret: bytes
    policy: Policy
    table: PerturbationTable

    @classmethod
    def under(cls, secret: bytes, policy: Policy | None = None) -> "Protection":
        """Protect with the frozen table."""
        return cls(secret=secret, policy=policy or Policy(), table=frozen_table())

    def __repr__(self) -> str:
        """Never show the key."""
        return "<Protection>"

    def count(self, counted: Keyed, *, minimum: int | None = None) -> int | None:
        """The perturbed number of records, None where it is under the minimum (the threshold)."""
        return self._counts([counted], minimum=minimum)[0]

    def _counts(self, counted: Sequence[Keyed], *, minimum: int | None = None) -> list[int | None]:
        least = self.policy.threshold if minimum is None else minimum
        columns = zip(*((each.n, each.high, each.low) for each in counted), strict=True)
        perturbed = perturb_counts(self.secret, *map(list, columns), table=self.table)
        return [n if n >= least else None for n in perturbed.tolist()]

    def exposure(self, exposure: ShownExposure) -> int | None:
        """The perturbed and rounded exposure, None where it is under the minimum of its unit."""
        return self._exposures([exposure])[0]

    def _exposures(self, exposures: Sequence[ShownExposure]) -> list[int | None]:
        """The perturbed exposures, all of one unit."""
        rule = self.policy.exposure[exposures[0].unit]
        perturbed = perturb_exposure(
            self.secret,
            [each.total for each in exposures],
            [each.devices.n for each in exposures],
            [each.devices.high for each in exposures],
            [each.devices.low for each in exposures],
            rule=rule,
            variance=self.policy.most_variance,
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
        populations = self._counts([truth.population for truth in truths], minimum=minimum)
        counts = self._counts([truth.counted for truth in truths])
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
