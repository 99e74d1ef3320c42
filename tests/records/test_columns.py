"""Headings: which the registry knows, and which it refuses because of what their cells hold."""

import pytest

from registry.records import RowKind
from registry.records.columns import COLUMNS, column_faults, names_a_person_or_device


@pytest.mark.parametrize(
    "heading",
    [
        "MRN",
        "Patient name",
        "PatientName",
        "patient_name",
        "Date of birth",
        "DOB",
        "Serial no",
        "serialNumber",
        "Device ID",
        "Name",
        "Last name",
        "Address",
        "Phone number",
        "e-mail",
        "E-Mail",
        "Insurance policy",
        "NHS number",
        "SSN",
        "Social Security Number",
        "Hospital no.",
        "Case ID",
        "ZIP",
        "Lot",
        "Admission date",
        "Geburtsdatum",
        "Geb.-Datum",
        "Vorname",
        "Fallnummer",
        "Fall-Nr.",
        "Patientennummer",
        "Versichertennr.",
        "Straße",
        "Seriennummer",
        "Nom",
        "Prénom",
        "Date de naissance",
        "N° de dossier",
        "Numéro de série",
        "Nombre",
        "Apellidos",
        "Fecha de nacimiento",
        "Teléfono",
        "Dirección",
        "Cognome",
        "Geboortedatum",
    ],
)
def test_heading_that_names_a_person_or_device_is_known_for_it(heading):
    assert names_a_person_or_device(heading)


@pytest.mark.parametrize(
    "heading", ["notes", "remark", "weight", "dose", "catheter tip", "age", "severty", "column9"]
)
def test_heading_that_names_nobody_is_not_taken_for_an_identifier(heading):
    assert not names_a_person_or_device(heading)


@pytest.mark.parametrize("kind", RowKind)
def test_no_column_of_the_registry_names_a_person_or_device(kind):
    assert [name for name in COLUMNS[kind] if names_a_person_or_device(name)] == []


def test_column_faults_name_the_identifying_column_and_the_mend():
    (fault,) = column_faults(["site", "Patient name"], RowKind.EVENT)

    assert (fault.column, fault.code) == ("Patient name", "identifier-found")
    assert (
        fault.detail == "this column identifies a person or a device; leave it out with its cells"
    )


def test_column_faults_suggest_the_nearest_column():
    (fault,) = column_faults(["severty"], RowKind.EVENT)

    assert (fault.column, fault.code) == ("severty", "unknown-column")
    assert fault.detail == "events have no such column; did you mean severity?"


def test_column_faults_name_a_heading_that_may_be_a_value_by_its_position():
    faults = column_faults(["site", "Müller, Zoë", "1961-02-01", ""], RowKind.EVENT)

    assert [fault.column for fault in faults] == ["column 2", "column 3", "column 4"]


def test_column_faults_are_none_for_the_columns_of_the_kind():
    assert column_faults(sorted(COLUMNS[RowKind.IMPLANT]), RowKind.IMPLANT) == ()
    assert column_faults(["implant_year"], RowKind.EVENT)[0].code == "unknown-column"
