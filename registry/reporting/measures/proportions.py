"""The share of patients, or devices, with at least one event."""

from functools import partial

from registry.disclosure import Form, Protection, proportion_row
from registry.records import Column, Estimated, PictureKind, Reading
from registry.reporting.asking.freshness import Frozen
from registry.reporting.asking.spec import (
    Answered,
    Divides,
    Example,
    MeasureSpec,
    ProtectedForm,
    ProtectedQuestion,
    Question,
)
from registry.reporting.estimating.cells import proportion_cells
from registry.reporting.estimating.literature import BESIDE_SHARES
from registry.reporting.estimating.rows import rows_of
from registry.reporting.measures.columns import INTERVAL, STATUS
from registry.reporting.protected.shown import rows_of_plan
from registry.snapshot.store import Store
from registry.vocabulary import CountingRule, Measure

AFTER_FOLLOW_UP = "Events after the end of follow-up count here, those before entry do not."


def _answered(store: Store, question: Question, per: int) -> Answered:
    return Answered(rows_of(proportion_cells(store, question)))


def _columns(question: Question) -> tuple[Column, ...]:
    return (
        Column("numerator", "integer", "measure", title="With an event"),
        Column("denominator", "integer", "measure", title="Of"),
        Column("proportion", "number", "measure", title="Proportion"),
        *INTERVAL,
        STATUS,
    )


def _shown(question: ProtectedQuestion, frozen: Frozen, protection: Protection) -> Answered:
    row_of = partial(proportion_row, level=question.query.level)
    return rows_of_plan(question, frozen, protection, form=Form.PROPORTIONS, row_of=row_of)


def _denominator(question: Question) -> str:
    carriers = "devices" if question.counting is CountingRule.DEVICES else "patients"
    clocks = {part.clock for part in question.parts}
    if len(clocks) > 1:
        return f"{carriers} with the component that each row's complications concern"
    component = next(iter(clocks), None) or "pump or catheter"
    return f"{carriers} with a {component} of the selection"


SPEC = MeasureSpec(
    measure=Measure.PROPORTIONS,
    about="Share of the patients with a device who had at least one event.",
    counting=(CountingRule.PATIENTS, CountingRule.DEVICES),
    takes=frozenset({"level"}),
    ordering=("numerator", "denominator", "proportion", "ci_lower", "ci_upper"),
    divides=Divides.CARRIERS,
    answered=_answered,
    columns=_columns,
    protected=ProtectedForm(
        form=Form.PROPORTIONS,
        counting=(CountingRule.PATIENTS,),
        rows=_shown,
        method="Wilson's interval (1927) with the variance of the perturbation added.",
    ),
    method=lambda question: "Wilson's interval (Wilson 1927, Newcombe 1998).",
    denominator=_denominator,
    warnings=lambda question, profile: [
        "Follow-up differs between patients: a proportion is not a risk over time."
    ],
    left_out=lambda question: [AFTER_FOLLOW_UP],
    literature=BESIDE_SHARES,
    reading=Reading(
        picture=PictureKind.ESTIMATES,
        estimate=Estimated(
            "proportion",
            "ci_lower",
            "ci_upper",
            ("numerator", "of", "denominator"),
            share=True,
        ),
        shares=True,
        of_all=True,
    ),
    example=Example(
        title="Patients with a catheter problem",
        row={
            "numerator": 34,
            "denominator": 400,
            "proportion": 0.085,
            "ci_lower": 0.0615,
            "ci_upper": 0.1165,
            "status": "ok",
        },
        meta={"counting": "patients"},
    ),
)
