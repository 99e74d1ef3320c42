"""The geometry of two small pictures: a rate by year, and figures side by side with their limits.

Templates draw it as inline SVG; the stylesheet sets colours and fonts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import floor, log10

WIDTH = 480.0
TREND_HEIGHT = 250.0
LEFT, RIGHT, TOP, BOTTOM = 46.0, 10.0, 14.0, 34.0
ROW = 30.0
LABELS = 170.0
MOST_TICKS = 5
MOST_YEARS = 6
HEADROOM = 1.6
"""The longest axis, as a multiple of the highest estimate; wider limits are cut off."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its limits; None where it is hidden or undefined."""

    label: str
    value: float | None
    lower: float | None
    upper: float | None
    own: bool = True

    @property
    def is_whole(self) -> bool:
        """Whether it can be drawn."""
        return None not in (self.value, self.lower, self.upper)


@dataclass(frozen=True, slots=True)
class DrawnMark:
    """One estimate in the picture: its point and its limits. cut: the limit exceeds the axis."""

    label: str
    at: float
    value: float
    lower: float
    upper: float
    cut: bool
    own: bool = True


@dataclass(frozen=True, slots=True)
class Picture:
    """Marks with their axes; lines join marks of neighbouring years. All in units of the view."""

    width: float
    height: float
    marks: Sequence[DrawnMark]
    values: Sequence[tuple[float, str]]
    places: Sequence[tuple[float, str]] = ()
    lines: Sequence[str] = field(default=())

    @property
    def view(self) -> str:
        """The viewBox."""
        return f"0 0 {self.width:g} {self.height:g}"

    @property
    def is_cut(self) -> bool:
        """Whether some limits are cut off."""
        return any(mark.cut for mark in self.marks)

    @property
    def floor(self) -> float:
        """The lower edge of the marks, above the axis labels."""
        return self.height - BOTTOM

    left = LEFT
    labels = LABELS
    right = WIDTH - RIGHT
    top = TOP


def trend_picture(years: Sequence[tuple[int, Estimate]]) -> Picture | None:
    """A rate by calendar year, from left to right; None where fewer than two years have one."""
    drawn = [(year, each) for year, each in years if each.is_whole]
    if len(drawn) < 2:
        return None
    ticks = ticks_to(highest([each for _year, each in drawn]))
    down = scale(0.0, ticks[-1], TREND_HEIGHT - BOTTOM, TOP)
    first, last = drawn[0][0], drawn[-1][0]
    across = scale(first, last, LEFT + 14, WIDTH - RIGHT - 14)
    marks = [marked(each, across(year), down, ticks[-1]) for year, each in drawn]
    step = -(-(last - first + 1) // MOST_YEARS)
    return Picture(
        width=WIDTH,
        height=TREND_HEIGHT,
        marks=marks,
        values=[(down(tick), f"{tick:g}") for tick in ticks],
        places=[(across(year), str(year)) for year in range(first, last + 1, step)],
        lines=joined([year for year, _each in drawn], marks),
    )


def forest_picture(estimates: Sequence[Estimate], *, unit: str = "") -> Picture | None:
    """Figures below one another on one axis; None where fewer than two can be drawn."""
    drawn = [each for each in estimates if each.is_whole]
    if len(drawn) < 2:
        return None
    ticks = ticks_to(highest(drawn))
    across = scale(0.0, ticks[-1], LABELS, WIDTH - RIGHT - 14)
    marks = [
        marked(each, TOP + ROW * (place + 0.5), across, ticks[-1])
        for place, each in enumerate(drawn)
    ]
    return Picture(
        width=WIDTH,
        height=TOP + ROW * len(drawn) + BOTTOM,
        marks=marks,
        values=[(across(tick), f"{tick:g}{unit}") for tick in ticks],
    )


def highest(estimates: Sequence[Estimate]) -> float:
    """The number that an axis has to reach: the highest limit, unless it is far above all values.

    Otherwise one year with very wide limits would flatten all others.
    """
    limit = max(each.upper or 0.0 for each in estimates)
    top = max(each.value or 0.0 for each in estimates)
    return (min(limit, HEADROOM * top) if top else limit) or 1.0


def ticks_to(top: float) -> list[float]:
    """Round numbers from 0 up to at least `top`, at most six, which must be above 0."""
    rough = top / MOST_TICKS
    power = 10.0 ** floor(log10(rough))
    step = next(each * power for each in (1, 2, 2.5, 5, 10) if each * power >= rough * (1 - 1e-9))
    count = next(n for n in range(1, MOST_TICKS + 2) if n * step >= top * (1 - 1e-9))
    return [round(n * step, 12) for n in range(count + 1)]


def scale(first: float, last: float, start: float, end: float) -> Callable[[float], float]:
    """Maps a number from the range first to last onto start to end."""

    def place(value: float) -> float:
        return round(start + (value - first) / (last - first) * (end - start), 2)

    return place


def marked(
    estimate: Estimate, at: float, place: Callable[[float], float], most: float
) -> DrawnMark:
    """The mark of an estimate; limits beyond the axis are cut off."""
    value, lower, upper = estimate.value or 0.0, estimate.lower or 0.0, estimate.upper or 0.0
    return DrawnMark(
        label=estimate.label,
        at=at,
        value=place(min(value, most)),
        lower=place(min(lower, most)),
        upper=place(min(upper, most)),
        cut=upper > most,
        own=estimate.own,
    )


def joined(years: Sequence[int], marks: Sequence[DrawnMark]) -> list[str]:
    """The points of a line through neighbouring years, a new line after every gap."""
    runs: list[list[str]] = []
    for place, (year, mark) in enumerate(zip(years, marks, strict=True)):
        if place == 0 or year != years[place - 1] + 1:
            runs.append([])
        runs[-1].append(f"{mark.at:g},{mark.value:g}")
    return [" ".join(run) for run in runs if len(run) > 1]
