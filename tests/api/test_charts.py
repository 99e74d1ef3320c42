"""Charts of statistics over HTTP: the numbers of the JSON reply, drawn and safe to show."""

import json
from xml.etree import ElementTree as Xml

import pytest
from django.core.cache import cache
from django.core.management import call_command

from registry.answers import pictures
from tests.api.conftest import client_of

pytestmark = pytest.mark.usefixtures("own_folder")

STATISTICS = "/api/v1/statistics/"
SVG = "{http://www.w3.org/2000/svg}"
ADDRESSES = [
    "counts/?group_by=category,sex",
    "counts/?group_by=complication,pump_model",
    "rates/?group_by=category",
    "rates/?category=catheter&group_by=year",
    "proportions/?group_by=sex&category=catheter",
    "coverage/?group_by=site",
    "survival/?category=catheter",
    "incidence/?category=catheter",
    "trend/?category=catheter",
    "funnel/?category=catheter",
    "burden/?category=catheter&group_by=sex",
    "comparison/?category=catheter&group_by=sex&adjust=window",
    "signals/",
    "cascades/",
]


def reply_of(client, address, format):
    """A reply in one format."""
    reply = client.get(f"{STATISTICS}{address}{'&' if '?' in address else '?'}format={format}")
    assert reply.status_code == 200, reply.content
    return reply


@pytest.mark.parametrize("address", ADDRESSES)
def test_numbers_of_the_chart_are_those_of_json(reviewer, address):
    shown = reply_of(reviewer, address, "json").json()["rows"]

    spec = reply_of(reviewer, address, "vega").json()

    drawn = [
        row
        for row in spec["datasets"]["rows"]
        if not row.get("chart_helping") and row.get("chart_own", True)
    ]
    names = list(shown[0]) if shown else []
    key = json.dumps
    told = [{name: row[name] for name in names} for row in drawn]
    if len(shown) <= 40:
        assert sorted(told, key=key) == sorted(shown, key=key)
    else:
        assert all(row in shown for row in told)
        assert "not drawn" in json.dumps(spec["vconcat"][-1])


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_statistic_is_drawn(reviewer, address):
    svg, png = reply_of(reviewer, address, "svg"), reply_of(reviewer, address, "png")

    root = Xml.fromstring(svg.content)  # noqa: S314 - our own
    assert root.tag == f"{SVG}svg"
    assert root[1].text.endswith("Exact numbers.")
    assert png.content.startswith(b"\x89PNG\r\n\x1a\n")


@pytest.mark.parametrize(
    ("format", "media_type"),
    [
        ("svg", "image/svg+xml"),
        ("png", "image/png"),
        ("vega", "application/vnd.vegalite.v6+json"),
    ],
)
def test_format_and_accept_header_choose_the_same(reviewer, format, media_type):
    by_format = reviewer.get(f"{STATISTICS}counts/?format={format}", HTTP_ACCEPT="text/html")
    by_header = reviewer.get(f"{STATISTICS}counts/", HTTP_ACCEPT=media_type)

    assert by_format["Content-Type"] == by_header["Content-Type"] == media_type
    assert by_format.content == by_header.content


def test_browser_that_shows_a_picture_is_given_svg(reviewer):
    accepted = "image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5"

    reply = reviewer.get(f"{STATISTICS}counts/?format=svg", HTTP_ACCEPT=accepted)

    assert reply["Content-Type"] == "image/svg+xml"


def test_whoever_accepts_anything_is_given_json(reviewer):
    assert reviewer.get(f"{STATISTICS}counts/", HTTP_ACCEPT="*/*")["Content-Type"] == (
        "application/json"
    )


@pytest.mark.parametrize("format", ["svg", "png", "vega"])
def test_known_chart_is_not_drawn_or_sent_again(reviewer, format, monkeypatch):
    first = reply_of(reviewer, "counts/", format)
    monkeypatch.setattr(pictures, "chart_of", None)  # drawing would fail
    cache.clear()

    again = reviewer.get(f"{STATISTICS}counts/?format={format}", HTTP_IF_NONE_MATCH=first["ETag"])

    assert again.status_code == 304
    assert again.content == b""
    for header in ("ETag", "Vary", "Cache-Control", "Content-Security-Policy"):
        assert again[header] == first[header]
    assert {"Accept", "Authorization", "Cookie"} <= set(first["Vary"].split(", "))
    assert first["Cache-Control"] == "private, no-cache"


def test_chart_is_drawn_once(reviewer, monkeypatch):
    first = reply_of(reviewer, "counts/", "svg")
    monkeypatch.setattr(pictures, "chart_of", None)  # drawing again would fail

    assert reply_of(reviewer, "counts/", "svg").content == first.content


def test_tag_of_every_format_is_another(reviewer):
    tags = {reply_of(reviewer, "counts/", each)["ETag"] for each in ("json", "csv", "svg", "png")}

    assert len(tags) == 4


def test_svg_may_do_nothing_in_a_browser(reviewer):
    reply = reply_of(reviewer, "counts/", "svg")

    assert reply["Content-Security-Policy"] == (
        "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    )
    assert reply["X-Content-Type-Options"] == "nosniff"


def test_chart_has_a_name_to_be_saved_under(cohort):
    call_command("freeze", "--release", "2026Q4")
    client = client_of(cohort.researcher)

    reply = reply_of(client, "counts/?group_by=category", "png")

    assert reply["Content-Disposition"] == 'inline; filename="counts-by-category-2026q4.png"'


def test_chart_shows_labels_where_rows_have_codes(reviewer):
    svg = reply_of(reviewer, "counts/?group_by=complication", "svg").content.decode()

    assert "Pump pocket infection" in svg
    assert "infection-pocket" not in svg


def test_no_rows_are_a_chart_that_says_so(reviewer):
    svg = reply_of(reviewer, "counts/?drug=ziconotide&group_by=category", "svg").content.decode()

    assert "The answer has no rows" in svg


@pytest.mark.parametrize("format", ["svg", "png", "vega"])
def test_problem_stays_json_where_a_chart_was_asked(reviewer, format):
    reply = reviewer.get(f"{STATISTICS}counts/?format={format}&drug=x")

    assert reply.status_code == 400
    assert reply["Content-Type"] == "application/problem+json"
    assert reply.json()["code"] == "unknown-code"


def test_stranger_has_no_chart_even_of_a_known_tag(reviewer):
    tag = reply_of(reviewer, "counts/", "svg")["ETag"]

    reply = client_of(None).get(f"{STATISTICS}counts/?format=svg", HTTP_IF_NONE_MATCH=tag)

    assert reply.status_code == 401
    assert reply["Content-Type"] == "application/problem+json"


def test_hidden_number_is_in_no_format(cohort):
    call_command("freeze", "--release", "2026Q4")
    researcher, reviewer = client_of(cohort.researcher), client_of(cohort.reviewer)
    address = "counts/?group_by=complication"
    rows = reply_of(researcher, address, "json").json()["rows"]
    hidden = {row["complication"] for row in rows if row["n"] is None}

    spec = reply_of(researcher, address, "vega").json()
    svg = reply_of(researcher, address, "svg").content
    exact = reply_of(reviewer, f"{address}&counting=patients", "svg").content

    drawn = {row["complication"]: row for row in spec["datasets"]["rows"]}
    assert hidden & set(drawn)  # which of the small ones depends on the keys of the records
    for code in hidden & set(drawn):
        row = drawn[code]
        assert (row["n"], row["chart_absent"], row["chart_text"]) == (None, "<11", "")
    boxes = [
        path
        for group in Xml.fromstring(svg).iter(f"{SVG}g")  # noqa: S314 - our own
        if group.get("class", "").startswith("mark-rect role-mark")
        for path in group.iter(f"{SVG}path")
    ]
    assert len(boxes) == sum(row["n"] is not None for row in drawn.values())
    assert b"Protected numbers" in svg
    assert b"Protected numbers" not in exact


def test_chart_of_one_viewer_is_not_given_to_another(cohort):
    call_command("freeze", "--release", "2026Q4")
    address = "counts/?group_by=category&counting=patients"

    exact = reply_of(client_of(cohort.reviewer), f"{address}&release=2026Q4", "svg").content
    protected = reply_of(client_of(cohort.researcher), "counts/?group_by=category", "svg").content

    assert b"Exact numbers" in exact
    assert b"Exact numbers" not in protected
