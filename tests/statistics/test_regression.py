"""Poisson regression: closed forms, what it refuses, and clusters told in two ways."""

import numpy as np
import pytest
import statsmodels.api as sm

from registry.statistics.regression import (
    ClusterTable,
    PairSums,
    poisson_regression,
    robust_covariance,
)
from registry.statistics.results import Reason

TWO = np.array([[1.0, 0.0], [1.0, 1.0]])


def pairs_of(events: np.ndarray, exposure: np.ndarray) -> PairSums:
    """The pair sums of clusters told one by one."""
    places = np.indices((events.shape[1], events.shape[1])).reshape(2, -1)
    products = (events.T @ events, events.T @ exposure, exposure.T @ exposure)
    clusters = int(((events != 0) | (exposure != 0)).any(axis=1).sum())
    return PairSums(places[0], places[1], *(each.ravel() for each in products), clusters)


def test_two_groups_have_the_ratio_of_their_rates_and_woolfs_variance() -> None:
    fit = poisson_regression([10, 30], [100.0, 150.0], TWO)

    assert np.exp(fit.coefficients) == pytest.approx([0.1, 2.0], rel=1e-12)
    assert fit.covariance[1, 1] == pytest.approx(1 / 10 + 1 / 30, rel=1e-12)
    assert fit.fitted == pytest.approx([10, 30], rel=1e-12)


def test_fit_and_sandwich_are_those_of_statsmodels() -> None:
    dice = np.random.default_rng(7)
    design = np.column_stack([np.ones(24), dice.normal(size=24), np.arange(24) % 2])
    time = dice.uniform(10, 300, 24)
    events = dice.poisson(time * 0.03)
    clusters = np.arange(24) % 8

    fit = poisson_regression(events, time, design)
    table = np.zeros((2, 8, 24))
    table[0, clusters, np.arange(24)], table[1, clusters, np.arange(24)] = events, time
    robust = robust_covariance(fit, time, design, ClusterTable(*table))

    model = sm.GLM(events, design, family=sm.families.Poisson(), offset=np.log(time))
    theirs = model.fit(tol=1e-14)
    grouped = model.fit(
        tol=1e-14,
        cov_type="cluster",
        cov_kwds={"groups": clusters, "use_correction": False},
    )
    assert fit.coefficients == pytest.approx(theirs.params, rel=1e-9)
    # its weights are those of the step before the last
    assert fit.covariance == pytest.approx(theirs.cov_params(), rel=1e-7)
    assert robust == pytest.approx(grouped.cov_params() * 8 / 7, rel=1e-7)


def test_pairs_of_cells_give_the_variance_of_clusters_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dice = np.random.default_rng(3)
    time = dice.uniform(0, 20, (40, 6)) * (dice.random((40, 6)) < 0.5)
    events = dice.poisson(0.05 * time).astype(float)
    design = np.column_stack([np.ones(6), np.arange(6) % 2, np.arange(6) // 2 == 1]).astype(float)
    fit = poisson_regression(events.sum(axis=0), time.sum(axis=0), design)
    monkeypatch.setattr("registry.statistics.regression.AT_ONCE", 5)

    told = [
        robust_covariance(fit, time.sum(axis=0), design, sums)
        for sums in (ClusterTable(events, time), pairs_of(events, time))
    ]

    assert told[0] == pytest.approx(told[1], rel=1e-10)


def test_sums_of_some_cells_are_those_of_a_table_of_them() -> None:
    dice = np.random.default_rng(5)
    time = dice.uniform(1, 9, (12, 4))
    events = dice.poisson(time / 4).astype(float)
    kept = np.array([True, False, True, True])
    rates, design = np.array([0.2, 0.3, 0.25]), np.eye(3)

    own = ClusterTable(events[:, kept], time[:, kept]).meat(rates, design)

    for sums in (ClusterTable(events, time), pairs_of(events, time)):
        assert sums.within(np.zeros(4, dtype=np.bool_)).clusters == 12
        assert sums.within(kept).meat(rates, design) == pytest.approx(own, rel=1e-12)


def test_clusters_with_nothing_do_not_count() -> None:
    assert ClusterTable(np.array([[0.0], [1.0]]), np.array([[0.0], [0.0]])).clusters == 1


def test_columns_that_repeat_one_another_leave_what_the_cells_determine() -> None:
    design = np.array([[1.0, 0.0, 0.0], [1.0, 1.0, 1.0]])

    fit = poisson_regression([10, 30], [100.0, 150.0], design)

    both, one = np.array([0.0, 1.0, 1.0]), np.array([0.0, 1.0, 0.0])
    assert fit.is_estimable(both)
    assert not fit.is_estimable(one)
    assert np.exp(both @ fit.coefficients) == pytest.approx(2.0, rel=1e-12)
    assert both @ fit.covariance @ both == pytest.approx(1 / 10 + 1 / 30, rel=1e-12)


@pytest.mark.parametrize(
    "design",
    [
        TWO,  # the second of two groups has no event
        np.array([[1.0, 0.0], [1.0, 1.0]])[::-1],
    ],
)
def test_separated_events_have_no_fit(design: np.ndarray) -> None:
    events = [12, 0] if design[0, 1] == 0 else [0, 12]

    assert poisson_regression(events, [0.25, 90_000.0], design).reason is Reason.NOT_CONVERGED


def test_separation_by_a_missing_cell_has_no_fit() -> None:
    # group 0 has no exposure in stratum 0, so that group 1 accounts for all of stratum 0's events
    # and group 0 for as many as stratum 1 has: nothing is left for group 1 there
    design = np.array([[1.0, 0.0, 1.0], [1.0, 1.0, 0.0], [1.0, 1.0, 1.0]])

    assert poisson_regression([5, 5, 0], [50.0] * 3, design).reason is Reason.NOT_CONVERGED


def test_nothing_happened_has_no_fit() -> None:
    assert poisson_regression([0, 0], [1.0, 2.0], TWO).reason is Reason.TOO_FEW_EVENTS


def test_rates_far_apart_are_fitted() -> None:
    fit = poisson_regression([1, 400_000], [200_000.0, 100_000.0], TWO)

    assert np.exp(fit.coefficients[1]) == pytest.approx(800_000, rel=1e-9)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (([1, 2], [1.0, 0.0], TWO), "exposure"),
        (([1, 2], [1.0], TWO), "events"),
        (([1, 2, 3], [1.0, 1.0, 1.0], TWO), "design"),
        (([1, -2], [1.0, 1.0], TWO), "events"),
        (([1, 2], [1.0, 1.0], np.ones(2)), "design"),
    ],
)
def test_what_cannot_be_fitted_is_refused(arguments: tuple, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        poisson_regression(*arguments)


def test_variance_between_clusters_needs_two() -> None:
    fit = poisson_regression([3, 4], [10.0, 10.0], TWO)

    with pytest.raises(ValueError, match="two"):
        robust_covariance(
            fit, [10.0, 10.0], TWO, ClusterTable(np.array([[3.0, 4.0]]), np.full((1, 2), 10.0))
        )
