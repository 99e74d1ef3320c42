"""Sites' observed over expected events, with 95 and 99.8 % limits (Spiegelhalter 2005)."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import altair as alt

from registry.charts.framing import Drawing, once_data, rows_data
from registry.charts.shaping import Drawn, label_of_site, numbers
from registry.charts.theme import ACCENT, ALERT, EDGE, GROUND, INK, QUIET, WIDE
from registry.charts.wording import GONE, HIDDEN, counted_in_words, figure
from registry.records import Release

TALL = 320
LEFT = 64
LIMITS = {"lower_998": "998", "upper_998": "998", "lower_95": "95", "upper_95": "95"}
SIGNALS = {
    "within": "within the limits",
    "above-95": "above 95 %",
    "above-998": "above 99.8 %",
    "below-95": "below 95 %",
    "below-998": "below 99.8 %",
}
MARKS = {
    "within the limits": ("circle", ACCENT),
    "above 95 %": ("triangle-up", "#e69f00"),
    "above 99.8 %": ("triangle-up", ALERT),
    "below 95 %": ("triangle-down", "#56b4e9"),
    "below 99.8 %": ("triangle-down", "#009e73"),
}
HEADROOM = 1.25
NEAR_THE_AXIS = 0.2
"""The part of the axis in which a site's name is on the right of its point."""


def funnel(release: Release) -> Drawing:
    """A point for each site, observed over expected by expected events, and the two funnels.

    The limits are the sites' own, joined from site to site. Sites outside them are named. Sites
    with hidden numbers have no point; a sentence counts them.
    """
    rows: list[Drawn] = [_placed(row) for row in release.rows]
    drawn = [row for row in rows if row["chart_drawn"]]
    top = max(HEADROOM * max(numbers(drawn, "ratio"), default=1.0), _limit_at_median(drawn), 1.6)
    end = max(numbers(drawn, "expected"), default=1.0)
    for row in drawn:
        row["chart_left"] = row["expected"] < NEAR_THE_AXIS * end
    hidden = sum(row["status"] in GONE for row in rows)
    without = len(rows) - len(drawn) - hidden
    return Drawing(
        plot=partial(_plot, drawn, top),
        rows=rows,
        left=LEFT,
        width=WIDE + 20,
        said=_said(drawn, hidden),
        notes=_notes(release, hidden, without),
    )


def _placed(row: Mapping[str, Any]) -> Drawn:
    drawn = row["ratio"] is not None and row["expected"] is not None
    named = SIGNALS.get(str(row.get("signal") or ""), "within the limits")
    outside = drawn and named != "within the limits"
    site = label_of_site(row)
    return {
        **row,
        "chart_drawn": drawn,
        "chart_signal": named if drawn else HIDDEN,
        "chart_name": site if outside else "",
        "chart_site": site,
    }


def _limit_at_median(rows: Sequence[Drawn]) -> float:
    """The median upper limit: small sites have limits beyond any axis."""
    found = sorted(numbers(rows, "upper_998"))
    return found[len(found) // 2] if found else 0.0


def _plot(rows: Sequence[Drawn], top: float) -> Any:
    end = 1.06 * max(numbers(rows, "expected"), default=1.0)
    x_scale = alt.Scale(domain=[0, end], nice=False)
    y_scale = alt.Scale(domain=[0, top], nice=True)
    axis = alt.Axis(title="Expected events", format=",.3~g", grid=False)
    x = alt.X("expected:Q", scale=x_scale, axis=axis)
    y = alt.Y(
        "ratio:Q",
        scale=y_scale,
        axis=alt.Axis(
            title="Observed / expected",
            tickCount=6,
            format=".3~g",
            minExtent=LEFT - 22,
            maxExtent=LEFT - 22,
        ),
    )
    there = alt.Chart(rows_data()).transform_filter("datum.chart_drawn")
    used = [name for name in MARKS if any(row["chart_signal"] == name for row in rows)]
    legend = alt.Legend(title=None, orient="top", columns=5)
    sides: list[tuple[str, dict[str, Any]]] = [
        ("datum.chart_left", {"align": "left", "dx": 6}),
        ("!datum.chart_left", {"align": "right", "dx": -5}),
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
    ]
    layers += [
        alt.Chart(once_data())
        .mark_rule(stroke=QUIET, strokeWidth=1)
        .encode(y=alt.Y("one:Q", scale=y_scale)),
        there.mark_point(filled=True, size=72, stroke=INK, strokeWidth=0.6, opacity=0.95).encode(
            x=x,
            y=y,
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
            there.transform_filter(test)
            .mark_text(baseline="bottom", dy=-4, fontWeight="bold", **side, **halo)
            .encode(x=x, y=y, text=alt.Text("chart_name:N"))
            for test, side in sides
            for halo in halos
        ),
    ]
    return alt.layer(*layers).properties(width=WIDE, height=TALL)


def _notes(release: Release, hidden: int, without: int) -> list[str]:
    meta: Mapping[str, Any] = release.meta
    about: Mapping[str, Any] = meta.get("funnel") or {}
    said = ["Solid lines: 99.8 % limits around 1; broken lines: 95 % limits."]
    if about.get("standardisation"):
        said.append(f"Expected numbers: {about['standardisation']}.")
    over: Mapping[str, Any] = about.get("overdispersion") or {}
    if over.get("applied"):
        said.append(f"The limits allow for over-dispersion (phi {over['phi']:.3g}).")
    elif over.get("reason"):
        said.append(f"No allowance for over-dispersion: {str(over['reason']).rstrip('.')}.")
    if hidden:
        said.append(f"{counted_in_words(hidden, 'site has', 'sites have')} no point: {HIDDEN}.")
    if without:
        sites = counted_in_words(without, "site has", "sites have")
        said.append(f"{sites} no point: their expected number is 0.")
    return said


def _said(rows: Sequence[Drawn], hidden: int) -> str:
    outside = [row for row in rows if row["chart_name"]]
    named = "; ".join(
        f"{row['chart_site']} {row['chart_signal']}, {figure(row['events'])} observed of"
        f" {figure(row['expected'])} expected"
        for row in outside[:4]
    )
    more = f" and {len(outside) - 4} more" if len(outside) > 4 else ""
    beside = f"; {counted_in_words(hidden, 'site is', 'sites are')} hidden" if hidden else ""
    within = len(rows) - len(outside)
    return (
        f"{counted_in_words(within, 'site is', 'sites are')} within the limits, {len(outside)}"
        f" outside{f': {named}{more}' if named else ''}{beside}."
    )
