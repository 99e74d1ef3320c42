"""`generate` fills an empty registry with a synthetic one, held to every rule of the database."""

import json
from io import StringIO
from pathlib import Path
from random import Random

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from registry import synthetic
from registry.models import Event, Exposure, Implant, Patient, Seal, Site
from registry.models.bulk_load import drawn_ids
from registry.records import RowKind
from registry.vocabulary import Seriousness

pytestmark = pytest.mark.django_db

OPTIONS = {"events": 600, "sites": 6, "seed": 5}
FIRST_EVENT = "479d0caa-3491-4654-9633-f64b25fc16ac"


@pytest.fixture
def made() -> synthetic.SyntheticRegistry:
    call_command("generate", **OPTIONS, stdout=StringIO())
    return synthetic.registry(**OPTIONS)


def schema() -> list[list[str]]:
    """Every constraint and index of the database, by name."""
    if connection.vendor == "postgresql":
        query = (
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " UNION SELECT indexname, tablename FROM pg_indexes"
        )
    else:
        query = "SELECT name, sql FROM sqlite_master"
    with connection.cursor() as cursor:
        cursor.execute(query)
        return sorted(list(map(str, row)) for row in cursor.fetchall())


def test_generate_stores_every_row_of_the_synthetic_registry(made) -> None:
    stored = {
        (event.site.code, event.source_id): event
        for event in Event.objects.select_related("site", "implant", "patient", "caused_by")
    }

    assert Event.objects.accepted().count() == 600
    assert Patient.objects.count() == made.truth["rows"]["patients"]
    assert Implant.objects.count() == made.truth["rows"]["implants"]
    assert Exposure.objects.count() == made.truth["rows"]["exposures"]
    for record in made.events():
        event = stored[record.site, record.source_id]
        assert event.complication_id == event.reported_complication_id == record.complication
        assert (event.implant and event.implant.source_id) == record.implant
        assert (event.caused_by and event.caused_by.source_id) == record.caused_by
        assert (event.patient_id is None) == (record.implant is None)
        assert event.months_since_implant == record.months_since_implant
        assert event.severity == record.severity
        assert event.seriousness == record.seriousness
        assert event.interventions == record.interventions
        assert event.outcome == (record.outcome or "")
        model = event.pump_model or event.catheter_model
        assert model == (record.component_model or "")


def test_generate_stores_implants_with_their_patients(made) -> None:
    stored = {
        (row.site.code, row.source_id): row
        for row in Implant.objects.select_related("site", "patient")
    }

    for record in made.implants():
        row = stored[record.site, record.implant]
        assert row.patient.source_id == record.patient
        assert row.patient.site_id == row.site_id
        assert row.patient.indication == (record.indication or "")
        assert row.model == (record.model or "")
        assert row.adjuncts == record.adjuncts
        assert (row.months_to_entry, row.months_followed) == (
            record.months_to_entry,
            record.months_followed,
        )
        assert (row.refills, row.procedures) == (record.refills, record.procedures)


def test_generate_leaves_one_seal_and_a_trail_that_holds(made, heads) -> None:
    said = StringIO()
    call_command("checkpoint", stdout=said)

    call_command("verify_audit", stdout=said)

    generated = Seal.objects.get(action="generate")
    assert "hold" in said.getvalue()
    assert generated.rows == Site.objects.count() == 6
    assert set(Event.objects.values_list("seal", flat=True)) == {generated.number}
    assert Event.history.count() == 0


def test_a_row_put_beside_the_generated_ones_breaks_the_trail(made) -> None:
    other = Seal.objects.exclude(action="generate").latest("number").number
    Exposure.objects.filter(pk=Exposure.objects.first().pk).update(seal_id=other)

    with pytest.raises(CommandError, match="has no history"):
        call_command("verify_audit", stdout=StringIO())


def test_generate_leaves_constraints_and_indexes_as_they_were() -> None:
    before = schema()

    call_command("generate", **OPTIONS, stdout=StringIO())

    assert schema() == before


def test_rows_can_be_added_after_generate(made) -> None:
    last = Patient.objects.latest("pk").pk
    site = Site.objects.first()

    (added,) = Patient._base_manager.bulk_create([Patient(site=site, source_id="one-1")])

    assert added.pk > last


def test_generate_writes_its_truth(tmp_path: Path) -> None:
    file = tmp_path / "truth.json"

    call_command("generate", **OPTIONS, truth=file, stdout=StringIO())

    assert json.loads(file.read_text()) == synthetic.registry(**OPTIONS).truth


def test_generate_refuses_a_registry_that_holds_rows(made) -> None:
    with pytest.raises(CommandError, match="The registry holds sites: generate needs an empty one"):
        call_command("generate", **OPTIONS, stdout=StringIO())

    assert Event.objects.count() == 600


@pytest.mark.parametrize(
    ("wrong", "message"), [({"events": 0}, "--events: ask for"), ({"sites": 900}, "--sites: ask")]
)
def test_generate_refuses_numbers_out_of_range(wrong: dict[str, int], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        call_command("generate", **{**OPTIONS, **wrong}, stdout=StringIO())

    assert not Seal.objects.exists()


def test_declared_exposure_is_stored_by_component(made) -> None:
    (months,) = {sum(row.component_months for row in made.exposures() if row.component == "pump")}

    stored = Exposure.objects.filter(component="pump").values_list("component_months", flat=True)

    assert sum(stored) == months
    assert len(stored) == sum(
        component == "pump"
        for chunk in made.columns(RowKind.EXPOSURE)
        for component in chunk["component"]
    )


def test_criteria_are_stored_one_column_each(made) -> None:
    wanted = sum(
        Seriousness.LIFE_THREATENING in (record.seriousness or ()) for record in made.events()
    )

    assert wanted > 0
    assert Event.objects.filter(serious_life_threatening=True).count() == wanted


def test_the_same_seed_makes_the_same_registry_to_the_last_public_id(
    made: synthetic.SyntheticRegistry,
) -> None:
    """By them protected answers have their noise."""
    assert str(Event.objects.earliest("pk").public_id) == FIRST_EVENT


def test_ids_are_version_4_and_differ() -> None:
    ids = drawn_ids(Random(1), 500)

    assert len(set(ids)) == 500
    assert {one[12] for one in ids} == {"4"}
    assert {one[16] for one in ids} == set("89ab")
    assert {len(one) for one in ids} == {32}
