"""Agreements in the admin: requests recorded, granted, confirmed, declined and ended."""

from datetime import timedelta

import pytest
from django.utils import timezone

from registry.models import Agreement
from registry.vocabulary import Role
from tests.factories import AgreementFactory, UserFactory

LIST = "/admin/registry/agreement/"


def in_days(days):
    return timezone.now().date() + timedelta(days=days)


@pytest.fixture
def researcher(db):
    return UserFactory(username="ann", roles=[Role.RESEARCHER], is_staff=False)


@pytest.fixture
def request_of(researcher):
    return AgreementFactory(
        user=researcher, reference="DUA-7", decision="", expires_on=in_days(200)
    )


@pytest.fixture
def second(db):
    return UserFactory(username="second", roles=[Role.DATA_MANAGER])


def address(row, what="change"):
    return f"{LIST}{row.public_id}/{what}/"


def test_a_request_is_recorded_under_a_seal_and_not_granted_with_it(manager, researcher, signed_in):
    sent = {
        "user": researcher.pk,
        "reference": "DUA-7",
        "purpose": "Catheter survival",
        "answerable": "Dr Meier, Bern",
        "expires_on": str(in_days(300)),
    }

    answer = signed_in(manager).post(f"{LIST}add/", sent)

    stored = Agreement.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, LIST)
    assert (stored.user, stored.decision) == (researcher, "")
    assert stored.history.get().history_user == manager


def test_what_intake_refuses_stands_at_its_field(manager, reviewer, signed_in):
    sent = {
        "user": reviewer.pk,
        "reference": "DUA-7",
        "purpose": "Catheters",
        "answerable": "Dr Meier, Bern",
        "expires_on": str(in_days(0)),
    }

    answer = signed_in(manager).post(f"{LIST}add/", sent)

    errors = answer.context["adminform"].form.errors
    assert set(errors) == {"user", "purpose", "expires_on"}
    sent |= {"user": UserFactory(roles=[Role.RESEARCHER]).pk, "purpose": "Catheter survival"}
    answer = signed_in(manager).post(f"{LIST}add/", sent)
    assert set(answer.context["adminform"].form.errors) == {"expires_on"}
    assert not Agreement.objects.exists()


def test_a_stored_agreement_is_changed_by_decisions_alone(manager, request_of, signed_in):
    client = signed_in(manager)

    page = client.get(address(request_of))

    assert 'name="reference"' not in page.text
    assert [one.name for one in page.context["decisions"]] == ["grant", "decline"]
    assert client.post(address(request_of), {"reference": "DUA-8"}).status_code == 403


def test_granting_offers_the_day_asked_for_and_takes_an_earlier_one(manager, request_of, signed_in):
    client = signed_in(manager)
    page = client.get(address(request_of, "grant"))
    assert f'value="{in_days(200)}"' in page.text

    answer = client.post(
        address(request_of, "grant"), {"expires_on": str(in_days(50))}, follow=True
    )

    request_of.refresh_from_db()
    assert (request_of.decision, request_of.expires_on) == ("granted", in_days(50))
    assert request_of.granted_by == manager
    assert "is granted." in answer.text
    assert [one.name for one in answer.context["decisions"]] == ["end"]


@pytest.mark.parametrize("day", ["", "soon", 201])
def test_granting_refuses_a_wrong_day_at_its_field(manager, request_of, signed_in, day):
    sent = {"expires_on": str(in_days(day)) if isinstance(day, int) else day}

    answer = signed_in(manager).post(address(request_of, "grant"), sent)

    assert set(answer.context["form"].errors) == {"expires_on"}
    request_of.refresh_from_db()
    assert request_of.decision == ""


def test_a_second_data_manager_confirms(manager, second, request_of, signed_in, settings):
    settings.REGISTRY_AGREEMENT_SECOND_PERSON = True
    sent = {"expires_on": str(in_days(200))}

    first = signed_in(manager).post(address(request_of, "grant"), sent, follow=True)

    assert "granted once; another data manager confirms it" in first.text
    assert "nobody grants their own, or grants twice" in first.text
    assert [one.name for one in first.context["decisions"]] == ["decline"]
    refused = signed_in(manager).post(address(request_of, "confirm"))
    assert "Somebody else than who granted it confirms it." in refused.text
    signed_in(second).post(address(request_of, "confirm"))
    request_of.refresh_from_db()
    assert (request_of.decision, request_of.confirmed_by) == ("granted", second)


@pytest.mark.parametrize(
    ("name", "decision", "after"), [("decline", "", "declined"), ("end", "granted", "ended")]
)
def test_declining_and_ending_need_a_reason(manager, researcher, signed_in, name, decision, after):
    row = AgreementFactory(user=researcher, decision=decision, expires_on=in_days(9))
    client = signed_in(manager)

    assert set(client.post(address(row, name)).context["form"].errors) == {"reason"}
    client.post(address(row, name), {"reason": "The protocol has lapsed"})

    row.refresh_from_db()
    assert (row.decision, row.reason) == (after, "The protocol has lapsed")


def test_nobody_decides_on_their_own(signed_in, db):
    both = UserFactory(roles=[Role.DATA_MANAGER, Role.RESEARCHER])
    own = AgreementFactory(user=both, decision="", expires_on=in_days(9))
    client = signed_in(both)

    page = client.get(address(own))
    answer = client.post(address(own, "grant"), {"expires_on": str(in_days(9))})

    assert page.context["decisions"] == []
    assert "Nobody decides on an agreement of their own" in answer.text
    own.refresh_from_db()
    assert own.decision == ""


@pytest.mark.parametrize("who", ["reporter", "lead", "reviewer", "auditor"])
@pytest.mark.parametrize("name", ["grant", "confirm", "decline", "end"])
def test_others_decide_nothing(who, name, request, request_of, signed_in):
    client = signed_in(request.getfixturevalue(who))

    assert client.get(address(request_of, name)).status_code == 403
    assert client.post(address(request_of, name)).status_code == 403


def test_an_agreement_that_is_not_there_is_not_found(manager, signed_in):
    unknown = AgreementFactory.build(expires_on=in_days(9))

    assert signed_in(manager).get(address(unknown, "grant")).status_code == 404


@pytest.mark.parametrize(
    ("standing", "found"),
    [
        ("waiting", {"fresh", "own-none", "once"}),
        ("undecided", {"fresh", "own", "once", "own-none"}),
        ("current", {"holds"}),
        ("expired", {"expired"}),
        ("declined", {"declined"}),
        ("withdrawn", set()),
    ],
)
def test_the_list_is_narrowed_by_where_they_stand(manager, second, signed_in, standing, found):
    for reference, given in {
        "fresh": {"decision": ""},
        "own": {"decision": "", "user": manager},
        "once": {"decision": "first-grant", "granted_by": second},
        "own-none": {"decision": ""},
        "holds": {},
        "expired": {"expires_on": in_days(-1)},
        "declined": {"decision": "declined", "reason": "Told"},
    }.items():
        AgreementFactory(**{"reference": reference, "expires_on": in_days(9)} | given)

    page = signed_in(manager).get(f"{LIST}?standing={standing}")

    assert {row.reference for row in page.context["cl"].queryset} == found


def test_the_start_page_counts_what_waits_for_a_data_manager(
    manager, reviewer, request_of, signed_in
):
    words = "request for an agreement"

    waiting = signed_in(manager).get("/admin/").context["waiting"]

    assert [(one.number, one.address) for one in waiting if one.words == words] == [
        (1, f"{LIST}?standing=waiting")
    ]
    assert words not in {one.words for one in signed_in(reviewer).get("/admin/").context["waiting"]}
