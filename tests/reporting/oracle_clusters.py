"""Standard errors of curves that allow for clusters, a second time and month by month."""

from collections.abc import Callable, Hashable, Sequence
from math import sqrt
from typing import Protocol


class Lived(Protocol):
    """A device of a curve: its end and why, whose it is, and whether it is at risk in a month."""

    @property
    def end(self) -> int: ...
    @property
    def cause(self) -> str: ...
    @property
    def patient(self) -> Hashable: ...
    @property
    def site(self) -> Hashable: ...
    def is_at_risk(self, month: int) -> bool: ...


Tally = tuple[int, int, int]
"""At risk, events, other ends that compete, in one month."""


def tally(lives: Sequence[Lived], month: int, *, competing: bool) -> Tally:
    """What these devices have in a month."""
    there = [life for life in lives if life.is_at_risk(month)]
    causes = [life.cause for life in there if life.end == month]
    others = sum(cause not in {"", "event"} for cause in causes) if competing else 0
    return len(there), causes.count("event"), others


def _clusters(lives: Sequence[Lived], of: Callable[[Lived], Hashable]) -> list[list[Lived]]:
    found: dict[Hashable, list[Lived]] = {}
    for life in lives:
        found.setdefault(of(life), []).append(life)
    return list(found.values())


def by_patient(
    lives: Sequence[Lived], months: range, *, competing: bool
) -> dict[int, float] | None:
    """The standard error by month: the slope of the curve by each patient's weight, squared.

    None where no patient has two devices, and under ten patients.
    """
    patients = _clusters(lives, lambda life: life.patient)
    if len(patients) < 10 or len(patients) == len(lives):
        return None
    wholes = [tally(lives, month, competing=competing) for month in months]
    squares = dict.fromkeys(months, 0.0)
    for own in patients:
        free, moves_free, moves_had = 1.0, 0.0, 0.0
        for month, (n, d, c) in zip(months, wholes, strict=True):
            mine, events, others = tally(own, month, competing=competing)
            own_share = events / n - d * mine / n**2
            every_share = (events + others) / n - (d + c) * mine / n**2
            moves_had += moves_free * d / n + free * own_share
            moves_free = moves_free * (1 - (d + c) / n) - free * every_share
            free *= 1 - (d + c) / n
            squares[month] += (moves_had if competing else moves_free) ** 2
    n = len(patients)
    return {month: sqrt(square * n / (n - 1)) for month, square in squares.items()}


def by_site(
    lives: Sequence[Lived], months: range, *, competing: bool
) -> tuple[dict[int, float], int] | None:
    """The standard error by month from the curves without one site each, and how many sites."""
    sites = [
        own
        for own in _clusters(lives, lambda life: life.site)
        if any(life.is_at_risk(month) for life in own for month in months)
    ]
    n = len(sites)
    if n < 10:
        return None
    curves = []
    for own in sites:
        kept = [life for life in lives if life not in own]
        free, had, curve = 1.0, 0.0, []
        for month in months:
            at_risk, d, c = tally(kept, month, competing=competing)
            if at_risk:
                had += free * d / at_risk
                free *= 1 - (d + c) / at_risk
            curve.append(had if competing else free)
        curves.append(curve)
    found = {}
    for month, values in zip(months, zip(*curves, strict=True), strict=True):
        mean = sum(values) / n
        found[month] = sqrt((n - 1) / n * sum((value - mean) ** 2 for value in values))
    return found, n
