"""Sites' observed against expected events, with limits for chance and over-dispersion."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from registry.records import DIMENSIONS, BadQuery, Cell, Fault
from registry.reporting.asking.question import question_of
from registry.reporting.asking.spec import Question, Row
from registry.reporting.estimating.cells import rate_cells
from registry.reporting.estimating.observed import Observed, observed_of
from registry.reporting.words.reasons import in_words
from registry.snapshot.statement import Key
from registry.snapshot.store import Store
from registry.statistics.arguments import tail
from registry.statistics.funnel import chance_of_none, overdispersion, poisson_limits
from registry.statistics.results import FloatArray, LimitArrays
from registry.vocabulary import CellStatus

CRUDE = "crude"
WITHIN = "within"
"""The position of a site within all limits."""
NOT_JUDGED = "not-judged"
"""That of a shown site whose ratio nothing can be said of."""

LIMITS = {"95": 0.95, "998": 0.998}
MULTIPLICITY = (
    "Of sites that differ by chance alone, one in twenty lies beyond the 95 % limits and one in "
    "five hundred beyond the 99.8 % limits; no limit is adjusted for the number of sites. A site "
    "beyond them is a reason to look, not a finding."
)


@dataclass(frozen=True, slots=True)
class Standardised:
    """Events, exposure and expected events of each site, summed over strata."""

    events: Mapping[Key, int]
    exposure: Mapping[Key, float]
    expected: Mapping[Key, float]


def funnel_sites(
    store: Store, question: Question, *, per: float
) -> tuple[list[Observed], dict[Key, float], str]:
    """The sites' exact numbers, their expected events, and the standardisation.

    Crude: the rate of the selection times the site's exposure. Standardised: the selection's rate
    in each stratum times the site's exposure there, summed (indirect standardisation). Raises
    BadQuery where a dimension cannot be adjusted for.
    """
    refuse_what_cannot_be_adjusted_for(question)
    sites = [observed_of(each, per=per) for each in rate_cells(store, question, per=per)]
    names = question.query.standardise
    if not names:
        return sites, _crude(sites), CRUDE
    found = _standardised(store, question, per=per)
    adjusted = [_adjusted(site, found) for site in sites]
    return adjusted, dict(found.expected), f"indirect: {', '.join(names)}"


def funnel_of(
    sites: Sequence[Observed],
    expected: Mapping[Key, float],
    *,
    target: float | None,
    per: float,
    standardisation: str,
) -> tuple[list[Row], dict[str, Any]]:
    """The rows and the metadata of a funnel of exact numbers.

    expected: events by site, above 0 where the site counts. target: the rate of the selection per
    unit of exposure, None where there is none. The limits are those of a ratio of 1 at the site's
    expected number: exact Poisson limits, widened on the log scale for over-dispersion, if ten
    sites or more show it; the lower is 0 where so few events are expected that none is no surprise.
    """
    counted = [site for site in sites if site.counts and expected.get(site.key, 0.0) > 0]
    goal = np.array([expected[site.key] for site in counted])
    beyond = overdispersion([float(site.events or 0) for site in counted], goal)
    tau = beyond.tau or 0.0
    limits = {name: _limits(goal, level=each, tau=tau) for name, each in LIMITS.items()}
    rows = placed_rows(sites, counted, goal.tolist(), limits)
    about = {
        "target_rate": None if target is None else per * target,
        "per": per,
        "standardisation": standardisation,
        "overdispersion": {
            "phi": beyond.phi,
            "tau2": None if beyond.tau is None else beyond.tau**2,
            "applied": tau > 0,
            "reason": in_words(beyond.reason)
            or (None if tau else "The sites differ no more than expected by chance."),
        },
        "sites": len(counted),
        "multiplicity": MULTIPLICITY,
    }
    return rows, {"funnel": about}


def _limits(expected: FloatArray, *, level: float, tau: float) -> LimitArrays:
    """Limits of exact ratios; where none at all is as likely as a tail no ratio is too low."""
    lower, upper = poisson_limits(expected, level=level, tau=tau)
    return np.where(chance_of_none(expected, tau=tau) > tail(level), 0.0, lower), upper


def placed_rows(
    sites: Sequence[Observed],
    counted: Sequence[Observed],
    expected: Sequence[float],
    limits: Mapping[str, LimitArrays],
) -> list[Row]:
    """A row for each site, those that count with their place; in the order of `sites`.

    expected, limits: of each site that counts. Without limits none is judged.
    """
    placed = {
        site.key: _placed(
            site,
            awaited,
            {name: (float(low[at]), float(high[at])) for name, (low, high) in limits.items()},
        )
        for at, (site, awaited) in enumerate(zip(counted, expected, strict=True))
    }
    return [
        Row(site.key, {**site.numbers, **NO_PLACE, **placed.get(site.key, {})}, site.status)
        for site in sites
    ]


def overall_rate(sites: Sequence[Observed]) -> float | None:
    """Events of all sites over their exposure; None where there is none."""
    counted = [site for site in sites if site.counts]
    exposure = sum(site.exposure or 0.0 for site in counted)
    return sum(site.events or 0 for site in counted) / exposure if exposure else None


def _crude(sites: Sequence[Observed]) -> dict[Key, float]:
    target = overall_rate(sites) or 0.0
    return {site.key: target * (site.exposure or 0.0) for site in sites if site.counts}


def _placed(
    site: Observed, expected: float, limits: Mapping[str, tuple[float, float]]
) -> dict[str, Cell]:
    """A site's position; its interval is that of its events, over its expected events."""
    ratio = (site.events or 0) / expected
    (low, high), (lowest, highest) = (limits.get(name, (None, None)) for name in LIMITS)
    return {
        "expected": expected,
        "ratio": ratio,
        "ci_lower": None if site.lower is None else site.lower / expected,
        "ci_upper": None if site.upper is None else site.upper / expected,
        "lower_95": low,
        "upper_95": high,
        "lower_998": lowest,
        "upper_998": highest,
        "signal": _signal(ratio, limits) if limits else NOT_JUDGED,
    }


def _signal(ratio: float, limits: Mapping[str, tuple[float, float]]) -> str:
    """The outermost limits that a ratio lies beyond, or `within`."""
    for name in ("998", "95"):
        lower, upper = limits[name]
        if ratio > upper:
            return f"above-{name}"
        if ratio < lower:
            return f"below-{name}"
    return WITHIN


NO_PLACE: Mapping[str, Cell] = {"ci_lower": None, "ci_upper": None, "signal": None}
"""A site without a point: no ratio, and no limits of its rate."""


def refuse_what_cannot_be_adjusted_for(question: Question) -> None:
    """Raises BadQuery where a dimension to adjust for is not the device's or the patient's."""
    for name in question.query.standardise:
        dimension = DIMENSIONS.get(name)
        if dimension is None or not dimension.of_devices_alone:
            detail = "Adjust for a property of the device or the patient, such as age_band."
            raise BadQuery(Fault("standardise", "bad-standard", detail))


def _standardised(store: Store, question: Question, *, per: float) -> Standardised:
    """Each site's expected events from its mix of strata, at the selection's rate in each.

    Where a patient's first event counts and the patient's devices are in several strata, the first
    in each stratum counts.
    """
    query = question.query
    grouped = replace(query, group_by=("site", *query.standardise), standardise=())
    finer = question_of(grouped, question.spec, manifest=store.manifest)
    cells = [observed_of(each, per=per) for each in rate_cells(store, finer, per=per)]
    counted = [cell for cell in cells if cell.counts]
    strata: dict[Key, list[Observed]] = {}
    for cell in counted:
        strata.setdefault(cell.key[1:], []).append(cell)
    rates = {stratum: overall_rate(members) or 0.0 for stratum, members in strata.items()}
    events: dict[Key, int] = {}
    exposure: dict[Key, float] = {}
    expected: dict[Key, float] = {}
    for cell in counted:
        site, time = cell.key[:1], cell.exposure or 0.0
        events[site] = events.get(site, 0) + (cell.events or 0)
        exposure[site] = exposure.get(site, 0.0) + time
        expected[site] = expected.get(site, 0.0) + rates[cell.key[1:]] * time
    return Standardised(events, exposure, expected)


def _adjusted(site: Observed, found: Standardised) -> Observed:
    """A site's events and exposure that have a stratum, so that both match.

    Declared exposure has none: a site with declared exposure only has no denominator here.
    """
    if site.key not in found.expected:
        return replace(
            site,
            numbers={**site.numbers, "exposure": 0.0},
            status=CellStatus.NO_DENOMINATOR,
            events=None,
            exposure=None,
        )
    events, exposure = found.events[site.key], found.exposure[site.key]
    scale = events / site.events if site.events else 1.0
    return replace(
        site,
        numbers={**site.numbers, "events": events, "exposure": exposure},
        events=events,
        exposure=exposure,
        lower=None if site.lower is None else site.lower * scale,
        upper=None if site.upper is None else site.upper * scale,
    )
