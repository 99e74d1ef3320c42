"""A site's own rows as files."""

import csv
import io

import pytest

from registry.models import AccessLog
from tests.factories import EventFactory

PAGE = "/admin/export/{}/{}.csv"


@pytest.fixture
def event(own_site):
    return EventFactory(site=own_site, implant=None, patient=None, source_id="e-1")


def test_a_member_gets_the_rows_of_the_own_site_and_is_logged(event, reporter, signed_in):
    reply = signed_in(reporter).get(PAGE.format("OWN-1", "events"))

    rows = list(csv.DictReader(io.StringIO(b"".join(reply.streaming_content).decode())))
    assert [(row["site"], row["source_id"]) for row in rows] == [("OWN-1", "e-1")]
    assert reply["Content-Disposition"] == 'attachment; filename="events-own-1.csv"'
    logged = AccessLog.objects.get(action="export")
    assert (logged.user, logged.what, logged.count) == (reporter, "events of OWN-1", 1)


@pytest.mark.parametrize("address", [("OTHER-2", "events"), ("NONE", "events"), ("OWN-1", "sites")])
def test_other_sites_and_kinds_are_not_found(address, event, other_site, reporter, signed_in):
    assert signed_in(reporter).get(PAGE.format(*address)).status_code == 404
    assert not AccessLog.objects.filter(action="export").exists()


def test_somebody_without_rows_is_refused(event, request, signed_in):
    client = signed_in(request.getfixturevalue("auditor"))

    assert client.get(PAGE.format("OWN-1", "events")).status_code == 403


def test_the_files_are_offered_beside_the_upload(event, other_site, reporter, signed_in):
    html = signed_in(reporter).get("/admin/upload/").text

    assert PAGE.format("OWN-1", "implants") in html
    assert "OTHER-2" not in html
