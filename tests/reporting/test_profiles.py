from typing import Any

import pytest

from registry.records import EventQuery, NotPermitted, Viewer, Window
from registry.reporting.profiles import Row, hide_small, hold_to_profile
from registry.vocabulary import CellStatus, CountingRule, Denominator, Measure, Profile

RESEARCHER = Viewer(user_id=1, label="researcher")
REVIEWER = Viewer(user_id=2, exact_everywhere=True, label="reviewer")
REPORTER = Viewer(user_id=3, exact_sites=frozenset({"A", "B"}), label="site staff")


def profile(viewer: Viewer, measure: Measure = Measure.COUNTS, **query: Any) -> Profile:
    return hold_to_profile(EventQuery(**query), measure, viewer)


def refused(viewer: Viewer, measure: Measure = Measure.COUNTS, **query: Any) -> set[str]:
    with pytest.raises(NotPermitted) as refusal:
        profile(viewer, measure, **query)
    return {fault.code for fault in refusal.value.faults}


def test_reviewers_and_managers_have_exact_answers() -> None:
    assert profile(REVIEWER, group_by=("drug", "site")) is Profile.EXACT


@pytest.mark.parametrize("sites", [("A",), ("A", "B")])
def test_members_have_exact_answers_about_their_own_sites(sites: tuple[str, ...]) -> None:
    assert profile(REPORTER, where=(("site", sites),), group_by=("drug",)) is Profile.EXACT


@pytest.mark.parametrize(
    "where", [(), (("site", ("A", "C")),), (("site", ("C",)),), (("site", ("A", "not-recorded")),)]
)
def test_members_are_protected_beyond_their_own_sites(where: Any) -> None:
    query = EventQuery(where=where)

    if where:
        assert refused(REPORTER, where=where) == {"protected-filter"}
    else:
        assert hold_to_profile(query, Measure.COUNTS, REPORTER) is Profile.PROTECTED


def test_who_may_not_ask_is_refused_whatever_the_question() -> None:
    assert refused(Viewer(may_ask=False)) == {"no-statistics"}
    assert refused(Viewer(may_ask=False, exact_everywhere=True)) == {"no-statistics"}


@pytest.mark.parametrize("measure", [Measure.COUNTS, Measure.RATES, Measure.PROPORTIONS])
@pytest.mark.parametrize(
    "query",
    [
        {},
        {"group_by": ("year",)},
        {"group_by": ("category",)},
        {"where": (("category", ("catheter",)),)},
        {"where": (("category", ("catheter",)),), "group_by": ("year",)},
        {"level": 0.99, "per": 100, "labels": "both", "release": "2026Q4"},
    ],
)
def test_protected_profile_answers_coarse_questions(measure: Measure, query: Any) -> None:
    assert profile(RESEARCHER, measure, **query) is Profile.PROTECTED


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"where": (("drug", ("morphine",)),)}, "protected-filter"),
        ({"where": (("complication", ("pump-flip",)),)}, "protected-filter"),
        ({"where": (("site", ("A",)),)}, "protected-filter"),
        ({"where": (("state", ("draft",)),)}, "protected-filter"),
        ({"where": (("year", ("2019",)),)}, "protected-filter"),
        ({"where": (("category", ("pump", "catheter")),)}, "protected-one-category"),
        ({"years": (2019, 2019)}, "protected-years"),
        ({"windows": (Window(0, 3),)}, "protected-window"),
        ({"unit": Denominator.REFILLS}, "protected-unit"),
        ({"group_by": ("drug",)}, "protected-group-by"),
        ({"group_by": ("complication",)}, "protected-group-by"),
        ({"group_by": ("year", "category")}, "protected-group-by"),
        ({"group_by": ("window",)}, "protected-group-by"),
        ({"counting": CountingRule.EVENTS}, "protected-counting"),
        ({"counting": CountingRule.EPISODES}, "protected-counting"),
    ],
)
def test_protected_profile_refuses_a_finer_question(query: Any, code: str) -> None:
    assert refused(RESEARCHER, **query) == {code}


@pytest.mark.parametrize(
    ("measure", "allowed"),
    [
        (Measure.COUNTS, CountingRule.PATIENTS),
        (Measure.RATES, CountingRule.FIRST_EVENT),
        (Measure.PROPORTIONS, CountingRule.PATIENTS),
    ],
)
def test_protected_profile_takes_its_own_counting_only(
    measure: Measure, allowed: CountingRule
) -> None:
    assert profile(RESEARCHER, measure, counting=allowed) is Profile.PROTECTED
    for rule in set(CountingRule) - {allowed}:
        assert refused(RESEARCHER, measure, counting=rule) == {"protected-counting"}


@pytest.mark.parametrize(
    "measure",
    [each for each in Measure if each not in {"counts", "rates", "proportions"}],
)
def test_protected_profile_refuses_other_measures(measure: Measure) -> None:
    assert refused(RESEARCHER, measure) == {"protected-measure"}


def test_every_fault_is_told_at_once_and_none_repeats_a_value() -> None:
    with pytest.raises(NotPermitted) as refusal:
        profile(RESEARCHER, where=(("drug", ("morphine",)),), years=(2019, 2019))

    faults = refusal.value.faults
    assert {fault.column for fault in faults} == {"drug", "year"}
    assert not any("morphine" in fault.detail or "2019" in fault.detail for fault in faults)


def rows(*patients: int) -> list[Row]:
    return [
        Row((place,), {"n": n, "unit": "pump-months"}, CellStatus.OK, n)
        for place, n in enumerate(patients)
    ]


def shown(*patients: int) -> list[object]:
    hidden = hide_small(rows(*patients), minimum=10, kept=frozenset({"unit"}))
    return [row.numbers["n"] for row in hidden]


def test_rows_under_ten_patients_are_hidden_zeros_too() -> None:
    assert shown(9, 10, 0) == [None, 10, None]


def test_one_hidden_row_alone_takes_the_smallest_of_the_others_along() -> None:
    assert shown(3, 50, 12, 30) == [None, 50, None, 30]


def test_nothing_is_hidden_where_nothing_is_small() -> None:
    assert shown(10, 11) == [10, 11]


@pytest.mark.parametrize(("patients", "n"), [(9, None), (10, 10)])
def test_single_row_is_hidden_by_itself(patients: int, n: int | None) -> None:
    assert shown(patients) == [n]


def test_hidden_row_keeps_its_key_and_unit_and_says_so() -> None:
    row = hide_small(rows(0), minimum=10, kept=frozenset({"unit"}))[0]

    assert row == Row((0,), {"n": None, "unit": "pump-months"}, CellStatus.SUPPRESSED)
