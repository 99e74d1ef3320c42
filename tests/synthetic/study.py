"""The simulation study: `python -m tests.synthetic.study` prints the table of docs/simulation.md.

Each line makes seeded cohorts with one known hazard, computes rates from the rows with the
registry's own statistics, and counts how often the 95 % interval holds the truth. A second table
holds rates against the truth where sites follow up in rounds.
"""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from registry.statistics.rates import clustered_rate, incidence_rate
from registry.synthetic import cohort
from tests.synthetic.delayed_follow_up import recovered
from tests.synthetic.test_recovery import counted, device_time, first_events

REGISTRIES = 1000
FOLLOWED_LATE = 6
"""So many registries of 100,000 catheters a line of the second table."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One way in which catheters are seen; late: share that enters after implantation."""

    name: str
    catheters: int
    hazard: float
    late: float = 0.0
    death: float = 0.0
    stopped: float = 0.0
    longest: float = 120.0


SCENARIOS = (
    Scenario("all from implantation, no other exit", 1000, 0.004),
    Scenario("deaths and stopped therapy compete", 1500, 0.004, death=0.01, stopped=0.004),
    Scenario("three in ten enter late, exits compete", 1500, 0.004, 0.3, 0.01, 0.004),
    Scenario("all enter late, exits compete", 1500, 0.004, 1.0, 0.01, 0.004),
    Scenario("followed for at most 3.5 months", 4000, 0.02, longest=3.5),
    Scenario("frequent: several events a catheter", 400, 0.02, 0.3, 0.01, 0.004),
    Scenario("rare: about 20 events", 300, 0.0016, 0.3, 0.01, 0.004),
)


def line(scenario: Scenario, *, first_seed: int) -> str:
    """One line of the table, from seeds of its own."""
    pooled, held = np.zeros(2), np.zeros(3)
    for seed in range(first_seed, first_seed + REGISTRIES):
        made = cohort(
            catheters=scenario.catheters,
            hazard=scenario.hazard,
            seed=seed,
            late_share=scenario.late,
            death_hazard=scenario.death,
            discontinued_hazard=scenario.stopped,
            longest=scenario.longest,
        )
        implants, events = made.implants(), counted(made.implants(), made.events())
        time = device_time(implants)
        by_catheter = dict.fromkeys(time, 0)
        for event in events:
            by_catheter[event.implant or ""] += 1
        rates = (
            incidence_rate(len(events), sum(time.values())),
            incidence_rate(*first_events(implants, events)),
            clustered_rate(list(by_catheter.values()), list(time.values())),
        )
        pooled += len(events), sum(time.values())
        held += [rate.lower <= scenario.hazard <= rate.upper for rate in rates]
    events_each = pooled[0] / REGISTRIES
    bias = pooled[0] / pooled[1] / scenario.hazard
    shares = " | ".join(f"{100 * share:.1f} %" for share in held / REGISTRIES)
    return f"| {scenario.name} | {scenario.hazard:g} | {events_each:.0f} | {bias:.4f} | {shares} |"


def late_line(longest: float, *, rounds: bool) -> str:
    """One line of the second table: rates over the truth, where follow-up is so old at most."""
    found = []
    for seed in range(1, FOLLOWED_LATE + 1):
        with TemporaryDirectory() as folder:
            root = Path(folder)
            found.append(
                recovered(root, catheters=100_000, longest=longest, seed=seed, rounds=rounds)
            )
    pooled = np.mean([each.pooled for each in found])
    last = np.mean([each.last_year for each in found])
    events = sum(each.events_last_year for each in found)
    counted = "up to each site's last round" if rounds else "months on file as they stand"
    return f"| {longest:g} months | {counted} | {pooled:.3f} | {last:.3f} | {events:,} |"


if __name__ == "__main__":
    print("| registry | hazard | events each | rate / truth | all events | first | clustered |")
    print("|---|---|---|---|---|---|---|")
    for place, each in enumerate(SCENARIOS):
        print(line(each, first_seed=1 + place * REGISTRIES), flush=True)
    print()
    print("| oldest follow-up | counted | pooled rate / truth | last year / truth | its events |")
    print("|---|---|---|---|---|")
    for longest in (12.0, 24.0):
        for rounds in (False, True):
            print(late_line(longest, rounds=rounds), flush=True)
