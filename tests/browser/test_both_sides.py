"""A site and its reviewers in a real browser: an episode, a question and its answer, duplicates."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.test_event_form import choose, open_form
from tests.browser.test_pages import faults_of, sign_in
from tests.browser.test_two_minutes import change_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db]

COLUMNS = "site,source_id,implant,complication,year,months_since_implant,severity,seriousness"
EMPTY = f"{COLUMNS},outcome\n"
OF_TWICE = "OWN-1,{key},i-own-7,pump-motor-stall,2013,40,3,hospitalisation,recovered\n"


def section(page: Page, title: str) -> Locator:
    return page.locator("section", has=page.get_by_role("heading", name=title, exact=True))


def wait_for_lists(page: Page) -> None:
    page.wait_for_function("window.django.jQuery('#id_complication').data('select2')")


def go_on(page: Page, cause: str, letters: str, complication: str, months: str) -> None:
    """Saves the cause and answers the form of what it led to."""
    page.get_by_role("button", name="Save and log what it led to").click()
    by = page.get_by_role("combobox", name="Caused by:")
    expect(by).to_contain_text(f"({cause}, 2012, draft)")
    wait_for_lists(page)
    choose(page, "Complication", letters, complication)
    choose(page, "Implant", "i-own", "(Pump")
    page.get_by_label("Months since implant").fill(months)


def submit_one(page: Page, letters: str, complication: str, months: str) -> str:
    """Enters and submits an event of pump i-own-2, without a grade; its key."""
    open_form(page)
    choose(page, "Complication", letters, complication)
    choose(page, "Implant", "i-own-2", "i-own-2 (Pump")
    page.get_by_label("Year").fill("2013")
    page.get_by_label("Months since implant").fill(months)
    page.get_by_role("button", name="Save and submit").click()
    expect(page.locator(".success")).to_contain_text("It waits for review")
    return page.locator(".success a").inner_text()


def open_as_reviewer(page: Page, key: str) -> None:
    change_user(page, "reviewer")
    page.goto("/admin/registry/event/?queue=to-review")
    page.get_by_role("link", name=key, exact=True).click()


def ask_about_severity(page: Page, step: str) -> None:
    page.get_by_role("link", name=f"{step}…").click()
    page.get_by_label("About which answer?").select_option("Severity")
    page.get_by_label("Please complete it").check()
    page.get_by_role("button", name=step).click()


def test_an_episode_of_three_events_is_entered_submitted_and_read_as_one(page):
    open_form(page)
    choose(page, "Complication", "dislodged catheter", "Catheter dislodgement")
    choose(page, "Implant", "i", "Catheter, Ascenda")
    page.get_by_label("Year").fill("2012")
    page.get_by_label("Months since implant").fill("24")
    go_on(
        page,
        "Catheter dislodgement or migration",
        "baclofen withdrawal",
        "Baclofen withdrawal",
        "24",
    )
    go_on(
        page, "Baclofen withdrawal syndrome", "revision surgery", "Unplanned revision surgery", "25"
    )

    page.get_by_role("button", name="Save, and submit the whole episode (3 events)").click()

    expect(page.locator(".messagelist")).to_contain_text("2 events are submitted.")
    key = page.locator(".success a").first.inner_text()
    page.locator(".success a").first.click()
    episode = section(page, "Episode of 3 events")
    expect(episode.get_by_role("listitem")).to_contain_text(
        [
            "Catheter dislodgement or migration",
            "led to Baclofen withdrawal",
            "led to Unplanned revision",
        ]
    )
    expect(episode.get_by_text("submitted", exact=True)).to_have_count(3)
    assert faults_of(page) == []

    open_as_reviewer(page, key)
    expect(section(page, "Episode of 3 events").get_by_role("listitem")).to_have_count(3)
    section(page, "Episode of 3 events").get_by_role("link", name="Baclofen withdrawal").click()
    expect(page.locator(".standing")).to_contain_text("Submitted")


def test_an_event_comes_back_with_a_question_and_is_mended_and_accepted(page):
    key = submit_one(page, "motor stall", "Pump motor stall", "38")
    open_as_reviewer(page, key)
    ask_about_severity(page, "Return with a question")
    expect(page.locator(".success")).to_contain_text(f"{key} is returned to its site.")

    change_user(page, "reporter")
    page.goto("/admin/")
    told = page.locator(".came-back li", has_text=key)
    expect(told).to_contain_text("was returned: Severity: Please complete it")
    told.get_by_role("link").click()
    expect(section(page, "Queries")).to_contain_text("Severity: Please complete it")
    expect(section(page, "Queries")).to_contain_text("Not answered yet.")
    assert faults_of(page) == []
    page.get_by_label("3 Severe").check()
    page.get_by_role("button", name="Save and submit").click()
    expect(page.locator(".success")).to_contain_text("It waits for review")
    page.goto("/admin/")
    expect(page.locator(".came-back li", has_text=key)).to_have_count(0)

    open_as_reviewer(page, key)
    expect(section(page, "Queries")).to_contain_text("The site says: Corrected.")
    page.get_by_role("button", name="Accept", exact=True).click()
    expect(page.locator(".success")).to_contain_text(f"{key} is accepted.")
    expect(page.get_by_role("link", name="Reopen…")).to_be_visible()
    expect(page.get_by_text("The site says: Corrected.")).to_have_count(0)


def test_a_question_is_answered_and_closed_while_the_event_stays_submitted(page):
    key = submit_one(page, "pump flip", "Pump flip", "30")
    open_as_reviewer(page, key)
    ask_about_severity(page, "Ask")
    expect(page.locator(".standing")).to_contain_text("Submitted")

    change_user(page, "reporter")
    page.goto("/admin/registry/event/?queue=queried")
    page.get_by_role("link", name=key, exact=True).click()
    asked = page.locator(".queries li", has=page.get_by_text("Severity: Please complete it"))
    by_hand = asked.filter(has_not=page.get_by_text("Asked by a rule"))
    by_hand.get_by_role("button", name="Cannot be found out").click()
    expect(page.locator(".success")).to_contain_text("The query is answered.")

    change_user(page, "reviewer")
    page.goto("/admin/registry/event/?queue=answered")
    page.get_by_role("link", name=key, exact=True).click()
    expect(by_hand).to_contain_text("The site says: Cannot be found out.")
    by_hand.get_by_role("button", name="Close the query").click()

    expect(page.locator(".success")).to_contain_text("The query is closed.")
    expect(by_hand).to_have_count(0)


def test_an_upload_tells_of_duplicates_and_a_reviewer_settles_them(page):
    rows = EMPTY + OF_TWICE.format(key="e-twc-1") + OF_TWICE.format(key="e-twc-2")
    sign_in(page, "reporter")
    page.goto("/admin/upload/")
    page.get_by_label("Events").set_input_files(
        {"name": "events.csv", "mimeType": "text/csv", "buffer": rows.encode()}
    )
    page.get_by_role("button", name="Check the files").click()
    expect(page.locator("#upload-answer")).to_contain_text(
        "Events: 2 new, 0 updated, 0 unchanged. 1 of the new ones may repeat an event on file,"
        " or one of this file."
    )
    assert faults_of(page) == []
    page.get_by_role("button", name="Store the rows").click()
    expect(page.locator(".messagelist")).to_contain_text("1 of the new ones may repeat an event")

    change_user(page, "reviewer")
    page.goto("/admin/registry/event/?alike=yes")
    expect(page.locator("#result_list tbody tr", has_text="e-twc-")).to_have_count(2)
    page.get_by_role("link", name="e-twc-2", exact=True).click()
    page.get_by_role("link", name="Compare with e-twc-1").click()
    expect(page.get_by_text("Every answer is the same")).to_be_visible()
    assert faults_of(page) == []
    page.get_by_role("button", name="One event: e-twc-2 repeats e-twc-1").click()

    expect(page.locator(".success")).to_contain_text("e-twc-2 is marked as duplicate.")
    expect(page.get_by_text("This report repeats e-twc-1, which is counted.")).to_be_visible()
    page.goto("/admin/registry/event/?alike=yes")
    expect(page.locator("#result_list tbody tr", has_text="e-twc-")).to_have_count(0)
