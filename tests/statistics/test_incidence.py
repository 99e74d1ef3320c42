"""Aalen-Johansen curves: by hand, against Kaplan-Meier and against lifelines."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lifelines import AalenJohansenFitter

from registry.statistics.survival import cumulative_incidence, kaplan_meier

THERNEAU = ([1, 2, 2, 3, 3, 3, 5, 6], [0, 1, 0, 2, 0, 2, 0, 2])

follow_ups = st.lists(
    st.tuples(st.integers(1, 12), st.integers(0, 3), st.integers(0, 4)), min_size=1, max_size=40
)


def rows_of(follow_up):
    """Durations, causes and entries, each entry at least one month before its end."""
    durations = [months for months, _, _ in follow_up]
    entries = [min(entry, months - 1) for months, _, entry in follow_up]
    return durations, [cause for _, cause, _ in follow_up], entries


def variance_by_definition(curves, cause, at):
    """Marubini and Valsecchi's sums (1995, section 10.4), written out term by term."""
    before = np.concatenate(([1.0], curves.survival[:-1]))
    events = sum(curves.events.values())
    total = 0.0
    for i in range(at + 1):
        n, d, own = curves.at_risk[i], events[i], curves.events[cause][i]
        rise = curves.incidence[cause][at] - curves.incidence[cause][i]
        total += rise**2 * d / (n * (n - d)) if n > d else 0.0
        total += before[i] ** 2 * own * (n - own) / n**3
        total -= 2 * rise * before[i] * own / n**2
    return total


def test_cumulative_incidence_agrees_with_therneau_by_hand():
    curves = cumulative_incidence(*THERNEAU)

    assert curves.times.tolist() == [2, 3, 6]
    assert curves.at_risk.tolist() == [7, 5, 1]
    np.testing.assert_allclose(curves.incidence[1], [0.142857] * 3, atol=1e-6)
    np.testing.assert_allclose(curves.incidence[2], [0, 0.342857, 0.857143], atol=1e-6)
    np.testing.assert_allclose(curves.survival, [0.857143, 0.514286, 0], atol=1e-6)


def test_cumulative_incidence_counts_the_events_of_each_cause():
    curves = cumulative_incidence(*THERNEAU)

    assert {cause: events.tolist() for cause, events in curves.events.items()} == {
        1: [1, 0, 0],
        2: [0, 2, 1],
    }


def test_cumulative_incidence_has_the_binomial_standard_error_at_the_first_event():
    curves = cumulative_incidence(*THERNEAU)

    assert curves.se[1][0] == pytest.approx((1 / 7 * 6 / 7 / 7) ** 0.5)


def test_cumulative_incidence_limits_are_symmetric_on_the_log_log_scale():
    curves = cumulative_incidence(*THERNEAU)

    incidence, se = curves.incidence[2][1], curves.se[2][1]
    factor = np.exp(1.959963985 * se / (incidence * abs(np.log(incidence))))
    assert curves.lower[2][1] == pytest.approx(incidence**factor)
    assert curves.upper[2][1] == pytest.approx(incidence ** (1 / factor))


def test_cumulative_incidence_has_no_limits_before_the_first_event_of_its_cause():
    curves = cumulative_incidence(*THERNEAU)

    assert curves.incidence[2][0] == 0
    assert np.isnan([curves.lower[2][0], curves.upper[2][0]]).all()


@pytest.mark.parametrize("devices", [6, 7, 11, 60])  # at 6 and 11 the sum comes out below 1
def test_cumulative_incidence_has_no_limits_where_all_had_the_event(devices):
    curves = cumulative_incidence(range(1, devices + 1), [1] * devices)

    assert curves.incidence[1][-1] == pytest.approx(1)
    assert np.isnan([curves.lower[1][-1], curves.upper[1][-1]]).all()


@pytest.mark.parametrize(("durations", "causes"), [([], []), ([3, 4], [0, 0])])
def test_cumulative_incidence_without_events_has_no_times_and_no_causes(durations, causes):
    curves = cumulative_incidence(durations, causes)

    assert curves.times.size == curves.survival.size == 0
    assert curves.incidence == {}


def test_cumulative_incidence_keeps_a_cause_that_was_never_at_risk_at_zero():
    curves = cumulative_incidence([2, 5, 6], [1, 2, 1], entries=[0, 5, 0])

    assert curves.times.tolist() == [2, 6]
    assert curves.incidence[2].tolist() == [0, 0]


def test_cumulative_incidence_of_one_cause_is_what_kaplan_meier_leaves():
    rng = np.random.default_rng(7)
    durations, causes = rng.integers(1, 40, 500), rng.integers(0, 2, 500)
    entries = np.minimum(rng.integers(0, 6, 500), durations - 1)

    curves = cumulative_incidence(durations, causes, entries=entries)
    curve = kaplan_meier(durations, causes, entries=entries)

    np.testing.assert_allclose(curves.incidence[1], 1 - curve.survival, atol=1e-12)
    shown = curve.survival > 0
    np.testing.assert_allclose(curves.se[1][shown], curve.se[shown], rtol=1e-9)


@pytest.mark.parametrize("delayed", [False, True])
@pytest.mark.parametrize("cause", [1, 2, 3])
def test_cumulative_incidence_agrees_with_lifelines(cause, delayed):
    rng = np.random.default_rng(8)  # no ties: lifelines would jitter them
    entries = rng.uniform(0, 9, 400) * rng.integers(0, 2, 400) * delayed
    durations, causes = entries + rng.exponential(20, 400), rng.integers(0, 4, 400)
    fitter = AalenJohansenFitter().fit(
        durations, causes, event_of_interest=cause, entry=entries if delayed else None
    )

    curves = cumulative_incidence(durations, causes, entries=entries)

    own = (curves.events[cause] > 0) & (curves.survival > 0)  # at 0 lifelines divides by 0
    at = curves.times[own]
    limits = fitter.confidence_interval_.loc[at].to_numpy()
    np.testing.assert_allclose(
        curves.incidence[cause][own], fitter.cumulative_density_.loc[at].to_numpy()[:, 0]
    )
    np.testing.assert_allclose(
        curves.se[cause][own] ** 2, fitter.variance_.loc[at].to_numpy(), rtol=1e-6
    )
    found = np.column_stack((curves.lower[cause], curves.upper[cause]))[own]
    np.testing.assert_allclose(found, np.sort(limits, axis=1), rtol=1e-6)


@given(follow_ups)
def test_incidences_and_survival_add_up_to_1(follow_up):
    durations, causes, entries = rows_of(follow_up)

    curves = cumulative_incidence(durations, causes, entries=entries)

    total = curves.survival + sum(curves.incidence.values())
    np.testing.assert_allclose(total, 1, atol=1e-12)


@given(follow_ups)
def test_incidence_se_is_the_delta_method_term_by_term(follow_up):
    durations, causes, entries = rows_of(follow_up)

    curves = cumulative_incidence(durations, causes, entries=entries)

    for cause in curves.incidence:
        for at in range(curves.times.size):
            expected = variance_by_definition(curves, cause, at)
            assert curves.se[cause][at] ** 2 == pytest.approx(expected, abs=1e-12)


@given(follow_ups)
def test_incidence_lies_within_its_limits(follow_up):
    durations, causes, entries = rows_of(follow_up)

    curves = cumulative_incidence(durations, causes, entries=entries)

    for cause, incidence in curves.incidence.items():
        shown = ~np.isnan(curves.lower[cause])
        assert (curves.lower[cause][shown] <= incidence[shown] + 1e-12).all()
        assert (incidence[shown] <= curves.upper[cause][shown] + 1e-12).all()


@given(follow_ups, st.randoms(use_true_random=False))
def test_cumulative_incidence_does_not_depend_on_the_order(follow_up, random):
    shuffled = random.sample(follow_up, len(follow_up))
    (durations, causes, entries), other = rows_of(follow_up), rows_of(shuffled)

    curves = cumulative_incidence(durations, causes, entries=entries)
    again = cumulative_incidence(other[0], other[1], entries=other[2])

    for cause in curves.incidence:
        np.testing.assert_array_equal(curves.incidence[cause], again.incidence[cause])
        np.testing.assert_array_equal(curves.se[cause], again.se[cause])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"causes": [1, -1]}, "causes: a value is negative"),
        ({"causes": [1, 0.5]}, "causes: whole numbers are needed"),
        ({"causes": [1]}, "durations, causes: these need the same length"),
        ({"durations": [1, float("inf")]}, "durations: a value is missing or infinite"),
        ({"entries": [0, 9]}, "entries: an entry lies after the end"),
        ({"level": 1.5}, "level: "),
    ],
)
def test_cumulative_incidence_refuses_and_names_the_argument(arguments, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        cumulative_incidence(**{"durations": [1, 2], "causes": [1, 0], **arguments})
