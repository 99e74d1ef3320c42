"""Each group against all others together: closed forms, confounding, and what has no ratio."""

import numpy as np
import pytest
from scipy import stats

from registry.statistics.comparison import Cells, Clusters, compare, mantel_haenszel
from registry.statistics.others import GROUP, REST, compare_with_others, halved
from registry.statistics.regression import ClusterTable
from registry.statistics.results import Reason

Z = stats.norm.ppf(0.975)


def cells(*rows: tuple[float, float, int, object]) -> Cells:
    """Cells of (events, exposure, group, stratum)."""
    events, time, groups, strata = zip(*rows, strict=True)
    return Cells.of(events, time, groups, [(each,) for each in strata])


THREE = cells((10, 100, 0, "a"), (30, 150, 1, "a"), (26, 90, 2, "a"))


def test_crude_ratio_and_difference_are_those_to_the_sum_of_the_others() -> None:
    found = compare_with_others(THREE, adjusted=False, per=100)

    half = Z * np.sqrt(1 / 10 + 1 / 56)
    ratio = (10 / 100) / (56 / 240)
    first = found.contrasts[0]
    assert first.ratio == pytest.approx(ratio, rel=1e-12)
    assert (first.lower, first.upper) == pytest.approx(
        (ratio * np.exp(-half), ratio * np.exp(half))
    )
    wide = 100 * Z * np.sqrt(10 / 100**2 + 56 / 240**2)
    difference = 100 * (10 / 100 - 56 / 240)
    assert (first.difference_lower, first.difference_upper) == pytest.approx(
        (difference - wide, difference + wide)
    )
    assert found.contrasts[1].ratio == pytest.approx((30 / 150) / (36 / 190), rel=1e-12)


def test_no_group_is_left_out_of_its_reference_but_itself() -> None:
    """Held against all devices a group of nearly all of them has a ratio near 1."""
    large = cells((900, 900, 0, "a"), (10, 100, 1, "a"))

    found = compare_with_others(large)

    assert found.contrasts[0].ratio == pytest.approx(10.0)
    assert found.contrasts[1].ratio == pytest.approx(0.1)


def test_two_groups_have_each_others_inverse() -> None:
    table = cells((10, 100, 0, "a"), (80, 200, 0, "b"), (40, 200, 1, "a"), (80, 100, 1, "b"))

    first, second = compare_with_others(table).contrasts

    plain = compare(table, 1).contrasts[0]
    assert first == plain
    assert first.ratio == pytest.approx(0.5)
    assert (second.lower, second.upper) == pytest.approx((1 / first.upper, 1 / first.lower))


def test_others_are_held_alike_within_strata() -> None:
    """Twice the rate of either other group in each stratum, and most time where rates are low."""
    table = cells(
        *((20, 100, 0, "a"), (20, 25, 0, "b")),
        *((5, 50, 1, "a"), (40, 100, 1, "b")),
        *((3, 30, 2, "a"), (80, 200, 2, "b")),
    )

    adjusted = compare_with_others(table).contrasts[0]
    crude = compare_with_others(table, adjusted=False).contrasts[0]

    assert adjusted.ratio == pytest.approx(2.0, rel=1e-12)
    assert crude.ratio == pytest.approx((40 / 125) / (128 / 380))
    assert mantel_haenszel(halved(table, 0), GROUP, REST) == pytest.approx(2.0, rel=1e-12)


def test_joint_test_is_that_of_any_reference() -> None:
    found = compare_with_others(THREE)

    for reference in range(3):
        assert found.test.p == pytest.approx(compare(THREE, reference).test.p, rel=1e-9)
    assert (found.test.df, found.events, found.parameters) == (2, 66, 2)


def test_group_without_events_has_no_ratio_and_its_time_is_in_that_of_others() -> None:
    found = compare_with_others(cells((10, 100, 0, "a"), (0, 150, 1, "a"), (26, 90, 2, "a")))

    assert found.contrasts[1].reason is Reason.NO_EVENTS_HERE
    assert found.contrasts[0].ratio == pytest.approx((10 / 100) / (26 / 240))
    assert found.test.df == 1
    assert found.reason is None


def test_others_without_events_or_time_are_named() -> None:
    only = compare_with_others(cells((10, 100, 0, "a"), (0, 150, 1, "a")))
    alone = compare_with_others(cells((10, 100, 0, "a"), (5, 100, 0, "b")))

    assert [each.reason for each in only.contrasts] == [
        Reason.NO_GROUP_EVENTS,
        Reason.NO_EVENTS_HERE,
    ]
    assert only.reason is Reason.NO_GROUP_EVENTS
    assert [each.reason for each in alone.contrasts] == [Reason.NO_GROUP_EXPOSURE]
    assert alone.reason is Reason.NO_GROUP_EXPOSURE


def test_sites_count_where_the_group_and_the_rest_have_ten() -> None:
    """Two small groups at six sites each are at twelve together."""
    dice = np.random.default_rng(5)
    time = np.zeros((12, 3))
    time[:, 0] = 100.0
    time[:6, 1], time[6:, 2] = 100.0, 100.0
    events = dice.poisson(dice.gamma(1, 1, (12, 1)) * time * 0.1).astype(float)
    table = Cells.of(events.sum(axis=0), time.sum(axis=0), [0, 1, 2], [(), (), ()])
    clusters = [Clusters("sites", ClusterTable(events, time), (12, 6, 6))]

    found = compare_with_others(table, clusters=clusters, robust_to="sites")
    against_one = compare(table, 1, clusters=clusters, robust_to="sites")

    assert [each.robust_to for each in found.contrasts] == ["sites", "nothing", "nothing"]
    assert against_one.contrasts[0].robust_to == "nothing"
    scores = events - time * (events.sum(axis=0) / time.sum(axis=0))
    rate = events[:, 1:].sum() / time[:, 1:].sum()
    rest = events[:, 1:].sum(axis=1) - rate * time[:, 1:].sum(axis=1)
    both = scores[:, 0] / events[:, 0].sum() - rest / events[:, 1:].sum()
    half = stats.t.ppf(0.975, 11) * np.sqrt((both**2).sum() * 12 / 11)
    assert np.log(found.contrasts[0].upper / found.contrasts[0].ratio) == pytest.approx(half)
