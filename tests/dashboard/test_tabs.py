"""Every measure's tab leads from every question to an answer."""

import re
from html import unescape

import pytest
from django.test import Client, RequestFactory

from registry import reporting
from registry.answers import answered
from registry.answers.sides import page_of
from registry.models import User
from registry.vocabulary import Measure
from tests.kept_rows import kept_rows, snapshots_in
from tests.questions import CODES, EXACT, PROTECTED
from tests.small_registry import fill

EXPLORE = "/dashboard/explore/"
STATISTICS = "/admin/statistics/"
NAVIGATION = re.compile(r'<nav[^>]*aria-label="Measures".*?</nav>', re.DOTALL)
LINK = re.compile(r'<a[^>]*\bhref="([^"]+)"')


@pytest.fixture(scope="module")
def kept_small_registry(django_db_setup, django_db_blocker, tmp_path_factory):
    folder = tmp_path_factory.mktemp("small")
    with kept_rows(django_db_blocker), snapshots_in(folder):
        fill()
        yield folder


@pytest.fixture
def asker(kept_small_registry, settings, db):
    """Signs somebody of the small registry in."""
    settings.REGISTRY_VAR = kept_small_registry

    def signed_in(name: str) -> User:
        return User.objects.get(username=name)

    return signed_in


@pytest.fixture(scope="module")
def refusals_told():
    """What each page said that somebody opened, by who it was and the address."""
    return {}


def refusals_of(address: str, user: User) -> list[str] | None:
    """What the page at an address refuses; None where it answers."""
    request = RequestFactory().get(address)
    request.user = user
    beside = address.startswith(STATISTICS)
    page = page_of(request, reporting.viewer_of(user), beside=beside)
    if page["status"] == 200:
        return None
    refused = [page.get("refusal"), *(side.reply.refused for side in page["sides"])]
    return [str(each) for each in refused if each]


def tabs_of(page: str) -> list[str]:
    """The addresses of a page's tabs, whole."""
    found = NAVIGATION.search(page)
    assert found is not None
    return [unescape(address) for address in LINK.findall(found.group())]


@pytest.mark.parametrize(
    ("name", "room", "questions", "start"),
    [
        *(("reviewer", EXPLORE, EXACT, start) for start in ("", *EXACT)),
        *(("reporter", STATISTICS, EXACT, start) for start in ("", "Funnel")),
        *(("reporter", EXPLORE, EXACT, start) for start in ("", "Signals")),
        *(("researcher", EXPLORE, PROTECTED, start) for start in ("", *PROTECTED)),
    ],
)
def test_every_tab_answers_from_every_question(
    name, room, questions, start, asker, refusals_told, monkeypatch
):
    user = asker(name)
    client = Client()
    client.force_login(user)
    address = f"{room}?measure={CODES[start]}&{questions[start]}" if start else room
    opened = client.get(address)
    assert opened.status_code == 200
    # Whether the others answer is asked; their tables and pictures are for other tests.
    monkeypatch.setattr(answered, "answered", lambda release, question, absolute: release)

    tabs = tabs_of(opened.content.decode())

    assert len(tabs) == (len(PROTECTED) if name == "researcher" else len(Measure))
    refused = {}
    for tab in tabs:
        page = name, tab if tab.startswith("/") else f"{room}{tab}"
        if page not in refusals_told:
            refusals_told[page] = refusals_of(page[1], user)
        refused[tab] = refusals_told[page]
    assert {tab: said for tab, said in refused.items() if said is not None} == {}
