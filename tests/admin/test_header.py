"""One header for public pages and those of entry and review."""

import re

import pytest


def header(client, address):
    """What the header of a page says and where it leads, without the mark of the page itself."""
    html = client.get(address).text
    found = re.search(r'<header class="masthead">.*?</header>', html, re.S)[0]
    found = re.sub(r' aria-current="\w+"| value="\w+"', "", found)
    assert html.count("<header") == 1
    return [line.strip() for line in found.splitlines() if line.strip()]


@pytest.mark.parametrize("role", ["reporter", "reviewer", "auditor"])
def test_every_page_has_the_same_header(role, request, signed_in):
    client = signed_in(request.getfixturevalue(role))

    pages = ["/", "/tokens/", "/admin/", "/admin/registry/category/"]
    public, *others = [header(client, page) for page in pages]

    assert all(other == public for other in others)
    assert any("Enter and review" in line for line in public)


def test_an_auditor_is_led_to_no_dashboard(auditor, reviewer, signed_in):
    assert not any("Dashboard" in line for line in header(signed_in(auditor), "/"))
    assert any("Dashboard" in line for line in header(signed_in(reviewer), "/"))


@pytest.mark.parametrize(
    ("address", "words"), [("/admin/", "Enter and review"), ("/", "Catalogue")]
)
def test_the_header_marks_where_one_is(address, words, reporter, signed_in):
    html = signed_in(reporter).get(address).text

    assert re.findall(r'aria-current="page">([^<]*)<', html)[0] == words
