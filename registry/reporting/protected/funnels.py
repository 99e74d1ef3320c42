"""Protected funnels: a site is beyond their limits where it very probably is in exact numbers."""

from collections.abc import Sequence
from dataclasses import replace
from math import hypot
from typing import Any

import numpy as np

from registry.disclosure import Protection, plan
from registry.reporting.asking.freshness import Frozen
from registry.reporting.asking.spec import Answered, ProtectedQuestion, Row
from registry.reporting.estimating.funnel import CRUDE, LIMITS, overall_rate, placed_rows
from registry.reporting.estimating.observed import Observed
from registry.reporting.protected.shown import observed_rows, shown_nodes
from registry.statistics.funnel import limits_beyond_noise, overdispersion, tau_at_most
from registry.statistics.results import LimitArrays, Overdispersion
from registry.vocabulary import CellStatus, HiddenReason

ENOUGH_EXPECTED = 10.0
FEWEST_JUDGED = 10
LEAST_TOLD = 2 / 3
BEYOND_NOISE = 2.0
"""Standard deviations of the noise by which a ratio lies beyond the limits of exact numbers."""

RULE = (
    f"Verdicts need {FEWEST_JUDGED} sites or more that are shown and expect {ENOUGH_EXPECTED:g} "
    "events or more, and two thirds of all sites shown: how much sites differ beyond chance cannot "
    "be found from fewer, and exact limits allow for it"
)
MULTIPLICITY = (
    "These limits are wider than those of exact numbers: they take the variance between sites at "
    f"its upper limit and lie out by {BEYOND_NOISE:g} standard deviations of the noise, so that at "
    "most one in ten sites beyond them is within the limits in exact numbers. A site within them "
    "may be beyond the limits in exact numbers. A site beyond them is a reason to look, not a "
    "finding"
)


def shown_funnel(question: ProtectedQuestion, frozen: Frozen, protection: Protection) -> Answered:
    """Shown sites against the rate of the whole selection, which is a node of its own."""
    shown = shown_nodes(question, question.plan, frozen=frozen, protection=protection)
    whole = plan(
        replace(question.query, group_by=()), question.trees, question.policy, by_funnel=True
    )
    shown_whole = shown_nodes(question, whole, frozen=frozen, protection=protection)
    sites = observed_rows(question, question.plan, shown)
    (of_all,) = observed_rows(question, whole, shown_whole)
    return Answered(*funnel_of_shown(sites, of_all, per=question.query.per or 1))


def funnel_of_shown(
    sites: Sequence[Observed], of_all: Observed, *, per: float
) -> tuple[list[Row], dict[str, Any]]:
    """The rows and the metadata of a funnel of shown numbers; of_all: the whole selection's."""
    target = overall_rate([of_all])
    if not target:
        sites = [_not_compared(site) for site in sites]
    counted = [site for site in sites if target and site.counts and site.exposure]
    expected = [(target or 0.0) * (site.exposure or 0.0) for site in counted]
    spread = _SpreadOfSites(counted, expected, of_all)
    is_judged = len(counted) >= LEAST_TOLD * len(sites) and spread.found.tau is not None
    rows = placed_rows(sites, counted, expected, spread.limits() if is_judged else {})
    about = {
        "target_rate": None if target is None else per * target,
        "per": per,
        "standardisation": CRUDE,
        "overdispersion": spread.about(is_judged),
        "verdicts": {
            "given": is_judged,
            "rule": RULE,
            "shown": len(counted),
            "of": len(sites),
            "expecting_enough": spread.sites,
            "reason": None if is_judged else _why_not(len(counted), len(sites), spread.sites),
        },
        "sites": len(counted),
        "multiplicity": MULTIPLICITY,
    }
    return rows, {"funnel": about}


class _SpreadOfSites:
    """How much shown sites differ beyond chance and noise, and the limits that follow."""

    def __init__(
        self, counted: Sequence[Observed], expected: Sequence[float], of_all: Observed
    ) -> None:
        self._expected = np.array(expected)
        self._variance = np.array([site.count_variance for site in counted])
        common = hypot(of_all.count_variance**0.5 / (of_all.events or 1), of_all.exposure_noise)
        self._sd = np.array([hypot(site.exposure_noise, common) for site in counted])
        enough = self._expected >= ENOUGH_EXPECTED
        self._enough = self._expected[enough]
        noise = self._variance / np.maximum(self._expected, 1e-9) ** 2 + self._sd**2
        self._noise = noise[enough]
        events = np.array([float(site.events or 0) for site in counted])
        self.sites = int(enough.sum())
        self.found: Overdispersion = overdispersion(
            events[enough], self._enough, added_variance=self._noise
        )

    def tau(self, level: float) -> float:
        """The upper limit of the standard deviation between sites."""
        found = tau_at_most(self.found, self._enough, level=level, added_variance=self._noise)
        return found or 0.0

    def limits(self) -> dict[str, LimitArrays]:
        """The limits of every shown site, by name."""
        return {
            name: limits_beyond_noise(
                self._expected,
                level=level,
                tau=self.tau(level),
                count_variance=self._variance,
                ratio_sd=self._sd,
                noise_sds=BEYOND_NOISE,
            )
            for name, level in LIMITS.items()
        }

    def about(self, is_judged: bool) -> dict[str, Any]:
        """What an answer says of it; the variance that the limits take is its upper limit."""
        tau = self.found.tau
        return {
            "phi": self.found.phi,
            "tau2": None if tau is None else tau**2,
            "tau2_at_most": {name: self.tau(level) ** 2 for name, level in LIMITS.items()}
            if is_judged
            else None,
            "applied": is_judged,
            "reason": None if is_judged else "There are no limits.",
        }


def _not_compared(site: Observed) -> Observed:
    """A shown site where the rate of all sites is hidden."""
    if not site.counts:
        return site
    numbers = {**site.numbers, "reason": HiddenReason.MARGINS}
    return replace(site, numbers=numbers, status=CellStatus.HIDDEN)


def _why_not(shown: int, sites: int, enough: int) -> str:
    return (
        f"No site is judged: {shown} of {sites} sites are shown, and {enough} of these expect "
        f"{ENOUGH_EXPECTED:g} events or more. {RULE}. Exact numbers, under an agreement, have "
        "verdicts."
    )
