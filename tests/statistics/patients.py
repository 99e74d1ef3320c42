"""Patients with several devices one after the other: their lines, and how often limits hold."""

from typing import NamedTuple

import numpy as np

from registry.statistics.life_counts import LifeCounts
from registry.statistics.patient_curves import ENTRY, LinesOfPatients, robust_to_patients
from registry.statistics.survival import aalen_johansen, product_limit

LAST, MONTH = 36, 24
HAZARD, DEATH, SPREAD = 0.02, 0.004, 2.0
"""A month's hazards of the event and of death, and the variance of patients' frailty (gamma)."""


class Devices(NamedTuple):
    """One entry a device: cause 1 is the event, 2 death, 0 censored; months."""

    patient: np.ndarray
    entry: np.ndarray
    end: np.ndarray
    cause: np.ndarray


def lines_of(
    patients: np.ndarray, entries: np.ndarray, ends: np.ndarray, causes: np.ndarray
) -> LinesOfPatients:
    """Sums over patients from one row a device; 1 is the event, 0 censored."""
    kinds = sorted({(ENTRY, int(e)) for e in entries} | set(zip(causes.tolist(), ends.tolist())))  # noqa: B905
    place = {kind: at for at, kind in enumerate(kinds)}
    numbers, patient = np.unique(patients, return_inverse=True)
    own = np.zeros((numbers.size, len(kinds)))
    for at in range(len(patients)):
        own[patient[at], place[ENTRY, int(entries[at])]] += 1
        own[patient[at], place[int(causes[at]), int(ends[at])]] += 1
    ended, month = np.array(kinds, dtype=np.int64).T
    return LinesOfPatients(ended, month, own.T @ own, numbers.size)


def devices_of(
    dice: np.random.Generator,
    patients: int,
    *,
    frail: bool,
    several: bool = True,
    late: bool = False,
) -> Devices:
    """Patients whose devices share a frailty; two in three have two devices or more, at most six.

    Times are exponential, rounded up to months, and end at 36 at the latest.
    """
    own = dice.gamma(1 / SPREAD, SPREAD, patients) if frail else np.ones(patients)
    many = 1 + np.minimum(dice.geometric(0.35, patients) - 1, 5) * several
    patient = np.repeat(np.arange(patients), many)
    event = np.ceil(dice.exponential(1 / (HAZARD * np.maximum(own[patient], 1e-9))))
    death = np.ceil(dice.exponential(1 / DEATH, patient.size))
    left = np.ceil(dice.uniform(6, 60, patient.size))
    end = np.minimum(np.minimum(event, death), np.minimum(left, LAST)).astype(np.int64)
    cause = np.where(event == end, 1, np.where(death == end, 2, 0))
    entry = dice.integers(0, 9, patient.size) * (dice.random(patient.size) < 0.3) * late
    seen = entry < end
    return Devices(patient[seen], entry[seen], end[seen], cause[seen])


def truth(*, frail: bool, incidence: bool) -> float:
    """Freedom at 24 months over all devices, or incidence before death; months are whole."""
    months = np.arange(1, MONTH + 1)
    free = _survival(months, frail=frail)
    if not incidence:
        return float(free[-1])
    before = np.concatenate(([1.0], free[:-1]))
    return float(((before - free) * np.exp(-DEATH * (months - 1))).sum())


def _survival(months: np.ndarray, *, frail: bool) -> np.ndarray:
    if not frail:
        return np.exp(-HAZARD * months)
    return (1 + SPREAD * HAZARD * months) ** (-1 / SPREAD)


def coverage(
    *, registries: int, patients: int, seed: int, incidence: bool = False, frail: bool = True
) -> tuple[float, float]:
    """How often 95 % limits at 24 months hold the truth: robust to patients, and independent."""
    dice = np.random.default_rng(seed)
    true, held = truth(frail=frail, incidence=incidence), np.zeros(2)
    for _ in range(registries):
        devices = devices_of(dice, patients, frail=frail)
        counts = LifeCounts.of(devices.end, devices.cause, devices.entry)
        robust = robust_to_patients(counts, lines_of(*devices), (0, LAST), incidence=incidence)
        assert robust is not None
        held[0] += robust.lower[MONTH] <= true <= robust.upper[MONTH]
        if incidence:
            curve = aalen_johansen(counts)
            lower, upper, times = curve.lower[1], curve.upper[1], curve.times
        else:
            plain = product_limit(counts)
            lower, upper, times = plain.lower, plain.upper, plain.times
        at = int(np.searchsorted(times, MONTH, side="right")) - 1
        held[1] += lower[at] <= true <= upper[at]
    robustly, independently = (held / registries).tolist()
    return robustly, independently
