"""Examples of measures' answers, for the documentation of the API."""

from registry.records import Column, EventQuery
from registry.reporting.asking.spec import MeasureSpec, Part, Question
from registry.reporting.estimating.rows import grouping_columns
from registry.snapshot.selection import Selection


def example_columns(spec: MeasureSpec) -> tuple[Column, ...]:
    """The columns of an exact answer to the question of a measure's example."""
    example = spec.example
    question = Question(
        query=EventQuery(group_by=example.group_by),
        spec=spec,
        counting=example.counting or spec.counting[0],
        parts=(Part(selection=Selection(), unit=example.unit, clock=None, per_patient=False),),
        windows=(),
    )
    return (*grouping_columns(question), *spec.columns(question))
