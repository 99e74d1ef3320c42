"""A second reading of the burden of recurring events: a loop over devices for each month."""

from collections import Counter
from math import exp, sqrt
from statistics import NormalDist

from registry.vocabulary import CellStatus
from tests.reporting.oracle import Oracle
from tests.reporting.oracle_curves import FEWEST, Drawn, Life, Point, devices_of_curve
from tests.reporting.oracle_selection import OracleSelection


def burden_of(oracle: Oracle, selection: OracleSelection, *, level: float = 0.95) -> Drawn:
    """The mean number of events a device by month, and its limits (Lawless and Nadeau 1995)."""
    devices, unit = devices_of_curve(oracle, selection)
    had = {device: Counter[int]() for device in devices}
    for _, device, month in oracle.matched(selection, unit, set(devices)):
        had[device][month] += 1
    lives = [
        (
            Life(each.entry, each.record.months_followed, "", each.patient, each.record.site),
            had[each],
        )
        for each in devices
    ]
    events = sum(sum(own.values()) for _, own in lives)
    months = range(max((life.end for life, _ in lives), default=-1) + 1)
    risks = [sum(life.is_at_risk(month) for life, _ in lives) for month in months]
    start = next((month for month in months if risks[month] >= FEWEST), None)
    if start is None:
        return Drawn([(0, max(risks, default=0), 0, None, None, None)], CellStatus.UNSTABLE, events)
    z = NormalDist().inv_cdf((1 + level) / 2)
    errors = [0.0] * len(lives)
    mean, counted = 0.0, 0
    points: list[Point] = []
    stop = start
    for month in range(start, len(risks)):
        if risks[month] < FEWEST:
            break
        stop = month
        own = sum(each[month] for _, each in lives)
        mean += own / risks[month]
        for place, (life, each) in enumerate(lives):
            if life.is_at_risk(month):
                errors[place] += (each[month] - own / risks[month]) / risks[month]
        if own:
            counted += own
            wide = exp(z * sqrt(sum(error**2 for error in errors)) / mean)
            points.append((month, risks[month], own, mean, mean / wide, mean * wide))
        elif month == start:
            points.append((start, risks[start], 0, 0.0, None, None))
    if points[-1][0] != stop:
        points.append((stop, risks[stop], 0, *points[-1][3:]))
    stable = CellStatus.OK if counted >= 20 else CellStatus.UNSTABLE
    return Drawn(points, stable if counted else CellStatus.ZERO, events - counted)
