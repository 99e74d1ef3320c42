"""Nothing typed is lost, in a real browser: session end, another sign-in, no network, two tabs."""

import re

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, expect

from registry.models import Implant
from tests.browser.test_event_form import ADD, choose, open_form
from tests.browser.test_pages import PHONE, faults_of, sign_in, sign_in_by_form

pytestmark = [pytest.mark.browser, pytest.mark.django_db]


def fill_in(page: Page, year: str = "2013") -> None:
    page.wait_for_function("window.django.jQuery('#id_complication').data('select2')")
    choose(page, "Complication", "blocked line", "Catheter occlusion")
    page.get_by_label("Year").fill(year)
    page.get_by_label("3 Severe").check()


def expect_answers(page: Page, year: str = "2013") -> None:
    expect(page.get_by_role("combobox", name=re.compile("^Complication:"))).to_contain_text(
        "Catheter occlusion"
    )
    expect(page.get_by_label("Year")).to_have_value(year)
    expect(page.get_by_label("3 Severe")).to_be_checked()


def end_session(page: Page) -> None:
    page.context.clear_cookies(name="sessionid")


def test_a_session_that_ended_in_mid_form_goes_on_after_signing_in(page):
    open_form(page)
    fill_in(page)
    end_session(page)

    page.get_by_role("button", name="Save as draft", exact=True).click()
    expect(page.get_by_role("heading", name="Your answers are kept")).to_be_visible()
    assert faults_of(page) == []
    page.get_by_label("User name").fill("reporter")
    page.get_by_label("Password").fill("demo")
    page.get_by_role("button", name="Sign in and go on").click()
    page.get_by_role("button", name="Go on with my answers").click()

    expect(
        page.get_by_text("Your answers were kept, and nothing is stored yet").first
    ).to_be_visible()
    expect_answers(page)
    page.get_by_role("button", name="Save as draft", exact=True).click()
    expect(page.locator(".success")).to_contain_text("is stored")


def test_files_of_an_upload_stay_chosen_when_the_session_ends(page):
    rows = (
        "site,source_id,implant,complication,year,months_since_implant,severity,seriousness,outcome"
        "\nOWN-1,e-lt-1,,pump-flip,2013,,2,none,recovered\n"
    )
    sign_in(page, "reporter")
    page.goto("/admin/upload/")
    page.get_by_label("Events").set_input_files(
        {"name": "events.csv", "mimeType": "text/csv", "buffer": rows.encode()}
    )
    for button in ("Check the files", "Store the rows"):
        page.get_by_role("button", name=button).wait_for()
        end_session(page)
        page.get_by_role("button", name=button).click()
        with page.expect_popup() as opened:
            page.get_by_role("link", name="Sign in in another tab").click()
        sign_in_by_form(opened.value, "reporter")
        opened.value.close()
        page.get_by_role("button", name=button).click()

    expect(page.locator(".messagelist")).to_contain_text("Stored. Events: 1 new")


def test_answers_of_a_session_that_ended_come_back_without_being_sent(page):
    page.on("dialog", lambda dialog: dialog.accept())
    open_form(page)
    fill_in(page, year="2010")
    page.goto("about:blank")
    expect_kept(page)
    end_session(page)

    sign_in(page, "reporter")
    page.goto(ADD)
    page.locator("#unsaved").get_by_role("button", name="Take them up").click()

    expect_answers(page, year="2010")
    page.get_by_role("button", name="Save as draft", exact=True).click()
    expect(page.locator(".success")).to_contain_text("is stored")


def test_a_sign_in_in_another_tab_keeps_the_answers(page):
    open_form(page)
    fill_in(page, year="2012")
    other = page.context.new_page()
    page.context.clear_cookies()
    sign_in_by_form(other, "reporter")

    page.get_by_role("button", name="Save as draft", exact=True).click()
    page.get_by_role("button", name="Go on with my answers").click()

    expect_answers(page, year="2012")


def test_without_a_network_nothing_is_sent_and_all_stays(page):
    open_form(page)
    fill_in(page, year="2014")

    page.context.set_offline(True)
    page.get_by_role("button", name="Save as draft", exact=True).click()
    expect(page.get_by_text("The registry cannot be reached.")).to_be_visible()
    expect_answers(page, year="2014")
    page.context.set_offline(False)
    page.get_by_role("button", name="Save as draft", exact=True).click()

    expect(page.locator(".success")).to_contain_text("is stored")


def test_two_tabs_of_one_draft_show_both_versions(page):
    open_form(page)
    fill_in(page, year="2011")
    page.get_by_role("button", name="Save as draft", exact=True).click()
    address = page.locator(".success a").get_attribute("href")
    page.goto(address)
    other = page.context.new_page()
    other.goto(address)
    other.get_by_label("Year").fill("2012")
    other.get_by_role("button", name="Save as draft", exact=True).click()
    expect(other.locator(".success")).to_contain_text("is changed")

    page.get_by_label("2 Moderate").check()
    page.get_by_role("button", name="Save as draft", exact=True).click()

    both = page.get_by_role("region", name="Both versions")
    expect(both.get_by_role("row", name="Year")).to_contain_text("2012")
    expect(both.get_by_role("row", name="Year")).to_contain_text("2011")
    expect(both.get_by_role("row", name="Severity")).to_contain_text("2 Moderate")
    expect(page.locator(".mend")).to_contain_text("save again to go on from there")
    expect(page.locator(".mend")).not_to_contain_text("Version")
    expect(page.locator(".errorlist:visible")).to_have_count(0)
    page.get_by_role("button", name="Save as draft", exact=True).click()
    expect(page.locator(".success")).to_contain_text("is changed")


def test_a_possible_duplicate_is_named_before_it_is_stored(page):
    sign_in(page, "reporter")
    for _time in range(2):
        page.goto(ADD)
        page.wait_for_function("window.django.jQuery('#id_complication').data('select2')")
        choose(page, "Complication", "pump stopped", "Pump motor stall")
        choose(page, "Implant", "i-own-2", "i-own-2")
        page.get_by_label("Year").fill("2012")
        page.get_by_label("Months since implant").fill("24")
        page.get_by_label("3 Severe").check()
        page.get_by_role("button", name="Save as draft", exact=True).click()
        expect(page.locator(".success, .mend").first).to_be_visible()

    expect(page.get_by_text("This may be an event that was reported already").first).to_be_visible()
    assert faults_of(page) == []
    page.get_by_role("button", name="Save as draft", exact=True).click()
    expect(page.locator(".success")).to_contain_text("is stored")


def test_save_is_within_reach_on_a_phone(chromium, served):
    context = chromium.new_context(viewport=PHONE, base_url=served)
    page = context.new_page()
    open_form(page)

    for top in (0, 1500, 99_999):
        page.evaluate(f"window.scrollTo(0, {top})")
        expect(page.get_by_role("button", name="Save as draft", exact=True)).to_be_in_viewport()
        for button in page.locator(".submit-row input:visible").all():
            box = button.bounding_box()
            assert 0 <= box["x"] <= box["x"] + box["width"] <= PHONE["width"]
            assert box["y"] + box["height"] <= PHONE["height"]
    context.close()


def test_the_catalogue_is_browsed_as_a_tree_beside_the_search(page):
    open_form(page)

    page.get_by_text("Browse the catalogue").click()
    page.locator("details.tree summary", has_text="Withdrawal").click()
    page.get_by_role("button", name="Opioid withdrawal syndrome").click()

    expect(page.locator(".field-complication .about")).to_contain_text("sudden fall of intrathecal")
    assert faults_of(page) == []


def expect_kept(page: Page) -> None:
    """Waits until the server has what the page sent when it was left."""
    for _try in range(50):
        if any(each.get_decoded().get("unsaved") for each in Session.objects.all()):
            return
        page.wait_for_timeout(100)
    pytest.fail("nothing was kept")


def test_the_back_button_brings_the_answers_back(page):
    page.on("dialog", lambda dialog: dialog.accept())
    open_form(page)
    fill_in(page, year="2015")
    page.get_by_role("link", name="Events", exact=True).first.click()
    page.wait_for_url("**/admin/registry/event/")
    expect_kept(page)

    page.go_back()

    expect(page.get_by_text("Your answers were kept").first).to_be_visible()
    expect_answers(page, year="2015")
    kept_here = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert "2015" not in kept_here
    assert "occlusion" not in kept_here
    assert page.evaluate("window.refused") == []
    page.get_by_role("button", name="Save as draft", exact=True).click()
    expect(page.locator(".success")).to_contain_text("is stored")
    page.goto(ADD)
    expect(page.get_by_text("You left this form with answers")).to_have_count(0)


def test_answers_that_were_left_are_offered_and_can_be_discarded(page):
    page.on("dialog", lambda dialog: dialog.accept())
    open_form(page)
    fill_in(page, year="2016")
    page.goto("/admin/")
    expect_kept(page)

    page.goto(ADD)

    offer = page.locator("#unsaved")
    expect(offer).to_contain_text("You left this form with answers that were not saved")
    assert faults_of(page) == []
    offer.get_by_role("button", name="Discard them").click()
    expect(offer).to_have_count(0)
    page.goto(ADD)
    expect(page.locator("#unsaved")).to_have_count(0)


def follow_many(page: Page) -> str:
    page.goto("/admin/registry/implant/follow-up/")
    return "Months of i-own-3 now"


def replace_one(page: Page) -> str:
    implant = Implant.objects.get(source_id="i-own-3").public_id
    page.goto(f"/admin/registry/implant/{implant}/replace/")
    return "Year of implant"


@pytest.mark.parametrize("go", [follow_many, replace_one])
def test_a_follow_up_and_a_replacement_that_were_left_are_offered(go, page):
    sign_in(page, "reporter")
    label = go(page)
    page.get_by_label(label).fill("2016" if go is replace_one else "72")
    page.goto("/admin/")
    expect_kept(page)

    go(page)
    assert faults_of(page) == []
    page.locator("#unsaved").get_by_role("button", name="Take them up").click()

    expect(page.get_by_text("Your answers were kept").first).to_be_visible()
    expect(page.get_by_label(label)).to_have_value("2016" if go is replace_one else "72")
