"""Every page in a real browser: nothing the policy refuses, nothing axe objects to, any width."""

import json
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.django_db]

AXE = Axe()
RULES = {"resultTypes": ["violations"], "preload": False}
"""Without loading style sheets again: the admin's import one another by relative addresses."""

OF_COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}

PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 800}

OPEN = ["/", "/?q=leak", "/login/", "/complications/catheter-migration/", "/complications/none/"]
OF_A_RESEARCHER = [
    "/cite/",
    "/report/",
    "/",
    "/dashboard/",
    "/dashboard/?category=catheter",
    "/dashboard/?severity=9",
    "/dashboard/explore/?measure=proportions&group_by=category,sex",
    "/dashboard/explore/?severity=3,4",
    "/dashboard/?ranked_per=patients",
    "/complications/catheter-migration/",
    "/products/",
    "/products/pump/synchromed-ii-20/",
    "/tokens/",
    "/password/",
]
OF_A_REPORTER = [
    "/",
    "/dashboard/?site=OWN-1",
    "/dashboard/explore/?site=OWN-1&group_by=complication",
    "/admin/",
    "/admin/registry/event/",
    "/admin/registry/event/add/",
    "/admin/registry/implant/",
    "/admin/registry/implant/follow-up/?all=1",
    "/admin/registry/patient/add/",
    "/admin/registry/exposure/by-year/",
    "/admin/registry/complication/catheter-migration/change/",
]
OF_A_REVIEWER = ["/", "/dashboard/", "/complications/catheter-migration/", "/admin/"]

COLOURS_HAVE_CHANGED = """async () => {
  const frame = () => new Promise(requestAnimationFrame);
  await frame();
  await frame();
  await Promise.allSettled(document.getAnimations().map(each => each.finished));
}"""
"""The admin's links fade from one colour to the other."""

DIM_IN_THE_DARK = """{
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const label = document.querySelector("label");
  dark.addEventListener("change", () => {
    label.style.setProperty("color", dark.matches ? "#777" : "");
    label.style.setProperty("background", dark.matches ? "#666" : "");
  });
}"""


def sign_in(page: Page, name: str) -> None:
    """Sign in without looking at the page, whose form `sign_in_by_form` fills."""
    page.request.get("/login/")
    (token,) = [each["value"] for each in page.context.cookies() if each["name"] == "csrftoken"]
    form = {"csrfmiddlewaretoken": token, "username": name, "password": "demo"}
    assert page.request.post("/login/", form=form, max_redirects=0).status == 302


def sign_in_by_form(page: Page, name: str) -> None:
    page.goto("/login/")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill("demo")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def faults_of(page: Page) -> list[str]:
    """What the policy refuses on this page, what axe objects to, and whether a phone scrolls.

    All of it in light colours, and what depends on colours in dark ones too.
    """
    page.wait_for_load_state()
    page.set_viewport_size(PHONE)
    width = page.evaluate("document.documentElement.scrollWidth")
    too_wide = [f"{width} pixels wide on a phone"] if width > PHONE["width"] else []
    page.set_viewport_size(DESK)
    objections = objections_to(page, RULES)
    page.emulate_media(color_scheme="dark")
    page.evaluate(COLOURS_HAVE_CHANGED)
    objections += [f"dark {each}" for each in objections_to(page, RULES | OF_COLOURS)]
    page.emulate_media(color_scheme="light")
    return [*page.evaluate("window.refused"), *objections, *too_wide]


def objections_to(page: Page, rules: dict[str, Any]) -> list[str]:
    """What axe objects to on this page as it stands."""
    found = AXE.run(page, options=rules).response["violations"]
    return [
        f"{each['id']}: {json.dumps([node['html'] for node in each['nodes']])}" for each in found
    ]


def faults_at(page: Page, addresses: list[str]) -> dict[str, list[str]]:
    """The faults of each page that has any; opened on a phone, as searched lists keep a width."""
    found = {}
    for address in addresses:
        page.set_viewport_size(PHONE)
        page.goto(address)
        if faults := faults_of(page):
            found[address] = faults
    return found


def test_the_open_pages_are_clean(page):
    assert faults_at(page, OPEN) == {}


@pytest.mark.parametrize(
    ("name", "addresses"),
    [
        ("researcher", OF_A_RESEARCHER),
        ("reporter", OF_A_REPORTER),
        ("reviewer", OF_A_REVIEWER),
    ],
)
def test_the_pages_behind_sign_in_are_clean(name, addresses, page):
    sign_in_by_form(page, name)

    assert faults_at(page, addresses) == {}


def test_the_permanent_page_of_an_answer_is_clean(page):
    sign_in(page, "researcher")
    page.goto("/dashboard/explore/?measure=counts&group_by=category")
    page.get_by_text("Cite this answer").click()
    page.get_by_role("button", name="Make its permanent page").click()
    expect(page.get_by_role("heading", name="Cite it")).to_be_visible()

    assert faults_of(page) == []


def test_an_event_to_read_and_its_history_are_clean(page):
    sign_in(page, "reviewer")
    page.set_viewport_size(PHONE)

    page.goto("/admin/registry/event/?state=draft")
    page.get_by_role("link", name="e-own").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("View event")
    read = faults_of(page)
    page.set_viewport_size(PHONE)
    page.get_by_role("link", name="History").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("History of e-own")

    assert read == []
    assert faults_of(page) == []


def test_what_is_wrong_with_a_page_is_noticed(page):
    page.goto("/login/")
    page.evaluate("document.body.setAttribute('style', 'color: red')")
    page.evaluate("document.querySelector('main').append(document.createElement('img'))")
    page.evaluate("document.querySelector('h1').textContent = 'wide'.repeat(99)")
    page.evaluate(DIM_IN_THE_DARK)

    faults = " ".join(faults_of(page))

    assert "style-src" in faults
    assert "image-alt" in faults
    assert "dark color-contrast" in faults
    assert faults.count("color-contrast") == 1
    assert "wide on a phone" in faults


def test_an_event_is_entered_with_the_searched_lists(page):
    sign_in(page, "reporter")
    page.goto("/admin/registry/event/add/")

    page.get_by_role("combobox", name="Complication:", exact=True).click()
    page.locator(".select2-search__field").fill("rotation")
    page.locator(".select2-results__option", has_text="Pump flip").click()
    page.get_by_role("combobox", name="Implant:", exact=True).click()
    page.locator(".select2-search__field").fill("i-own-11")
    page.locator(".select2-results__option", has_text="i-own-11").click()
    page.get_by_role("button", name="Save as draft", exact=True).click()

    expect(page.locator(".messagelist")).to_contain_text("is stored")
    assert page.evaluate("window.refused") == []


def clicked(steps: list[Locator]) -> int:
    """Click one after the other; how many clicks that took."""
    for step in steps:
        step.click()
    return len(steps)


def test_a_newcomer_reaches_a_filtered_rate_in_six_clicks(plain_page):
    page = plain_page
    page.goto("/login/")
    page.get_by_label("User name").fill("reviewer")
    page.get_by_label("Password").fill("demo")

    clicks = clicked(
        [
            page.get_by_role("button", name="Sign in"),
            page.get_by_role("link", name="Dashboard"),
            page.get_by_text("Choose what is counted"),
            page.get_by_label("Complication category", exact=True).get_by_text("Catheter problem"),
            page.get_by_role("button", name="Show"),
        ]
    )

    assert clicks <= 6
    assert "category=catheter" in page.url
    page.get_by_text("Every category by its own denominator").click()
    # 2 first migrations in 10 x 60 + 2 x 12 = 624 catheter-months
    row = page.get_by_role("row", name="Catheter problem")
    expect(row).to_contain_text("3.21")
    expect(row).to_contain_text("624")


def test_a_page_works_without_script(plain_page):
    page = plain_page
    page.goto("/")
    page.get_by_label("Find a complication").fill("granuloma")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Catheter-tip inflammatory mass").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Catheter-tip inflammatory mass")


def test_a_report_is_clean_on_a_phone_where_its_tables_scroll(page):
    sign_in(page, "researcher")
    page.set_viewport_size(PHONE)
    page.goto("/report/")

    assert page.evaluate(
        "[...document.querySelectorAll('.wide')].some(each => each.scrollWidth > each.clientWidth)"
    )
    shown = page.eval_on_selector_all("img", "all => all.map(e => [e.clientWidth, e.naturalWidth])")
    assert shown
    assert [each for each in shown if each[0] < each[1]] == []  # their texts would be small
    assert objections_to(page, RULES) == []
