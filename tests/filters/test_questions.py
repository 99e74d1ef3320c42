"""The parameters of an address, and every way in which they can be refused."""

import re
from contextlib import suppress

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from registry.filters import EventFilterSet, parse_query
from registry.filters.questions import LOOKED_UP, OPTIONS
from registry.models import Site
from registry.records import DIMENSIONS, BadQuery, EventQuery, Fault, Window
from registry.reporting import MEASURES, NOT_TAKEN
from registry.vocabulary import CODELISTS, CountingRule, Denominator, Measure


def read(address: str, measure: Measure | None = Measure.RATES) -> EventQuery:
    return parse_query(QueryDict(address), measure=measure)


def refused(address: str, measure: Measure | None = Measure.RATES) -> tuple[Fault, ...]:
    with pytest.raises(BadQuery) as caught:
        read(address, measure)
    return caught.value.faults


def codes(address: str, measure: Measure | None = Measure.RATES) -> list[tuple[str, str]]:
    return [(fault.column, fault.code) for fault in refused(address, measure)]


def test_question_is_the_same_however_its_values_are_written():
    together = read("drug=morphine,baclofen&sex=female")
    repeated = read("sex=female&drug=baclofen&drug=morphine&drug=baclofen&site=")

    assert together == repeated
    assert together.where == (("drug", ("baclofen", "morphine")), ("sex", ("female",)))
    assert together.canonical() == repeated.canonical()


def test_question_without_parameters_restricts_nothing():
    assert read("") == EventQuery()


def test_plain_mapping_is_read_like_an_address():
    assert parse_query({"drug": ["morphine", "baclofen"]}, measure=None) == read(
        "drug=baclofen,morphine", None
    )


def test_group_code_moves_to_its_own_dimension():
    assert read("age_band=child").where == (("age_group", ("child",)),)
    assert read("drug=gabab-agonist").where == (("drug_class", ("gabab-agonist",)),)
    assert read("indication=pain-cancer").where == (("indication_group", ("pain-cancer",)),)


@pytest.mark.parametrize("entered", ["80-89", "90-plus"])
def test_ages_over_79_are_asked_for_as_one_band(entered):
    assert read("age_band=80-plus").where == (("age_band", ("80-plus",)),)
    with pytest.raises(BadQuery) as refused:
        read(f"age_band={entered}")

    assert [(fault.column, fault.code) for fault in refused.value.faults] == [
        ("age_band", "unknown-code")
    ]


def test_group_code_beside_a_plain_code_is_spelled_out():
    assert read("drug=gabab-agonist,ziconotide,not-recorded").where == (
        ("drug", ("baclofen", "not-recorded", "ziconotide")),
    )


def test_code_that_is_also_a_group_means_the_code():
    assert read("drug=other").where == (("drug", ("other",)),)


def test_group_code_and_its_dimension_are_both_required():
    assert read("drug=opioid&drug_class=opioid,other").where == (("drug_class", ("opioid",)),)
    assert read("drug=gabab-agonist&drug_class=opioid").where == (
        ("drug", ("baclofen",)),
        ("drug_class", ("opioid",)),
    )


def test_maker_of_a_pump_stays_a_list_of_pumps():
    assert read("pump_model=infusaid,flowonix").where == (
        (
            "pump_model",
            ("infusaid", "prometra", "prometra-ii", "prometra-ii-20", "prometra-ii-40"),
        ),
    )


def test_maker_without_such_a_device_is_no_code_of_it():
    assert codes("catheter_model=tricumed") == [("catheter_model", "unknown-code")]


@pytest.mark.usefixtures("catalogue")
def test_category_is_a_code_of_complication():
    assert read("complication=infection") == read("category=infection")
    assert read("complication=infection,catheter-migration").where == (
        ("complication", ("catheter-migration", "infection-meningitis", "infection-pocket")),
    )


@pytest.mark.usefixtures("catalogue")
def test_retired_complication_is_asked_as_it_stands():
    query = read("complication=catheter-moved")

    assert query.where == (("complication", ("catheter-moved",)),)


@pytest.mark.usefixtures("sites")
def test_sites_and_countries_are_those_of_the_registry():
    assert read("site=LIS-1&country=PT").where == (("country", ("PT",)), ("site", ("LIS-1",)))
    assert refused("site=LIS-9&country=ES") == (
        Fault("site", "unknown-code", "The value is not a code of site. The nearest is LIS-1."),
        Fault("country", "unknown-code", "The value is not a code of country. The nearest is PT."),
    )


@pytest.mark.parametrize(
    ("address", "years"),
    [
        ("year=2019", (2019, 2019)),
        ("year=2020,2019", (2019, 2020)),
        ("year=2015-2019", (2015, 2019)),
        ("period=2015-2019", (2015, 2019)),
        ("period=2015-2019,2020-2024", (2015, 2024)),
        ("year_min=2015&year_max=2019", (2015, 2019)),
        ("year_min=2015", (2015, None)),
        ("year_max=2019", (None, 2019)),
        ("period=2015-2019&year_min=2018", (2018, 2019)),
        ("year=2018,2025&period=2015-2019", (2018, 2018)),
    ],
)
def test_unbroken_years_are_one_range(address, years):
    query = read(address)

    assert query.years == years
    assert query.where == ()


@pytest.mark.parametrize(
    ("address", "values"),
    [
        ("year=2015,2019", ("2015", "2019")),
        ("year=2019,not-recorded", ("2019", "not-recorded")),
        ("year=not-recorded&period=not-recorded", ("not-recorded",)),
        ("year=2019,not-recorded&period=2015-2019,not-recorded", ("2019", "not-recorded")),
    ],
)
def test_years_with_a_gap_or_a_blank_stay_single(address, values):
    query = read(address)

    assert query.years is None
    assert query.where == (("year", values),)


@pytest.mark.parametrize(
    "address",
    ["year=2019&year_min=2020", "year=2019&period=2020-2024", "year=not-recorded&year_min=2020"],
)
def test_years_with_nothing_in_common_are_refused(address):
    assert codes(address) == [("year", "bad-range")]


def test_windows_that_touch_are_one_filter():
    assert read("window=13-,0-3,4-6").windows == (Window(0, 6), Window(13, None))
    assert read("window=0-12,3-6").windows == (Window(0, 12),)


def test_windows_to_group_by_stay_apart_and_in_order():
    query = read("window=13-,0-3,4-12&group_by=window")

    assert query.windows == (Window(0, 3), Window(4, 12), Window(13, None))


def test_rows_of_windows_may_be_left_to_the_answer():
    assert read("group_by=window").windows == ()


def test_window_takes_the_blanks_alone():
    assert read("window=not-recorded").where == (("window", ("not-recorded",)),)
    assert codes("window=not-recorded,0-3") == [("window", "bad-range")]


def test_flag_is_yes_or_no_in_several_words():
    assert read("serious=true") == read("serious=yes")
    assert read("serious=false,not-recorded").where == (("serious", ("no", "not-recorded")),)


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("year=2019.0", "year=2019"),
        ("year_min=2010.0&year_max=2019.0", "year_min=2010&year_max=2019"),
        ("severity=3.0,4.0", "severity=3,4"),
        ("per=100.0", "per=100"),
        ("per=1e%2b03", "per=1000"),
        ("level=.95", "level=0.95"),
        ("level=0.990", "level=0.99"),
        ("serious=True", "serious=yes"),
        ("serious=FALSE", "serious=no"),
    ],
)
def test_numbers_and_flags_are_read_as_pandas_and_r_write_them(written, plain):
    assert read(written, Measure.RATES) == read(plain, Measure.RATES)


def test_options_are_read_into_the_question():
    query = read(
        "group_by=drug,sex&counting=events&unit=pump-months&per=1000&level=0.99&release=2026Q4"
        "&labels=both&ordering=-rate,drug&format=csv"
    )

    assert query == EventQuery(
        group_by=("drug", "sex"),
        counting=CountingRule.EVENTS,
        unit=Denominator.PUMP_MONTHS,
        per=1000,
        level=0.99,
        release="2026Q4",
        labels="both",
        ordering=("-rate", "drug"),
    )


def test_funnel_is_adjusted_for_properties_in_any_order():
    query = "standardise=drug,age_band"

    assert read(query, Measure.FUNNEL).standardise == ("age_band", "drug")
    assert read("standardise=age_band,drug", Measure.FUNNEL) == read(query, Measure.FUNNEL)


def test_trend_is_ordered_by_its_own_years():
    assert read("ordering=-year", Measure.TREND).ordering == ("-year",)


def test_level_may_be_written_with_one_digit():
    assert read("level=0.9").level == 0.90


VALUES = {
    "unit": "refills",
    "per": "100",
    "level": "0.99",
    "ci": "plain",
    "standardise": "age_band",
    "adjust": "age_band",
    "reference": "male",
    "cluster": "site",
    "release": "2026Q4",
    "labels": "both",
}
TAKEN_BY = {
    **{
        f"{name}={value}": {each.value for each, spec in MEASURES.items() if name in spec.options}
        for name, value in VALUES.items()
    },
    **{
        f"counting={rule.value}": {
            each.value for each, spec in MEASURES.items() if rule in spec.counting
        }
        for rule in CountingRule
    },
}
"""Which measures take each option, and each rule of counting; docs/methods.md has the list."""


@pytest.mark.parametrize("measure", Measure)
@pytest.mark.parametrize("option", TAKEN_BY)
def test_option_changes_the_question_or_is_refused_with_the_measures_that_take_it(measure, option):
    name, _is, _value = option.partition("=")
    if measure.value in TAKEN_BY[option]:
        assert read(option, measure) != read("", measure)
        return

    (fault,) = refused(option, measure)

    assert fault.column == name
    assert fault.code == ("bad-counting" if name == "counting" else "option-not-taken")
    sentence = fault.detail.split(". ")[1]
    named = {each.value for each in Measure if re.search(rf"\b{each.value}\b", sentence)}
    assert named == TAKEN_BY[option]


@pytest.mark.parametrize("measure", Measure)
@pytest.mark.parametrize("name", DIMENSIONS)
def test_grouping_is_taken_or_refused_with_the_measures_that_take_it(measure, name):
    question = f"group_by={name}"
    if name in MEASURES[measure].group_by:
        assert read(question, measure).group_by == (name,)
        return

    (fault,) = refused(question, measure)

    assert (fault.column, fault.code) in {
        ("group_by", code) for code in ("bad-group-by", "immortal-time", "one-event")
    }
    sentence = fault.detail.split("Such groupings are for ")[1]
    named = {each.value for each in Measure if re.search(rf"\b{each.value}\b", sentence)}
    assert named == {
        each.value
        for each, spec in MEASURES.items()
        if spec.places is None and name in spec.group_by
    }


@pytest.mark.parametrize("measure", Measure)
def test_option_that_was_left_empty_asks_nothing(measure):
    assert read(
        "per=&unit=&standardise=&ci=&level=&counting=&adjust=&reference=&cluster=", measure
    ) == read("", measure)


@pytest.mark.parametrize(("address", "ci"), [("", None), ("ci=log", "log"), ("ci=plain", "plain")])
def test_scale_of_limits_is_read_for_survival(address, ci):
    assert read(address, Measure.SURVIVAL).ci == ci


def test_scale_that_is_the_default_is_the_same_question_as_none():
    assert read("ci=log-log", Measure.SURVIVAL) == read("", Measure.SURVIVAL)


@pytest.mark.parametrize(
    ("address", "measure"),
    [
        ("ordering=drug", Measure.SIGNALS),
        ("ordering=complication", Measure.CASCADES),
        ("ordering=site", Measure.TREND),
        ("ordering=nope", Measure.RATES),
    ],
)
def test_rows_are_ordered_by_nothing_that_they_do_not_have(address, measure):
    assert codes(address, measure) == [("ordering", "unknown-column")]


@pytest.mark.parametrize("measure", [Measure.SURVIVAL, Measure.INCIDENCE])
def test_rows_of_a_curve_can_be_ordered_by_its_columns(measure):
    assert read("ordering=-time_months", measure).ordering == ("-time_months",)


@pytest.mark.parametrize(
    ("address", "column", "code", "detail"),
    [
        (
            "drugs=baclofen",
            "drugs",
            "unknown-parameter",
            "There is no such parameter here. The nearest is drug.",
        ),
        (
            "drug=baclofn",
            "drug",
            "unknown-code",
            "The value is not a code of drug. The nearest is baclofen.",
        ),
        (
            "drug=morphine,baclofn",
            "drug",
            "unknown-code",
            "The second value is not a code of drug. The nearest is baclofen.",
        ),
        (
            "severity=7",
            "severity",
            "unknown-code",
            "The value is not a code of severity. The nearest is 5.",
        ),
        (
            "outcome=not-recordd",
            "outcome",
            "unknown-code",
            "The value is not a code of outcome. The nearest is not-recorded.",
        ),
        (
            "serious=maybe",
            "serious",
            "unknown-code",
            "The value is not yes or no. The nearest is yes.",
        ),
        (
            "year=12",
            "year",
            "bad-range",
            "The value is not a year from 1980 to 2100, a five-year period such as 2020-2024 or "
            "not-recorded.",
        ),
        (
            "implant_year=2015-2019",
            "implant_year",
            "bad-range",
            "The value is not a year from 1980 to 2100 or not-recorded.",
        ),
        (
            "period=2021-2025",
            "period",
            "bad-range",
            "The value is not a five-year period such as 2020-2024.",
        ),
        (
            "period=2019",
            "period",
            "bad-range",
            "The value is not a five-year period such as 2015-2019.",
        ),
        (
            "period=2020-2010",
            "period",
            "bad-range",
            "The value is not a five-year period such as 2020-2024.",
        ),
        (
            "period=lately",
            "period",
            "bad-range",
            "The value is not a five-year period such as 1980-1984.",
        ),
        ("year_min=1879", "year_min", "bad-range", "Give one year from 1980 to 2100."),
        (
            "year_min=2020&year_max=2019",
            "year_min",
            "bad-range",
            "The range ends before it starts: year_min must not be after year_max.",
        ),
        (
            "window=3",
            "window",
            "bad-range",
            "The value is not a window of months such as 4-12, or 13- with an open end.",
        ),
        (
            "window=12-4",
            "window",
            "bad-range",
            "The value ends before it starts: write the smaller number of months first.",
        ),
        (
            "group_by=window&window=0-3,3-6",
            "window",
            "bad-range",
            "The windows overlap: start each one after the end of the one before.",
        ),
        (
            "group_by=drugs",
            "group_by",
            "unknown-dimension",
            "The value is not a dimension to group by. The nearest is drug.",
        ),
        ("group_by=drug,sex,drug", "group_by", "repeated-name", "Name each only once."),
        ("group_by=drug,sex,year,site", "group_by", "too-many-names", "Name at most 3."),
        (
            "counting=first-event",
            "counting",
            "unknown-code",
            "Choose one of events, episodes, first_event, first_in_row, devices, patients. "
            "The nearest is first_event.",
        ),
        (
            "unit=pump-month",
            "unit",
            "unknown-code",
            "Choose one of pump-months, catheter-months, procedures, refills. "
            "The nearest is pump-months.",
        ),
        ("per=10", "per", "unknown-code", "Choose one of 100, 1000. The nearest is 100."),
        (
            "level=95",
            "level",
            "unknown-code",
            "Choose one of 0.90, 0.95, 0.99. The nearest is 0.95.",
        ),
        (
            "labels=names",
            "labels",
            "unknown-code",
            "Choose one of code, label, both. The nearest is label.",
        ),
        (
            "release=2026 Q4",
            "release",
            "unknown-code",
            "Give the label of a release, such as 2026Q4, or a snapshot's id.",
        ),
        (
            "ordering=rates",
            "ordering",
            "unknown-column",
            "Order by a column of the answer. The nearest is rate.",
        ),
        (
            "ordering=ror_uppe",  # a column of signals is near, and of no rate
            "ordering",
            "unknown-column",
            "Order by a column of the answer. The nearest is ci_upper.",
        ),
        (
            "ordering=drug",
            "ordering",
            "unknown-column",
            "Order by a column of the answer. The nearest is rate.",
        ),
        (
            "format=xlsx",
            "format",
            "unknown-code",
            "Choose one of json, csv, svg, png, vega. The nearest is svg.",
        ),
        ("level=0.95&level=0.99", "level", "repeated-parameter", "Give level only once."),
    ],
)
def test_refusal_names_the_parameter_and_the_mend(address, column, code, detail):
    assert refused(address) == (Fault(column, code, detail),)


def test_scale_of_limits_is_given_only_once():
    assert refused("ci=log&ci=plain", Measure.SURVIVAL) == (
        Fault("ci", "repeated-parameter", "Give ci only once."),
    )


def test_every_fault_is_told_at_once():
    assert codes("drugs=1&drug=x,y&year=0&group_by=z&per=7") == [
        ("drugs", "unknown-parameter"),
        ("drug", "unknown-code"),
        ("drug", "unknown-code"),
        ("year", "bad-range"),
        ("group_by", "unknown-dimension"),
        ("per", "unknown-code"),
    ]


def test_refused_values_are_never_repeated(catalogue, sites):
    secret = "Zebulon 1952/03/11"

    for name in [*DIMENSIONS, "year_min", "year_max", *OPTIONS, "format"]:
        faults = refused(f"{name}={secret}")
        assert faults
        assert secret not in str(faults)
        assert "1952" not in str(faults)


def test_parameter_whose_name_may_be_a_value_is_not_named():
    (fault,) = refused("Zebulon 1952-03-11=1")

    assert fault.column == ""
    assert fault.code == "unknown-parameter"


def test_list_of_rows_takes_filters_and_what_the_caller_reads_itself():
    filters = EventFilterSet(QueryDict("drug=baclofen&limit=5"), beside=("limit",))

    assert filters.query().where == (("drug", ("baclofen",)),)


def test_what_the_caller_reads_itself_is_given_once():
    filters = EventFilterSet(QueryDict("limit=5&limit=5"), beside=("limit",))

    assert [(fault.column, fault.code) for fault in filters.faults()] == [
        ("limit", "repeated-parameter")
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("option", OPTIONS)
def test_list_of_rows_refuses_the_options_of_a_measure(option):
    assert codes(f"{option}=drug", None) == [(option, "unknown-parameter")]


def test_every_dimension_has_a_filter_that_takes_its_codes(catalogue, sites):
    listed = EventFilterSet(QueryDict("")).filters

    for name, dimension in DIMENSIONS.items():
        assert listed[name].label == dimension.title
        codelist = dimension.codelist
        if codelist in CODELISTS:
            code = CODELISTS[codelist].choices()[-1][0]
            assert read(f"{name}={code}").values(name) == (str(code),)
        blank_of = "year" if name == "period" else name
        assert read(f"{name}=not-recorded").values(blank_of) == ("not-recorded",)


def test_form_shows_what_was_asked():
    form = EventFilterSet(QueryDict("drug=baclofen,morphine&window=0-3,4-12&per=100")).form

    assert form.is_valid()
    assert form["drug"].value() == ["baclofen", "morphine"]
    assert str(form["drug"]).count("selected") == 2
    assert form["window"].value() == "0-3,4-12"
    assert form["drug"].label == "Drug"


def test_questions_on_code_lists_need_no_database(django_assert_num_queries, db):
    with django_assert_num_queries(0):
        read("drug=opioid,baclofen&severity=3&year=2019&group_by=sex")


def test_questions_on_the_catalogue_need_a_few_queries(django_assert_max_num_queries, catalogue):
    with django_assert_max_num_queries(8):
        read("complication=infection,catheter-migration&category=infection")


@pytest.mark.parametrize("measure", [Measure.RATES, None])
def test_question_that_no_table_answers_is_read_once(measure):
    address = "drug=opioid,baclofen&severity=3&year=2019&window=0-3"

    assert read(address, measure) is read(address, measure)
    assert read(f"{address}&sex=female", measure) != read(address, measure)
    assert read("drug=opioid", Measure.RATES) == read("drug=opioid", None)
    assert codes("per=100", Measure.COUNTS) == [("per", NOT_TAKEN)]
    assert read("per=100").per == 100


def test_codes_kept_in_tables_are_looked_up_at_every_question(catalogue, sites):
    assert read("site=LIS-1").values("site") == ("LIS-1",)
    Site.objects.filter(code="LIS-1").update(code="LIS-2", country="NO")

    assert codes("site=LIS-1") == [("site", "unknown-code")]
    assert read("country=NO").values("country") == ("NO",)


def test_exactly_the_parameters_that_look_something_up_are_named_as_such(catalogue):
    asking = set()
    for name in EventFilterSet(QueryDict("")).filters:
        with CaptureQueriesContext(connection) as queries:
            for value in ("not-recorded", "2019", "0-3", "yes", "complication", "no-such-word"):
                with suppress(BadQuery):
                    read(f"{name}={value}", Measure.CASCADES)
        asking |= {name} if len(queries) else set()

    assert asking == LOOKED_UP
