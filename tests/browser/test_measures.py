"""Every tab, and forms that are sent as they stand, in a real browser."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_pages import sign_in
from tests.questions import CODES, EXACT, PROTECTED

pytestmark = [pytest.mark.browser, pytest.mark.django_db]

EXPLORE = "/dashboard/explore/"
STATISTICS = "/admin/statistics/"


@pytest.fixture
def page(chromium: Browser, served: str) -> Any:
    context = chromium.new_context(base_url=served)
    context.route("**/api/**", lambda route: route.abort())  # pictures are tested elsewhere
    yield context.new_page()
    context.close()


def question_of(address: str) -> dict[str, list[str]]:
    """The parameters of an address, blank ones too."""
    return parse_qs(urlsplit(address).query, keep_blank_values=True)


def refusal_of(page: Page) -> str:
    """What the page says of a question that it turned away; empty where it answered."""
    alerts = page.locator("[role=alert], .note.error, .note.warning").all_inner_texts()
    return " ".join(alerts)


def opened(page: Page, address: str) -> int:
    reply = page.goto(address, wait_until="domcontentloaded")
    assert reply is not None
    return reply.status


@pytest.mark.parametrize("name", ["reviewer", "researcher"])
def test_every_tab_can_be_clicked(name, page):
    """From one question; tests/dashboard/test_tabs.py follows them from every one."""
    sign_in(page, name)
    opened(page, EXPLORE)
    tabs = page.get_by_role("navigation", name="Measures").get_by_role("link")
    reached = []
    for label in tabs.all_inner_texts():
        with page.expect_navigation(wait_until="domcontentloaded") as reply:
            tabs.get_by_text(label, exact=True).click()
        assert reply.value.status == 200, refusal_of(page)
        reached.append(question_of(page.url)["measure"][0])

    assert reached == list(CODES.values() if name == "reviewer" else map(CODES.get, PROTECTED))


SENT = {
    "reviewer": [
        *(f"measure={CODES[start]}&{options}" for start, options in EXACT.items()),
        "measure=counts&drug=gabab-agonist,morphine&serious=yes&site=OWN-1",
        "measure=counts&complication=infection,catheter-migration&severity=3,not-recorded",
        "measure=rates&release=2026Q4&window=0-3,4-12&group_by=window&year_max=2024",
        "measure=survival&implant_year=2015,2016&counting=first_event",
        "measure=trend&group_by=year&labels=both",
    ],
    "researcher": [
        *(f"measure={CODES[start]}&{options}" for start, options in PROTECTED.items()),
        "measure=rates&unit=pump-months&group_by=category",
        "measure=funnel&standardise=age_band",
        "measure=rates&year_min=2015&year_max=2018",
        "measure=counts&counting=events&detection=unknown",
    ],
}
"""Questions that their askers may put, answered or not."""


def send(page: Page) -> None:
    page.locator("details.filters").first.evaluate("each => { each.open = true }")
    with page.expect_navigation(wait_until="commit"):
        page.get_by_role("button", name="Show").click()


def spelled(address: str) -> dict[str, set[str]]:
    """The parameters of an address, whichever order their values stand in."""
    return {
        name: {part for text in texts for part in text.split(",")}
        for name, texts in question_of(address).items()
    }


@pytest.mark.parametrize("name", SENT)
def test_a_form_that_is_sent_as_it_stands_asks_the_same(name, page):
    sign_in(page, name)
    changed = []
    for question in SENT[name]:
        address = f"{EXPLORE}?{question}"
        opened(page, address)
        send(page)
        if spelled(page.url) != spelled(address):
            changed.append((question, urlsplit(page.url).query))

    assert changed == []


@pytest.mark.parametrize(
    ("room", "question", "sent"),
    [
        (EXPLORE, "", {"measure": {"rates"}, "group_by": {"category"}}),
        (STATISTICS, "", {"measure": {"rates"}, "group_by": {"category"}}),
        ("/dashboard/", "", {}),
        ("/dashboard/", "level=0.9&category=catheter&release=2026Q4",
            {"level": {"0.90"}, "category": {"catheter"}, "release": {"2026Q4"}}),
        (EXPLORE, "measure=counts&serious=true", {"measure": {"counts"}, "serious": {"yes"}}),
    ],
)  # fmt: skip
def test_a_form_of_what_was_not_said_names_what_was_answered(room, question, sent, page):
    sign_in(page, "reviewer")
    opened(page, f"{room}?{question}" if question else room)
    send(page)

    assert spelled(page.url) == sent


def test_another_measure_in_the_form_leaves_out_what_it_does_not_take(page):
    sign_in(page, "reviewer")
    opened(page, f"{EXPLORE}?measure=rates&{EXACT['Rates']}")
    page.get_by_text("Choose what is counted, and how").click()
    page.get_by_label("Measure", exact=True).select_option("survival")
    with page.expect_navigation() as reply:
        page.get_by_role("button", name="Show").click()

    assert reply.value.status == 200
    assert spelled(page.url) == {"measure": {"survival"}, "level": {"0.99"}, "labels": {"code"}}


def test_a_refused_option_is_gone_once_the_form_is_sent(page):
    sign_in(page, "reviewer")
    assert opened(page, f"{EXPLORE}?measure=survival&per=100&level=0.99") == 400
    expect(
        page.get_by_text("It is an option of rates, comparison, funnel and trend.")
    ).to_be_visible()
    with page.expect_navigation() as reply:
        page.get_by_role("button", name="Show").click()

    assert reply.value.status == 200
    assert spelled(page.url) == {"measure": {"survival"}, "level": {"0.99"}}
