"""Many events in one request: all of them, or none."""

import json

import pytest

from registry.api import bulk
from registry.intake import shelf
from registry.models import Event, IdempotencyKey, Seal
from registry.vocabulary import TokenScope
from tests.api.conftest import client_of
from tests.factories import ImplantFactory, PatientFactory

BULK = "/api/v1/events/bulk/"
SECRET = "Zebulon Quux"
HEADER = (
    "site,source_id,implant,complication,year,months_since_implant,severity,seriousness,outcome"
)


@pytest.fixture
def events(report):
    """So many complete events of the first site, as JSON."""

    def make(count, **fields):
        return [report(source_id=f"ev-{n}", **fields) for n in range(count)]

    return make


def file_of(*rows):
    return "\n".join([HEADER, *rows]).encode()


LEAK = "HERE-1,ev-1,,infection-pocket,2020,,3,hospitalisation,recovered"


def post(client, body, query="", **headers):
    return client.post(f"{BULK}{query}", body, format="json", **headers)


def post_file(client, body, query="", **headers):
    return client.post(f"{BULK}{query}", body, content_type="text/csv", **headers)


def counts(reply):
    body = reply.json()
    return {name: body[name] for name in ("dry_run", "new", "unchanged")}


def faults(reply):
    return [
        (error.get("pointer"), error.get("line"), error["code"]) for error in reply.json()["errors"]
    ]


def test_list_is_stored_submitted_under_one_seal(registry, as_reporter, events):
    seals = Seal.objects.count()

    reply = post(as_reporter, events(3))

    assert reply.status_code == 200, reply.content
    assert counts(reply) == {"dry_run": False, "new": 3, "unchanged": 0}
    stored = Event.objects.order_by("pk")
    assert [(event.source_id, event.state, event.site) for event in stored] == [
        (f"ev-{n}", "submitted", registry.here) for n in range(3)
    ]
    assert [event.history.count() for event in stored] == [1, 1, 1]
    assert Seal.objects.count() == seals + 1
    assert Seal.objects.latest("number").rows == 6  # three alike, and the three pairs of them


def test_file_is_stored_like_a_list(registry, as_reporter):
    patient = PatientFactory(site=registry.here)
    ImplantFactory(patient=patient, source_id="im-1", implant_year=2015, catheter=True)
    kink = "HERE-1,ev-2,im-1,catheter-kink,2016,14,2,none,recovered"

    reply = post_file(as_reporter, file_of(LEAK, kink))

    assert counts(reply) == {"dry_run": False, "new": 2, "unchanged": 0}
    assert Event.objects.get(source_id="ev-2").implant.source_id == "im-1"


def test_sending_again_stores_nothing_twice(as_reporter, events):
    post(as_reporter, events(2))

    assert counts(post(as_reporter, events(3))) == {"dry_run": False, "new": 1, "unchanged": 2}
    assert Event.objects.count() == 3


@pytest.mark.parametrize("send", [post, post_file])
def test_dry_run_checks_everything_and_stores_nothing(send, as_reporter, events):
    body = events(2) if send is post else file_of(LEAK, LEAK.replace("ev-1", "ev-2"))
    seals = Seal.objects.count()

    reply = send(as_reporter, body, "?dry_run=true")

    assert counts(reply) == {"dry_run": True, "new": 2, "unchanged": 0}
    assert not Event.objects.exists()
    assert Seal.objects.count() == seals


def test_one_bad_row_of_a_list_refuses_them_all(as_reporter, events, report):
    body = [*events(2), report(source_id="ev-9", severity=9, outcome="dead"), {"site": "HERE-1"}]

    reply = post(as_reporter, body)

    assert reply.status_code == 400
    assert reply["Content-Type"] == "application/problem+json"
    assert (reply.json()["code"], reply.json()["total"]) == ("import-refused", 5)
    assert faults(reply) == [
        ("/2/severity", None, "unknown-code"),
        ("/2/outcome", None, "unknown-code"),
        ("/3/complication", None, "required"),
        ("/3/year", None, "required"),
        ("/3/source_id", None, "required"),
    ]
    assert reply.json()["detail"].startswith("/2/severity: Severity is a grade from 1 to 5.")
    assert not Event.objects.exists()


def test_one_bad_row_of_a_file_refuses_them_all(as_reporter):
    reply = post_file(as_reporter, file_of(LEAK, LEAK.replace(",3,", ",9,"), "a,b"))

    assert faults(reply) == [
        ("/severity", 3, "unknown-code"),
        ("/source_id", 3, "repeated-in-file"),
        ("/row", 4, "no-row-of-data"),
    ]
    assert reply.json()["detail"].startswith("line 3, severity: Severity is a grade from 1 to 5.")
    assert not Event.objects.exists()


@pytest.mark.parametrize("dry", ["", "?dry_run=true"])
def test_rules_across_rows_hold(dry, as_reporter, events):
    first, second = events(2)
    circle = [{**first, "caused_by": "ev-1"}, {**second, "caused_by": "ev-0"}]

    assert faults(post(as_reporter, circle, dry)) == [
        ("/0/caused_by", None, "circle"),
        ("/1/caused_by", None, "circle"),
    ]
    assert faults(post(as_reporter, [first, first], dry)) == [
        ("/1/source_id", None, "repeated-in-file")
    ]
    assert faults(post(as_reporter, [{**first, "source_id": ""}], dry)) == [
        ("/0/source_id", None, "required")
    ]


def test_rows_of_another_site_are_refused_as_for_none(as_reporter, events):
    foreign, nowhere = (
        post(as_reporter, events(1, site=site)) for site in ("THERE-2", "NOWHERE-3")
    )

    assert faults(foreign) == [("/0/site", None, "not-your-site")]
    assert foreign.json() == nowhere.json()
    assert not Event.objects.exists()


def test_rows_that_are_no_objects_are_told_by_their_places(as_reporter, events):
    reply = post(as_reporter, [*events(1), 7, {"year": [2020.5]}])

    assert faults(reply) == [
        ("/1", None, "not-an-object"),
        ("/2/year", None, "bad-type"),
        ("/2/site", None, "required"),
        ("/2/complication", None, "required"),
    ]


@pytest.mark.parametrize("body", [{}, {"events": []}, "x", 7])
def test_body_that_is_no_list_is_refused(body, as_reporter):
    reply = post(as_reporter, body)

    assert reply.status_code == 400
    assert faults(reply) == [(None, None, "not-a-list")]


def test_empty_list_stores_nothing(as_reporter):
    assert counts(post(as_reporter, [])) == {"dry_run": False, "new": 0, "unchanged": 0}


@pytest.mark.parametrize(
    "fields", [{"patient_name": SECRET}, {"patient_name": {"family": SECRET}}, {"serial_no": "1"}]
)
def test_field_that_names_a_person_or_a_device_is_refused(fields, as_reporter, events):
    reply = post(as_reporter, [*events(1), {**events(1)[0], "source_id": "ev-7", **fields}])

    assert faults(reply) == [(f"/1/{next(iter(fields))}", None, "identifier-found")]
    assert SECRET not in reply.content.decode()
    assert not Event.objects.exists()


def test_column_that_names_a_person_is_refused(as_reporter):
    body = f"{HEADER},patient_name\n{LEAK},{SECRET}\n".encode()

    reply = post_file(as_reporter, body)

    assert faults(reply) == [("/patient_name", 1, "identifier-found")]
    assert SECRET not in reply.content.decode()


def test_refused_values_are_never_repeated(as_reporter, events):
    (row,) = events(1)
    for name in row:
        reply = post(as_reporter, [{**row, name: SECRET}])
        assert reply.status_code == 400, name
        assert "Zebulon" not in reply.content.decode(), name
    for cell in LEAK.split(","):
        if cell:
            reply = post_file(as_reporter, file_of(LEAK.replace(cell, SECRET, 1)))
            assert reply.status_code == 400, cell
            assert "Zebulon" not in reply.content.decode(), cell


def test_faults_beyond_the_first_200_are_counted(as_reporter, events):
    reply = post(as_reporter, events(201, severity=9))

    assert reply.json()["total"] == 201
    assert len(reply.json()["errors"]) == 200


def test_request_that_is_sent_again_is_answered_again(as_reporter, events):
    for send, body in ((post, events(1)), (post_file, file_of(LEAK))):
        key = {"HTTP_IDEMPOTENCY_KEY": f"k-{send.__name__}"}
        first, again = (send(as_reporter, body, **key) for _ in range(2))

        assert first.json() == again.json()
        assert counts(first) == {"dry_run": False, "new": 1, "unchanged": 0}
        assert again["Idempotent-Replayed"] == "true"
    other = post_file(
        as_reporter, file_of(LEAK.replace("2020", "2019")), HTTP_IDEMPOTENCY_KEY="k-post_file"
    )
    assert other.status_code == 409
    assert "2020" not in json.dumps(list(IdempotencyKey.objects.values("reply", "body_digest")))


@pytest.mark.parametrize("query", ["?dry_run=True", "?dry_run=TRUE"])
def test_dry_run_is_asked_as_python_and_r_write_it(query, as_reporter, events):
    reply = post(as_reporter, events(1), query)

    assert counts(reply) == {"dry_run": True, "new": 1, "unchanged": 0}


def test_whole_numbers_of_a_body_may_have_a_point_and_zeros(as_reporter, events):
    (event,) = events(1)

    reply = post(as_reporter, [{**event, "year": float(event["year"]), "severity": 3.0}])
    text = post(as_reporter, [{**event, "source_id": "ev-t1", "severity": "3.0"}])
    half = post(as_reporter, [{**event, "year": event["year"] + 0.5}])

    assert reply.status_code == 200
    row = Event.objects.get()
    assert (row.year, row.severity) == (event["year"], 3)
    assert [each["code"] for each in text.json()["errors"]] == ["bad-type"]
    assert half.status_code == 400


def test_whole_numbers_of_a_file_may_have_a_point_and_zeros(as_reporter):
    body = (
        b"site,source_id,implant,complication,year,months_since_implant,severity,seriousness,"
        b"outcome\nHERE-1,ev-1,,infection-pocket,2020.0,,3.0,hospitalisation,recovered\n"
    )

    reply = post_file(as_reporter, body)

    assert reply.status_code == 200
    row = Event.objects.get()
    assert (row.year, row.severity) == (2020, 3)


@pytest.mark.parametrize("query", ["?dry_run=yes", "?dry_run=", "?dryrun=true", "?accept=true"])
def test_parameter_that_is_not_understood_stores_nothing(query, as_reporter, events):
    assert post(as_reporter, events(1), query).status_code == 400
    assert not Event.objects.exists()


def test_body_has_an_upper_size(as_reporter, events, monkeypatch):
    monkeypatch.setattr(bulk.BulkJSONParser, "largest", 2000)
    monkeypatch.setattr(bulk, "LARGEST_BULK", 2000)

    assert post(as_reporter, events(1)).status_code == 200
    assert post(as_reporter, events(40)).status_code == 413
    assert post_file(as_reporter, file_of(*[LEAK] * 40)).status_code == 413


def test_bulk_takes_more_than_one_event_may(as_reporter):
    """A single body is read up to a mebibyte, a list of events up to eight."""
    reply = as_reporter.post(BULK, " " * (1 << 20) + "[]", content_type="application/json")

    assert reply.status_code == 200


def test_bulk_is_closed_to_who_enters_no_rows(registry, events):
    reading = client_of(registry.reporter, scopes=(TokenScope.READ_ROWS.value,))

    assert post(client_of(None), events(1)).status_code == 401
    assert post(reading, events(1)).status_code == 403
    assert post(client_of(registry.researcher), events(1)).status_code == 403
    assert faults(post(client_of(registry.reviewer), events(1))) == [
        ("/0/site", None, "not-your-site")
    ]
    assert not Event.objects.exists()


def test_events_are_judged_before_their_key_is_claimed(as_reporter, events, monkeypatch):
    claimed = []
    judge = bulk.intake.judge_records

    def watched(*args, **options):
        claimed.append(IdempotencyKey.objects.exists())
        return judge(*args, **options)

    monkeypatch.setattr(bulk.intake, "judge_records", watched)
    first = post(as_reporter, events(1), HTTP_IDEMPOTENCY_KEY="k-1")
    again = post(as_reporter, events(1), HTTP_IDEMPOTENCY_KEY="k-1")

    assert first.json() == again.json()
    assert counts(first) == {"dry_run": False, "new": 1, "unchanged": 0}
    assert claimed == [False]


@pytest.mark.parametrize("charset", ["utf-16", "utf-8", "latin-1", "no-such"])
def test_a_charset_of_the_body_does_not_change_the_address(registry, as_reporter, charset):
    body = file_of(LEAK).decode().encode("utf-16" if charset == "utf-16" else "utf-8")

    reply = as_reporter.generic(
        "POST",
        f"{BULK}?dry_run=true",
        body,
        content_type=f"text/csv; charset={charset}",
    )

    assert (reply.status_code, reply.json().get("new")) == (200, 1), reply.content


@pytest.mark.parametrize("code", [" hospitalisation", "hospitalisation ", "none;death", ""])
def test_a_code_in_a_list_is_one_code_without_blanks(registry, as_reporter, events, code):
    reply = post(as_reporter, events(1, seriousness=[code]))

    assert [each["code"] for each in reply.json()["errors"]] == ["bad-type"]


def test_full_folder_for_temporary_files_is_told_and_nothing_stored(
    as_reporter, events, monkeypatch
):
    make = shelf._OnDisk.__init__

    def make_with_room_for_its_tables(self, *tables):
        make(self, *tables)
        self._rows.execute("PRAGMA max_page_count = 1")

    monkeypatch.setattr(shelf._OnDisk, "__init__", make_with_room_for_its_tables)
    seals = Seal.objects.count()

    reply = post(as_reporter, events(200))

    assert (reply.status_code, reply.json()["code"]) == (503, "cannot-store")
    assert (Event.objects.count(), Seal.objects.count()) == (0, seals)
