"""Cascades: which complications cause which."""

from dataclasses import replace

from registry.disclosure import Form
from registry.records import Column, EventQuery, PictureKind, Reading
from registry.reporting.asking.spec import (
    Answered,
    Divides,
    Example,
    MeasureSpec,
    ProtectedForm,
    Question,
)
from registry.reporting.estimating.cascades import cascade_rows
from registry.reporting.estimating.pairs import LEVELS
from registry.reporting.measures.columns import STATUS
from registry.reporting.protected.cascades import finer_cascades, shown_cascades
from registry.snapshot.store import Store
from registry.vocabulary import CountingRule, Measure, Profile

WARNINGS = (
    "Filters choose the causes; every event that names one of them as its cause is an effect, of "
    "the complications that effect names where it is given. Both are accepted and actual by "
    "default.",
    "A cause is what the site named: events that merely follow one another are no pair.",
)
OF_INTERVALS = (
    "The interval is in whole months on the clock of the device that both events name; where they "
    "name two, or no month, it is unknown. Pairs whose effect is dated before its cause are "
    "counted separately, since one of the two months is wrong."
)
OF_EVENTS = (
    "The share is of the cause's events that have at least one such effect; one event can have "
    "several."
)
OF_PATIENTS = "The share is of the patients with the cause who have at least one such effect."


def _warnings(question: Question, profile: Profile) -> list[str]:
    said = [*WARNINGS] if profile is Profile.PROTECTED else [*WARNINGS, OF_INTERVALS]
    return [*said, OF_PATIENTS if question.counting is CountingRule.PATIENTS else OF_EVENTS]


def _answered(store: Store, question: Question, per: int) -> Answered:
    return Answered(*cascade_rows(store, question))


def _columns(question: Question) -> tuple[Column, ...]:
    named = []
    by_patient = question.counting is CountingRule.PATIENTS
    for name in ("cause", "effect"):
        named.append(Column(name, "string", "dimension", title=name.capitalize()))
        if question.query.labels == "both":
            words = f"{name.capitalize()}, in words"
            named.append(Column(f"{name}_label", "string", "dimension", title=words))
    return (
        *named,
        Column("n", "integer", "measure", title="Patients" if by_patient else "Pairs"),
        Column(
            "cause_events",
            "integer",
            "measure",
            title="Patients with the cause" if by_patient else "Events of the cause",
        ),
        Column("share", "number", "measure", title="Followed by the effect"),
        Column("with_interval", "integer", "measure", title="Pairs with an interval"),
        Column("before_cause", "integer", "measure", title="Pairs dated effect first"),
        Column("median_months", "number", "measure", "months", "Median interval"),
        STATUS,
    )


def _every_cause(query: EventQuery) -> EventQuery:
    """The question with consequences, which cascades always include."""
    return replace(query, group_by=("complication",))


SPEC = MeasureSpec(
    measure=Measure.CASCADES,
    about="Count the pairs of events that sites linked as cause and effect.",
    counting=(CountingRule.EVENTS, CountingRule.PATIENTS),
    takes=frozenset({"effect"}),
    group_by=LEVELS,
    places=(LEVELS,),
    own_rows="Cascades are by complication or by category: group by one of them.",
    ordering=("cause", "effect", "n", "cause_events", "share", "median_months"),
    divides=Divides.NOTHING,
    what_counts=_every_cause,
    names_rows=False,
    answered=_answered,
    columns=_columns,
    never_protected=frozenset({"with_interval", "before_cause", "median_months"}),
    protected=ProtectedForm(
        form=Form.CASCADES,
        counting=(CountingRule.PATIENTS,),
        rows=shown_cascades,
        method="Counted and perturbed.",
        refuses=finer_cascades,
    ),
    method=lambda question: "Counted; the interval is the median of those known.",
    warnings=_warnings,
    of_totals=False,
    reading=Reading(picture=PictureKind.CASCADES, has_level=False),
    example=Example(
        title="What catheter events lead to",
        group_by=("complication",),
        row={
            "cause": "catheter-occlusion",
            "effect": "baclofen-withdrawal",
            "n": 14,
            "cause_events": 41,
            "share": 0.317,
            "with_interval": 13,
            "before_cause": 0,
            "median_months": 0.0,
            "status": "ok",
        },
        meta={
            "counting": "events",
            "cascades": {"pairs": 9, "cause_events": 160, "level": "complication"},
        },
    ),
)
