"""Takes the pictures of docs/entering-events.md anew: `make pictures` (needs Debian's Chromium).

A demo registry is made in a folder of its own, served, looked at as its reporter, and thrown away.
Pictures have few colours, so that each stays under a hundred kilobytes.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.chromium import CHROMIUM

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "pictures"
LARGEST = 100_000
COLOURS = 48
SEVERAL = 5
"""Devices and events of a patient that are worth a picture."""
DESK = {"width": 1000, "height": 700}
PHONE = {"width": 390, "height": 760}
FILE = """site,source_id,implant,complication,year,months_since_implant,severity,seriousness,outcome
{site},k-8f2,,Catheter kink,2021,,2,none,recovered
{site},k-9d4,,pump-motor-stall,2022,,3,hospitalisation,recovered
{site},k-3a7,,Liquorleck,2022,,9,none,recovered
"""
"""A small export with other words for a code, and a fault."""


def choose(page: Page, field: str, letters: str, wanted: str) -> None:
    """Chooses the hit of a searched list that says what is wanted."""
    page.wait_for_function(f"window.django.jQuery('#id_{field}').data('select2')")
    page.locator(f".field-{field} .select2-selection").first.click()
    page.locator(".select2-search__field").fill(letters)
    page.locator(".select2-results__option--highlighted", has_text=wanted).click()


def start_page(page: Page) -> None:
    """What waits for a site's staff."""
    page.goto("/admin/")


def event_form(page: Page) -> None:
    """The form with a complication chosen, and the months that fit the year."""
    page.goto("/admin/registry/implant/")
    catheters = page.locator("#result_list tbody tr").filter(has_text="Catheter")
    key = catheters.first.locator("th a").inner_text()
    page.goto("/admin/registry/event/add/")
    choose(page, "complication", "dislodged", "Catheter dislodgement")
    choose(page, "implant", key, key)
    page.locator("#id_year").fill("2019")
    page.locator("#id_year").blur()


def event_mend(page: Page) -> None:
    """A form that was turned away."""
    page.goto("/admin/registry/event/add/")
    choose(page, "complication", "pocket abscess", "Pump pocket infection")
    page.locator("#id_year").fill("2042")
    page.get_by_role("button", name="Save and submit").click()
    page.locator(".mend").wait_for()
    page.evaluate("window.scrollTo(0, 0)")


def patient(page: Page) -> None:
    """A patient's devices and events on one line of time."""
    page.goto("/admin/registry/patient/")
    links = page.locator("#result_list tbody tr th a").all()
    for address in [str(link.get_attribute("href")) for link in links]:
        page.goto(address)
        if page.locator("table.line tbody tr").count() >= SEVERAL:
            break
    page.locator("#line").evaluate("heading => heading.scrollIntoView()")


def upload(page: Page) -> None:
    """The preview of a file: what is read differently, and faults by kind."""
    page.goto("/admin/registry/event/add/")
    content = FILE.format(site=page.locator("[name=site]").input_value()).encode()
    page.goto("/admin/upload/")
    page.locator("#upload-form input[name=events]").set_input_files(
        {"name": "events.csv", "mimeType": "text/csv", "buffer": content}
    )
    page.locator("#upload-form button[name=check]").click()
    page.locator("#upload-kinds").wait_for()
    page.locator("#upload-answer").scroll_into_view_if_needed()


def phone_form(page: Page) -> None:
    """The form on a phone, with its buttons within reach."""
    event_form(page)


def phone_list(page: Page) -> None:
    """A list on a phone, with its way to sort."""
    page.goto("/admin/registry/event/")
    page.locator(".sorts summary").click()


PICTURED: dict[str, tuple[Callable[[Page], None], dict[str, int]]] = {
    "start-page": (start_page, DESK),
    "event-form": (event_form, DESK),
    "event-mend": (event_mend, DESK),
    "patient": (patient, DESK),
    "upload": (upload, DESK),
    "phone-form": (phone_form, PHONE),
    "phone-list": (phone_list, PHONE),
}
"""Each picture's name, how its page is reached, and the size of the window."""


@contextmanager
def served() -> Iterator[str]:
    """The address of a demo registry."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        environment = {
            **os.environ,
            "DEBUG": "1",
            "REGISTRY_VAR": folder,
            "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
        }
        manage = [sys.executable, str(ROOT / "manage.py")]
        for words in (["migrate", "--verbosity", "0"], ["demo", "--events", "1500"]):
            subprocess.run([*manage, *words], env=environment, check=True, stdout=sys.stderr)
        free.close()
        command = [*manage, "runserver", "--noreload", f"127.0.0.1:{port}"]
        server = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
        try:
            address = f"http://127.0.0.1:{port}"
            wait_for(f"{address}/health/live")
            yield address
        finally:
            server.terminate()
            server.wait()


def wait_for(address: str) -> None:
    """Waits until a server answers; raises TimeoutError after a minute."""
    for _try in range(240):
        try:
            urlopen(address, timeout=2).close()  # noqa: S310 - our own server
        except URLError:
            time.sleep(0.25)
        else:
            return
    raise TimeoutError(address)


def picture(browser: Browser, address: str, name: str) -> bytes:
    """One page as a PNG of few colours."""
    reach, size = PICTURED[name]
    context = browser.new_context(base_url=address, viewport=size, color_scheme="light")  # type: ignore[arg-type]
    page = context.new_page()
    page.goto("/login/")
    page.get_by_label("User name").fill("reporter")
    page.get_by_label("Password").fill("demo")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_load_state("networkidle")
    reach(page)
    page.wait_for_load_state("networkidle")
    seen = Image.open(BytesIO(page.screenshot(animations="disabled", caret="hide")))
    context.close()
    few = seen.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    made = BytesIO()
    few.save(made, "PNG", optimize=True)
    return made.getvalue()


def main(folder: Path, names: list[str]) -> None:
    """Writes the pictures of these names, all by default, and says how large they are."""
    with served() as address, sync_playwright() as playwright:
        assert CHROMIUM, "Install Debian's package chromium-headless-shell."
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        for name in names or PICTURED:
            made = picture(browser, address, name)
            if len(made) > LARGEST:
                sys.exit(f"{name} has {len(made):,} bytes: show less of the page.")
            (folder / f"{name}.png").write_bytes(made)
            print(f"{name}.png {len(made):,} bytes")
        browser.close()


if __name__ == "__main__":
    main(PICTURES, sys.argv[1:])
