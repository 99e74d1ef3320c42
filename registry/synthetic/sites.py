"""The sites of a synthetic registry, of different size and data quality.

From five sites on, two declare device time instead of sending implants; from three on, one has
complications at three times the rate of the others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from registry.synthetic.hazards import STRATA, Floats, Stratum

OUTLYING_FACTOR = 3.0
MOST_SITES = 500

_MIXES: tuple[tuple[str, dict[Stratum, float]], ...] = (
    (
        "Pain clinic",
        {
            Stratum.OPIOID_NONCANCER: 0.66,
            Stratum.OPIOID_CANCER: 0.08,
            Stratum.BACLOFEN: 0.06,
            Stratum.ZICONOTIDE: 0.08,
            Stratum.NON_OPIOID: 0.12,
        },
    ),
    ("Rehabilitation hospital", {Stratum.BACLOFEN: 0.96, Stratum.OPIOID_NONCANCER: 0.04}),
    (
        "Teaching hospital",
        {
            Stratum.OPIOID_NONCANCER: 0.36,
            Stratum.OPIOID_CANCER: 0.08,
            Stratum.BACLOFEN: 0.44,
            Stratum.ZICONOTIDE: 0.05,
            Stratum.NON_OPIOID: 0.07,
        },
    ),
    ("Children's hospital", {Stratum.BACLOFEN: 1.0}),
    (
        "Cancer centre",
        {
            Stratum.OPIOID_CANCER: 0.82,
            Stratum.OPIOID_NONCANCER: 0.10,
            Stratum.ZICONOTIDE: 0.05,
            Stratum.NON_OPIOID: 0.03,
        },
    ),
)
_CHILDREN = {"Children's hospital": 0.92, "Rehabilitation hospital": 0.12, "Teaching hospital": 0.1}
_COUNTRIES = ("DE", "US", "GB", "FR", "JP", "NL", "CA", "AU", "IT", "SE")


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticSite:
    """One made-up site.

    weight: its share of all patients, before scaling. quality: share of optional cells filled in.
    opened: calendar months since 2000 from which it follows patients. strata: share of each
    stratum, in their order. children: share of its baclofen patients under 18.
    declares: sends device time per year, and events without an implant. models_declared: by
    model. counts_refills: its pumps carry counts of refills.
    """

    code: str
    name: str
    country: str
    weight: float
    quality: float
    opened: int
    strata: tuple[float, ...]
    children: float
    factor: float = 1.0
    declares: bool = False
    models_declared: bool = False
    counts_refills: bool = True


def make_sites(rng: np.random.Generator, count: int) -> tuple[SyntheticSite, ...]:
    """Make sites of different size, quality and kind; the kinds take turns.

    Sizes are lognormal, so that a few sites have half of the patients. Raises ValueError unless
    there are 1 to 500.
    """
    if not 1 <= count <= MOST_SITES:
        raise ValueError(f"sites: ask for 1 to {MOST_SITES}")
    weights: Floats = rng.lognormal(0.0, 0.7, count)
    qualities = rng.beta(12, 2, count)
    openings = rng.integers(6 * 12, 15 * 12, count)
    outlying = count // 2 if count >= 3 else -1
    declaring = {count - 1, count - 2} if count >= 5 else set()
    made = []
    for number in range(count):
        kind, mix = _MIXES[number % len(_MIXES)]
        made.append(
            SyntheticSite(
                code=f"SITE-{number + 1:02d}",
                name=f"{kind} {number + 1}",
                country=_COUNTRIES[number % len(_COUNTRIES)],
                weight=float(np.clip(weights[number], 0.4, 4.0)),
                quality=float(np.clip(qualities[number], 0.6, 0.98)),
                opened=int(openings[number]),
                strata=tuple(mix.get(stratum, 0.0) for stratum in STRATA),
                children=_CHILDREN.get(kind, 0.0),
                factor=OUTLYING_FACTOR if number == outlying else 1.0,
                declares=number in declaring,
                models_declared=number == count - 1,
                counts_refills=number % 7 != 3,
            )
        )
    return tuple(made)
