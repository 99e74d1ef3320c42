"""Rows as sent, turned into records; every fault of a row is told at once."""

import dataclasses

import pytest

from registry.deidentify import (
    event_record,
    exposure_record,
    implant_record,
    record_in_part,
)
from registry.records import (
    EventRecord,
    ExposureRecord,
    IdentifierFound,
    ImplantRecord,
    RawReport,
    RowKind,
    RowRuleBroken,
)
from registry.records.columns import COLUMNS
from registry.vocabulary import (
    CatheterModel,
    Component,
    Intervention,
    PumpModel,
    Seriousness,
    Severity,
)

EVENT = {"site": "BERN", "complication": "csf-leak"}
IMPLANT = {
    "site": "BERN",
    "patient": "p1",
    "implant": "p1-pump",
    "component": "pump",
    "implant_year": "2018",
    "months_followed": "30",
}
EXPOSURE = {
    "site": "BERN",
    "year": "2020",
    "component": "catheter",
    "devices": "4",
    "component_months": "40",
}


def event(**values):
    return event_record(RawReport(RowKind.EVENT, EVENT | values))


def implant(**values):
    return implant_record(RawReport(RowKind.IMPLANT, IMPLANT | values))


def exposure(**values):
    return exposure_record(RawReport(RowKind.EXPOSURE, EXPOSURE | values))


def faults_of(make, kind=RowRuleBroken, **values):
    with pytest.raises(kind) as refusal:
        make(**values)
    assert type(refusal.value) is kind
    return [(fault.column, fault.code) for fault in refusal.value.faults]


def test_event_of_a_draft_needs_its_site_and_complication_only():
    assert event() == EventRecord(site="BERN", complication="csf-leak")
    assert faults_of(event, site="", complication="") == [
        ("site", "required"),
        ("complication", "required"),
    ]


def test_event_reads_every_column():
    record = event(
        source_id="e1",
        implant="p1-pump",
        year="2019",
        months_since_implant="14",
        severity="3",
        seriousness="hospitalisation;intervention-to-prevent",
        interventions="blood-patch",
        caused_by="e0",
        component_model="ascenda",
    )

    assert (record.source_id, record.implant, record.caused_by) == ("e1", "p1-pump", "e0")
    assert (record.year, record.months_since_implant) == (2019, 14)
    assert record.severity is Severity.SEVERE
    assert record.seriousness == {
        Seriousness.HOSPITALISATION,
        Seriousness.INTERVENTION_TO_PREVENT,
    }
    assert record.interventions == {Intervention.BLOOD_PATCH}
    assert record.component_model is CatheterModel.ASCENDA


def test_event_cell_that_is_empty_is_not_recorded():
    assert event(severity="", seriousness="", year="", source_id="") == event()


@pytest.mark.parametrize("make", [event, implant, exposure])
def test_every_fault_of_a_row_is_told_at_once(make):
    assert ("site", "bad-site") in faults_of(make, site="b")
    assert len(faults_of(make, site="b", component="valve", severity="9", year="1")) >= 2


def test_event_with_a_field_that_names_a_person_is_refused_by_its_name():
    with pytest.raises(IdentifierFound) as refusal:
        event(patient_name="Zoe Mueller", severity="9")

    assert [fault.column for fault in refusal.value.faults] == ["patient_name", "severity"]
    assert "Zoe" not in str(refusal.value)


def test_event_with_an_unknown_field_is_refused():
    assert faults_of(event, mood="low") == [("mood", "unknown-column")]


def test_event_whose_source_id_looks_like_a_record_number_is_refused():
    assert faults_of(event, IdentifierFound, source_id="00048213") == [
        ("source_id", "identifier-found")
    ]


def test_event_with_an_identifier_in_a_code_column_is_refused_without_repeating_it():
    with pytest.raises(RowRuleBroken) as refusal:
        event(root_cause="called mother on 555-123-4567")

    (fault,) = refusal.value.faults
    assert (fault.column, fault.code) == ("root_cause", "unknown-code")
    assert fault.detail == "use a code of the list root-cause"


@pytest.mark.parametrize("age", ["45", "45,5", "7"])
def test_a_number_in_a_column_of_ranges_is_told_the_ranges(age):
    with pytest.raises(RowRuleBroken) as refusal:
        event(age_band=age)

    (fault,) = refusal.value.faults
    assert (fault.code, fault.detail) == (
        "unknown-code",
        "this is a number; give the range that it lies in: "
        "0-5, 6-11, 12-17, 18-39, 40-64, 65-79, 80-89, 90-plus, unknown",
    )


def test_a_date_that_shows_as_its_year_is_told_to_be_one():
    with pytest.raises(IdentifierFound) as refusal:
        event(year="2009-03-01 00:00:00")

    (fault,) = refusal.value.faults
    assert fault.detail.endswith("no full date is kept, and this cell holds one, whatever it shows")


def test_codes_of_a_short_list_of_several_are_named():
    with pytest.raises(RowRuleBroken) as refusal:
        event(seriousness="grave")

    (fault,) = refusal.value.faults
    assert fault.detail.endswith(
        "separated by semicolons: " + ", ".join([member.value for member in Seriousness])
    )


def test_implant_reads_its_model_from_its_components_list():
    assert implant(model="prometra").model is PumpModel.PROMETRA
    assert implant(component="catheter", model="unknown").model is CatheterModel.UNKNOWN
    assert faults_of(implant, model="ascenda") == [("model", "unknown-code")]


def test_implant_needs_what_device_time_is_made_of():
    needed = ("site", "patient", "implant", "component", "implant_year", "months_followed")
    for column in needed:
        assert faults_of(implant, **{column: ""}) == [(column, "required")]
    assert implant().months_to_entry == 0


def test_exposure_reads_counts():
    record = exposure(procedures="2", refills="0")

    assert record == ExposureRecord(
        site="BERN",
        year=2020,
        component=Component.CATHETER,
        devices=4,
        component_months=40,
        procedures=2,
        refills=0,
    )
    assert faults_of(exposure, devices="0") == [("devices", "out-of-range")]


@pytest.mark.parametrize(
    ("record", "kind"),
    [
        (EventRecord, RowKind.EVENT),
        (ImplantRecord, RowKind.IMPLANT),
        (ExposureRecord, RowKind.EXPOSURE),
    ],
)
def test_record_has_the_columns_of_its_kind_and_no_other(record, kind):
    assert {field.name for field in dataclasses.fields(record)} == COLUMNS[kind]


@pytest.mark.parametrize(
    ("read", "kind", "needed"),
    [
        (event_record, RowKind.EVENT, ["site", "complication"]),
        (
            implant_record,
            RowKind.IMPLANT,
            ["site", "patient", "implant", "component", "implant_year", "months_followed"],
        ),
        (
            exposure_record,
            RowKind.EXPOSURE,
            ["site", "year", "component", "devices", "component_months"],
        ),
    ],
)
@pytest.mark.parametrize("cell", [None, ""])
def test_row_needs_its_columns_whether_they_are_empty_or_left_out(read, kind, needed, cell):
    values = {} if cell is None else dict.fromkeys(needed, cell)

    with pytest.raises(RowRuleBroken) as refusal:
        read(RawReport(kind, values))

    told = [(fault.column, fault.code) for fault in refusal.value.faults]
    assert told == [(column, "required") for column in needed]


@pytest.mark.parametrize(
    ("kind", "values", "is_read"),
    [
        (RowKind.EVENT, EVENT | {"complication": "no such"}, True),
        (RowKind.EVENT, EVENT | {"severity": "no such"}, True),
        (RowKind.IMPLANT, IMPLANT | {"implant_year": "no such"}, True),
        (RowKind.IMPLANT, IMPLANT | {"site": "no such"}, False),
        (RowKind.EXPOSURE, EXPOSURE | {"refills": "no such"}, True),
        (RowKind.EXPOSURE, EXPOSURE | {"year": "no such"}, False),
    ],
)
def test_row_with_a_fault_is_read_in_part_where_that_says_enough(kind, values, is_read):
    (unread,) = [name for name, text in values.items() if text == "no such"]

    part, left = record_in_part(RawReport(kind, values))

    assert (part is not None) is is_read
    assert left == {unread}
