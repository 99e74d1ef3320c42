"""Every rule of an event's row, from both sides: a row that keeps it and a row that breaks it."""

import pytest
from django.db import IntegrityError, transaction

from registry.deidentify import event_faults
from registry.models import Event
from registry.models.event_rules import EVENT_CODES
from registry.records import EventRecord
from registry.vocabulary import DatePrecision, Outcome, Severity
from tests.factories import ComplicationFactory, EventFactory, ImplantFactory, SiteFactory
from tests.models.rule_checks import assert_not_unique, assert_refused, check_constraints, store

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

DIED = {"severity": 5, "outcome": "fatal", "seriousness": {"death"}}
NEAR_MISS = {
    "actuality": "near-miss",
    "severity": None,
    "outcome": "not-applicable",
    "seriousness": None,
}
DRAFT = {"state": "draft"}
REJECTED, SUBMITTED, DUPLICATE = ({"state": s} for s in ("rejected", "submitted", "duplicate"))
WITHDRAWN = {"state": "withdrawn", "reason": "entered-in-error"}

# Rule -> rows that keep it, rows that break it and nothing else. An empty row is an ordinary one.
CASES: dict[str, tuple[list[dict], list[dict]]] = {
    "source_id_is_a_key": (
        [{"source_id": ""}, {"source_id": "a.B_9-"}, {"source_id": "x" * 40}],
        [{"source_id": "two words"}, {"source_id": "key\n"}, {"source_id": "é"}],
    ),
    "severity_is_a_grade": ([{"severity": None}, {"severity": 1}], [{"severity": 0}]),
    "year_is_plausible": (
        [{"year": 1980}, {"year": 2100}, {"year": None, **DRAFT}],
        [{"year": 1979}, {"year": 2101}],
    ),
    "months_since_implant_is_plausible": (
        [{"months_since_implant": 0}, {"months_since_implant": 1200}],
        [{"months_since_implant": 1201}],
    ),
    "interventions_is_coded": (
        [{"interventions": {"antibiotics"}}, {"interventions": None}],
        [{"interventions": 1 << 40}, {"interventions": 0}],
    ),
    "month_is_a_month": ([{"month": 1}, {"month": 12}], [{"month": 0}, {"month": 13}]),
    "month_has_a_year": ([{"month": 5}], [{"month": 5, "year": None, **DRAFT}]),
    "days_since_procedure_fit": (
        [
            {"days_since_procedure": "over-365", "months_since_implant": 12},
            {"days_since_procedure": "91-365", "months_since_implant": 2},
            {"days_since_procedure": "61-90", "months_since_implant": 1},
            {"days_since_procedure": "31-60", "months_since_implant": 1},
            {"days_since_procedure": "8-30", "months_since_implant": 0},
            {"days_since_procedure": "unknown", "months_since_implant": 0},
            {"days_since_procedure": "over-365", "months_since_implant": None},
        ],
        [
            {"days_since_procedure": "over-365", "months_since_implant": 11},
            {"days_since_procedure": "91-365", "months_since_implant": 1},
            {"days_since_procedure": "61-90", "months_since_implant": 0},
            {"days_since_procedure": "31-60", "months_since_implant": 0},
        ],
    ),
    "days_since_refill_fit": (
        [
            {"days_since_refill": "over-90", "months_since_implant": 2},
            {"days_since_refill": "31-90", "months_since_implant": 1},
            {"days_since_refill": "over-90", "months_since_implant": None},
        ],
        [
            {"days_since_refill": "over-90", "months_since_implant": 1},
            {"days_since_refill": "31-90", "months_since_implant": 0},
        ],
    ),
    "submitted_has_a_year": (
        [{"year": None, **DRAFT}, {"year": None, **WITHDRAWN}],
        [
            {"year": None},
            {"year": None, **SUBMITTED},
            {"year": None, **REJECTED},
            {"year": None, **DUPLICATE},
        ],
    ),
    "submitted_has_months_since_implant": (
        [
            {"implant": True, "months_since_implant": 3},
            {"implant": True, "months_since_implant": None, **DRAFT},
            {"months_since_implant": None},
        ],
        [{"implant": True, "months_since_implant": None}],
    ),
    "withdrawn_has_a_reason": ([WITHDRAWN, {"reason": ""}], [{"state": "withdrawn"}]),
    "grade_5_means_fatal": (
        [
            DIED,
            {"severity": None, "outcome": "", "seriousness": None},
            {"severity": 5, "outcome": "", "seriousness": None, **DRAFT},
            {"severity": None, "outcome": "fatal", "seriousness": None, **DRAFT},
        ],
        [
            {**DIED, "outcome": "recovered", **DRAFT, "seriousness": None},
            {**DIED, "severity": 4, **DRAFT, "seriousness": None},
        ],
    ),
    "grade_5_means_criterion_death": (
        [
            {"severity": 5, "outcome": "", "seriousness": None, **DRAFT},
            {"severity": None, "outcome": "", "seriousness": {"death"}, **DRAFT},
        ],
        [
            {"severity": 5, "outcome": "", "seriousness": {"hospitalisation"}, **DRAFT},
            {"severity": 4, "outcome": "", "seriousness": {"death"}, **DRAFT},
        ],
    ),
    "fatal_means_criterion_death": (
        [{"severity": None, "outcome": "fatal", "seriousness": None, **DRAFT}],
        [
            {"severity": None, "outcome": "fatal", "seriousness": {"none"}, **DRAFT},
            {"severity": None, "outcome": "recovered", "seriousness": {"death"}, **DRAFT},
        ],
    ),
    "death_is_grade_5": (
        [
            {"complication": "death", **DIED},
            {"complication": "death", "severity": None, **DRAFT},
        ],
        [
            {"complication": "death", "severity": 3, "seriousness": None},
            {"complication": "death", "severity": None, "seriousness": None},
        ],
    ),
    "none_stands_alone": (
        [{"seriousness": {"none"}}, {"seriousness": {"hospitalisation", "chronic-disease"}}],
        [{"seriousness": {"none", "hospitalisation"}}],
    ),
    "grade_4_is_serious": (
        [
            {"severity": 4, "seriousness": {"life-threatening"}},
            {"severity": 4, "seriousness": None},
            {"severity": 3, "seriousness": {"none"}},
        ],
        [{"severity": 4, "seriousness": {"none"}}],
    ),
    "near_miss_harms_nobody": (
        [
            NEAR_MISS,
            {**NEAR_MISS, "seriousness": {"none"}},
            {**NEAR_MISS, "outcome": "", **DRAFT},
            {"actuality": ""},
        ],
        [
            {**NEAR_MISS, "outcome": ""},
            {**NEAR_MISS, "outcome": "recovered", **DRAFT},
            {**NEAR_MISS, "severity": 1},
            {**NEAR_MISS, "seriousness": {"hospitalisation"}},
        ],
    ),
    "reported_only_without_implant": (
        [
            {"pump_model": "isomed", "drug": "baclofen", "indication": "stroke"}
            | {"age_band": "0-5", "sex": "female"},
            {"implant": True},
        ],
        [
            {"implant": True, "pump_model": "isomed"},
            {"implant": True, "catheter_model": "ascenda"},
            {"implant": True, "drug": "baclofen"},
            {"implant": True, "indication": "stroke"},
            {"implant": True, "age_band": "0-5"},
            {"implant": True, "sex": "female"},
        ],
    ),
    "patient_is_the_implants": (
        [{"implant": True}, {}],
        [{"implant": True, "patient": None}],
    ),
}

COLUMN_RULES = {f"{field}_is_coded" for field in EVENT_CODES}


def event_of(case: dict) -> Event:
    """An event like the factory's, changed as the case says."""
    values = dict(case)
    if values.pop("implant", False):
        values["implant"] = ImplantFactory(catheter=True)
    if "complication" in values:
        values["complication"] = ComplicationFactory(code=values["complication"])
    values.setdefault("site", values["implant"].site if "implant" in values else SiteFactory())
    values.setdefault("complication", ComplicationFactory())
    return EventFactory.build(**values, reported_complication=values["complication"])


def kept() -> list:
    return [pytest.param(rule, case, id=rule) for rule, (good, _) in CASES.items() for case in good]


def broken() -> list:
    return [pytest.param(rule, case, id=rule) for rule, (_, bad) in CASES.items() for case in bad]


@pytest.mark.parametrize(("rule", "case"), kept())
def test_event_that_keeps_the_rule_is_stored(rule, case):
    event = store(event_of(case))

    assert Event.objects.filter(pk=event.pk).exists()


@pytest.mark.parametrize(("rule", "case"), broken())
def test_event_that_breaks_the_rule_is_refused_by_its_name(rule, case):
    assert_refused(event_of(case), rule)


@pytest.mark.parametrize(
    "part",
    [
        {"severity": 5},
        {"outcome": "fatal"},
        {"seriousness": {"death"}},
        {"severity": 5, "outcome": "fatal"},
        {"severity": 5, "seriousness": {"death"}},
        {"outcome": "fatal", "seriousness": {"death"}},
    ],
)
def test_death_told_in_part_waits_in_a_draft_and_is_refused_at_submit(part):
    blank = {"severity": None, "outcome": "", "seriousness": None}
    store(event_of(blank | part | DRAFT))

    with pytest.raises(IntegrityError, match=r"death|fatal"), transaction.atomic():
        store(event_of(blank | part | SUBMITTED))


@pytest.mark.parametrize("field", EVENT_CODES)
def test_coded_column_takes_its_codes_and_no_other(field):
    code = EVENT_CODES[field].codes()[0]
    needed = {"outcome": {"outcome": "recovered"}}.get(field, {field: code})
    store(event_of(needed))

    assert_refused(event_of({field: "not-a-code"}), f"{field}_is_coded")


@pytest.mark.parametrize("field", [field for field in EVENT_CODES if field != "state"])
def test_coded_column_takes_a_blank(field):
    assert getattr(store(event_of({field: ""})), field) == ""


def test_event_needs_a_state():
    assert_refused(event_of({"state": ""}), "state_is_coded")


def test_event_does_not_cause_itself():
    event = EventFactory()
    event.caused_by = event

    assert_refused(event, "not_caused_by_itself")


def test_event_is_caused_by_another():
    first = EventFactory()

    assert EventFactory(site=first.site, caused_by=first).caused_by == first


def test_duplicate_names_the_report_that_it_repeats():
    first = EventFactory()

    assert EventFactory(site=first.site, duplicate_of=first, **DUPLICATE).duplicate_of == first
    for state in ("draft", "submitted", "accepted", "rejected"):
        wrong = event_of({"site": first.site, "duplicate_of": first, "state": state})
        assert_refused(wrong, "duplicate_names_the_other")


def test_duplicate_does_not_repeat_itself():
    event = EventFactory(**DUPLICATE)
    event.duplicate_of = event

    assert_refused(event, "duplicate_names_the_other")


def test_every_check_constraint_of_an_event_is_tried_from_both_sides():
    tried = set(CASES) | COLUMN_RULES
    tried |= {"not_caused_by_itself", "duplicate_names_the_other"}

    assert set(check_constraints(Event)) == tried
    assert all(good and bad for good, bad in CASES.values())


def test_source_id_is_used_once_a_site():
    event = EventFactory(source_id="e1")
    EventFactory(source_id="e1")

    assert_not_unique(event_of({"source_id": "e1", "site": event.site}))


def test_blank_source_id_is_used_often():
    event = EventFactory(source_id="")

    assert store(event_of({"source_id": "", "site": event.site})).pk


@pytest.mark.parametrize("state", ["submitted", "accepted"])
def test_patient_dies_once(state):
    implant = ImplantFactory()
    death = ComplicationFactory(code="death")
    EventFactory(implant=implant, complication=death, **DIED)

    second = EventFactory.build(implant=implant, complication=death, state=state, **DIED)

    assert_not_unique(second)


@pytest.mark.parametrize("state", [DRAFT, REJECTED, DUPLICATE, WITHDRAWN])
def test_death_reported_twice_can_be_sorted_out(state):
    implant = ImplantFactory()
    death = ComplicationFactory(code="death")
    EventFactory(implant=implant, complication=death, **DIED)

    assert EventFactory(implant=implant, complication=death, **DIED | state).pk


RECORDED = {"year", "month", "months_since_implant", "severity", "seriousness", "outcome"} | {
    "days_since_procedure",
    "days_since_refill",
    "actuality",
    "state",
    "complication",
}


def record_of(case: dict) -> EventRecord:
    """The same event as the pure rules see it."""
    values: dict = {"year": 2011, "severity": 2, "seriousness": {"none"}, "outcome": "recovered"}
    values |= {"complication": "catheter-migration"} | case
    values.pop("state", None)
    values.pop("reason", None)
    for name, value in list(values.items()):
        if name in EVENT_CODES:
            values[name] = EVENT_CODES[name](value) if value else None
    values["severity"] = Severity(values["severity"]) if values["severity"] else None
    values["outcome"] = Outcome(values["outcome"]) if values["outcome"] else None
    if values["seriousness"]:
        values["seriousness"] = frozenset(values["seriousness"])
    return EventRecord(site="SITE-1", **values)


def same_in_both() -> list:
    """Cases that hold nothing but what an EventRecord has, and values that it can hold."""
    unparsed = {"severity_is_a_grade", "month_is_a_month", "source_id_is_a_key"}
    unparsed |= {
        "withdrawn_has_a_reason",
        "interventions_is_coded",
        "months_since_implant_is_plausible",
    }
    cases = [
        (case, refused)
        for rule, sides in CASES.items()
        for refused, side in enumerate(sides)
        for case in side
        if rule not in unparsed and set(case) <= RECORDED and case.get("year") != 2101
    ]
    return [pytest.param(case, bool(refused)) for case, refused in cases]


@pytest.mark.parametrize(("case", "refused"), same_in_both())
def test_pure_rules_refuse_what_the_database_refuses(case, refused):
    submitted = case.get("state", "accepted") not in {"draft", "withdrawn"}

    faults = event_faults(record_of(case), submitted=submitted, precision=DatePrecision.MONTH)

    assert bool(faults) == refused
