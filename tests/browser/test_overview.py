"""The overview as it is with a full registry behind it: how high, and how large its texts are."""

from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
from playwright.sync_api import Page

from registry.catalogue import read_catalogue
from registry.charts.theme import TEXT
from registry.dashboard import overview
from registry.dashboard.panels import Panels, YearSpans, ask_all
from registry.vocabulary import Denominator
from tests.browser.test_pages import faults_of, sign_in
from tests.browser.test_pictures import MEASURE, overlap
from tests.dashboard.panels import panel, rate

pytestmark = [pytest.mark.browser, pytest.mark.django_db]

DESKS = ({"width": 1280, "height": 800}, {"width": 1440, "height": 900})
YEARS = range(2010, 2026)
PUMP, PROCEDURES, REFILLS = (
    Denominator.PUMP_MONTHS.value,
    Denominator.PROCEDURES.value,
    Denominator.REFILLS.value,
)
CATALOGUE = read_catalogue()
CATEGORIES = [
    each
    for each in CATALOGUE.categories
    if any(term.in_totals and term.category == each.code for term in CATALOGUE.complications)
]
FIRST = [term for term in CATALOGUE.complications if term.in_totals][:14]


def full(real: Panels) -> Panels:
    """The answers of a page with as many rows as it draws: eight of time, three and three."""
    exact = real.counts.is_exact
    units = [PUMP] * 14 if exact else [PUMP] * 8 + [PROCEDURES] * 3 + [REFILLS] * 3
    rows = [
        rate(
            17.71 - place,
            unit=unit,
            complication=term.code,
            complication_label=term.name,
        )
        for place, (unit, term) in enumerate(zip(units, FIRST, strict=True))
    ]
    years = [
        rate(10.0 + year % 7, category=each.code, category_label=each.name, year=year)
        for each in CATEGORIES
        for year in YEARS
    ]
    about = {"profile": real.counts.meta["profile"], "data_as_of": "2026-11-30T12:00:00+00:00"}
    return replace(
        real,
        spans=YearSpans(last=2025, before=(2020, 2024)),
        ranked=panel(real.ranked.measure, rows, **about),
        last=panel(real.ranked.measure, rows, **about),
        before=panel(real.ranked.measure, rows, **about),
        by_year=panel(real.by_year.measure, years, **about),
        own=real.own and panel(real.ranked.measure, rows, **about),
    )


@pytest.fixture(autouse=True)
def _full(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(*query: Any, **how: Any) -> Panels:
        return full(ask_all(*query, **how))

    monkeypatch.setattr(overview, "ask_all", asked)


def open_as(name: str, page: Page, settings: Any) -> None:
    settings.REGISTRY_PUBLIC_STATISTICS = not name
    if name:
        sign_in(page, name)
    page.goto("/dashboard/")
    assert page.locator(".ranked tbody tr").count() == (8 if name == "reviewer" else 14)
    assert page.locator(".multiples svg").count() == len(CATEGORIES)


@pytest.mark.parametrize("name", ["researcher", "reporter", "reviewer", ""])
def test_it_fits_two_screens_of_a_desk_and_is_clean(name, page, settings):
    """That of a member has the own site, that of a reviewer exact numbers; "" is a stranger."""
    open_as(name, page, settings)

    assert faults_of(page) == []
    for desk in DESKS:
        page.set_viewport_size(desk)
        height = page.evaluate("document.documentElement.scrollHeight")
        assert height <= 2 * DESKS[0]["height"], desk


def test_texts_of_its_pictures_are_14_pixels_high_and_apart(page, settings):
    open_as("reporter", page, settings)

    for width in (1280, 768, 390, 360):
        page.set_viewport_size({"width": width, "height": 844})
        found = [each for each in page.evaluate(MEASURE) if each["size"]]
        assert len(found) > 8 * 3
        small = {each["text"]: each["size"] for each in found if each["size"] < TEXT - 0.01}
        assert small == {}, width
        over = [
            (one["text"], other["text"])
            for one, other in combinations(found, 2)
            if overlap(one["corners"], other["corners"])
        ]
        assert over == [], width
