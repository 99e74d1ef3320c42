"""Reports that may be of one event: found by four rules, stored as pairs, decided by people."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import islice, starmap
from operator import attrgetter, itemgetter
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from registry.deidentify import event_record
from registry.intake.relations import fill, related
from registry.intake.shelf import BlockShelf
from registry.intake.stored import event_texts
from registry.intake.writers import require_reviewer, row_in_sight, site_to_write
from registry.models import DuplicateCandidate, Event, Implant, Sealing, User, sealed
from registry.models.duplicates import STANDING
from registry.models.event_rules import CRITERIA
from registry.models.insertion import unsaved
from registry.records import Fault, RawReport, Refusal, RowKind, StateConflict
from registry.records.columns import DECLARED
from registry.records.declared import Holds
from registry.vocabulary import AlikeReason, PairDecision

MOST_MONTHS_APART = 1
"""Whole months since implant are rounded, and two people count differently."""

LEAST_DETAILS = 3
"""Details that must agree where an implant does not say whose event it is."""

_DETAILS = ("pump_model", "catheter_model", "drug", "indication", "age_band", "sex")
_ANSWERS = (
    *(
        name
        for name, column in DECLARED[RowKind.EVENT].items()
        if column.holds in (Holds.CODE, Holds.CODES, Holds.GRADE, Holds.NUMBER, Holds.YEAR)
        and name not in ("site", "complication", "seriousness", *_DETAILS)
    ),
    *CRITERIA.values(),
    "serious_none",
)
_LEAST_ANSWERS = 4
_AT_A_TIME = 1_000
_details_in, _answers_in = itemgetter(*_DETAILS), itemgetter(*_ANSWERS)

MOST_PAIRS = 3
"""Pairs kept of one new report: a reviewer needs to see that it repeats others, not all."""

Details = tuple[str, ...]
Pair = tuple[int, int, int, Any]
"""Earlier report, later report, their site, and why: a set of AlikeReason."""


@dataclass(frozen=True, slots=True)
class Look:
    """What is compared of one report.

    details: of its implant where it names one. answers: a hash of 64 bits of all that was answered.
    answered: how many answers there are.
    """

    pk: int
    site: int
    patient: int | None
    complications: frozenset[str]
    category: str
    year: int | None
    months: int | None
    severity: int | None
    outcome: str
    cause: int | None
    on_file: bool
    details: Details
    answers: int
    answered: int

    def blocks(self) -> Iterator[tuple[object, ...]]:
        """The blocks that it is kept in: one of its patient, and one of each rule without one.

        Those hold all that has to be equal.
        """
        yield from self._of_whom()
        if self.months is not None:
            for complication in self.complications:
                yield self._of_time(complication, self.months, self.on_file)

    def likes(self) -> Iterator[tuple[object, ...]]:
        """The blocks in which its likes are kept.

        Two that are on file are alike where they are of one patient: of other patients, of whom a
        site may have hundreds in the same month, only reports that are not on file are.
        """
        yield from self._of_whom()
        if self.months is None:
            return
        for apart in range(-MOST_MONTHS_APART, MOST_MONTHS_APART + 1):
            for complication in self.complications:
                yield self._of_time(complication, self.months + apart, False)
                if not self.on_file:
                    yield self._of_time(complication, self.months + apart, True)

    def _of_whom(self) -> Iterator[tuple[object, ...]]:
        if self.patient is not None:
            yield self.site, self.patient
        elif self.says_enough:
            for complication in self.complications:
                yield self.site, complication, self.details, self.answers

    def _of_time(self, complication: str, months: int, on_file: bool) -> tuple[object, ...]:
        return self.site, complication, self.year, self.severity, months, on_file

    @property
    def says_enough(self) -> bool:
        """Whether so much is answered that the same answers are no chance."""
        return self.answered >= _LEAST_ANSWERS


_VALUES = attrgetter(*(field.name for field in fields(Look)))


def reasons_alike(one: Look, other: Look) -> frozenset[AlikeReason]:
    """Why two reports of one site may be of one event; empty where they are not."""
    if other.pk == one.cause or one.pk == other.cause:
        return frozenset()
    reasons = set()
    same = not one.complications.isdisjoint(other.complications)
    of_patient = one.patient is not None and one.patient == other.patient
    apart = _months_apart(one, other)
    near = apart is not None and apart <= MOST_MONTHS_APART
    if of_patient and same and (near or (apart is None and one.year == other.year)):
        reasons.add(AlikeReason.SAME_COMPLICATION)
    if (
        of_patient
        and not same
        and one.category == other.category
        and apart == 0
        and (one.severity, one.outcome) == (other.severity, other.outcome)
        and one.severity is not None
    ):
        reasons.add(AlikeReason.SAME_TIME)
    if (
        not (one.on_file and other.on_file)
        and same
        and near
        and (one.year, one.severity) == (other.year, other.severity)
        and _details_agree(one.details, other.details)
    ):
        reasons.add(AlikeReason.SAME_DETAILS)
    if (
        same
        and one.patient == other.patient
        and one.details == other.details
        and one.answers == other.answers
        and one.says_enough
    ):
        reasons.add(AlikeReason.SAME_ANSWERS)
    return frozenset(reasons)


def _months_apart(one: Look, other: Look) -> int | None:
    """Months between two reports by their months since implant; None where one has none."""
    if one.months is None or other.months is None:
        return None
    return abs(one.months - other.months)


def _details_agree(one: Details, other: Details) -> bool:
    """Whether no detail of the two contradicts, and enough of them agree."""
    both = [(a, b) for a, b in zip(one, other, strict=True) if a and b]
    return len(both) >= LEAST_DETAILS and all(a == b for a, b in both)


class LookBlocks:
    """Looks in blocks on a shelf, in which the likes of one are found."""

    def __init__(self) -> None:
        self._shelf: BlockShelf[tuple[Any, ...]] = BlockShelf()

    def pairs(self, look: Look) -> Iterator[Pair]:
        """The pairs of a look with those kept, MOST_PAIRS at most, the first kept first."""
        alike = (
            (other.pk, look.pk, look.site, reasons)
            for other in starmap(Look, self._shelf.near({hash(key) for key in look.likes()}))
            if (reasons := reasons_alike(other, look))
        )
        return islice(alike, MOST_PAIRS)

    def keep(self, look: Look) -> None:
        """Adds a look for later ones to be compared with."""
        self._shelf.keep(_VALUES(look), map(hash, look.blocks()))


class AlikeReports:
    """Finds the likes of an import's reports among those stored and those seen before.

    Reads the standing reports of a site once, when its first report comes. categories: of every
    complication.
    """

    def __init__(self, categories: Mapping[str, str]) -> None:
        self._categories = categories
        self._sites: set[int] = set()
        self._blocks = LookBlocks()

    def pairs(self, events: Sequence[Event]) -> list[Pair]:
        """The pairs of new events with earlier ones, and among themselves.

        One query, one of a site that comes for the first time, and one for a thousand of its
        standing reports.
        """
        fresh = {event.pk for event in events}
        for site in {event.site_id for event in events} - self._sites:
            self._sites.add(site)
            stored = Event.objects.filter(site=site, state__in=STANDING).exclude(pk__among=fresh)
            rows = stored.iterator(_AT_A_TIME)
            while some := list(islice(rows, _AT_A_TIME)):
                for look in _looks(some, self._categories):
                    self._blocks.keep(look)
        found: list[Pair] = []
        for look in _looks(events, self._categories):
            found += self._blocks.pairs(look)
            self._blocks.keep(look)
        return found


def alike_to(event: Event) -> list[tuple[Event, frozenset[AlikeReason]]]:
    """The standing reports of the site that may be of the same event, with the reasons.

    The event need not be stored. Four queries.
    """
    [look] = _looks([event], {event.complication_id: event.complication.category_id})
    same = Q(complication__in=look.complications) | Q(reported_complication__in=look.complications)
    near = Q(year=look.year) & same
    if look.patient is not None:
        near |= Q(patient=look.patient)
    standing = Event.objects.filter(near, site=event.site_id, state__in=STANDING)
    found = {
        other.pk: reasons
        for other in _looks_of(standing.exclude(pk=event.pk))
        if (reasons := reasons_alike(other, look))
    }
    most = sorted(found, key=lambda pk: (-len(found[pk]), pk))[:MOST_PAIRS]
    others = Event.objects.select_related("site", "complication", "implant").in_bulk(most)
    return [(others[pk], found[pk]) for pk in most]


def likely_duplicates(
    raw: RawReport, *, by: User, event: Event | None = None
) -> list[tuple[Event, frozenset[AlikeReason]]]:
    """Stored reports that a report would repeat, before it is stored; empty where it has faults.

    event: the draft that the report changes; pairs that are stored already are left out.
    """
    try:
        before = event_texts(event) if event is not None else {}
        texts = {name: text.strip() for name, text in raw.values.items()}
        record = event_record(RawReport(RowKind.EVENT, before | texts))
        site = site_to_write(record.site, by=by)
        found = related(record, site=site, submitted=False, event=event)
    except Refusal:
        return []
    if found.faults:
        return []
    new = Event(site=site, pk=event.pk if event is not None else None)
    fill(new, record, found)
    known: set[int] = set()
    if event is not None:
        for pair in DuplicateCandidate.objects.of(event):
            known |= {pair.first_id, pair.second_id}
    return [(other, reasons) for other, reasons in alike_to(new) if other.pk not in known]


def note_alike(event: Event, *, seal: Sealing) -> None:
    """Stores the pairs of a report that was written under this seal, and closes those that no
    longer hold."""
    found: dict[int, Any] = {other.pk: reasons for other, reasons in alike_to(event)}
    for pair in DuplicateCandidate.objects.of(event).select_related("first", "second"):
        reasons = found.pop(pair.other(event).pk, None)
        decision = "" if reasons else PairDecision.NO_LONGER_ALIKE.value
        kept = pair.decision == PairDecision.DIFFERENT
        if kept or (pair.decision, pair.reasons) == (decision, reasons or pair.reasons):
            continue
        pair.decision, pair.reasons = decision, reasons or pair.reasons
        seal.save(pair)
    store_pairs([(pk, event.pk, event.site_id, reasons) for pk, reasons in found.items()], seal)


def store_pairs(pairs: Iterable[Pair], seal: Sealing) -> None:
    """Stores new pairs."""
    seal.bulk_create(
        DuplicateCandidate,
        (
            unsaved(
                DuplicateCandidate,
                {
                    "site_id": site,
                    "first_id": min(pair),
                    "second_id": max(pair),
                    "reasons": reasons,
                },
            )
            for *pair, site, reasons in pairs
        ),
    )


def keep_apart(public_id: UUID | str, *, by: User) -> DuplicateCandidate:
    """Records that the two reports of a pair are of different events; for reviewers.

    Raises UnknownRow, NotPermitted (also at an own site), StateConflict where it was decided.
    """
    with sealed(by=by, action="keep-apart") as seal:
        pairs = DuplicateCandidate.objects.select_related("first__site", "second")
        pair = row_in_sight(pairs, public_id, by=by)
        require_reviewer(pair.first, by=by)
        if pair.decision:
            detail = "this pair is decided already"
            raise StateConflict(Fault("decision", StateConflict.code, detail))
        pair.decision = PairDecision.DIFFERENT
        seal.save(pair, reason="keep-apart")
    return pair


def _looks_of(rows: QuerySet[Event]) -> Iterator[Look]:
    """The looks of stored reports. Two queries, however many."""
    events = list(rows.select_related("complication"))
    categories = {event.complication_id: event.complication.category_id for event in events}
    yield from _looks(events, categories)


def _looks(events: Sequence[Event], categories: Mapping[str, str]) -> Iterator[Look]:
    """The looks of reports whose complications have these categories. One query.

    Columns are read past their descriptors, which look whether each has been fetched.
    """
    of_implants = _details_of({event.implant_id for event in events if event.implant_id})
    for event in events:
        row = vars(event)
        complications = frozenset((row["complication_id"], row["reported_complication_id"]))
        details = of_implants.get(row["implant_id"] or 0) or _details_in(row)
        answers = _answers_in(row)
        yield Look(
            pk=row["id"] or 0,
            site=row["site_id"],
            patient=row["patient_id"],
            complications=complications,
            category=categories.get(row["complication_id"], ""),  # added meanwhile: none
            year=row["year"],
            months=row["months_since_implant"],
            severity=row["severity"],
            outcome=row["outcome"],
            cause=row["caused_by_id"],
            on_file=row["implant_id"] is not None,
            details=details,
            answers=hash(answers),
            answered=sum(map(bool, answers)),
        )


def _details_of(implants: set[int]) -> dict[int, Details]:
    """The details of these implants and their patients. One query."""
    columns = ("pump_model", "catheter_model", "drug", "patient__indication", "age_band")
    rows = Implant.objects.filter(pk__among=implants).values_list("pk", *columns, "patient__sex")
    return {row[0]: tuple(row[1:]) for row in rows} if implants else {}
