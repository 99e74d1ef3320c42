"""How each measure is answered with true numbers, and the columns that its answers have.

A measure that is not in EXACT is not offered; one that is must be given a protected form, or be
withheld, in `registry.disclosure.policy.PROTECTED_FORMS`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from registry.records import Column
from registry.reporting import cells
from registry.reporting.cascades import cascade_rows
from registry.reporting.coverage import coverage_cells, coverage_of
from registry.reporting.curves import incidence_curves, survival_curves
from registry.reporting.funnel import funnel_of, funnel_sites, overall_rate
from registry.reporting.observed import observed_of
from registry.reporting.question import Question
from registry.reporting.rows import Row
from registry.reporting.signals import signal_rows
from registry.reporting.trend import trend_of
from registry.snapshot.store import Store
from registry.vocabulary import CountingRule, Measure

INTERVAL = (
    Column("ci_lower", "number", "interval", title="Lower limit"),
    Column("ci_upper", "number", "interval", title="Upper limit"),
)
STATUS = Column("status", "string", "status", title="Status")
HIDDEN_CELLS = Column("hidden_cells", "integer", "status", title="Hidden cells")
REASON = Column("reason", "string", "status", title="Why it is hidden")


@dataclass(frozen=True, slots=True)
class Answered:
    """The rows of an answer, and what its meta says besides what every answer says."""

    rows: Sequence[Row]
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exact:
    """One measure: from a snapshot and a question to rows. `per` is units of a rate.

    never_protected: columns that protected answers do not have.
    """

    answered: Callable[[Store, Question, int], Answered]
    columns: Callable[[Question], tuple[Column, ...]]
    never_protected: frozenset[str] = frozenset()


def _counts(store: Store, question: Question, per: int) -> Answered:
    return Answered(_rows(cells.count_cells(store, question)))


def _rates(store: Store, question: Question, per: int) -> Answered:
    found = _rows(cells.rate_cells(store, question, per=per))
    return Answered(found, {"coverage": coverage_of(store, question)})


def _proportions(store: Store, question: Question, per: int) -> Answered:
    return Answered(_rows(cells.proportion_cells(store, question)))


def _coverage(store: Store, question: Question, per: int) -> Answered:
    return Answered(_rows(coverage_cells(store, question)))


def _trend(store: Store, question: Question, per: int) -> Answered:
    years = [observed_of(each, per=per) for each in cells.rate_cells(store, question, per=per)]
    found = trend_of(
        years,
        per=per,
        level=question.query.level,
        as_of=question.as_of,
        dated=all(part.quantity == "months" for part in question.parts),
        with_cusum=True,
    )
    return Answered(found.rows, {**found.meta, "coverage": coverage_of(store, question)})


def _funnel(store: Store, question: Question, per: int) -> Answered:
    sites, expected, standardisation = funnel_sites(store, question, per=per)
    found, about = funnel_of(
        sites,
        expected,
        target=overall_rate(sites),
        per=per,
        standardisation=standardisation,
    )
    return Answered(found, {**about, "coverage": coverage_of(store, question)})


def _signals(store: Store, question: Question, per: int) -> Answered:
    return Answered(*signal_rows(store, question))


def _cascades(store: Store, question: Question, per: int) -> Answered:
    return Answered(*cascade_rows(store, question))


def _survival(store: Store, question: Question, per: int) -> Answered:
    return Answered(*survival_curves(store, question))


def _incidence(store: Store, question: Question, per: int) -> Answered:
    return Answered(*incidence_curves(store, question))


def _rows(found: Sequence[cells.Found]) -> list[Row]:
    return [Row(each.key, each.numbers, each.status) for each in found]


def _count_columns(question: Question) -> tuple[Column, ...]:
    return (Column("n", "integer", "measure", title=question.counting.label), STATUS)


def _rate_columns(question: Question) -> tuple[Column, ...]:
    clustered = question.counting is not CountingRule.FIRST_EVENT
    units = question.units
    unit = units[0].value if len(units) == 1 else None
    return (
        Column("events", "integer", "measure", title="Events"),
        Column("exposure", "number", "measure", unit, "Exposure"),
        Column("rate", "number", "measure", title="Rate"),
        *INTERVAL,
        *([Column("dispersion", "number", "measure", title="Dispersion")] if clustered else []),
        Column("unit", "string", "dimension", title="Per"),
        STATUS,
    )


def _proportion_columns(question: Question) -> tuple[Column, ...]:
    return (
        Column("numerator", "integer", "measure", title="With an event"),
        Column("denominator", "integer", "measure", title="Of"),
        Column("proportion", "number", "measure", title="Proportion"),
        *INTERVAL,
        STATUS,
    )


def _trend_columns(question: Question) -> tuple[Column, ...]:
    return (
        Column("events", "integer", "measure", title="Events"),
        Column("exposure", "number", "measure", question.units[0].value, "Exposure"),
        Column("rate", "number", "measure", title="Rate"),
        *INTERVAL,
        Column("fitted", "number", "measure", title="Fitted rate"),
        Column("cusum", "number", "measure", title="CUSUM"),
        Column("alarm", "boolean", "measure", title="Alarm"),
        STATUS,
    )


def _funnel_columns(question: Question) -> tuple[Column, ...]:
    return (
        Column("events", "integer", "measure", title="Events"),
        Column("exposure", "number", "measure", question.units[0].value, "Exposure"),
        Column("expected", "number", "measure", title="Expected events"),
        Column("ratio", "number", "measure", title="Observed / expected"),
        *INTERVAL,
        Column("lower_95", "number", "interval", title="Lower 95 % limit"),
        Column("upper_95", "number", "interval", title="Upper 95 % limit"),
        Column("lower_998", "number", "interval", title="Lower 99.8 % limit"),
        Column("upper_998", "number", "interval", title="Upper 99.8 % limit"),
        Column("signal", "string", "measure", title="Beyond the limits"),
        STATUS,
    )


def _signal_columns(question: Question) -> tuple[Column, ...]:
    def limited(name: str, title: str) -> tuple[Column, ...]:
        return (
            Column(name, "number", "measure", title=title),
            Column(f"{name}_lower", "number", "interval", title=f"{title}, lower limit"),
            Column(f"{name}_upper", "number", "interval", title=f"{title}, upper limit"),
        )

    return (
        Column("n", "integer", "measure", title=question.counting.label),
        Column("expected", "number", "measure", title="Expected"),
        *limited("prr", "PRR"),
        *limited("ror", "ROR"),
        *limited("ic", "IC"),
        Column("chi2_yates", "number", "measure", title="Chi-squared (Yates)"),
        Column("devices", "integer", "measure", title="Devices or patients at risk"),
        Column("rate_ratio", "number", "measure", title="Rate / group's rate"),
        Column("p", "number", "measure", title="Poisson probability"),
        Column("signal", "boolean", "measure", title="Signal"),
        Column("outlier", "boolean", "measure", title="Outlier"),
        STATUS,
    )


def _cascade_columns(question: Question) -> tuple[Column, ...]:
    named = []
    for name in ("cause", "effect"):
        named.append(Column(name, "string", "dimension", title=name.capitalize()))
        if question.query.labels == "both":
            words = f"{name.capitalize()}, in words"
            named.append(Column(f"{name}_label", "string", "dimension", title=words))
    return (
        *named,
        Column("n", "integer", "measure", title="Pairs"),
        Column("cause_events", "integer", "measure", title="Events of the cause"),
        Column("share", "number", "measure", title="Followed by the effect"),
        Column("with_interval", "integer", "measure", title="Pairs with an interval"),
        Column("before_cause", "integer", "measure", title="Pairs told effect first"),
        Column("median_months", "number", "measure", "months", "Median interval"),
        STATUS,
    )


def _curve_columns(question: Question) -> tuple[Column, ...]:
    free = question.measure is Measure.SURVIVAL
    return (
        Column("time_months", "integer", "measure", "months", "Months since implant"),
        Column("at_risk", "integer", "measure", title="At risk"),
        Column("events", "integer", "measure", title="First events"),
        Column(
            "estimate", "number", "measure", title="Free of the event" if free else "Probability"
        ),
        *INTERVAL,
        STATUS,
    )


def _coverage_columns(question: Question) -> tuple[Column, ...]:
    return (
        Column("n", "integer", "measure", title="Events"),
        Column("counted", "integer", "measure", title="Counted in a rate"),
        Column("excluded_before_entry", "integer", "measure", title="Before entry"),
        Column("after_follow_up", "integer", "measure", title="After follow-up"),
        Column("over_90_days", "integer", "measure", title="Over 90 days since procedure"),
        Column("without_denominator", "integer", "measure", title="Without a denominator"),
        STATUS,
    )


EXACT: Mapping[Measure, Exact] = MappingProxyType(
    {
        Measure.COUNTS: Exact(answered=_counts, columns=_count_columns),
        Measure.RATES: Exact(answered=_rates, columns=_rate_columns),
        Measure.PROPORTIONS: Exact(answered=_proportions, columns=_proportion_columns),
        Measure.TREND: Exact(
            answered=_trend, columns=_trend_columns, never_protected=frozenset({"cusum", "alarm"})
        ),
        Measure.FUNNEL: Exact(answered=_funnel, columns=_funnel_columns),
        Measure.SIGNALS: Exact(
            answered=_signals, columns=_signal_columns, never_protected=frozenset({"p"})
        ),
        Measure.CASCADES: Exact(answered=_cascades, columns=_cascade_columns),
        Measure.SURVIVAL: Exact(answered=_survival, columns=_curve_columns),
        Measure.INCIDENCE: Exact(answered=_incidence, columns=_curve_columns),
        Measure.COVERAGE: Exact(answered=_coverage, columns=_coverage_columns),
    }
)
"""Every measure that is offered, with true numbers."""


def columns_of(question: Question) -> tuple[Column, ...]:
    """The columns of the numbers, after those of the grouping."""
    return EXACT[question.measure].columns(question)


def protected_columns_of(question: Question) -> tuple[Column, ...]:
    """The same of a protected answer: how many cells are hidden, and why, before the status."""
    measured = EXACT[question.measure]
    *numbers, status = measured.columns(question)
    told = [column for column in numbers if column.name not in measured.never_protected]
    return (*told, HIDDEN_CELLS, REASON, status)
