"""What the answers of a measure look like, for the documentation of the API."""

from collections.abc import Iterator
from itertools import product

from registry.records import Column, EventQuery
from registry.reporting.asking.spec import MeasureSpec, Part, Question
from registry.reporting.estimating.rows import grouping_columns
from registry.reporting.measures.columns import protected_columns_of
from registry.snapshot.selection import Selection
from registry.vocabulary import CountingRule

_LABELS = ("code", "label", "both")


def example_columns(spec: MeasureSpec) -> tuple[Column, ...]:
    """The columns of an exact answer to the question of a measure's example."""
    example = spec.example
    query = EventQuery(group_by=example.group_by)
    question = _question(spec, query, example.counting or spec.counting[0])
    return (*grouping_columns(question), *spec.columns(question))


def columns_ever(spec: MeasureSpec) -> dict[str, tuple[frozenset[str], bool]]:
    """Every column that an answer of a measure may have, by name: its types, and whether always.

    A year or a grade is an integer, or text where its label is asked for.
    """
    answers = [
        {column.name: column.type for column in columns} for columns in _columns_of_answers(spec)
    ]
    names = dict.fromkeys(name for columns in answers for name in columns)
    return {
        name: (
            frozenset(columns[name] for columns in answers if name in columns),
            all(name in columns for columns in answers),
        )
        for name in names
    }


def _columns_of_answers(spec: MeasureSpec) -> Iterator[tuple[Column, ...]]:
    """The columns of answers to every kind of question, exact and protected."""
    groupings = [(), *((name,) for name in spec.group_by)]
    standardised = [(), ("sex",)] if "standardise" in spec.takes else [()]
    adjusted = [(), ("sex",)] if "adjust" in spec.takes else [()]
    for labels in _LABELS:
        for group_by in groupings:
            query = EventQuery(group_by=spec.rows(group_by), labels=labels)
            yield _whole_row(spec, _question(spec, query, spec.counting[0]))
        for counting in spec.counting:
            for standardise, adjust in product(standardised, adjusted):
                query = EventQuery(labels=labels, standardise=standardise, adjust=adjust)
                yield _whole_row(spec, _question(spec, query, counting))
    if spec.published is not None:
        for counting in spec.published.counting:
            yield protected_columns_of(_question(spec, EventQuery(), counting))


def _whole_row(spec: MeasureSpec, question: Question) -> tuple[Column, ...]:
    return (*grouping_columns(question), *spec.columns(question))


def _question(spec: MeasureSpec, query: EventQuery, counting: CountingRule) -> Question:
    part = Part(selection=Selection(), unit=spec.example.unit, clock=None, per_patient=False)
    return Question(query=query, spec=spec, counting=counting, parts=(part,), windows=())
