"""Follow-up, replacement and device time by year in a real browser."""

import re

import pytest
from playwright.sync_api import expect

from registry.models import Implant, Patient
from tests.browser.test_pages import faults_at, faults_of, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db]

FOLLOW_UP = "/admin/registry/implant/follow-up/"


def test_a_site_is_followed_up_without_script(plain_page):
    sign_in(plain_page, "reporter")
    plain_page.goto(FOLLOW_UP)
    plain_page.get_by_role("link", name="all", exact=True).click()
    plain_page.get_by_label("and so many months have passed").check()
    plain_page.get_by_label("Months", exact=True).fill("12")
    plain_page.get_by_label("If i-own-3 ended, why").select_option("death-unrelated")
    plain_page.get_by_role("button", name="Look before saving").click()
    expect(plain_page.get_by_role("alert")).to_contain_text("Give the months at which it ended")
    plain_page.get_by_label("Months of i-own-3 now").fill("66")
    plain_page.get_by_role("button", name="Look before saving").click()
    expect(plain_page.get_by_text("Nothing is stored yet")).to_be_visible()
    plain_page.get_by_role("button", name="Save").click()

    expect(plain_page.get_by_text(re.compile("24 implants followed up"))).to_be_visible()
    ended = Implant.objects.get(source_id="i-own-3")
    assert (ended.months_followed, ended.exit_status) == (66, "death-unrelated")
    assert Implant.objects.get(source_id="i-own-4").months_followed == 72


def test_the_look_before_saving_and_its_faults_are_clean(page):
    sign_in(page, "reporter")
    page.goto(f"{FOLLOW_UP}?component=pump&all=1")
    page.get_by_role("button", name="Look before saving").click()
    expect(page.get_by_role("alert")).to_contain_text("Give the months")
    faulty = faults_of(page)
    page.get_by_label("today: use the months that have certainly passed").check()
    page.get_by_role("button", name="Look before saving").click()
    expect(page.get_by_text("Nothing is stored yet")).to_be_visible()

    assert (faulty, faults_of(page)) == ([], [])


def test_the_pages_of_a_patient_and_of_a_replacement_are_clean(page):
    sign_in(page, "reporter")
    pump = Implant.objects.get(source_id="i-own-5")
    patient = Patient.objects.get(pk=pump.patient_id)
    addresses = [
        f"/admin/registry/patient/{patient.public_id}/change/",
        f"/admin/registry/implant/{pump.public_id}/replace/",
    ]

    assert faults_at(page, addresses) == {}
    page.get_by_role("button", name="Replace").click()
    expect(page.get_by_role("alert").first).to_contain_text("Nothing was stored")
    assert faults_of(page) == []
