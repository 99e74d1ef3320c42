"""Limits of curves robust to patients: by hand, and whether they hold the truth."""

import numpy as np
import pytest

from registry.statistics.landmarks import restricted_mean
from registry.statistics.life_counts import LifeCounts
from registry.statistics.patient_curves import LinesOfPatients, PatientsCurve, robust_to_patients
from registry.statistics.survival import cumulative_incidence, kaplan_meier
from tests.statistics.patients import Devices, coverage, devices_of, lines_of

LAST = 36


def robust(devices: Devices, span: tuple[int, int] = (0, LAST), **asked: bool) -> PatientsCurve:
    counts = LifeCounts.of(devices.end, devices.cause, devices.entry)
    found = robust_to_patients(counts, lines_of(*devices), span, **{"incidence": False, **asked})
    assert found is not None
    return found


def test_lone_devices_from_implantation_have_greenwoods_variance() -> None:
    devices = devices_of(np.random.default_rng(5), 80, frail=False, several=False)

    found = robust(devices)

    plain = kaplan_meier(devices.end, devices.cause == 1)
    at = plain.times.astype(int)
    inside = plain.survival > 0
    factor = np.sqrt(80 / 79)
    assert found.se[at][inside] == pytest.approx(plain.se[inside] * factor, rel=1e-10)


@pytest.mark.parametrize("incidence", [False, True])
def test_variance_is_that_of_small_weights_of_each_patient(incidence: bool) -> None:
    # the derivative by each patient's weight, numerically: a patient counts a little more
    devices = devices_of(np.random.default_rng(6), 30, frail=True, late=True)

    found = robust(devices, (0, LAST), incidence=incidence)

    squares = 0.0
    for patient in np.unique(devices.patient):
        moved = [
            _at_24(devices, np.where(devices.patient == patient, 1 + step, 1.0), incidence)
            for step in (1e-5, -1e-5)
        ]
        squares += ((moved[0] - moved[1]) / 2e-5) ** 2
    n = len(np.unique(devices.patient))
    assert found.se[24] == pytest.approx(np.sqrt(squares * n / (n - 1)), rel=1e-6)


def _at_24(devices: Devices, weight: np.ndarray, incidence: bool) -> float:
    free, had = 1.0, 0.0
    for month in range(25):
        there = ((devices.entry < month) | (devices.entry == 0)) & (devices.end >= month)
        n = weight[there].sum()
        own, other = (
            weight[there & (devices.end == month) & (devices.cause == cause)].sum()
            for cause in (1, 2)
        )
        had += free * own / n
        free *= 1 - (own + (other if incidence else 0)) / n
    return had if incidence else free


def test_restricted_mean_of_lone_devices_has_the_plain_limits() -> None:
    devices = devices_of(np.random.default_rng(9), 120, frail=False, several=False)
    plain = restricted_mean(kaplan_meier(devices.end, devices.cause == 1), until=24)

    half = robust(devices).mean_half_width(24)

    assert half == pytest.approx((plain.upper - plain.mean) * np.sqrt(120 / 119), rel=1e-9)


def test_curve_that_starts_late_counts_no_month_before() -> None:
    devices = devices_of(np.random.default_rng(7), 60, frail=True)
    later = robust(devices, (6, LAST))

    kept = devices.end > 5
    free = Devices(*(column[kept] for column in devices))
    from_six = Devices(
        free.patient, np.maximum(free.entry, 5), free.end, free.cause
    )  # at risk from month 6 on
    again = robust(from_six, (6, LAST))

    lost = np.sqrt(60 / 59) / np.sqrt(
        len(np.unique(free.patient)) / (len(np.unique(free.patient)) - 1)
    )
    assert later.se == pytest.approx(again.se * lost, rel=1e-9)


def test_under_ten_patients_have_no_such_limits() -> None:
    devices = devices_of(np.random.default_rng(7), 9, frail=False)
    counts = LifeCounts.of(devices.end, devices.cause, devices.entry)

    assert robust_to_patients(counts, lines_of(*devices), (0, LAST), incidence=False) is None


def test_products_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="products"):
        LinesOfPatients(np.array([1]), np.array([3]), np.zeros((2, 2)), 12)


@pytest.mark.parametrize("incidence", [False, True])
def test_limits_hold_the_truth_where_patients_devices_fail_together(incidence: bool) -> None:
    robustly, independently = coverage(registries=250, patients=200, incidence=incidence, seed=4)

    assert 0.92 <= robustly <= 0.98
    assert independently < 0.9


def test_incidence_of_lone_devices_has_the_variance_of_the_delta_method() -> None:
    devices = devices_of(np.random.default_rng(11), 100, frail=False, several=False)

    found = robust(devices, incidence=True)

    plain = cumulative_incidence(devices.end, devices.cause)
    at = plain.times.astype(int)
    assert found.se[at] == pytest.approx(plain.se[1] * np.sqrt(100 / 99), rel=1e-9)
