"""Stores batches of events, and links causes that come later in the file."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, islice
from typing import Any

from registry.deidentify import (
    device_faults,
    event_faults,
    faults_against,
    missing_for_submission,
)
from registry.intake.alike import AlikeReports
from registry.intake.deaths import Happened, Life, happened, one_episode, second_death
from registry.intake.drafts import Drafts, SourceKey
from registry.intake.duplicates import store_pairs
from registry.intake.importing import (
    BATCH,
    Done,
    Import,
    differing,
    differs,
    repeated,
)
from registry.intake.relations import (
    CHECKED_AGAINST,
    cause_faults,
    circle,
    device,
    retired_complication,
    unknown_cause,
    unknown_complication,
    unknown_implant,
)
from registry.intake.stored import EVENT_COLUMNS, event_columns, event_record_of
from registry.models import Complication, Event, Implant, Site
from registry.models.insertion import unsaved
from registry.records import EventRecord, Fault, RawReport, RowKind
from registry.vocabulary import Component, State


@dataclass(slots=True)
class _Fresh:
    """An event to be stored, and where to look for its cause."""

    raw: RawReport
    event: Event
    site_code: str
    cause: SourceKey | None


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A stored event whose cause was not stored yet."""

    pk: int
    patient_id: int | None
    cause: SourceKey
    site_code: str
    line: int | None
    file: str | None

    def place(self, fault: Fault) -> Fault:
        """The fault, at the row of this event."""
        return Fault(fault.column, fault.code, fault.detail, self.line, self.file)


@dataclass(frozen=True, slots=True)
class _Known:
    """The stored rows that the events of one batch name."""

    implants: Mapping[SourceKey, Mapping[str, Any]]
    events: Mapping[SourceKey, Mapping[str, Any]]
    causes: Mapping[SourceKey, Mapping[str, Any]]
    lives: Mapping[int, Life]


class EventBatches:
    """Stores the events of an import batch by batch; call `finish` after the last one."""

    def __init__(self, run: Import) -> None:
        self.run = run
        self.state = State.SUBMITTED if run.submit else State.DRAFT
        if run.accept:
            self.state = State.ACCEPTED
        self.complications = Complication.objects.in_bulk()
        self._wholly = run.seeks_repeats or not isinstance(run.seal, Drafts)
        self._waiting: list[_Waiting] = []
        self._alike = AlikeReports({one.pk: one.category_id for one in self.complications.values()})
        self._lived: list[tuple[Life, Happened, Event]] = []
        self._died_twice: dict[int, tuple[RawReport, Happened]] = {}

    def take(self, rows: Iterable[tuple[RawReport, EventRecord]]) -> None:
        """Stores a batch of events. Six queries to read, and those that write."""
        placed = self.run.place(rows)
        known = self._known(placed)
        fresh: dict[SourceKey, _Fresh] = {}
        seen: set[SourceKey] = set()
        done = self.run.done[RowKind.EVENT]
        for raw, record, site in placed:
            conflict: Done | None = None
            key = site.pk, record.source_id or ""
            row = known.events.get(key)
            name = RowKind.EVENT, site.code, key[1]
            before = self.run.met_before(name)
            before |= row is not None and row["seal_id"] == self.run.seal.number
            if key in seen or before or self.run.was_refused(name):
                faults: tuple[Fault, ...] = (repeated("source_id"), *self._own_faults(raw, record))
            elif row is not None:
                on_file = event_record_of(row)
                faults = tuple(differs(name) for name in differing(record, on_file))
                if faults and not raw.unread:
                    conflict = self.run.conflict(name, row["pk"], raw, record, on_file)
                    faults = faults if conflict is None else ()
            else:
                faults = self._faults(raw, record, site, known)
            if record.source_id is not None:
                seen.add(key)
            if faults or raw.unread or self._names_a_refused_implant(record, site):
                self.run.refuse(raw, faults, key=name if key[1] else None)
            elif conflict is not None:
                done.append(conflict)
            elif row is None:
                done.append(Done.NEW)
                fresh[key] = self._fresh(raw, record, site, known)
                self._live(fresh[key], record, known)
            else:
                done.append(Done.UNCHANGED)
        self._store(fresh, known)
        for life, new, event in self._lived:
            life.events.remove(new)
            life.events.append(new._replace(pk=event.pk))
        self._lived.clear()
        if self.run.seeks_repeats:
            self.run.alike += self._pair([one.event for one in fresh.values() if one.event.pk])

    def _pair(self, events: Sequence[Event]) -> int:
        """Stores the pairs of these events with others that may be of the same event; how many of
        them have one."""
        pairs = self._alike.pairs(events)
        if pairs and not isinstance(self.run.seal, Drafts):
            store_pairs(pairs, self.run.seal)
        return len({later for _earlier, later, _site, _reasons in pairs})

    def finish(self) -> None:
        """Links events to causes that came later in the file, and refuses circles."""
        joined: list[_Waiting] = []
        waiting = iter(self._waiting)
        while batch := list(islice(waiting, BATCH)):
            keys = (one.cause for one in batch)
            causes = self.run.stored(Event, keys, "pk", "patient_id")
            updates = []
            for one in batch:
                cause = causes.get(one.cause)
                if cause is None:
                    if not self.run.was_refused((RowKind.EVENT, one.site_code, one.cause[1])):
                        self.run.note(one.place(unknown_cause(one.cause[1])))
                    continue
                for fault in cause_faults(one.patient_id, cause["patient_id"]):
                    self.run.note(one.place(fault))
                joined.append(one)
                updates.append(Event(pk=one.pk, caused_by_id=cause["pk"]))
            self.run.seal.bulk_update(Event, updates, ["caused_by"])
        self._refuse_circles(joined)
        self._refuse_other_deaths()

    def _known(self, placed: Sequence[tuple[RawReport, EventRecord, Site]]) -> _Known:
        def keys(column: str) -> Iterator[SourceKey]:
            for _, record, site in placed:
                named = getattr(record, column)
                if named is not None:
                    yield site.pk, named

        implants = self.run.stored(
            Implant,
            keys("implant"),
            "pk",
            "patient_id",
            *CHECKED_AGAINST,
        )
        return _Known(
            implants=implants,
            events=self.run.stored(Event, keys("source_id"), *EVENT_COLUMNS),
            causes=self.run.stored(Event, keys("caused_by"), "pk", "patient_id"),
            lives=self.run.lives(implant["patient_id"] for implant in implants.values()),
        )

    def _faults(
        self, raw: RawReport, record: EventRecord, site: Site, known: _Known
    ) -> tuple[Fault, ...]:
        run = self.run
        faults = self._own_faults(raw, record)
        if record.source_id is None:
            detail = "give the site's own random key of this event"
            faults += (Fault("source_id", "required", detail),)
        else:
            faults += faults_against(site.key_pattern, record.source_id, "source_id")
        if run.accept and run.is_member(site):
            detail = "members of a site cannot accept its events"
            faults += (Fault("site", "not-permitted", detail),)
        complication = self.complications.get(record.complication)
        if complication is None:
            faults += (unknown_complication(),)
        elif complication.retired:
            faults += (retired_complication(complication.replaced_by_id),)
        if record.implant is None:
            return faults
        implant = known.implants.get((site.pk, record.implant))
        if implant is None:
            if not self._names_a_refused_implant(record, site):
                faults += (unknown_implant(record.implant),)
            return faults
        if complication is not None:
            faults += device_faults(
                record,
                device(**{name: implant[name] for name in CHECKED_AGAINST}),
                Component.of(complication.clock),
                complication.category_id,
                latest_year=run.latest_year,
            )
        life = known.lives[implant["patient_id"]]
        new = happened(record, pk=None, implant=implant["pk"], cause=None)
        faults += tuple(life.event_faults(new))
        if any(other.is_death == new.is_death for other in life.other_deaths(new)):
            faults += (second_death(new),)
        if faults and new.fatal:  # so that rows after it are told in the same round
            life.events.append(new._replace(pk=next(run.not_yet_stored)))
        return faults

    def _own_faults(self, raw: RawReport, record: EventRecord) -> tuple[Fault, ...]:
        """The faults by the rules of one row, which were found before where it was judged."""
        run = self.run
        if run.judged:
            return ()
        faults: tuple[Fault, ...] = event_faults(
            record,
            submitted=run.submit and not raw.unread,
            precision=run.precision,
            latest_year=run.latest_year,
        )
        if raw.unread and run.submit:
            filled = {column for column, text in raw.values.items() if text}
            faults += missing_for_submission(filled | raw.unread)
        return faults

    def _live(self, one: _Fresh, record: EventRecord, known: _Known) -> None:
        """Takes a new event into what is known of its patient."""
        patient_id = one.event.patient_id
        if patient_id is None:
            return
        life = known.lives[patient_id]
        key = next(self.run.not_yet_stored)
        new = happened(record, pk=key, implant=one.event.implant_id, cause=None)
        if life.other_deaths(new):
            self._died_twice[patient_id] = (one.raw, new)
        life.events.append(new)
        self._lived.append((life, new, one.event))

    def _refuse_other_deaths(self) -> None:
        """Refuses fatal events that are not of one episode; causes may come later in the file."""
        lives = self.run.lives(self._died_twice)
        fatal = {
            patient_id: {
                one.pk: one for one in lives[patient_id].events if one.fatal and one.pk is not None
            }
            for patient_id in self._died_twice
        }
        causes = self._all_causes(pk for events in fatal.values() for pk in events)
        for patient_id, (raw, new) in self._died_twice.items():
            deaths = [one._replace(cause=causes.get(pk)) for pk, one in fatal[patient_id].items()]
            if not all(one_episode(one, two, causes) for one, two in combinations(deaths, 2)):
                self.run.refuse(raw, (second_death(new),), key=None)

    def _names_a_refused_implant(self, record: EventRecord, site: Site) -> bool:
        """Whether the implant was refused, so that the event gets no fault of its own."""
        named = record.implant
        return named is not None and self.run.was_refused((RowKind.IMPLANT, site.code, named))

    def _fresh(self, raw: RawReport, record: EventRecord, site: Site, known: _Known) -> _Fresh:
        site_id, complication = site.pk, self.complications[record.complication]
        columns: dict[str, Any] = {"source_id": record.source_id or ""}
        if self._wholly:
            columns = event_columns(record, Component.of(complication.clock))
        if record.implant is not None:
            implant = known.implants[site_id, record.implant]
            columns["implant_id"], columns["patient_id"] = implant["pk"], implant["patient_id"]
        columns |= {
            "site_id": site_id,
            "complication_id": record.complication,
            "reported_complication_id": record.complication,
            "state": self.state,
            "round_number": site.round_number,
        }
        event = unsaved(Event, columns)
        cause = None if record.caused_by is None else (site_id, record.caused_by)
        return _Fresh(raw, event, site.code, cause)

    def _store(self, fresh: dict[SourceKey, _Fresh], known: _Known) -> None:
        """Stores events after their causes, so that each is written once."""
        unstored = dict(fresh)
        while unstored:
            ready = {key: one for key, one in unstored.items() if one.cause not in unstored}
            if not ready:
                for key, one in unstored.items():
                    if _reaches_itself(key, unstored):
                        self.run.refuse(one.raw, (circle(),), key=None)
                return
            later = [
                (one, one.cause)
                for one in ready.values()
                if one.cause is not None and not self._join(one, one.cause, fresh, known)
            ]
            self.run.seal.bulk_create(Event, [one.event for one in ready.values()])
            self._waiting += [_waiting(one, cause) for one, cause in later]
            for key in ready:
                del unstored[key]

    def _join(
        self, one: _Fresh, cause: SourceKey, fresh: dict[SourceKey, _Fresh], known: _Known
    ) -> bool:
        """Sets the cause of an event if it is stored; False where it may come later."""
        if cause in fresh:
            cause_pk, patient_id = fresh[cause].event.pk, fresh[cause].event.patient_id
        elif cause in known.causes:
            cause_pk, patient_id = known.causes[cause]["pk"], known.causes[cause]["patient_id"]
        else:
            return False
        faults = cause_faults(one.event.patient_id, patient_id)
        if faults:
            self.run.refuse(one.raw, faults, key=None)
        one.event.caused_by_id = cause_pk
        return True

    def _refuse_circles(self, joined: Sequence[_Waiting]) -> None:
        """Refuses circles of causes among events linked late; only they can close one."""
        causes = self._all_causes([one.pk for one in joined])
        for one in joined:
            step, seen = causes.get(one.pk), set[int]()
            while step is not None and step != one.pk and step not in seen:
                seen.add(step)
                step = causes.get(step)
            if step == one.pk:
                self.run.note(one.place(circle()))

    def _all_causes(self, pks: Iterable[int]) -> dict[int, int | None]:
        """The causes of these events, and theirs in turn. One query a link."""
        causes: dict[int, int | None] = {}
        links = set(pks)
        while links:
            found = self._causes_of(list(links))
            causes.update(found)
            links = {cause for cause in found.values() if cause is not None} - causes.keys()
        return causes

    def _causes_of(self, pks: Sequence[int]) -> dict[int, int | None]:
        """The cause of each of these events. One query for a thousand."""
        found: dict[int, int | None] = {}
        if isinstance(self.run.seal, Drafts):
            drafted = self.run.seal.causes
            found = {pk: drafted.get(pk) for pk in pks if pk < 0}
            pks = [pk for pk in pks if pk >= 0]
        for start in range(0, len(pks), BATCH):
            some = Event.objects.filter(pk__in=pks[start : start + BATCH])
            found.update(some.values_list("pk", "caused_by_id"))
        return found


def _waiting(one: _Fresh, cause: SourceKey) -> _Waiting:
    event, raw = one.event, one.raw
    return _Waiting(event.pk, event.patient_id, cause, one.site_code, raw.line, raw.file)


def _reaches_itself(key: SourceKey, unstored: Mapping[SourceKey, _Fresh]) -> bool:
    step, seen = unstored[key].cause, set[SourceKey]()
    while step is not None and step != key and step not in seen:
        seen.add(step)
        step = unstored[step].cause
    return step == key
