"""An answer as a picture: SVG, PNG, or its Vega-Lite specification."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import ceil
from types import MappingProxyType

from django.core.cache import cache

from registry.answers.files import as_json, body_of, file_name
from registry.charts import Chart, chart_of
from registry.records import EventQuery, Release

KEPT_SECONDS = 24 * 3600
HEAD = 400
"""The bytes of an SVG that hold its root element's attributes."""
SIZE = re.compile(r'<svg[^>]* width="([\d.]+)" height="([\d.]+)"')

SVG_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
"""The content security policy of a picture opened by its own address: it may only be drawn.

The picture's inline style is for dark pages.
"""


@dataclass(frozen=True, slots=True)
class Format:
    """One format of a picture."""

    media_type: str
    extension: str
    written: Callable[[Chart], bytes]
    policy: str | None = None


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "svg": Format("image/svg+xml", "svg", lambda chart: chart.svg().encode(), SVG_POLICY),
        "png": Format("image/png", "png", lambda chart: chart.png()),
        "vega": Format(
            "application/vnd.vegalite.v6+json",
            "vl.json",
            lambda chart: json.dumps(chart.spec, allow_nan=False).encode(),
        ),
    }
)
"""Every format of a picture, by its value of `format=`."""


def picture_of(release: Release, format: str) -> bytes:
    """The picture of an answer, cached.

    The picture of an answer without rows says so. Raises KeyError for an unknown format.
    """
    known = hashlib.sha256(as_json(body_of(release))).hexdigest()
    key = f"picture-{format}-{known}"
    drawn: bytes | None = cache.get(key)
    if drawn is None:
        drawn = FORMATS[format].written(chart_of(release))
        cache.set(key, drawn, KEPT_SECONDS)
    return drawn


def size_of(release: Release) -> tuple[int, int]:
    """The width and the height of an answer's SVG in pixels, so that a page keeps its place.

    Draws the picture where it is not cached.
    """
    root = picture_of(release, "svg")[:HEAD].decode(errors="ignore")
    found = SIZE.search(root)
    if found is None:
        raise ValueError("The SVG does not say its size.")
    return ceil(float(found[1])), ceil(float(found[2]))


def headers_of(release: Release, format: str) -> dict[str, str]:
    """The headers of a picture: its file name and its content security policy."""
    name = file_name(release, FORMATS[format].extension)
    headers = {"Content-Disposition": f'inline; filename="{name}"'}
    policy = FORMATS[format].policy
    return headers | ({"Content-Security-Policy": policy} if policy else {})


def in_words(query: EventQuery) -> EventQuery:
    """The same question with labels beside codes, for the text in a picture."""
    return replace(query, labels="both") if query.labels == "code" else query
