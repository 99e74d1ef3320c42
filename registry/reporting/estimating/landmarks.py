"""The landmarks, the median's limits and the restricted mean of exact curves, as metadata."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from registry.records import Cell
from registry.records.months import even_months
from registry.statistics.landmarks import landmarks, restricted_mean
from registry.statistics.life_counts import LifeCounts
from registry.statistics.results import FloatArray, SurvivalCurve

LANDMARKS = (12, 24, 36, 60, 84, 120)
"""The months since implant at which every curve is told: 1, 2, 3, 5, 7 and 10 years."""


def landmarks_of(
    steps: tuple[FloatArray, FloatArray, FloatArray, FloatArray],
    counts: LifeCounts,
    span: tuple[int, int],
    *,
    start: float,
) -> list[dict[str, Cell]]:
    """A curve at each landmark of its span, with those at risk there before its events.

    steps: times, estimates, lower and upper limits. start: the value before the first event.
    """
    months = _within(span)
    found = landmarks(*steps, at=months, start=start)
    at_risk = counts.at_risk(months).tolist()
    return [
        landmark(int(each.time), n, each.estimate, each.lower, each.upper)
        for each, n in zip(found, at_risk, strict=True)
    ]


def risks_of(at_risk: NDArray[np.int64], span: tuple[int, int], last: int) -> list[dict[str, Cell]]:
    """The numbers at risk of a curve at even months, before the events of each.

    at_risk: by month from 0. span: the first and the last month of the curve. last: of the longest
    curve of the answer, whose length says how far the months lie apart: all curves have the same.
    """
    return [
        {"time_months": month, "at_risk": int(at_risk[month])}
        for month in even_months(last)
        if span[0] <= month <= span[1]
    ]


def landmark(
    month: int, at_risk: int | None, estimate: float | None, lower: Any, upper: Any
) -> dict[str, Cell]:
    """One landmark as metadata."""
    return {
        "time_months": month,
        "at_risk": at_risk,
        "estimate": estimate,
        "ci_lower": lower,
        "ci_upper": upper,
    }


def restricted_mean_of(
    curve: SurvivalCurve, span: tuple[int, int], *, level: float
) -> dict[str, Cell] | None:
    """The mean months free of the event up to the last landmark; None before the first."""
    months = _within(span)
    if not months or months[-1] <= span[0]:
        return None
    found = restricted_mean(curve, start=span[0], until=months[-1], level=level)
    return {
        "from_months": span[0],
        "until_months": months[-1],
        "mean_months": found.mean,
        "ci_lower": found.lower,
        "ci_upper": found.upper,
    }


def _within(span: tuple[int, int]) -> Sequence[int]:
    first, last = span
    return [month for month in LANDMARKS if first <= month <= last]
