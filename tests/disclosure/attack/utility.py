"""What answers are still good for, and whether a number is shown that must not be."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from registry.disclosure import Policy
from tests.disclosure.attack.asking import Asker
from tests.disclosure.attack.truth import Truth

BANDS = ((1, 4), (5, 9), (10, 19), (20, 49), (50, 199), (200, 10**9))
SESSION: tuple[tuple[str, ...], ...] = (
    ("complication",),
    ("year",),
    ("category", "period"),
    ("complication", "period"),
    ("complication", "year"),
)
"""What a researcher asks about one drug."""

SESSION_DRUG = "morphine"
WORTH_TELLING = 10
"""Rows of so many true events are those that a researcher hopes to see."""

CURVES_OF: tuple[tuple[tuple[str, ...], Mapping[str, str]], ...] = (
    (("sex",), {"category": "catheter"}),
    (("drug_class",), {"category": "catheter"}),
    (("indication_group",), {"category": "catheter"}),
    (("drug_class", "sex"), {"category": "catheter"}),
    (("indication_group", "sex"), {"category": "pump"}),
    (("label_status", "sex"), {"category": "pump"}),
)
RATE_TABLES = (
    (),
    ("category",),
    ("complication",),
    ("category", "sex"),
    ("complication", "sex"),
    ("category", "drug_class"),
    ("complication", "drug_class"),
)


@dataclass(slots=True)
class Usefulness:
    """errors: by band of the true size, relative errors of what is shown. hidden: how many are
    not, by band. limits: of each shown rate, where it stands, its events, rate and interval;
    exact_limits are those that the registry's own staff sees. session: by table, rows of ten and
    more events, how many of them are told, and the share of all events that is; None where the
    question is refused. curves: of each point told, the devices that its curve starts with, the
    month, and how far it is off."""

    errors: dict[tuple[int, int], list[float]] = field(default_factory=dict)
    hidden: dict[tuple[int, int], int] = field(default_factory=dict)
    limits: dict[tuple[str, ...], tuple[float, ...]] = field(default_factory=dict)
    exact_limits: dict[tuple[str, ...], tuple[float, ...]] = field(default_factory=dict)
    session: dict[tuple[str, ...], tuple[int, int, float] | None] = field(default_factory=dict)
    curves: list[tuple[int, int, float]] = field(default_factory=list)


def wrongly_shown(asker: Asker, truth: Truth) -> tuple[int, int, int]:
    """How many numbers were shown; how many under the threshold; how many of no event.

    An impossible combination may show 0: that is a rule's doing and no record's.
    """
    shown = small = empty = 0
    for measure, column, names, asked, values in asker.kept():
        numbers = values[~np.isnan(values)]
        if column == "exposure":
            continue
        shown += numbers.size
        small += int(((numbers > 0) & (numbers < Policy().threshold)).sum())
        if "release" in asked or measure != "counts":
            continue
        unit = asked.get("counting", "patients")
        where = {name: values for name, values in asked.items() if name != "counting"}
        true = truth.counted({name: asker.axis(name) for name in names}, where=where, unit=unit)
        empty += int(((true == 0) & (np.nan_to_num(values) > 0)).sum())
    return shown, small, empty


def usefulness(asker: Asker, truth: Truth) -> Usefulness:
    """Errors of every count of patients that was asked, by true size, and intervals of rates."""
    found = Usefulness({band: [] for band in BANDS}, dict.fromkeys(BANDS, 0))
    for measure, _column, names, asked, values in asker.kept():
        if measure != "counts" or asked or not names:
            continue
        true = truth.counted({name: asker.axis(name) for name in names})
        for band in BANDS:
            inside = (true >= band[0]) & (true <= band[1])
            told = inside & ~np.isnan(values)
            found.hidden[band] += int((inside & np.isnan(values)).sum())
            found.errors[band] += (np.abs(values[told] - true[told]) / true[told]).tolist()
    found.limits = rate_limits(asker)
    return found


def rate_limits(asker: Asker, **options: str) -> dict[tuple[str, ...], tuple[float, ...]]:
    """Events, rate and limits of every rate of a few tables, by its labels and unit."""
    found = {}
    for names in RATE_TABLES:
        asked: Mapping[str, str] = {"group_by": ",".join(names)} if names else {}
        for row in asker.server.reply("rates", {**asked, **options}).rows:
            if row["rate"] is not None and row["events"]:
                labels = (*names, *(str(row[name]) for name in names), str(row["unit"]))
                found[labels] = (row["events"], row["rate"], row["ci_lower"], row["ci_upper"])
    return found


def session(
    asker: Asker, exact: Asker, *, release: str
) -> dict[tuple[str, ...], tuple[int, int, float] | None]:
    """Rates of one drug: of the rows of ten and more true events how many are told, by table."""
    found: dict[tuple[str, ...], tuple[int, int, float] | None] = {}
    for names in SESSION:
        asked = {"group_by": ",".join(names), "drug": SESSION_DRUG}
        reply = asker.server.reply("rates", asked)
        if reply.status != 200:
            found[names] = None
            continue
        told = {
            tuple(str(row[name]) for name in names) for row in reply.rows if row["rate"] is not None
        }
        rows = exact.server.reply("rates", {**asked, "release": release}).rows
        true = {tuple(str(row[name]) for name in names): row["events"] or 0 for row in rows}
        many = [labels for labels, events in true.items() if events >= WORTH_TELLING]
        events_told = sum(events for labels, events in true.items() if labels in told)
        share = events_told / max(sum(true.values()), 1)
        found[names] = (len(many), sum(labels in told for labels in many), share)
    return found


def curve_errors(asker: Asker, exact: Asker, *, release: str) -> list[tuple[int, int, float]]:
    """How far each point of a protected curve is from Kaplan and Meier's of the same devices."""
    found = []
    for names, where in CURVES_OF:
        asked = {**where, "group_by": ",".join(names)}
        steps: dict[tuple[str, ...], list[tuple[int, float]]] = {}
        for row in exact.server.reply("survival", {**asked, "release": release}).rows:
            labels = tuple(str(row[name]) for name in names)
            if row["estimate"] is not None:
                steps.setdefault(labels, []).append((row["time_months"], row["estimate"]))
        devices: dict[tuple[str, ...], int] = {}
        for row in asker.server.reply("survival", asked).rows:
            labels = tuple(str(row[name]) for name in names)
            if row["time_months"] == 0 and row["at_risk"] is not None:
                devices[labels] = row["at_risk"]
            elif row["estimate"] is not None and labels in steps:
                before = [s for month, s in steps[labels] if month <= row["time_months"]]
                error = abs(row["estimate"] - (before[-1] if before else 1.0))
                found.append((devices[labels], row["time_months"], error))
    return found
