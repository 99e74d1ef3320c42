"""A second reading of curves, in plain loops month by month over the rows as they were sent."""

from collections.abc import Hashable
from dataclasses import dataclass
from math import exp, log, sqrt
from statistics import NormalDist

from scipy.stats import t as student

from registry.vocabulary import CellStatus, Component, Denominator, ExitStatus
from tests.reporting.oracle import MONTHS_OF, Oracle
from tests.reporting.oracle_clusters import by_patient, by_site
from tests.reporting.oracle_selection import Device, OracleSelection

FEWEST = 10
DEATH = {ExitStatus.DEATH_RELATED, ExitStatus.DEATH_UNRELATED, ExitStatus.DEATH_UNKNOWN}
EXPLANT = {
    ExitStatus.REPLACED_FOR_FAILURE,
    ExitStatus.EXPLANTED_FOR_COMPLICATION,
    ExitStatus.EXPLANT_ELECTIVE,
}
STOPPED = {ExitStatus.THERAPY_DISCONTINUED}
Limits = tuple[float | None, float | None]
Point = tuple[int, int, int, float | None, float | None, float | None]
"""Month, at risk, events, estimate and its limits."""


@dataclass(frozen=True)
class Life:
    """One device: entry, the month in which it was last at risk, and what happened then."""

    entry: int
    end: int
    cause: str
    patient: Hashable
    site: str

    def is_at_risk(self, month: int) -> bool:
        """Whether an event in this month would count."""
        return (self.entry == 0 or self.entry < month) and month <= self.end


@dataclass(frozen=True)
class Drawn:
    """A curve's rows and their status, where it was told at all; and first events outside it."""

    points: list[Point]
    status: CellStatus
    outside: int


def devices_of_curve(
    oracle: Oracle, selection: OracleSelection
) -> tuple[list[Device], Denominator]:
    """The devices behind a curve, and the months of its clock."""
    component = MONTHS_OF.get(oracle.unit(selection), Component.PUMP)
    pumps = component is Component.PUMP
    devices = [
        device
        for device in oracle.devices.values()
        if device.record.component is component
        and device.counts
        and device.fits(selection, oracle.countries)
        and device.months(selection) > 0
    ]
    return devices, Denominator.PUMP_MONTHS if pumps else Denominator.CATHETER_MONTHS


def lives_of(oracle: Oracle, selection: OracleSelection) -> list[Life]:
    """Every device of a selection up to its first event, or the patient's."""
    devices, unit = devices_of_curve(oracle, selection)
    by_patient = unit is Denominator.PUMP_MONTHS and oracle.is_by_patient(selection)
    places = oracle.matched(selection, unit, set(devices))
    first: dict[Device, int] = {}
    gone: set[Device] = set()
    for _, device, month in oracle.first_events(places, by_patient=by_patient):
        first[device] = month
        if by_patient:
            row = oracle.row(device, own=True)
            gone |= set(row[row.index(device) + 1 :])
    lives = []
    for device in devices:
        if device in gone:
            continue
        end, cause = device.record.months_followed, _cause(device.record.exit_status)
        if device in first:
            end, cause = first[device], "event"
        lives.append(Life(device.entry, end, cause, device.patient, device.record.site))
    return lives


def _cause(status: ExitStatus | None) -> str:
    causes = {"death": DEATH, "explant": EXPLANT, "stopped": STOPPED}
    return next((name for name, statuses in causes.items() if status in statuses), "")


def drawn(lives: list[Life], *, competing: bool, level: float = 0.95) -> Drawn:
    """The curve of these devices, by walking through the months."""
    events = sum(life.cause == "event" for life in lives)
    months = range(max((life.end for life in lives), default=-1) + 1)
    risks = [sum(life.is_at_risk(month) for life in lives) for month in months]
    start = next((month for month in months if risks[month] >= FEWEST), None)
    if start is None:
        status = CellStatus.UNSTABLE if lives else CellStatus.NO_DENOMINATOR
        return Drawn([(0, max(risks, default=0), 0, None, None, None)], status, events)
    stop = start
    while stop + 1 < len(risks) and risks[stop + 1] >= FEWEST:
        stop += 1
    span = range(start, stop + 1)
    walk = _Incidence(level) if competing else _Freedom(level)
    wide = _Widened(lives, span, competing=competing, level=level)
    at_first = walk.value
    points: list[Point] = []
    counted = 0
    for month in span:
        ends = [life.cause for life in lives if life.end == month and life.is_at_risk(month)]
        walk.step(risks[month], ends)
        own = ends.count("event")
        if own:
            counted += own
            limits = wide.limits(month, walk)
            points.append((month, risks[month], own, walk.value, *limits))
        elif month == start:
            points.append((start, risks[start], 0, at_first, at_first, at_first))
    if points[-1][0] != stop:
        limits = points[-1][4:] if counted else (None, None)
        points.append((stop, risks[stop], 0, walk.value, *limits))
    stable = CellStatus.OK if counted >= 20 else CellStatus.UNSTABLE
    return Drawn(points, stable if counted else CellStatus.ZERO, events - counted)


class _Widened:
    """Limits as wide as devices, patients and sites ask for, whichever is widest."""

    def __init__(self, lives: list[Life], span: range, *, competing: bool, level: float) -> None:
        self.z = NormalDist().inv_cdf((1 + level) / 2)
        self.patients = by_patient(lives, span, competing=competing)
        self.sites = by_site(lives, span, competing=competing)
        self.t = float(student.ppf((1 + level) / 2, self.sites[1] - 1)) if self.sites else 0.0

    def limits(self, month: int, walk: "_Freedom | _Incidence") -> Limits:
        """The outermost limits at a month."""
        found = [walk.limits()]
        if self.patients:
            found.append(log_log(walk.value, self.patients[month], self.z))
        if self.sites:
            found.append(log_log(walk.value, self.sites[0][month], self.t))
        lowers, uppers = zip(*found, strict=True)
        return (
            min((each for each in lowers if each is not None), default=None),
            max((each for each in uppers if each is not None), default=None),
        )


class _Freedom:
    """Kaplan-Meier with Greenwood's variance and limits on the log(-log) scale."""

    def __init__(self, level: float) -> None:
        self.value, self.variance = 1.0, 0.0
        self.z = NormalDist().inv_cdf((1 + level) / 2)

    def step(self, at_risk: int, ends: list[str]) -> None:
        """One month."""
        events = ends.count("event")
        if events:
            self.value *= 1 - events / at_risk
            self.variance += events / (at_risk * (at_risk - events)) if at_risk > events else 0

    def limits(self) -> Limits:
        """Undefined at 0 and 1."""
        return log_log(self.value, self.value * sqrt(self.variance), self.z)


class _Incidence:
    """Aalen-Johansen; the variance as Marubini and Valsecchi print it, with its double sum."""

    def __init__(self, level: float) -> None:
        self.value, self.free = 0.0, 1.0
        self.steps: list[tuple[int, int, int, float, float]] = []
        self.z = NormalDist().inv_cdf((1 + level) / 2)

    def step(self, at_risk: int, ends: list[str]) -> None:
        """One month: n at risk, d of any cause, e of the event, freedom before, incidence after."""
        own, every = ends.count("event"), sum(bool(cause) for cause in ends)
        if every:
            self.value += self.free * own / at_risk
            self.steps.append((at_risk, every, own, self.free, self.value))
            self.free *= 1 - every / at_risk

    def limits(self) -> Limits:
        """Undefined at 0 and 1."""
        variance = 0.0
        for n, d, e, free, then in self.steps:
            rest = self.value - then
            if n > d:
                variance += rest**2 * d / (n * (n - d))
            variance += free**2 * e * (n - e) / n**3 - 2 * rest * free * e / n**2
        return log_log(self.value, sqrt(max(variance, 0.0)), self.z)


def log_log(value: float, se: float, z: float) -> Limits:
    """Limits on the log(-log) scale."""
    if not 0 < value < 1 - 1e-12:
        return None, None
    width = z * se / (value * -log(value))
    return value ** exp(width), value ** exp(-width)
