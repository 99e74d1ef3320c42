"""From a nurse's two minutes to a number: a draft, its submission, its review, the statistics."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_pages import sign_in, sign_in_by_form

pytestmark = [pytest.mark.browser, pytest.mark.django_db]

COUNTS_TOUCHED = """
window.touched = new Set();
window.django.jQuery("#event_form").on("change", event => window.touched.add(event.target.name));
"""


def focused(page: Page) -> str:
    """The name of the control that the keyboard is at, of a searched list that of its select."""
    return page.evaluate(
        """() => {
          const at = document.activeElement;
          const list = at.closest(".select2-container");
          return (list ? list.previousElementSibling : at).name;
        }"""
    )


def choose(page: Page, letters: str, wanted: str) -> None:
    """Open the searched list that has the focus, type, and take the first that is offered."""
    page.keyboard.press("Enter")
    page.keyboard.type(letters)
    option = page.locator(".select2-results__option--highlighted")
    expect(option).to_contain_text(wanted)
    page.keyboard.press("Enter")


def accepted_kinks(page: Page) -> int:
    """How many accepted kinks an exact viewer counts, as the explore page says."""
    page.goto("/dashboard/explore/?measure=counts&complication=catheter-kink&group_by=complication")
    row = page.get_by_role("row", name="Catheter kink")
    if not row.count():
        return 0
    return int(row.get_by_role("cell").first.inner_text())


def change_user(page: Page, name: str) -> None:
    page.context.clear_cookies()
    sign_in_by_form(page, name)


def draft_by_keyboard(page: Page) -> set[str]:
    """Enter a draft without a mouse and save it; the questions that were answered."""
    page.goto("/admin/registry/event/add/")
    page.wait_for_function("window.django.jQuery('#id_complication').data('select2')")
    expect(page.get_by_role("combobox", name="Complication:", exact=True)).to_be_focused()
    page.evaluate(COUNTS_TOUCHED)
    choose(page, "kinking", "Catheter kink")
    page.keyboard.press("Tab")
    assert focused(page) == "implant"
    choose(page, "i", "Catheter, Ascenda, 2010")
    page.keyboard.press("Tab")
    assert focused(page) == "year"
    page.keyboard.type("2012")
    page.keyboard.press("Tab")
    assert focused(page) == "months_since_implant"
    page.keyboard.type("24")
    while focused(page) != "severity":
        page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    touched = set(page.evaluate("[...window.touched]"))
    page.locator("#id_year").press("Enter")
    expect(page.locator(".messagelist")).to_contain_text("is stored")
    return touched


def test_an_event_of_two_minutes_is_found_in_the_statistics(page):
    sign_in(page, "reviewer")
    before = accepted_kinks(page)
    change_user(page, "reporter")

    touched = draft_by_keyboard(page)

    assert touched == {"complication", "implant", "year", "months_since_implant", "severity"}
    assert len(touched) + 1 <= 6  # with the press that saves
    key = page.locator(".messagelist a").inner_text()
    page.locator(".messagelist a").click()
    expect(page.get_by_label("2 Moderate")).to_be_checked()
    page.get_by_label("Outcome").select_option("Recovered")
    page.get_by_label("Hospitalisation", exact=True).check()
    page.get_by_role("radiogroup", name="Related to the device").get_by_label("Causal").check()
    page.get_by_role("button", name="Save and submit").click()
    expect(page.locator(".messagelist")).to_contain_text("is changed")
    assert page.evaluate("window.refused") == []

    change_user(page, "reviewer")
    assert accepted_kinks(page) == before
    page.goto("/admin/registry/event/?state=submitted")
    page.get_by_role("link", name=key, exact=True).click()
    page.get_by_role("button", name="Accept").click()
    expect(page.locator(".messagelist")).to_contain_text("accepted")

    assert accepted_kinks(page) == before + 1


def test_an_event_is_entered_and_submitted_without_script(plain_page):
    page = plain_page
    page.goto("/login/")
    page.get_by_label("User name").fill("reporter")
    page.get_by_label("Password").fill("demo")
    page.get_by_role("button", name="Sign in").click()
    page.goto("/admin/registry/event/add/")

    page.locator("select[name=complication]").select_option("Pump pocket infection")
    page.locator("input[name=implant_key]").fill("i-own-3")
    page.get_by_role("button", name="Save and submit").click()
    expect(page.get_by_role("alert")).to_contain_text("2 things to correct")
    page.get_by_label("Year").fill("2013")
    page.get_by_label("Months since implant").fill("40")
    page.get_by_label("Organism").select_option("Cutibacterium")
    page.get_by_role("button", name="Save and submit").click()

    expect(page.locator(".messagelist")).to_contain_text("is stored")
    page.locator(".messagelist a").click()
    expect(page.locator(".field-state")).to_contain_text("Submitted")
    expect(page.locator(".field-implant_words")).to_contain_text("i-own-3")
