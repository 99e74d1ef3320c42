"""Every kind of picture: its numbers, its words, its files."""

import json
import re
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from xml.etree import ElementTree as Xml

import altair as alt
import pytest
import vl_convert
from altair.utils import schemapi

from registry.charts import chart_of
from registry.charts.choice import NO_ROWS
from registry.charts.picture import NO_ADDRESS, VEGA_LITE
from registry.charts.theme import (
    ACCENT,
    ALERT,
    DARK,
    EDGE,
    GROUND,
    INK,
    LINE,
    ON_DEEP,
    ON_PALE,
    QUIET,
    SCALE,
)
from registry.records import PictureKind
from registry.reporting.measures import MEASURES
from registry.vocabulary import CellStatus
from tests.charts.answers import (
    EVERY,
    answer,
    comparison,
    counts,
    coverage,
    proportions,
    rate,
    rates,
)

PNG_HEAD = b"\x89PNG\r\n\x1a\n"
SVG = "{http://www.w3.org/2000/svg}"
ATTACK = "</text><script>alert(1)</script>\" onload='x' & ]]>"


@pytest.fixture(scope="module")
def charts():
    """Every kind of picture, drawn once for the module."""
    return {kind: chart_of(make()) for kind, make in EVERY.items()}


def texts(svg):
    """What stands in a picture, piece by piece."""
    root = Xml.fromstring(svg)  # noqa: S314 - our own
    return ["".join(each.itertext()) for each in root.iter(f"{SVG}text")]


def bars_in(svg):
    """The boxes that are drawn, without those of axes, legends and grounds."""
    root = Xml.fromstring(svg)  # noqa: S314 - our own
    return [
        path
        for group in root.iter(f"{SVG}g")
        if group.get("class", "").startswith("mark-rect role-mark")
        for path in group.iter(f"{SVG}path")
    ]


def released_of(chart, release):
    """The rows that a picture draws from, without what it added to them."""
    drawn = [
        row
        for row in chart.spec["datasets"]["rows"]
        if not row.get("chart_helping") and row.get("chart_own", True)
    ]
    names = [column.name for column in release.columns]
    return [{name: row[name] for name in names} for row in drawn]


def keys_of(node):
    """Every key of a specification, however deep."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield key
            yield from keys_of(value)
    elif isinstance(node, list):
        for value in node:
            yield from keys_of(value)


@pytest.mark.parametrize("kind", EVERY)
def test_picture_keeps_to_the_schema_of_vega_lite(kind):
    with schemapi.debug_mode(True):
        drawn = chart_of(EVERY[kind]()).spec

    alt.VConcatChart.from_dict(dict(drawn), validate=True)


# The numbers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", EVERY)
def test_numbers_of_the_picture_are_those_of_the_answer(charts, kind):
    release = EVERY[kind]()

    drawn = released_of(charts[kind], release)

    order = json.dumps
    whole = [dict(row) for row in release.rows]
    silent = [row for row in whole if row not in drawn]
    assert sorted([*drawn, *silent], key=order) == sorted(whole, key=order)
    assert {row["status"] for row in silent} <= {"suppressed", "hidden"}
    assert bool(silent) == ("Not drawn" in " ".join(texts(charts[kind].svg())))


@pytest.mark.parametrize("kind", EVERY)
def test_specification_is_one_of_vega_lite(charts, kind):
    alt.VConcatChart.from_dict(dict(charts[kind].spec))

    assert charts[kind].spec["$schema"].endswith(f"/v{VEGA_LITE}.1.json")


def test_every_kind_of_picture_of_a_measure_is_drawn_here():
    drawn = {make().reading.picture for make in EVERY.values()}

    assert drawn == {spec.reading.picture for spec in MEASURES.values()} == set(PictureKind)


def test_only_what_is_shown_has_a_bar():
    release = counts()

    svg = chart_of(release).svg()

    # 25, 0 and 38 are shown, one number is hidden
    assert len(bars_in(svg)) == 3
    assert "<11" in texts(svg)
    assert [row["n"] for row in release.rows].count(None) == 1


def test_hidden_rate_is_a_word_and_never_a_zero():
    svg = chart_of(rates()).svg()

    # three rates are shown: a bar and the two ends of its limits each
    assert len(bars_in(svg)) == 3 * 3
    assert texts(svg).count("hidden") == 1
    assert texts(svg).count("<11 in 12,338") == 1
    assert texts(svg).count("no denominator") == 1


def test_rates_of_different_units_never_share_an_axis():
    words = texts(chart_of(rates()).svg())

    assert "Per 1,000 pump-months" in words
    assert "Per 1,000 procedures" in words
    assert "No denominator" in words


def test_row_without_events_has_its_zero():
    row = {"category": "pump", "n": 0, "status": "zero"}

    assert "0" in texts(chart_of(answer("counts", [row], group_by=("category",))).svg())


@pytest.mark.parametrize(
    ("status", "word"),
    [("unstable", "1.5 (1.07 to 2.1) unstable"), ("partial", "partial"), ("ok", "")],
)
def test_doubtful_number_is_marked(status, word):
    row = {"category": "pump", **rate(12, 8000.0, 1.5, status=status)}

    chart = chart_of(answer("rates", [row], group_by=("category",)))

    written = " ".join(texts(chart.svg()))
    assert word in written
    assert ("Pale and marked unstable" in written) == (status == "unstable")
    assert ("left out of the sum" in written) == (status == "partial")


PALE, PLAIN = "Pale and marked unstable: from fewer", "Unstable: from fewer"


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        *(("rates", PALE), ("trend", PALE), ("funnel", PALE)),
        *(("comparison", PLAIN), ("signals", PLAIN), ("survival", "")),
    ],
)
def test_rows_from_few_events_are_called_pale_only_where_they_are(kind, says):
    made = EVERY[kind]()
    rows = ({**row, "status": "unstable"} for row in made.rows)

    written = " ".join(texts(chart_of(replace(made, rows=tuple(rows))).svg()))

    assert [each for each in (PALE, PLAIN) if each in written] == ([says] if says else [])


def test_a_year_of_one_event_does_not_flatten_the_years_after_it():
    years = [{"year": 2006 + n, **rate(20, 8000.0, 2.5 + 0.1 * (n % 3))} for n in range(1, 12)]
    first = {"year": 2006, **rate(1, 32.0, 31.2, status="unstable")}

    chart = chart_of(answer("rates", [first, *years], group_by=("year",)))

    tops = [float(top) for top in re.findall(r'"domain": \[0, ([\d.]+)\]', json.dumps(chart.spec))]
    assert max(tops) < 10
    written = " ".join(texts(chart.svg()))
    assert "1 point lies beyond the axis: see the table." in written
    assert "31.2*" in written


def test_a_high_year_of_many_events_is_drawn():
    years = [{"year": 2006 + n, **rate(20, 8000.0, 2.5)} for n in range(1, 12)]
    high = {"year": 2018, **rate(60, 2000.0, 30.0)}

    chart = chart_of(answer("rates", [*years, high], group_by=("year",)))

    assert not [text for text in texts(chart.svg()) if "beyond the axis: see" in text]


def test_what_a_hidden_number_means_is_said_only_where_one_is_hidden():
    whole = replace(counts(), rows=tuple(row for row in counts().rows if row["n"] is not None))

    assert any("Hidden is not" in text for text in texts(chart_of(counts()).svg()))
    assert not any("Hidden is not" in text for text in texts(chart_of(whole).svg()))


# The words -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", EVERY)
def test_picture_says_what_was_counted_and_where_it_is_from(charts, kind):
    release = EVERY[kind]()

    written = " ".join(texts(charts[kind].svg()))

    assert str(release.meta["title"]) in written
    assert "Counted: Every event." in written
    assert "Data as of 22 November 2026, release 2026Q4." in written
    assert f"{str(release.meta['profile']).capitalize()} numbers" in written


def test_protected_numbers_are_said_to_be_so():
    release = counts()
    release = replace(release, meta={**release.meta, "profile": "protected"})

    assert "Protected numbers" in " ".join(texts(chart_of(release).svg()))


def test_snapshot_without_a_label_is_named_by_its_id():
    release = counts()
    working = {"id": "abcdef0123456789", "kind": "working", "label": ""}
    release = replace(release, meta={**release.meta, "snapshot": working, "data_as_of": None})

    written = " ".join(texts(chart_of(release).svg()))

    assert "Data as of no entry yet, snapshot abcdef012345." in written


@pytest.mark.parametrize("kind", EVERY)
def test_words_for_whoever_does_not_see_it_stand_in_the_picture(charts, kind):
    chart = charts[kind]

    root = Xml.fromstring(chart.svg())  # noqa: S314 - our own

    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == "chart-title chart-words"
    title, words = root[0], root[1]
    assert (title.tag, title.get("id"), title.text) == (f"{SVG}title", "chart-title", chart.title)
    assert (words.tag, words.get("id"), words.text) == (f"{SVG}desc", "chart-words", chart.alt)
    assert chart.alt == chart.spec["description"]


@pytest.mark.parametrize(
    ("kind", "numbers"),
    [
        ("counts", "catheter, male: 38; infection, female: 25; catheter, female: 0; 1 row has"),
        ("rates", "infection: 53.4 (38.1 to 74.7)"),
        ("proportions", "morphine, male, older: 19 % (11.4 to 28.5)"),
        ("survival", "prometra: 60 % (55 to 65) at 60 months, median 61 months"),
        ("funnel", "3 sites are within the limits, 2 outside: SITE-C above 99.8 %, 57 observed of"),
        ("trend", "Rate ratio from year to year 0.94 (0.9 to 0.98), p = 0.004."),
        ("signals", "model-00 · pump-motor-stall: 1.8 (1.3 to 2.2)"),
        ("cascades", "catheter-dislodgement led to baclofen-withdrawal: 14, median 0.5 months"),
        ("coverage", "SITE-A: 52 of 61"),
        ("comparison", "prometra-ii-20: 1.48 (0.91 to 2.42); prometra-ii-20: crude: 1.6"),
        ("comparison", "isomed: The group had no events."),
        ("literature", "Taira et al. 2013: 1.1 (0.8 to 1.6)"),
    ],
)
def test_words_hold_the_main_numbers(charts, kind, numbers):
    assert numbers in charts[kind].alt


def test_a_trend_says_below_which_years_it_leaves_out(charts):
    said = " ".join(texts(charts["trend"].svg()))

    assert "2026 is left out: it is not over." in said
    assert "Left out too, as events are still to come: 2025." in said


def test_ratios_to_all_others_name_no_row_as_the_reference():
    told = comparison()
    about = {"reference": "others", "adjusted_for": [], "reason": None}
    rows = tuple(row for row in told.rows if row["note"] != "Reference.")

    chart = chart_of(replace(told, meta={**told.meta, "comparison": about}, rows=rows))

    assert "Against all others together: prometra-ii-20: 1.48 (0.91 to 2.42)" in chart.alt
    assert "(1: the same rate as all others)" in json.dumps(chart.spec)


def test_whole_coverage_is_one_sentence():
    (row, _other) = coverage().rows
    whole = {name: value for name, value in row.items() if name != "site"}

    said = chart_of(answer("coverage", [whole])).alt

    assert "A rate counts 52 of 61 events (85.2 %): 4 before entry, 3 after follow-up" in said


def test_answer_without_rows_is_a_picture_that_says_so():
    chart = chart_of(answer("counts", [], group_by=("drug",), columns=("drug", "n", "status")))

    assert NO_ROWS in texts(chart.svg())
    assert NO_ROWS in chart.alt
    assert chart.png().startswith(PNG_HEAD)


# The files -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", EVERY)
def test_picture_is_drawn_as_svg_and_png(charts, kind):
    chart = charts[kind]
    width, height = re.search(r'width="(\d+)" height="(\d+)"', chart.svg()).groups()

    png = chart.png()

    assert png.startswith(PNG_HEAD)
    # IHDR: width and height, 4 bytes each, twice those of the SVG
    assert int.from_bytes(png[16:20]) == 2 * int(width)
    assert int.from_bytes(png[20:24]) == 2 * int(height)


@pytest.mark.parametrize("kind", EVERY)
def test_same_answer_is_drawn_to_the_same_bytes(charts, kind):
    again = chart_of(EVERY[kind]())

    assert again.spec == charts[kind].spec
    assert again.svg() == charts[kind].svg()
    assert again.png() == charts[kind].png()


def test_label_like_a_script_is_text_in_every_format():
    row = {"category": ATTACK, "n": 7, "status": "ok"}
    release = answer("counts", [row], group_by=("category",), title=f"Counts of {ATTACK}")
    chart = chart_of(release)

    root = Xml.fromstring(chart.svg())  # noqa: S314 - our own

    assert not list(root.iter(f"{SVG}script"))
    assert not [name for each in root.iter() for name in each.attrib if name.startswith("on")]
    assert root[0].text == f"Counts of {ATTACK}"
    assert ATTACK.split()[0] in " ".join(texts(chart.svg()))
    assert json.loads(json.dumps(chart.spec))["datasets"]["rows"][0]["category"] == ATTACK


@pytest.mark.parametrize("kind", EVERY)
def test_label_like_an_expression_is_text(kind):
    release = EVERY[kind]()
    text = [column.name for column in release.columns if column.role == "dimension"]
    named = [name for name in text if name not in {"unit", "year"}]
    if not named:
        pytest.skip("nothing in this answer is named by a text")
    wicked = {"'+alert(1)+'": 0}
    rows = tuple({**row, named[0]: f"{row[named[0]]}{next(iter(wicked))}"} for row in release.rows)

    spec = json.dumps(chart_of(replace(release, rows=rows)).spec["vconcat"])

    for test in re.findall(r'"(?:filter|test|expr|labelExpr)": "((?:[^"\\]|\\.)*)"', spec):
        assert "alert" not in test


@pytest.mark.parametrize("kind", EVERY)
def test_specification_names_no_address(charts, kind):
    assert not {"url", "href", "image"} & set(keys_of(dict(charts[kind].spec)))


def test_renderer_loads_nothing():
    paths = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            paths.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"[]")

        def log_message(self, *args):
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/rows.json"
    spec = {"data": {"url": address}, "mark": "bar", "encoding": {"x": {"field": "a"}}}

    with pytest.raises(ValueError, match="not allowed"):
        vl_convert.vegalite_to_svg(spec, vl_version=VEGA_LITE, allowed_base_urls=NO_ADDRESS)

    server.shutdown()
    server.server_close()
    assert paths == []


# Colours ---------------------------------------------------------------------------------------


def luminance(colour):
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    """Contrast ratio (WCAG 2.2)."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(
    ("colour", "least"), [(INK, 7), (QUIET, 4.5), (EDGE, 3), (ACCENT, 4.5), (ALERT, 3)]
)
def test_letters_and_marks_stand_out_on_light_and_on_dark(colour, least):
    assert contrast(colour, GROUND) >= least
    assert contrast(DARK[colour], DARK[GROUND]) >= least


def test_every_colour_but_the_grid_stands_out_on_a_dark_page():
    seen = [dark for light, dark in DARK.items() if light not in {GROUND, LINE}]

    assert min(contrast(each, DARK[GROUND]) for each in seen) >= 3


@pytest.mark.parametrize("kind", EVERY)
def test_every_colour_of_a_picture_has_a_dark_counterpart(charts, kind):
    svg = charts[kind].svg()
    style = re.search(r"<style>(.*?)</style>", svg)[1]
    drawn = svg.replace(style, "")

    used = set(re.findall(r'(?:fill|stroke)="(#[0-9a-f]{6})"', drawn))

    assert "prefers-color-scheme:dark" in style
    assert style.startswith("@media screen")
    turned = set(re.findall(r'\[fill="(#[0-9a-f]{6})"\]', style))
    shaded = {"models", "models-unstable", "cascades"}
    own = {ON_PALE, ON_DEEP, *SCALE} if kind in shaded else set()
    assert used - turned - own == set()


def test_statuses_are_all_known_here():
    # a new status needs a word or a mark in pictures
    assert set(CellStatus.codes()) == {
        "ok",
        "zero",
        "suppressed",
        "hidden",
        "partial",
        "no_denominator",
        "unstable",
    }


def test_three_dimensions_are_axis_colour_and_plots():
    words = texts(chart_of(proportions()).svg())

    assert {"baclofen", "morphine", "female", "male", "Adult", "Older"} <= set(words)
