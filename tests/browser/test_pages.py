"""Every page in a real browser: nothing the policy refuses, nothing axe objects to."""

import json

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

OPEN = ["/", "/?q=leak", "/login/", "/complications/catheter-migration/", "/complications/none/"]
SIGNED_IN = [
    "/dashboard/",
    "/dashboard/?severity=9",
    "/tokens/",
    "/password/",
    "/admin/",
    "/admin/registry/event/",
    "/admin/registry/event/add/",
    "/admin/registry/implant/",
    "/admin/registry/complication/catheter-migration/change/",
]


def sign_in(page: Page, name: str) -> None:
    page.goto("/login/")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill("demo")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def faults_of(page: Page) -> list[str]:
    """What the content policy refused on this page, and what axe objects to."""
    page.wait_for_load_state("networkidle")
    refused = page.evaluate("window.refused")
    found = Axe().run(page).response["violations"]
    objections = [
        f"{each['id']}: {json.dumps([node['html'] for node in each['nodes']])}" for each in found
    ]
    return [*refused, *objections]


def faults_at(page: Page, addresses: list[str]) -> dict[str, list[str]]:
    """The faults of each page that has any."""
    found = {}
    for address in addresses:
        page.goto(address)
        if faults := faults_of(page):
            found[address] = faults
    return found


def test_the_open_pages_are_clean(page):
    assert faults_at(page, OPEN) == {}


def test_the_pages_behind_sign_in_are_clean(page):
    sign_in(page, "reporter")

    assert faults_at(page, SIGNED_IN) == {}


def test_the_pages_of_a_reviewer_are_clean(page):
    sign_in(page, "reviewer")

    page.goto("/admin/registry/event/?state=draft")
    page.get_by_role("link", name="e-own").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("View event")
    read = faults_of(page)
    page.get_by_role("link", name="History").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("History of e-own")

    assert read == []
    assert faults_of(page) == []


def test_a_policy_that_refuses_is_noticed(page):
    page.goto("/login/")
    page.evaluate("document.body.setAttribute('style', 'color: red')")

    assert any("style" in fault for fault in faults_of(page))


def test_an_event_is_entered_with_the_searched_lists(page):
    sign_in(page, "reporter")
    page.goto("/admin/registry/event/add/")

    page.get_by_role("combobox", name="Complication:", exact=True).click()
    page.locator(".select2-search__field").fill("dislodg")
    page.locator(".select2-results__option", has_text="Catheter dislodgement").click()
    page.get_by_role("combobox", name="Implant:", exact=True).click()
    page.locator(".select2-search__field").fill("i-o")
    page.locator(".select2-results__option", has_text="i-own").click()
    page.get_by_role("button", name="Save as draft", exact=True).click()

    expect(page.locator(".messagelist")).to_contain_text("is stored")
    assert page.evaluate("window.refused") == []


def test_the_pages_fit_a_phone(page):
    sign_in(page, "reporter")
    page.set_viewport_size({"width": 360, "height": 740})

    widths = {}
    for address in (*OPEN, *SIGNED_IN):
        page.goto(address)
        widths[address] = page.evaluate("document.documentElement.scrollWidth")

    assert {address: width for address, width in widths.items() if width > 360} == {}


def test_a_page_works_without_script(chromium, live_server, people):
    context = chromium.new_context(java_script_enabled=False, base_url=live_server.url)
    page = context.new_page()

    page.goto("/")
    page.get_by_label("Find a complication").fill("granuloma")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Catheter-tip inflammatory mass").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Catheter-tip inflammatory mass")
    context.close()
