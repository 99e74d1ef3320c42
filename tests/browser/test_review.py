"""Review, files, one-time codes and the auditor's pages in a real browser."""

import pytest
from playwright.sync_api import Page, expect

from registry.models import Event
from tests.browser.test_pages import DESK, faults_at, faults_of, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db]

QUEUE = "/admin/registry/event/?queue=to-review"
HEADER = "site,source_id,implant,complication,year,months_since_implant,severity,seriousness"
ROW = "OWN-1,{key},,catheter-kink,{year},,3,none,recovered,ascenda"


def file_of(name: str, *, year: str = "2019") -> dict:
    """A file of one event, as a person would choose it."""
    text = f"{HEADER},outcome,component_model\n{ROW.format(key='e-fle', year=year)}\n"
    return {"name": f"{name}.csv", "mimeType": "text/csv", "buffer": text.encode()}


def step_on(page: Page, step: str) -> None:
    page.goto(QUEUE)
    page.get_by_role("link", name="e-snt").click()
    page.get_by_role("link", name=step).click()


def test_an_event_is_accepted_by_its_button(page):
    sign_in(page, "reviewer")
    page.goto("/admin/")
    page.get_by_role("link", name="1 event to review").click()
    page.get_by_role("link", name="e-snt").click()
    assert faults_of(page) == []

    accept = page.get_by_role("button", name="Accept", exact=True)
    accept.focus()
    page.keyboard.press("Enter")

    expect(page.locator(".messagelist")).to_contain_text("e-snt is accepted.")
    expect(page.get_by_role("link", name="Reopen…")).to_be_visible()
    expect(accept).to_have_count(0)
    assert Event.objects.get(source_id="e-snt").state == "accepted"
    assert page.evaluate("window.refused") == []


def test_an_event_is_read_in_one_screen_of_a_desk(page):
    sign_in(page, "reviewer")
    page.set_viewport_size(DESK)
    page.goto(QUEUE)
    page.get_by_role("link", name="e-snt").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("View event")

    assert page.evaluate("document.documentElement.scrollHeight") <= DESK["height"]
    expect(page.get_by_role("link", name="Close")).to_be_in_viewport()
    expect(page.locator(".field-organism")).to_be_hidden()
    page.get_by_text("Not recorded: ").click()
    expect(page.locator(".field-organism")).to_be_visible()


def test_an_event_is_accepted_without_script(plain_page):
    page = plain_page
    page.goto("/login/")
    page.get_by_label("User name").fill("reviewer")
    page.get_by_label("Password").fill("demo")
    page.get_by_role("button", name="Sign in").click()
    page.goto(QUEUE)
    page.get_by_role("link", name="e-snt").click()
    page.get_by_role("button", name="Accept", exact=True).click()

    expect(page.locator(".messagelist")).to_contain_text("e-snt is accepted.")


@pytest.mark.parametrize("step", ["Reject…", "Mark as duplicate…", "Recode…"])
def test_what_a_step_asks_is_clean_also_where_nothing_was_answered(step, page):
    sign_in(page, "reviewer")
    step_on(page, step)
    faults = faults_of(page)

    page.get_by_role("button", name=step.removesuffix("…")).click()

    expect(page.get_by_role("alert").first).to_contain_text("Choose")
    assert faults == []
    assert faults_of(page) == []


def test_an_event_is_rejected_from_the_list(page):
    sign_in(page, "reviewer")
    page.goto(QUEUE)
    page.get_by_label("Select e-snt").check()
    page.get_by_label("Action:").select_option(label="Reject the chosen events")
    page.get_by_role("button", name="Go").click()
    page.get_by_label("Not an event").check()
    page.get_by_role("button", name="Reject").click()

    expect(page.locator(".messagelist")).to_contain_text("e-snt is rejected.")


def test_files_are_checked_and_stored_without_choosing_them_twice(page):
    sign_in(page, "reporter")
    page.goto("/admin/upload/")
    page.get_by_label("Events").set_input_files(file_of("events", year="1850"))
    page.get_by_role("button", name="Check the files").click()
    expect(page.get_by_role("heading", name="1 fault: nothing was stored")).to_be_visible()
    faulty = faults_of(page)

    page.get_by_label("Events").set_input_files(file_of("events"))
    page.get_by_role("button", name="Check the files").click()
    expect(page.get_by_role("heading", name="No faults found")).to_be_visible()
    clean = faults_of(page)
    page.get_by_role("button", name="Store the rows").click()

    expect(page.locator(".messagelist")).to_contain_text("Stored. Events: 1 new")
    assert (faulty, clean) == ([], [])
    assert Event.objects.get(source_id="e-fle").state == "submitted"


def test_the_secret_of_a_code_generator_is_shown_on_a_clean_page(page):
    sign_in(page, "reporter")
    page.goto("/one-time-code/")
    page.get_by_label("Your password").fill("demo")
    page.get_by_role("button", name="Add a code generator").click()

    expect(page.locator("code.secret")).to_be_visible()
    assert faults_of(page) == []


@pytest.mark.parametrize(
    ("name", "addresses"),
    [
        ("reviewer", [QUEUE]),
        ("reporter", ["/admin/registry/event/?queue=my-drafts", "/admin/upload/"]),
        ("manager", ["/admin/", "/admin/upload/"]),
        (
            "auditor",
            [
                "/admin/",
                "/admin/history/",
                "/admin/history/?kind=site&by=reporter",
                "/admin/registry/seal/",
                "/admin/registry/seal/3/change/",
                "/admin/registry/accesslog/",
            ],
        ),
    ],
)
def test_the_pages_of_each_role_are_clean(name, addresses, page):
    sign_in(page, name)

    assert faults_at(page, addresses) == {}
