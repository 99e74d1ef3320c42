"""Many patients in one request: stored all or nothing, told one by one, faults by kind."""

import pytest

from registry import intake
from registry.models import Patient, Seal, Site
from tests.api.conftest import client_of
from tests.factories import PatientFactory

BULK = "/api/v1/patients/bulk/"
SECRET = "Zebulon Quux"


def patient(key, **fields):
    sent = {"site": "HERE-1", "source_id": key, "sex": "female", "indication": "stroke"}
    return sent | fields


def send(client, rows, query=""):
    return client.post(f"{BULK}{query}", rows, format="json")


def send_file(client, text, query=""):
    return client.post(f"{BULK}{query}", text.encode(), content_type="text/csv")


def test_patients_are_stored_under_one_seal_and_told_one_by_one(registry, as_reporter):
    seals = Seal.objects.count()

    reply = send(as_reporter, [patient("pt-1"), patient("pt-2", sex=None)])

    assert reply.status_code == 200, reply.content
    body = reply.json()
    assert [body[name] for name in ("new", "updated", "unchanged", "alike")] == [2, 0, 0, 0]
    stored = list(Patient.objects.order_by("pk"))
    assert [(one.source_id, one.sex, one.indication) for one in stored] == [
        ("pt-1", "female", "stroke"),
        ("pt-2", "", "stroke"),
    ]
    assert body["rows"] == [
        {
            "done": "new",
            "site": "HERE-1",
            "source_id": one.source_id,
            "id": str(one.public_id),
            "version": 1,
            "state": None,
            "possible_duplicates": [],
        }
        for one in stored
    ]
    assert Seal.objects.count() == seals + 1
    assert all(one.history.count() == 1 for one in stored)


def test_file_is_stored_like_a_list(registry, as_reporter):
    text = "Site;Patient's key;Sex\nHERE-1;pt-1;female\n\nHERE-1;pt-2;\n"

    body = send_file(as_reporter, text).json()

    assert (body["new"], [row["source_id"] for row in body["rows"]]) == (2, ["pt-1", "pt-2"])
    assert list(Patient.objects.order_by("pk").values_list("sex", flat=True)) == ["female", ""]


def test_sending_again_stores_nothing_twice(registry, as_reporter):
    rows = [patient("pt-1"), patient("pt-2")]
    send(as_reporter, rows)
    seals = Seal.objects.count()

    body = send(as_reporter, rows).json()

    assert (body["new"], body["unchanged"]) == (0, 2)
    assert {row["done"] for row in body["rows"]} == {"unchanged"}
    assert all(row["id"] for row in body["rows"])
    assert (Seal.objects.count(), Patient.objects.count()) == (seals, 2)


@pytest.mark.parametrize("send_as", ["list", "file"])
def test_dry_run_checks_everything_and_stores_nothing(send_as, registry, as_reporter):
    if send_as == "list":
        reply = send(as_reporter, [patient("pt-1")], "?dry_run=true")
    else:
        reply = send_file(as_reporter, "site,source_id\nHERE-1,pt-1\n", "?dry_run=true")

    body = reply.json()
    assert (body["dry_run"], body["new"], body["rows"][0]["id"]) == (True, 1, None)
    assert not Patient.objects.exists()


def test_every_fault_is_told_and_nothing_is_stored(registry, as_reporter):
    PatientFactory(site=registry.here, source_id="pt-0", sex="male", indication="stroke")
    rows = [
        patient("pt-0"),
        patient("pt-1"),
        patient("pt-1"),
        patient("MRN-1234567"),
        patient("pt-4", site="THERE-2"),
        patient("pt-5", sex="zebra", indication="zebra"),
        patient("pt-6", sex=3),
        patient("pt-7", name=SECRET),
        "zebra",
    ]

    reply = send(as_reporter, rows)

    assert reply.status_code == 400
    body = reply.json()
    assert body["code"] == "import-refused"
    assert {(each["pointer"], each["code"]) for each in body["errors"]} == {
        ("/0/sex", "differs-from-stored"),
        ("/2/source_id", "repeated-in-file"),
        ("/3/source_id", "identifier-found"),
        ("/4/site", "not-your-site"),
        ("/5/sex", "unknown-code"),
        ("/5/indication", "unknown-code"),
        ("/6/sex", "bad-type"),
        ("/7/name", "identifier-found"),
        ("/8", "not-an-object"),
    }
    assert body["total"] == len(body["errors"]) == 9
    assert SECRET not in reply.content.decode()
    assert Patient.objects.count() == 1


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("\n", "empty-file"),
        ("site\nHERE-1\n", "missing-column"),
        ("site,source_id,colour\nHERE-1,pt-1,red\n", "unknown-column"),
        ("site,source_id,patient_name\nHERE-1,pt-1,x\n", "identifier-found"),
        ("site,source_id,site\nHERE-1,pt-1,HERE-1\n", "repeated-column"),
        ("site,source_id\nHERE-1,pt-1,female\n", "wrong-number-of-cells"),
        ('site,source_id\nHERE-1,"pt-1\n', "broken-quotes"),
    ],
)
def test_file_that_is_no_list_of_patients_is_refused(text, code, registry, as_reporter):
    reply = send_file(as_reporter, text)

    assert reply.status_code == 400
    assert code in {each["code"] for each in reply.json()["errors"]}
    assert not Patient.objects.exists()


def test_faults_of_a_file_name_the_line(registry, as_reporter):
    text = "site,source_id,sex\nHERE-1,pt-1,female\nHERE-1,pt-2,zebra\n"

    (fault,) = send_file(as_reporter, text).json()["errors"]

    assert (fault["line"], fault["pointer"], fault["code"]) == (3, "/sex", "unknown-code")


@pytest.mark.parametrize("body", [{}, 7, "x", None])
def test_body_that_is_no_list_is_refused(body, registry, as_reporter):
    assert send(as_reporter, body).json()["errors"][0]["code"] == "not-a-list"


def test_data_manager_makes_the_sites_that_are_new(registry):
    body = send(client_of(registry.manager), [patient("pt-1", site="NEW-9")]).json()

    assert body["new"] == 1
    assert Site.objects.filter(code="NEW-9").exists()


def test_patient_of_others_is_not_told_from_none(registry, as_reporter):
    PatientFactory(site=registry.there, source_id="pt-1")

    here = send(as_reporter, [patient("pt-1", site="THERE-2")]).content
    none = send(as_reporter, [patient("pt-1", site="NONE-9")]).content

    assert here == none


def test_request_that_is_sent_again_is_answered_again(registry, as_reporter):
    first, second = (
        as_reporter.post(BULK, [patient("pt-1")], format="json", HTTP_IDEMPOTENCY_KEY="k-1")
        for _ in range(2)
    )

    assert first.content == second.content
    assert second["Idempotent-Replayed"] == "true"


def test_patients_in_their_hundreds_take_few_queries(
    registry, as_reporter, django_assert_max_num_queries
):
    rows = [patient(f"pt-{number}") for number in range(1_200)]

    with django_assert_max_num_queries(60):
        reply = send(as_reporter, rows)

    assert reply.json()["new"] == 1_200
    assert len({row["id"] for row in reply.json()["rows"]}) == 1_200


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        (f"{SECRET},HERE-1\n{SECRET},HERE-1\n", {("/header", "no-header")}),
        ("1961-03-04,1961-03-04\n1,2\n", {("/header", "no-header")}),
        ("MRN,sex\n1,2\n", {("/MRN", "identifier-found")}),
        (
            "1961-03-04,1961-03-04,site,source_id\n",
            {("/column 1", "unknown-column"), ("/column 2", "unknown-column")},
        ),
        ("site,sex,Sex,source_id\n", {("/sex", "repeated-column")}),
        ("site,sex\n", {("/source_id", "missing-column")}),
    ],
)
def test_line_of_names_is_refused_and_its_values_not_repeated(text, faults, registry, as_reporter):
    reply = send_file(as_reporter, text)

    assert reply.status_code == 400
    assert {(each["pointer"], each["code"]) for each in reply.json()["errors"]} == faults
    assert SECRET not in reply.text
    assert "1961" not in reply.text


def test_patient_that_another_stored_meanwhile_is_told_as_unchanged(
    registry, as_reporter, monkeypatch
):
    judge = intake.judge_patients

    def judge_slowly(*args, **options):
        judged = judge(*args, **options)
        PatientFactory(site=registry.here, source_id="pt-1", sex="female", indication="stroke")
        return judged

    monkeypatch.setattr(intake, "judge_patients", judge_slowly)

    body = send(as_reporter, [patient("pt-1"), patient("pt-2")]).json()

    assert (body["new"], body["unchanged"]) == (1, 1)
    assert [row["done"] for row in body["rows"]] == ["unchanged", "new"]


@pytest.fixture
def on_file(registry):
    """Two patients on file, one of whom the requests below send otherwise."""
    for key in ("pt-1", "pt-2"):
        PatientFactory(site=registry.here, source_id=key, sex="male", indication="stroke")


OTHERWISE = [patient("pt-1"), patient("pt-2", sex="male"), patient("pt-3")]


@pytest.mark.parametrize(
    ("policy", "done", "sex"),
    [
        ("skip", ["skipped", "unchanged", "new"], "male"),
        ("update", ["updated", "unchanged", "new"], "female"),
    ],
)
def test_patient_that_differs_is_left_or_changed_as_is_said(
    policy, done, sex, on_file, as_reporter
):
    seals = Seal.objects.count()

    checked = send(as_reporter, OTHERWISE, f"?on_conflict={policy}&dry_run=true").json()
    assert Patient.objects.get(source_id="pt-1").sex == "male"
    body = send(as_reporter, OTHERWISE, f"?on_conflict={policy}").json()

    assert [row["done"] for row in checked["rows"]] == done
    assert [row["done"] for row in body["rows"]] == done
    stored = Patient.objects.get(source_id="pt-1")
    assert (stored.sex, stored.version) == (sex, 1 + (policy == "update"))
    assert stored.history.count() == stored.version
    assert Seal.objects.count() == seals + 1


def test_columns_that_are_not_sent_stay_and_empty_ones_are_emptied(on_file, as_reporter):
    body = send_file(
        as_reporter, "site,source_id,sex\nHERE-1,pt-1,\nHERE-1,pt-2,male\n", "?on_conflict=update"
    ).json()

    assert (body["updated"], body["unchanged"]) == (1, 1)
    assert list(Patient.objects.order_by("pk").values_list("sex", "indication")) == [
        ("", "stroke"),
        ("male", "stroke"),
    ]


def test_update_writes_nothing_where_a_patient_changed_since_it_was_judged(
    on_file, as_reporter, monkeypatch
):
    judge = intake.judge_patients

    def judge_slowly(*args, **options):
        judged = judge(*args, **options)
        Patient.objects.filter(source_id="pt-2").update(sex="other")
        return judged

    monkeypatch.setattr(intake, "judge_patients", judge_slowly)

    reply = send(as_reporter, OTHERWISE, "?on_conflict=update")

    assert [each["pointer"] for each in reply.json()["errors"]] == ["/1/sex"]
    assert not Patient.objects.filter(source_id="pt-3").exists()


def test_patients_of_others_are_not_changed(registry, as_reporter):
    PatientFactory(site=registry.there, source_id="pt-1", sex="male")

    reply = send(as_reporter, [patient("pt-1", site="THERE-2")], "?on_conflict=update")

    assert reply.status_code == 400
    assert Patient.objects.get().sex == "male"


def test_cells_of_a_file_are_read_as_in_any_file(registry, as_reporter):
    text = "site,source_id,sex,indication,,\nhere_1,'pt-1,Male,Multiple Sclerosis,,\nHERE-1,pt-2\n"

    refused = send_file(as_reporter, text).json()
    reply = send_file(as_reporter, text.replace("HERE-1,pt-2", "HERE-1,pt-2,,TUMOR or myelopathy"))

    assert [each["code"] for each in refused["errors"]] == ["wrong-number-of-cells"]
    assert reply.status_code == 200, reply.content
    assert list(Patient.objects.order_by("pk").values_list("source_id", "sex", "indication")) == [
        ("pt-1", "male", "multiple-sclerosis"),
        ("pt-2", "", "tumour-or-myelopathy"),
    ]


def test_words_for_nothing_recorded_and_nameless_cells_are_faults(registry, as_reporter):
    text = "site,source_id,sex,indication,\nHERE-1,NA,male,,\nHERE-1,pt-2,n/a,,\nHERE-1,pt-3,,,x\n"

    reply = send_file(as_reporter, text)

    assert [(each["pointer"], each["code"]) for each in reply.json()["errors"]] == [
        ("/source_id", "word-for-empty"),
        ("/sex", "word-for-empty"),
        ("/row", "wrong-number-of-cells"),
    ]
    assert not Patient.objects.exists()
