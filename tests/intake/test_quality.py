"""Every rule of data quality: a report that raises it, and one on which it is silent."""

import pytest

from registry.intake.quality import EVENT_RULES, IMPLANT_RULES, EventCase, EventRule, ImplantCase
from registry.models import Complication, Event, Implant
from registry.vocabulary import QualityRule

RULES = {rule.code: rule for rule in (*EVENT_RULES, *IMPLANT_RULES)}

CATEGORY = {
    "infection-pocket": "infection",
    "csf-leak": "surgical",
    "pump-motor-stall": "pump",
    "pump-mri-stall": "pump",
}


def event(complication="csf-leak", pk=1, **values):
    """An event that no rule asks about, but for these values; not stored."""
    given = {
        "year": 2015,
        "months_since_implant": 12,
        "severity": 2,
        "seriousness": {"none"},
        "outcome": "recovered",
        "interventions": frozenset({"imaging-diagnostic"}),
        "root_cause": "surgical-technique",
        "drug": "baclofen",
        "pump_model": "synchromed-ii-20",
        "state": "submitted",
        "actuality": "actual",
        "implant_id": None,
    } | values
    criteria = given.pop("seriousness")
    term = Complication(code=complication, category_id=CATEGORY.get(complication, "other"))
    made = Event(pk=pk, complication=term, reported_complication=term, **given)
    made.seriousness = criteria
    return made


def of_implant(complication="csf-leak", pk=1, **values):
    return event(complication, pk, implant_id=7, drug="", pump_model="", **values)


def implant(**values):
    return Implant(pk=7, **({"drug": "baclofen", "exit_status": "active"} | values))


FATAL = {"severity": 5, "outcome": "fatal", "seriousness": {"death"}}
SERIOUS = {"seriousness": {"hospitalisation"}, "severity": 3}
EXPLANT = {"interventions": frozenset({"system-explant-no-replacement"})}

CASES = {
    "explant-without-consequence": (
        EventCase(event(**EXPLANT)),
        EventCase(event(**EXPLANT), consequences=[event("explant-unplanned", 2)]),
    ),
    "overdose-without-cause": (
        EventCase(event("drug-overdose", root_cause="")),
        EventCase(event("drug-overdose", root_cause="programming-error")),
    ),
    "withdrawal-of-other-drug": (
        EventCase(event("baclofen-withdrawal", drug="morphine")),
        EventCase(
            of_implant("baclofen-withdrawal"),
            implant=implant(drug="morphine", adjuncts=frozenset({"baclofen"})),
        ),
    ),
    "granuloma-without-opioid": (
        EventCase(event("granuloma")),
        EventCase(event("granuloma", drug="morphine")),
    ),
    "serious-without-intervention": (
        EventCase(event(**SERIOUS, interventions=None)),
        EventCase(event(interventions=None)),
    ),
    "serious-without-outcome": (
        EventCase(event(**SERIOUS, outcome="")),
        EventCase(event(**SERIOUS)),
    ),
    "fatal-without-death-exit": (
        EventCase(of_implant(**FATAL), implant(), implants=[implant()]),
        EventCase(of_implant(**FATAL), implant(), implants=[implant(exit_status="death-related")]),
    ),
    "grade-4-not-life-threatening": (
        EventCase(event(severity=4, seriousness={"hospitalisation"})),
        EventCase(event(severity=4, seriousness={"life-threatening"})),
    ),
    "hospitalised-grade-1": (
        EventCase(event(severity=1, seriousness={"hospitalisation"})),
        EventCase(event(severity=2, seriousness={"hospitalisation"})),
    ),
    "infection-without-organism": (
        EventCase(event("infection-pocket")),
        EventCase(event("infection-pocket", organism="not-cultured")),
    ),
    "withdrawal-long-after-cause": (
        EventCase(
            of_implant("baclofen-withdrawal", months_since_implant=15),
            implant(),
            cause=of_implant(pk=2),
        ),
        EventCase(
            of_implant("baclofen-withdrawal", months_since_implant=13),
            implant(),
            cause=of_implant(pk=2),
        ),
    ),
    "same-within-a-month": (
        EventCase(of_implant(), implant(), others=[of_implant(pk=2, months_since_implant=13)]),
        EventCase(of_implant(), implant(), others=[of_implant(pk=2, months_since_implant=14)]),
    ),
    "exposure-year-missing": (
        EventCase(event(), declared=frozenset({2014, 2016})),
        EventCase(event(), declared=frozenset({2014, 2015})),
    ),
    "cause-not-handed-in": (
        EventCase(event(), cause=event(pk=2, state="draft")),
        EventCase(event(), cause=event(pk=2)),
    ),
    "cause-not-counted": (
        EventCase(event(), cause=event(pk=2, state="rejected")),
        EventCase(event(), cause=event(pk=2, state="accepted")),
    ),
    "mri-stall-without-mri": (
        EventCase(event("pump-mri-stall")),
        EventCase(event("pump-mri-stall", mri_24h="yes")),
    ),
    "severity-missing": (
        EventCase(event(severity=None)),
        EventCase(event(severity=None, actuality="near-miss")),
    ),
    "no-device-named": (EventCase(event(pump_model="")), EventCase(of_implant(), implant())),
    "end-without-event": (
        ImplantCase(implant(exit_status="replaced-for-failure")),
        ImplantCase(implant(exit_status="replaced-for-failure"), [of_implant()]),
    ),
    "death-exit-without-event": (
        ImplantCase(implant(exit_status="death-related"), [of_implant()]),
        ImplantCase(implant(exit_status="death-related"), [of_implant(**FATAL)]),
    ),
}


def test_every_rule_has_its_cases_and_its_words():
    assert set(CASES) == {rule.value for rule in QualityRule} == {code.value for code in RULES}
    assert len(RULES) >= 15


@pytest.mark.parametrize("code", CASES)
def test_rule_asks_of_one_and_is_silent_on_the_other(code):
    asks, silent = CASES[code]
    rule = RULES[QualityRule.of(code)]

    assert rule.raises(asks)
    assert not rule.raises(silent)


@pytest.mark.parametrize("code", CASES)
def test_case_raises_no_more_than_it_should(code):
    asks, _silent = CASES[code]
    kind = EventRule if isinstance(asks, EventCase) else type(RULES[QualityRule.of(code)])

    raised = {
        rule.code.value for rule in RULES.values() if isinstance(rule, kind) and rule.raises(asks)
    }
    assert raised == {code}


@pytest.mark.parametrize(
    "case",
    [
        EventCase(event()),
        EventCase(of_implant(), implant(), declared=frozenset({2014})),
        EventCase(event(year=None), declared=frozenset({2014})),
        EventCase(event(year=2018), declared=frozenset({2014}), implants_from=2018),
    ],
    ids=["site-declares-nothing", "implant-on-file", "no-year", "implants-count-by-then"],
)
def test_a_year_is_asked_for_only_where_the_site_declares_years(case):
    assert not RULES[QualityRule.EXPOSURE_YEAR_MISSING].raises(case)


def test_a_year_before_that_from_which_implants_count_is_asked_for():
    case = EventCase(event(year=2017), declared=frozenset({2014}), implants_from=2018)

    assert RULES[QualityRule.EXPOSURE_YEAR_MISSING].raises(case)
