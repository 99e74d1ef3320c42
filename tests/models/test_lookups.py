"""`among` finds what `in` finds, by the same indexes."""

import pytest
from django.db import connection

from registry.models import Event, Implant, Patient
from tests.factories import EventFactory, ImplantFactory, PatientFactory, SiteFactory

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


@pytest.fixture
def _rows():
    site = SiteFactory()
    for name in ("a", "b", "c", "d"):
        ImplantFactory(patient=PatientFactory(site=site, source_id=name))
    EventFactory(implant=Implant.objects.first(), site=site)


@pytest.mark.usefixtures("_rows")
@pytest.mark.parametrize("keys", [[], ["a"], ["b", "b'; --", "ç"], ["a"] * 3])
def test_texts_are_found(keys):
    found = Patient.objects.filter(source_id__among=keys).order_by("pk")

    assert list(found) == list(Patient.objects.filter(source_id__in=keys).order_by("pk"))


@pytest.mark.usefixtures("_rows")
def test_numbers_and_related_rows_are_found():
    keys = [*Patient.objects.values_list("pk", flat=True)[1:3], 10**12]

    assert Patient.objects.filter(pk__among=keys).count() == 2
    assert set(Implant.objects.filter(patient__among=set(keys))) == set(
        Implant.objects.filter(patient__in=keys)
    )
    assert Event.objects.filter(implant__patient__among=keys).count() == 0


@pytest.mark.usefixtures("_rows")
def test_others_are_left_out():
    assert Patient.objects.exclude(source_id__among=["a", "d"]).count() == 2


@pytest.mark.usefixtures("_rows")
def test_keys_of_a_site_are_found_by_an_index():
    wanted = Patient.objects.filter(site=SiteFactory(), source_id__among=["a", "d"])
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")

    plan = wanted.explain()

    assert "SCAN registry_patient" not in plan
    assert "Seq Scan on registry_patient" not in plan
    assert "registry_patient_" in plan


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no arrays")
def test_numbers_are_of_the_type_of_their_column():
    """Of another type PostgreSQL would compare each row with every number in turn."""
    of_patients = Implant.objects.filter(patient__among=[1, 2]).explain()

    assert "::bigint[]" in of_patients
    assert "::bigint[]" in Patient.objects.filter(pk__among=[1, 2]).explain()


def test_keys_are_found_at_their_own_site_alone():
    here, there = SiteFactory(), SiteFactory()
    for site in (here, there):
        for key in ("a", "b"):
            PatientFactory(site=site, source_id=key)

    found = Patient.objects.filter(site__with_keys={here.pk: ["a", "c"], there.pk: {"b"}})

    assert {(one.site_id, one.source_id) for one in found} == {(here.pk, "a"), (there.pk, "b")}


def test_a_blank_key_is_the_key_of_no_event():
    event = EventFactory(source_id="")

    assert not Event.objects.filter(site__with_keys={event.site_id: ["", "a"]}).exists()
