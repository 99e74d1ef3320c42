"""A picture: its specification, its texts, and its files."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import Any

import vl_convert

from registry.charts.theme import DARK

VEGA_LITE = "6.4"
"""The version of Vega-Lite that Altair writes and the renderer reads."""
NO_ADDRESS: list[str] = []
"""The addresses from which a specification may load data: none."""
CLIP = re.compile(r'(?<=<clipPath id=")clip\d+(?=")|(?<=clip-path="url\(#)clip\d+(?=\)")')
SCALE = 2.0
"""The scale of a PNG."""


@dataclass(frozen=True)
class Chart:
    """One answer as a picture.

    specify: makes the specification, lazily, since it is slow. alt: the picture in a sentence or
    two, with its main numbers.
    """

    specify: Callable[[], Mapping[str, Any]]
    title: str
    alt: str

    @cached_property
    def spec(self) -> Mapping[str, Any]:
        """Vega-Lite, whose data set `rows` holds the answer's rows as they were released."""
        return self.specify()

    @cached_property
    def _drawn(self) -> str:
        drawn: str = vl_convert.vegalite_to_svg(
            json.dumps(self.spec), vl_version=VEGA_LITE, allowed_base_urls=NO_ADDRESS
        )
        return _numbered_anew(drawn)

    def svg(self) -> str:
        """The picture as SVG with its title and description, and dark on a dark page.

        It runs no script and loads nothing. The renderer escapes its texts; the title and the
        description are escaped here.
        """
        root, body = self._drawn.split(">", 1)
        return (
            f'{root} role="img" aria-labelledby="chart-title chart-words">'
            f'<title id="chart-title">{escape(self.title, quote=False)}</title>'
            f'<desc id="chart-words">{escape(self.alt, quote=False)}</desc>'
            f"<style>{_STYLE}</style>{body}"
        )

    def png(self) -> bytes:
        """The picture as PNG on a light background, at twice the size of the SVG."""
        drawn: bytes = vl_convert.svg_to_png(self._drawn, scale=SCALE)
        return drawn


def _numbered_anew(svg: str) -> str:
    """The same SVG with its clip ids numbered from 0: the renderer goes on counting."""
    places: dict[str, int] = {}
    return CLIP.sub(lambda found: f"clip{places.setdefault(found[0], len(places))}", svg)


def _dark_style() -> str:
    """Style rules that replace every colour by its counterpart on dark screens, not in print."""
    rules = "".join(
        f'[{part}="{light}"]{{{part}:{dark}}}'
        for light, dark in DARK.items()
        for part in ("fill", "stroke")
    )
    return f"@media screen and (prefers-color-scheme:dark){{{rules}}}"


_STYLE = _dark_style()
