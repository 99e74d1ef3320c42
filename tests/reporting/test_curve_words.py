"""What curves say of themselves."""

from typing import Any

import pytest

from registry.reporting.words import sentences
from registry.reporting.words.left_out import left_out
from registry.vocabulary import Measure, Profile
from tests.reporting.test_question import MANIFEST, TERMS, named, question

CATHETER = {"where": named(category=("catheter",))}


def method(measure: Measure, profile: Profile = Profile.EXACT, **query: Any) -> str:
    return sentences.method(question(measure, **query), profile=profile)


def warnings(measure: Measure, profile: Profile = Profile.EXACT, **query: Any) -> str:
    return " ".join(sentences.warnings(question(measure, **query), profile=profile))


def test_method_names_its_sources() -> None:
    assert method(Measure.SURVIVAL).startswith("Kaplan-Meier (1958), Greenwood's variance (1926)")
    assert method(Measure.INCIDENCE).startswith("Aalen-Johansen (1978)")
    assert method(Measure.SURVIVAL, Profile.PROTECTED).startswith("Interval life table")


@pytest.mark.parametrize(
    ("ci", "said"), [(None, "log(-log) scale"), ("log", "the log scale"), ("plain", "plain scale")]
)
def test_method_names_the_scale_of_the_limits(ci: str | None, said: str) -> None:
    assert said in method(Measure.SURVIVAL, ci=ci)


def test_method_names_the_test_where_there_are_groups() -> None:
    assert "log-rank" in method(Measure.SURVIVAL, group_by=("drug",))
    assert "log-rank" not in method(Measure.SURVIVAL)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({}, "pumps at risk, on the pump's clock"),
        (CATHETER, "catheters at risk, on the catheter's clock"),
        ({"group_by": ("component",)}, "devices at risk, each on its own clock"),
    ],
)
def test_denominator_names_those_at_risk_and_their_clock(query: Any, said: str) -> None:
    survival = question(Measure.SURVIVAL, **query)

    assert survival.spec.denominator(survival) == said


def test_title_says_what_a_curve_is_of() -> None:
    free, came = (
        sentences.title(question(measure, **CATHETER), TERMS)
        for measure in (Measure.SURVIVAL, Measure.INCIDENCE)
    )

    assert free == "Freedom from Catheter problem"
    assert came == "Cumulative incidence of Catheter problem"


def test_freedom_is_said_to_be_no_probability_of_the_event() -> None:
    assert "One minus freedom is not the probability" in warnings(Measure.SURVIVAL)
    assert "One minus freedom is not the probability" in warnings(
        Measure.SURVIVAL, Profile.PROTECTED
    )
    assert "One minus" not in warnings(Measure.INCIDENCE)


def test_incidence_says_what_competes_and_what_comes_first() -> None:
    said = warnings(Measure.INCIDENCE)

    assert "Death, explant for another cause" in said
    assert "An event in the month in which follow-up ended came first" in said


def test_curve_of_a_patients_complication_says_so() -> None:
    withdrawal = {"where": named(category=("withdrawal",))}

    assert "The complication is the patient's" in warnings(Measure.SURVIVAL, **withdrawal)
    assert "The complication is the patient's" not in warnings(Measure.SURVIVAL)


def test_protected_curve_says_at_which_months_it_is_told() -> None:
    assert "0, 1, 3, 6, 12, 24, 36, 60 and 84" in warnings(Measure.SURVIVAL, Profile.PROTECTED)


def test_protected_curve_warns_of_what_its_intervals_cannot_follow() -> None:
    assert "battery depletion does, comes out too rare" in warnings(
        Measure.SURVIVAL, Profile.PROTECTED
    )
    assert "too rare" not in warnings(Measure.SURVIVAL)


def test_curve_says_that_events_of_the_other_component_count_where_clocks_are_mixed() -> None:
    mixed, own = (
        left_out(question(Measure.SURVIVAL, **query), MANIFEST, profile=Profile.EXACT)
        for query in ({}, CATHETER)
    )

    assert any("event of the other component" in said for said in mixed)
    assert not any("event of the other component" in said for said in own)
