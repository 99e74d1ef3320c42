"""Lists on a phone: a card a row, read without a swipe, and a way to the filters."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.test_pages import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db]

PHONE = {"width": 390, "height": 844}


@pytest.mark.parametrize("address", ["/admin/registry/event/", "/admin/registry/implant/"])
def test_a_list_is_read_without_a_swipe(address, page):
    page.set_viewport_size(PHONE)
    sign_in(page, "reviewer")
    page.goto(address)

    cells = page.locator("#result_list tbody tr").first.locator("th, td")
    for cell in cells.all():
        box = cell.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE["width"]
    inside = "#result_list, .results"
    fits = page.eval_on_selector_all(inside, "all => all.map(e => e.scrollWidth <= e.clientWidth)")
    assert fits
    assert all(fits)
    page.get_by_role("link", name="Filters").click()
    expect(page.locator("#changelist-filter-header")).to_be_in_viewport()
    page.locator(".sorts summary").click()
    page.locator(".sorts a").filter(has_text=re.compile("year", re.IGNORECASE)).click()
    expect(page.locator(".sorts a[aria-current]")).to_contain_text("ascending")
    years = page.locator("#result_list :is(.field-year, .field-implant_year)").all_inner_texts()
    assert len(years) > 1
    assert years == sorted(years)


def test_a_desk_has_the_table_and_its_filters_beside_it(page):
    sign_in(page, "reviewer")
    page.goto("/admin/registry/event/")

    expect(page.get_by_role("columnheader", name="Complication")).to_be_visible()
    expect(page.get_by_role("link", name="Filters")).to_be_hidden()
    expect(page.locator(".sorts")).to_be_hidden()
