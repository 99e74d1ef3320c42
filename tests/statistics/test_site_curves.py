"""Limits of curves by the jackknife over clusters: by hand, and whether they hold the truth."""

import numpy as np
import pytest
from scipy.special import stdtrit

from registry.statistics.site_curves import ClusterMonths, jackknifed
from registry.statistics.survival import cumulative_incidence, kaplan_meier

LAST = 36


def sites_of(
    dice: np.random.Generator, sites: int, spread: float, devices: int = 40
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Site, end and cause of devices: 1 the event, 2 death, 0 censored, in months to 36."""
    frailty = dice.gamma(1 / spread**2, spread**2, sites) if spread else np.ones(sites)
    site = np.repeat(np.arange(sites), devices)
    event = np.ceil(dice.exponential(1 / (0.012 * frailty[site])))
    death = np.ceil(dice.exponential(200, site.size))
    left = np.ceil(dice.uniform(6, 60, site.size))
    end = np.minimum(np.minimum(event, death), np.minimum(left, LAST))
    return site, end, np.where(event == end, 1, np.where(death == end, 2, 0))


def months_of(site: np.ndarray, end: np.ndarray, cause: np.ndarray, n: int) -> ClusterMonths:
    months = np.arange(LAST + 1)

    def table(wanted: int) -> np.ndarray:
        return np.array(
            [
                np.bincount(end[(site == s) & (cause == wanted)].astype(int), minlength=LAST + 1)
                for s in range(n)
            ]
        )

    at_risk = np.array([(end[site == s][:, None] >= months).sum(axis=0) for s in range(n)])
    return ClusterMonths(at_risk, table(1), table(2))


@pytest.mark.parametrize("incidence", [False, True])
def test_variance_is_that_of_curves_without_one_site_each(incidence: bool) -> None:
    site, end, cause = sites_of(np.random.default_rng(3), 12, 0.5)

    found = jackknifed(months_of(site, end, cause, 12), incidence=incidence)

    def at_24(kept: np.ndarray) -> float:
        if incidence:
            curve = cumulative_incidence(end[kept], cause[kept])
            return float(curve.incidence[1][np.searchsorted(curve.times, 24, "right") - 1])
        curve = kaplan_meier(end[kept], cause[kept] == 1)
        return float(curve.survival[np.searchsorted(curve.times, 24, "right") - 1])

    without = np.array([at_24(site != each) for each in range(12)])
    se = np.sqrt(11 / 12 * ((without - without.mean()) ** 2).sum())
    whole = at_24(np.ones(site.size, dtype=bool))
    assert found is not None
    assert found.se[24] == pytest.approx(se, rel=1e-9)
    wide = -stdtrit(11, 0.025) * se / (whole * -np.log(whole))
    assert found.lower[24] == pytest.approx(whole ** np.exp(wide), rel=1e-9)
    assert found.upper[24] == pytest.approx(whole ** np.exp(-wide), rel=1e-9)


def test_under_ten_sites_have_no_such_limits() -> None:
    site, end, cause = sites_of(np.random.default_rng(3), 12, 0.5)
    nobody = months_of(site, end, cause, 12)
    few = ClusterMonths(*(table[:9] for table in (nobody.at_risk, nobody.events, nobody.others)))

    assert jackknifed(few, incidence=False) is None


def test_limits_hold_the_truth_where_sites_differ_and_greenwoods_do_not() -> None:
    dice = np.random.default_rng(8)
    spread, held, greenwood, tried = 0.5, 0, 0, 300
    truth = (1 + 0.012 * 24 * spread**2) ** (
        -1 / spread**2
    )  # freedom over all sites, gamma frailty
    for _ in range(tried):
        site, end, cause = sites_of(dice, 20, spread)
        found = jackknifed(months_of(site, end, cause, 20), incidence=False)
        assert found is not None
        held += found.lower[24] <= truth <= found.upper[24]
        curve = kaplan_meier(end, cause == 1)
        at = np.searchsorted(curve.times, 24, "right") - 1
        greenwood += curve.lower[at] <= truth <= curve.upper[at]

    assert 0.91 <= held / tried <= 0.98
    assert greenwood / tried < 0.8
