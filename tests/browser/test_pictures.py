"""The texts of every kind of picture, measured in a real browser at the size pages show."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from registry.charts import chart_of
from registry.charts.funnel import END
from registry.charts.theme import TEXT
from registry.records import Release
from tests.charts.answers import EVERY, answer, categories_by_year, rate

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
BESIDE = 3.0
"""The least pixels between two texts in a line, of which either is a word of its own."""
Corner = tuple[float, float]


def funnel_of_large_sites() -> Release:
    """An axis that ends at 100 events, so that its last number is moved to the left."""
    made = EVERY["funnel"]()
    rows = [{**row} for row in made.rows]
    for row in rows:
        row["expected"] = row["expected"] and 100.0 / END / 30.0 * float(row["expected"])
    return replace(made, rows=tuple(rows))


def years_of_a_long_registry() -> Release:
    """Twenty-one years, of which the first are hidden and say so in each line."""
    numbers: list[dict[str, Any]] = [
        rate(None, None, None, status="hidden", reason="population") for _ in range(8)
    ]
    numbers += [rate(23 + n, 2000.0, 11.5 + n / 10) for n in range(13)]
    rows = [{"year": 2005 + n, **each} for n, each in enumerate(numbers)]
    return answer("rates", rows, group_by=("year",))


DRAWN = {
    **EVERY,
    "categories-by-year": categories_by_year,
    "funnel-of-large-sites": funnel_of_large_sites,
    "years-of-a-long-registry": years_of_a_long_registry,
}
"""The kinds, one that a page has no room to draw whole, and such as fill it."""


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


@pytest.mark.parametrize("kind", DRAWN)
def test_words_beside_one_another_are_told_apart(kind, sheet):
    """Numbers that nearly meet read as one: 95 and 100 as 95100."""
    near = []
    level = [each for each in measured(sheet, kind) if is_level(each["corners"])]
    for one, other in combinations(level, 2):
        (left, top), (right, _), (_, low), _ = one["corners"]
        (start, over), (end, _), (_, under), _ = other["corners"]
        gap = max(start - right, left - end)
        if over < low and top < under and gap < BESIDE:
            near.append((one["text"], other["text"], round(gap, 1)))

    assert near == []


def is_level(corners: list[Corner]) -> bool:
    """Whether a text is not turned."""
    return abs(corners[0][1] - corners[1][1]) < 0.1


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
