"""An import finds stored rows by indexes that fit their keys: files grow, and so do tables."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from registry.intake.deaths import lives_of
from registry.intake.drafts import Drafts
from registry.intake.importing import Import
from registry.models import Event, User
from registry.vocabulary import State
from tests.factories import EventFactory, ImplantFactory

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


def plans(asked: CaptureQueriesContext) -> str:
    explain = "EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN "
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":  # a table of two rows is read in one piece
            cursor.execute("SET LOCAL enable_seqscan = off")
        lines = []
        for query in asked.captured_queries:
            cursor.execute(explain + query["sql"])
            lines += [str(row[-1]) for row in cursor.fetchall()]
    return "\n".join(lines)


def test_events_are_found_by_their_keys_and_not_by_their_site() -> None:
    event = EventFactory(source_id="e1")
    run = Import(seal=Drafts(), by=User.objects.create_superuser("imports"), accept=False)
    keys = [(event.site_id, "e1"), (event.site_id, "e2"), (event.site_id + 1, "e1")]

    with CaptureQueriesContext(connection) as asked:
        found = run.stored(Event, keys, "pk")

    assert [row["pk"] for row in found.values()] == [event.pk]
    if connection.vendor == "sqlite":  # PostgreSQL chooses by the size of the table
        assert "registry_event_source_id_once_a_site" in plans(asked)
        assert "by_site" not in plans(asked)


def test_lives_are_found_by_patient_and_not_by_state() -> None:
    implant = ImplantFactory()
    told = EventFactory(implant=implant, site=implant.site, state=State.SUBMITTED)
    EventFactory(implant=implant, site=implant.site, state=State.DRAFT)

    with CaptureQueriesContext(connection) as asked:
        lives = lives_of([implant.patient_id])

    assert [one.pk for one in lives[implant.patient_id].events] == [told.pk]
    assert "registry_event_patient_id" in plans(asked)
    assert "by_state" not in plans(asked)
