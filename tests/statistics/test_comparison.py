"""Comparisons of rates: closed forms, confounding, what has no ratio and why, and clusters."""

import numpy as np
import pytest
from scipy import stats

from registry.statistics.comparison import Cells, Clusters, compare, mantel_haenszel
from registry.statistics.regression import ClusterTable
from registry.statistics.results import Reason

Z = stats.norm.ppf(0.975)


def cells(*rows: tuple[float, float, int, object]) -> Cells:
    """Cells of (events, exposure, group, stratum)."""
    events, time, groups, strata = zip(*rows, strict=True)
    return Cells.of(events, time, groups, [(each,) for each in strata])


CONFOUNDED = cells((10, 100, 0, "a"), (80, 200, 0, "b"), (40, 200, 1, "a"), (80, 100, 1, "b"))
"""Twice the rate in either stratum; the second group has most time where rates are low."""


def test_two_groups_have_the_crude_ratio_and_difference_with_their_wald_limits() -> None:
    found = compare(cells((10, 100, 0, "a"), (30, 150, 1, "a")), 0, per=100)

    reference, other = found.contrasts
    half = Z * np.sqrt(1 / 10 + 1 / 30)
    assert (reference.ratio, reference.lower, reference.difference) == (1.0, None, 0.0)
    assert other.ratio == pytest.approx(2.0, rel=1e-12)
    assert (other.lower, other.upper) == pytest.approx((2 * np.exp(-half), 2 * np.exp(half)))
    wide = Z * np.sqrt(10 / 100**2 + 30 / 150**2) * 100
    assert other.difference == pytest.approx(10.0)
    assert (other.difference_lower, other.difference_upper) == pytest.approx((10 - wide, 10 + wide))
    assert other.robust_to == "nothing"


def test_wald_test_of_two_groups_is_that_of_their_ratio() -> None:
    found = compare(cells((10, 100, 0, "a"), (30, 150, 1, "a")), 0).test

    statistic = np.log(2) ** 2 / (1 / 10 + 1 / 30)
    assert (found.statistic, found.df, found.df_within) == (pytest.approx(statistic), 1, None)
    assert found.p == pytest.approx(stats.chi2.sf(statistic, 1))


def test_test_does_not_depend_on_the_reference() -> None:
    table = cells((10, 100, 0, "a"), (30, 150, 1, "a"), (25, 90, 2, "a"))

    told = [compare(table, reference).test.statistic for reference in range(3)]

    assert told == pytest.approx([told[0]] * 3)


def test_adjusted_ratio_is_that_within_strata_and_the_crude_one_is_not() -> None:
    adjusted, crude = (compare(CONFOUNDED, 0, adjusted=each) for each in (True, False))

    assert adjusted.contrasts[1].ratio == pytest.approx(2.0, rel=1e-12)
    assert crude.contrasts[1].ratio == pytest.approx((120 / 300) / (90 / 300), rel=1e-12)
    assert mantel_haenszel(CONFOUNDED, 1, 0) == pytest.approx(2.0, rel=1e-12)
    # 0.1 and 0.4 a unit in the reference's strata, half of all exposure in each
    assert adjusted.contrasts[1].difference == pytest.approx(0.25, rel=1e-12)
    assert (adjusted.parameters, adjusted.events, adjusted.without_events) == (3, 210, 0)


def test_mantel_haenszel_is_that_of_rothmans_strata() -> None:
    # Rothman and Boice 1979: sum(a T0 / T) over sum(b T1 / T)
    table = cells((5, 100, 1, "x"), (4, 200, 0, "x"), (9, 50, 1, "y"), (7, 70, 0, "y"))

    above, below = 5 * 200 / 300 + 9 * 70 / 120, 4 * 100 / 300 + 7 * 50 / 120
    assert mantel_haenszel(table, 1, 0) == pytest.approx(above / below, rel=1e-12)


@pytest.mark.parametrize("empty", [0, 1])
def test_mantel_haenszel_without_events_in_either_group_is_undefined(empty: int) -> None:
    events = [3.0, 3.0]
    events[empty] = 0.0

    table = cells((events[0], 10, 0, "x"), (events[1], 10, 1, "x"))

    assert mantel_haenszel(table, 1, 0) is None


def test_strata_of_one_group_say_nothing_by_mantel_haenszel() -> None:
    table = cells((5, 100, 1, "x"), (4, 100, 0, "x"), (90, 50, 1, "y"))

    assert mantel_haenszel(table, 1, 0) == pytest.approx(1.25)


def test_group_without_events_has_no_ratio_and_the_others_are_as_without_it() -> None:
    without = compare(CONFOUNDED, 0)
    rows = [(10, 100, 0, "a"), (80, 200, 0, "b"), (40, 200, 1, "a"), (80, 100, 1, "b")]
    found = compare(cells(*rows, (0, 70, 2, "a"), (0, 20, 2, "c")), 0)

    assert found.contrasts[2].ratio is None
    assert found.contrasts[2].reason is Reason.NO_EVENTS_HERE
    assert found.contrasts[1].ratio == pytest.approx(without.contrasts[1].ratio)
    assert found.contrasts[1].difference == pytest.approx(without.contrasts[1].difference)
    assert found.test.df == 1


def test_reference_without_events_compares_nothing() -> None:
    found = compare(cells((0, 100, 0, "a"), (30, 150, 1, "a")), 0)

    assert found.contrasts[1].ratio is None
    assert found.reason is found.test.reason is Reason.NO_EVENTS_IN_REFERENCE


def test_level_without_events_weighs_in_differences_with_a_rate_of_nothing() -> None:
    rows = [(10, 100, 0, "a"), (30, 100, 1, "a")]
    found = compare(cells(*rows, (0, 100, 0, "b"), (0, 100, 1, "b")), 0)

    assert found.contrasts[1].ratio == pytest.approx(3.0)
    assert found.contrasts[1].difference == pytest.approx((0.3 - 0.1) / 2)
    assert found.without_events == 200


def test_group_that_no_stratum_connects_with_the_reference_is_not_compared() -> None:
    found = compare(cells((10, 100, 0, "a"), (30, 100, 1, "a"), (9, 10, 2, "b")), 0)

    assert found.contrasts[1].ratio == pytest.approx(3.0)
    assert found.contrasts[2].reason is Reason.NO_COMMON_STRATUM
    assert found.contrasts[2].ratio is None
    assert found.contrasts[1].difference == pytest.approx(0.2)  # not over the other's stratum
    assert found.test.df == 1


def test_groups_joined_by_a_third_are_compared() -> None:
    rows = [(10, 100, 0, "a"), (20, 100, 1, "a"), (10, 100, 1, "b"), (40, 100, 2, "b")]

    found = compare(cells(*rows), 0)

    assert found.contrasts[2].ratio == pytest.approx(8.0)  # twice, and four times that


def test_regression_that_runs_away_has_a_reason_and_no_number() -> None:
    found = compare(cells((5, 50, 0, "b"), (5, 50, 1, "a"), (0, 50, 1, "b")), 0)

    assert found.reason is Reason.NOT_CONVERGED
    assert {each.ratio for each in found.contrasts} == {None}


def test_one_group_has_nothing_to_be_tested_against() -> None:
    assert compare(cells((10, 100, 0, "a")), 0).test.reason is Reason.ONE_GROUP


@pytest.mark.parametrize(
    "other",
    [(10, 100, 1, "b"), (0, 100, 1, "a")],
    ids=["no stratum in common", "no events"],
)
def test_groups_that_cannot_be_compared_are_not_called_one(
    other: tuple[float, float, int, object],
) -> None:
    found = compare(cells((10, 100, 0, "a"), other), 0)

    assert found.contrasts[1].reason is not None
    assert found.test.reason is Reason.NONE_COMPARED


def sites(n: int, dice: np.random.Generator, *, spread: float = 0.0) -> ClusterTable:
    """Two groups at each of n sites, whose second group's rate differs from site to site."""
    time = dice.uniform(500, 1500, (n, 2))
    factor = dice.gamma(1 / spread**2, spread**2, n) if spread else np.ones(n)
    rates = np.column_stack([np.full(n, 0.02), 0.04 * factor])
    return ClusterTable(dice.poisson(rates * time).astype(float), time)


def of_table(table: ClusterTable) -> Cells:
    return Cells.of(
        table.events.sum(axis=0), table.exposure.sum(axis=0), [0, 1], [("all",), ("all",)]
    )


def test_limits_robust_to_sites_are_students_with_their_number() -> None:
    table = sites(12, np.random.default_rng(1), spread=0.6)
    found = compare(of_table(table), 0, clusters=[Clusters("sites", table, (12, 12))])

    rates = table.events.sum(axis=0) / table.exposure.sum(axis=0)
    influence = (table.events - rates * table.exposure) / table.events.sum(axis=0)
    se = np.sqrt(((influence[:, 1] - influence[:, 0]) ** 2).sum() * 12 / 11)
    half = stats.t.ppf(0.975, 11) * se
    other = found.contrasts[1]
    assert other.robust_to == "sites"
    assert (other.lower, other.upper) == pytest.approx(
        (other.ratio * np.exp(-half), other.ratio * np.exp(half)), rel=1e-9
    )
    assert (found.test.df, found.test.df_within) == (1, 11)
    assert found.test.statistic == pytest.approx((np.log(other.ratio) / se) ** 2)
    assert found.test.p == pytest.approx(2 * stats.t.sf(np.log(other.ratio) / se, 11))


def test_nine_sites_of_a_group_are_too_few_and_ten_are_not() -> None:
    table = sites(12, np.random.default_rng(1), spread=0.9)

    told = [
        compare(of_table(table), 0, clusters=[Clusters("sites", table, (12, n))]) for n in (9, 10)
    ]

    assert [each.contrasts[1].robust_to for each in told] == ["nothing", "sites"]
    assert [each.test.df_within for each in told] == [None, 9]


def test_limits_are_never_under_those_of_poisson_counts() -> None:
    table = ClusterTable(np.full((12, 2), 4.0), np.full((12, 2), 100.0))  # sites are all alike

    plain = compare(of_table(table), 0)
    found = compare(of_table(table), 0, clusters=[Clusters("sites", table, (12, 12))])

    assert found.contrasts[1] == plain.contrasts[1]


def test_one_kind_of_clusters_alone_is_allowed_for_where_it_is_asked() -> None:
    table = sites(12, np.random.default_rng(2), spread=0.8)
    mild = ClusterTable(table.events.repeat(2, axis=0) / 2, table.exposure.repeat(2, axis=0) / 2)
    both = [Clusters("patients", mild), Clusters("sites", table, (12, 12))]

    told = {only: compare(of_table(table), 0, clusters=both, robust_to=only) for only in _ASKED}

    assert [each.contrasts[1].robust_to for each in told.values()] == ["sites", "sites", "patients"]
    assert told[None] == told["sites"]


_ASKED = (None, "sites", "patients")


def test_a_kind_of_clusters_that_is_not_given_leaves_the_others() -> None:
    table = sites(12, np.random.default_rng(2), spread=0.8)
    both = [Clusters("patients", table), Clusters("sites", table, (4, 12))]

    found = compare(of_table(table), 0, clusters=both, robust_to="sites")

    assert found.contrasts[1].robust_to == "patients"


def test_single_cluster_has_no_variance_between_clusters() -> None:
    one = ClusterTable(np.array([[10.0, 30.0]]), np.array([[100.0, 150.0]]))

    found = compare(of_table(one), 0, clusters=[Clusters("patients", one)])

    assert found.contrasts[1].robust_to == "nothing"


@pytest.mark.parametrize("spread", [0.0, 0.5])
def test_limits_hold_the_ratio_where_sites_differ(spread: float) -> None:
    dice, held, plain = np.random.default_rng(11), 0, 0
    for _ in range(800):
        table = sites(15, dice, spread=spread)
        clusters = [Clusters("sites", table, (15, 15))]
        of_sites = compare(of_table(table), 0, clusters=clusters).contrasts[1]
        poisson = compare(of_table(table), 0).contrasts[1]
        held += of_sites.lower <= 2.0 <= of_sites.upper
        plain += poisson.lower <= 2.0 <= poisson.upper

    assert 0.93 <= held / 800 <= (0.985 if not spread else 0.97)
    assert spread == 0.0 or plain / 800 < 0.75
