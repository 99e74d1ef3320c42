"""Curves and tests from counts alone: published values, and against devices one by one."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.statistics.results import Reason
from registry.statistics.survival import (
    LifeCounts,
    aalen_johansen,
    cumulative_incidence,
    kaplan_meier,
    logrank,
    logrank_of,
    product_limit,
)

# entry, months followed, cause; some enter at the moment of leaving
device = st.tuples(st.integers(0, 9), st.integers(0, 12), st.integers(0, 4)).map(
    lambda row: (min(row[0], row[1]), row[1], row[2])
)
devices = st.lists(device, max_size=40)
intervals = st.tuples(st.integers(0, 13), st.integers(0, 13)).map(sorted)


def columns(rows):
    """Durations, causes and entries of the devices."""
    return [end for _, end, _ in rows], [cause for *_, cause in rows], [entry for entry, *_ in rows]


def table(rows):
    return LifeCounts.of(*columns(rows))


def grouped(rows):
    """The table as a query groups it by month, without any array of devices."""
    seen = [row for row in rows if row[0] < row[1] or row[0] == 0]
    entered = Counter(entry for entry, _, _ in seen)
    ended = Counter((end, cause) for _, end, cause in seen)
    months = range(max((end for _, end, _ in seen), default=0) + 1)
    return LifeCounts(
        np.array(months),
        [entered[month] for month in months],
        {cause: [ended[month, cause] for month in months] for cause in range(5)},
        never_at_risk=len(rows) - len(seen),
    )


def at_risk_one_by_one(rows, month):
    return sum((entry < month or entry == 0) and month <= end for entry, end, _ in rows)


def survival_one_by_one(rows):
    """Kaplan and Meier's product, with the devices at risk counted anew at each time."""
    survival, product = {}, 1.0
    at_risk = [row for row in rows if row[0] < row[1] or row[0] == 0]
    for month in sorted({end for _, end, cause in at_risk if cause == 1}):
        events = sum(end == month and cause == 1 for _, end, cause in at_risk)
        product *= 1 - events / at_risk_one_by_one(rows, month)
        survival[month] = product
    return survival


def restricted(rows, first, last):
    """The devices at risk between two months, each with its own entry and end there."""
    return [
        (
            max(entry, first - 0.5) if first else entry,
            min(end, last),
            cause if end <= last else 0,
        )
        for entry, end, cause in rows
        if end >= first and entry < max(last, 1)
    ]


def assert_same(found, expected):
    """Every array and number of two results, to the last digit."""
    for name, value in vars(expected).items():
        other = getattr(found, name)
        if isinstance(value, dict):
            assert list(other) == list(value), name
            for key in value:
                np.testing.assert_array_equal(other[key], value[key], err_msg=name)
        elif isinstance(value, np.ndarray):
            np.testing.assert_array_equal(other, value, err_msg=name)
        else:
            assert other == value, name


def maintained():
    """Miller 1997, leukaemia: 9 13 13+ 18 23 28+ 31 34 45+ 48 161+."""
    return LifeCounts(
        [0, 9, 13, 18, 23, 28, 31, 34, 45, 48, 161],
        [11] + [0] * 10,
        {1: [0, 1, 1, 1, 1, 0, 1, 1, 0, 1, 0], 0: [0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 1]},
    )


def non_maintained():
    """Miller 1997, leukaemia: 5 5 8 8 12 16+ 23 27 30 33 43 45."""
    return LifeCounts(
        [0, 5, 8, 12, 16, 23, 27, 30, 33, 43, 45],
        [12] + [0] * 10,
        {1: [0, 2, 2, 1, 0, 1, 1, 1, 1, 1, 1], 0: [0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]},
    )


def test_product_limit_agrees_with_miller_1997():
    curve, other = product_limit(maintained()), product_limit(non_maintained())

    at = dict(zip(curve.times.tolist(), zip(curve.survival, curve.se, strict=True), strict=True))
    assert at[9] == (pytest.approx(0.909, abs=5e-4), pytest.approx(0.0867, abs=5e-5))
    assert at[23] == (pytest.approx(0.614, abs=5e-4), pytest.approx(0.1526, abs=5e-5))
    assert at[48] == (pytest.approx(0.184, abs=5e-4), pytest.approx(0.1535, abs=5e-5))
    survival = dict(zip(other.times.tolist(), other.survival, strict=True))
    assert survival[12] == pytest.approx(0.5833, abs=5e-5)
    assert survival[30] == pytest.approx(0.2917, abs=5e-5)


def test_product_limit_log_limits_agree_with_r_survival():
    curve = product_limit(maintained(), ci="log")

    place = curve.times.tolist().index(23)
    assert curve.lower[place] == pytest.approx(0.3769, abs=5e-5)
    assert curve.upper[place] == pytest.approx(0.999, abs=5e-4)


def test_product_limit_log_log_limits_agree_with_r_survfit():
    # 3 5 8 10+ 5 5+ 8 12 15+ 14+ 2 11 10+ 9+ 12 5 8 11
    curve = product_limit(
        LifeCounts(
            [0, 2, 3, 5, 8, 9, 10, 11, 12, 14, 15],
            [18] + [0] * 10,
            {1: [0, 1, 1, 3, 3, 0, 0, 2, 2, 0, 0], 0: [0, 0, 0, 1, 0, 1, 2, 0, 0, 1, 1]},
        )
    )

    assert curve.times.tolist() == [2, 3, 5, 8, 11, 12]
    lower = [0.66639, 0.624174, 0.456179, 0.287822, 0.128489, 0.030957]
    upper = [0.991983, 0.970995, 0.87378, 0.739467, 0.603133, 0.430365]
    np.testing.assert_allclose(curve.lower, lower, atol=1e-6)
    np.testing.assert_allclose(curve.upper, upper, atol=1e-6)


def test_logrank_of_counts_agrees_with_r_survdiff():
    test = logrank_of([non_maintained(), maintained()])

    # R survival, survdiff(Surv(time, status) ~ x, aml): chi-squared 3.4 on 1 df, p = 0.07
    assert test.groups == (0, 1)
    assert test.observed.tolist() == [11, 7]
    np.testing.assert_allclose(test.expected, [7.31, 10.69], atol=0.005)
    assert test.chi2 == pytest.approx(3.4, abs=0.05)
    assert test.p == pytest.approx(0.07, abs=0.005)


def test_aalen_johansen_agrees_with_therneau_by_hand():
    # (1,0)(2,1)(2,0)(3,2)(3,0)(3,2)(5,0)(6,2)
    curves = aalen_johansen(
        LifeCounts(
            [0, 1, 2, 3, 5, 6],
            [8, 0, 0, 0, 0, 0],
            {0: [0, 1, 1, 1, 1, 0], 1: [0, 0, 1, 0, 0, 0], 2: [0, 0, 0, 2, 0, 1]},
        )
    )

    assert curves.times.tolist() == [2, 3, 6]
    np.testing.assert_allclose(curves.incidence[1], [0.142857] * 3, atol=1e-6)
    np.testing.assert_allclose(curves.incidence[2], [0, 0.342857, 0.857143], atol=1e-6)


def test_counts_tabulate_devices():
    counts = LifeCounts.of([3, 0, 5, 5, 4], [1, 2, 0, 1, 3], [0, 0, 2, 0, 4])

    assert counts.times.tolist() == [0, 2, 3, 5]
    assert counts.entered.tolist() == [3, 1, 0, 0]
    assert {cause: ended.tolist() for cause, ended in counts.ended.items()} == {
        0: [0, 0, 0, 1],
        1: [0, 0, 1, 1],
        2: [1, 0, 0, 0],
        3: [0, 0, 0, 0],  # it entered at the moment of leaving
    }
    assert (counts.never_at_risk, counts.devices) == (1, 5)


def test_at_risk_is_after_entry_up_to_the_end():
    counts = LifeCounts.of([3, 5], [1, 1], [0, 2])

    assert counts.at_risk([0, 1, 2, 2.5, 3, 3.5, 5, 6]).tolist() == [1, 1, 1, 2, 2, 1, 1, 0]
    assert counts.at_risk_by_month().tolist() == [1, 1, 1, 2, 1, 1]


def test_counts_of_nobody_have_no_months():
    counts = LifeCounts([], [], {})

    assert counts.at_risk_by_month().tolist() == []
    assert counts.at_risk([0, 4]).tolist() == [0, 0]
    assert counts.between(0, 5).devices == 0
    assert product_limit(counts).reason is Reason.NO_OBSERVATIONS
    assert aalen_johansen(counts).incidence == {}
    assert logrank_of([counts, counts]).reason is Reason.NOTHING_TO_COMPARE
    assert logrank_of([]).reason is Reason.NO_OBSERVATIONS


@given(devices)
def test_at_risk_by_month_is_that_of_devices_one_by_one(rows):
    found = table(rows).at_risk_by_month()

    months = range(found.size)
    assert found.tolist() == [at_risk_one_by_one(rows, month) for month in months]
    assert at_risk_one_by_one(rows, found.size) == 0


@given(devices)
def test_product_limit_is_that_of_devices_one_by_one(rows):
    curve = product_limit(table(rows))

    expected = survival_one_by_one(rows)
    assert curve.times.tolist() == list(expected)
    assert curve.survival.tolist() == pytest.approx(list(expected.values()), abs=1e-12)
    assert curve.at_risk.tolist() == [at_risk_one_by_one(rows, month) for month in expected]


@given(devices, st.sampled_from(("log-log", "log", "plain")), st.sampled_from((0.9, 0.95)))
def test_curves_of_counts_grouped_by_month_are_those_of_arrays(rows, ci, level):
    durations, causes, entries = columns(rows)
    happened = [cause == 1 for cause in causes]

    curve = product_limit(grouped(rows), level=level, ci=ci)
    curves = aalen_johansen(grouped(rows), level=level)

    assert_same(curve, kaplan_meier(durations, happened, entries=entries, level=level, ci=ci))
    expected = cumulative_incidence(durations, causes, entries=entries, level=level)
    for cause, incidence in expected.incidence.items():
        np.testing.assert_array_equal(curves.incidence[cause], incidence)
        np.testing.assert_array_equal(curves.se[cause], expected.se[cause])
        np.testing.assert_array_equal(curves.lower[cause], expected.lower[cause])
        np.testing.assert_array_equal(curves.upper[cause], expected.upper[cause])
    np.testing.assert_array_equal(curves.survival, expected.survival)


@given(st.lists(devices, max_size=4))
def test_logrank_of_counts_grouped_by_month_is_that_of_arrays(groups):
    rows = [row for group in groups for row in group]
    member = [place for place, group in enumerate(groups) for _ in group]
    durations, causes, entries = columns(rows)

    found = logrank_of([grouped(group) for group in groups if group])

    expected = logrank(durations, [cause == 1 for cause in causes], member, entries=entries)
    assert (found.chi2, found.df, found.p) == (expected.chi2, expected.df, expected.p)
    np.testing.assert_array_equal(found.expected, expected.expected)
    np.testing.assert_array_equal(found.observed, expected.observed)


@given(devices, devices)
def test_logrank_of_counts_leaves_out_a_group_without_devices(one, other):
    found = logrank_of([table(one), table([]), table(other)])

    pair = logrank_of([table(one), table(other)])
    assert (found.chi2, found.df) == (pytest.approx(pair.chi2), pair.df)
    assert (found.observed[1], found.expected[1]) == (0, 0)


@given(devices, intervals)
def test_between_is_what_each_device_shows_in_these_months(rows, interval):
    first, last = interval
    inside = restricted(rows, first, last)
    durations, causes, entries = columns(inside)

    found = table(rows).between(first, last)

    assert found.devices == sum(entry < end or entry == 0 for entry, end, _ in inside)
    months = range(first, last + 1)
    assert found.at_risk(months).tolist() == [at_risk_one_by_one(inside, month) for month in months]
    expected = kaplan_meier(durations, [cause == 1 for cause in causes], entries=entries)
    curve = product_limit(found)
    for name in ("times", "at_risk", "events", "survival", "se", "lower", "upper"):
        np.testing.assert_array_equal(getattr(curve, name), getattr(expected, name))
    assert curve.median == expected.median
    curves, by_cause = (
        aalen_johansen(found),
        cumulative_incidence(durations, causes, entries=entries),
    )
    np.testing.assert_array_equal(curves.survival, by_cause.survival)
    for cause, events in by_cause.events.items():
        if events.any():
            np.testing.assert_array_equal(curves.incidence[cause], by_cause.incidence[cause])
            np.testing.assert_array_equal(curves.upper[cause], by_cause.upper[cause])
        else:
            assert cause not in curves.incidence


def test_between_agrees_with_arrays_on_a_large_cohort():
    rng = np.random.default_rng(11)
    durations = rng.geometric(0.02, 20_000) - 1
    entries = np.minimum(rng.integers(0, 60, 20_000) * rng.integers(0, 2, 20_000), durations)
    rows = list(zip(entries, durations, rng.integers(0, 5, 20_000), strict=True))
    ends, causes, starts = columns(restricted(rows, 7, 90))

    found = product_limit(table(rows).between(7, 90))

    assert found.times.tolist() == list(range(7, 91))
    assert_same(found, kaplan_meier(ends, np.array(causes) == 1, entries=starts))


def test_between_moves_early_entrants_and_censors_later_ends():
    # the first ends before, the second is there throughout, the third enters and has the event
    found = LifeCounts.of([2, 9, 6], [1, 1, 1], [0, 1, 4]).between(3, 6)

    assert found.times.tolist() == [2.5, 4, 6]
    assert found.entered.tolist() == [1, 1, 0]
    assert {cause: ended.tolist() for cause, ended in found.ended.items()} == {
        0: [0, 0, 1],
        1: [0, 0, 1],
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"times": [0, 0]}, "times: these must ascend"),
        ({"times": [5, 0]}, "times: these must ascend"),
        ({"times": [-1, 5]}, "times: a value is negative"),
        ({"entered": [2]}, "times, entered: these need the same length"),
        ({"entered": [1.5, 0.5]}, "entered: whole numbers are needed"),
        ({"entered": [2, 1]}, "ended: a device that entered has no end"),
        ({"entered": [1, 1]}, "ended: more end at a time than are at risk"),
        ({"ended": {1: [0, 1]}}, "ended: a device that entered has no end"),
        ({"ended": {1: [0, 3]}}, "ended: more end at a time than are at risk"),
        ({"ended": {1: [0, -2]}}, "ended: a value is negative"),
        ({"ended": {1: [2]}}, "times, ended: these need the same length"),
        ({"ended": {-1: [0, 2]}}, "ended: a value is negative"),
        ({"never_at_risk": 0.5}, "never_at_risk: a whole number"),
    ],
)
def test_counts_refuse_and_name_the_field(arguments, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        LifeCounts(**{"times": [0, 5], "entered": [2, 0], "ended": {1: [0, 2]}, **arguments})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, 2], [1]), "durations, causes: these need the same length"),
        (([1, 2], [1, 0.5]), "causes: whole numbers are needed"),
        (([1, 2], [1, 0], [0, 3]), "entries: an entry lies after the end"),
        (([1, float("nan")], [1, 0]), "durations: a value is missing"),
    ],
)
def test_counts_of_devices_refuse_and_name_the_argument(arguments, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        LifeCounts.of(*arguments)


@pytest.mark.parametrize(
    ("durations", "months", "message"),
    [
        ([1, 2], (2, 1), "last: this month lies before the first"),
        ([1, 2], (0.5, 1), "first: a whole number"),
        ([1, 2], (-1, 1), "first: a value is negative"),
        ([1, 2.5], (0, 1), "times: only a table in whole months"),
    ],
)
def test_between_refuses_and_names_the_argument(durations, months, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        LifeCounts.of(durations, [1, 1]).between(*months)


def test_estimators_of_counts_refuse_an_unknown_level_and_scale():
    with pytest.raises(ValueError, match=r"^level: "):
        product_limit(maintained(), level=1)
    with pytest.raises(ValueError, match=r"^ci: choose"):
        product_limit(maintained(), ci="logit")
    with pytest.raises(ValueError, match=r"^level: "):
        aalen_johansen(maintained(), level=0)
