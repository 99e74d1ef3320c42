"""Patients, implants and declared device time of one's own sites, over the API."""

from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from registry import intake
from registry.models import AccessLog, Exposure, Implant, Patient, Seal
from registry.vocabulary import MembershipRole, TokenScope
from tests.api.conftest import client_of, make_user
from tests.api.test_events import codes
from tests.factories import ExposureFactory, ImplantFactory, PatientFactory

PATIENTS, IMPLANTS, EXPOSURES = "/api/v1/patients/", "/api/v1/implants/", "/api/v1/exposures/"
ADDRESSES = {"patients": PATIENTS, "implants": IMPLANTS, "exposures": EXPOSURES}
MODELS = {"patients": Patient, "implants": Implant, "exposures": Exposure}
BODIES = {
    "patients": {"site": "HERE-1", "source_id": "pt-1", "sex": "female", "indication": "stroke"},
    "implants": {
        "site": "HERE-1",
        "patient": "pt-9",
        "implant": "im-9",
        "component": "pump",
        "model": "prometra",
        "implant_year": 2015,
        "adjuncts": ["clonidine", "bupivacaine"],
        "months_followed": 24,
        "exit_status": "active",
    },
    "exposures": {
        "site": "HERE-1",
        "year": 2016,
        "component": "pump",
        "devices": 12,
        "component_months": 130,
    },
}
CHANGES = {
    "patients": {"sex": "male"},
    "implants": {"months_followed": 36},
    "exposures": {"devices": 13},
}
SECRET = "Zebulon Quux"

EVERY_KIND = pytest.mark.parametrize("kind", list(ADDRESSES))


@pytest.fixture
def lead(registry):
    """The lead of the first site: may write rows of all three kinds."""
    user = make_user("lead")
    intake.add_member(registry.here, user=user, role=MembershipRole.LEAD, by=None)
    return client_of(user)


@pytest.fixture
def theirs(registry):
    """A row of each kind at the other site."""
    patient = PatientFactory(site=registry.there, source_id="pt-1")
    return {
        "patients": patient,
        "implants": ImplantFactory(patient=patient, source_id="im-9"),
        "exposures": ExposureFactory(site=registry.there),
    }


def post(client, kind, **changes):
    return client.post(ADDRESSES[kind], BODIES[kind] | changes, format="json")


def patch(client, kind, row, body=None, **headers):
    address = f"{ADDRESSES[kind]}{row['id']}/"
    sent = {"HTTP_IF_MATCH": "*"} | headers
    return client.patch(address, CHANGES[kind] if body is None else body, format="json", **sent)


# Storing ---------------------------------------------------------------------------------------


@EVERY_KIND
def test_row_is_stored_under_one_seal_with_its_history(kind, registry, lead):
    seals = Seal.objects.count()

    reply = post(lead, kind)

    assert reply.status_code == 201, reply.content
    row = MODELS[kind].objects.get()
    assert reply["Location"] == f"http://testserver{ADDRESSES[kind]}{row.public_id}/"
    assert reply["ETag"] == '"1"'
    shown = reply.json()
    assert shown["id"] == str(row.public_id)
    sent = BODIES[kind]
    assert {name: shown[name] for name in sent if name != "adjuncts"} == {
        name: value for name, value in sent.items() if name != "adjuncts"
    }
    assert row.site == registry.here
    assert row.history.count() == 1
    assert Seal.objects.count() == seals + 1


def test_implant_brings_its_new_patient(lead):
    shown = post(lead, "implants", sex="female").json()

    patient = Patient.objects.get()
    assert (shown["patient"], shown["patient_id"]) == ("pt-9", str(patient.public_id))
    assert (shown["sex"], shown["indication"]) == ("female", None)
    assert shown["adjuncts"] == ["bupivacaine", "clonidine"]
    assert (shown["months_to_entry"], shown["drug"], shown["refills"]) == (0, None, None)


@EVERY_KIND
def test_bad_row_is_refused_field_by_field(kind, lead):
    number = {"patients": "sex", "implants": "implant_year", "exposures": "devices"}[kind]

    wrong = post(lead, kind, **{number: [True]}, colour="red")
    missing = post(lead, kind, site="")

    assert (wrong.status_code, missing.status_code) == (400, 400)
    assert codes(wrong) == [("/colour", "unknown-column"), (f"/{number}", "bad-type")]
    assert codes(missing) == [("/site", "required")]
    assert not MODELS[kind].objects.exists()


@EVERY_KIND
def test_row_rules_are_told_at_their_fields(kind, lead):
    broken, field, code = {
        "patients": ({"indication": "toothache"}, "indication", "unknown-code"),
        "implants": ({"months_to_entry": 25}, "months_to_entry", "entry-after-follow-up"),
        "exposures": ({"component_months": 145}, "component_months", "more-than-a-year"),
    }[kind]

    reply = post(lead, kind, **broken)

    assert reply.status_code == 400
    assert codes(reply) == [(f"/{field}", code)]


@EVERY_KIND
@pytest.mark.parametrize("field", ["patient_name", "date_of_birth", "serial_number"])
def test_field_that_names_a_person_or_a_device_is_refused(kind, field, lead):
    for value in (SECRET, {"family": SECRET}):
        reply = post(lead, kind, **{field: value})

        assert reply.status_code == 400
        assert reply.json()["code"] == "identifier-found"
        assert SECRET not in reply.content.decode()
    assert not MODELS[kind].objects.exists()


@EVERY_KIND
def test_refused_values_are_never_repeated(kind, lead):
    for name in BODIES[kind]:
        reply = post(lead, kind, **{name: SECRET})

        assert reply.status_code in (400, 403), name
        assert "Zebulon" not in reply.content.decode(), name


@pytest.mark.parametrize(
    ("kind", "field"), [("patients", "source_id"), ("implants", "implant"), ("implants", "patient")]
)
def test_key_that_looks_like_a_record_number_is_refused(kind, field, lead):
    reply = post(lead, kind, **{field: "19520311"})

    assert reply.json()["code"] == "identifier-found"
    assert codes(reply) == [(f"/{field}", "identifier-found")]
    assert "1952" not in reply.content.decode()


@pytest.mark.parametrize("kind", ["patients", "implants"])
def test_used_key_names_the_row_that_has_it(kind, lead):
    first = post(lead, kind).json()

    reply = post(lead, kind)

    assert reply.status_code == 409
    assert reply.json()["code"] == "duplicate-source-id"
    assert reply.json()["existing"] == first["id"]


@pytest.mark.parametrize("kind", ["patients", "implants"])
def test_key_of_another_site_is_free_here(kind, lead, theirs):
    assert post(lead, kind).status_code == 201


def test_device_time_is_declared_once(lead):
    post(lead, "exposures")

    reply = post(lead, "exposures", devices=14)

    assert reply.status_code == 400
    assert codes(reply) == [("/year", "declared-already")]


@EVERY_KIND
def test_a_write_that_is_sent_again_writes_once(kind, lead):
    first = lead.post(ADDRESSES[kind], BODIES[kind], format="json", HTTP_IDEMPOTENCY_KEY="k-1")
    again = lead.post(ADDRESSES[kind], BODIES[kind], format="json", HTTP_IDEMPOTENCY_KEY="k-1")
    other = lead.post(
        ADDRESSES[kind], {**BODIES[kind], "site": "X"}, format="json", HTTP_IDEMPOTENCY_KEY="k-1"
    )

    assert first.json() == again.json()
    assert again["Idempotent-Replayed"] == "true"
    assert (other.status_code, MODELS[kind].objects.count()) == (409, 1)


# Changing --------------------------------------------------------------------------------------


@EVERY_KIND
def test_row_is_changed_where_named_and_its_history_grows(kind, lead):
    row = post(lead, kind).json()

    reply = patch(lead, kind, row, HTTP_IF_MATCH='"1"')

    assert reply.status_code == 200, reply.content
    assert reply["ETag"] == '"2"'
    assert reply.json() == {**row, **CHANGES[kind], "version": 2}
    assert MODELS[kind].objects.get().history.count() == 2


@EVERY_KIND
def test_change_of_another_version_is_refused(kind, lead):
    row = post(lead, kind).json()
    patch(lead, kind, row)
    seals = Seal.objects.count()

    reply = patch(lead, kind, row, HTTP_IF_MATCH='"1"')

    assert reply.status_code == 412
    assert codes(reply) == [("If-Match", "version-conflict")]
    assert Seal.objects.count() == seals


@EVERY_KIND
def test_change_to_what_is_stored_is_none(kind, lead):
    row = post(lead, kind).json()
    seals = Seal.objects.count()

    reply = patch(lead, kind, row, {})

    assert (reply.status_code, reply["ETag"]) == (200, '"1"')
    assert Seal.objects.count() == seals


@EVERY_KIND
def test_change_leaves_a_row_at_its_site(kind, registry, theirs, lead):
    manager = client_of(registry.manager)
    row = post(manager, kind).json()

    assert codes(patch(manager, kind, row, {"site": "THERE-2"})) == [("/site", "cannot-change")]


def test_reporter_declares_no_device_time(as_reporter, lead):
    row = post(lead, "exposures").json()

    for reply in (post(as_reporter, "exposures", year=2017), patch(as_reporter, "exposures", row)):
        assert reply.status_code == 403
        assert "declare the device time" in reply.json()["detail"]
    assert Exposure.objects.get().devices == 12


@EVERY_KIND
def test_reviewer_reads_and_writes_nothing(kind, registry, lead):
    row = post(lead, kind).json()
    reviewer = client_of(registry.reviewer)

    assert reviewer.get(f"{ADDRESSES[kind]}{row['id']}/").json() == row
    assert patch(reviewer, kind, row).status_code == 403
    assert post(reviewer, kind).status_code == 403


# Reach -----------------------------------------------------------------------------------------


@EVERY_KIND
def test_list_holds_own_sites_rows_oldest_first(kind, lead, theirs):
    keys = {"patients": "source_id", "implants": "implant", "exposures": "year"}
    values = (2011, 2012) if kind == "exposures" else ("b-1", "a-2")
    for value in values:
        post(lead, kind, **{keys[kind]: value})

    body = lead.get(ADDRESSES[kind]).json()

    assert [row[keys[kind]] for row in body["results"]] == list(values)
    assert [row["version"] for row in body["results"]] == [1, 1]
    assert body["next"] is None
    assert "THERE-2" not in str(body)


@EVERY_KIND
def test_row_of_another_site_is_not_found(kind, lead, theirs):
    for public_id in (theirs[kind].public_id, uuid4()):
        address = f"{ADDRESSES[kind]}{public_id}/"
        replies = [
            lead.get(address),
            lead.patch(address, CHANGES[kind], format="json", HTTP_IF_MATCH='"99"'),
            lead.patch(address, {"colour": SECRET}, format="json"),
        ]

        assert [reply.status_code for reply in replies] == [404, 404, 404]
        assert len({reply.content for reply in replies}) == 1
    assert MODELS[kind].objects.get().history.count() == 1


@EVERY_KIND
def test_cursor_of_another_sites_row_is_none(kind, lead, theirs, registry):
    post(client_of(registry.manager), kind, site="THERE-2", **_other(kind))
    cursor = client_of(registry.stranger).get(ADDRESSES[kind], {"limit": 1}).json()["next"]
    assert cursor is not None

    assert lead.get(cursor).status_code == 400


def _other(kind):
    """What tells a second row of the other site from the first."""
    return {
        "patients": {"source_id": "pt-2"},
        "implants": {"implant": "im-2"},
        "exposures": {"year": 2012},
    }[kind]


@EVERY_KIND
def test_write_for_a_foreign_site_is_refused_as_for_none(kind, lead):
    foreign, nowhere = post(lead, kind, site="THERE-2"), post(lead, kind, site="NOWHERE")

    assert (foreign.status_code, nowhere.status_code) == (403, 403)
    assert foreign.json() == nowhere.json()


@EVERY_KIND
@pytest.mark.parametrize("who", ["researcher", "auditor"])
def test_rows_are_closed_to_who_has_no_site(kind, who, registry):
    client = client_of(getattr(registry, who))

    assert client.get(ADDRESSES[kind]).status_code == 403
    assert post(client, kind).status_code == 403


@EVERY_KIND
def test_strangers_sign_in_first_and_tokens_need_their_scopes(kind, registry):
    assert client_of(None).get(ADDRESSES[kind]).status_code == 401
    assert post(client_of(None), kind).status_code == 401
    reading = client_of(registry.reporter, scopes=(TokenScope.READ_ROWS.value,))
    asking = client_of(registry.reporter, scopes=(TokenScope.READ_STATISTICS.value,))
    assert reading.get(ADDRESSES[kind]).status_code == 200
    assert post(reading, kind).status_code == 403
    assert asking.get(ADDRESSES[kind]).status_code == 403


@EVERY_KIND
def test_looks_are_logged_without_keys(kind, lead):
    row = post(lead, kind).json()
    name = {"patients": "source_id", "implants": "implant", "exposures": "year"}[kind]

    lead.get(ADDRESSES[kind], {name: row[name]})
    lead.get(f"{ADDRESSES[kind]}{row['id']}/")

    noun = {"patients": "patient", "implants": "implant", "exposures": "declared exposure"}[kind]
    assert list(AccessLog.objects.order_by("pk").values_list("what", "count")) == [
        (f"{noun} list by {name}", 1),
        (f"{noun} {row['id']}", 1),
    ]


@EVERY_KIND
def test_replies_are_kept_by_no_shared_cache(kind, lead):
    reply = lead.get(ADDRESSES[kind])

    assert reply["Cache-Control"] == "private, no-cache"


# Lists -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "params", "found"),
    [
        ("patients", {"source_id": "pt-b"}, 1),
        ("patients", {"source_id": "pt-a,pt-b"}, 2),
        ("patients", {"source_id": "pt-c"}, 0),
        ("patients", {"site": "HERE-1"}, 2),
        ("patients", {"site": "THERE-2"}, 0),
        ("implants", {"patient": "pt-a"}, 2),
        ("implants", {"component": "catheter"}, 1),
        ("implants", {"component": "catheter", "patient": "pt-b"}, 0),
        ("implants", {"exit_status": "active,lost-to-follow-up"}, 2),
        ("implants", {"exit_status": "death-unrelated"}, 1),
        ("implants", {"implant": "im-a"}, 1),
        ("exposures", {"year": "2014"}, 1),
        ("exposures", {"year": "2014", "component": "catheter"}, 0),
    ],
)
def test_list_is_narrowed(kind, params, found, registry, lead, theirs):
    here = PatientFactory(site=registry.here, source_id="pt-a")
    other = PatientFactory(site=registry.here, source_id="pt-b")
    ImplantFactory(patient=here, source_id="im-a")
    ImplantFactory(patient=here, catheter=True, exit_status="lost-to-follow-up")
    ImplantFactory(patient=other, exit_status="death-unrelated")
    ExposureFactory(site=registry.here, year=2014)
    ExposureFactory(site=registry.here, year=2013)

    assert len(lead.get(ADDRESSES[kind], params).json()["results"]) == found


@pytest.mark.parametrize(
    ("kind", "params", "code"),
    [
        ("patients", {"sex": "male"}, "unknown-parameter"),
        ("patients", {"source_id": "a b"}, "bad-value"),
        ("implants", {"component": "pmup"}, "unknown-code"),
        ("implants", {"site": "here"}, "bad-value"),
        ("exposures", {"year": "14"}, "bad-value"),
        ("exposures", {"limit": "501"}, "bad-range"),
    ],
)
def test_question_that_is_not_understood_is_refused(kind, params, code, lead):
    reply = lead.get(ADDRESSES[kind], params)

    assert reply.status_code == 400
    assert [error["code"] for error in reply.json()["errors"]] == [code]
    assert "pmup" not in reply.content.decode()


@EVERY_KIND
def test_list_comes_page_by_page(kind, registry, lead):
    make(kind, registry.here, 5)

    seen, address = [], f"{ADDRESSES[kind]}?limit=2"
    while address:
        body = lead.get(address).json()
        seen.append([row["id"] for row in body["results"]])
        address = body["next"]

    assert [len(page) for page in seen] == [2, 2, 1]
    assert len({public_id for page in seen for public_id in page}) == 5


def make(kind, site, count, *, since=2000):
    if kind == "exposures":
        return [ExposureFactory(site=site, year=since + n) for n in range(count)]
    patients = [PatientFactory(site=site) for _ in range(count)]
    return patients if kind == "patients" else [ImplantFactory(patient=each) for each in patients]


@EVERY_KIND
def test_list_takes_as_many_queries_for_many_rows_as_for_one(kind, registry, lead):
    def queries():
        with CaptureQueriesContext(connection) as queries:
            lead.get(ADDRESSES[kind])
        return len(queries)

    make(kind, registry.here, 1)
    few = queries()
    make(kind, registry.here, 8, since=2001)

    assert queries() == few
