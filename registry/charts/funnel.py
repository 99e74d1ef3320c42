"""Sites' observed over expected events, with 95 and 99.8 % limits (Spiegelhalter 2005)."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import altair as alt

from registry.charts.framing import Drawing, Part, in_words_alone, layered, once_data, rows_data
from registry.charts.shaping import Drawn, label_of_site, numbers
from registry.charts.theme import (
    ACCENT,
    ALERT,
    EDGE,
    GROUND,
    INK,
    LETTER,
    LINE_HEIGHT,
    QUIET,
    WIDE,
)
from registry.charts.wording import (
    GONE,
    HIDDEN,
    WHY_PALE,
    counted_in_words,
    figure,
    statuses_in_words,
)
from registry.records import Release
from registry.records.enumeration import enumerated
from registry.vocabulary import CellStatus

TALL = 340
LEFT = 76
LIMITS = {"lower_998": "998", "upper_998": "998", "lower_95": "95", "upper_95": "95"}
NOT_JUDGED = "not judged"
SIGNALS = {
    "not-judged": NOT_JUDGED,
    "within": "within the limits",
    "above-95": "above 95 %",
    "above-998": "above 99.8 %",
    "below-95": "below 95 %",
    "below-998": "below 99.8 %",
}
INSIDE = {"within the limits", NOT_JUDGED}
MARKS = {
    NOT_JUDGED: ("circle", QUIET),
    "within the limits": ("circle", ACCENT),
    "above 95 %": ("triangle-up", "#e69f00"),
    "above 99.8 %": ("triangle-up", ALERT),
    "below 95 %": ("triangle-down", "#56b4e9"),
    "below 99.8 %": ("triangle-down", "#009e73"),
}
NO_SITE = "No site has a number that can be drawn."
HEADROOM = 1.25
END = 1.06
"""The end of the axis, as a multiple of the most expected events."""
BESIDE = 7
"""Pixels from a point to its name."""
Box = tuple[float, float, float, float]
NEAR_THE_AXIS = 0.2
"""The part of the axis in which a site's name is on the right of its point."""


def funnel(release: Release) -> Drawing:
    """A point for each site, observed over expected by expected events, and the two funnels.

    The limits are the sites' own, joined from site to site. Sites outside them are named, and
    others where there is room. Points of sites with few events are pale. Sites with hidden numbers
    have no point; a sentence names them.
    """
    rows: list[Drawn] = [_placed(row) for row in release.rows]
    drawn = [row for row in rows if row["chart_drawn"]]
    if not drawn:
        notes = [*_notes(release, _hidden(rows), 0), *statuses_in_words(rows)]
        return in_words_alone(NO_SITE, notes=notes)
    top = max(HEADROOM * max(numbers(drawn, "ratio"), default=1.0), _limit_at_median(drawn), 1.6)
    end = max(numbers(drawn, "expected"), default=1.0)
    for row in drawn:
        row["chart_left"] = row["expected"] < NEAR_THE_AXIS * end
    _name(drawn, end=END * end, top=top)
    hidden = _hidden(rows)
    without = len(rows) - len(drawn) - len(hidden)
    return Drawing(
        plot=partial(_plot, drawn, top),
        rows=rows,
        left=LEFT,
        width=WIDE + 20,
        said=_said(drawn, len(hidden)),
        notes=_notes(release, hidden, without),
        unstable=WHY_PALE,
    )


def _hidden(rows: Sequence[Drawn]) -> list[Drawn]:
    return [row for row in rows if row["status"] in GONE]


def _placed(row: Mapping[str, Any]) -> Drawn:
    drawn = row["ratio"] is not None and row["expected"] is not None
    named = SIGNALS.get(str(row.get("signal") or ""), "within the limits")
    outside = drawn and named not in INSIDE
    site = label_of_site(row)
    return {
        **row,
        "chart_drawn": drawn,
        "chart_signal": named if drawn else HIDDEN,
        "chart_name": site if outside else "",
        "chart_outside": outside,
        "chart_unstable": drawn and row["status"] == CellStatus.UNSTABLE,
        "chart_site": site,
    }


def _name(rows: Sequence[Drawn], *, end: float, top: float) -> None:
    """Names sites within the limits where the name hides no point and no other name."""
    points = [_at(row, end=end, top=top) for row in rows]
    named = [_box(row, at) for row, at in zip(rows, points, strict=True) if row["chart_outside"]]
    for row, at in zip(rows, points, strict=True):
        box = _box(row, at)
        taken = [*named, *(_around(other) for other in points if other is not at)]
        if not row["chart_outside"] and not any(_meet(box, other) for other in taken):
            row["chart_name"] = row["chart_site"]
            named.append(box)


def _at(row: Drawn, *, end: float, top: float) -> tuple[float, float]:
    return WIDE * row["expected"] / end, TALL * (1 - row["ratio"] / top)


def _box(row: Drawn, at: tuple[float, float]) -> Box:
    """Where a site's name stands: left, top, right, bottom."""
    wide = 1.15 * LETTER * len(row["chart_site"]) + BESIDE
    left = at[0] + BESIDE if row["chart_left"] else at[0] - wide
    return left, at[1] - LINE_HEIGHT - 4, left + wide - BESIDE, at[1] - 2


def _around(at: tuple[float, float]) -> Box:
    return at[0] - BESIDE, at[1] - BESIDE, at[0] + BESIDE, at[1] + BESIDE


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _limit_at_median(rows: Sequence[Drawn]) -> float:
    """The median upper limit: small sites have limits beyond any axis."""
    found = sorted(numbers(rows, "upper_998"))
    return found[len(found) // 2] if found else 0.0


def _plot(rows: Sequence[Drawn], top: float) -> Part:
    end = END * max(numbers(rows, "expected"), default=1.0)
    x_scale = alt.Scale(domain=[0, end], nice=False)
    y_scale = alt.Scale(domain=[0, top], nice=True)
    axis = alt.Axis(title="Expected events", format=",.3~g", grid=False, tickCount=10)
    x = alt.X("expected:Q", scale=x_scale, axis=axis)
    y = alt.Y(
        "ratio:Q",
        scale=y_scale,
        axis=alt.Axis(
            title="Observed / expected",
            tickCount=6,
            format=".3~g",
            minExtent=LEFT - 26,
            maxExtent=LEFT - 26,
        ),
    )
    there = alt.Chart(rows_data()).transform_filter("datum.chart_drawn")
    used = [name for name in MARKS if any(row["chart_signal"] == name for row in rows)]
    legend = alt.Legend(title=None, orient="top", columns=4)
    sides: list[tuple[str, dict[str, Any]]] = [
        ("datum.chart_left", {"align": "left", "dx": 6}),
        ("!datum.chart_left", {"align": "right", "dx": -5}),
    ]
    weights: list[tuple[str, Any]] = [
        ("datum.chart_outside", "bold"),
        ("!datum.chart_outside", "normal"),
    ]
    halos: list[dict[str, Any]] = [{"stroke": GROUND, "strokeWidth": 3.5}, {}]
    layers = [
        there.mark_line(
            stroke=INK if kind == "998" else EDGE,
            strokeDash=[1, 0] if kind == "998" else [5, 3],
            strokeWidth=1.2,
            clip=True,
            interpolate="monotone",
        ).encode(x=x, y=alt.Y(f"{name}:Q", scale=y_scale), order=alt.Order("expected:Q"))
        for name, kind in LIMITS.items()
        if numbers(rows, name)
    ]
    layers += [
        alt.Chart(once_data())
        .mark_rule(stroke=QUIET, strokeWidth=1)
        .encode(y=alt.Y("one:Q", scale=y_scale)),
        there.mark_point(filled=True, size=72, stroke=INK, strokeWidth=0.6, opacity=1).encode(
            x=x,
            y=y,
            fillOpacity=alt.FillOpacityValue(
                **alt.condition("datum.chart_unstable", alt.value(0.35), alt.value(0.95))
            ),
            color=alt.Color(
                "chart_signal:N",
                scale=alt.Scale(domain=used, range=[MARKS[name][1] for name in used]),
                legend=legend,
            ),
            shape=alt.Shape(
                "chart_signal:N",
                scale=alt.Scale(domain=used, range=[MARKS[name][0] for name in used]),
                legend=legend,
            ),
        ),
        *(
            there.transform_filter(f"{test} && {chosen}")
            .mark_text(baseline="bottom", dy=-4, fontWeight=weight, **side, **halo)
            .encode(x=x, y=y, text=alt.Text("chart_name:N"))
            for test, side in sides
            for halo in halos
            for chosen, weight in weights
        ),
    ]
    return layered(*layers, width=WIDE, height=TALL)


def _notes(release: Release, hidden: Sequence[Drawn], without: int) -> list[str]:
    meta: Mapping[str, Any] = release.meta
    about: Mapping[str, Any] = meta.get("funnel") or {}
    said = [*_of_limits(about)]
    if about.get("standardisation"):
        said.insert(1, f"Expected numbers: {about['standardisation']}.")
    if hidden:
        listed = enumerated([row["chart_site"] for row in hidden], last="and")
        sites = counted_in_words(len(hidden), "site has", "sites have")
        said.append(f"{sites} no point, {HIDDEN}: {listed}.")
    if without:
        sites = counted_in_words(without, "site has", "sites have")
        said.append(f"{sites} no point: their expected number is 0.")
    return said


def _of_limits(about: Mapping[str, Any]) -> Iterator[str]:
    """What the limits are and allow for, or why there are none."""
    verdicts: Mapping[str, Any] = about.get("verdicts") or {}
    if verdicts.get("reason"):
        yield str(verdicts["reason"])
        return
    yield "Solid lines: 99.8 % limits around 1; broken lines: 95 % limits."
    over: Mapping[str, Any] = about.get("overdispersion") or {}
    if verdicts:
        yield (
            "Wider than those of exact numbers: of the sites beyond them at most one in ten is not "
            "beyond those."
        )
    elif over.get("applied"):
        yield f"The limits allow for over-dispersion (phi {over['phi']:.3g})."
    elif over.get("reason"):
        yield f"No allowance for over-dispersion: {str(over['reason']).rstrip('.')}."


def _said(rows: Sequence[Drawn], hidden: int) -> str:
    outside = [row for row in rows if row["chart_outside"]]
    named = "; ".join(
        f"{row['chart_site']} {row['chart_signal']}, {figure(row['events'])} observed of"
        f" {figure(row['expected'])} expected"
        for row in outside[:4]
    )
    more = f" and {len(outside) - 4} more" if len(outside) > 4 else ""
    beside = f"; {counted_in_words(hidden, 'site is', 'sites are')} hidden" if hidden else ""
    if all(row["chart_signal"] == NOT_JUDGED for row in rows):
        shown = counted_in_words(len(rows), "site is", "sites are")
        return f"{shown} shown and not judged: too few for limits{beside}."
    within = len(rows) - len(outside)
    return (
        f"{counted_in_words(within, 'site is', 'sites are')} within the limits, {len(outside)}"
        f" outside{f': {named}{more}' if named else ''}{beside}."
    )
