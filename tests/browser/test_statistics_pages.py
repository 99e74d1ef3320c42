"""The statistics page and the explore pages of every measure in a real browser."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_pages import RULES, faults_at, objections_to, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db]

STATISTICS = "/admin/statistics/"
EXPLORE = "/dashboard/explore/"
OF_A_REPORTER = [
    STATISTICS,
    f"{STATISTICS}?measure=survival&complication=catheter-migration",
    f"{STATISTICS}?measure=counts&seriousness=death",
]
OF_A_REVIEWER = [
    f"{STATISTICS}?measure={measure}"
    for measure in (
        "counts",
        "coverage",
        "burden",
        "comparison",
        "funnel",
        "trend",
        "incidence",
        "signals",
        "cascades",
    )
]
OF_A_RESEARCHER = [
    f"{EXPLORE}?measure=survival",
    f"{EXPLORE}?measure=trend&group_by=sex",
    f"{EXPLORE}?measure=incidence",
    f"{EXPLORE}?measure=comparison&group_by=sex&category=catheter",
]


@pytest.mark.parametrize(
    ("name", "addresses"),
    [
        ("reporter", OF_A_REPORTER),
        ("reviewer", OF_A_REVIEWER),
        ("researcher", OF_A_RESEARCHER),
    ],
)
def test_every_measure_is_clean(name, addresses, page):
    sign_in(page, name)

    assert faults_at(page, addresses) == {}


def drawn(page: Page) -> list[int]:
    """How wide each picture of the page is drawn; 0 where it could not be loaded."""
    pictures = page.locator("figure.drawn img")
    for position in range(pictures.count()):
        pictures.nth(position).scroll_into_view_if_needed()
    page.wait_for_load_state("networkidle")
    widths: list[int] = pictures.evaluate_all("all => all.map(each => each.naturalWidth)")
    return widths


def test_both_sides_show_their_picture(page):
    sign_in(page, "reporter")
    page.goto(STATISTICS)

    expect(page.get_by_role("heading", name="Your site exact")).to_be_visible()
    expect(page.get_by_role("heading", name="All sites protected")).to_be_visible()
    widths = drawn(page)
    assert len(widths) == 2
    assert all(width > 200 for width in widths)
    assert page.evaluate("window.refused") == []


def test_the_address_is_selected_as_soon_as_it_is_entered(page):
    sign_in(page, "researcher")
    page.goto(EXPLORE)

    box = page.get_by_label("The same by API")
    box.focus()

    selected = "[document.activeElement.selectionStart, document.activeElement.selectionEnd]"
    assert page.evaluate(selected) == [0, len(box.input_value())]
    assert "/api/v1/statistics/rates/?group_by=category" in box.input_value()


def test_a_question_is_put_and_mended_without_script(plain_page):
    page = plain_page
    sign_in(page, "researcher")
    page.goto(f"{EXPLORE}?severity=3,4&group_by=category")

    page.get_by_role("link", name="Severity 3 alone").click()
    expect(page.get_by_role("table")).to_contain_text("Catheter problem")
    page.get_by_text("Choose what is counted, and how").click()
    page.get_by_label("Measure", exact=True).select_option("counts")
    page.get_by_role("button", name="Show").click()

    assert "measure=counts" in page.url
    expect(page.get_by_role("table")).to_contain_text("Counts of all complications")
    page.get_by_text("Cite this answer").click()
    page.get_by_role("link", name="Ask the same again").click()
    assert "/api/v1/statistics/receipts/" in page.url
    expect(page.locator("body")).to_contain_text('"measure":"counts"')


def test_a_complication_is_found_by_parts_of_its_name_and_taken_out_again(page):
    sign_in(page, "researcher")
    page.goto(f"{EXPLORE}?complication=catheter-kink")
    page.get_by_text("Choose what is counted, and how").click()
    box = page.get_by_role("combobox", name="Complication", exact=True)

    box.fill("stall motor mri")
    name = "MRI-related motor stall with delayed or failed recovery"
    expect(page.locator(".offered [role=option]")).to_have_text([name])
    box.press("Enter")
    page.get_by_role("button", name="Remove Catheter kink").click()
    box.fill("fits nothing")
    expect(page.get_by_text("Nothing fits.")).to_be_visible()
    box.press("Escape")
    page.get_by_role("button", name="Show").click()

    assert page.url.endswith("complication=pump-mri-stall")
    assert page.evaluate("window.refused") == []


def test_an_open_picker_is_clean(page):
    sign_in(page, "researcher")
    page.goto(EXPLORE)
    page.get_by_text("Choose what is counted, and how").click()
    page.get_by_role("combobox", name="Complication", exact=True).fill("catheter")
    expect(page.locator(".offered [role=option]").first).to_be_visible()

    assert objections_to(page, RULES) == []


def test_only_what_is_told_hides_hidden_rows_without_script(plain_page):
    page = plain_page
    sign_in(page, "researcher")
    page.goto(f"{EXPLORE}?measure=counts&group_by=complication")
    rows = page.locator("tbody tr")
    whole = rows.count()

    page.get_by_label("Only what is told").check()

    told = page.locator("tbody tr:not(.untold)").count()
    assert page.locator("tbody tr:visible").count() == told < whole


def test_place_of_a_picture_is_kept_before_it_loads(page):
    sign_in(page, "researcher")
    page.route("**/*format=svg*", lambda route: route.abort())
    page.goto(EXPLORE)
    kept = page.locator("figure.drawn img").bounding_box()
    page.unroute("**/*format=svg*")
    page.reload()
    drawn(page)

    loaded = page.locator("figure.drawn img").bounding_box()
    assert kept is not None
    assert loaded is not None
    assert kept["height"] == loaded["height"]
