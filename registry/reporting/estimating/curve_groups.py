"""The devices behind curves, counted by month: who entered, who left and why."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from registry.reporting.asking.question import question_of
from registry.reporting.asking.spec import Part, Question, Row
from registry.reporting.estimating.clusters import PATIENTS, SITES
from registry.reporting.estimating.rows import ordered
from registry.reporting.estimating.site_months import LivesBySite
from registry.snapshot.counting import before_entry
from registry.snapshot.life_pairs import CAME, EVENT, STEP, LifePairs, life_pairs
from registry.snapshot.lives import BY_EVENT, ENTERED, Lives, lives, lives_of
from registry.snapshot.statement import Key
from registry.snapshot.store import Store
from registry.statistics.life_counts import CENSORED
from registry.statistics.patient_curves import ENTRY, LinesOfPatients
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
    another of COMPETING, or censored. before_entry: events before entry. sites, patients: the same
    devices site by site, and the lines of patients, where limits are to be robust to them.
    """

    key: Key
    counts: LifeCounts
    before_entry: int
    sites: LivesBySite | None = None
    patients: LinesOfPatients | None = None

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


def groups_of(
    store: Store,
    question: Question,
    *,
    clusters: Collection[str] = (),
    competing: bool = False,
) -> list[Group]:
    """The devices of each curve, in the order of the answer.

    clusters: what limits are to be robust to; sites are not where curves are of sites already.
    competing: whether ends of follow-up compete, or censor.
    """
    found: dict[Key, Group] = {}
    statuses = store.codes.lists["exit_status"]
    causes = np.array([CAUSE_OF.get(status, CENSORED) for status in statuses])
    by_site = SITES in clusters and "site" not in question.query.group_by
    for part, read in zip(question.parts, _parts(store, question, by_site=by_site), strict=True):
        clock, of_patient = str(part.clock), part.per_patient
        without, changes = lives(store, read.selection, clock=clock, per_patient=of_patient)
        early = before_entry(store, part.selection, clock=clock)
        pairs: dict[Key, LifePairs] = {}
        if PATIENTS in clusters:
            ends = causes.tolist() if competing else [CENSORED] * len(statuses)
            pairs = life_pairs(
                store, part.selection, clock=clock, per_patient=of_patient, causes=ends
            )
        rows: dict[Key, list[Lives]] = {}
        for key in without:
            row = key[:-1] if by_site else key
            rows.setdefault(row, []).append(lives_of(without, changes, key, key))
        for key, own in rows.items():
            found[key] = Group(
                key,
                counts_of(Lives.together(own), causes),
                early.pop(key, 0),
                LivesBySite.of(own, causes) if by_site else None,
                _lines(pairs[key]) if key in pairs else None,
            )
        if not question.query.group_by and not found:
            found[()] = Group((), counts_of(Lives.none(), causes), early.get((), 0))
    unordered = replace(question, query=replace(question.query, ordering=()))
    rows_told = [Row(key, {}, CellStatus.OK) for key in found]
    in_order = ordered(rows_told, question=unordered, terms=store.manifest.terms, columns=())
    return [found[row.key] for row in in_order]


def _parts(store: Store, question: Question, *, by_site: bool) -> Sequence[Part]:
    """The parts of a question, or of the same one site by site."""
    if not by_site:
        return question.parts
    query = question.query
    finer = replace(query, group_by=(*query.group_by, "site"), cluster=None)
    manifest = store.manifest
    return question_of(finer, question.spec, manifest=manifest, as_of=question.as_of).parts


def _lines(pairs: LifePairs) -> LinesOfPatients:
    """The lines of patients with each other, both ways round."""
    there = np.bincount(pairs.first, minlength=int(pairs.second.max()) + 1)
    there[pairs.second] = 1
    lines = np.flatnonzero(there)
    place = np.cumsum(there > 0) - 1
    one, other = place[pairs.first], place[pairs.second]
    size = lines.size
    upper = np.bincount(one * size + other, pairs.pairs, size * size).reshape(size, size)
    products: NDArray[np.float64] = (upper + upper.T).astype(np.float64, copy=False)
    np.fill_diagonal(products, np.diagonal(upper))
    kind, month = lines // STEP, lines % STEP
    return LinesOfPatients(
        np.where(kind == CAME, ENTRY, kind - EVENT + THE_EVENT), month, products, pairs.patients
    )


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
