"""Are sites beyond protected limits beyond exact ones? Registries of sites that differ by a known
amount, as numbers alone: exact counts, and the same ones perturbed and hidden.

What a registry is made of: sites of unequal size (lognormal, a few with half of the patients),
each with a hazard of its own, some with one of three times the others'.
"""

from dataclasses import dataclass

import numpy as np

from registry.disclosure import Policy
from registry.disclosure.table import frozen_tables
from registry.reporting.estimating.funnel import funnel_of, overall_rate
from registry.reporting.estimating.observed import Observed
from registry.reporting.protected.funnels import funnel_of_shown
from registry.vocabulary import CellStatus, Denominator

MONTHS_PER_EVENT = 500.0
OUTLYING = 3.0
LEVELS = {"95 %": ("95", "998"), "99.8 %": ("998",)}
"""How the signals of rows end that are beyond the limits of each level."""


@dataclass(frozen=True, slots=True)
class Setting:
    """sites, events that each expects on average, the standard deviation of the logarithms of
    their hazards, and whether one has three times the others'."""

    sites: int
    events: float
    spread: float
    outlier: bool = False

    def __str__(self) -> str:
        beside = ", one outlying" if self.outlier else ""
        return f"{self.sites} sites, {self.events:g} events each, spread {self.spread:g}{beside}"


SETTINGS = (
    Setting(24, 20, 0.0, outlier=True),
    Setting(24, 20, 0.2),
    Setting(24, 20, 0.2, outlier=True),
    Setting(24, 20, 0.4),
    Setting(24, 40, 0.0),
    Setting(14, 40, 0.25),
    Setting(16, 25, 0.3),
    Setting(24, 60, 0.2, outlier=True),
    Setting(40, 30, 0.4),
    Setting(24, 100, 0.4),
)


@dataclass(slots=True)
class FunnelTally:
    """Over registries: verdicts given, those that are none in exact numbers, those that exact
    numbers have among shown sites, shown sites, registries judged, and outlying sites found."""

    given: int = 0
    untrue: int = 0
    exact: int = 0
    shown: int = 0
    judged: int = 0
    found: int = 0


def tallies(setting: Setting, *, registries: int, seed: int) -> dict[str, FunnelTally]:
    """The verdicts of so many registries, by level."""
    chance = np.random.default_rng(seed)
    tally = {level: FunnelTally() for level in LEVELS}
    for _ in range(registries):
        _add(tally, setting, chance)
    return tally


def _add(tally: dict[str, FunnelTally], setting: Setting, chance: np.random.Generator) -> None:
    exact, shown, of_all = _registry(setting, chance)
    target = overall_rate(exact)
    expected = {site.key: (target or 0.0) * (site.exposure or 0.0) for site in exact}
    true, _about = funnel_of(exact, expected, target=target, per=1, standardisation="crude")
    told, about = funnel_of_shown(shown, of_all, per=1)
    outlying = (setting.sites // 2,) if setting.outlier else None
    for level, ends in LEVELS.items():
        line = tally[level]
        line.judged += about["funnel"]["verdicts"]["given"]
        for one, other in zip(told, true, strict=True):
            if one.numbers.get("ratio") is None:
                continue
            given, really = str(one.numbers["signal"]), str(other.numbers["signal"])
            line.shown += 1
            line.exact += really.endswith(ends)
            line.given += given.endswith(ends)
            same_side = really[:5] == given[:5]
            line.untrue += given.endswith(ends) and not (really.endswith(ends) and same_side)
            line.found += given.endswith(ends) and one.key == outlying


def _registry(
    setting: Setting, chance: np.random.Generator
) -> tuple[list[Observed], list[Observed], Observed]:
    """The sites in exact and in shown numbers, and the shown numbers of all."""
    size = np.clip(chance.lognormal(0.0, 0.7, setting.sites), 0.4, 4.0)
    expected = setting.events * size / size.mean()
    hazard = np.exp(chance.normal(0.0, setting.spread, setting.sites) - setting.spread**2 / 2)
    if setting.outlier:
        hazard[setting.sites // 2] *= OUTLYING
    time = expected * MONTHS_PER_EVENT
    counts = chance.poisson(expected * hazard)
    exact = [_site(at, int(n), t) for at, (n, t) in enumerate(zip(counts, time, strict=True))]
    shown = [
        _shown(at, n, t)
        for at, (n, t) in enumerate(zip(_noisy(counts, chance), _moved(time, chance), strict=True))
    ]
    total, whole = (
        _noisy(counts.sum(keepdims=True), chance),
        _moved(time.sum(keepdims=True), chance),
    )
    return exact, shown, _shown(-1, total[0], whole[0])


def _noisy(counts: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    noise = sum(table.draw(counts, chance.random(counts.size)) for table in frozen_tables())
    return np.maximum(counts + noise, 0)


def _moved(time: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    rule = Policy().exposure[Denominator.CATHETER_MONTHS]
    spread = rule.per_device * Policy().most_variance ** 0.5
    return np.rint((time + chance.normal(0.0, spread, time.size)) / rule.rounding) * rule.rounding


def _shown(at: int, count: float, time: float) -> Observed:
    policy = Policy()
    rule = policy.exposure[Denominator.CATHETER_MONTHS]
    if count < policy.threshold or time < rule.minimum:
        return Observed(
            key=(at,), numbers={}, status=CellStatus.SUPPRESSED, events=None, exposure=None
        )
    return _site(
        at,
        int(count),
        float(time),
        count_variance=policy.variance(int(count)),
        exposure_sd=rule.per_device * policy.most_variance**0.5,
    )


def _site(at: int, count: int, time: float, **noise: float) -> Observed:
    return Observed(
        key=(at,), numbers={}, status=CellStatus.OK, events=count, exposure=time, **noise
    )


def table(*, registries: int, seed: int) -> str:
    """The table as it stands in the docs."""
    written = [
        "| registry | limits | judged | verdicts | untrue | exact verdicts | outlying found |",
        "|---|---|---|---|---|---|---|",
    ]
    sums = {level: FunnelTally() for level in LEVELS}
    for place, setting in enumerate(SETTINGS):
        for level, line in tallies(setting, registries=registries, seed=seed + place).items():
            sums[level].given += line.given
            sums[level].untrue += line.untrue
            sums[level].exact += line.exact
            sums[level].shown += line.shown
            found = line.found if setting.outlier else ""
            written.append(
                f"| {setting} | {level} | {line.judged} | {line.given} | {_share(line)} | "
                f"{line.exact} of {line.shown} | {found} |"
            )
    for level, line in sums.items():
        written.append(
            f"| all | {level} | | {line.given} | {_share(line)} | {line.exact} of {line.shown} | |"
        )
    return "\n".join(written)


def _share(line: FunnelTally) -> str:
    return f"{line.untrue} ({100 * line.untrue / max(line.given, 1):.1f} %)"
