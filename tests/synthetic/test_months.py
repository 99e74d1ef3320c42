"""Continuous time becomes whole months and day bands that keep the registry's rules."""

import numpy as np
import pytest

from registry.synthetic.follow import CATHETER, NOT_OPERATED, PUMP, Course, Devices
from registry.synthetic.happen import AFTER_EXIT, AT_RISK, BEFORE_ENTRY, Happenings
from registry.synthetic.months import device_months, event_times, nearest
from registry.synthetic.patients import Population

NONE = np.array([], dtype=np.int64)


def population(*, implanted: float = 120.5, entry: float = 0.0) -> Population:
    """One patient, implanted so many months after the start of 2000; refills every 2 months."""
    one = np.zeros(1, dtype=np.int64)
    return Population(
        site=one,
        stratum=one,
        sex=one,
        indication=one,
        age=np.array([50.0]),
        implanted=np.array([implanted]),
        entry=np.array([entry]),
        drug=one,
        adjuncts=one,
        label=one,
        programmable=np.array([True]),
        refill_interval=np.array([2.0]),
        refill_phase=np.array([0.5]),
        site_factor=np.ones(1),
    )


def followed(*, entry: float = 0.0, end: float = 24.0, catheter_start: float = 0.0) -> Course:
    """That patient's pump and catheter."""
    devices = Devices(
        patient=np.zeros(2, dtype=np.int64),
        component=np.array([PUMP, CATHETER]),
        model=np.zeros(2, dtype=np.int64),
        start=np.array([0.0, catheter_start]),
        entry=np.array([entry, 0.0]),
        end=np.array([end, end]),
        status=np.zeros(2, dtype=np.int64),
        procedure=np.zeros(2, dtype=np.int64),
    )
    leaves = np.array([60.0])
    return Course(devices, leaves, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE)


def happened(time: float, *, device: int = 0, kind: int = AT_RISK) -> Happenings:
    """One event."""
    return Happenings(
        patient=np.zeros(1, dtype=np.int64),
        device=np.array([device]),
        complication=np.zeros(1, dtype=np.int64),
        time=np.array([time]),
        context=np.array([time]),
        action=np.array([NOT_OPERATED]),
        kind=np.array([kind]),
        cause=np.array([-1]),
    )


def told(
    time: float,
    *,
    entry: float = 0.0,
    end: float = 24.0,
    device: int = 0,
    kind: int = AT_RISK,
    catheter_start: float = 0.0,
) -> tuple[int, int, int, int]:
    people, course = (
        population(entry=entry),
        followed(entry=entry, end=end, catheter_start=catheter_start),
    )
    event = happened(time, device=device, kind=kind)
    times = event_times(people, course, event, device_months(people, course))
    return (
        int(times.months[0]),
        int(times.year[0]),
        int(times.procedure_band[0]),
        int(times.refill_band[0]),
    )


def test_months_are_told_to_the_nearest() -> None:
    assert nearest(np.array([0.0, 0.49, 0.5, 1.49, 1.5, 11.6])).tolist() == [0, 0, 1, 1, 2, 12]


@pytest.mark.parametrize(
    ("entry", "end", "months", "time"),
    [
        (0.0, 0.3, (0, 0), 0.25),  # less than half a month counts as a quarter
        (0.0, 24.4, (0, 24), 24.0),
        (7.6, 24.4, (8, 24), 16.0),
        (7.6, 7.9, (8, 9), 1.0),  # a late entrant was seen for a month at the least
    ],
)
def test_device_time_is_what_the_registry_counts(entry, end, months, time) -> None:
    rounded = device_months(population(entry=entry), followed(entry=entry, end=end))

    assert (rounded.entry[0], rounded.followed[0]) == months
    assert rounded.time()[0] == time


def test_the_year_of_implant_counts_from_2000() -> None:
    rounded = device_months(population(implanted=131.9), followed(catheter_start=0.2))

    assert rounded.year.tolist() == [2010, 2011]


def test_an_event_in_the_instant_of_the_implant_is_of_its_first_week() -> None:
    assert told(0.0) == (0, 2010, 0, 0)


def test_an_event_is_told_in_its_year_as_its_months_allow() -> None:
    # Implanted in mid-January 2010; 11.6 months later is December still, and rounds to a year.
    assert told(11.6)[:2] == (12, 2011)


def test_an_event_just_after_a_late_entry_is_told_for_the_month_after() -> None:
    assert told(8.2, entry=8.1)[0] == 9


def test_an_event_from_before_entry_is_told_for_the_entrys_month_at_the_latest() -> None:
    assert told(8.55, entry=8.6, kind=BEFORE_ENTRY)[0] == 9
    assert told(8.45, entry=8.49, kind=BEFORE_ENTRY)[0] == 8


def test_an_event_after_the_exit_is_told_outside_device_time() -> None:
    assert told(24.4, end=24.3, kind=AFTER_EXIT)[0] == 25


@pytest.mark.parametrize(
    ("months", "band"), [(0.2, 0), (0.9, 1), (1.5, 2), (2.9, 3), (3.0, 4), (11.9, 4), (12.1, 5)]
)
def test_days_since_the_procedure_fall_into_their_band(months: float, band: int) -> None:
    assert told(months)[2] == band


def test_the_first_refill_comes_half_an_interval_after_entry_at_phase_a_half() -> None:
    # The pump was filled at implant; its refills are at 1, 3, 5 ... months.
    assert told(0.9)[3] == 2  # 27 days since the first fill
    assert told(1.02)[3] == 0  # less than a day since the refill
    assert told(2.9)[3] == 3  # 58 days


def test_a_catheter_is_no_younger_than_the_refill_it_saw() -> None:
    assert told(2.9, device=1, catheter_start=2.8)[3] == 1  # 3 days old; 58 since the refill


def test_refills_from_before_entry_are_not_known() -> None:
    assert told(5.0, entry=8.6, kind=BEFORE_ENTRY)[3] == -1
