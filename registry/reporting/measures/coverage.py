"""Coverage: how many reported events a rate counts."""

from registry.records import Column, PictureKind, Reading
from registry.reporting.asking.spec import (
    Answered,
    Divides,
    Example,
    MeasureSpec,
    Question,
    Withheld,
)
from registry.reporting.estimating.coverage import coverage_cells
from registry.reporting.estimating.rows import rows_of
from registry.reporting.measures.columns import STATUS
from registry.snapshot.store import Store
from registry.vocabulary import CountingRule, Measure


def _answered(store: Store, question: Question, per: int) -> Answered:
    return Answered(rows_of(coverage_cells(store, question)))


def _columns(question: Question) -> tuple[Column, ...]:
    return (
        Column("n", "integer", "measure", title="Events"),
        Column("counted", "integer", "measure", title="Counted in a rate"),
        Column("excluded_before_entry", "integer", "measure", title="Before entry"),
        Column("after_follow_up", "integer", "measure", title="After follow-up"),
        Column("after_last_round", "integer", "measure", title="After the last closed round"),
        Column("over_90_days", "integer", "measure", title="Over 90 days since procedure"),
        Column("without_denominator", "integer", "measure", title="Without a denominator"),
        STATUS,
    )


SPEC = MeasureSpec(
    measure=Measure.COVERAGE,
    about="Count events with a denominator, by tier, and others by why they have none.",
    counting=(CountingRule.EVENTS,),
    takes=frozenset({"unit"}),
    ordering=("n", "counted", "without_denominator"),
    divides=Divides.NOTHING,
    by_unit=True,
    answered=_answered,
    columns=_columns,
    protected=Withheld(why="it counts events by why they have no denominator"),
    method=lambda question: "Counted.",
    reading=Reading(picture=PictureKind.PLACES, says_method=False, has_level=False),
    example=Example(
        title="Events with device time",
        row={
            "n": 62,
            "counted": 57,
            "excluded_before_entry": 2,
            "after_follow_up": 1,
            "after_last_round": 0,
            "over_90_days": 0,
            "without_denominator": 2,
            "status": "ok",
        },
        meta={},
    ),
)
