"""The burden of recurring events: curves by hand, where they start and stop, and who may ask."""

from pathlib import Path

import numpy as np
import pytest

from registry.records import BadQuery, EventQuery, NotAvailableAtThisDetail, Release
from registry.reporting.answering import _exact
from registry.reporting.asking.freshness import Frozen
from registry.reporting.estimating import burden
from registry.vocabulary import Measure
from tests.reporting.protecting import ask, frozen_rows
from tests.snapshot.rows import event, implant


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> Frozen:
    """Twenty pumps of men and ten of women, followed for 24 months; five men's flip thrice."""
    implants = [implant(f"m{n}", sex="male") for n in range(20)]
    implants += [implant(f"f{n}", sex="female") for n in range(10)]
    events = [
        event(f"e{n}-{month}", on=f"m{n}", months_since_implant=month)
        for n in range(5)
        for month in (2, 7, 13)
    ]
    return frozen_rows(tmp_path_factory.mktemp("burden"), events=events, implants=implants)


def asked(frozen: Frozen, **query: object) -> Release:
    return _exact(EventQuery(**query), Measure.BURDEN, frozen)  # type: ignore[arg-type]


def test_mean_grows_by_events_over_devices_at_risk(frozen: Frozen) -> None:
    release = asked(frozen, group_by=("sex",))

    men = [row for row in release.rows if row["sex"] == "male"]
    assert [(row["time_months"], row["events"], row["estimate"]) for row in men] == [
        (0, 0, 0.0),
        (2, 5, 0.25),
        (7, 5, 0.5),
        (13, 5, 0.75),
        (24, 0, 0.75),
    ]
    # a fifth of the devices have all events: the variance is that of 3 in 5 of 20 devices
    se = 3 * np.sqrt(0.25 * 0.75 / 20)
    last = men[-1]
    assert last["ci_lower"] == pytest.approx(0.75 * np.exp(-1.959963985 * se / 0.75))
    assert last["ci_upper"] == pytest.approx(0.75 * np.exp(1.959963985 * se / 0.75))


def test_group_without_events_stays_at_nothing(frozen: Frozen) -> None:
    women = [row for row in asked(frozen, group_by=("sex",)).rows if row["sex"] == "female"]

    assert [(row["time_months"], row["estimate"], row["status"]) for row in women] == [
        (0, 0.0, "zero"),
        (24, 0.0, "zero"),
    ]


def test_devices_that_all_had_an_event_at_once_have_no_limits(tmp_path: Path) -> None:
    implants = [implant(f"a{n}") for n in range(12)]
    events = [event(f"e{n}", on=f"a{n}", months_since_implant=10) for n in range(12)]

    rows = asked(frozen_rows(tmp_path, events=events, implants=implants)).rows

    assert [(row["time_months"], row["estimate"]) for row in rows] == [(0, 0), (10, 1), (24, 1)]
    assert {(row["ci_lower"], row["ci_upper"]) for row in rows} == {(None, None)}


def test_what_is_told_of_each_curve(frozen: Frozen) -> None:
    female, male = asked(frozen, group_by=("sex",)).meta["curves"]  # type: ignore[misc]

    assert male["sex"] == "male"
    assert (male["devices"], male["events"], male["events_outside"]) == (20, 15, 0)
    assert (male["starts_at_months"], male["ends_at_months"]) == (0, 24)
    assert male["means"] == [{"months": 12, "mean": 0.5}]
    assert female["events"] == 0
    assert [each["time_months"] for each in male["numbers_at_risk"]] == list(range(0, 25, 3))
    assert male["numbers_at_risk"][0]["at_risk"] == 20


def test_curve_starts_and_stops_with_ten_at_risk(tmp_path: Path) -> None:
    implants = [implant(f"a{n}", months_followed=10 + n) for n in range(12)]
    events = [event(f"e{n}", on=f"a{n}", months_since_implant=10 + n) for n in range(12)]
    short = frozen_rows(tmp_path, events=events, implants=implants)

    release = asked(short)

    assert [row["time_months"] for row in release.rows] == [0, 10, 11, 12]
    (about,) = release.meta["curves"]  # type: ignore[misc]
    assert (about["events"], about["events_outside"], about["ends_at_months"]) == (3, 9, 12)


def test_fewer_than_ten_devices_have_no_curve(tmp_path: Path) -> None:
    few = frozen_rows(
        tmp_path,
        implants=[implant(f"a{n}") for n in range(9)],
        events=[event("e", on="a0")],
    )

    (row,) = asked(few).rows

    assert (row["at_risk"], row["estimate"], row["status"]) == (9, None, "unstable")


def test_too_many_rows_are_refused(frozen: Frozen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(burden, "MOST_ROWS", 4)

    with pytest.raises(BadQuery) as refusal:
        asked(frozen)

    assert refusal.value.faults[0].code == "too-many-cells"


@pytest.mark.parametrize("group_by", [("severity",), ("complication",), ("year",)])
def test_groups_are_what_was_known_at_implantation(frozen: Frozen, group_by: tuple) -> None:
    with pytest.raises(BadQuery):
        asked(frozen, group_by=group_by)


def test_each_component_has_its_own_clock(tmp_path: Path) -> None:
    implants = [implant(f"p{n}") for n in range(10)]
    implants += [implant(f"c{n}", component="catheter", months_followed=12) for n in range(10)]
    events = [event("e", on="p0"), event("f", on="c0", complication="catheter-kink")]
    both = frozen_rows(tmp_path, events=events, implants=implants)

    rows = asked(both, group_by=("component",)).rows

    assert {(row["component"], row["time_months"]) for row in rows} == {
        *(("pump", month) for month in (0, 6, 24)),
        *(("catheter", month) for month in (0, 6, 12)),
    }
    assert {row["estimate"] for row in rows} == {0.0, 0.1}


def test_same_question_has_the_same_answer_to_the_last_digit(frozen: Frozen) -> None:
    assert asked(frozen, group_by=("sex",)) == asked(frozen, group_by=("sex",))


def test_burden_is_not_published_and_says_why_and_what_is(frozen: Frozen) -> None:
    with pytest.raises(NotAvailableAtThisDetail) as refusal:
        ask(frozen, Measure.BURDEN)

    (fault,) = refusal.value.faults
    assert "counts all events of a patient" in fault.detail
    assert "incidence shows the first event" in fault.detail
