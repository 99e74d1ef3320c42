"""What answers came from, and what can be cited."""

import csv
import io

import pytest
from django.core.management import call_command

from registry.models import Snapshot
from tests.api.conftest import client_of

pytestmark = pytest.mark.usefixtures("own_folder")


def test_snapshots_are_listed_for_whom_they_answer(cohort, reviewer):
    reviewer.get("/api/v1/statistics/counts/")
    call_command("freeze", "--release", "2026Q4")

    seen = reviewer.get("/api/v1/snapshots/").json()["results"]
    released = client_of(cohort.researcher).get("/api/v1/snapshots/").json()["results"]

    assert "2026Q4" in {row["label"] for row in seen}
    assert seen[0]["events"] == 62
    assert [row["label"] for row in released] == ["2026Q4"]
    assert "events" not in released[0]


def test_snapshot_is_found_by_label_and_by_id(cohort):
    call_command("freeze", "--release", "2026Q4")
    researcher = client_of(cohort.researcher)
    release = Snapshot.objects.get(label="2026Q4")

    by_label = researcher.get("/api/v1/snapshots/2026Q4/")
    by_id = researcher.get(f"/api/v1/snapshots/{release.snapshot_id}/")

    assert by_label.json() == by_id.json()
    assert by_label.json()["id"] == release.snapshot_id
    assert researcher.get("/api/v1/snapshots/2019Q1/").status_code == 404


def test_dictionary_of_a_release_is_csv(cohort):
    call_command("freeze", "--release", "2026Q4")

    reply = client_of(cohort.researcher).get("/api/v1/snapshots/2026Q4/dictionary.csv")

    assert reply["Content-Type"] == "text/csv; charset=utf-8"
    assert reply["Content-Disposition"] == 'attachment; filename="dictionary-2026q4.csv"'
    lines = list(csv.DictReader(io.StringIO(reply.content.decode())))
    assert {line["table"] for line in lines} == {"events", "implants", "exposures"}
    assert {line["meaning"] for line in lines if line["column"] == "severity"} == {
        "Worst grade, 1 to 5"
    }


@pytest.mark.parametrize("address", ["", "2026Q4/", "2026Q4/dictionary.csv"])
def test_snapshots_are_closed_to_strangers(cohort, address):
    assert client_of(None).get(f"/api/v1/snapshots/{address}").status_code == 401
