"""Registries whose models differ in what else matters: does a comparison find the true ratio?

A new catheter model comes in over the years, first at sites whose hazards are high; hazards are
high after implantation and again in old devices; and the new model's are a known multiple of the
old one's. So the crude ratio is wrong, by the sites, by the age of devices, or by both.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from registry.reporting.estimating.comparison import comparison_of
from registry.vocabulary import CountingRule, Measure
from tests.reporting.asking import Asker
from tests.snapshot.rows import event, implant

RATIO = 1.5
"""The new model's hazard over the old one's, whatever else."""

NEW, OLD = "ascenda", "indura-1p"
FIRST, READ = 2014.0, 2026.5
BASE = 0.003
AGES = ((12.5, 2.5), (60.5, 1.0), (1000.0, 2.0))
"""The end of each stretch of a device's age, in months, and the factor of its hazard there."""

SITES = 16
SPREAD = 0.5
"""The coefficient of variation of sites' hazards."""

WITHIN = 0.15
"""That of the new model's ratio between sites: the true ratio is the mean."""


@dataclass(frozen=True, slots=True)
class Found:
    """One answer: ratio and limits, adjusted and crude."""

    ratio: float
    lower: float
    upper: float
    crude: float
    crude_lower: float
    crude_upper: float
    events: int


def compared(
    root: Path,
    *,
    catheters: int,
    seed: int,
    adjust: tuple[str, ...] = ("site", "window"),
    counting: CountingRule = CountingRule.EVENTS,
) -> Found:
    """Makes a registry, and compares the new model with the old one."""
    rng = np.random.default_rng(seed)
    of_site = rng.gamma(SPREAD**-2, SPREAD**2, SITES)
    of_model = rng.gamma(WITHIN**-2, WITHIN**2, SITES)
    site = rng.integers(0, SITES, catheters)
    made = FIRST + (READ - FIRST) * rng.random(catheters)
    rank = of_site.argsort().argsort() / (SITES - 1)
    likely = np.clip((made - FIRST) / (READ - FIRST) + rank[site] - 0.5, 0.05, 0.95)
    is_new = rng.random(catheters) < likely
    hazard = BASE * of_site[site] * np.where(is_new, RATIO * of_model[site], 1.0)
    ended = np.minimum(12 * (READ - made), rng.exponential(200.0, catheters))
    implants, events = [], []
    for place in range(catheters):
        name = f"c{place}"
        own = {"site": f"S-{site[place]:02}"}
        implants.append(
            implant(
                name,
                component="catheter",
                catheter_model=NEW if is_new[place] else OLD,
                implant_year=int(made[place]),
                months_followed=round(float(ended[place])),
                **own,
            )
        )
        start, times = 0.0, []
        for end, factor in AGES:
            stop = min(end, float(ended[place]))
            if stop > start:
                n = rng.poisson(hazard[place] * factor * (stop - start))
                times += (start + (stop - start) * rng.random(n)).tolist()
            start = end
        for number, time in enumerate(times):
            events.append(
                event(
                    f"{name}.{number}",
                    on=name,
                    complication="catheter-occlusion",
                    year=int(made[place] + time / 12),
                    months_since_implant=round(time),
                    **own,
                )
            )
    asker = Asker(root, events=events, implants=implants)
    question = asker.question(
        Measure.COMPARISON,
        group_by=("catheter_model",),
        where=(("complication", ("catheter-occlusion",)),),
        counting=counting,
        adjust=adjust,
        reference=OLD,
    )
    rows, _ = comparison_of(asker.store, question, per=1000)
    (row,) = (each.numbers for each in rows if each.key == (NEW,))
    names = ("ratio", "ci_lower", "ci_upper", "crude_ratio", "crude_lower", "crude_upper")
    return Found(*(float(row[name] or np.nan) for name in names), int(row["events"] or 0))


@dataclass(frozen=True, slots=True)
class Recovered:
    """Over registries: mean ratios over the truth, and how often limits held it."""

    adjusted: float
    crude: float
    held: float
    crude_held: float
    events: float


def recovered(found: list[Found]) -> Recovered:
    """The mean of the ratios (on the log scale) over the truth, and the coverage."""
    logs = np.log([[each.ratio, each.crude] for each in found]).mean(axis=0)
    adjusted, crude = np.exp(logs) / RATIO
    return Recovered(
        adjusted=float(adjusted),
        crude=float(crude),
        held=float(np.mean([each.lower <= RATIO <= each.upper for each in found])),
        crude_held=float(
            np.mean([each.crude_lower <= RATIO <= each.crude_upper for each in found])
        ),
        events=float(np.mean([each.events for each in found])),
    )
