"""The texts of every kind of picture, measured in a real browser at the size pages show."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from registry.charts import chart_of
from registry.charts.theme import TEXT
from tests.charts.answers import EVERY, categories_by_year

pytestmark = pytest.mark.browser

CONTENT = 1084
"""Pixels that a page has for a picture on a desk."""
TOUCH = 1.0
"""Pixels by which boxes of texts, which are taller than their letters, may meet."""
MEASURE = """
() => [...document.querySelectorAll("svg text")].filter(each => each.textContent.trim())
.map(each => {
  const box = each.getBBox(), matrix = each.getScreenCTM(), style = getComputedStyle(each);
  const at = (x, y) => {
    const point = new DOMPoint(x, y).matrixTransform(matrix);
    return [point.x, point.y];
  };
  const [left, right] = [box.x, box.x + box.width];
  const [top, low] = [box.y + box.height * .14, box.y + box.height * .9];
  return {
    text: each.textContent,
    halo: style.stroke !== "none",
    size: parseFloat(style.fontSize) * Math.hypot(matrix.a, matrix.b),
    corners: [at(left, top), at(right, top), at(right, low), at(left, low)],
  };
})
"""
Corner = tuple[float, float]
DRAWN = {**EVERY, "categories-by-year": categories_by_year}
"""The kinds, and one that a page has no room to draw whole."""


@pytest.fixture(scope="module")
def sheet(chromium: Browser) -> Iterator[Page]:
    """An empty page."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


def measured(sheet: Page, kind: str) -> list[dict[str, Any]]:
    sheet.set_content(chart_of(DRAWN[kind]()).svg())
    found: list[dict[str, Any]] = sheet.evaluate(MEASURE)
    return [each for each in found if not each["halo"]]


def overlap(one: list[Corner], other: list[Corner]) -> bool:
    """Whether two rectangles, which may be turned, meet: no edge separates them."""
    for corners in (one, other):
        for first, second in ((0, 1), (1, 2)):
            along = (
                corners[second][0] - corners[first][0],
                corners[second][1] - corners[first][1],
            )
            length = (along[0] ** 2 + along[1] ** 2) ** 0.5 or 1.0
            ends = [
                [(x * along[0] + y * along[1]) / length for x, y in each] for each in (one, other)
            ]
            if max(ends[0]) <= min(ends[1]) + TOUCH or max(ends[1]) <= min(ends[0]) + TOUCH:
                return False
    return True


@pytest.mark.parametrize("kind", DRAWN)
def test_no_text_of_a_picture_is_over_another(kind, sheet):
    found = measured(sheet, kind)

    over = [
        (one["text"], other["text"])
        for one, other in combinations(found, 2)
        if overlap(one["corners"], other["corners"])
    ]

    assert len(found) > 5
    assert over == []


@pytest.mark.parametrize("kind", DRAWN)
def test_every_text_of_a_picture_is_large_enough_to_read(kind, sheet):
    found = measured(sheet, kind)

    assert {each["text"]: each["size"] for each in found if each["size"] < TEXT - 0.01} == {}
    assert TEXT >= 14


@pytest.mark.parametrize("kind", DRAWN)
def test_picture_fits_a_page_without_being_made_smaller(kind, sheet):
    sheet.set_content(chart_of(DRAWN[kind]()).svg())

    width = sheet.evaluate("document.querySelector('svg').width.baseVal.value")
    inside = sheet.evaluate(
        "[...document.querySelectorAll('svg text')].map(each => each.getBoundingClientRect().right"
        " - document.querySelector('svg').getBoundingClientRect().left)"
    )

    assert width <= CONTENT
    assert max(inside) <= width


def test_boxes_that_meet_are_told_from_boxes_that_do_not():
    square = [(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0)]
    beside = [(x + 10.5, y) for x, y in square]
    inside = [(x + 5.0, y + 5.0) for x, y in square]
    turned = [(16.0, 8.0), (23.0, 15.0), (16.0, 22.0), (9.0, 15.0)]

    assert not overlap(square, beside)
    assert overlap(square, inside)
    assert not overlap(square, turned)


APART = 8.0
"""The least pixels between an estimate in figures and the counts beside it."""


@pytest.mark.parametrize("kind", ["comparison", "literature", "signals"])
def test_figures_of_a_row_do_not_touch_its_counts(kind, sheet):
    """However long the figures are: ratios from few events have many digits, and a word."""
    made = EVERY[kind]()
    few = {"status": "unstable", "ci_lower": 0.00845, "ci_upper": 14.78}
    release = replace(made, rows=tuple({**row, **few} for row in made.rows))
    sheet.set_content(chart_of(release).svg())

    found = [each for each in sheet.evaluate(MEASURE) if not each["halo"]]

    for one in found:
        (left, top), (right, _), (_, low), _ = one["corners"]
        for other in found:
            (start, over), (_, _), (_, under), _ = other["corners"]
            if other is not one and start > left and over < low and top < under:
                assert start - right >= APART, (one["text"], other["text"])
