"""The state of one import: where its rows go, its sites, and its faults so far."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum
from itertools import count, islice
from typing import Any

from django.db.models import Model

from registry.intake.deaths import Life, lives_of
from registry.intake.drafts import Drafts, SourceKey
from registry.intake.fault_tally import FaultKind, FaultTally
from registry.intake.relations import date_precision, present_year
from registry.intake.shelf import Shelf
from registry.intake.sites import new_site
from registry.intake.stored import texts_of
from registry.intake.writers import not_your_site
from registry.models import Membership, Sealing, Site, User
from registry.records import Fault, RawReport, Refusal, RowKind
from registry.records.readings import FileReading
from registry.vocabulary import MembershipRole, Right

BATCH = 1_000
"""The number of rows read, checked and written at a time."""

FAULTS_KEPT = 200
_KEYS_KEPT = 100_000
_SITES_A_QUERY = 100
_LIVES_AT_HAND = 10_000


class Done(IntEnum):
    """What became of one row."""

    NEW = 1
    UPDATED = 2
    UNCHANGED = 3
    SKIPPED = 4


class OnConflict(StrEnum):
    """What becomes of a row that differs from the stored row with its key.

    REFUSE: a fault. SKIP: the stored row stays. UPDATE: it is changed in the columns that are
    sent, by the rules and the rights of a change of that row.
    """

    REFUSE = "refuse"
    SKIP = "skip"
    UPDATE = "update"


@dataclass(frozen=True, slots=True)
class StoredChange:
    """A change of a stored row: its kind and primary key, the new texts, and where they stand."""

    kind: RowKind
    pk: int
    texts: Mapping[str, str]
    line: int | None
    file: str | None


Key = tuple[RowKind, str, str]
"""A row by its kind, its site's code and its source id."""


class ImportRefused(Refusal):
    """Files with faults: nothing was stored.

    faults: the first ones singly. total: how many there are. kinds: all of them by kind. every:
    all of them singly. readings: how each file was read.
    """

    code = "import-refused"
    title = "Nothing was stored"

    def __init__(
        self,
        faults: Iterable[Fault],
        *,
        total: int,
        kinds: Iterable[FaultKind] = (),
        every: Iterable[Fault] | None = None,
        readings: Mapping[RowKind, FileReading] | None = None,
    ) -> None:
        super().__init__(faults)
        self.total = total
        self.kinds = tuple(kinds)
        self.every: Iterable[Fault] = self.faults if every is None else every
        self.readings = readings or {}

    @property
    def words_for_empty(self) -> list[str]:
        """The words for "nothing recorded" that stand where they are no answer, in order."""
        return sorted(set().union(*(each.words_for_empty for each in self.readings.values())))


@dataclass(frozen=True, slots=True)
class ImportCounts:
    """How many rows of one kind were stored, updated, already known, and left as they were.

    alike: how many of the new ones may repeat another report.
    """

    new: int = 0
    updated: int = 0
    unchanged: int = 0
    alike: int = 0
    skipped: int = 0

    @classmethod
    def of(cls, done: Sequence[int], *, alike: int = 0) -> "ImportCounts":
        """The counts of rows by what became of each."""
        return cls(
            new=done.count(Done.NEW),
            updated=done.count(Done.UPDATED),
            unchanged=done.count(Done.UNCHANGED),
            alike=alike,
            skipped=done.count(Done.SKIPPED),
        )


class Import:
    """The state that the batches of one import share.

    seal: takes the rows; for a check, drafts, which store nothing. judged: whether the rules of
    one row have been checked; rules on other rows are checked again, since those may have
    changed. submit: whether events are submitted, and must be complete; otherwise they are drafts.
    not_yet_stored: numbers for rows that have no primary key yet. done: what became of each row
    without a fault, a byte each, in the order of its kind's rows. alike: how many new events may
    repeat another report. changes: the columns of each stored row that a judged import changes.
    updates: those changes, to be applied once the new rows are stored. seeks_repeats: whether new
    events are held against others that they may repeat. new_sites: the codes of those
    made beside others, which may be misspelled.
    """

    def __init__(
        self,
        *,
        seal: Sealing | Drafts,
        by: User,
        accept: bool,
        submit: bool = True,
        judged: bool = False,
        on_conflict: OnConflict = OnConflict.REFUSE,
        changes: Mapping[Key, tuple[str, ...]] | None = None,
        seeks_repeats: bool = True,
    ) -> None:
        self.seal = seal
        self.seeks_repeats = seeks_repeats
        self.judged = judged
        self.by = by
        self.accept = accept
        self.submit = submit
        self.on_conflict = on_conflict
        self.changes: dict[Key, tuple[str, ...]] = dict(changes or {})
        self.updates: list[StoredChange] = []
        self.done: dict[RowKind, bytearray] = {kind: bytearray() for kind in RowKind}
        self.alike = 0
        self.makes_sites = by.may(Right.RUN_REGISTRY)
        self.precision = date_precision()
        self.latest_year = present_year()
        self.faults = FaultTally()
        self.readings: dict[RowKind, FileReading] = {}
        self._refused: set[Key] = set()
        self._met: dict[RowKind, Shelf[str, None]] = {}
        self._lives: dict[int, Life] = {}
        self._earlier_lives: Shelf[int, tuple[Any, ...]] = Shelf()
        self.not_yet_stored = count(-(10**15))
        self.new_sites: list[str] = []
        self._beside_others: bool | None = None
        self._sites: dict[str, Site | None] = {}
        roles = Membership.held_by(by).values_list("site_id", "role")
        self._roles: dict[int, str] = dict(roles) if by.is_active else {}

    def site(self, code: str) -> Site | None:
        """The site that a row is for, or None where it is not the writer's. One query a site.

        Creates unknown sites for a data manager.
        """
        if code not in self._sites:
            site = Site.objects.filter(code=code).first()
            if site is None and self.makes_sites:
                if self._beside_others is None:
                    self._beside_others = Site.objects.exists()
                if self._beside_others:
                    self.new_sites.append(code)
                site = new_site(code, seal=self.seal)
            elif site is not None:
                own = self.makes_sites or site.pk in self._roles
                site = site if own and site.active else None
            self._sites[code] = site
        return self._sites[code]

    def stored(
        self, model: type[Model], keys: Iterable[SourceKey], *columns: str
    ) -> dict[SourceKey, Mapping[str, Any]]:
        """The rows of these sites and source ids, by both, with this import's changes so far.

        One query for a hundred sites.
        """
        wanted = list(keys)
        rows = _stored_rows(model, wanted, columns)
        if isinstance(self.seal, Drafts):
            return self.seal.over(model, rows, wanted, columns)
        return rows

    def lives(self, patients: Iterable[int]) -> dict[int, Life]:
        """What is known of these patients, and some others, with this import's rows.

        Two queries for those that were not asked for before. What is at hand may be changed until
        the next call, at which it may be put on a shelf.
        """
        if len(self._lives) > _LIVES_AT_HAND:
            self._earlier_lives.put(
                (pk, (life.devices, life.events)) for pk, life in self._lives.items()
            )
            self._lives = {}
        wanted = {pk for pk in patients if pk not in self._lives}
        for pk, kept in self._earlier_lives.find(wanted).items():
            self._lives[pk] = Life(*kept)
        new = wanted - self._lives.keys()
        stored = lives_of([pk for pk in new if pk > 0]) if new else {}
        for pk in new:
            self._lives[pk] = stored.get(pk) or Life()
        return self._lives

    def keep_lives(self, lives: Mapping[int, Life]) -> None:
        """Keeps what is known of patients that this import stored."""
        self._lives.update(lives)

    def place(self, rows: Iterable[tuple[RawReport, Any]]) -> list[tuple[RawReport, Any, Site]]:
        """Assigns each row its site, and refuses rows for others' sites."""
        placed = []
        for raw, record in rows:
            site = self.site(record.site)
            if site is None:
                self.refuse(raw, (not_your_site(),), key=None)
            else:
                placed.append((raw, record, site))
        return placed

    def is_member(self, site: Site) -> bool:
        """Whether the writer is a member of the site, and so may not review its events."""
        return site.pk in self._roles

    def may_declare(self, site: Site) -> bool:
        """Whether the writer may declare the site's device time: its lead, or a data manager."""
        return self.makes_sites or self._roles.get(site.pk) == MembershipRole.LEAD

    def met_before(self, key: Key) -> bool:
        """Whether a row of this key came before, where stored rows may be changed.

        Of two rows of one key only the last would stand.
        """
        kind, site, source_id = key
        if self.on_conflict is not OnConflict.UPDATE or not source_id:
            return False
        met = self._met.setdefault(kind, Shelf())
        named = f"{site}/{source_id}"  # no code of a site has this sign
        before = named in met.find([named])
        met.put([(named, None)])
        return before

    def conflict(self, key: Key, pk: int, raw: RawReport, record: Any, stored: Any) -> Done | None:
        """What becomes of a row that differs from the stored one; None where that is a fault.

        Only columns that are sent are changed: a file without a column leaves it as it is.
        """
        if self.on_conflict is OnConflict.REFUSE:
            return None
        if self.on_conflict is OnConflict.SKIP:
            return Done.SKIPPED
        if not self.judged:
            sent = [name for name in differing(record, stored) if name in raw.values]
            self.changes[key] = tuple(sent)
        elif key not in self.changes:
            return None
        names = self.changes[key]
        if names and self.judged:
            texts = texts_of(record)
            changed = {name: texts[name] for name in names}
            self.updates.append(StoredChange(key[0], pk, changed, raw.line, raw.file))
        return Done.UPDATED if names else Done.UNCHANGED

    def counts(self, kind: RowKind) -> ImportCounts:
        """What became of the rows of a kind so far, in numbers."""
        alike = self.alike if kind is RowKind.EVENT else 0
        return ImportCounts.of(self.done[kind], alike=alike)

    def refuse(
        self, raw: RawReport, faults: Iterable[Fault], *, key: Key | None, whole: bool = False
    ) -> None:
        """Adds the faults of a row; rows that name it get no fault for that.

        Faults of columns that were not read are left out, unless they are the whole row's: the
        cells have theirs already.
        """
        for fault in faults:
            if whole or fault.column not in raw.unread:
                self.note(replace(fault, line=raw.line, file=raw.file))
        if key is not None and len(self._refused) < _KEYS_KEPT:
            self._refused.add(key)

    def note(self, fault: Fault) -> None:
        """Adds a fault that already has its position."""
        self.faults.add(fault)

    def was_refused(self, key: Key) -> bool:
        """Whether a row of this import was refused, so that naming it is no other fault."""
        return key in self._refused

    def refuse_faults(self) -> None:
        """Raises ImportRefused if there are faults."""
        if self.faults:
            raise ImportRefused(
                islice(self.faults, FAULTS_KEPT),
                total=len(self.faults),
                kinds=self.faults.kinds(),
                every=self.faults,
                readings=self.readings,
            )


def _stored_rows(
    model: type[Model], keys: Iterable[SourceKey], columns: Iterable[str]
) -> dict[SourceKey, Mapping[str, Any]]:
    by_site: dict[int, set[str]] = {}
    for site_id, source_id in keys:
        by_site.setdefault(site_id, set()).add(source_id)
    found: dict[SourceKey, Mapping[str, Any]] = {}
    rows: Any = model._default_manager.all()
    sites = list(by_site)
    for start in range(0, len(sites), _SITES_A_QUERY):
        some = {site_id: by_site[site_id] for site_id in sites[start : start + _SITES_A_QUERY]}
        for row in rows.filter(site__with_keys=some).values("site_id", "source_id", *columns):
            found[row["site_id"], row["source_id"]] = row
    return found


def differing(record: object, stored: object) -> list[str]:
    """The columns in which two records of one kind differ."""
    if record == stored:
        return []
    names = type(record).__dataclass_fields__  # type: ignore[attr-defined]
    return [name for name in names if getattr(record, name) != getattr(stored, name)]


def repeated(column: str) -> Fault:
    """The fault of a row whose key an earlier row of the file has."""
    detail = "an earlier row of this file has the same; each row needs a key of its own"
    return Fault(column, "repeated-in-file", detail)


def differs(column: str) -> Fault:
    """The fault of a row that differs from the stored row with its key."""
    detail = "this differs from the stored row; correct the file, or the stored row"
    return Fault(column, "differs-from-stored", detail)
