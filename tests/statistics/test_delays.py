"""Delays that are right-truncated: by hand, by a plain loop, and on planted distributions."""

import numpy as np
import pytest

from registry.statistics.delays import FEWEST_DELAYS, Delay, reporting_delay

BY_HAND = [
    *(Delay(months, 36, n) for months, n in ((6, 40), (18, 20), (30, 20))),
    *(Delay(months, 24, n) for months, n in ((6, 60), (18, 20))),
    Delay(6, 12, 90),
]
"""Three years, watched for 36, 24 and 12 months."""


def test_three_years_by_hand() -> None:
    """30 months: 20 of the first year's 80. 18: 40 of 140 that are no longer, of two years."""
    found = reporting_delay(BY_HAND)

    assert found is not None
    assert (found.longest, found.events) == (36, 250)
    assert found.share(36) == found.share(30) == (1.0, None, None)
    assert found.share(29)[0] == found.share(18)[0] == pytest.approx(3 / 4, rel=1e-12)
    assert found.share(17)[0] == found.share(12)[0] == pytest.approx(3 / 4 * 5 / 7, rel=1e-12)
    assert found.share(5) == (0.0, None, None)


def test_limits_are_those_of_greenwood_on_the_log_log_scale() -> None:
    found = reporting_delay(BY_HAND)

    share = 15 / 28
    se = share * (20 / (80 * 60) + 40 / (140 * 100)) ** 0.5
    half = 1.959963984540054 * se / (share * -np.log(share))
    limits = share ** np.exp(half), share ** np.exp(-half)
    assert found is not None
    assert found.share(12)[1:] == pytest.approx(limits, rel=1e-12)


def test_the_share_that_is_seen_would_be_too_high() -> None:
    """Of all delays on file 76 % are of at most a year: long ones of late years are not seen."""
    within_a_year = sum(each.n for each in BY_HAND if each.months <= 12)

    assert within_a_year / sum(each.n for each in BY_HAND) == pytest.approx(0.76)


@pytest.mark.parametrize("n", [FEWEST_DELAYS - 1, FEWEST_DELAYS])
def test_the_longest_delay_has_thirty_behind_it(n: int) -> None:
    found = reporting_delay([Delay(30, 36, n), Delay(6, 12, 500)])

    assert found is not None
    assert (found.longest, found.events) == ((36, 530) if n == FEWEST_DELAYS else (12, 500))
    with pytest.raises(ValueError, match="elapsed"):
        found.share(found.longest + 1)
    with pytest.raises(ValueError, match="elapsed"):
        found.share(-1)


def test_too_few_delays_have_no_distribution() -> None:
    assert reporting_delay([]) is None
    assert reporting_delay([Delay(3, 36, FEWEST_DELAYS - 1)]) is None


@pytest.mark.parametrize("delay", [Delay(13, 12, 40), Delay(-1, 12, 40)])
def test_a_delay_that_could_not_be_seen_is_refused(delay: Delay) -> None:
    with pytest.raises(ValueError, match="delays"):
        reporting_delay([delay])


def planted(dice: np.random.Generator, years: int, n: int, last: int) -> list[Delay]:
    """Years of n events, the last watched for `last` months; delays gamma about 14 months."""
    made = []
    for back in range(years):
        watched = last + 12 * back
        months = dice.gamma(2.0, 7.0, n).astype(int)
        seen, counts = np.unique(months[months <= watched], return_counts=True)
        made += [Delay(int(m), watched, int(c)) for m, c in zip(seen, counts, strict=True)]
    return made


def test_the_estimate_is_that_of_a_plain_loop() -> None:
    delays = planted(np.random.default_rng(7), years=6, n=80, last=8)
    one_by_one = [(each.months, each.watched) for each in delays for _ in range(each.n)]
    found = reporting_delay(delays)
    assert found is not None

    for elapsed in range(found.longest + 1):
        share = 1.0
        for month in range(elapsed + 1, found.longest + 1):
            under = [months for months, watched in one_by_one if months <= month <= watched]
            if month in under:
                share *= 1 - under.count(month) / len(under)
        assert found.share(elapsed)[0] == pytest.approx(share, rel=1e-10), elapsed


@pytest.mark.parametrize("elapsed", [11, 17, 23])
def test_a_planted_distribution_is_recovered_and_its_limits_hold_it(elapsed: int) -> None:
    """400 registries of seven years of 150 events; 95 % limits, of chance in 400 draws."""
    dice = np.random.default_rng(elapsed)
    many = dice.gamma(2.0, 7.0, 2_000_000).astype(int)
    shares, held = [], 0
    for _ in range(400):
        found = reporting_delay(planted(dice, years=7, n=150, last=11))
        assert found is not None
        truth = (many <= elapsed).mean() / (many <= found.longest).mean()
        share, lower, upper = found.share(elapsed)
        assert lower is not None
        assert upper is not None
        shares.append(share)
        held += lower <= truth <= upper

    assert np.mean(shares) == pytest.approx(truth, abs=0.004)
    assert 0.92 <= held / 400 <= 0.98
