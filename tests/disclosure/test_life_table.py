"""The protected curve: from shown numbers, never rising, silent where too few are left."""

from dataclasses import fields, replace
from itertools import pairwise

import numpy as np
import pytest

from registry.disclosure import (
    BOUNDARIES,
    CurveTruth,
    Policy,
    Protection,
    incidence_table,
    life_table,
    mean_of_shown,
)
from registry.disclosure.perturbation import NoiseKey
from registry.disclosure.table import Noise, PerturbationTable, frozen_tables

K2 = bytes(range(100, 132))
RELEASE = "0" * 64
HANDS = 12


def by_hand(counts, high):
    """Records of each count by hand, in parts as equal as may be, with keys of their own."""
    parts = [[(n + hand) // HANDS for hand in range(HANDS)] for n in counts]
    return np.array(
        [
            [(n, high + 7 * n + place, 3 * n) if n else (0, 0, 0) for n in part]
            for place, part in enumerate(parts)
        ],
        dtype=np.int64,
    ).reshape(len(parts), HANDS, 3)


def curve(at_risk, events, **ends):
    """A truth whose records have keys of their own, and lie in twelve hands."""
    return CurveTruth(
        by_hand(at_risk, 1_000),
        by_hand(events, 9_000),
        {kind: by_hand(each, 5_000) for kind, each in ends.items()},
    )


class Sure(Policy):
    """A policy under which shown numbers are taken as exact."""

    def rounding_at_risk(self, n: int) -> int:
        return 1

    def variance(self, n: int) -> float:
        return 0.0


def sure(policy):
    """The same policy, its numbers taken as exact."""
    return Sure(**{each.name: getattr(policy, each.name) for each in fields(policy)})


@pytest.fixture
def still(policy):
    """Protection without noise or rounding, so that the arithmetic can be followed by hand."""
    policy = replace(policy, at_risk_rounding=())
    offsets = frozen_tables().lasting.offsets
    table = PerturbationTable.of(offsets, np.where(offsets == 0, 1.0, 0.0)[np.newaxis])
    return Protection(key=NoiseKey(K2, RELEASE), policy=policy, tables=Noise(table, table))


WITHOUT_LOSS = curve(
    (1_000, 980, 960, 930, 890, 850, 820, 780, 740), (20, 20, 30, 40, 40, 30, 40, 40)
)


def test_curve_is_told_at_nine_boundaries(protection):
    times = [point.time_months for point in life_table(WITHOUT_LOSS, protection)]

    assert times == [0, 1, 3, 6, 12, 24, 36, 60, 84] == list(BOUNDARIES)


def test_curve_without_loss_is_the_share_that_is_left(still):
    estimates = [point.estimate for point in life_table(WITHOUT_LOSS, still)]

    assert estimates == pytest.approx([1, 0.98, 0.96, 0.93, 0.89, 0.85, 0.82, 0.78, 0.74])


def test_curve_counts_half_the_interval_of_those_who_left(still):
    # 400 at risk, 20 events, 80 left: 20 / (400 - 80 / 2) = 1 / 18.
    truth = curve((400, 300) + (300,) * 7, (20,) + (0,) * 7)

    assert life_table(truth, still)[1].estimate == pytest.approx(1 - 20 / 360)


def test_hidden_events_are_joined_with_the_next_interval(still):
    truth = curve((400, 391, 382, 362, 342, 322, 302, 282, 262), (9, 9) + (20,) * 6)

    points = life_table(truth, still)

    assert (points[1].estimate, points[1].events, points[1].at_risk) == (None, None, None)
    assert points[2].events == 18  # the first two intervals together
    assert points[2].estimate == pytest.approx(382 / 400)


def test_curve_of_hidden_events_only_tells_nothing(still):
    truth = curve((400,) * 9, (1, 1, 0, 1, 0, 0, 1, 0))

    assert life_table(truth, still) == ()


def test_curve_tells_who_is_at_risk_only_where_it_tells_events(still):
    truth = curve((400, 391, 382, 381, 380, 380, 379, 378, 377), (9, 9, 1, 1, 0, 0, 1, 0))

    points = life_table(truth, still)

    assert [point.at_risk for point in points] == [400, None, 382] + [None] * 6
    assert [point.events for point in points] == [0, None, 18] + [None] * 6


def test_same_devices_with_and_without_a_hidden_event_cannot_be_told_apart(protection):
    # Both curves run over the same devices; whose at-risk numbers differ is in the hidden cell.
    nobody = curve((400,) * 9, (0,) * 8)
    somebody = curve((400, *(398,) * 8), (2, *(0,) * 7))

    assert life_table(nobody, protection) == life_table(somebody, protection)


def test_curve_ends_where_the_number_at_risk_is_hidden(still):
    truth = curve((400, 380, 360, 340, 200, 60, 19, 10, 4), (20,) * 8)

    points = life_table(truth, still)

    assert [point.estimate is None for point in points] == [False] * 6 + [True] * 3
    assert [point.at_risk for point in points[6:]] == [None, None, None]


@pytest.mark.parametrize(("devices", "told"), [(300, True), (299, False)])
def test_curve_needs_300_devices(still, devices, told):
    truth = curve((devices,) * 9, (20,) * 8)

    assert bool(life_table(truth, still)) is told


def test_curve_never_rises_and_shows_no_small_number(policy):
    for seed in range(60):
        protection = Protection.under(seed.to_bytes(32, "big"), release=RELEASE, policy=policy)
        points = life_table(
            curve((420, 418, 401, 380, 350, 310, 250, 120, 40), (1, 16, 15, 19, 22, 14, 17, 15)),
            protection,
        )
        told = [point.estimate for point in points if point.estimate is not None]

        assert told == sorted(told, reverse=True)
        assert all(0 <= estimate <= 1 for estimate in told)
        assert all(point.events is None or point.events >= policy.threshold for point in points[1:])
        assert all(point.at_risk is None or point.at_risk >= 20 for point in points)


def test_limits_hold_the_estimate_and_the_perturbation_widens_them(still):
    without = replace(still, policy=Sure())

    for point, plain in zip(
        life_table(WITHOUT_LOSS, still)[1:], life_table(WITHOUT_LOSS, without)[1:], strict=True
    ):
        assert point.ci_lower < plain.ci_lower < point.estimate < plain.ci_upper < point.ci_upper


def test_mean_of_shown_points_is_the_area_between_them(still):
    points = life_table(WITHOUT_LOSS, replace(still, policy=sure(still.policy)))

    found = mean_of_shown(points, sure(still.policy), until=12)

    steps = [(1, 1, 0.98), (2, 0.98, 0.96), (3, 0.96, 0.93), (6, 0.93, 0.89)]
    at_start, at_end = (sum(step[0] * step[place] for step in steps) for place in (1, 2))
    assert found.mean == pytest.approx((at_start + at_end) / 2)
    # without loss the area at the ends is 12 less what each event takes: a mean of 1000 devices
    for limit, sign, area, taken in (
        (found.lower, -1, at_end, ((12, 20), (11, 20), (9, 30), (6, 40))),
        (found.upper, 1, at_start, ((11, 20), (9, 20), (6, 30), (0, 40))),
    ):
        variance = (sum(d * lost**2 for lost, d in taken) / 1000 - (12 - area) ** 2) / 1000
        assert limit == pytest.approx(area + sign * 1.959963984540054 * np.sqrt(variance))


def test_noise_widens_the_limits_of_the_mean(still):
    points = life_table(WITHOUT_LOSS, still)

    exact, noisy = (
        mean_of_shown(points, policy, until=36) for policy in (sure(still.policy), still.policy)
    )

    assert exact.mean == noisy.mean
    assert noisy.lower < exact.lower
    assert exact.upper < noisy.upper


def test_limits_without_noise_are_greenwoods_on_the_log_log_scale(still):
    # One interval, 40 events of 400: se of log S = sqrt(40 / (400 * 360)).
    truth = curve((400,) + (360,) * 8, (40,) + (0,) * 7)

    point = life_table(truth, replace(still, policy=Sure()))[1]

    width = 1.959964 * (40 / (400 * 360)) ** 0.5 / -np.log(0.9)
    assert (point.ci_lower, point.ci_upper) == pytest.approx(
        (0.9 ** np.exp(width), 0.9 ** np.exp(-width)), rel=1e-6
    )


def test_limits_add_the_variance_of_all_three_perturbed_numbers(still):
    # n = 400 and m = 360 at risk and d = 40 events, each perturbed with variance 6:
    # q = 2 d / (n + m + d), dq/dd = 2 (n + m) / 800^2, dq/dn = dq/dm = -2 d / 800^2.
    truth = curve((400,) + (360,) * 8, (40,) + (0,) * 7)
    chance = 0.1 * 0.9 / 400
    noise = 6 * (2 * 760 / 800**2) ** 2 + 2 * 6 * (2 * 40 / 800**2) ** 2

    point = life_table(truth, still)[1]

    width = 1.959964 * (chance + noise) ** 0.5 / 0.9 / -np.log(0.9)
    assert point.ci_lower == pytest.approx(0.9 ** np.exp(width), rel=1e-7)
    assert point.ci_upper == pytest.approx(0.9 ** np.exp(-width), rel=1e-7)


def test_limits_cover_the_true_survival(policy):
    """Coverage at 60 months over 600 registries of 500 devices, with their own keys."""
    draws = np.random.default_rng(11)
    boundaries = np.array(BOUNDARIES)
    true = np.exp(-0.004 * 60)
    covered, told = 0, 0
    for trial in range(600):
        failed = draws.exponential(250, 500)
        left = draws.uniform(20, 140, 500)
        keys = draws.integers(0, 2**30, 500)
        seen = failed <= left

        hands = np.arange(500) % HANDS

        def keyed(chosen, keys=keys, hands=hands):
            mine = [chosen & (hands == hand) for hand in range(HANDS)]
            return [(each.sum(), keys[each].sum(), 1) for each in mine]

        truth = CurveTruth(
            np.array([keyed(np.minimum(failed, left) > month) for month in boundaries]),
            np.array(
                [
                    keyed(seen & (failed > start) & (failed <= end))
                    for start, end in pairwise(boundaries)
                ]
            ),
        )
        protection = Protection.under(trial.to_bytes(32, "big"), release=RELEASE, policy=policy)
        points = life_table(truth, protection)
        point = points[BOUNDARIES.index(60)]
        if point.estimate is not None:
            told += 1
            covered += point.ci_lower <= true <= point.ci_upper

    assert told > 580
    assert 0.93 <= covered / told <= 0.985


@pytest.mark.parametrize(("at_risk", "events"), [(8, 8), (9, 9), (10, 8)])
def test_truth_of_other_boundaries_is_refused(at_risk, events):
    with pytest.raises(ValueError, match="one entry per boundary"):
        curve((400,) * at_risk, (5,) * events)


def test_truth_shows_no_number_in_its_repr():
    assert repr(WITHOUT_LOSS) == "<CurveTruth>"


@pytest.mark.parametrize(
    ("devices", "shown"),
    [
        (20, 20),
        (22, 20),
        (23, 25),
        (99, 100),
        (109, 100),
        (110, 120),
        (299, 300),
        (324, 300),
        (975, 1_000),
        (1_049, 1_000),
        (1_050, 1_100),
    ],
)
def test_numbers_at_risk_are_rounded(still, policy, devices, shown):
    rounding = replace(still, policy=policy)
    truth = curve((1_500,) + (devices,) * 8, (40,) + (0,) * 7)

    points = life_table(truth, rounding)

    assert [point.at_risk for point in points[:2]] == [1_500, shown]
    assert points[1].estimate == pytest.approx(1 - 40 / ((1_500 + shown + 40) / 2))


def test_curve_minimum_is_held_before_rounding(still, policy):
    rounding = replace(still, policy=policy)

    assert life_table(curve((299,) * 9, (20,) * 8), rounding) == ()
    assert life_table(curve((300,) * 9, (20,) * 8), rounding)[0].at_risk == 300


def test_rounding_widens_the_limits(still, policy):
    truth = curve((400,) + (350,) * 8, (40,) + (0,) * 7)

    plain, rounded = (
        life_table(truth, replace(still, policy=each))[1] for each in (still.policy, policy)
    )

    assert plain.estimate == rounded.estimate
    assert rounded.ci_lower < plain.ci_lower < plain.ci_upper < rounded.ci_upper


def test_mean_over_many_events_does_not_tell_the_size_of_a_small_group():
    """A group of 3 beside two large ones, whose curves a hundred kinds of event tell."""
    draws = np.random.default_rng(5)
    devices = 2_400
    high, low = draws.integers(0, 2**30, devices), draws.integers(0, 2**31, devices)
    group = np.where(np.arange(devices) < 3, 2, draws.integers(0, 2, devices))
    protection = Protection.under(K2, release=RELEASE)
    hands = draws.integers(0, HANDS, devices)
    found = []
    for _ in range(100):
        month = np.full(devices, 10**6)
        chosen = draws.choice(devices, draws.integers(60, 400), replace=False)
        month[chosen] = draws.integers(0, 84, chosen.size)

        def told(among, month=month):
            def keyed(records):
                mine = [records & (hands == hand) for hand in range(HANDS)]
                return [(each.sum(), high[each].sum(), low[each].sum()) for each in mine]

            points = life_table(
                CurveTruth(
                    np.array([keyed(among & ((month > b) | (b == 0))) for b in BOUNDARIES]),
                    np.array(
                        [
                            keyed(among & ((month > a) | (a == 0)) & (month <= b))
                            for a, b in pairwise(BOUNDARIES)
                        ]
                    ),
                ),
                protection,
            )
            return [point.at_risk for point in points[1:]]

        parts = [told(among) for among in (group >= 0, group == 0, group == 1)]
        found += [
            whole - one - other
            for whole, one, other in zip(*parts, strict=True)
            if None not in (whole, one, other)
        ]

    error = np.std(found) / len(found) ** 0.5
    assert len(found) > 200
    assert error > 1.5  # one of 1, 2, 3 or 4 is not told from the next


# One hand, and competing ends -------------------------------------------------------------------


def test_events_of_one_hand_are_joined_as_hidden_ones_are(still):
    truth = curve((400, 380, 360, 340, 320, 300, 280, 260, 240), (20,) * 8)
    of_one = truth.events.copy()
    of_one[0] = [(20, 9, 9), *[(0, 0, 0)] * (HANDS - 1)]

    points = life_table(CurveTruth(truth.at_risk, of_one), still)

    assert (points[1].events, points[1].estimate) == (None, None)
    assert points[2].events == 40


def test_curve_ends_where_those_at_risk_are_of_one_hand(still):
    truth = curve((400, 380, 360, 340, 320, 300, 280, 260, 240), (20,) * 8)
    at_risk = truth.at_risk.copy()
    at_risk[5] = [(290, 9, 9), (10, 1, 1), (10, 2, 2), *[(0, 0, 0)] * (HANDS - 3)]

    points = life_table(CurveTruth(at_risk, truth.events), still)

    assert [point.estimate is None for point in points] == [False] * 5 + [True] * 4


def test_curve_of_a_site_sets_no_hand_aside(still):
    at_risk = np.array([[(n, n, 1)] for n in (400, 380, 360, 340, 320, 300, 280, 260, 240)])
    events = np.array([[(20, 20, 1)]] * 8)

    assert life_table(CurveTruth(at_risk, events), still) == ()
    shown = life_table(CurveTruth(at_risk, events, fixes_site=True), still)
    assert [point.events for point in shown] == [0] + [20] * 8


COMPETED = curve(
    (1_000, 940, 880, 820, 760, 700, 640, 580, 520),
    (40,) * 8,
    death=(12,) * 8,
    explant=(8,) * 8,
)


def test_incidence_without_loss_is_the_share_that_had_the_event(still):
    estimates = [point.estimate for point in incidence_table(COMPETED, still)]

    assert estimates == pytest.approx([0, 0.04, 0.08, 0.12, 0.16, 0.2, 0.24, 0.28, 0.32])


def test_limits_of_incidence_without_loss_are_those_of_a_share(still):
    """Where all are followed, the variance over intervals comes to p (1 - p) / n."""
    points = incidence_table(COMPETED, replace(still, policy=Sure()))

    for point in points[1:]:
        left = 1 - point.estimate
        width = 1.959964 * (point.estimate / left / 1_000) ** 0.5 / -np.log(left)
        expected = 1 - left ** np.exp(-width), 1 - left ** np.exp(width)
        assert (point.ci_lower, point.ci_upper) == pytest.approx(expected, rel=1e-6)


def test_incidence_counts_half_the_interval_of_those_who_left(still):
    # 400 at risk, 20 events, 20 other ends, 80 lost: 20 / (400 - 80 / 2) = 1 / 18.
    truth = curve((400, 280) + (280,) * 7, (20,) + (0,) * 7, death=(20,) + (0,) * 7)

    assert incidence_table(truth, still)[1].estimate == pytest.approx(20 / 360)


def test_interval_whose_other_ends_are_hidden_is_joined_with_the_next(still):
    truth = curve(
        (400, 374, 340, 300, 260, 220, 180, 140, 100),
        (20,) * 8,
        death=(6, 14, 20, 20, 20, 20, 20, 20),
    )

    points = incidence_table(truth, still)

    assert points[1].estimate is None
    assert points[2].events == 40
    assert points[2].estimate == pytest.approx(40 / 400)


def test_incidence_never_falls_and_stays_within_its_limits(policy):
    for seed in range(60):
        protection = Protection.under(seed.to_bytes(32, "big"), release=RELEASE, policy=policy)

        points = [p for p in incidence_table(COMPETED, protection) if p.estimate is not None]

        told = [point.estimate for point in points]
        assert told == sorted(told)
        assert len(told) > 5
        assert all(p.ci_lower < p.estimate < p.ci_upper for p in points[1:])


def test_limits_of_incidence_cover_the_true_probability(policy):
    """Coverage at 60 months over 400 registries of 800 devices, with their own keys."""
    draws = np.random.default_rng(12)
    boundaries = np.array(BOUNDARIES)
    event, other = 1 / 200, 1 / 250
    true = event / (event + other) * (1 - np.exp(-(event + other) * 60))
    covered, told = 0, 0
    for trial in range(400):
        first = draws.exponential(1 / (event + other), 800)
        is_event = draws.random(800) < event / (event + other)
        left = draws.uniform(20, 140, 800)
        keys = draws.integers(0, 2**30, 800)
        hands = np.arange(800) % HANDS

        def keyed(chosen, keys=keys, hands=hands):
            mine = [chosen & (hands == hand) for hand in range(HANDS)]
            return [(each.sum(), keys[each].sum(), 1) for each in mine]

        def between(chosen, first=first, left=left, keyed=keyed):
            seen = chosen & (first <= left)
            return np.array(
                [keyed(seen & (first > a) & (first <= b)) for a, b in pairwise(boundaries)]
            )

        truth = CurveTruth(
            np.array([keyed(np.minimum(first, left) > month) for month in boundaries]),
            between(is_event),
            {"death": between(~is_event)},
        )
        protection = Protection.under(trial.to_bytes(32, "big"), release=RELEASE, policy=policy)
        point = incidence_table(truth, protection)[BOUNDARIES.index(60)]
        if point.estimate is not None:
            told += 1
            covered += point.ci_lower <= true <= point.ci_upper

    assert told > 380
    assert 0.93 <= covered / told <= 0.985


def test_example_of_the_documents_is_what_the_table_gives(still):
    """docs/methods.md, survival, protected: noise of full variance around numbers that stay."""
    truth = curve((1_000, 1_000, 950, *[900] * 6), (0, 40, *[20] * 6))
    rounded = replace(still, policy=Policy())

    points = life_table(truth, rounded)

    point = next(each for each in points if each.time_months == 3)
    assert (points[0].at_risk, point.at_risk, point.events) == (1_000, 950, 40)
    assert point.estimate == pytest.approx(0.9598, abs=5e-5)
    assert (point.ci_lower, point.ci_upper) == pytest.approx((0.9443, 0.9710), abs=5e-5)
