"""What each role does first, and where signing in leads."""

import pytest

from registry.vocabulary import Role
from tests.factories import SiteFactory, UserFactory


@pytest.mark.parametrize(
    ("roles", "address"),
    [
        ([Role.SITE_STAFF], "/admin/"),
        ([Role.REVIEWER], "/admin/"),
        ([Role.DATA_MANAGER], "/admin/"),
        ([Role.AUDITOR], "/admin/registry/seal/"),
        ([Role.RESEARCHER], "/dashboard/"),
        ([Role.ANALYST], "/dashboard/"),
        ([Role.AUDITOR, Role.REVIEWER], "/admin/"),
        ([], "/"),
    ],
)
def test_signing_in_leads_each_role_to_its_work(roles, address, client, db):
    UserFactory(username="person", roles=roles)

    answer = client.post("/login/", {"username": "person", "password": "demo"}, follow=True)

    assert answer.redirect_chain[0] == (address, 302)
    assert answer.status_code in {200, 409}  # a dashboard with nothing frozen yet says so


def test_an_address_that_was_asked_for_comes_first(client, db):
    UserFactory(username="person", roles=[Role.REVIEWER])

    answer = client.post(
        "/login/", {"username": "person", "password": "demo", "next": "/dashboard/explore/"}
    )

    assert answer["Location"] == "/dashboard/explore/"


@pytest.mark.parametrize(
    ("role", "words"),
    [
        (Role.SITE_STAFF, {"Enter an event", "Drafts of your site"}),
        (Role.REVIEWER, {"Events to review"}),
        (Role.DATA_MANAGER, {"Events to review", "People", "Sites"}),
        (Role.AUDITOR, {"Seals", "Who looked at what"}),
        (Role.RESEARCHER, {"Explore rates, counts and proportions", "Make a token for scripts"}),
        (Role.ANALYST, {"Explore rates, counts and proportions", "Make a token for scripts"}),
    ],
)
def test_the_start_page_names_what_a_role_does_first(role, words, as_role, db):
    client = as_role(role, sites=[SiteFactory()] if role is Role.SITE_STAFF else ())

    answer = client.get("/")

    assert words <= {task.words for task in answer.context["tasks"]}
    for task in answer.context["tasks"]:
        assert client.get(task.address).status_code in {200, 409}


def test_whoever_has_no_role_is_told_whom_to_ask(as_role, db):
    assert "Your account has no role yet." in as_role().get("/").text


def test_strangers_are_given_no_tasks(client, db):
    html = client.get("/").text

    assert "What you do here first" not in html
    assert "no role yet" not in html
