"""Intervals of perturbed numbers: known limits without noise, and coverage with it.

Coverage is a sum over the table and the Poisson or binomial law, without simulation, of the
intervals of numbers that are shown. At 95 %, with exact exposure:

    expected events   5    6    7    8   10   11   12   13   15   17   20   30   50  100
    covered, %       45   82   86   89   95   96   96   97   97   98   98   96   96   96
    shown, %          5   10   17   25   44   54   63   71   84   92   97  100  100  100

Low coverage at the left is that of being shown: who expects five events is shown only if eleven
or more came out.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import gammaln, xlogy
from scipy.stats import chi2
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.rates import confint_poisson

from registry.disclosure.intervals import perturbed_proportion_interval, perturbed_rate_interval
from registry.disclosure.policy import Policy
from tests.disclosure.whole_noise import whole_noise

V = 6.0
SD = 84 * 6**0.5
TABLE = whole_noise()
THRESHOLD = Policy().threshold


@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
@pytest.mark.parametrize(("events", "exposure"), [(5, 1_000), (15, 400), (230, 81_000)])
def test_rate_interval_without_noise_is_garwoods(events, exposure, level):
    found = perturbed_rate_interval(events, exposure, count_variance=0, level=level)

    expected = confint_poisson(events, exposure, method="exact-c", alpha=1 - level)
    assert found == pytest.approx(expected, rel=1e-10)


def test_rate_interval_is_garwoods_of_the_worth_of_the_count():
    # d = 10 and V = 6 are worth 100 / 16 = 6.25 events, scaled by 1.6; chi-squared form.
    lower, upper = perturbed_rate_interval(10, count_variance=6)

    assert lower == pytest.approx(1.6 * chi2.ppf(0.025, 12.5) / 2, rel=1e-9)
    assert upper == pytest.approx(1.6 * chi2.ppf(0.975, 14.5) / 2, rel=1e-9)


def test_rate_interval_adds_the_noise_of_the_exposure_on_the_log_scale():
    plain = np.log(perturbed_rate_interval(400, 2_000, count_variance=V))
    noisy = np.log(perturbed_rate_interval(400, 2_000, count_variance=V, exposure_sd=SD))

    away_plain, away_noisy = np.abs(plain - np.log(0.2)), np.abs(noisy - np.log(0.2))
    added = (1.959964 * SD / 2_000) ** 2
    np.testing.assert_allclose(away_noisy**2, away_plain**2 + added, rtol=1e-6)


@given(
    st.integers(5, 5_000),
    st.floats(0, 60),
    st.floats(0, 700),
    st.sampled_from([0.9, 0.95, 0.99]),
)
def test_rate_interval_holds_the_rate_and_widens_with_noise(events, variance, sd, level):
    lower, upper = perturbed_rate_interval(
        events, 1_000, count_variance=variance, exposure_sd=sd, level=level
    )
    plain_lower, plain_upper = perturbed_rate_interval(events, 1_000, count_variance=0, level=level)

    assert 0 < lower < events / 1_000 < upper
    assert lower <= plain_lower * (1 + 1e-12)
    assert upper >= plain_upper * (1 - 1e-12)


@pytest.mark.parametrize(("events", "exposure"), [(0, 1_000), (5, 0)])
def test_rate_interval_of_what_is_never_shown_is_refused(events, exposure):
    with pytest.raises(ValueError, match="above 0"):
        perturbed_rate_interval(events, exposure, count_variance=V)


@pytest.mark.parametrize("level", [0.0, 1.0, 95])
def test_level_outside_0_to_1_is_refused(level):
    with pytest.raises(ValueError, match="level"):
        perturbed_rate_interval(5, 1_000, count_variance=V, level=level)


def poisson(n, mean):
    return np.exp(xlogy(n, mean) - mean - gammaln(n + 1))


def binomial(n, total, p):
    choose = gammaln(total + 1) - gammaln(n + 1) - gammaln(total - n + 1)
    return np.exp(choose + xlogy(n, p) + xlogy(total - n, 1 - p))


def perturbed(law):
    """The law of the perturbed count, where `law` gives each true count its probability."""
    out = np.zeros(len(law) + TABLE.offsets[-1] + 1)
    for n, probability in enumerate(law):
        for offset, share in zip(TABLE.offsets, TABLE.row(n) if n else (), strict=False):
            if share:
                out[n + offset] += probability * share
    return out


def rate_coverage(expected):
    law = perturbed(poisson(np.arange(int(expected + 12 * expected**0.5 + 20)), expected))
    shown = covered = 0.0
    for count in range(THRESHOLD, len(law)):
        lower, upper = perturbed_rate_interval(count, count_variance=V)
        shown += law[count]
        covered += law[count] * (lower <= expected <= upper)
    return covered / shown, shown


@pytest.mark.parametrize("expected", [11, 12, 13, 15, 17, 20, 30, 50, 100])
def test_rate_interval_covers_96_to_98_percent_from_11_expected_events_on(expected):
    covered, _shown = rate_coverage(expected)

    assert 0.955 <= covered <= 0.985


@pytest.mark.parametrize(
    ("expected", "covered", "shown"),
    [(5, 0.45, 0.05), (6, 0.82, 0.10), (7, 0.86, 0.17), (8, 0.89, 0.25), (10, 0.95, 0.44)],
)
def test_rate_interval_covers_less_of_the_smallest_shown_counts(expected, covered, shown):
    assert rate_coverage(expected) == pytest.approx((covered, shown), abs=0.006)


def test_rate_interval_covers_with_perturbed_exposure():
    # 5,000 months at 1 in 100 months; the exposure's noise has a standard deviation of 206.
    draws = np.random.default_rng(7)
    true = 5_000
    n = draws.poisson(0.01 * true, 4_000)
    counts = n + TABLE.draw(n, draws.random(4_000))
    shown = true + draws.normal(0, SD, 4_000)
    limits = [
        perturbed_rate_interval(count, exposure, count_variance=V, exposure_sd=SD)
        for count, exposure in zip(counts.tolist(), shown.tolist(), strict=True)
    ]

    covered = np.mean([lower <= 0.01 <= upper for lower, upper in limits])

    assert 0.95 <= covered <= 0.985


@pytest.mark.parametrize(("successes", "trials"), [(18, 20), (4, 20), (20, 20), (260, 3_000)])
def test_proportion_interval_without_noise_is_wilsons(successes, trials):
    found = perturbed_proportion_interval(
        successes, trials, numerator_variance=0, denominator_variance=0
    )

    expected = proportion_confint(successes, trials, method="wilson")
    assert found == pytest.approx(expected, abs=1e-9)


def test_proportion_interval_solves_the_score_equation():
    lower, upper = perturbed_proportion_interval(
        12, 80, numerator_variance=V, denominator_variance=V
    )

    for p in (lower, upper):
        spread = (80 * p * (1 - p) + V + p**2 * V) ** 0.5
        assert abs(12 - 80 * p) == pytest.approx(1.959964 * spread, rel=1e-6)


def test_proportion_interval_counts_a_numerator_above_the_denominator_as_equal():
    noise = {"numerator_variance": V, "denominator_variance": V}

    assert perturbed_proportion_interval(23, 21, **noise) == perturbed_proportion_interval(
        21, 21, **noise
    )


@given(st.integers(20, 3_000), st.floats(0, 1), st.integers(1, 8))
def test_proportion_interval_stays_within_0_and_1(trials, share, nodes):
    total = trials * nodes
    successes = max(THRESHOLD, round(share * total))
    noise = {"numerator_variance": V * nodes, "denominator_variance": V * nodes}

    lower, upper = perturbed_proportion_interval(successes, total, **noise)

    assert 0 <= lower <= min(1, successes / total) <= upper <= 1


@pytest.mark.parametrize("denominator", [0, 6])
def test_proportion_interval_of_noise_alone_is_refused(denominator):
    with pytest.raises(ValueError, match="denominator"):
        perturbed_proportion_interval(5, denominator, numerator_variance=V, denominator_variance=V)


@pytest.mark.parametrize(("trials", "p"), [(60, 0.2), (100, 0.1), (100, 0.5), (400, 0.05)])
def test_proportion_interval_covers(trials, p):
    numerators = perturbed(binomial(np.arange(trials + 1), trials, p))
    denominators = trials + TABLE.offsets
    shown = covered = 0.0
    for denominator, weight in zip(denominators.tolist(), TABLE.row(trials), strict=True):
        for count in range(THRESHOLD, len(numerators)):
            if numerators[count] * weight < 1e-9:
                continue
            lower, upper = perturbed_proportion_interval(
                count, denominator, numerator_variance=V, denominator_variance=V
            )
            shown += weight * numerators[count]
            covered += weight * numerators[count] * (lower <= p <= upper)

    # Like Wilson's own, the interval covers its level on average and not at every p.
    assert 0.93 <= covered / shown <= 0.985
