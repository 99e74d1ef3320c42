"""Each index answers what lists ask, in the very form in which the ORM asks it."""

import pytest
from django.db import connection
from django.db.models.functions import Left

from registry.models import AccessLog, Event, Implant, Patient, Seal
from registry.models.statements import distinct_values
from tests.factories import EventFactory, ImplantFactory

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


def asked(site):
    """Index -> what a list asks of it."""
    log = AccessLog.objects.alias(begins=Left("what", 60))
    of_site = {"site__in": [site.pk]}
    return {
        "registry_event_by_key": Event.objects.filter(source_id__istartswith="ev_1"),
        "registry_implant_by_key": Implant.objects.filter(source_id__iexact="im-1"),
        "registry_patient_by_key": Patient.objects.filter(source_id__istartswith="Pt"),
        "registry_event_by_seal": Event.objects.order_by("-seal_id", "-pk"),
        "registry_event_by_site": Event.objects.filter(year=2012, **of_site),
        "registry_event_by_year": Event.objects.order_by("-year"),
        "registry_event_by_term": Event.objects.filter(complication="csf-leak"),
        "registry_event_by_state": Event.objects.filter(state="submitted", **of_site),
        "registry_implant_by_site": Implant.objects.filter(**of_site).order_by("-seal_id"),
        "registry_log_by_what": log.filter(user=1, begins="event 1"),
        "registry_log_by_action": AccessLog.objects.filter(action="row-read"),
        "registry_seal_by_action": Seal.objects.filter(action="import-rows"),
    }


def plan_of(queryset):
    """The database's plan of a first page, where it reads no table from end to end."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_bitmapscan = off")
    is_ordered = bool(queryset.query.order_by)
    rows = queryset if is_ordered else queryset.order_by()
    return rows.values("pk")[:50].explain()


def test_lists_are_read_by_their_index_and_not_sorted():
    for implant in ImplantFactory.create_batch(3):
        for year in range(2000, 2020):
            EventFactory(site=implant.site, source_id=f"ev_{year}", state="draft", year=year)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")

    plans = {index: plan_of(rows) for index, rows in asked(implant.site).items()}

    wrong = {index: plan for index, plan in plans.items() if index not in plan}
    sorting = {index: plan for index, plan in plans.items() if "Sort" in plan or "TEMP" in plan}
    assert wrong == {}
    assert sorting == {}


@pytest.mark.parametrize("word", ["EV_1", "ev_1", "Ev_1"])
def test_a_key_is_found_in_any_case_and_an_underscore_is_no_wildcard(word):
    implant = ImplantFactory()
    keys = ["ev_1", "EV_12", "evx1", "e"]
    for key in keys:
        EventFactory(implant=implant, source_id=key, state="draft")

    found = Event.objects.filter(source_id__istartswith=word)

    assert sorted(found.values_list("source_id", flat=True)) == ["EV_12", "ev_1"]


def test_distinct_values_are_those_of_a_scan():
    ImplantFactory()
    EventFactory()

    assert distinct_values(Seal, "action") == sorted(
        set(Seal.objects.order_by().values_list("action", flat=True))
    )
    assert distinct_values(AccessLog, "action") == []
