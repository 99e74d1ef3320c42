"""Registries whose sites report events at once and follow up in rounds: are rates still true?

Catheters are implanted over ten years, occlude at one hazard and end at another, both constant a
month. Each site last closed a round some months before the data are read; events and ends are
known at once. A site that enters a later event brings that one device's follow-up up to it.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from registry.vocabulary import CountingRule
from tests.reporting.asking import Asker
from tests.snapshot.rows import event, implant

FIRST, READ = 2016.0, 2026.0
"""When implanting starts, and when the data are read, in years."""

HAZARD, END = 0.002, 0.004
SITES = 60
OCCLUSION = "catheter-occlusion"


@dataclass(frozen=True, slots=True)
class Recovered:
    """The rate of all time and that of the last year, over the true hazard; and their events."""

    pooled: float
    last_year: float
    events: int
    events_last_year: int


def recovered(
    root: Path, *, catheters: int, longest: float, seed: int, rounds: bool = True
) -> Recovered:
    """Makes a registry and asks for its rates.

    longest: months since the last round of a site, at the most; they are evenly spread. rounds:
    whether sites close them; without, the months on file count as they stand.
    """
    rng = np.random.default_rng(seed)
    site = rng.integers(0, SITES, catheters)
    closed = (READ - (np.arange(SITES) + 0.5) / SITES * longest / 12)[site]
    made = FIRST + (READ - FIRST) * rng.random(catheters)
    ended = np.minimum(12 * (READ - made), rng.exponential(1 / END, catheters))
    at_round = np.minimum(12 * (closed - made), ended)
    implants, events = [], []
    for place in range(catheters):
        name = f"c{place}"
        times = np.sort(ended[place] * rng.random(rng.poisson(HAZARD * ended[place])))
        has_ended = ended[place] < 12 * (READ - made[place])
        known = round(float(at_round[place]))
        heard = [known, *(round(float(time)) for time in times)]
        if has_ended:
            heard.append(round(float(ended[place])))
        late = at_round[place] < ended[place]
        standing = {"round_number": 1 if known >= 0 else -1, "months_at_round": max(known, 0)}
        standing["followed_at_round"] = bool(late)
        implants.append(
            implant(
                name,
                site=f"S-{site[place]}",
                component="catheter",
                implant_year=int(made[place]),
                months_followed=max(0, *heard),
                exit_status="explant-elective" if has_ended else "active",
                **(standing if rounds else {}),
            )
        )
        for number, time in enumerate(times):
            events.append(
                event(
                    f"{name}.{number}",
                    on=name,
                    site=f"S-{site[place]}",
                    complication=OCCLUSION,
                    year=int(made[place] + time / 12),
                    months_since_implant=round(float(time)),
                    **({"round_number": int(time > at_round[place])} if rounds else {}),
                )
            )
    asker = Asker(root, events=events, implants=implants)
    asks = {"counting": CountingRule.EVENTS, "where": (("complication", (OCCLUSION,)),)}
    pooled = asker.rates(**asks)[()]
    last = asker.rates(**asks, years=(int(READ) - 1, int(READ) - 1))[()]
    return Recovered(
        pooled=float(pooled["rate"] or 0) / HAZARD,
        last_year=float(last["rate"] or 0) / HAZARD,
        events=int(pooled["events"] or 0),
        events_last_year=int(last["events"] or 0),
    )
