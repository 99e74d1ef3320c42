"""What is printed, as Chromium prints it: one sheet each."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.test_pages import faults_at, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db]

BLANK = "/admin/registry/event/blank/"


def pages_of(page) -> int:
    """The pages of the PDF that the page prints as, on A4."""
    return len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4", prefer_css_page_size=True)))


def test_a_blank_form_takes_one_sheet_and_is_clean(page):
    sign_in(page, "reporter")
    assert faults_at(page, [BLANK]) == {}
    page.goto(BLANK)

    assert pages_of(page) == 1


def test_an_event_takes_one_sheet_without_what_is_for_the_screen(page):
    sign_in(page, "reviewer")
    page.goto("/admin/registry/event/?queue=to-review")
    page.get_by_role("link", name="e-snt").click()
    expect(page.get_by_role("heading", name="View event")).to_be_visible()

    assert pages_of(page) == 1
    page.emulate_media(media="print")
    for hidden in (".masthead", ".breadcrumbs", ".steps .button", ".submit-row"):
        assert not page.locator(hidden).first.is_visible()
    assert page.locator(".field-complication").is_visible()
