"""The devices behind curves, counted by month: who entered, who left and why."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from registry.reporting.asking.spec import Question, Row
from registry.reporting.estimating.rows import ordered
from registry.snapshot.counting import before_entry
from registry.snapshot.lives import BY_EVENT, ENTERED, Lives, lives, lives_of
from registry.snapshot.statement import Key
from registry.snapshot.store import Store
from registry.statistics.life_counts import CENSORED
from registry.statistics.survival import LifeCounts
from registry.vocabulary import CellStatus, ExitStatus

Ints = NDArray[np.int64]

FEWEST_AT_RISK = 10
"""A curve starts at the first month with so many at risk, and stops where fewer are."""

THE_EVENT, DEATH, EXPLANT, STOPPED = 1, 2, 3, 4
COMPETING = {
    ExitStatus.DEATH_RELATED: DEATH,
    ExitStatus.DEATH_UNRELATED: DEATH,
    ExitStatus.DEATH_UNKNOWN: DEATH,
    ExitStatus.REPLACED_FOR_FAILURE: EXPLANT,
    ExitStatus.EXPLANTED_FOR_COMPLICATION: EXPLANT,
    ExitStatus.EXPLANT_ELECTIVE: EXPLANT,
    ExitStatus.THERAPY_DISCONTINUED: STOPPED,
}
"""Competing ends of follow-up; every other end censors."""

CAUSE_OF = {status.value: cause for status, cause in COMPETING.items()}


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """The devices of one curve, counted by month.

    counts: when they entered and when they were last at risk: at the first event, THE_EVENT, at
    another of COMPETING, or censored. before_entry: events before entry.
    """

    key: Key
    counts: LifeCounts
    before_entry: int

    @property
    def events(self) -> int:
        """The number of first events, on the curve or beyond its ends."""
        return int(self.counts.ended_of(THE_EVENT).sum())

    def span(self) -> tuple[int, int] | None:
        """The first month with enough at risk and the last before there are fewer, or None.

        Without delayed entry the first is always 0.
        """
        enough = self.counts.at_risk_by_month() >= FEWEST_AT_RISK
        if not enough.any():
            return None
        first = int(np.argmax(enough))
        fewer = np.flatnonzero(~enough[first:])
        return first, first + int(fewer[0]) - 1 if fewer.size else int(enough.size) - 1


def groups_of(store: Store, question: Question) -> list[Group]:
    """The devices of each curve, in the order of the answer."""
    found: dict[Key, Group] = {}
    statuses = store.codes.lists["exit_status"]
    causes = np.array([CAUSE_OF.get(status, CENSORED) for status in statuses])
    for part in question.parts:
        clock, selection = str(part.clock), part.selection
        without, changes = lives(store, selection, clock=clock, per_patient=part.per_patient)
        early = before_entry(store, selection, clock=clock)
        for key in without:
            life = lives_of(without, changes, key, key)
            found[key] = Group(key, counts_of(life, causes), early.pop(key, 0))
        if not question.query.group_by and not found:
            found[()] = Group((), counts_of(Lives.none(), causes), early.get((), 0))
    unordered = replace(question, query=replace(question.query, ordering=()))
    rows = [Row(key, {}, CellStatus.OK) for key in found]
    in_order = ordered(rows, question=unordered, terms=store.manifest.terms, columns=())
    return [found[row.key] for row in in_order]


def counts_of(life: Lives, causes: Ints) -> LifeCounts:
    """The months of a group; a device with an event ends by it, whatever else was in that month.

    causes: the cause of each exit status, by its number.
    """
    months, places = np.unique(life.month, return_inverse=True)
    n, entered = life.sums[:, 0], life.what == ENTERED
    cause = np.where(life.what == BY_EVENT, THE_EVENT, causes[life.why])

    def by_month(lines: NDArray[np.bool_]) -> Ints:
        found = np.zeros(months.size, dtype=np.int64)
        np.add.at(found, places[lines], n[lines])
        return found

    ended = {
        each: by_month(~entered & (cause == each)) for each in np.unique(cause[~entered]).tolist()
    }
    return LifeCounts(months.astype(np.float64), by_month(entered), ended)
