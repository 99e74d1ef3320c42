"""What the specs say: every measure has one, and its protected form is reviewed here."""

from dataclasses import asdict

import pytest

from registry.disclosure import Form
from registry.records import BadQuery, EventQuery, NotAvailableAtThisDetail
from registry.reporting import ADJUSTERS, example_columns
from registry.reporting.asking.spec import ANY_DIMENSION, SOME_MEASURES, Withheld
from registry.reporting.measures import MEASURES
from registry.reporting.protected_answers import published_form
from registry.reporting.taken import held_to_measure
from registry.vocabulary import CountingRule, Measure

FIRST, DEVICES, PATIENTS = (
    CountingRule.FIRST_EVENT,
    CountingRule.DEVICES,
    CountingRule.PATIENTS,
)
PROTECTED_FORMS = {
    Measure.COUNTS: (Form.COUNTS, (PATIENTS, DEVICES, FIRST)),
    Measure.RATES: (Form.RATES, (FIRST,)),
    Measure.PROPORTIONS: (Form.PROPORTIONS, (PATIENTS,)),
    Measure.SURVIVAL: (Form.LIFE_TABLE, (FIRST,)),
    Measure.INCIDENCE: (Form.INCIDENCE, (FIRST,)),
    Measure.BURDEN: None,
    Measure.COMPARISON: (Form.COMPARISON, (FIRST,)),
    Measure.FUNNEL: (Form.FUNNEL, (FIRST,)),
    Measure.TREND: (Form.TREND, (FIRST,)),
    Measure.SIGNALS: (Form.SIGNALS, (DEVICES,)),
    Measure.CASCADES: (Form.CASCADES, (PATIENTS,)),
    Measure.COVERAGE: None,
}
"""The policy: in which form a measure is published, and what it may count; None is withheld.

A change here is a change of what leaves the registry (docs/disclosure.md).
"""

PRODUCTS = {*("pump_model", "catheter_model", "manufacturer", "drug", "drug_class"), "label_status"}
AT_IMPLANT = PRODUCTS | {
    *("pump_family", "pump_site", "pump_plane", "procedure"),
    *("component", "age_band", "age_group", "implant_year", "indication", "indication_group"),
    *("sex", "site", "country"),
}
GROUPED_BY = {
    Measure.SURVIVAL: AT_IMPLANT,
    Measure.INCIDENCE: AT_IMPLANT,
    Measure.BURDEN: AT_IMPLANT,
    Measure.COMPARISON: (AT_IMPLANT - {"component"}) | {"year", "period", "window"},
    Measure.FUNNEL: {"site"},
    Measure.TREND: {"year"},
    Measure.SIGNALS: PRODUCTS | {"complication", "category"},
    Measure.CASCADES: {"complication", "category"},
}
"""The groupings of the measures that are not grouped by anything."""

NEVER_PROTECTED = {
    Measure.TREND: {"cusum", "alarm"},
    Measure.SIGNALS: {"p"},
    Measure.CASCADES: {"with_interval", "before_cause", "median_months"},
}
"""Columns of published measures that only exact answers have."""


def test_protected_forms_are_those_of_the_policy() -> None:
    assert {
        measure: (spec.published.form, spec.published.counting) if spec.published else None
        for measure, spec in MEASURES.items()
    } == PROTECTED_FORMS


def test_columns_of_exact_answers_only_are_those_of_the_policy() -> None:
    told = {measure: set(spec.never_protected) for measure, spec in MEASURES.items()}

    assert {measure: names for measure, names in told.items() if names} == NEVER_PROTECTED


def test_groupings_are_those_that_a_measure_has_a_meaning_under() -> None:
    groupings = {measure: set(spec.group_by) for measure, spec in MEASURES.items()}

    assert {
        measure: names for measure, names in groupings.items() if names != {*ANY_DIMENSION}
    } == GROUPED_BY


def test_no_protected_form_counts_a_patient_twice() -> None:
    for spec in MEASURES.values():
        assert spec.published is None or not {CountingRule.EVENTS, CountingRule.EPISODES} & set(
            spec.published.counting
        )


def test_every_measure_has_a_spec_in_the_order_of_the_vocabulary() -> None:
    assert list(MEASURES) == list(Measure)


@pytest.mark.parametrize("measure", Measure)
def test_spec_holds_together(measure: Measure) -> None:
    spec = MEASURES[measure]

    assert spec.counting
    assert spec.takes <= set(SOME_MEASURES)
    assert spec.published is None or set(spec.published.counting) <= set(spec.counting)
    assert spec.reading.has_level == ("level" in spec.takes)
    assert not spec.places or {name for names in spec.places for name in names} == {*spec.group_by}
    assert spec.own_rows or spec.has_own_rows or spec.places is None


@pytest.mark.parametrize("measure", Measure)
def test_example_has_a_value_for_each_column_that_an_answer_has(measure: Measure) -> None:
    spec = MEASURES[measure]
    types = {"string": str, "integer": int, "number": float, "boolean": bool}

    columns = example_columns(spec)

    assert list(spec.example.row) == [column.name for column in columns]
    for column in columns:
        assert type(spec.example.row[column.name]) is types[column.type], asdict(column)


@pytest.mark.parametrize("measure", Measure)
def test_rows_can_be_ordered_by_columns_that_answers_have(measure: Measure) -> None:
    spec = MEASURES[measure]

    assert set(spec.ordering) <= {column.name for column in example_columns(spec)}


@pytest.mark.parametrize("measure", [each for each, form in PROTECTED_FORMS.items() if not form])
def test_withheld_measure_says_why_and_what_is_published(measure: Measure) -> None:
    withheld = MEASURES[measure].protected
    assert isinstance(withheld, Withheld)

    with pytest.raises(NotAvailableAtThisDetail) as refusal:
        published_form(measure)

    (fault,) = refusal.value.faults
    assert fault.column == "measure"
    assert withheld.why in fault.detail
    assert "counts, rates, proportions, survival" in fault.detail


@pytest.mark.parametrize("measure", Measure)
@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("unit", "pump-months"),
        ("per", 100),
        ("level", 0.99),
        ("ci", "plain"),
        ("standardise", ("sex",)),
        ("adjust", ("sex",)),
        ("reference", "male"),
        ("cluster", "site"),
        ("effect", ("revision-surgery",)),
    ],
)
def test_option_is_taken_as_the_spec_says_or_refused(
    measure: Measure, option: str, value: object
) -> None:
    query = EventQuery(**{option: value})  # type: ignore[arg-type]

    if option in MEASURES[measure].takes:
        assert getattr(held_to_measure(query, measure), option) == value
        return
    with pytest.raises(BadQuery) as refusal:
        held_to_measure(query, measure)
    (fault,) = refusal.value.faults
    assert (fault.column, fault.code) == (option, "option-not-taken")


ADJUSTED = [each for each, spec in MEASURES.items() if "adjust" in spec.takes]


@pytest.mark.parametrize("measure", ADJUSTED)
def test_what_a_measure_cannot_be_adjusted_for_is_declared_as_it_is_refused(measure):
    """Tabs and the schema offer what is declared; the question itself is held to its refusals."""
    spec = MEASURES[measure]

    refused = [
        name
        for name in ADJUSTERS
        for fault in spec.refuses(EventQuery(adjust=(name,)), (), lambda names: "")
        if fault.code == "bad-adjustment"
    ]

    assert refused == [name for name in ADJUSTERS if name not in spec.adjusters]
