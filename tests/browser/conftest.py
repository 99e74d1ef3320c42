"""Debian's Chromium over a running server; without it these tests say that they were skipped."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from playwright.sync_api import Browser, Page, sync_playwright

from registry.models import Role
from tests.factories import EventFactory, ImplantFactory, PatientFactory, SiteFactory, UserFactory

CHROMIUM = Path("/usr/bin/chromium")
REPORTS_VIOLATIONS = """
window.refused = [];
document.addEventListener("securitypolicyviolation", event =>
  window.refused.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));
"""


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip(f"needs Debian's Chromium at {CHROMIUM}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        browser.close()


@pytest.fixture
def people(transactional_db, tmp_path, settings):
    """The shipped catalogue, a site with an event, a release, and people to sign in as."""
    settings.REGISTRY_VAR = tmp_path
    call_command("load_catalogue", verbosity=0)
    site = SiteFactory(code="OWN-1")
    pump = ImplantFactory(patient=PatientFactory(site=site), source_id="i-own")
    EventFactory(site=site, source_id="e-own", state="draft")
    EventFactory(implant=pump, source_id="e-counted")
    UserFactory(username="reporter", roles=[Role.SITE_STAFF], sites=[site])
    UserFactory(username="reviewer", roles=[Role.REVIEWER])
    call_command("freeze", release="2026Q4", verbosity=0)


@pytest.fixture(params=["light", "dark"])
def page(request, chromium, live_server, people) -> Iterator[Page]:
    """A page in each colour scheme that keeps what the content policy refused."""
    context = chromium.new_context(color_scheme=request.param, base_url=live_server.url)
    context.add_init_script(REPORTS_VIOLATIONS)
    yield context.new_page()
    context.close()
