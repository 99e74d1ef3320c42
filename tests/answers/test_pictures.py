"""The size of a picture, which a page needs before it loads."""

import pytest

from registry.answers import pictures
from registry.answers.pictures import size_of
from registry.charts import chart_of
from tests.charts.answers import counts


def test_size_is_that_of_the_svg():
    svg = chart_of(counts()).svg()

    width, height = size_of(counts())

    assert f'width="{width}" height="{height}"' in svg


def test_part_of_a_pixel_is_a_whole_one(monkeypatch):
    root = b'<svg class="marks" width="640.5" height="99.25">'
    monkeypatch.setattr(pictures, "picture_of", lambda release, format: root)

    assert size_of(counts()) == (641, 100)


def test_picture_without_a_size_is_an_error(monkeypatch):
    monkeypatch.setattr(pictures, "picture_of", lambda release, format: b"<svg>")

    with pytest.raises(ValueError, match="does not say its size"):
        size_of(counts())
