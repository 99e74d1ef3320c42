"""The trend of a rate from year to year."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from registry.disclosure import Form, Protection, plan
from registry.records import DIMENSIONS, Column, EventQuery, Fault, PictureKind, Reading
from registry.records.enumeration import enumerated
from registry.reporting.asking.adjusting import ADJUSTERS
from registry.reporting.asking.freshness import Frozen
from registry.reporting.asking.spec import (
    Answered,
    Divides,
    Elsewhere,
    Example,
    MeasureSpec,
    ProtectedForm,
    ProtectedQuestion,
    Question,
)
from registry.reporting.asking.still_open import still_open
from registry.reporting.estimating.cells import rate_cells
from registry.reporting.estimating.coverage import coverage_of
from registry.reporting.estimating.held_alike import held_alike
from registry.reporting.estimating.observed import observed_of
from registry.reporting.estimating.trend import Point, trend_of
from registry.reporting.measures import rates
from registry.reporting.measures.columns import (
    COUNTED_EVENTS,
    INTERVAL,
    RATE,
    RATE_COLUMNS,
    STATUS,
    exposure_column,
)
from registry.reporting.protected.comparison import finer_comparisons
from registry.reporting.protected.shown import observed_rows, shown_nodes
from registry.reporting.words.published import about_exposure, exposure_minimums
from registry.reporting.words.sentences import unit_in_words
from registry.snapshot.store import Store
from registry.snapshot.terms import Term
from registry.vocabulary import CountingRule, Measure, Profile


def _answered(store: Store, question: Question, per: int) -> Answered:
    years = [observed_of(each, per=per) for each in rate_cells(store, question, per=per)]
    found = trend_of(
        years,
        per=per,
        level=question.query.level,
        open_years=question.open_years,
        with_cusum=True,
        adjusted=held_alike(store, question),
    )
    return Answered(found.rows, {**found.meta, "coverage": coverage_of(store, question)})


def _columns(question: Question) -> tuple[Column, ...]:
    return (
        COUNTED_EVENTS,
        exposure_column(question),
        RATE,
        *INTERVAL,
        Column("fitted", "number", "measure", title="Fitted rate"),
        Column("cusum", "number", "measure", title="CUSUM"),
        Column("alarm", "boolean", "measure", title="Alarm"),
        STATUS,
    )


def _shown(question: ProtectedQuestion, frozen: Frozen, protection: Protection) -> Answered:
    shown = shown_nodes(question, question.plan, frozen=frozen, protection=protection)
    by_period = plan(
        replace(
            question.query,
            group_by=("period",),
            where=tuple(each for each in question.query.where if each[0] not in {"year", "period"}),
            years=None,
        ),
        question.trees,
        question.policy,
    )
    shown_periods = shown_nodes(question, by_period, frozen=frozen, protection=protection)
    pooled = [
        Point(tuple(map(int, row.nodes[0].where(question.trees)["year"])), observed)
        for row, observed in zip(
            by_period.rows, observed_rows(question, by_period, shown_periods), strict=True
        )
        if row.nodes
    ]
    found = trend_of(
        observed_rows(question, question.plan, shown),
        per=question.query.per or 1,
        level=question.query.level,
        open_years=still_open((), frozen.data_as_of, profile=Profile.PROTECTED),
        with_cusum=False,
        pooled=pooled,
    )
    return Answered(found.rows, found.meta)


OF_AGE = (
    "Devices of a growing registry grow older, and their models change: the ratio holds both "
    "alike, as far as years can be told apart from them, and the crude one stands beside."
)
CHOSEN = (
    "The ratio holds {names} alike, as far as recorded; what is not named here, such as how old "
    "devices are, may make a trend of its own. The crude one stands beside."
)
DECLARED_HAS_NO_AGE = (
    "Exposure that sites declare has no months since implant: it is in the years' rates and the "
    "crude ratio alone."
)
CRUDE = (
    "Crude: devices of a growing registry grow older, and a rise or a fall may be their age's. Ask "
    "for rates by window, or for an agreement."
)

RUNNING_YEAR = "The year that the data end in is left out until it is over."
OPEN_YEARS = "Left out as well, since too few of their events are accepted so far: {years}."
NO_YEAR = "Events without a year are left out."


def _held(query: EventQuery) -> str:
    names = ", ".join(DIMENSIONS[name].title.lower() for name in query.adjust)
    return CHOSEN.format(names=names) if query.adjust else OF_AGE


def _refuses(query: EventQuery, chosen: Sequence[Term], elsewhere: Elsewhere) -> Iterable[Fault]:
    if "year" in query.adjust:
        detail = "The years are what a trend compares: adjust for something else."
        yield Fault("adjust", "bad-adjustment", detail)


def _warnings(question: Question, profile: Profile) -> list[str]:
    said = [CRUDE if profile is Profile.PROTECTED else _held(question.query)]
    if profile is Profile.EXACT and not question.counting.of_firsts:
        said.append(DECLARED_HAS_NO_AGE)
    if question.open_years.running is not None:
        said.append(RUNNING_YEAR)
    if question.open_years.provisional:
        years = sorted(str(each.year) for each in question.open_years.provisional)
        said.append(OPEN_YEARS.format(years=enumerated(years, last="and")))
    return [*said, NO_YEAR]


SPEC = MeasureSpec(
    measure=Measure.TREND,
    about=(
        "Follow a rate from year to year, with the ratio from one to the next.\n\n"
        "Exact answers hold months since implant and the model alike, or what `adjust` names, and "
        "give the crude ratio beside."
    ),
    counting=rates.COUNTING,
    takes=rates.OPTIONS | {"adjust"},
    adjusters=tuple(name for name in ADJUSTERS if name != "year"),
    group_by=("year",),
    places=(("year",),),
    ordering=RATE_COLUMNS,
    refuses=_refuses,
    divides=Divides.EXPOSURE,
    answered=_answered,
    columns=_columns,
    never_protected=frozenset({"cusum", "alarm"}),
    protected=ProtectedForm(
        form=Form.TREND,
        counting=(CountingRule.FIRST_EVENT,),
        rows=_shown,
        method=(
            "Log-linear quasi-Poisson regression on the calendar year, the variance of the "
            "perturbation added to that of each count (sandwich). The years of a five-year period "
            "of which one is hidden are one observation, of the period's own number. A year's rate "
            "has the interval of a perturbed rate."
        ),
        minimums=exposure_minimums,
        changed=about_exposure,
        refuses=finer_comparisons,
        says=(
            "A year is hidden because its number is low, so that a line through the others would "
            "rise too late: pooled names the periods that stand for their years. A hidden period, "
            "and one that is not over and has a hidden year, is left out. From under five "
            "observations the limits are those of chance and perturbation alone, and dispersion is "
            "empty. The CUSUM is not published.",
        ),
    ),
    method=lambda question: (
        "Log-linear quasi-Poisson regression of events on the calendar year, with main effects of "
        "what is held alike, and Student's limits (McCullagh and Nelder 1989); a year's rate has "
        "the interval of a rate."
    ),
    denominator=unit_in_words,
    warnings=_warnings,
    runs_on=False,
    reading=Reading(picture=PictureKind.TREND),
    example=Example(
        title="Catheter events by year",
        group_by=("year",),
        row={
            "year": 2019,
            "events": 24,
            "exposure": 15230.5,
            "rate": 1.576,
            "ci_lower": 1.01,
            "ci_upper": 2.345,
            "fitted": 1.62,
            "cusum": 0.0,
            "alarm": False,
            "status": "ok",
        },
        meta={
            "per": 1000,
            "trend": {
                "rate_ratio": 1.04,
                "ci_lower": 0.98,
                "ci_upper": 1.1,
                "p": 0.19,
                "dispersion": 1.3,
                "periods": 9,
                "reason": None,
                "dropped_period": 2024,
                "dropped_periods": [2024],
                "adjusted_for": ["window", "catheter_model"],
                "crude": {
                    "rate_ratio": 1.07,
                    "ci_lower": 1.01,
                    "ci_upper": 1.14,
                    "p": 0.03,
                    "dispersion": 1.3,
                    "reason": None,
                },
                "pooled": [],
            },
        },
    ),
)
