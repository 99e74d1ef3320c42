"""Chooses an answer's picture by its measure and its groupings."""

from collections.abc import Callable, Mapping

from registry.charts.bars import MOST_BARS, bars
from registry.charts.coverage import coverage
from registry.charts.curves import curves
from registry.charts.framing import Drawing, framed, in_words_alone
from registry.charts.funnel import funnel
from registry.charts.matrices import cascades, heat_map
from registry.charts.picture import Chart
from registry.charts.points import forest, has_literature, signals
from registry.charts.ratios import ratios
from registry.charts.shaping import grouping_of
from registry.charts.theme import MOST_SERIES
from registry.charts.years import fits, over_years, trend
from registry.records import PictureKind, Release

OF_KIND: Mapping[PictureKind, Callable[[Release], Drawing]] = {
    PictureKind.CURVES: curves,
    PictureKind.RATIOS: ratios,
    PictureKind.FUNNEL: funnel,
    PictureKind.TREND: trend,
    PictureKind.PAIRS: signals,
    PictureKind.CASCADES: cascades,
    PictureKind.PLACES: coverage,
}
"""The drawing of each kind; estimates are drawn by their grouping."""

COMPLICATIONS = frozenset({"complication", "category"})
DEVICES = frozenset({"pump_model", "catheter_model", "manufacturer"})
NO_ROWS = "The answer has no rows: nothing recorded matches the question."


def chart_of(release: Release) -> Chart:
    """The picture of an answer, with the numbers of its rows.

    Chosen by the answer's kind, and for estimates by the grouping: complications by model, and two
    dimensions of many values, as a heat map; years as points on a line; a rate or proportion with
    published figures as a forest plot; everything else as bars. The picture of an answer without
    rows says so. A hidden number is a word, never a bar of length 0; a sentence counts the rows
    that are not drawn.
    """
    return framed(_drawing_of(release), release)


def _drawing_of(release: Release) -> Drawing:
    if not release.rows:
        return in_words_alone(NO_ROWS)
    if release.reading.picture is not PictureKind.ESTIMATES:
        return OF_KIND[release.reading.picture](release)
    if has_literature(release):
        return forest(release)
    if fits(release):
        return over_years(release)
    if is_matrix(release):
        return heat_map(release)
    return bars(release)


def is_matrix(release: Release) -> bool:
    """Whether two dimensions are drawn as a heat map, not as bars."""
    names = grouping_of(release)
    if len(names) < 2:
        return False
    if names[0] in COMPLICATIONS and names[1] in DEVICES:
        return True
    many = len({row[names[1]] for row in release.rows}) > MOST_SERIES
    return many or len(release.rows) > MOST_BARS
