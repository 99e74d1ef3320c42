"""How many questions the pages of events ask the database: as many at 10,000 rows as at 10."""

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from registry.models import Event, sealed
from tests.factories import EventFactory, ImplantFactory, PatientFactory

LIST = "/admin/registry/event/"
PAGES = {
    "list": LIST,
    "drafts": f"{LIST}?state=draft",
    "found": f"{LIST}?q=e-1",
    "form": f"{LIST}add/",
    "implants": "/admin/registry/implant/choices/?term=i",
    "causes": "/admin/registry/event/choices/?term=e-1",
}


def questions(client, address):
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len(queries)


def counted(client, draft):
    pages = {**PAGES, "draft": reverse("admin:registry_event_change", args=[draft.public_id])}
    return {name: questions(client, address) for name, address in pages.items()}


def fill_up_to(total, implants, complication):
    """Events of these implants in bulk, until there are as many as that."""
    first = Event.objects.count()
    rows = (
        Event(
            site=implants[number % len(implants)].site,
            implant=implants[number % len(implants)],
            patient=implants[number % len(implants)].patient,
            source_id=f"e-{number}",
            complication=complication,
            reported_complication=complication,
            year=2011,
            months_since_implant=12,
            severity=1 + number % 3,
            state="draft" if number % 7 == 0 else "accepted",
        )
        for number in range(first, total)
    )
    with sealed(by=None, action="make-for-test") as seal:
        seal.bulk_create(Event, rows)


def test_pages_ask_as_much_at_ten_thousand_rows_as_at_ten(own_site, reporter, manager, signed_in):
    implants = [
        ImplantFactory(patient=PatientFactory(site=own_site), source_id=f"i-{n}", catheter=True)
        for n in range(30)
    ]
    draft = EventFactory(implant=implants[0], state="draft", source_id="e-0")
    fill_up_to(10, implants, draft.complication)
    clients = [signed_in(reporter), signed_in(manager)]
    for client in clients:
        counted(client, draft)  # what is asked once a process, such as content types
    few = [counted(client, draft) for client in clients]

    fill_up_to(10_000, implants, draft.complication)

    assert Event.objects.count() == 10_000
    assert [counted(client, draft) for client in clients] == few
    assert max(max(pages.values()) for pages in few) <= 39
