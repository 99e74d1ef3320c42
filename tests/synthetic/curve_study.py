"""The simulation study of curves: `python -m tests.synthetic.curve_study [registries]`.

Each line makes seeded cohorts with known constant hazards, draws survival, cumulative incidence
and the protected life table from their rows with the registry's own statistics, and counts how
often the 95 % limits hold the truth. It prints the tables of docs/methods.md.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import exp

import numpy as np
from numpy.typing import NDArray

from registry.disclosure import BOUNDARIES, CurveTruth, Protection, life_table
from registry.records import EventRecord, ImplantRecord
from registry.statistics.survival import cumulative_incidence, kaplan_meier
from registry.synthetic import cohort
from registry.vocabulary import ExitStatus
from tests.synthetic.test_recovery import counted

REGISTRIES = 1000
MONTHS = (12, 36, 60)
SCALES = ("log-log", "log", "plain")
FEWEST_AT_RISK = 10
CAUSE = {ExitStatus.DEATH_UNRELATED: 2, ExitStatus.THERAPY_DISCONTINUED: 3}

HANDS = 4
"""Sites that nobody shares, among which the devices are spread evenly."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One way in which catheters are seen; late: share that enters after implantation."""

    name: str
    catheters: int
    hazard: float
    late: float = 0.0
    death: float = 0.0
    stopped: float = 0.0

    @property
    def leaving(self) -> float:
        """All hazards together."""
        return self.hazard + self.death + self.stopped

    def freedom(self, months: float) -> float:
        """True freedom from the event after so long, were it the only thing to happen."""
        return exp(-self.hazard * months)

    def incidence(self, months: float) -> float:
        """True probability of the event having come first by then."""
        return self.hazard / self.leaving * (1 - exp(-self.leaving * months))


SCENARIOS = (
    Scenario("all from implantation, no other exit", 600, 0.004),
    Scenario("deaths and stopped therapy compete", 600, 0.004, death=0.01, stopped=0.004),
    Scenario("three in ten enter late, exits compete", 600, 0.004, 0.3, 0.01, 0.004),
    Scenario("all enter late, exits compete", 900, 0.004, 1.0, 0.01, 0.004),
    Scenario("frequent: half had one by 35 months", 300, 0.02, 0.3, 0.005, 0.002),
    Scenario("rare: about 10 events by 60 months", 300, 0.001, 0.3, 0.01, 0.004),
)


@dataclass(frozen=True, slots=True)
class Spells:
    """Catheters: entry, when last at risk, and what ended that (1 the event, 0 censored)."""

    entries: NDArray[np.int64]
    ends: NDArray[np.int64]
    causes: NDArray[np.int64]

    def start(self) -> int:
        """The first month with ten at risk, counted month by month."""
        month = 0
        while (self._there(month) & (self.ends >= month)).sum() < FEWEST_AT_RISK:
            month += 1
        return month

    def _there(self, month: int) -> NDArray[np.bool_]:
        return (self.entries == 0) | (self.entries < month)

    def since(self, start: int) -> "Spells":
        """What is seen from that month on, of those that were free of the event until then."""
        kept = self.ends >= start
        entries = self.entries[kept]
        entries = entries if start == 0 else np.maximum(entries, start - 1)
        return Spells(entries, self.ends[kept], self.causes[kept])


def spells(implants: Sequence[ImplantRecord], events: Sequence[EventRecord]) -> Spells:
    """First events and other ends of follow-up, read from the rows in plain loops."""
    first: dict[str, int] = {}
    for event in counted(list(implants), list(events)):
        name, month = event.implant or "", event.months_since_implant or 0
        first[name] = min(month, first.get(name, month))
    ends = [first.get(row.implant, row.months_followed) for row in implants]
    causes = [
        1 if row.implant in first else CAUSE.get(row.exit_status, 0)  # type: ignore[arg-type]
        for row in implants
    ]
    entries = [row.months_to_entry for row in implants]
    return Spells(np.array(entries), np.array(ends), np.array(causes))


def elapsed(month: int, start: int) -> float:
    """How long a curve has run at the end of a month: told months reach half a month further.

    It begins half a month before its first month, but at implantation itself.
    """
    return month + 0.5 - max(0.0, start - 0.5)


def at(times: NDArray[np.float64], values: NDArray[np.float64], month: int, before: float) -> float:
    """The value of a step curve in a month."""
    place = int(np.searchsorted(times, month, side="right")) - 1
    return before if place < 0 else float(values[place])


def holds(lower: float, upper: float, truth: float) -> float:
    """1 where limits hold the truth, 0 where not; NaN where there are none to hold it."""
    if np.isnan(lower) or np.isnan(upper):
        return np.nan
    return float(lower <= truth <= upper)


@dataclass(slots=True)
class Tally:
    """What many registries told at one month, and whether their limits held the truth."""

    truths: list[float] = field(default_factory=list)
    estimates: list[float] = field(default_factory=list)
    held: list[Sequence[float]] = field(default_factory=list)

    def add(self, estimate: float, truth: float, held: Sequence[float]) -> None:
        """One more registry."""
        self.truths.append(truth)
        self.estimates.append(estimate)
        self.held.append(held)

    @property
    def error(self) -> float:
        """Mean estimate less mean truth."""
        return float(np.mean(self.estimates) - np.mean(self.truths))

    @property
    def coverage(self) -> list[float]:
        """How often each form of limits held the truth, where it told any."""
        shares: list[float] = np.nanmean(np.array(self.held), axis=0).tolist()
        return shares

    def line(self) -> str:
        """Truth, mean error and coverage, as cells of a table."""
        told = " | ".join(f"{100 * share:.1f} %" for share in self.coverage)
        return f"{np.mean(self.truths):.4f} | {self.error:+.4f} | {told}"


def made(scenario: Scenario, seed: int) -> Spells:
    """The catheters of one seeded registry, from the start of their curve on."""
    one = cohort(
        catheters=scenario.catheters,
        hazard=scenario.hazard,
        seed=seed,
        late_share=scenario.late,
        death_hazard=scenario.death,
        discontinued_hazard=scenario.stopped,
    )
    return spells(one.implants(), one.events())


def study(scenario: Scenario, seeds: range) -> tuple[dict[int, Tally], dict[int, Tally]]:
    """Kaplan-Meier with its three forms of limits, and Aalen-Johansen, month by month."""
    free, came = ({month: Tally() for month in MONTHS} for _ in range(2))
    for seed in seeds:
        whole = made(scenario, seed)
        start = whole.start()
        seen = whole.since(start)
        curves = [
            kaplan_meier(seen.ends, seen.causes == 1, entries=seen.entries, ci=ci)  # type: ignore[arg-type]
            for ci in SCALES
        ]
        found = cumulative_incidence(seen.ends, seen.causes, entries=seen.entries)
        for month in MONTHS:
            time = elapsed(month, start)
            truth = scenario.freedom(time)
            held = [
                holds(
                    at(curve.times, curve.lower, month, np.nan),
                    at(curve.times, curve.upper, month, np.nan),
                    truth,
                )
                for curve in curves
            ]
            free[month].add(at(curves[0].times, curves[0].survival, month, 1.0), truth, held)
            truth = scenario.incidence(time)
            limits = (
                at(found.times, side[1], month, np.nan) for side in (found.lower, found.upper)
            )
            estimate = at(found.times, found.incidence[1], month, 0.0)
            came[month].add(estimate, truth, [holds(*limits, truth)])
    return free, came


def protected(scenario: Scenario, seeds: range) -> dict[int, Tally]:
    """The life table of perturbed numbers, each registry's noise drawn from keys of its own."""
    tallies = {month: Tally() for month in MONTHS}
    for seed in seeds:
        seen = made(scenario, seed)
        keys = np.random.default_rng(seed)
        protection = Protection.under(keys.bytes(32), release=str(seed))
        for point in life_table(truth_of(seen, keys), protection):
            if point.time_months in MONTHS and point.estimate is not None:
                truth = scenario.freedom(elapsed(point.time_months, 0))
                held = holds(point.ci_lower or np.nan, point.ci_upper or np.nan, truth)
                tallies[point.time_months].add(point.estimate, truth, [held])
    return tallies


def truth_of(seen: Spells, keys: np.random.Generator) -> CurveTruth:
    """A cohort at the boundaries of the life table, each set of records with keys of its own."""

    def keyed(number: int) -> list[tuple[int, int, int]]:
        """The records in four hands as equal as may be."""
        drawn = keys.integers(0, 2**30, size=(HANDS, 2)).tolist()
        return [((number + hand) // HANDS, *drawn[hand]) for hand in range(HANDS)]

    happened = seen.causes == 1
    at_risk = [int((seen.entries == 0).sum())]
    for month in BOUNDARIES[1:]:
        at_risk.append(int(((seen.entries <= month) & (seen.ends > month)).sum()))
    events = [
        int((happened & (seen.ends > (after or -1)) & (seen.ends <= upto)).sum())
        for after, upto in pairwise(BOUNDARIES)
    ]
    return CurveTruth(np.array(list(map(keyed, at_risk))), np.array(list(map(keyed, events))))


def main(registries: int) -> None:
    """Print the three tables."""
    seeds = [range(1 + n * registries, 1 + (n + 1) * registries) for n in range(len(SCENARIOS))]
    found = []
    for scenario, own in zip(SCENARIOS, seeds, strict=True):
        found.append((scenario.name, *study(scenario, own)))
        print(f"# {scenario.name}", file=sys.stderr, flush=True)
    print("| registry | month | freedom | error | log-log | log | plain |")
    print("|---|---|---|---|---|---|---|")
    for name, free, _ in found:
        for month, tally in free.items():
            print(f"| {name} | {month} | {tally.line()} |")
    print("\n| registry | month | incidence | error | limits |")
    print("|---|---|---|---|---|")
    for name, _, came in found:
        for month, tally in came.items():
            print(f"| {name} | {month} | {tally.line()} |")
    print("\n| registry | month | freedom | error | limits | shown |")
    print("|---|---|---|---|---|---|")
    for scenario, own in zip(SCENARIOS, seeds, strict=True):
        for month, tally in protected(scenario, own).items():
            if tally.truths:
                shown = f"{100 * len(tally.truths) / registries:.0f} %"
                print(f"| {scenario.name} | {month} | {tally.line()} | {shown} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else REGISTRIES)
