"""What every list and form shares: own rows only, no deleting, no running numbers."""

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from registry.intake import change_site
from registry.models import Event, Exposure, Implant, Patient, Site
from registry.vocabulary import Role
from tests.factories import (
    EventFactory,
    ExposureFactory,
    ImplantFactory,
    PatientFactory,
    UserFactory,
)

SITE_ROWS = ["event", "implant", "patient", "exposure"]
MODELS = {"event": Event, "implant": Implant, "patient": Patient, "exposure": Exposure}


def listing(model):
    return reverse(f"admin:registry_{model}_changelist")


def page(row, name="change"):
    return reverse(f"admin:registry_{row._meta.model_name}_{name}", args=[row.public_id])


@pytest.fixture
def rows(own_site, other_site):
    """One row of each kind at the own site and at the other one."""
    made = {}
    for site, mark in ((own_site, "mine"), (other_site, "theirs")):
        patient = PatientFactory(site=site, source_id=f"k-{mark}")
        implant = ImplantFactory(patient=patient, source_id=f"k-{mark}")
        made[mark] = {
            "patient": patient,
            "implant": implant,
            "event": EventFactory(implant=implant, source_id=f"k-{mark}", state="draft"),
            "exposure": ExposureFactory(site=site),
        }
    return made


@pytest.mark.parametrize("model", SITE_ROWS)
def test_a_list_shows_a_reporter_only_rows_of_the_own_site(model, rows, reporter, signed_in):
    answer = signed_in(reporter).get(listing(model))

    shown = set(answer.context["cl"].queryset)
    assert shown == {rows["mine"][model]}
    assert "OTHER-2" not in answer.text


@pytest.mark.parametrize("model", ["event", "implant", "patient"])
def test_a_search_finds_a_reporter_only_rows_of_the_own_site(model, rows, reporter, signed_in):
    answer = signed_in(reporter).get(listing(model), {"q": "k-"})

    assert "k-mine" in answer.text
    assert "k-theirs" not in answer.text


@pytest.mark.parametrize("name", ["change", "history"])
@pytest.mark.parametrize("model", SITE_ROWS)
def test_a_row_of_another_site_is_not_found(model, name, rows, reporter, signed_in):
    client = signed_in(reporter)

    assert client.get(page(rows["mine"][model], name)).status_code == 200
    assert client.get(page(rows["theirs"][model], name)).status_code == 404


@pytest.mark.parametrize("model", SITE_ROWS)
def test_a_row_of_another_site_is_not_found_by_post_either(model, rows, reporter, signed_in):
    answer = signed_in(reporter).post(page(rows["theirs"][model]), {})

    assert answer.status_code == 404


@pytest.mark.parametrize("model", ["event", "implant"])
def test_the_searched_list_offers_a_reporter_only_own_rows(model, rows, reporter, signed_in):
    answer = signed_in(reporter).get(reverse(f"admin:registry_{model}_choices"), {"term": "k-"})

    offered = [choice["id"] for choice in answer.json()["results"]]
    assert offered == [str(rows["mine"][model].public_id)]


@pytest.mark.parametrize("page", ["0", "-1", "x", "٢", "9" * 30])
def test_the_searched_list_takes_what_names_no_page_as_the_first(page, rows, reporter, signed_in):
    answer = signed_in(reporter).get(reverse("admin:registry_event_choices"), {"page": page})

    assert len(answer.json()["results"]) == 1


def test_the_searched_list_passes_no_mark_on_that_a_database_cannot_hold(rows, reporter, signed_in):
    address = reverse("admin:registry_event_choices")

    with CaptureQueriesContext(connection) as queries:
        answer = signed_in(reporter).get(address, {"term": "k-\0mine"})

    assert len(answer.json()["results"]) == 1
    assert not any("\0" in query["sql"] for query in queries.captured_queries)


@pytest.mark.parametrize("field", ["implant", "caused_by"])
def test_the_admins_own_autocomplete_tells_no_running_numbers(field, rows, reporter, signed_in):
    params = {"app_label": "registry", "model_name": "event", "field_name": field, "term": "k-"}

    assert signed_in(reporter).get(reverse("admin:autocomplete"), params).status_code == 404


@pytest.mark.parametrize("model", ["complication", "site", "event"])
def test_an_address_that_no_database_can_hold_is_not_found(model, manager, signed_in):
    address = reverse(f"admin:registry_{model}_changelist")

    with CaptureQueriesContext(connection) as queries:
        assert signed_in(manager).get(f"{address}%00/change/").status_code == 404

    assert not any("\0" in query["sql"] for query in queries.captured_queries)


def test_an_action_cannot_reach_a_row_of_another_site(rows, reporter, signed_in):
    theirs = rows["theirs"]["event"]
    chosen = {"action": "submit_events", "_selected_action": [str(theirs.public_id)]}

    signed_in(reporter).post(listing("event"), {**chosen, "index": 0})

    theirs.refresh_from_db()
    assert theirs.state == "draft"


def test_an_action_cannot_name_a_row_by_its_number(rows, reporter, signed_in):
    mine = rows["mine"]["event"]
    chosen = {"action": "submit_events", "_selected_action": [str(mine.pk)]}

    signed_in(reporter).post(listing("event"), {**chosen, "index": 0})

    mine.refresh_from_db()
    assert mine.state == "draft"


@pytest.mark.parametrize("model", SITE_ROWS)
def test_a_running_number_is_no_address(model, rows, reporter, signed_in):
    numbered = reverse(f"admin:registry_{model}_change", args=[rows["mine"][model].pk])

    assert signed_in(reporter).get(numbered).status_code == 404


@pytest.mark.parametrize("role", ["reviewer", "manager"])
@pytest.mark.parametrize("model", SITE_ROWS)
def test_a_list_shows_reviewers_and_managers_every_site(model, role, rows, request, signed_in):
    answer = signed_in(request.getfixturevalue(role)).get(listing(model))

    assert answer.context["cl"].queryset.count() == 2


@pytest.mark.parametrize("model", SITE_ROWS)
def test_a_list_of_rows_is_closed_to_auditors(model, rows, auditor, signed_in):
    assert signed_in(auditor).get(listing(model)).status_code == 403


def test_a_former_member_sees_no_rows_any_more(rows, reporter, signed_in):
    reporter.memberships.update(active=False)

    answer = signed_in(reporter).get(listing("event"))

    assert answer.context["cl"].queryset.count() == 0


def test_a_researcher_is_led_from_the_admin_to_sign_in(signed_in, db):
    researcher = UserFactory(roles=[Role.RESEARCHER], is_staff=False)

    answer = signed_in(researcher).get(listing("event"), follow=True)

    assert answer.redirect_chain[-1][0].startswith("/login/?next=")


@pytest.mark.parametrize("model", SITE_ROWS)
def test_no_address_deletes_a_row(model, rows, manager, signed_in):
    row = rows["mine"][model]
    delete = page(row).replace("/change/", "/delete/")
    client = signed_in(manager)

    confirmation = client.get(delete, follow=True)
    sent = client.post(delete, {"post": "yes"}, follow=True)

    assert (confirmation.status_code, sent.status_code) == (404, 404)
    assert MODELS[model].objects.filter(pk=row.pk).exists()


def test_no_address_deletes_a_site_a_person_or_a_term(own_site, manager, signed_in):
    client = signed_in(manager)

    for model, key in (("site", own_site.pk), ("user", manager.pk)):
        answer = client.post(f"/admin/registry/{model}/{key}/delete/", {"post": "yes"}, follow=True)
        assert answer.status_code == 404
    assert Site.objects.filter(pk=own_site.pk).exists()


def test_no_action_deletes_rows(rows, manager, signed_in):
    chosen = [str(rows["mine"]["event"].public_id)]
    sent = {"action": "delete_selected", "_selected_action": chosen, "post": "yes", "index": 0}

    signed_in(manager).post(listing("event"), sent)

    assert Event.objects.filter(pk=rows["mine"]["event"].pk).exists()


def test_the_admins_own_log_stays_empty(rows, reporter, signed_in):
    sent = {"site": "OWN-1", "source_id": "k-new", "sex": "female", "indication": ""}

    signed_in(reporter).post(reverse("admin:registry_patient_add"), sent)

    assert Patient.objects.filter(source_id="k-new").exists()
    assert not LogEntry.objects.exists()


def test_a_history_tells_what_changed_and_by_whom(rows, reporter, signed_in):
    patient = rows["mine"]["patient"]
    client = signed_in(reporter)
    form = client.get(page(patient)).context["adminform"].form
    sent = {name: form[name].value() for name in form.fields if form[name].value() is not None}

    client.post(page(patient), {**sent, "sex": "female", "indication": "stroke"})
    answer = client.get(page(patient, "history"))

    newest, first = answer.context["versions"]
    assert newest.by == "reporter"
    assert {(c.field, c.before, c.after) for c in newest.changes} == {
        ("sex", "Male", "Female"),
        ("indication", "Multiple sclerosis", "Stroke"),
    }
    assert first.action == "Stored"


def test_a_history_shows_seal_numbers_to_reviewers_only(rows, reporter, reviewer, signed_in):
    address = page(rows["mine"]["event"], "history")

    assert "Seal</th>" in signed_in(reviewer).get(address).text
    assert "Seal</th>" not in signed_in(reporter).get(address).text


def test_the_admin_has_no_sign_in_of_its_own(client, db):
    answer = client.get("/admin/login/?next=/admin/")

    assert answer.status_code == 302
    assert answer["Location"] == "/login/?next=/admin/"


@pytest.mark.parametrize("who", ["reporter", "manager"])
def test_a_row_of_a_closed_site_is_only_read(who, rows, own_site, manager, request, signed_in):
    change_site(own_site, name="", country="", active=False, by=manager)
    client = signed_in(request.getfixturevalue(who))

    answer = client.get(page(rows["mine"]["patient"]))

    assert answer.status_code == 200
    assert answer.context["has_change_permission"] is False
    offered = client.get(reverse("admin:registry_patient_add")).context["adminform"].form
    assert "OWN-1" not in dict(offered.fields["site"].choices)


@pytest.mark.parametrize(("who", "may"), [("reporter", False), ("lead", True), ("manager", True)])
def test_declared_device_time_is_changed_by_leads_and_managers(who, may, rows, request, signed_in):
    client = signed_in(request.getfixturevalue(who))

    answer = client.get(page(rows["mine"]["exposure"]))

    assert answer.context["has_change_permission"] is may
