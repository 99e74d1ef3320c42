"""What a measure is, as one declaration, and a question made ready to be answered by it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum, auto
from typing import Any

from registry.disclosure import Form, Plan, Policy, Protection, Tree
from registry.records import DIMENSIONS, Cell, Column, EventQuery, Fault, Reading, Window
from registry.reporting.asking.freshness import Frozen
from registry.snapshot.selection import Selection, joined_spans
from registry.snapshot.statement import Key
from registry.snapshot.store import Store
from registry.snapshot.terms import Term
from registry.vocabulary import CellStatus, CountingRule, Denominator, Measure, Profile

EVERY_MEASURE = ("group_by", "counting", "release", "labels", "ordering")
"""Options that every measure takes; which values, its spec says."""

SOME_MEASURES = ("unit", "per", "level", "ci", "standardise")
"""Options that change the answers of some measures only."""

ANY_DIMENSION = tuple(name for name, dimension in DIMENSIONS.items() if dimension.groupable)

QUANTITY = {
    Denominator.PUMP_MONTHS: "months",
    Denominator.CATHETER_MONTHS: "months",
    Denominator.PROCEDURES: "procedures",
    Denominator.REFILLS: "refills",
}


class Divides(Enum):
    """What the events of a measure are divided by."""

    NOTHING = auto()
    CARRIERS = auto()
    EXPOSURE = auto()
    LIFETIMES = auto()


@dataclass(frozen=True, slots=True)
class Row:
    """One row of an answer before it is written out: its key, numbers by column, and status."""

    key: Key
    numbers: Mapping[str, Cell]
    status: CellStatus


@dataclass(frozen=True, slots=True)
class Answered:
    """The rows of an answer, and what its meta says besides what every answer says."""

    rows: Sequence[Row]
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The rows of an answer that share a denominator, a clock and a rule for first events.

    clock: pump or catheter; None, in proportions, where any device will do.
    """

    selection: Selection
    unit: Denominator
    clock: str | None
    per_patient: bool

    @property
    def quantity(self) -> str:
        """What the denominator adds up: months, procedures or refills."""
        return QUANTITY[self.unit]

    @property
    def whole(self) -> Selection:
        """The same selection without a breakdown."""
        return replace(self.selection, group_by=(), spans=joined_spans(self.selection.spans))


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question made ready for one snapshot.

    as_of: of when the data are, where the answer depends on it.
    """

    query: EventQuery
    spec: "MeasureSpec"
    counting: CountingRule
    parts: tuple[Part, ...]
    windows: tuple[Window, ...]
    as_of: datetime | None = None

    @property
    def named_rows(self) -> tuple[str, ...]:
        """The groupings whose values name a row."""
        return self.spec.named_rows(self.query.group_by)

    @property
    def units(self) -> tuple[Denominator, ...]:
        """The denominators of its rows, in the vocabulary's order."""
        used = {part.unit for part in self.parts}
        return tuple(unit for unit in Denominator if unit in used)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectedQuestion:
    """A question in its one spelling, and the nodes that answer it."""

    query: EventQuery
    spec: "MeasureSpec"
    counting: CountingRule
    plan: Plan
    trees: Mapping[str, Tree]
    policy: Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtectedForm:
    """The protected form of a measure.

    counting: what may be counted, the default first; none holds a patient twice. rows: the answer
    from shown nodes. method: how its interval was found. minimums: those that the answer names
    beside the ones of counts. changed: sentences on what was perturbed beside counts. says:
    sentences on what of it is shown. refuses: what only exact answers have. planned: the question
    whose rows are nodes. no_sums: what of several nodes does not add up, if it does not;
    splits_sums: whether a grouping helps there.
    """

    form: Form
    counting: tuple[CountingRule, ...]
    rows: Callable[[ProtectedQuestion, Frozen, Protection], Answered]
    method: str
    minimums: Callable[[Question, Policy], Mapping[str, object]] = lambda question, policy: {}
    changed: Callable[[Question, Policy], list[str]] = lambda question, policy: []
    says: tuple[str, ...] = ()
    refuses: Callable[[EventQuery], Iterable[Fault]] = lambda query: ()
    planned: Callable[[EventQuery], EventQuery] = lambda query: query
    no_sums: str = ""
    splits_sums: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """Why a measure has no protected form, and what to ask for instead."""

    why: str
    instead: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """A published number with the limits that its own counts give; None is undefined."""

    value: float | None
    lower: float | None
    upper: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Literature:
    """How published figures stand beside a measure.

    figure: events, what they are of, units and level to a figure. like: how many of our units one
    published unit is, from its kind, its unit and ours; None where the two must not be compared.
    of_time: whether it is given per so many units of ours.
    """

    figure: Callable[[float, float, float, float], Figure]
    like: Callable[[str, str, str | None], int | None]
    of_time: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """An answer of one row for the schema: its title, its row, and what its meta says besides."""

    title: str
    row: Mapping[str, Cell]
    meta: Mapping[str, Any]
    group_by: tuple[str, ...] = ()
    counting: CountingRule | None = None
    unit: Denominator = Denominator.CATHETER_MONTHS


Elsewhere = Callable[[Sequence[str]], str]
"""A sentence that names the measures that can be grouped by these names."""

Refuses = Callable[[EventQuery, Sequence[Term], Elsewhere], Iterable[Fault]]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureSpec:
    """Everything that a measure is. Who offers, asks, answers, protects or draws it reads this.

    about: what its address does. counting: what may be counted, the default first. takes: its
    options of SOME_MEASURES. group_by: dimensions that its rows can be grouped by, up to three.
    places: for each place of group_by the names that it may hold, the default first; None where any
    of group_by will do; own_rows: how a wrong grouping is told which ones those are. ordering: the
    columns of numbers that rows can be ordered by. not_filtered_by: filters that its answer has no
    meaning under. refuses: what else has none, from the question and the complications it selects.

    divides: what events are divided by. by_unit: whether rows stand together by denominator.
    what_counts: the question whose events count. names_rows: whether its groupings name its rows.

    answered: from a snapshot, a question and the units of a rate to rows. columns: those of the
    numbers, after the grouping's. never_protected: columns that protected answers do not have.
    protected: its protected form, or why it is withheld.

    called: how its title begins. method: how the interval was found. denominator: what rows divide
    by. warnings, left_out: what a reader has to know beside what the kind of measure says.
    of_totals: whether consequences are left out unless they are named. runs_on: whether a year that
    is not over stands in its rows. literature: how published figures stand beside it, if they may.
    reading: how tables and pictures read its rows. example: an answer for the schema.
    """

    measure: Measure
    about: str
    counting: tuple[CountingRule, ...]
    ordering: tuple[str, ...]
    takes: frozenset[str] = frozenset()
    group_by: tuple[str, ...] = ANY_DIMENSION
    places: tuple[tuple[str, ...], ...] | None = None
    own_rows: str = ""
    not_filtered_by: tuple[str, ...] = ()
    refuses: Refuses = lambda query, chosen, elsewhere: ()

    divides: Divides
    by_unit: bool = False
    what_counts: Callable[[EventQuery], EventQuery] = lambda query: query
    names_rows: bool = True

    answered: Callable[[Store, Question, int], Answered]
    columns: Callable[[Question], tuple[Column, ...]]
    never_protected: frozenset[str] = frozenset()
    protected: ProtectedForm | Withheld

    called: str = ""
    method: Callable[[Question], str]
    denominator: Callable[[Question], str | None] = lambda question: None
    warnings: Callable[[Question, Profile], list[str]] = lambda question, profile: []
    left_out: Callable[[Question], list[str]] = lambda question: []
    of_totals: bool = True
    runs_on: bool = True
    literature: Literature | None = None
    reading: Reading
    example: Example

    @property
    def options(self) -> tuple[str, ...]:
        """The names of all its options, in the order in which they are documented."""
        return (*EVERY_MEASURE, *(name for name in SOME_MEASURES if name in self.takes))

    @property
    def has_own_rows(self) -> bool:
        """Whether its rows are given, so that there is nothing to choose in group_by."""
        return self.places is not None and all(len(names) == 1 for names in self.places)

    @property
    def published(self) -> ProtectedForm | None:
        """Its protected form; None where it is withheld."""
        return self.protected if isinstance(self.protected, ProtectedForm) else None

    def rows(self, group_by: Iterable[str]) -> tuple[str, ...]:
        """The dimensions that name the rows of an answer that was asked to be grouped so."""
        groups = tuple(group_by)
        if self.places is None:
            return groups
        return tuple(
            next((name for name in groups if name in names), names[0]) for names in self.places
        )

    def named_rows(self, group_by: Iterable[str]) -> tuple[str, ...]:
        """The groupings whose values name a row; none where rows have names of their own."""
        return tuple(group_by) if self.names_rows else ()
