"""The catalogue and the code lists as CSV files."""

import csv
import io

import pytest

from registry.intake import load_catalogue
from registry.models import Complication
from registry.vocabulary import CODELISTS, Severity


@pytest.fixture(autouse=True)
def catalogue(db):
    load_catalogue()


def rows_of(reply):
    assert reply["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(reply.content.decode())))


def test_every_complication_is_a_row(client):
    reply = client.get("/api/v1/complications.csv")

    rows = rows_of(reply)
    assert {row["code"] for row in rows} == set(Complication.objects.values_list("code", flat=True))
    assert reply["Content-Disposition"] == 'attachment; filename="complications.csv"'
    [kink] = [row for row in rows if row["code"] == "catheter-kink"]
    assert (kink["category"], kink["clock"], kink["in_totals"]) == ("catheter", "catheter", "TRUE")


def test_one_list_is_a_file_in_its_own_order(client):
    rows = rows_of(client.get("/api/v1/codelists/severity.csv"))

    assert [row["id"] for row in rows] == [str(grade.value) for grade in Severity]
    assert list(rows[0]) == ["id", "label", "definition", "verified"]


def test_all_lists_are_one_file(client):
    rows = rows_of(client.get("/api/v1/codelists.csv"))

    assert {row["list"] for row in rows} == {*CODELISTS, "category", "complication"}
    assert len([row for row in rows if row["list"] == "severity"]) == 5


@pytest.mark.parametrize("address", ["complications.csv", "codelists.csv", "codelists/sex.csv"])
def test_unknown_parameters_are_refused(client, address):
    assert client.get(f"/api/v1/{address}", {"x": "1"}).status_code == 400


def test_unknown_list_is_not_found(client):
    assert client.get("/api/v1/codelists/nothing.csv").status_code == 404
