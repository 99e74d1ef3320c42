"""Every rule of patients, implants and declared exposure, from both sides."""

import pytest
from django.db import IntegrityError, transaction

from registry.models import Exposure, Implant, Patient
from registry.vocabulary import (
    AgeBand,
    Drug,
    ExitStatus,
    LabelStatus,
    PlacingProcedure,
    PumpModel,
    PumpPlane,
    PumpSite,
    YesNoUnknown,
)
from tests.factories import ExposureFactory, ImplantFactory, PatientFactory, SiteFactory
from tests.models.rule_checks import assert_not_unique, assert_refused, check_constraints, store

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

IMPLANT_CODES = {
    "pump_model": PumpModel,
    "age_band": AgeBand,
    "drug": Drug,
    "label_status": LabelStatus,
    "procedure": PlacingProcedure,
    "pump_site": PumpSite,
    "pump_plane": PumpPlane,
    "as_designed": YesNoUnknown,
    "exit_status": ExitStatus,
}
CATHETER = {"component": "catheter", "pump_model": ""}

# Rule -> rows that keep it, rows that break it and nothing else.
IMPLANT_CASES: dict[str, tuple[list[dict], list[dict]]] = {
    "source_id_is_a_key": ([{"source_id": "a.B_9-"}], [{"source_id": ""}, {"source_id": "a b"}]),
    "component_is_coded": ([{"component": "pump"}], []),
    "catheter_model_is_coded": (
        [{**CATHETER, "catheter_model": "indura"}, {**CATHETER, "catheter_model": ""}],
        [{**CATHETER, "catheter_model": "not-a-code"}],
    ),
    "adjuncts_is_coded": (
        [{"adjuncts": {"morphine", "clonidine"}}, {"adjuncts": None}],
        [{"adjuncts": 1 << 40}],
    ),
    "implant_year_is_plausible": (
        [{"implant_year": 1980}, {"implant_year": 2100}],
        [{"implant_year": 1979}, {"implant_year": 2101}],
    ),
    "months_followed_is_plausible": (
        [{"months_followed": 0}, {"months_followed": 1200}],
        [{"months_followed": 1201}],
    ),
    "entry_is_not_after_follow_up": (
        [{"months_to_entry": 60, "months_followed": 60}],
        [{"months_to_entry": 61, "months_followed": 60}],
    ),
    "a_round_has_its_months": (
        [{"round_number": 1, "months_at_round": 12, "followed_at_round": True}],
        [
            {"round_number": 1},
            {"months_at_round": 12},
            {"followed_at_round": True},
            {"round_number": 0, "months_at_round": 12},
        ],
    ),
    "model_fits_component": (
        [{"pump_model": "isomed"}, {**CATHETER, "catheter_model": "ascenda"}],
        [{"catheter_model": "ascenda"}, {"component": "catheter", "pump_model": "isomed"}],
    ),
}
EXPOSURE_CASES: dict[str, tuple[list[dict], list[dict]]] = {
    "year_is_plausible": ([{"year": 1980}], [{"year": 1979}]),
    "pump_model_is_coded": ([{"pump_model": "isomed"}], [{"pump_model": "not-a-code"}]),
    "catheter_model_is_coded": (
        [{"component": "catheter", "catheter_model": "indura"}],
        [{"component": "catheter", "catheter_model": "not-a-code"}],
    ),
    "model_fits_component": (
        [{"component": "catheter"}],
        [{"component": "catheter", "pump_model": "isomed"}],
    ),
    "months_fit_devices": (
        [{"devices": 2, "component_months": 24}],
        [{"devices": 2, "component_months": 25}],
    ),
}
# PositiveIntegerField refuses a negative number by a constraint of its own, which has no name
# on SQLite; the named ones give the person who types a sentence.
NOT_NEGATIVE = {
    Implant: [
        "months_to_entry",
        "months_followed",
        "refills",
        "procedures",
    ],
    Exposure: ["devices", "component_months", "refills", "procedures"],
}


def implant_of(case: dict) -> Implant:
    patient = PatientFactory()
    return ImplantFactory.build(patient=patient, site=patient.site, **case)


def exposure_of(case: dict) -> Exposure:
    return ExposureFactory.build(site=SiteFactory(), **case)


def sides(cases: dict, side: int) -> list:
    return [pytest.param(rule, case, id=rule) for rule in cases for case in cases[rule][side]]


@pytest.mark.parametrize(("rule", "case"), sides(IMPLANT_CASES, 0))
def test_implant_that_keeps_the_rule_is_stored(rule, case):
    assert store(implant_of(case)).pk


@pytest.mark.parametrize(("rule", "case"), sides(IMPLANT_CASES, 1))
def test_implant_that_breaks_the_rule_is_refused_by_its_name(rule, case):
    assert_refused(implant_of(case), rule)


@pytest.mark.parametrize(("rule", "case"), sides(EXPOSURE_CASES, 0))
def test_exposure_that_keeps_the_rule_is_stored(rule, case):
    assert store(exposure_of(case)).pk


@pytest.mark.parametrize(("rule", "case"), sides(EXPOSURE_CASES, 1))
def test_exposure_that_breaks_the_rule_is_refused_by_its_name(rule, case):
    assert_refused(exposure_of(case), rule)


@pytest.mark.parametrize("field", IMPLANT_CODES)
def test_implant_takes_codes_and_blanks_and_nothing_else(field):
    code = "unknown" if field != "label_status" else "on-label-mono"
    assert store(implant_of({field: code if field != "exit_status" else "active"})).pk
    assert store(implant_of({field: ""})).pk

    assert_refused(implant_of({field: "not-a-code"}), f"{field}_is_coded")


@pytest.mark.parametrize("make", [implant_of, exposure_of])
@pytest.mark.parametrize("component", ["", "not-a-code"])
def test_component_is_pump_or_catheter(make, component):
    instance = make({"component": component, "pump_model": ""})

    with pytest.raises(IntegrityError, match="component"), transaction.atomic():
        store(instance)


@pytest.mark.parametrize(("field", "code"), [("sex", "female"), ("indication", "stroke")])
def test_patient_takes_codes_and_blanks_and_nothing_else(field, code):
    assert PatientFactory(**{field: code}).pk
    assert PatientFactory(**{field: ""}).pk

    assert_refused(
        PatientFactory.build(site=SiteFactory(), **{field: "not-a-code"}), f"{field}_is_coded"
    )


def test_patient_has_a_key_of_the_site():
    assert PatientFactory(source_id="p-1").pk

    assert_refused(PatientFactory.build(site=SiteFactory(), source_id=""), "source_id_is_a_key")


@pytest.mark.parametrize(
    ("model", "field"), [(model, field) for model in NOT_NEGATIVE for field in NOT_NEGATIVE[model]]
)
def test_number_is_not_negative(model, field):
    make = implant_of if model is Implant else exposure_of
    assert store(make({field: 0, "component_months": 0} if model is Exposure else {field: 0})).pk

    with pytest.raises(IntegrityError, match=rf"{field}|entry_is_not_after"), transaction.atomic():
        store(make({field: -1}))


def test_every_check_constraint_of_an_implant_is_tried():
    numbers = {"months_to_entry_is_plausible", "refills_is_not_negative"}
    numbers |= {"procedures_is_not_negative"}
    coded = {f"{field}_is_coded" for field in IMPLANT_CODES}

    assert set(check_constraints(Implant)) == set(IMPLANT_CASES) | numbers | coded


def test_every_check_constraint_of_an_exposure_is_tried():
    numbers = {f"{field}_is_not_negative" for field in NOT_NEGATIVE[Exposure]}

    tried = set(EXPOSURE_CASES) | numbers | {"component_is_coded"}
    assert set(check_constraints(Exposure)) == tried


def test_every_check_constraint_of_a_patient_is_tried():
    coded = {"sex_is_coded", "indication_is_coded"}

    assert set(check_constraints(Patient)) == coded | {"source_id_is_a_key"}


@pytest.mark.parametrize("make", [PatientFactory, ImplantFactory])
def test_source_id_is_used_once_a_site(make):
    first = make(source_id="k1")
    make(source_id="k1")
    again = {"patient": first.patient} if make is ImplantFactory else {}

    assert_not_unique(make.build(source_id="k1", site=first.site, **again))


def test_exposure_is_declared_once_a_year_and_model():
    first = ExposureFactory(pump_model="isomed")
    ExposureFactory(site=first.site, pump_model="isomed", year=2016)
    ExposureFactory(site=first.site, pump_model="")

    assert_not_unique(ExposureFactory.build(site=first.site, pump_model="isomed"))


def test_model_is_that_of_the_component():
    assert ImplantFactory(pump_model="isomed").model == "isomed"
    assert ImplantFactory(catheter=True).model == "ascenda"
    assert ExposureFactory(component="catheter", catheter_model="indura").model == "indura"
