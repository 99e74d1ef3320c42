"""Complications ranked in one common unit, as a table whose rows are drawn on one axis."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.urls import reverse

from registry.answers.asking import NAMED, Panel, with_set
from registry.answers.numbers import in_percent, limits_of, range_of, value_of, written
from registry.answers.tables import GONE, missing, status_in_words
from registry.charts.points import short_source
from registry.dashboard.common_units import (
    HUNDRED_OF,
    IN_MONTHS,
    PUMP_YEARS,
    CommonUnit,
    in_hundreds,
)
from registry.dashboard.drawing import NO_ESTIMATE, Estimate, Strip, StripAxis, strip_axis
from registry.dashboard.panels import Panels
from registry.filters.catalogue import every_complication
from registry.records import Cell
from registry.reporting import population_in_words
from registry.vocabulary import CellStatus, Denominator

MOST = 8
"""The rows of a group that are drawn; the others stand below, without a picture."""
FEW = 3
"""The rows of the smaller groups, divided by something else than time."""
TWO_DENOMINATORS = (
    "An infection has two denominators. Per procedure it is what one operation risks: a hospital's "
    "surgery is judged by it, and only what came within 90 days of one counts. Per year it is what "
    "living with a pump risks, operations or none."
)
REFILLS = "What a refill or a change of programme risks; a patient has several refills a year."
INFECTION = "infection"
TOO_FEW = "Too few to be told, or none"
LIMITS = ("ci_lower", "ci_upper")

Row = Mapping[str, Cell]


@dataclass(frozen=True, slots=True)
class RankedFigure:
    """A number of one row in words. counts: the events behind it. hidden: there is none."""

    value: str
    limits: str = ""
    counts: str = ""
    remark: str = ""
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class PublishedBeside:
    """One published figure in the row's unit, and of whom."""

    value: str
    limits: str
    source: str
    of: str
    number: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedRow:
    """One complication. own: of the reader's site; last, before: of the last year and before."""

    name: str
    address: str
    explore: str
    figure: RankedFigure
    own: RankedFigure | None
    last: RankedFigure | None
    before: RankedFigure | None
    published: Sequence[PublishedBeside]
    strip: Strip | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedGroup:
    """Rows of one unit, the most frequent first. more: rows beyond those that are drawn."""

    code: str
    title: str
    about: str
    axis: StripAxis | None
    rows: Sequence[RankedRow]
    more: Sequence[RankedRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """The groups, and by name what is in none.

    unstable: too few events to be ranked, with their figure. apart: in no total, with their figure.
    hidden: without a number, by reason.
    """

    unit: CommonUnit
    groups: Sequence[RankedGroup]
    unstable: Sequence[RankedRow]
    apart: Sequence[RankedRow]
    hidden: Sequence[tuple[str, Sequence[tuple[str, str]]]]
    has_own: bool
    has_years: bool
    has_published: bool

    @property
    def untold(self) -> int:
        """How many have no number."""
        return sum(len(terms) for _why, terms in self.hidden)

    @property
    def has_unstable(self) -> bool:
        """Whether a number beside is from fewer than 20 events."""
        rows = [row for group in self.groups for row in group.rows]
        return any(
            each and each.remark and not each.hidden
            for row in rows
            for each in (row.own, row.last, row.before)
        )

    @property
    def first(self) -> RankedRow | None:
        """The most frequent of all."""
        return next((group.rows[0] for group in self.groups if group.rows), None)


def ranking_of(panels: Panels, params: QueryDict) -> Ranking | None:
    """The ranking of an answer by complication; None where it was refused. One query."""
    if panels.ranked.release is None:
        return None
    terms = {term.code: term for term in every_complication()}
    told, unstable, apart = [], [], []
    hidden: dict[str, list[tuple[str, str]]] = {}
    for row in panels.ranked.rows:
        code = str(row["complication"])
        if value_of(row) is None:
            if not terms[code].retired:
                named = (terms[code].name, reverse("complication", args=[code]))
                few = row["status"] == CellStatus.SUPPRESSED
                hidden.setdefault(TOO_FEW if few else status_in_words(row), []).append(named)
        elif not terms[code].in_totals:
            apart.append(row)
        elif row["status"] == CellStatus.UNSTABLE:
            unstable.append(row)
        elif row["status"] != CellStatus.ZERO:
            told.append(row)
    beside = _Beside(panels, params)
    groups = [
        _group(code, [row for row in told if _group_of(row) == code], beside)
        for code in dict.fromkeys(_order_of(map(_group_of, told)))
    ]
    plain = [*_by_size(unstable)], [*_by_size(apart)]
    return Ranking(
        unit=panels.unit,
        groups=groups,
        unstable=[beside.row(row, None) for row in plain[0]],
        apart=[beside.row(row, None) for row in plain[1]],
        hidden=list(hidden.items()),
        has_own=bool(panels.own and panels.own.release),
        has_years=bool(panels.spans and panels.last and panels.last.release),
        has_published=any(each.published for group in groups for each in group.rows),
    )


TIME, SHARE = "time", "share"


def _group_of(row: Row) -> str:
    if "proportion" in row:
        return SHARE
    return TIME if row["unit"] in IN_MONTHS else str(row["unit"])


def _order_of(codes: Iterable[str]) -> list[str]:
    """Time first, then procedures, then refills."""
    places = [TIME, SHARE, Denominator.PROCEDURES.value, Denominator.REFILLS.value]
    return sorted(codes, key=places.index)


def _group(code: str, rows: Sequence[Row], beside: "_Beside") -> RankedGroup:
    most = MOST if code in {TIME, SHARE} else FEW
    kept = _by_size(rows)
    axis = strip_axis([estimate_of(row) for row in kept[:most]])
    titles = {TIME: beside.panels.unit.label, SHARE: beside.panels.unit.label}
    about = {
        TIME: " ".join(filter(None, (beside.panels.unit.about, _per_procedure(beside.panels)))),
        SHARE: beside.panels.unit.about,
        Denominator.PROCEDURES.value: TWO_DENOMINATORS,
        Denominator.REFILLS.value: REFILLS,
    }
    return RankedGroup(
        code=code,
        title=titles.get(code) or HUNDRED_OF[code].capitalize(),
        about=about[code],
        axis=axis,
        rows=[beside.row(row, axis) for row in kept[:most]],
        more=[beside.row(row, None) for row in kept[most:]],
    )


def _per_procedure(panels: Panels) -> str:
    """Why infections have two denominators and their other one, where all are told per year."""
    row = panels.by_category.row_of(category=INFECTION) if panels.by_category.release else None
    if panels.unit is not PUMP_YEARS or row is None or value_of(row) is None:
        return ""
    per: Any = panels.by_category.meta["per"]
    value, *limits = (100 / per * float(row[name] or 0.0) for name in ("rate", *LIMITS))
    said = f"{written(value)} ({range_of(*limits)}) {HUNDRED_OF[str(row['unit'])]}"
    return f"{TWO_DENOMINATORS} All infections here: {said}."


def _by_size(rows: Sequence[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: -_scaled(row, value_of(row) or 0.0))


def _scaled(row: Row, number: Cell) -> float:
    """A number of a row per 100 of its unit, a share in per cent."""
    times = 100.0 if "proportion" in row else in_hundreds(row["unit"])
    return times * float(number or 0.0)


def estimate_of(row: Row) -> Estimate:
    """A row's estimate with its limits per 100 of its unit, to draw."""
    value = value_of(row)
    limits = (row["ci_lower"], row["ci_upper"])
    if value is None or None in limits:
        return NO_ESTIMATE
    lower, upper = (_scaled(row, each) for each in limits)
    stable = row["status"] != CellStatus.UNSTABLE
    return Estimate("", _scaled(row, value), lower, upper, stable=stable)


def figure_of(row: Row | None) -> RankedFigure:
    """A row's number per 100 of its unit, in words."""
    if row is None:
        return RankedFigure("none reported", hidden=True)
    value, shares = value_of(row), "proportion" in row
    count = row["numerator" if shares else "events"]
    counts = "" if count is None else written(count)
    if value is None:
        said = missing("value", str(row["status"]))
        return RankedFigure(said, remark=status_in_words(row).lower(), hidden=True)
    limits = (row["ci_lower"], row["ci_upper"])
    if not shares and None not in limits:
        limits = (_scaled(row, limits[0]), _scaled(row, limits[1]))
    stands = row["status"] in {CellStatus.OK, CellStatus.ZERO}
    return RankedFigure(
        in_percent(value) if shares else written(_scaled(row, value)),
        limits_of(*limits, shares=shares),
        counts,
        "" if stands else status_in_words(row).lower(),
        hidden=row["status"] in GONE,
    )


class _Beside:
    """Makes rows with what stands beside them in other answers."""

    def __init__(self, panels: Panels, params: QueryDict) -> None:
        self.panels, self.params = panels, params
        self.literature = _literature(panels.ranked)
        self.others = {
            name: {str(row["complication"]): row for row in panel.rows}
            for name in ("own", "last", "before")
            if (panel := getattr(panels, name)) and panel.release
        }

    def row(self, row: Row, axis: StripAxis | None) -> RankedRow:
        code = str(row["complication"])
        others = {name: rows.get(code) for name, rows in self.others.items()}
        published = self.literature.get(code, ())
        named = with_set(self.params, **{**dict.fromkeys(NAMED, ""), "complication": code})
        marks: list[tuple[str, float | None]] = [
            (name, _scaled(other, value_of(other)))
            for name, other in others.items()
            if name != "before" and other is not None and value_of(other) is not None
        ]
        marks += [("published", each.number) for each in published]
        figures = {name: figure_of(other) for name, other in others.items()}
        return RankedRow(
            name=str(row.get("complication_label", code)),
            address=reverse("complication", args=[code]),
            explore=f"{reverse('explore')}?{named.urlencode(safe=',')}",
            figure=figure_of(row),
            own=figures.get("own"),
            last=figures.get("last"),
            before=figures.get("before"),
            published=published,
            strip=axis.strip(estimate_of(row), marks) if axis else None,
        )


def _literature(panel: Panel) -> dict[str, list[PublishedBeside]]:
    """The published figures of an answer in its unit, by complication."""
    meta: Mapping[str, Any] = panel.meta
    found: dict[str, list[PublishedBeside]] = {}
    for each in meta.get("literature") or ():
        value, limits = each["value"], (each["ci_lower"], each["ci_upper"])
        if value is None or None in limits:
            continue
        shares = panel.shares
        found.setdefault(str(each["complication"]), []).append(
            PublishedBeside(
                in_percent(value) if shares else written(value),
                limits_of(*limits, shares=shares),
                short_source(each),
                population_in_words(str(each["therapy"]), str(each["age_group"])),
                100.0 * value if shares else value,
            )
        )
    return found
