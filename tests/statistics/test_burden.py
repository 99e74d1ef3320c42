"""The mean cumulative function: Nelson's valve seats, devices one by one, and coverage."""

import numpy as np
import pytest

from registry.statistics.burden import Recurrences, at_risk_by_month, mean_cumulative

VALVE_SEATS: list[tuple[int, list[int]]] = [
    *((761, []), (759, []), (667, [98]), (667, [326, 653, 653]), (665, []), (667, [84])),
    *((663, [87]), (653, [646]), (653, [92]), (651, []), (650, [258, 328, 377, 621])),
    *((648, [61, 539]), (644, [254, 276, 298, 640]), (642, [76, 538]), (641, [635])),
    *((649, [349, 404, 561]), (631, []), (596, []), (614, [120, 479]), (582, [323, 449])),
    *((589, [139, 139]), (593, []), (589, [573]), (606, [165, 408, 604]), (594, [249])),
    *((613, [344, 497]), (595, [265, 586]), (389, [166, 206, 348]), (601, [])),
    *((601, [410, 581]), (611, []), (608, []), (587, []), (603, [367])),
    *((585, [202, 563, 570]), (587, []), (578, []), (578, []), (586, []), (585, []), (582, [])),
]
"""Replacements of valve seats in 41 engines by their age in days (Nelson, Technometrics 1995)."""

Device = tuple[int, int, list[int]]
"""Entry, end and months of events of one device."""


def sums_of(devices: list[Device]) -> Recurrences:
    """The sums of devices told one by one, a line each."""
    events = [(month, entry, end) for entry, end, months in devices for month in months]
    pairs = [(one, other) for *_, months in devices for one in months for other in months]
    columns = [
        *zip(*((entry, end, 1) for entry, end, _ in devices), strict=True),
        *(zip(*((*each, 1) for each in events), strict=True) if events else ((),) * 4),
        *(zip(*((*each, 1) for each in pairs), strict=True) if pairs else ((),) * 3),
    ]
    return Recurrences(*(np.array(each, dtype=np.int64) for each in columns))


def test_valve_seats_are_those_of_nelson_and_of_survfit() -> None:
    found = mean_cumulative(sums_of([(0, end, events) for end, events in VALVE_SEATS]))

    # R 4.2.2, survival 3.5-3: survfit(Surv(from, to, status) ~ 1, id = engine), cumhaz, std.chaz
    expected = {
        61: (0.0243902439024, 0.0240909657719),
        139: (0.2195121951220, 0.0732698119581),
        254: (0.3658536585366, 0.0896559459867),
        449: (0.7585365853659, 0.1427022338305),
        604: (1.0597186850000, 0.1850609881167),
        646: (1.3204652913348, 0.2285051549501),
    }
    at = {int(time): place for place, time in enumerate(found.times)}
    for day, (mean, se) in expected.items():
        assert found.mean[at[day]] == pytest.approx(mean, rel=1e-10)
        assert found.se[at[day]] == pytest.approx(se, rel=1e-10)
    assert (found.at_risk[at[581]], found.events.sum()) == (38, 48)


def one_by_one(devices: list[Device], upto: int) -> tuple[float, float]:
    """The mean and its variance by the sums of Lawless and Nadeau, device by device."""
    risk = {
        month: [entry == 0 or entry < month for entry, end, _ in devices if month <= end].count(
            True
        )
        for month in range(upto + 1)
    }
    counts = {
        month: sum(months.count(month) for *_, months in devices) for month in range(upto + 1)
    }
    mean = sum(counts[m] / risk[m] for m in risk if counts[m])
    variance = 0.0
    for entry, end, months in devices:
        own = 0.0
        for month in risk:
            if counts[month] and month <= end and (entry == 0 or entry < month):
                expected = counts[month] / risk[month]
                own += (months.count(month) - expected) / risk[month]
        variance += own**2
    return mean, variance


@pytest.mark.parametrize("seed", range(5))
def test_sums_give_what_devices_one_by_one_give(seed: int) -> None:
    dice = np.random.default_rng(seed)
    devices: list[Device] = []
    for _ in range(60):
        end = int(dice.integers(0, 40))
        entry = int(dice.integers(0, end + 1)) if dice.random() < 0.4 else 0
        possible = range(0 if entry == 0 else entry + 1, end + 1)
        months = dice.choice(list(possible), int(dice.poisson(1.5))).tolist() if possible else []
        devices.append((entry, end, months))

    found = mean_cumulative(sums_of(devices))

    assert found.times.size > 5
    for time, mean, se in zip(found.times, found.mean, found.se, strict=True):
        expected = one_by_one(devices, int(time))
        assert (mean, se) == pytest.approx((expected[0], expected[1] ** 0.5), rel=1e-9)


def test_limits_are_on_the_scale_of_the_logarithm() -> None:
    found = mean_cumulative(sums_of([(0, 9, [3, 5]), (0, 9, [5]), (0, 4, [])]), level=0.9)

    wide = np.exp(1.6448536269514722 * found.se / found.mean)
    assert found.lower == pytest.approx(found.mean / wide)
    assert found.upper == pytest.approx(found.mean * wide)


def test_devices_that_all_had_the_same_leave_limits_undefined() -> None:
    alike = [(0, 9, [3, 5])] * 12

    found = mean_cumulative(sums_of(alike))
    but_one = mean_cumulative(sums_of([*alike[1:], (0, 9, [3])]))

    assert found.mean.tolist() == [1.0, 2.0]
    assert np.isnan([found.lower, found.upper]).all()
    assert np.isnan(but_one.lower).tolist() == [True, False]


def test_device_that_entered_late_is_at_risk_from_the_month_after() -> None:
    assert at_risk_by_month(sums_of([(0, 3, []), (2, 4, []), (4, 4, [])])).tolist() == [
        1,
        1,
        1,
        2,
        1,
    ]


def test_curve_starts_and_ends_where_it_is_told() -> None:
    devices = [(0, 9, [1, 3, 8]), (0, 9, [3])]

    found = mean_cumulative(sums_of(devices), first=2, last=5)

    assert found.times.tolist() == [3]
    assert found.mean.tolist() == [1.0]


def test_without_events_there_is_no_point() -> None:
    assert mean_cumulative(sums_of([(0, 9, []), (0, 3, [])])).times.size == 0


@pytest.mark.parametrize("name", ["end", "events", "pairs"])
def test_lines_of_unlike_length_are_refused(name: str) -> None:
    sums = sums_of([(0, 9, [1])])
    wrong = {each: getattr(sums, each) for each in sums.__dataclass_fields__} | {
        name: np.array([1, 1])
    }

    with pytest.raises(ValueError, match=name):
        mean_cumulative(Recurrences(**wrong))


def test_limits_hold_the_mean_where_events_cluster_in_devices() -> None:
    dice, held = np.random.default_rng(8), 0
    for _ in range(400):
        devices = []
        for _ in range(120):
            end, own = int(dice.integers(20, 61)), float(dice.gamma(1.0, 1.0))
            months = [m for m in range(1, end + 1) for _ in range(dice.poisson(0.02 * own))]
            devices.append((0, end, months))
        found = mean_cumulative(sums_of(devices), last=36)
        at = int(np.searchsorted(found.times, 36, side="right")) - 1
        held += found.lower[at] <= 0.72 <= found.upper[at]

    assert 0.92 <= held / 400 <= 0.975


def test_an_event_of_the_only_device_left_is_a_whole_one() -> None:
    found = mean_cumulative(sums_of([(0, 2, [1]), (0, 5, [4])]))

    assert found.times.tolist() == [1, 4]
    assert found.mean.tolist() == [0.5, 1.5]
