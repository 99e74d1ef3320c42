"""Colours, letters and sizes of every picture: legible in print, and to eyes that confuse colours.

Series take Okabe and Ito's colours (2008) without their yellow and their black, the lightest last;
those are too pale for thin lines on white, so that every mark has a dark edge, lines differ by
their dashes and points by their shapes too. Every colour has a counterpart for a dark page.
"""

from typing import Any

GROUND = "#ffffff"
INK = "#16242a"
QUIET = "#4d5f67"
LINE = "#d9e1e3"
EDGE = "#75868d"
ACCENT = "#0072b2"
ALERT = "#d55e00"
SERIES = (ACCENT, ALERT, "#009e73", "#cc79a7", "#5f6b70", "#e69f00", "#56b4e9")
DASHES = ([1, 0], [6, 2], [2, 2], [8, 2, 2, 2], [4, 4], [12, 3], [1, 3])
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right")

DARK = {
    GROUND: "#172226",
    INK: "#e5edef",
    QUIET: "#a6b7bd",
    LINE: "#304147",
    EDGE: "#7f939a",
    ACCENT: "#3f9fdd",
    ALERT: "#f0803c",
    "#009e73": "#2fc79d",
    "#cc79a7": "#e8a3cb",
    "#5f6b70": "#b4c0c5",
    "#e69f00": "#f3bf4a",
    "#56b4e9": "#a9dcfa",
}
"""What each colour becomes where the reader's page is dark."""

SCALE = ("#eef4f8", "#cfe3ef", "#9fc8e0", "#5fa5cf", "#2377ae", "#084d83")
"""From little to much, in one hue: the order survives grey print. The same on any page."""
ON_PALE, ON_DEEP = "#10202a", "#fdfefe"
"""Letters on the pale and on the deep end of the scale; they stay as they are on a dark page."""

FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
"""The renderer brings the first along; the others have letters of the same width."""
LETTER = 5.6
"""How wide a letter of 11 px is, on average and rather too much."""

WIDTH = 340
"""Of the plot, without labels and figures."""
WIDE = 520
"""Of the plot where no figures stand beside it."""
BAR = 15
MOST_SERIES = len(SERIES)


def config() -> dict[str, Any]:
    """The settings that every picture shares."""
    letters = {"labelFont": FONT, "titleFont": FONT, "labelColor": INK, "titleColor": QUIET}
    return {
        "background": GROUND,
        "padding": 14,
        "font": FONT,
        "aria": False,
        "view": {"stroke": None},
        "axis": {
            **letters,
            "labelFontSize": 11,
            "titleFontSize": 11,
            "titleFontWeight": "normal",
            "gridColor": LINE,
            "domainColor": EDGE,
            "tickColor": EDGE,
            "titlePadding": 8,
        },
        "legend": {
            **letters,
            "labelFontSize": 11,
            "titleFontSize": 11,
            "titleFontWeight": "normal",
            "labelLimit": 260,
        },
        "header": {**letters, "labelFontSize": 11},
        "title": {"font": FONT, "color": INK, "subtitleFont": FONT, "subtitleColor": QUIET},
        "text": {"font": FONT, "fontSize": 11, "fill": INK},
        "range": {"category": list(SERIES), "symbol": list(SHAPES)},
    }
