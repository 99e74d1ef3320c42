"""Colours, fonts and sizes of every picture: legible in print and to colour-blind readers.

Series take Okabe and Ito's colours (2008) without yellow and black, the lightest last. Some are too
pale for thin lines on white, so every mark has a dark edge, and lines also differ by dashes, points
by shapes. Every colour has a counterpart for a dark page.
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
"""The counterpart of each colour on a dark page."""

SCALE = ("#eef4f8", "#cfe3ef", "#9fc8e0", "#5fa5cf", "#2377ae", "#084d83")
"""A sequential scale in one hue, whose order survives grey print; the same on a dark page."""
ON_PALE, ON_DEEP = "#10202a", "#fdfefe"
"""Text on the pale and on the deep end of the scale; the same on a dark page."""

FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
"""The renderer includes the first; the others have the same widths."""
TEXT = 14
"""The size in pixels of every text in a picture, except its title."""
TITLE = 18
LINE_HEIGHT = 18
"""The height of a line of text."""
LETTER = 7.1
"""The width of a letter of a text, a generous average."""

WIDTH = 340
"""The width of the plot, without labels and figures."""
WIDE = 640
"""The width of a plot without figures beside it."""
BAR = 18
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
            "labelFontSize": TEXT,
            "titleFontSize": TEXT,
            "titleFontWeight": "normal",
            "gridColor": LINE,
            "domainColor": EDGE,
            "tickColor": EDGE,
            "titlePadding": 8,
        },
        "legend": {
            **letters,
            "labelFontSize": TEXT,
            "titleFontSize": TEXT,
            "titleFontWeight": "normal",
            "labelLimit": 340,
        },
        "header": {**letters, "labelFontSize": TEXT},
        "title": {"font": FONT, "color": INK, "subtitleFont": FONT, "subtitleColor": QUIET},
        "text": {"font": FONT, "fontSize": TEXT, "fill": INK},
        "range": {"category": list(SERIES), "symbol": list(SHAPES)},
    }
