"""Which answers say that they are provisional, and which are the last word."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from registry.records import EventQuery
from registry.reporting.measures import MEASURES
from registry.reporting.words.provisional import BEHIND, WORKING, provisional
from registry.vocabulary import Measure, SnapshotKind

IN_JUNE = datetime(2026, 6, 30, tzinfo=UTC)
AT_THE_END = datetime(2026, 12, 31, tzinfo=UTC)


def said(
    *,
    kind: SnapshotKind = SnapshotKind.RELEASE,
    as_of: datetime | None = IN_JUNE,
    measure: Measure = Measure.COUNTS,
    cannot_follow: bool = False,
    **fields: Any,
) -> list[str]:
    question: Any = SimpleNamespace(query=EventQuery(**fields), spec=MEASURES[measure])
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
