"""The geometry of small pictures: figures with limits side by side, in strips, and by year.

Templates draw it as inline SVG; the stylesheet sets colours and fonts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import floor, inf, log10

WIDTH = 480.0
RIGHT, TOP, BOTTOM = 10.0, 14.0, 34.0
ROW = 30.0
LABELS = 170.0
MOST_TICKS = 5
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
    stable: bool = True

    @property
    def is_whole(self) -> bool:
        """Whether it can be drawn."""
        return None not in (self.value, self.lower, self.upper)


NO_ESTIMATE = Estimate("", None, None, None)
"""That of a row without a number."""


@dataclass(frozen=True, slots=True)
class DrawnMark:
    """One estimate in the picture: its point and its limits.

    cut: the limit exceeds the axis. beyond: the point itself does, and stands at its end.
    """

    label: str
    at: float
    value: float
    lower: float
    upper: float
    cut: bool
    own: bool = True
    beyond: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """Marks with their axis, in units of the view."""

    width: float
    height: float
    marks: Sequence[DrawnMark]
    values: Sequence[tuple[float, str]]

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

    labels = LABELS
    top = TOP


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


def typical(estimates: Sequence[Estimate]) -> float:
    """The median of the values above 0; infinite without any."""
    found = sorted(each.value for each in estimates if each.value)
    return found[len(found) // 2] if found else inf


def ticks_to(top: float, *, most: int = MOST_TICKS) -> list[float]:
    """Round numbers from 0 up to at least `top`, which must be above 0. most: how many above 0."""
    rough = top / most
    power = 10.0 ** floor(log10(rough))
    step = next(each * power for each in (1, 2, 2.5, 5, 10) if each * power >= rough * (1 - 1e-9))
    count = next(n for n in range(1, most + 2) if n * step >= top * (1 - 1e-9))
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
        beyond=value > most,
    )


STRIP_WIDTH, STRIP_HEIGHT = 136.0, 26.0
"""Pixels, as they are shown: the numbers of the axis are 14 pixels high."""
STRIP_TICKS = 3
STRIP_EDGE = 12.0
"""Pixels at either end of a strip, so that no mark and no number of the axis is cut."""


@dataclass(frozen=True, slots=True)
class Strip:
    """One row's estimate with its limits on the axis of its table; others: beside it, as places."""

    mark: DrawnMark
    others: Sequence[tuple[str, float]] = ()

    view = f"0 0 {STRIP_WIDTH:g} {STRIP_HEIGHT:g}"
    middle = STRIP_HEIGHT / 2
    height = STRIP_HEIGHT


@dataclass(frozen=True, slots=True)
class StripAxis:
    """The axis that the strips of one table share: the places of its numbers."""

    ticks: Sequence[float]

    width = STRIP_WIDTH
    height = STRIP_HEIGHT

    @property
    def values(self) -> Sequence[tuple[float, str]]:
        """The places of the numbers with their words."""
        return [(self.place(tick), f"{tick:g}") for tick in self.ticks]

    def place(self, value: float) -> float:
        """Where a number is; at the end where it is beyond."""
        across = scale(0.0, self.ticks[-1], STRIP_EDGE, STRIP_WIDTH - STRIP_EDGE)
        return across(min(value, self.ticks[-1]))

    def strip(self, estimate: Estimate, others: Sequence[tuple[str, float | None]] = ()) -> Strip:
        """A row on this axis; others are marked by their kind where they have a number."""
        return Strip(
            marked(estimate, STRIP_HEIGHT / 2, self.place, self.ticks[-1]),
            [(kind, self.place(value)) for kind, value in others if value is not None],
        )


def strip_axis(estimates: Sequence[Estimate]) -> StripAxis | None:
    """The axis of these rows; None where none can be drawn."""
    drawn = [each for each in estimates if each.is_whole]
    return StripAxis(ticks_to(highest(drawn), most=STRIP_TICKS)) if drawn else None


FAR = 5.0
"""The longest axis of years, as a multiple of their median."""
SMALL_WIDTH, SMALL_HEIGHT = 200.0, 84.0
SMALL_LEFT, SMALL_RIGHT, SMALL_TOP, SMALL_BOTTOM = 34.0, 8.0, 10.0, 22.0
SMALL_EDGE, DIGIT, POINT = 10.0, 12.5, 6.0
"""The room beside the numbers of an axis, and that of their digits as large as on a phone."""


@dataclass(frozen=True, slots=True)
class SmallPicture:
    """One rate by calendar year. lines: joined over neighbouring years. hidden: years without.

    left: where the plot begins, beside the numbers of its axis.
    """

    marks: Sequence[DrawnMark]
    lines: Sequence[str]
    values: Sequence[tuple[float, str]]
    places: Sequence[tuple[float, str]]
    changes: Sequence[float]
    hidden: Sequence[float]
    left: float

    view = f"0 0 {SMALL_WIDTH:g} {SMALL_HEIGHT:g}"
    width, height = SMALL_WIDTH, SMALL_HEIGHT
    right = SMALL_WIDTH - SMALL_RIGHT
    top, floor = SMALL_TOP, SMALL_HEIGHT - SMALL_BOTTOM


def small_picture(
    years: Sequence[tuple[int, Estimate]],
    *,
    between: tuple[int, int],
    step: int = 1,
    changed: Sequence[int] = (),
) -> SmallPicture | None:
    """A rate by calendar year, from left to right; None where fewer than two years have one.

    years: in order; step: years from one to the next. between: the first and the last year of the
    axis. changed: years to mark with a line. The axis is that of the stable ones, if there are two,
    and at most FAR times the median: what is beyond is marked.
    """
    drawn = [(year, each) for year, each in years if each.is_whole]
    if len(drawn) < 2:
        return None
    stable = [each for _year, each in drawn if each.stable]
    kept = stable if len(stable) > 1 else [each for _year, each in drawn]
    top = ticks_to(min(highest(kept), FAR * typical([each for _year, each in drawn])))[-1]
    numbers = [(value, f"{value:g}") for value in (0.0, top)]
    left = max(SMALL_LEFT, *(room_of(label) for _value, label in numbers))
    down = scale(0.0, top, SMALL_HEIGHT - SMALL_BOTTOM, SMALL_TOP)
    first, last = between
    across = scale(first, last, left + 8, SMALL_WIDTH - SMALL_RIGHT - 8)
    marks = [marked(each, across(year), down, top) for year, each in drawn]
    return SmallPicture(
        marks=marks,
        lines=joined([year for year, _each in drawn], marks, step=step),
        values=[(down(value), label) for value, label in numbers],
        places=[(across(year), str(year)) for year in (first, last)],
        changes=[across(year) for year in changed if first < year <= last],
        hidden=[across(year) for year, each in years if not each.is_whole],
        left=left,
    )


def room_of(label: str) -> float:
    """How much room a number takes before a small plot."""
    points = label.count(".")
    return SMALL_EDGE + DIGIT * (len(label) - points) + POINT * points


def joined(years: Sequence[int], marks: Sequence[DrawnMark], *, step: int = 1) -> list[str]:
    """The points of a line through neighbouring years, a new line after every gap."""
    runs: list[list[str]] = []
    for place, (year, mark) in enumerate(zip(years, marks, strict=True)):
        if place == 0 or year != years[place - 1] + step:
            runs.append([])
        runs[-1].append(f"{mark.at:g},{mark.value:g}")
    return [" ".join(run) for run in runs if len(run) > 1]
