"""The page on which researchers ask for agreements, from the question to the exact answer."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from registry.answers.asking import Refused
from registry.models import Agreement
from registry.records import AGREEMENT_PATH, Fault, NoSnapshot
from registry.vocabulary import Role
from tests.factories import AgreementFactory, UserFactory

BACKEND = "django.contrib.auth.backends.ModelBackend"
TOO_FINE = "/dashboard/explore/?measure=counts&group_by=implant_year"


def in_days(days):
    return timezone.now().date() + timedelta(days=days)


def said(**given):
    return {
        "reference": "DUA-7",
        "purpose": "Catheter survival by model.",
        "answerable": "Dr Meier, Bern",
        "expires_on": str(in_days(200)),
    } | given


def client_of(user):
    client = Client()
    client.force_login(user, backend=BACKEND)
    return client


@pytest.fixture
def researcher(db):
    return UserFactory(username="ann", roles=[Role.RESEARCHER], is_staff=False)


@pytest.fixture
def own(researcher):
    return client_of(researcher)


def test_from_a_question_that_is_too_fine_to_its_exact_answer(own, researcher, released):
    refused = own.get(TOO_FINE)
    assert refused.status_code == 422
    assert '<a href="/agreement/">ask for one</a>' in refused.text

    asked = own.post("/agreement/", said(), follow=True)
    assert "Your request is with the data managers." in asked.text
    assert [one.standing for one in asked.context["requests"]] == ["Asked for"]
    again = own.get(TOO_FINE)
    assert again.status_code == 422
    assert '<a href="/agreement/">your request</a> waits for a data manager' in again.text
    assert "ask for one" not in again.text

    manager = client_of(UserFactory(roles=[Role.DATA_MANAGER]))
    row = Agreement.objects.get()
    manager.post(
        f"/admin/registry/agreement/{row.public_id}/grant/", {"expires_on": str(in_days(20))}
    )
    assert "/login/" in own.get(TOO_FINE)["Location"]  # with another role one signs in anew

    own = client_of(type(researcher).objects.get(pk=researcher.pk))
    answer = own.get(TOO_FINE)
    assert answer.status_code == 200
    last = f"{in_days(20).day} {in_days(20):%B %Y}"
    rule = f"Under agreement DUA-7, until {last}: nothing under 5 in print"
    assert answer.text.count(rule) == 1
    assert f"Your agreement DUA-7 ends on {last}" in answer.text
    listed = own.get("/agreement/")
    assert [one.standing for one in listed.context["requests"]] == ["Granted"]

    own.post(f"/agreement/{row.public_id}/renew/", said(), follow=True)
    assert "Your request to renew it waits for a data manager." in own.get("/dashboard/").text


@pytest.mark.parametrize("role", [Role.RESEARCHER, Role.ANALYST])
def test_researchers_and_analysts_have_the_page(role, as_role, db):
    assert as_role(role).get("/agreement/").status_code == 200


@pytest.mark.parametrize(
    "roles", [[], [Role.SITE_STAFF], [Role.REVIEWER], [Role.DATA_MANAGER], [Role.AUDITOR]]
)
@pytest.mark.parametrize("path", ["", "{}/renew/", "{}/withdraw/"])
def test_others_have_no_such_page(roles, path, as_role, db):
    row = AgreementFactory(expires_on=in_days(9))
    client = as_role(*roles)

    assert client.post(f"/agreement/{path.format(row.public_id)}", said()).status_code == 403
    assert Agreement.objects.count() == 1


@pytest.mark.parametrize("path", ["", "{}/renew/", "{}/withdraw/"])
def test_strangers_are_led_to_sign_in(path, client, db):
    row = AgreementFactory(expires_on=in_days(9))
    address = f"/agreement/{path.format(row.public_id)}"

    assert client.post(address)["Location"] == f"/login/?next={address}"


@pytest.mark.parametrize("path", ["renew", "withdraw"])
def test_another_researchers_agreement_is_not_found(path, own):
    row = AgreementFactory(decision="", expires_on=in_days(9))

    assert own.post(f"/agreement/{row.public_id}/{path}/", said()).status_code == 404
    assert row.reference not in own.get("/agreement/").text


@pytest.mark.parametrize(
    "given",
    [
        {"reference": "x", "purpose": "Short", "answerable": "", "expires_on": "2020-01-01"},
        {"reference": "", "purpose": "x" * 301, "answerable": "y", "expires_on": ""},
        {},
        {"reference": "x" * 41, "purpose": "", "answerable": "z" * 121, "expires_on": "soon"},
    ],
)
def test_all_that_is_wrong_is_told_at_once(given, own):
    errors = own.post("/agreement/", given).context["form"].errors

    assert {name: len(each) for name, each in errors.items()} == dict.fromkeys(said(), 1)
    assert not Agreement.objects.exists()


def test_nothing_at_all_is_told_to_be_filled_in(own):
    errors = own.post("/agreement/", {}).context["form"].errors

    assert errors.keys() == said().keys()


def test_the_last_day_can_be_chosen_within_three_years(own):
    answer = own.get("/agreement/")

    assert f'min="{in_days(1)}"' in answer.text
    assert f'max="{in_days(3 * 366)}"' in answer.text


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("reference", ""),
        ("reference", "x"),
        ("reference", "x" * 41),
        ("purpose", "Short"),
        ("purpose", "x" * 301),
        ("answerable", ""),
        ("expires_on", "soon"),
        ("expires_on", "2020-01-01"),
    ],
)
def test_what_is_wrong_stands_at_its_field(name, given, own):
    answer = own.post("/agreement/", said(**{name: given}))

    assert set(answer.context["form"].errors) == {name}
    assert not Agreement.objects.exists()


def test_the_form_warns_not_to_name_patients(own):
    assert "never about a patient: no names, dates or case histories" in own.get("/agreement/").text


def test_a_request_is_withdrawn_until_it_is_decided(own, researcher):
    row = AgreementFactory(user=researcher, decision="", expires_on=in_days(9))
    address = f"/agreement/{row.public_id}/withdraw/"
    assert address in own.get("/agreement/").text
    assert own.get(address).status_code == 405

    first = own.post(address, follow=True)
    again = own.post(address, follow=True)

    row.refresh_from_db()
    assert row.decision == "withdrawn"
    assert "Your request is withdrawn." in first.text
    assert "It is decided already." in again.text
    assert address not in again.text


@pytest.mark.parametrize(
    ("given", "standing", "words"),
    [
        ({"decision": ""}, "Asked for", "Last day"),
        ({"decision": "first-grant"}, "Granted once", "once a second has confirmed it"),
        ({"decision": "declined", "reason": "Too broad a question"}, "Declined", "Too broad"),
        ({"decision": "ended", "reason": "The study is over"}, "Ended early", "study is over"),
        ({"expires_on": in_days(-1)}, "Expired", "Last day"),
    ],
)
def test_every_standing_is_shown(given, standing, words, own, researcher):
    AgreementFactory(**{"user": researcher, "expires_on": in_days(99)} | given)

    page = own.get("/agreement/")

    assert [one.standing for one in page.context["requests"]] == [standing]
    assert words in page.text


def test_page_says_how_many_decide(own, settings):
    assert "A data manager decides." in own.get("/agreement/").text
    settings.REGISTRY_AGREEMENT_SECOND_PERSON = True
    assert "Two data managers decide" in own.get("/agreement/").text


def test_renewal_starts_from_what_was_said(own, researcher):
    held = AgreementFactory(user=researcher, reference="DUA-7", expires_on=in_days(99))
    address = f"/agreement/{held.public_id}/renew/"
    assert address in own.get("/agreement/").text

    page = own.get(address)
    answer = own.post(address, said(purpose=""))

    assert 'value="DUA-7"' in page.text
    assert set(answer.context["form"].errors) == {"purpose"}
    own.post(address, said())
    assert Agreement.objects.get(renews=held).decision == ""
    assert address not in own.get("/agreement/").text


def test_what_no_longer_holds_is_not_renewed(own, researcher):
    row = AgreementFactory(user=researcher, expires_on=in_days(-1))

    page = own.get(f"/agreement/{row.public_id}/renew/", follow=True)

    assert "This agreement cannot be renewed: ask for a new one." in page.text


@pytest.mark.parametrize(("days", "shown"), [(30, True), (31, False), (0, True), (-1, False)])
@pytest.mark.parametrize("path", ["/", "/tokens/", "/agreement/", "/dashboard/"])
def test_notice_stands_on_every_page_from_thirty_days_before(path, days, shown, own, researcher):
    AgreementFactory(user=researcher, reference="DUA-7", expires_on=in_days(days))

    assert ("Your agreement DUA-7 ends on" in own.get(path).text) is shown


def test_notice_is_for_the_researcher_alone(as_role, researcher):
    AgreementFactory(user=researcher, reference="DUA-7", expires_on=in_days(3))

    assert "DUA-7" not in as_role(Role.RESEARCHER).get("/").text


def test_the_dashboard_leads_researchers_to_the_page(own, as_role, released):
    link = '<a href="/agreement/">Agreement</a>'

    assert link in own.get("/dashboard/").text
    assert link not in as_role(Role.REVIEWER).get("/dashboard/").text


def test_members_of_a_site_are_told_who_asks(as_role, site, released):
    page = as_role(Role.SITE_STAFF, sites=[site]).get(TOO_FINE)

    assert page.status_code == 422
    assert "ask your registry's data manager for that role" in page.text
    assert 'href="/agreement/"' not in page.text


@pytest.mark.parametrize("path", ["/dashboard/", "/complications/catheter-migration/"])
def test_exact_pages_under_an_agreement_say_so_once(path, as_role, released):
    rule = "nothing under 5 in print"
    user = UserFactory(roles=[Role.ANALYST])
    AgreementFactory(user=user, expires_on=in_days(99))

    assert client_of(user).get(path).text.count(rule) == 1
    assert rule not in as_role(Role.REVIEWER).get(path).text


def test_address_that_refusals_and_reminders_name_is_that_of_the_page():
    assert reverse("agreement") == AGREEMENT_PATH


def test_refused_page_leads_to_the_agreement_once(as_role, released):
    text = as_role(Role.RESEARCHER).get(TOO_FINE).text
    notice = text[text.index('<div class="notice') :]
    notice = notice[: notice.index("</div>")]

    assert "For more, ask for an agreement" not in notice
    assert notice.count("/agreement/") == 1


def test_few_sites_are_not_said_to_have_published_nothing():
    fault = Fault("release", "too-few-sites", "Protected answers need three sites.")

    assert Refused.because(NoSnapshot(fault)).heading == "Nothing can be published of so few sites"
    assert Refused.because(NoSnapshot(Fault("release", "no-snapshot", "x"))).heading == (
        "No data are published yet"
    )
