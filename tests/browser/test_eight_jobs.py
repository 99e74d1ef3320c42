"""Eight jobs of readers, clicked from the first page after signing in: at most five clicks each."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.test_pages import clicked, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db]

MOST = 5
Steps = Callable[[Page], list[Locator]]


def dashboard(page: Page) -> Locator:
    return page.get_by_role("link", name="Dashboard", exact=True)


def what_goes_wrong_most(page: Page) -> list[Locator]:
    return [dashboard(page)]


def one_complication(page: Page) -> list[Locator]:
    others = page.get_by_text("The others: less frequent")
    return [dashboard(page), others, page.get_by_role("link", name="Catheter dislodgement")]


def a_filtered_rate(page: Page) -> list[Locator]:
    category = page.get_by_label("Complication category", exact=True)
    return [
        dashboard(page),
        page.get_by_text("Choose what is counted"),
        category.get_by_text("Catheter problem"),
        page.get_by_role("button", name="Show"),
    ]


def a_model(page: Page) -> list[Locator]:
    return [
        dashboard(page),
        page.get_by_role("link", name="Products"),
        page.get_by_role("link", name="SynchroMed II, 20 mL").first,
    ]


def how_it_changes(page: Page) -> list[Locator]:
    explore = page.get_by_role("link", name="Explore", exact=True)
    trend = page.get_by_role("navigation", name="Measures").get_by_role("link", name="Trend")
    return [dashboard(page), explore, trend]


def how_my_site_compares(page: Page) -> list[Locator]:
    return [dashboard(page), page.get_by_text("All sites as a funnel")]


def a_yearly_report(page: Page) -> list[Locator]:
    return [dashboard(page), page.get_by_role("link", name="Report", exact=True)]


def a_permanent_page(page: Page) -> list[Locator]:
    return [
        dashboard(page),
        page.get_by_role("link", name="Explore", exact=True),
        page.get_by_text("Cite this answer"),
        page.get_by_role("button", name="Make its permanent page"),
    ]


JOBS: dict[Steps, tuple[str, str, str]] = {
    what_goes_wrong_most: ("reviewer", "heading", "What goes wrong most"),
    one_complication: ("reviewer", "heading", "How often in this registry"),
    a_filtered_rate: ("reviewer", "heading", "How often complications happen"),
    a_model: ("researcher", "heading", "Free of pump problems"),
    how_it_changes: ("reviewer", "heading", "Explore"),
    how_my_site_compares: ("reporter", "heading", "Your site among all"),
    a_yearly_report: ("researcher", "heading", "Errata"),
    a_permanent_page: ("researcher", "link", "BibTeX"),
}
"""Each job, with who does it, and what stands on the page that it ends on."""


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.__name__)
def test_a_job_takes_at_most_five_clicks(job, plain_page):
    name, role, seen = JOBS[job]
    sign_in(plain_page, name)
    plain_page.goto("/")

    clicks = clicked(job(plain_page))

    assert clicks <= MOST
    expect(plain_page.get_by_role(role, name=seen).first).to_be_visible()


def test_a_refused_question_is_one_click_from_one_that_is_answered(plain_page):
    sign_in(plain_page, "researcher")
    plain_page.goto("/dashboard/explore/?category=catheter&drug=baclofen&group_by=catheter_model")
    refusal = plain_page.get_by_role("alert")
    expect(refusal.get_by_role("link", name="ask for one")).to_be_visible()

    refusal.get_by_role("link", name="Without catheter model").click()

    assert "category=catheter" in plain_page.url
    assert "drug=baclofen" in plain_page.url
    expect(plain_page.get_by_role("table")).to_be_visible()
