"""What a form may offer follows from who asks, and from nothing that was recorded."""

import pytest

from registry import reporting
from registry.records import EventQuery, Viewer
from registry.reporting.asking import freshness
from registry.reporting.measures import MEASURES
from registry.vocabulary import CountingRule, Measure

pytestmark = pytest.mark.django_db

EXACT = Viewer(user_id=None, exact_everywhere=True, label="reviewer")
MEMBER = Viewer(exact_sites=frozenset({"TAIRA-A"}), label="site staff")
RESEARCHER = Viewer(label="researcher")


def measures(viewer: Viewer) -> set[Measure]:
    return {each.measure for each in reporting.offers(viewer)}


def test_exact_viewers_and_members_are_offered_every_measure() -> None:
    assert measures(EXACT) == measures(MEMBER) == set(MEASURES)


def test_others_are_offered_what_is_published() -> None:
    offered = measures(RESEARCHER)

    assert offered >= {Measure.COUNTS, Measure.RATES, Measure.PROPORTIONS}
    assert all(MEASURES[measure].published for measure in offered)
    assert Measure.COVERAGE not in offered


def test_whoever_may_not_ask_is_offered_nothing() -> None:
    assert reporting.offers(Viewer(may_ask=False)) == []


def test_only_rules_with_a_choice_in_them_are_offered() -> None:
    exact = {each.measure: each.counting for each in reporting.offers(EXACT)}
    others = {each.measure: each.counting for each in reporting.offers(RESEARCHER)}

    assert CountingRule.EVENTS in exact[Measure.RATES]
    assert others[Measure.RATES] == (CountingRule.FIRST_EVENT,)
    assert CountingRule.EVENTS not in others[Measure.COUNTS]


def test_measures_with_rows_of_their_own_take_no_other_grouping() -> None:
    groupings = {each.measure: each.groupings for each in reporting.offers(EXACT)}

    assert groupings[Measure.RATES] is None
    assert groupings[Measure.TREND] == ()


SEVERE = (("severity", ("3", "4")),)


@pytest.mark.parametrize(
    ("viewer", "query", "measure", "answered"),
    [
        (EXACT, {"where": SEVERE}, Measure.RATES, True),
        (RESEARCHER, {"where": SEVERE}, Measure.RATES, False),
        (RESEARCHER, {"where": SEVERE[:0]}, Measure.RATES, True),
        (RESEARCHER, {}, Measure.COVERAGE, False),
        (MEMBER, {}, Measure.COVERAGE, False),
        (MEMBER, {"where": (("site", ("TAIRA-A",)),)}, Measure.COVERAGE, True),
        (RESEARCHER, {"release": "none-such"}, Measure.COUNTS, False),
        (EXACT, {"release": "none-such"}, Measure.COUNTS, False),
        (EXACT, {"counting": CountingRule.DEVICES}, Measure.RATES, False),
        (RESEARCHER, {"counting": CountingRule.EVENTS}, Measure.COUNTS, False),
        (Viewer(may_ask=False), {}, Measure.COUNTS, False),
    ],
)
@pytest.mark.usefixtures("kept_cohort")
def test_whether_a_question_is_answered_is_known_beforehand(
    viewer: Viewer, query: dict, measure: Measure, answered: bool
) -> None:
    freshness.publish("2026Q4")
    event_query = EventQuery(**query)

    assert reporting.can_be_answered(event_query, measure=measure, viewer=viewer) is answered
    if answered:
        assert reporting.answer(event_query, measure=measure, viewer=viewer).rows


@pytest.mark.usefixtures("kept_cohort")
def test_without_a_release_nothing_protected_is_answered() -> None:
    assert not reporting.can_be_answered(EventQuery(), measure=Measure.COUNTS, viewer=RESEARCHER)
    assert reporting.can_be_answered(EventQuery(), measure=Measure.COUNTS, viewer=EXACT)
