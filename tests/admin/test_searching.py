"""A search term is in no address: it is posted, and the list's address holds a random mark."""

import pytest
from django.urls import reverse

from tests.factories import EventFactory, ImplantFactory

pytestmark = pytest.mark.django_db

LIST = reverse("admin:registry_event_changelist")


@pytest.fixture
def events(own_site):
    return [EventFactory(site=own_site, source_id=key) for key in ("ab-1", "ab-2", "zz-1")]


def found(answer):
    return {event.source_id for event in answer.context["cl"].result_list}


def test_posted_term_finds_rows_and_is_not_in_the_address(events, reporter, signed_in):
    client = signed_in(reporter)

    sent = client.post(f"{LIST}?state=accepted&p=2", {"q": "ab", "search": "Search"})
    shown = client.get(sent.url)

    assert "ab" not in sent.url.partition("?")[2].replace(sent.url.rpartition("~")[2], "")
    assert "state=accepted" in sent.url
    assert "p=2" not in sent.url
    assert found(shown) == {"ab-1", "ab-2"}
    assert 'value="ab"' in shown.text
    assert "q=ab" not in shown.text


def test_empty_term_shows_all_again(events, reporter, signed_in):
    sent = signed_in(reporter).post(f"{LIST}?q=~x", {"q": " ", "search": "Search"})

    assert sent.url == f"{LIST}?"


def test_mark_means_nothing_to_another_session(events, reporter, lead, signed_in):
    sent = signed_in(reporter).post(LIST, {"q": "ab", "search": "Search"})

    assert found(signed_in(lead).get(sent.url)) == {"ab-1", "ab-2", "zz-1"}


def test_search_form_is_posted_with_a_token(events, reporter, signed_in):
    shown = signed_in(reporter).get(LIST).text

    form = shown.partition('id="changelist-search"')[2].partition("</form>")[0]
    assert 'method="post"' in form
    assert "csrfmiddlewaretoken" in form


@pytest.mark.parametrize("kind", ["event", "implant"])
def test_lists_that_are_searched_while_typing_take_the_term_by_post(
    kind, own_site, reporter, signed_in
):
    implant = ImplantFactory(patient__site=own_site, source_id="ab-7")
    EventFactory(implant=implant, source_id="ab-7")
    choices = reverse(f"admin:registry_{kind}_choices")

    answer = signed_in(reporter).post(choices, {"term": "ab", "site": "OWN-1"})

    assert len(answer.json()["results"]) == 1


def test_fields_that_choose_a_row_look_it_up_by_post(own_site, reporter, signed_in):
    page = signed_in(reporter).get(reverse("admin:registry_event_add")).text

    for field in ("implant", "caused_by"):
        tag = page.partition(f'name="{field}"')[2].partition(">")[0]
        assert 'data-ajax--type="POST"' in tag
