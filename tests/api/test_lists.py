"""Lists of rows: the fields that are asked for, and the same list as CSV."""

import csv
import io

import pytest

from registry import intake
from registry.models import AccessLog, Seal
from tests.api.conftest import client_of, stored
from tests.factories import ExposureFactory, ImplantFactory, PatientFactory

LISTS = ["events", "patients", "implants", "exposures", "queries", "sites"]


@pytest.fixture
def rows(registry):
    """Two events, an implant with its patient, and declared device time."""
    stored(registry.reporter, source_id="ev-1", seriousness="hospitalisation;life-threatening")
    event = stored(registry.reporter, source_id="ev-2", submit=True, outcome="recovered")
    intake.raise_query(event.public_id, by=registry.reviewer, column="organism", ask="missing")
    ImplantFactory(patient=PatientFactory(site=registry.here), adjuncts=frozenset({"clonidine"}))
    ExposureFactory(site=registry.here)


def ask(client, rows, **parameters):
    return client.get(f"/api/v1/{rows}/", parameters)


def cells(reply):
    return list(csv.DictReader(io.StringIO(reply.content.decode())))


@pytest.mark.parametrize("kind", LISTS)
def test_list_has_the_fields_that_are_asked_for_in_their_order(kind, rows, as_reporter):
    every = list(ask(as_reporter, kind).json()["results"][0])
    names = [every[-1], every[0]]

    found = ask(as_reporter, kind, fields=",".join(names)).json()["results"]

    assert found
    assert all(list(row) == names for row in found)


@pytest.mark.parametrize("kind", LISTS)
def test_list_as_csv_has_the_rows_of_the_json(kind, rows, as_reporter):
    plain = ask(as_reporter, kind).json()["results"]

    reply = ask(as_reporter, kind, format="csv")

    assert reply["Content-Type"] == "text/csv; charset=utf-8"
    assert reply["Content-Disposition"] == f'attachment; filename="{kind}.csv"'
    assert cells(reply) == [{name: written(row[name]) for name in row} for row in plain]
    assert list(cells(reply)[0]) == list(plain[0])


def written(value):
    """A JSON value as a cell."""
    if isinstance(value, list):
        return ";".join(value)
    return {"None": "", "True": "TRUE", "False": "FALSE"}.get(str(value), str(value))


def test_lists_in_a_cell_are_as_in_files(rows, as_reporter):
    found = cells(ask(as_reporter, "events", format="csv", fields="source_id,seriousness"))

    assert found[0] == {"source_id": "ev-1", "seriousness": "hospitalisation;life-threatening"}


def test_text_that_a_spreadsheet_would_run_is_escaped(registry, as_reporter):
    PatientFactory(site=registry.here, source_id="-1.2")

    found = cells(ask(as_reporter, "patients", format="csv", fields="source_id"))

    assert found == [{"source_id": "'-1.2"}]


@pytest.mark.parametrize("format", ["json", "csv"])
def test_next_page_stands_in_the_header_link(format, rows, as_reporter):
    first = ask(as_reporter, "events", format=format, limit=1, fields="source_id")
    link, relation = first["Link"].split("; ")

    second = as_reporter.get(link.strip("<>"))

    assert relation == 'rel="next"'
    assert "ev-1" in first.content.decode()
    assert "ev-2" in second.content.decode()
    assert "Link" not in second
    if format == "json":
        assert first.json()["next"] == link.strip("<>")


def test_header_of_the_csv_stands_where_there_is_no_row(as_reporter):
    reply = ask(as_reporter, "events", format="csv", fields="id,state", source_id="none")

    assert reply.content == b"id,state\r\n"


def test_empty_parameter_asks_for_every_field(rows, as_reporter):
    assert ask(as_reporter, "events", fields="").json() == ask(as_reporter, "events").json()


@pytest.mark.parametrize("kind", LISTS)
def test_unknown_field_is_refused_and_not_repeated(kind, rows, as_reporter):
    reply = ask(as_reporter, kind, fields="password")

    assert reply.status_code == 400
    assert [(each["parameter"], each["code"]) for each in reply.json()["errors"]] == [
        ("fields", "unknown-column")
    ]
    assert "password" not in reply.content.decode()
    assert not AccessLog.objects.exists()


def test_field_is_named_once(rows, as_reporter):
    reply = ask(as_reporter, "sites", fields="code,code")

    assert [each["code"] for each in reply.json()["errors"]] == ["repeated-name"]


@pytest.mark.parametrize(("fields", "status"), [("code,", 200), (",", 400), ("code,,name", 200)])
def test_commas_are_around_fields(fields, status, rows, as_reporter):
    assert ask(as_reporter, "sites", fields=fields).status_code == status


@pytest.mark.parametrize("kind", [*LISTS, "complications", "categories", "tokens"])
def test_empty_parameters_of_a_page_are_as_none(kind, rows, as_reporter):
    whole = ask(as_reporter, kind).json()

    assert ask(as_reporter, kind, cursor="", limit="").json() == whole


def test_csv_of_another_site_is_empty(rows, registry):
    assert cells(ask(client_of(registry.stranger), "events", format="csv")) == []


def test_refusal_of_a_csv_is_a_problem(rows, as_reporter):
    reply = ask(as_reporter, "events", format="csv", limit="0")

    assert (reply.status_code, reply["Content-Type"]) == (400, "application/problem+json")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("events", {"site": "HERE-1", "complication": "infection-pocket"}),
        ("patients", {"site": "HERE-1", "source_id": "pt-w9"}),
    ],
)
@pytest.mark.parametrize("asked", [{"QUERY_STRING": "format=csv"}, {"HTTP_ACCEPT": "text/csv"}])
def test_write_is_no_list_and_stores_nothing_in_a_format_that_it_lacks(
    kind, body, asked, registry, as_reporter
):
    before = Seal.objects.count()

    reply = as_reporter.post(f"/api/v1/{kind}/", body, format="json", **asked)

    assert reply.status_code == 406
    assert Seal.objects.count() == before
