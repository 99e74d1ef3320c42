"""Numbers of events, episodes, devices or patients."""

from registry.disclosure import Form, Protection, count_row
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
from registry.reporting.estimating.cells import count_cells
from registry.reporting.estimating.rows import rows_of
from registry.reporting.measures.columns import STATUS
from registry.reporting.protected.shown import rows_of_plan
from registry.snapshot.store import Store
from registry.vocabulary import CountingRule, Measure, Profile

NO_IMPLANT = {
    CountingRule.PATIENTS: "Events reported without an implant belong to no known patient.",
    CountingRule.DEVICES: "Events reported without an implant belong to no known device.",
}
NO_IMPLANT_NO_FIRST = "Events reported without an implant are no device's first event."


def _answered(store: Store, question: Question, per: int) -> Answered:
    return Answered(rows_of(count_cells(store, question)))


def _columns(question: Question) -> tuple[Column, ...]:
    return (Column("n", "integer", "measure", title=question.counting.label), STATUS)


def _shown(question: ProtectedQuestion, frozen: Frozen, protection: Protection) -> Answered:
    return rows_of_plan(question, frozen, protection, form=Form.COUNTS, row_of=count_row)


def _warnings(question: Question, profile: Profile) -> list[str]:
    said = NO_IMPLANT.get(question.counting)
    return [said] if said else []


def _left_out(question: Question) -> list[str]:
    return [NO_IMPLANT_NO_FIRST] if question.counting.of_firsts else []


SPEC = MeasureSpec(
    measure=Measure.COUNTS,
    about="Count events, episodes, devices or patients.",
    counting=(
        CountingRule.EVENTS,
        CountingRule.EPISODES,
        CountingRule.FIRST_EVENT,
        CountingRule.FIRST_IN_ROW,
        CountingRule.DEVICES,
        CountingRule.PATIENTS,
    ),
    ordering=("n",),
    divides=Divides.NOTHING,
    answered=_answered,
    columns=_columns,
    protected=ProtectedForm(
        form=Form.COUNTS,
        counting=(CountingRule.PATIENTS, CountingRule.DEVICES, CountingRule.FIRST_EVENT),
        rows=_shown,
        method="Counted and perturbed.",
    ),
    method=lambda question: "Counted.",
    warnings=_warnings,
    left_out=_left_out,
    reading=Reading(
        picture=PictureKind.ESTIMATES,
        estimate=Estimated("n"),
        says_method=False,
        has_level=False,
    ),
    example=Example(
        title="Patients by category",
        group_by=("category",),
        counting=CountingRule.PATIENTS,
        row={"category": "catheter", "n": 33, "status": "ok"},
        meta={"counting": "patients"},
    ),
)
