"""Published figures beside the registry's own, where measure and unit agree."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from registry.answers.asking import Panel
from registry.answers.numbers import HIDDEN, in_percent, range_in_percent, range_of, written
from registry.answers.tables import UNITS, missing, status_in_words
from registry.dashboard.drawing import Estimate, Picture, forest_picture
from registry.records import Cell, EventQuery
from registry.reporting import MEASURES, is_like, population_in_words
from registry.vocabulary import CellStatus, Measure

PER = 1000
SHORT = 24
OURS = "This registry"


@dataclass(frozen=True, slots=True)
class Beside:
    """One published figure in the registry's measure, computed from its own counts.

    of: the therapy and the ages of its patients, as far as the source says.
    """

    source: str
    population: str
    of: str
    metric: str
    note: str
    confidence: str
    counts: str
    value: float
    lower: float
    upper: float
    shares: bool

    @property
    def value_words(self) -> str:
        """The figure in words."""
        return in_percent(self.value) if self.shares else written(self.value)

    @property
    def limits_words(self) -> str:
        """Its limits in words."""
        limits = range_in_percent if self.shares else range_of
        return limits(self.lower, self.upper)

    @property
    def label(self) -> str:
        """The source in short: author and year."""
        return short_source(self.source)


def beside(
    rates: Iterable[Any],
    *,
    measure: Measure,
    unit: str | None = None,
    query: EventQuery | None = None,
) -> list[Beside]:
    """The published figures of the same measure and unit that give their counts.

    query: the question, whose therapy and ages they must fit; none takes all. unit: the
    denominator of the registry's rate; proportions are of patients. Leaves out others: an unlike
    number would mislead.
    """
    spec, found = MEASURES[measure], []
    compared = spec.literature
    if compared is None:
        return []
    for rate in rates:
        times = compared.like(rate.measure_type, rate.unit, unit)
        like = query is None or is_like(query, therapy=rate.therapy, age_group=rate.age_group)
        if not like or times is None or rate.numerator is None or not rate.denominator:
            continue
        events, of = float(rate.numerator), float(rate.denominator) * times
        figure = compared.figure(events, of, PER, EventQuery().level)
        if figure.value is None or figure.lower is None or figure.upper is None:
            continue
        found.append(
            Beside(
                source=rate.source,
                population=rate.population,
                of=population_in_words(rate.therapy, rate.age_group),
                metric=rate.metric,
                note=rate.note,
                confidence=rate.confidence,
                counts=f"{written(events)} of {written(float(rate.denominator))} {rate.unit}",
                value=figure.value,
                lower=figure.lower,
                upper=figure.upper,
                shares=spec.reading.shares,
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class Comparison:
    """The registry's figure of one measure with the published ones, in words and as a picture.

    remark: the status of the registry's cell where it is not plain.
    """

    measure: str
    shares: bool
    title: str
    ours_counts: str
    ours_value: str
    ours_limits: str
    remark: str
    published: Sequence[Beside]
    picture: Picture | None
    described: str


def comparison_of(panel: Panel, row: Any, rates: Iterable[Any]) -> Comparison:
    """Puts one cell of an answer beside published figures of the same measure and unit."""
    shares = panel.shares
    unit = None if shares else row["unit"]
    published = beside(rates, measure=panel.measure, unit=unit, query=panel.query)
    value = row["proportion" if shares else "rate"]
    ours = estimate_of(OURS, (value, row["ci_lower"], row["ci_upper"]), shares=shares)
    drawn = [
        ours,
        *(
            estimate_of(each.label, (each.value, each.lower, each.upper), shares=shares, own=False)
            for each in published
        ),
    ]
    units = UNITS[unit].label.lower() if unit else ""
    return Comparison(
        measure=panel.measure.value,
        shares=shares,
        title="Patients with at least one event" if shares else f"Per {PER:,} {units}",
        ours_counts=counts_in_words(row, shares=shares),
        ours_value=value_in_words(row, shares=shares),
        ours_limits=limits_in_words(row, shares=shares),
        remark=remark_of(row),
        published=published,
        picture=forest_picture(drawn, unit=" %" if shares else ""),
        described="; ".join(
            [
                f"{OURS} {value_in_words(row, shares=shares)}",
                *(f"{each.label} {each.value_words}" for each in published),
            ]
        ),
    )


def remark_of(row: Any) -> str:
    """A cell's status in words; empty for a plain number."""
    stands = row["status"] in {CellStatus.OK, CellStatus.ZERO}
    return "" if stands else status_in_words(row).lower()


def estimate_of(
    label: str, numbers: tuple[Cell, Cell, Cell], *, shares: bool, own: bool = True
) -> Estimate:
    """An estimate to draw: shares in per cent, rates unchanged, hidden numbers hidden."""
    times = 100.0 if shares else 1.0
    value, lower, upper = (
        times * each if isinstance(each, int | float) else None for each in numbers
    )
    return Estimate(label, value, lower, upper, own)


def counts_in_words(row: Any, *, shares: bool) -> str:
    """The counts behind a figure: `34 of 400` patients, or `15 in 4,312` of its denominator."""
    of = row["denominator" if shares else "exposure"]
    base = HIDDEN if of is None else written(round(of))
    return f"{count_in_words(row, shares=shares)} {'of' if shares else 'in'} {base}"


def count_in_words(row: Any, *, shares: bool) -> str:
    """The events or patients behind a figure, or the text for hidden ones."""
    column = "numerator" if shares else "events"
    count = row[column]
    return missing(column, str(row["status"])) if count is None else written(count)


def value_in_words(row: Any, *, shares: bool) -> str:
    """A rate or a proportion, or why it is missing."""
    value = row["proportion" if shares else "rate"]
    if value is None:
        return missing("value", str(row["status"]))
    return in_percent(value) if shares else written(value)


def limits_in_words(row: Any, *, shares: bool) -> str:
    """Its limits; empty where there are none."""
    if row["ci_lower"] is None or row["ci_upper"] is None:
        return ""
    return (range_in_percent if shares else range_of)(row["ci_lower"], row["ci_upper"])


def short_source(source: str) -> str:
    """Author and year, short enough for a picture: `Taira et al 2013`."""
    who = source.split(",")[0].split("(")[0].strip()
    year = re.search(r"\b(?:19|20)\d{2}\b", source)
    who = re.sub(r"\s*\b(?:19|20)\d{2}.*", "", who) or who
    who = f"{who[: SHORT - 1].rstrip()}…" if len(who) > SHORT else who
    return f"{who} {year[0]}" if year and year[0] not in who else who
