"""The event form in a real browser: what it shows, checks and warns of, and how clean it is."""

import re

import pytest
from playwright.sync_api import Page, expect

from registry import intake
from registry.models import Event, Site, User
from tests.browser.test_pages import PHONE, faults_of, sign_in
from tests.factories import ImplantFactory, PatientFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db]

ADD = "/admin/registry/event/add/"


def open_form(page: Page) -> None:
    sign_in(page, "reporter")
    page.goto(ADD)
    page.wait_for_function("window.django.jQuery('#id_complication').data('select2')")


def choose(page: Page, name: str, letters: str, wanted: str) -> None:
    page.get_by_role("combobox", name=re.compile(f"^{name}:")).click()
    page.locator(".select2-search__field").fill(letters)
    first = page.locator(".select2-results__option").first
    expect(first).to_contain_text(wanted)
    first.click()


def row(page: Page, field: str):
    return page.locator(f".field-{field}")


def test_questions_are_shown_where_they_matter(page):
    open_form(page)
    for field in ("organism", "mri_24h", "alarm", "volume_discrepancy"):
        expect(row(page, field)).to_be_hidden()
    expect(row(page, "days_since_procedure")).to_be_visible()

    choose(page, "Complication", "pocket abscess", "Pump pocket infection")

    expect(row(page, "organism")).to_be_visible()
    expect(row(page, "mri_24h")).to_be_hidden()
    expect(row(page, "complication")).to_contain_text("that holds the pump")
    expect(row(page, "complication")).to_contain_text("For example: pump site infection")

    page.get_by_label("Organism").select_option("Cutibacterium")
    choose(page, "Complication", "motor stall", "Pump motor stall")

    expect(row(page, "mri_24h")).to_be_visible()
    expect(row(page, "organism")).to_be_visible()  # it was answered

    page.get_by_label("Organism").select_option("")
    expect(row(page, "organism")).to_be_hidden()
    page.get_by_role("button", name="Show every question").click()
    expect(row(page, "organism")).to_be_visible()
    expect(page.get_by_role("button", name="Show every question")).to_be_hidden()


def test_a_near_miss_is_not_asked_how_bad_it_was(page):
    open_form(page)

    page.get_by_label("Near miss").check()

    expect(row(page, "severity")).to_be_hidden()
    expect(row(page, "seriousness")).to_be_hidden()
    expect(row(page, "outcome")).to_be_visible()
    page.get_by_label("Actual", exact=True).check()
    expect(row(page, "severity")).to_be_visible()


def test_months_are_checked_as_soon_as_implant_and_year_are_known(page):
    open_form(page)
    choose(page, "Complication", "motor stall", "Pump motor stall")
    choose(page, "Implant", "i-own-2", "i-own-2 (Pump")
    months = row(page, "months_since_implant")

    page.get_by_label("Year").fill("2013")
    expect(months).to_contain_text("24 to 47 in 2013, after an implant in 2010.")
    page.get_by_label("Months since implant").fill("23")
    expect(months).to_contain_text("correct the months, the year or the implant")
    page.get_by_label("Months since implant").fill("24")
    expect(months.locator(".check")).to_be_empty()
    page.get_by_label("Year").fill("2016")
    page.get_by_label("Months since implant").fill("72")
    expect(months).to_contain_text("followed for 60 months")
    page.get_by_label("Year").fill("2009")
    expect(months).to_contain_text("The implant was in 2010, after this year.")


def test_an_implant_of_the_other_component_is_noticed(page):
    open_form(page)
    choose(page, "Implant", "i-own-2", "i-own-2 (Pump")

    choose(page, "Complication", "kinking", "Catheter kink")

    expect(row(page, "implant")).to_contain_text("choose the patient's catheter")


def test_a_death_on_file_is_told_as_soon_as_its_patient_is_chosen(page):
    patient = PatientFactory(site=Site.objects.get(code="OWN-1"))
    ImplantFactory(patient=patient, source_id="i-late", exit_status="death-unrelated")
    open_form(page)
    choose(page, "Complication", "motor stall", "Pump motor stall")

    choose(page, "Implant", "i-late", "i-late (Pump")
    on_file = "This patient died in 2016 at the latest, by month 60 of this pump, as is on file"
    implant = row(page, "implant")
    expect(implant).to_contain_text(f"{on_file}. No later event is taken.")
    page.get_by_label("Year").fill("2015")
    page.get_by_label("Months since implant").fill("61")
    expect(implant).to_contain_text("saving refuses a later event")
    page.get_by_label("Months since implant").fill("60")
    expect(implant).to_contain_text("No later event is taken.")
    page.get_by_label("Months since implant").fill("")
    page.get_by_label("Year").fill("2017")
    expect(implant).to_contain_text("saving refuses a later event")


def test_what_a_fatal_answer_will_do_is_told_while_it_is_given(page):
    open_form(page)
    choose(page, "Implant", "i-own-2", "i-own-2 (Pump")
    outcome = row(page, "outcome")
    expect(outcome).not_to_contain_text("ends the patient")

    page.get_by_label("Outcome").select_option("Fatal")
    expect(outcome).to_contain_text("A death ends the patient")
    expect(outcome).to_contain_text("Still missing for a death: severity 5, criterion death.")
    page.get_by_label("5 Death").check()
    page.get_by_label("Death", exact=True).check()
    expect(outcome).not_to_contain_text("Still missing")
    page.get_by_label("Months since implant").fill("40")
    expect(outcome).to_contain_text("followed to month 60 on file, beyond this death")
    page.get_by_label("Months since implant").fill("60")
    expect(outcome).to_contain_text("A death ends the patient")
    choose(page, "Complication", "death", "Death")
    expect(row(page, "complication")).to_contain_text("A death ends the patient")
    assert faults_of(page) == []


def test_unsaved_answers_are_not_lost_unasked(page):
    warned = []
    page.on("dialog", lambda dialog: (warned.append(dialog.type), dialog.accept()))
    open_form(page)
    page.goto(ADD)
    assert warned == []

    page.get_by_label("Year").fill("2013")
    page.goto("/admin/registry/event/")
    assert warned == ["beforeunload"]

    page.goto(ADD)
    choose(page, "Complication", "kinking", "Catheter kink")
    page.get_by_role("button", name="Save as draft", exact=True).click()
    expect(page.locator(".messagelist")).to_contain_text("is stored")
    assert warned == ["beforeunload"]
    assert page.evaluate("window.refused") == []


def test_refused_answers_are_unsaved_too(page):
    warned = []
    page.on("dialog", lambda dialog: (warned.append(dialog.type), dialog.accept()))
    open_form(page)
    page.get_by_label("Year").fill("1066")
    page.get_by_role("button", name="Save as draft", exact=True).click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Year").click()

    page.goto("/admin/registry/event/")

    assert warned == ["beforeunload"]


def test_the_focus_is_on_the_first_thing_to_mend(page):
    open_form(page)
    page.get_by_role("button", name="Save and submit").click()

    expect(page.get_by_role("alert")).to_contain_text("2 things to correct")
    expect(page.get_by_role("combobox", name="Complication:", exact=True)).to_be_focused()

    choose(page, "Complication", "kinking", "Catheter kink")
    page.get_by_role("button", name="Save and submit").click()
    expect(page.get_by_role("alert")).to_contain_text("1 thing to correct")
    expect(page.get_by_label("Year")).to_be_focused()
    assert faults_of(page) == []


def test_what_it_led_to_begins_with_its_cause(page):
    open_form(page)
    choose(page, "Complication", "kinking", "Catheter kink")
    page.get_by_label("Year").fill("2013")
    page.get_by_label("3 Severe").check()

    page.get_by_role("button", name="Save and log what it led to").click()

    cause = page.get_by_role("combobox", name="Caused by:")
    expect(cause).to_contain_text("(Catheter kink, 2013, draft)")
    expect(page.get_by_label("Year")).to_have_value("2013")
    expect(page.get_by_label("3 Severe")).not_to_be_checked()
    assert faults_of(page) == []


def test_a_draft_and_a_filled_form_are_clean_on_a_phone_and_a_desk(page):
    page.set_viewport_size(PHONE)
    open_form(page)
    choose(page, "Complication", "pocket abscess", "Pump pocket infection")
    choose(page, "Implant", "i-own-2", "i-own-2 (Pump")
    page.get_by_label("Year").fill("2013")
    page.get_by_label("Months since implant").fill("2")
    filled = faults_of(page)
    page.get_by_label("Months since implant").fill("40")
    page.get_by_role("button", name="Save as draft", exact=True).click()
    page.set_viewport_size(PHONE)
    page.locator(".messagelist a").click()
    expect(page.get_by_role("heading", name="History")).to_be_visible()

    assert filled == []
    assert faults_of(page) == []


def phone_page(chromium, served) -> Page:
    context = chromium.new_context(viewport={"width": 390, "height": 844}, base_url=served)
    return context.new_page()


def test_a_plain_event_takes_three_screens_of_a_phone(chromium, served):
    page = phone_page(chromium, served)
    open_form(page)
    choose(page, "Complication", "pocket abscess", "Pump pocket infection")
    choose(page, "Implant", "i-own-2", "i-own-2 (Pump")
    page.get_by_label("Year").fill("2013")
    page.get_by_label("Months since implant").fill("40")
    page.get_by_label("3 Severe").check()
    page.get_by_label("Hospitalisation", exact=True).check()

    assert page.evaluate("document.documentElement.scrollHeight") <= 3 * 844
    for place in (0, 844, 99_999):
        page.evaluate(f"window.scrollTo(0, {place})")
        expect(page.get_by_role("button", name="Save as draft", exact=True)).to_be_in_viewport()
    page.get_by_role("button", name="Save as draft", exact=True).click()
    page.locator(".success a").click()
    asked = page.locator("details.meter")
    expect(asked.locator("li").first).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollHeight") <= 3 * 844

    asked.locator("summary").click()
    expect(asked.locator("li").first).to_be_visible()
    page.get_by_role("button", name="History").click()
    expect(page.locator(".versions")).to_be_visible()
    page.set_viewport_size({"width": 1280, "height": 800})
    expect(page.get_by_text("Complication as reported")).to_be_visible()
    page.context.close()


def test_what_a_phone_folds_opens_by_its_heading_and_stays_open_where_answered(chromium, served):
    page = phone_page(chromium, served)
    open_form(page)
    run_up = page.get_by_role("button", name="Run-up")
    expect(run_up).to_contain_text("How it was found, Days since the last procedure")
    expect(page.locator("#id_detection")).to_be_hidden()

    run_up.press("Enter")
    expect(run_up).to_have_attribute("aria-expanded", "true")
    page.locator("#id_detection").select_option("Alarm")
    choose(page, "Complication", "pump stopped", "Pump motor stall")
    page.get_by_label("Year").fill("2010")
    page.get_by_role("button", name="Save as draft", exact=True).click()
    page.locator(".success a").click()

    expect(page.locator("#id_detection")).to_be_visible()
    expect(page.locator("#id_root_cause")).to_be_hidden()
    page.set_viewport_size({"width": 1280, "height": 800})
    expect(page.locator("#id_root_cause")).to_be_visible()
    expect(page.locator("fieldset h2 button")).to_have_count(0)
    page.context.close()


def test_what_a_query_asks_about_is_shown_and_open_on_a_phone(chromium, served):
    """The organism is asked of infections alone."""
    event = Event.objects.get(source_id="e-snt")
    reviewer = User.objects.get(username="reviewer")
    intake.return_event(event.public_id, by=reviewer, column="organism", ask="missing")
    page = phone_page(chromium, served)
    sign_in(page, "reporter")

    page.goto(f"/admin/registry/event/{event.public_id}/change/")

    expect(page.locator("#id_organism")).to_be_visible()
    expect(page.locator("#id_mri_24h")).to_be_hidden()
    expect(page.locator("#id_root_cause")).to_be_hidden()
    page.get_by_role("link", name="Organism: Please complete it").click()
    expect(page.locator("#id_organism")).to_be_in_viewport()
    page.context.close()
