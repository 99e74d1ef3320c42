"""Reports that are alike: what is compared, four rules, and the likes of a file's new reports."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import islice, starmap
from operator import attrgetter, itemgetter
from typing import Any

from django.db.models import Q, QuerySet

from registry.intake.shelf import BlockShelf
from registry.models import Event, Implant
from registry.models.duplicates import STANDING
from registry.models.event_rules import CRITERIA
from registry.records import RowKind
from registry.records.columns import DECLARED
from registry.records.declared import Holds
from registry.vocabulary import AlikeReason

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
COLUMNS = tuple(
    dict.fromkeys(
        (
            "id",
            "site_id",
            "patient_id",
            "implant_id",
            "complication_id",
            "reported_complication_id",
            "year",
            "months_since_implant",
            "severity",
            "outcome",
            "caused_by_id",
            *_DETAILS,
            *_ANSWERS,
        )
    )
)
"""The columns of a report that are compared, beside those of its implant."""

MOST_PAIRS = 3
"""Pairs kept of one new report: a reviewer needs to see that it repeats others, not all."""

Details = tuple[str, ...]
SiteYear = tuple[int, int | None]
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

    def may_be_like(self, on_file: bool) -> bool:
        """Whether a report of another patient, or of none, that names a device or none can be."""
        if on_file:
            return self.months is not None and not self.on_file
        return self.months is not None or self.patient is None

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
        """The pairs of a look with those kept, MOST_PAIRS at most, the earliest first."""
        alike = (
            (other.pk, look.pk, look.site, reasons)
            for other in starmap(Look, self._shelf.near({hash(key) for key in look.likes()}))
            if (reasons := reasons_alike(other, look))
        )
        return islice(alike, MOST_PAIRS)

    def keep(self, look: Look) -> None:
        """Adds a look for later ones to be compared with, once."""
        self._shelf.keep(look.pk, _VALUES(look), map(hash, look.blocks()))


class AlikeReports:
    """Finds the likes of an import's reports among those stored and those seen before.

    Of stored reports it reads those of the same patients, and of the same sites and years as far
    as they can be alike, so that a few rows ask little of a site of many. categories: of every
    complication.
    """

    def __init__(self, categories: Mapping[str, str]) -> None:
        self._categories = categories
        self._read: dict[bool, set[SiteYear]] = {True: set(), False: set()}
        self._blocks = LookBlocks()

    def pairs(self, events: Sequence[Event]) -> list[Pair]:
        """The pairs of new events with earlier ones, and among themselves.

        Two queries, two of a site whose years come for the first time, and one for a thousand
        reports that these find.
        """
        new = list(looks(list(map(vars, events)), self._categories))
        fresh = {look.pk for look in new}
        patients = {look.patient for look in new if look.patient is not None and look.patient > 0}
        if patients:
            self._keep(Event.objects.filter(patient__among=patients), but=fresh)
        for on_file in (False, True):
            sought = {(look.site, look.year) for look in new if look.may_be_like(on_file)}
            for site, years in _by_site(sought - self._read[on_file]):
                of_years = Q(year__in=years - {None})
                if None in years:
                    of_years |= Q(year__isnull=True)
                of_site = Event.objects.filter(of_years, site=site, implant__isnull=not on_file)
                self._keep(of_site, but=fresh)
            self._read[on_file] |= sought
        found: list[Pair] = []
        for look in new:
            found += self._blocks.pairs(look)
            self._blocks.keep(look)
        return found

    def _keep(self, stored: QuerySet[Event], *, but: Collection[int]) -> None:
        """Reads stored reports for later ones to be compared with; those kept already stay.

        Asked for states or for keys as well, a database might choose an index by these and read
        all events; and rows that were just written are not read whole.
        """
        keys = [key for key in stored.values_list("pk", flat=True) if key not in but]
        for start in range(0, len(keys), _AT_A_TIME):
            some = Event.objects.filter(pk__among=keys[start : start + _AT_A_TIME])
            rows = [row for row in some.values("state", *COLUMNS) if row["state"] in STANDING]
            for look in looks(rows, self._categories):
                self._blocks.keep(look)


def _by_site(years: Iterable[SiteYear]) -> Iterator[tuple[int, set[int | None]]]:
    """The years of each site that is stored."""
    by_site: dict[int, set[int | None]] = {}
    for site, year in years:
        by_site.setdefault(site, set()).add(year)
    return ((site, found) for site, found in by_site.items() if site > 0)


def looks(rows: Sequence[Mapping[str, Any]], categories: Mapping[str, str]) -> Iterator[Look]:
    """The looks of rows of reports whose complications have these categories. One query."""
    of_implants = _details_of({row["implant_id"] for row in rows if row["implant_id"]})
    for row in rows:
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
