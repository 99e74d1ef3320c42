"""What is told where the cluster that sums over snapshots does not answer."""

import sys

import pytest
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.test import Client

from registry.admin.busy import BusyPages
from registry.records import EngineAway, Fault
from registry.snapshot import shelf
from registry.snapshot.spark import SAID

pytestmark = pytest.mark.usefixtures("own_folder")

QUESTION = "/api/v1/statistics/counts/?group_by=complication"


@pytest.fixture
def _away(settings):
    """A cluster whose master is away."""
    settings.REGISTRY_ENGINE = "spark://127.0.0.1:1"
    shelf.forget_open()
    yield
    shelf.forget_open()


@pytest.mark.usefixtures("_away")
def test_question_is_a_problem_that_says_when_to_ask_again(reviewer):
    reply = reviewer.get(QUESTION)

    problem = reply.json()
    assert (reply.status_code, reply["Content-Type"]) == (503, "application/problem+json")
    assert reply["Retry-After"] == "5"
    assert problem["code"] == "engine-away"
    assert [fault["code"] for fault in problem["errors"]] == ["away"]
    assert "127.0.0.1" not in reply.content.decode()


@pytest.mark.usefixtures("_away")
def test_so_it_is_where_pyspark_is_not_installed(reviewer, monkeypatch):
    for name in ("pyspark", "pyspark.sql"):
        monkeypatch.setitem(sys.modules, name, None)

    assert [fault["code"] for fault in reviewer.get(QUESTION).json()["errors"]] == ["away"]


def test_question_that_was_answered_before_is_answered_all_the_same(reviewer, settings):
    before = reviewer.get(QUESTION)
    settings.REGISTRY_ENGINE = "spark://127.0.0.1:1"
    shelf.forget_open()

    try:
        after = reviewer.get(QUESTION)
    finally:
        shelf.forget_open()

    assert (after.status_code, after.json()["rows"]) == (200, before.json()["rows"])
    cache.clear()


@pytest.mark.usefixtures("_away")
def test_page_says_it_in_words(reviewer, registry):
    client = Client()
    client.force_login(registry.reviewer)

    page = client.get("/dashboard/explore/")

    assert page.status_code == 503
    assert "The cluster that answers statistics does not answer." in page.content.decode()


@pytest.mark.usefixtures("_away")
def test_entry_goes_on(reviewer):
    assert reviewer.get("/api/v1/events/").status_code == 200


def test_page_that_has_no_place_for_it_gives_way_to_one_that_says_it():
    refusal = EngineAway(Fault("", "lost", SAID["lost"]))

    page = BusyPages(lambda request: HttpResponse()).process_exception(HttpRequest(), refusal)

    assert (page.status_code, page["Retry-After"]) == (503, "5")
    assert f"{SAID['lost']} Reports can be entered and read as always." in page.content.decode()
