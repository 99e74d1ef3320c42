"""Disproportionality against published values and statsmodels; the outlier rule, one by one."""

import math
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, gamma, poisson
from statsmodels.stats.contingency_tables import Table2x2

from registry.statistics.results import Criterion, Reason
from registry.statistics.signals import (
    disproportionality,
    outlier_rule,
    perturbed_disproportionality,
)

counts = st.integers(1, 500)


@pytest.mark.parametrize(
    ("table", "expected", "prr"),
    [
        ((1, 2, 1, 6), 0.6, 2.3333),  # product A, event 1
        ((3, 2, 2, 3), 2.5, 1.5),  # product B, event 3
        ((1, 1, 1, 7), 0.4, 4.0),  # product C, event 1
    ],
)
def test_disproportionality_agrees_with_openebgm_by_hand(table, expected, prr):
    found = disproportionality(*table)

    assert found.expected == pytest.approx(expected)
    assert found.prr == pytest.approx(prr, abs=5e-5)
    assert found.reason is None


def test_chi_squared_is_0_where_the_correction_exceeds_the_difference():
    assert disproportionality(1, 2, 1, 6).chi2_yates == 0  # |1 * 6 - 2 * 1| = 4 < 10 / 2


@pytest.mark.parametrize("level", [0.9, 0.95])
def test_disproportionality_agrees_with_statsmodels_and_scipy(level):
    a, b, c, d = 25, 75, 100, 900

    found = disproportionality(a, b, c, d, level=level)

    table = Table2x2(np.array([[a, b], [c, d]]))
    prr = (found.prr_lower, found.prr_upper)
    ror = (found.ror_lower, found.ror_upper)
    assert found.prr == pytest.approx(table.riskratio)
    assert prr == pytest.approx(table.riskratio_confint(1 - level))
    assert found.ror == pytest.approx(table.oddsratio)
    assert ror == pytest.approx(table.oddsratio_confint(1 - level))
    assert found.chi2_yates == pytest.approx(chi2_contingency([[a, b], [c, d]])[0])


def test_information_component_has_the_limits_of_noren_2013():
    found = disproportionality(10, 90, 40, 860)  # E = 100 * 50 / 1000 = 5

    assert found.ic == pytest.approx(math.log2(10.5 / 5.5))
    assert found.ic_lower == pytest.approx(math.log2(gamma(10.5, scale=1 / 5.5).ppf(0.025)))
    assert found.ic_upper == pytest.approx(math.log2(gamma(10.5, scale=1 / 5.5).ppf(0.975)))


@pytest.mark.parametrize("empty", range(4))
def test_disproportionality_with_an_empty_cell_keeps_the_information_component_only(empty):
    table = [3, 20, 10, 200]
    table[empty] = 0

    found = disproportionality(*table)

    ratios = (found.prr, found.prr_lower, found.prr_upper)
    odds = (found.ror, found.ror_lower, found.ror_upper)
    assert ratios == odds == (None, None, None)
    assert found.reason is Reason.EMPTY_CELL
    assert found.ic_lower < found.ic < found.ic_upper
    assert found.chi2_yates == pytest.approx(chi2_contingency(np.reshape(table, (2, 2)))[0])


def test_disproportionality_with_an_empty_row_has_no_chi_squared():
    found = disproportionality(0, 0, 3, 7)

    assert (found.chi2_yates, found.expected, found.ic) == (None, 0, 0)


def test_disproportionality_of_no_reports_is_undefined():
    found = disproportionality(0, 0, 0, 0)

    assert found.reason is Reason.NO_REPORTS
    assert (found.ic, found.ic_lower, found.ic_upper, found.expected) == (None,) * 4
    assert (found.prr, found.ror, found.chi2_yates) == (None,) * 3


@pytest.mark.parametrize("name", "abcd")
@pytest.mark.parametrize("bad", [-1, 0.5, float("nan"), [1, 2]])
def test_disproportionality_refuses_and_names_the_cell(name, bad):
    with pytest.raises(ValueError, match=f"^{name}: "):
        disproportionality(**{**dict.fromkeys("abcd", 5), name: bad})


@given(counts, counts, counts, counts)
def test_disproportionality_lies_within_its_limits(a, b, c, d):
    found = disproportionality(a, b, c, d)

    assert found.prr_lower < found.prr < found.prr_upper
    assert found.ror_lower < found.ror < found.ror_upper
    assert found.ic_lower < found.ic < found.ic_upper
    assert found.chi2_yates >= 0


def group(component, *, others=4):
    """The verdict on a component of (events, exposure, devices, revised) among like others.

    The others have 10 events in 1,000 months each and 100 devices, of which 10 are revised.
    """
    rows = [component] + [(10, 1000, 100, 10)] * others
    events, exposure, devices, revised = zip(*rows, strict=True)
    return outlier_rule(events=events, exposure=exposure, devices=devices, revised=revised)[0]


def test_outlier_rule_flags_a_component_that_meets_every_condition():
    found = group((20, 200, 40, 35))

    assert found.flagged is True
    assert found.reasons == tuple(Criterion)
    # the component holds 40 of 440 devices: it stays in the group, 60 events in 4,200 months
    assert found.group_rate == pytest.approx(60 / 4200)
    assert found.rate_ratio == pytest.approx(0.1 / (60 / 4200))
    assert found.p == pytest.approx(poisson(200 * 60 / 4200).sf(19))
    assert found.reason is None


def test_outlier_rule_does_not_flag_a_rate_of_twice_the_group():
    # 50 events in 2,500 months against 60 in 6,000 without it (over 25 % of devices): ratio 2
    rows = [(50, 2500, 300, 50)] + [(20, 2000, 100, 20)] * 3
    events, exposure, devices, revised = zip(*rows, strict=True)

    found, *_ = outlier_rule(events=events, exposure=exposure, devices=devices, revised=revised)

    assert found.rate_ratio == pytest.approx(2)
    assert found.flagged is False
    assert found.reasons == (Criterion.UNLIKELY_BY_CHANCE, Criterion.TEN_DEVICES)


def test_outlier_rule_does_not_flag_what_chance_may_do():
    found = group((1, 20, 40, 1))

    assert found.rate_ratio > 2
    assert found.p > 0.05
    assert found.flagged is False
    assert found.reasons == (Criterion.RATE_OVER_TWICE_THE_GROUP, Criterion.TEN_DEVICES)


@pytest.mark.parametrize(
    ("devices", "revised", "flagged"),
    [
        (10, 0, True),  # ten devices are enough
        (9, 6, False),  # neither ten nor three quarters of nine
        (8, 6, True),  # three quarters of eight
        (2, 2, True),
        (1, 1, False),  # all, but one alone
    ],
)
def test_outlier_rule_needs_ten_devices_or_three_quarters_revised(devices, revised, flagged):
    assert group((8, 20, devices, revised)).flagged is flagged


def test_outlier_rule_compares_a_large_component_with_the_others_alone():
    large = group((40, 1000, 134, 40))  # 134 of 534 devices, just over a quarter
    quarter = group((40, 1000, 100, 40), others=3)  # 100 of 400: not over a quarter

    assert large.group_rate == pytest.approx(40 / 4000)
    assert quarter.group_rate == pytest.approx(70 / 4000)


def test_outlier_rule_keeps_a_large_component_in_the_rate_for_the_others():
    verdicts = outlier_rule(events=[30, 1], exposure=[3000, 100], devices=[90, 10], revised=[30, 1])

    assert verdicts[0].group_rate == pytest.approx(1 / 100)
    assert verdicts[1].group_rate == pytest.approx(31 / 3100)


@pytest.mark.parametrize(
    ("component", "reason"),
    [
        ((0, 0, 5, 0), Reason.NO_EXPOSURE),
        ((3, 0, 5, 3), Reason.EVENTS_WITHOUT_EXPOSURE),
    ],
)
def test_outlier_rule_has_no_verdict_without_exposure(component, reason):
    found = group(component)

    assert (found.flagged, found.reasons, found.rate_ratio, found.p) == (None, (), None, None)
    assert found.reason is reason


def test_outlier_rule_has_no_verdict_on_a_component_alone_in_its_group():
    found = group((20, 200, 40, 35), others=0)

    assert (found.flagged, found.reason) == (None, Reason.NO_GROUP_EXPOSURE)


def test_outlier_rule_has_no_ratio_to_a_group_without_events():
    verdicts = outlier_rule(events=[5, 0], exposure=[100, 100], devices=[50, 50], revised=[5, 0])

    assert (verdicts[0].flagged, verdicts[0].rate_ratio) == (True, None)
    assert verdicts[0].reason is Reason.NO_GROUP_EVENTS
    assert (verdicts[1].flagged, verdicts[1].rate_ratio, verdicts[1].p) == (False, 0, 1)


def test_outlier_rule_flags_nothing_in_a_group_without_any_event():
    verdicts = outlier_rule(events=[0, 0], exposure=[9, 9], devices=[50, 50], revised=[0, 0])

    assert [(verdict.flagged, verdict.p) for verdict in verdicts] == [(False, 1), (False, 1)]


def test_outlier_rule_of_no_components_is_empty():
    assert outlier_rule(events=[], exposure=[], devices=[], revised=[]) == ()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"events": [-1]}, "events: a value is negative"),
        ({"exposure": [float("nan")]}, "exposure: a value is missing"),
        ({"devices": [2.5]}, "devices: whole numbers are needed"),
        ({"revised": [0.5]}, "revised: whole numbers are needed"),
        ({"revised": [11]}, "revised: there are more revised than implanted"),
        ({"exposure": [1, 2]}, "events, exposure, devices, revised: these need the same length"),
    ],
)
def test_outlier_rule_refuses_and_names_the_argument(arguments, message):
    rows = {"events": [1], "exposure": [10], "devices": [10], "revised": [1]}

    with pytest.raises(ValueError, match=f"^{message}"):
        outlier_rule(**{**rows, **arguments})


def test_perturbed_measures_without_errors_are_the_plain_ones():
    for a, b, c, d in ((12, 30, 40, 500), (3, 9, 7, 11)):
        found = perturbed_disproportionality(a, a + b, a + c, a + b + c + d)
        for name, number in asdict(disproportionality(a, b, c, d)).items():
            assert getattr(found, name) == pytest.approx(number), name


def test_error_of_one_count_adds_its_share_of_variance_to_the_log():
    # a = 20, b = 30, c = 50, d = 200: the log PRR moves by 1/a + 1/c with a, by 1/50 + 1/250 with
    # the product's total, by 1/c with the event's, by 1/250 with all
    plain = disproportionality(20, 30, 50, 200)
    width = np.log(plain.prr_upper / plain.prr)
    slopes = (1 / 20 + 1 / 50, 1 / 50 + 1 / 250, 1 / 50, 1 / 250)
    for place, slope in enumerate(slopes):
        variances = tuple(6.0 if place == each else 0.0 for each in range(4))
        found = perturbed_disproportionality(20, 50, 70, 300, variances=variances)

        wider = np.log(found.prr_upper / found.prr)
        assert wider**2 - width**2 == pytest.approx(1.959964**2 * 6 * slope**2, rel=1e-5)


@pytest.mark.parametrize("counts", [(0, 5, 5, 20), (3, 0, 5, 20), (3, 5, 0, 20), (3, 5, 5, 0)])
def test_perturbed_measures_refuse_a_count_of_none(counts):
    with pytest.raises(ValueError, match="above 0"):
        perturbed_disproportionality(*counts)
