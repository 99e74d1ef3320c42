"""Which answers say that they are provisional, and which are the last word."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from registry.records import EventQuery
from registry.reporting.asking.still_open import AcceptedSoFar, Rule, StillOpen, still_open
from registry.reporting.measures import MEASURES
from registry.reporting.words.provisional import BEHIND, UNMEASURED, WORKING, provisional
from registry.vocabulary import Measure, Profile, SnapshotKind

IN_JUNE = datetime(2026, 6, 30, tzinfo=UTC)
AT_THE_END = datetime(2026, 12, 31, tzinfo=UTC)


def said(
    *,
    kind: SnapshotKind = SnapshotKind.RELEASE,
    as_of: datetime | None = IN_JUNE,
    measure: Measure = Measure.COUNTS,
    cannot_follow: bool = False,
    open_years: StillOpen | None = None,
    **fields: Any,
) -> list[str]:
    by_calendar = still_open((), as_of, profile=Profile.PROTECTED)
    question: Any = SimpleNamespace(
        query=EventQuery(**fields), spec=MEASURES[measure], open_years=open_years or by_calendar
    )
    frozen: Any = SimpleNamespace(kind=kind, data_as_of=as_of, cannot_follow=cannot_follow)
    return provisional(question, frozen)


def test_data_that_cannot_be_frozen_again_say_so_whatever_answers() -> None:
    assert said(kind=SnapshotKind.WORKING, cannot_follow=True) == [WORKING, BEHIND]
    assert said(kind=SnapshotKind.RELEASE, cannot_follow=True) == [BEHIND]


def test_a_working_snapshot_is_provisional_and_a_release_is_not() -> None:
    assert said(kind=SnapshotKind.WORKING) == [WORKING]
    assert said(kind=SnapshotKind.RELEASE) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"group_by": ("year",)},
        {"group_by": ("category", "period")},
        {"where": (("year", ("2025", "2026")),)},
        {"where": (("period", ("2025-2029",)),)},
        {"years": (2020, None)},
        {"years": (2026, 2026)},
    ],
)
def test_a_year_that_the_data_end_in_is_provisional(fields: dict[str, Any]) -> None:
    (sentence,) = said(**fields)

    assert sentence.startswith("Provisional: the year 2026 was not over")


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"group_by": ("category",)},
        {"where": (("year", ("2025", "not-recorded")),)},
        {"where": (("period", ("2020-2024", "not-recorded")),)},
        {"years": (2020, 2025)},
        {"years": (None, 2025)},
        {"group_by": ("year",), "as_of": AT_THE_END},
        {"group_by": ("year",), "as_of": None},
        {"group_by": ("year",), "measure": Measure.TREND},
    ],
)
def test_years_that_are_over_are_not(fields: dict[str, Any]) -> None:
    assert said(**fields) == []


MEASURED = StillOpen(
    Rule.MEASURED,
    2026,
    (AcceptedSoFar(2025, 0.8391, 0.8, 0.87), AcceptedSoFar(2024, 0.9497, 0.93, 0.96)),
    events=412,
    within=60,
)
COMPLETE = StillOpen(Rule.MEASURED, 2026, (AcceptedSoFar(2025, 0.95, 0.93, 0.97),))
CALENDAR = StillOpen(Rule.CALENDAR, 2026, last_over=2025)


def test_a_year_whose_events_are_not_all_accepted_says_how_many_are() -> None:
    running, last, before = said(open_years=MEASURED, group_by=("year",))

    assert running.startswith("Provisional: the year 2026 was not over")
    assert last.startswith("Provisional: of 2025's events about 83 % are likely to be accepted")
    assert before.startswith("Provisional: of 2024's events about 94 %")


@pytest.mark.parametrize(
    ("open_years", "fields", "years"),
    [
        (MEASURED, {"years": (2010, 2024)}, ["2024"]),
        (MEASURED, {"where": (("year", ("2025",)),)}, ["2025"]),
        (MEASURED, {"years": (2010, 2023)}, []),
        (MEASURED, {"group_by": ("category",)}, []),
        (MEASURED, {"group_by": ("year",), "measure": Measure.TREND}, []),
        (COMPLETE, {"where": (("year", ("2025",)),)}, []),
        (CALENDAR, {"where": (("period", ("2020-2024",)),)}, []),
    ],
)
def test_only_years_of_the_answer_are_spoken_of(
    open_years: StillOpen, fields: dict[str, Any], years: list[str]
) -> None:
    found = said(open_years=open_years, **fields)

    assert len(found) == len(years)
    assert all(f"of {year}'s events" in told for told, year in zip(found, years, strict=True))


@pytest.mark.parametrize("measure", [Measure.COUNTS, Measure.TREND])
def test_a_delay_that_is_not_measured_is_told(measure: Measure) -> None:
    found = said(open_years=CALENDAR, measure=measure, years=(2020, 2025), group_by=("year",))

    assert found[-1] == UNMEASURED.format(year=2025)
