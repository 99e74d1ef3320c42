"""What answers are still good for, and whether a number is shown that must not be."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from tests.disclosure.attack.asking import Asker
from tests.disclosure.attack.truth import Truth

BANDS = ((1, 4), (5, 9), (10, 19), (20, 49), (50, 199), (200, 10**9))
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
    exact_limits are those that the registry's own staff sees."""

    errors: dict[tuple[int, int], list[float]] = field(default_factory=dict)
    hidden: dict[tuple[int, int], int] = field(default_factory=dict)
    limits: dict[tuple[str, ...], tuple[float, ...]] = field(default_factory=dict)
    exact_limits: dict[tuple[str, ...], tuple[float, ...]] = field(default_factory=dict)


def wrongly_shown(asker: Asker, truth: Truth) -> tuple[int, int, int]:
    """How many numbers were shown; how many were 1 to 4; how many shown groups have no event.

    An impossible combination may show 0: that is a rule's doing and no record's.
    """
    shown = small = empty = 0
    for measure, column, names, asked, values in asker.kept():
        numbers = values[~np.isnan(values)]
        if column == "exposure":
            continue
        shown += numbers.size
        small += int(((numbers > 0) & (numbers < 5)).sum())
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
