"""What the rates of one synthetic registry are expected to be, so that limits can be judged.

A registry of many events says how high a rate is on average; its own sites, of which one has three
times the hazards, its models and its ages say by how much another's expectation differs from that:
at 800 implants by a standard deviation of 9 to 13 %. The generator knows both registries' hazards.

`python -m tests.disclosure.attack.yardstick [REGISTRIES]` prints how often limits of shown rates of
categories hold either.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from registry.catalogue import read_catalogue
from registry.disclosure import Policy
from registry.disclosure.intervals import perturbed_rate_interval
from registry.disclosure.table import frozen_tables
from registry.synthetic import registry
from registry.vocabulary import Denominator

BANDS = (8.0, 20.0, 100.0, 1e9)
"""Of the number of events expected."""
SITES = 12
SMALL, LARGE = 1_136, 150_000
"""Events of a registry of 800 implants, and of one whose hazards are the average."""
DRAWS = 20
COUNTED_BY_SITES = frozenset({Denominator.PROCEDURES.value, Denominator.REFILLS.value})
"""Units that not every site counts; events of the others are in no rate by them."""

UNKNOWN_BY = frozenset({"drug_class"})
"""Dimensions by which hazards differ, and which the generator does not tell them by."""

Rates = Mapping[tuple[str, ...], tuple[float, ...]]
"""Events, rate and limits of rates, by dimensions, values and unit."""


@dataclass(frozen=True, slots=True)
class Hazards:
    """Expected events of each complication, by its own unit those that its rate counts, and the
    exposure of each unit; of the sites that send implants."""

    events: Mapping[str, float]
    in_rate: Mapping[str, float]
    exposure: Mapping[str, float]

    @classmethod
    def of(cls, *, events: int, sites: int, seed: int) -> "Hazards":
        """Those of the registry that the generator makes of so many events."""
        told = registry(events=events, sites=sites, seed=seed).truth["expected"]["implants"]
        return cls(
            events={code: each["events"] for code, each in told.items()},
            in_rate={code: each["events_in_rate"] for code, each in told.items()},
            exposure={each["denominator"]: each["exposure"] for each in told.values()},
        )

    def rate(self, codes: Sequence[str], unit: str) -> float:
        """Expected events of these complications by the exposure of a unit; 0 without it."""
        counted = self.in_rate if unit in COUNTED_BY_SITES else self.events
        exposure = self.exposure.get(unit, 0.0)
        return sum(counted.get(code, 0.0) for code in codes) / exposure if exposure else 0.0


@dataclass(frozen=True, slots=True)
class Yardstick:
    """The rates of a registry so large that its own chance is nothing, and its hazards."""

    rates: Rates
    hazards: Hazards

    def rate(self, labels: tuple[str, ...], own: Hazards) -> float | None:
        """The rate expected of a registry with these hazards; None where it is not known.

        labels: dimensions, values and unit. That of the large registry, times the hazards' ratio.
        """
        if labels not in self.rates or UNKNOWN_BY.intersection(labels):
            return None
        codes, unit = complications_of(labels), labels[-1]
        large, small = self.hazards.rate(codes, unit), own.rate(codes, unit)
        return self.rates[labels][1] * small / large if large and small else None


def complications_of(labels: tuple[str, ...]) -> list[str]:
    """The complications that a rate counts, by its labels."""
    half = len(labels) // 2
    named = dict(zip(labels[:half], labels[half:-1], strict=True))
    if "complication" in named:
        return [named["complication"]]
    return [
        code
        for code, entry in read_catalogue().by_code.items()
        if entry.in_totals and named.get("category") in (None, str(entry.category))
    ]


@dataclass(frozen=True, slots=True)
class Held:
    """Of shown rates where so many events are expected: how many, and in which share limits hold
    the expectation of their own registry, and that of the large one."""

    least: float
    rates: int
    own: float
    large: float


def held(registries: int, *, first: int = 1) -> list[Held]:
    """How often limits of perturbed rates of categories hold, by events expected.

    Events are drawn from each registry's own hazards, and shown from the threshold on.
    """
    large = Hazards.of(events=LARGE, sites=SITES, seed=1_000)
    found = np.array(
        [each for seed in range(first, first + registries) for each in _of(seed, large)]
    )
    bands = []
    for least, most in pairwise(BANDS):
        inside = found[(found[:, 0] >= least) & (found[:, 0] < most)]
        bands.append(Held(least, len(inside), *map(float, inside[:, 1:].mean(axis=0))))
    return bands


def _of(seed: int, large: Hazards) -> Iterator[tuple[float, bool, bool]]:
    chance, policy = np.random.default_rng(seed), Policy()
    own = Hazards.of(events=SMALL, sites=SITES, seed=seed)
    known = read_catalogue().by_code
    for category, unit in sorted(
        {(str(known[code].category), str(known[code].natural_denominator)) for code in own.events}
    ):
        codes = [
            code
            for code in complications_of(("category", category, unit))
            if str(known[code].natural_denominator) == unit
        ]
        rate, usual = own.rate(codes, unit), large.rate(codes, unit)
        rule, time = policy.exposure[Denominator(unit)], own.exposure.get(unit, 0.0)
        if not rate or not usual:
            continue
        spread = rule.per_device * policy.most_variance**0.5
        counts = chance.poisson(rate * time, DRAWS)
        noise = sum(table.draw(counts, chance.random(DRAWS)) for table in frozen_tables())
        for shown, moved in zip(counts + noise, chance.normal(time, spread, DRAWS), strict=True):
            if shown < policy.threshold or moved < rule.minimum:
                continue
            low, high = perturbed_rate_interval(
                float(shown),
                float(moved),
                count_variance=policy.variance(int(shown)),
                exposure_sd=spread,
            )
            yield usual * time, low <= rate <= high, low <= usual <= high


if __name__ == "__main__":
    many = int(sys.argv[1]) if len(sys.argv) > 1 else 120
    print("| events expected | rates | hold their own registry's, % | a large one's, % |")
    print("|---|---|---|---|")
    for band in held(many):
        print(
            f"| {band.least:g} on | {band.rates} | {100 * band.own:.0f} | {100 * band.large:.0f} |"
        )
