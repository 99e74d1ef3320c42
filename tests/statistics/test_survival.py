"""Kaplan-Meier curves and the log-rank test against published values and other packages."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter
from statsmodels.duration.survfunc import survdiff

from registry.statistics.results import Reason
from registry.statistics.survival import kaplan_meier, logrank

MAINTAINED = "9 13 13+ 18 23 28+ 31 34 45+ 48 161+"
NON_MAINTAINED = "5 5 8 8 12 16+ 23 27 30 33 43 45"
SURVFIT = "3 5 8 10+ 5 5+ 8 12 15+ 14+ 2 11 10+ 9+ 12 5 8 11"
SCALES = ("log-log", "log", "plain")

follow_ups = st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=1, max_size=40)


def read(text):
    """Durations and events of the usual notation, in which a plus marks censoring."""
    items = text.split()
    return [float(item.rstrip("+")) for item in items], [not item.endswith("+") for item in items]


def cohort(seed, size, *, ties, delayed):
    """Random follow-up; entries never fall on an event, where other packages count entrants."""
    rng = np.random.default_rng(seed)
    entries = rng.uniform(0, 30, size) * rng.integers(0, 2, size) if delayed else np.zeros(size)
    durations = entries + rng.exponential(25, size) + 0.01
    if ties:
        entries, durations = np.floor(entries) + 0.5 * (entries > 0), np.floor(durations) + 1
    return durations, rng.random(size) < 0.6, entries


def value_at(curve, name, time):
    return getattr(curve, name)[curve.times.tolist().index(time)]


@pytest.mark.parametrize(
    ("time", "survival", "se"), [(9, 0.909, 0.0867), (23, 0.614, 0.1526), (48, 0.184, 0.1535)]
)
def test_kaplan_meier_agrees_with_miller_1997_on_maintained_leukaemia(time, survival, se):
    curve = kaplan_meier(*read(MAINTAINED))

    assert value_at(curve, "survival", time) == pytest.approx(survival, abs=5e-4)
    assert value_at(curve, "se", time) == pytest.approx(se, abs=5e-5)


@pytest.mark.parametrize(("time", "survival"), [(12, 0.5833), (30, 0.2917)])
def test_kaplan_meier_agrees_with_miller_1997_on_non_maintained_leukaemia(time, survival):
    curve = kaplan_meier(*read(NON_MAINTAINED))

    assert value_at(curve, "survival", time) == pytest.approx(survival, abs=5e-5)


def test_kaplan_meier_log_limits_agree_with_r_survival():
    curve = kaplan_meier(*read(MAINTAINED), ci="log")

    assert value_at(curve, "lower", 23) == pytest.approx(0.3769, abs=5e-5)
    assert value_at(curve, "upper", 23) == pytest.approx(0.999, abs=5e-4)
    assert value_at(curve, "upper", 9) == 1


def test_kaplan_meier_log_log_limits_agree_with_r_survfit():
    curve = kaplan_meier(*read(SURVFIT))

    assert curve.times.tolist() == [2, 3, 5, 8, 11, 12]
    lower = [0.66639, 0.624174, 0.456179, 0.287822, 0.128489, 0.030957]
    upper = [0.991983, 0.970995, 0.87378, 0.739467, 0.603133, 0.430365]
    np.testing.assert_allclose(curve.lower, lower, atol=1e-6)
    np.testing.assert_allclose(curve.upper, upper, atol=1e-6)


def test_kaplan_meier_counts_events_before_censorings_at_a_tie():
    curve = kaplan_meier([5, 5, 5, 8], [True, False, False, True])

    assert curve.times.tolist() == [5, 8]
    assert curve.at_risk.tolist() == [4, 1]
    assert curve.events.tolist() == [1, 1]
    assert curve.survival.tolist() == [0.75, 0]


def test_kaplan_meier_has_no_limits_where_survival_is_0():
    for ci in SCALES:
        curve = kaplan_meier([1, 2, 3], [True, True, True], ci=ci)

        assert np.isnan([curve.se[-1], curve.lower[-1], curve.upper[-1]]).all()
        assert np.isfinite([curve.se[:-1], curve.lower[:-1], curve.upper[:-1]]).all()


def test_kaplan_meier_plain_limits_stay_between_0_and_1():
    curve = kaplan_meier([1, 2, 3, 4], [True, True, True, False], ci="plain")

    assert curve.upper[0] == 1
    assert curve.lower[-1] == 0
    # Greenwood by hand at 2: S = 1/2, variance = 1/4 (1/12 + 1/6) = 1/16
    assert curve.se[1] == pytest.approx(0.25)
    assert curve.lower[1] == pytest.approx(0.5 - 1.959964 * 0.25)


def test_kaplan_meier_takes_in_late_entrants_after_their_entry_only():
    # at 2 the third is not yet in; at 4 it has just not entered (4 < t is needed); at 6 it has
    curve = kaplan_meier([2, 4, 6, 6], [1, 1, 1, 0], entries=[0, 0, 4, 1])

    assert curve.times.tolist() == [2, 4, 6]
    assert curve.at_risk.tolist() == [3, 2, 2]
    np.testing.assert_allclose(curve.survival, [2 / 3, 1 / 3, 1 / 6])


def test_kaplan_meier_takes_an_entry_of_0_as_from_the_start():
    given_zero = kaplan_meier([0, 0, 3], [1, 0, 1], entries=[0, 0, 0])
    given_none = kaplan_meier([0, 0, 3], [1, 0, 1])

    assert given_zero.at_risk.tolist() == given_none.at_risk.tolist() == [3, 1]


def test_kaplan_meier_leaves_out_who_enters_at_the_moment_of_leaving():
    curve = kaplan_meier([5, 5, 9], [True, True, True], entries=[5, 0, 0])

    assert curve.at_risk.tolist() == [2, 1]
    assert curve.events.tolist() == [1, 1]


@pytest.mark.parametrize(
    ("durations", "observed", "median"),
    [
        ([1, 2, 3, 4], [1, 1, 1, 1], 2),
        ([10, 20, 30], [1, 1, 1], 20),
        ([7], [1], 7),
        (range(1, 25), [1] * 24, 12),  # the product of fractions comes out a bit above one half
    ],
)
def test_median_is_the_first_time_at_which_half_are_left(durations, observed, median):
    curve = kaplan_meier(durations, observed)

    assert (curve.median, curve.reason) == (median, None)


@pytest.mark.parametrize(
    ("durations", "observed", "reason"),
    [
        ([1, 2, 3], [1, 0, 0], Reason.MEDIAN_NOT_REACHED),
        ([4, 5], [0, 0], Reason.MEDIAN_NOT_REACHED),
        ([], [], Reason.NO_OBSERVATIONS),
    ],
)
def test_median_that_is_not_reached_is_none_and_says_why(durations, observed, reason):
    curve = kaplan_meier(durations, observed)

    assert curve.median is None
    assert curve.reason is reason


def test_kaplan_meier_of_censored_devices_alone_has_no_times():
    curve = kaplan_meier([3, 4], [False, False])

    assert curve.times.size == curve.survival.size == curve.upper.size == 0


@pytest.mark.parametrize("delayed", [False, True])
@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("size", [1, 7, 400, 20_000])
def test_kaplan_meier_agrees_with_lifelines(size, ties, delayed):
    durations, observed, entries = cohort(size, size, ties=ties, delayed=delayed)
    fitter = KaplanMeierFitter().fit(durations, observed, entry=entries if delayed else None)

    curve = kaplan_meier(durations, observed, entries=entries)

    table = fitter.event_table[fitter.event_table.observed > 0]
    limits = fitter.confidence_interval_survival_function_.loc[table.index].to_numpy()
    shown = curve.survival > 0  # at 0 lifelines gives limits, R and this registry none
    assert curve.times.tolist() == table.index.tolist()
    assert curve.events.tolist() == table.observed.tolist()
    assert curve.at_risk.tolist() == table.at_risk.tolist()
    survival = fitter.survival_function_.loc[table.index].to_numpy()[:, 0]
    np.testing.assert_allclose(curve.survival, survival, rtol=1e-9, atol=1e-12)
    found = np.column_stack((curve.lower, curve.upper))
    np.testing.assert_allclose(found[shown], limits[shown], rtol=1e-6)


@given(follow_ups, st.randoms(use_true_random=False))
def test_kaplan_meier_does_not_depend_on_the_order(rows, random):
    shuffled = random.sample(rows, len(rows))

    one, other = (kaplan_meier(*zip(*order, strict=True)) for order in (rows, shuffled))

    np.testing.assert_array_equal(one.survival, other.survival)
    np.testing.assert_array_equal(one.lower, other.lower)


@given(follow_ups, st.sampled_from(SCALES))
def test_kaplan_meier_falls_and_stays_within_its_limits(rows, ci):
    curve = kaplan_meier(*zip(*rows, strict=True), ci=ci)

    defined = curve.survival > 0
    assert (np.diff(curve.survival) < 0).all()
    assert (curve.lower[defined] <= curve.survival[defined] + 1e-12).all()
    assert (curve.survival[defined] <= curve.upper[defined] + 1e-12).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"durations": [1, -2]}, "durations: a value is negative"),
        ({"durations": [1, float("nan")]}, "durations: a value is missing"),
        ({"durations": [1, 2, 3]}, "durations, observed: these need the same length"),
        ({"durations": [[1, 2]]}, "durations: a one-dimensional array"),
        ({"observed": [1, 2]}, "observed: only True and False"),
        ({"observed": [1, None]}, "observed: a value is missing"),
        ({"entries": [0]}, "durations, entries: these need the same length"),
        ({"entries": [0, 3]}, "entries: an entry lies after the end"),
        ({"entries": [0, -1]}, "entries: a value is negative"),
        ({"level": 0}, "level: "),
        ({"ci": "logit"}, "ci: choose"),
    ],
)
def test_kaplan_meier_refuses_and_names_the_argument(arguments, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        kaplan_meier(**{"durations": [1, 2], "observed": [1, 0], **arguments})


def test_logrank_agrees_with_r_survdiff_on_leukaemia():
    first, second = read(MAINTAINED), read(NON_MAINTAINED)

    test = logrank(first[0] + second[0], first[1] + second[1], ["yes"] * 11 + ["no"] * 12)

    # R survival, survdiff(Surv(time, status) ~ x, aml): chi-squared 3.4 on 1 df, p = 0.07
    assert test.groups == ("no", "yes")
    assert test.observed.tolist() == [11, 7]
    np.testing.assert_allclose(test.expected, [7.31, 10.69], atol=0.005)
    assert test.chi2 == pytest.approx(3.4, abs=0.05)
    assert (test.df, test.reason) == (1, None)
    assert test.p == pytest.approx(0.07, abs=0.005)


@pytest.mark.parametrize("delayed", [False, True])
@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("groups", [2, 4])
def test_logrank_agrees_with_statsmodels(groups, ties, delayed):
    durations, observed, entries = cohort(5, 300, ties=ties, delayed=delayed)
    member = np.random.default_rng(6).integers(0, groups, 300)

    test = logrank(durations, observed, member, entries=entries)

    chi2, p = survdiff(durations, observed, member, entry=entries)
    assert test.chi2 == pytest.approx(chi2)
    assert test.p == pytest.approx(p)
    assert test.df == groups - 1


def test_logrank_leaves_out_who_enters_at_the_moment_of_leaving():
    test = logrank([1, 2, 3, 3], [1, 1, 1, 1], ["a", "b", "a", "b"], entries=[0, 0, 0, 3])

    assert test.observed.tolist() == [2, 1]
    assert test.expected.sum() == pytest.approx(3)


def test_logrank_leaves_out_a_group_that_was_never_at_risk():
    durations, observed = [1, 2, 3, 4, 5, 6, 1, 1], [1, 1, 1, 1, 1, 1, 0, 0]
    pair = logrank(durations[:6], observed[:6], ["a", "b"] * 3)

    test = logrank(
        durations, observed, ["a", "b"] * 3 + ["c"] * 2, entries=[0, 0, 0, 0, 0, 0, 1, 1]
    )

    assert test.df == 1
    assert test.chi2 == pytest.approx(pair.chi2)
    assert test.expected[2] == 0


@pytest.mark.parametrize(
    ("durations", "observed", "groups", "reason"),
    [
        ([], [], [], Reason.NO_OBSERVATIONS),
        ([1, 2], [1, 1], ["a", "a"], Reason.ONE_GROUP),
        ([1, 2], [0, 0], ["a", "b"], Reason.NOTHING_TO_COMPARE),
        ([3, 3], [1, 1], ["a", "b"], Reason.NOTHING_TO_COMPARE),
    ],
)
def test_logrank_without_a_comparison_is_undefined_and_says_why(
    durations, observed, groups, reason
):
    test = logrank(durations, observed, groups)

    assert (test.chi2, test.df, test.p) == (None, 0, None)
    assert test.reason is reason


def test_logrank_of_groups_never_at_risk_together_is_undefined():
    test = logrank([1, 2, 8, 9], [1, 1, 1, 1], [1, 1, 2, 2], entries=[0, 0, 5, 5])

    assert test.reason is Reason.NOTHING_TO_COMPARE


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"groups": ["a"]}, "durations, observed, groups: these need the same length"),
        ({"groups": [["a", "b"]]}, "groups: a one-dimensional array"),
        ({"groups": ["a", None]}, "groups: a label is missing"),
        ({"groups": [1, float("nan")]}, "groups: a label is missing"),
        ({"observed": [1, 7]}, "observed: only True and False"),
    ],
)
def test_logrank_refuses_and_names_the_argument(arguments, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        logrank(**{"durations": [1, 2], "observed": [1, 0], "groups": ["a", "b"], **arguments})


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans(), st.sampled_from("abc")), max_size=40))
def test_logrank_expects_as_many_events_as_it_observes(rows):
    durations, observed, groups = zip(*rows, strict=True) if rows else ((), (), ())

    test = logrank(durations, observed, groups)

    assert test.observed.sum() == pytest.approx(test.expected.sum())
    assert test.df < max(len(test.groups), 1)
    assert test.p is None or 0 <= test.p <= 1
