"""The declaration of a row's columns: what each holds, and which no row is taken without."""

from dataclasses import dataclass
from typing import Annotated

import pytest

from registry.records import RowKind
from registry.records.columns import DECLARED, OF_PATIENTS
from registry.records.declared import Heading, Holds, declared_columns
from registry.vocabulary import CODELISTS, Intervention, Organism

ALL = [*DECLARED.values(), OF_PATIENTS]


@pytest.mark.parametrize(
    ("kind", "name", "holds"),
    [
        (RowKind.EVENT, "site", Holds.SITE),
        (RowKind.EVENT, "implant", Holds.KEY),
        (RowKind.EVENT, "complication", Holds.TERM),
        (RowKind.EVENT, "year", Holds.YEAR),
        (RowKind.EVENT, "month", Holds.NUMBER),
        (RowKind.EVENT, "severity", Holds.GRADE),
        (RowKind.EVENT, "organism", Holds.CODE),
        (RowKind.EVENT, "interventions", Holds.CODES),
        (RowKind.EVENT, "component_model", Holds.MODEL),
        (RowKind.IMPLANT, "implant_year", Holds.YEAR),
        (RowKind.EXPOSURE, "component", Holds.CODE),
    ],
)
def test_column_holds_what_its_field_is_annotated_with(kind, name, holds):
    assert DECLARED[kind][name].holds is holds


def test_column_names_the_list_that_its_codes_are_of():
    organism = DECLARED[RowKind.EVENT]["organism"]
    interventions = DECLARED[RowKind.EVENT]["interventions"]

    assert (organism.codes, organism.codelist) == (Organism, "organism")
    assert (interventions.codes, interventions.codelist) == (Intervention, "intervention")


def test_number_has_a_range_and_a_unit():
    devices = DECLARED[RowKind.EXPOSURE]["devices"].whole

    assert devices is not None
    assert (devices.what, devices.least, devices.most) == ("a count of devices", 1, 1_000_000)


def test_column_is_required_where_its_field_has_no_default():
    required = {
        kind: [name for name, column in columns.items() if column.required]
        for kind, columns in DECLARED.items()
    }

    assert required[RowKind.EVENT] == ["site", "complication"]
    assert required[RowKind.EXPOSURE] == [
        *("site", "year", "component", "devices", "component_months"),
    ]


def test_patient_needs_a_site_and_a_key():
    required = [name for name, column in OF_PATIENTS.items() if column.required]

    assert required == ["site", "source_id"]


@pytest.mark.parametrize("columns", ALL)
def test_every_column_has_words_and_every_code_a_public_list(columns):
    for column in columns.values():
        assert column.title, column.name
        if column.codes is not None:
            assert CODELISTS[column.codelist] is column.codes


def test_field_without_a_heading_is_refused():
    @dataclass
    class Bare:
        organism: Organism | None = None

    with pytest.raises(TypeError, match=r"Bare\.organism has no heading"):
        declared_columns(Bare)


def test_type_that_no_column_can_hold_is_refused():
    @dataclass
    class Odd:
        weight: Annotated[float, Heading("Weight")]

    with pytest.raises(TypeError, match="No column can hold"):
        declared_columns(Odd)
