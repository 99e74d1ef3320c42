"""The declaration of a measure, and a question prepared for it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum, auto
from typing import Any

from registry.disclosure import Form, Plan, Policy, Protection, Tree
from registry.records import DIMENSIONS, Cell, Column, EventQuery, Fault, Reading, Window
from registry.reporting.asking.adjusting import ADJUSTERS
from registry.reporting.asking.freshness import Frozen
from registry.reporting.asking.still_open import NOTHING_OPEN, StillOpen
from registry.snapshot.selection import Selection, joined_spans
from registry.snapshot.statement import Key
from registry.snapshot.store import Store
from registry.snapshot.terms import Term, Terms
from registry.vocabulary import CellStatus, CountingRule, Denominator, Measure, Profile

EVERY_MEASURE = ("group_by", "counting", "release", "labels", "ordering")
"""Options that every measure takes, with values from its spec."""

SOME_MEASURES = (
    *("unit", "per", "level", "ci"),
    *("standardise", "adjust", "reference", "cluster", "effect"),
)
"""Options that only some measures take."""

ANY_DIMENSION = tuple(name for name, dimension in DIMENSIONS.items() if dimension.groupable)

QUANTITY = {
    Denominator.PUMP_MONTHS: "months",
    Denominator.CATHETER_MONTHS: "months",
    Denominator.PROCEDURES: "procedures",
    Denominator.REFILLS: "refills",
}


class Divides(Enum):
    """The denominators of a measure."""

    NOTHING = auto()
    CARRIERS = auto()
    EXPOSURE = auto()
    LIFETIMES = auto()


@dataclass(frozen=True, slots=True)
class Row:
    """One row of an answer before formatting: its key, numbers by column, and status."""

    key: Key
    numbers: Mapping[str, Cell]
    status: CellStatus


@dataclass(frozen=True, slots=True)
class Answered:
    """The rows of an answer, and metadata of its measure."""

    rows: Sequence[Row]
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The rows of an answer that share a denominator, a clock and a rule for first events.

    clock: pump or catheter; None, in proportions, for any device.
    """

    selection: Selection
    unit: Denominator
    clock: str | None
    per_patient: bool

    @property
    def quantity(self) -> str:
        """What the denominator sums: months, procedures or refills."""
        return QUANTITY[self.unit]

    @property
    def whole(self) -> Selection:
        """The same selection without a breakdown."""
        return replace(self.selection, group_by=(), spans=joined_spans(self.selection.spans))


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question prepared for one snapshot.

    as_of: the instant of the data, where the answer depends on it. open_years: the years that are
    provisional in it.
    """

    query: EventQuery
    spec: "MeasureSpec"
    counting: CountingRule
    parts: tuple[Part, ...]
    windows: tuple[Window, ...]
    as_of: datetime | None = None
    open_years: StillOpen = NOTHING_OPEN

    @property
    def takes_declared(self) -> bool:
        """Whether exposure that sites declare is a part of its denominators, where it has any."""
        if self.counting.of_firsts:
            return self.spec.declared_firsts and not self.query.standardise
        return not self.spec.of_implants

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
    """A canonical question, and the nodes that answer it."""

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
    sentences on what of it is shown. refuses: what only exact answers have; refuses_planned: the
    same, where it follows from the nodes. planned: the question whose rows are nodes. no_sums: what
    of several nodes does not add up, if it does not; splits_sums: whether a grouping helps there.
    compares_sites: whether its rows are sites, which may then be compared by one complication.
    """

    form: Form
    counting: tuple[CountingRule, ...]
    rows: Callable[[ProtectedQuestion, Frozen, Protection], Answered]
    method: str
    minimums: Callable[[Question, Policy], Mapping[str, object]] = lambda question, policy: {}
    changed: Callable[[Question, Policy], list[str]] = lambda question, policy: []
    says: tuple[str, ...] = ()
    refuses: Callable[[EventQuery], Iterable[Fault]] = lambda query: ()
    refuses_planned: Callable[["ProtectedQuestion", Terms], Iterable[Fault]] = (
        lambda question, terms: ()
    )
    planned: Callable[[EventQuery], EventQuery] = lambda query: query
    no_sums: str = ""
    splits_sums: bool = False
    compares_sites: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """Why a measure has no protected form, and what to ask for instead."""

    why: str
    instead: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """A published number with limits from its own counts; None is undefined."""

    value: float | None
    lower: float | None
    upper: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Literature:
    """How published figures are compared with a measure.

    figure: from events, denominator, units and level to a figure. like: the registry's units in one
    published unit, from its kind and both units; None where they must not be compared. of_time:
    whether it is per a number of the registry's units.
    """

    figure: Callable[[float, float, float, float], Figure]
    like: Callable[[str, str, str | None], int | None]
    of_time: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """An answer of one row for the schema: its title, its row, and its measure's metadata."""

    title: str
    row: Mapping[str, Cell]
    meta: Mapping[str, Any]
    group_by: tuple[str, ...] = ()
    counting: CountingRule | None = None
    unit: Denominator = Denominator.CATHETER_MONTHS


Elsewhere = Callable[[Sequence[str]], str]
"""A sentence that names the measures that can be grouped by these names."""

Refuses = Callable[[EventQuery, Sequence[Term], Elsewhere], Iterable[Fault]]


CLUSTERS = ("patient", "site")
"""What limits can be made robust to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureSpec:
    """Everything about a measure; forms, API, answers, protection and charts read it.

    about: the description of its address. counting: what may be counted, the default first. takes:
    its options of SOME_MEASURES. group_by: dimensions that its rows can be grouped by, up to three.
    places: for each place of group_by the names that it may hold, the default first; None where any
    of group_by is allowed; own_rows: the message for a wrong grouping. ordering: the columns of
    numbers that rows can be ordered by. adjusters: what it can be adjusted for, where it takes
    `adjust`. not_filtered_by: filters that it does not take. refuses: faults from the question and
    the complications it selects.

    divides: its denominators. by_unit: whether rows are grouped by denominator. what_counts: the
    question whose events count. names_rows: whether its groupings name its rows.

    answered: from a snapshot, a question and the units of a rate to rows. columns: those of the
    numbers, after the grouping's. never_protected: columns that protected answers do not have.
    protected: its protected form, or why it is withheld.

    called: the start of its title. method: the method of its interval. denominator: in words.
    warnings, left_out: sentences for readers beside those of every measure. of_totals: whether
    consequences are left out unless named. of_implants: whether exposure that sites declare is left
    out. declared_firsts: whether rates of first events count all events in it. runs_on: whether
    its rows include a year that is not over. literature: how published figures are compared with
    it, if they are.
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
    adjusters: tuple[str, ...] = ADJUSTERS
    not_filtered_by: tuple[str, ...] = ()
    refuses: Refuses = lambda query, chosen, elsewhere: ()

    divides: Divides
    of_implants: bool = False
    declared_firsts: bool = False
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
        """Whether its rows are fixed, so that group_by has no choice."""
        return self.places is not None and all(len(names) == 1 for names in self.places)

    @property
    def published(self) -> ProtectedForm | None:
        """Its protected form; None where it is withheld."""
        return self.protected if isinstance(self.protected, ProtectedForm) else None

    def rows(self, group_by: Iterable[str]) -> tuple[str, ...]:
        """The dimensions that name the rows of an answer with these groupings."""
        groups = tuple(group_by)
        if self.places is None:
            return groups
        return tuple(
            next((name for name in groups if name in names), names[0]) for names in self.places
        )

    def named_rows(self, group_by: Iterable[str]) -> tuple[str, ...]:
        """The groupings whose values name a row; none where rows have names of their own."""
        return tuple(group_by) if self.names_rows else ()
