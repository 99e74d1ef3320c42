"""Stores many patients of one's own sites at once, all or nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from registry.deidentify import faults_against, patient_record
from registry.intake.devices import stripped, update_patient
from registry.intake.drafts import Drafts, SourceKey
from registry.intake.importing import Done, Import, ImportCounts, OnConflict, differs, repeated
from registry.intake.stored import patient_columns
from registry.intake.told import AT_A_TIME, ToldRow, as_stored, by_key
from registry.intake.writers import not_your_site
from registry.models import Patient, Site, User, sealed
from registry.records import Fault, PatientRecord, Refusal

SentPatient = tuple[int, Mapping[str, str]]
"""A line, or a place in a list from 1, and the texts of its columns."""


@dataclass(frozen=True, slots=True)
class PatientRow:
    """One patient of a request: its line, its record, and the columns that were sent."""

    line: int
    record: PatientRecord = field(repr=False)
    sent: frozenset[str]


@dataclass(frozen=True, slots=True)
class JudgedPatients:
    """Patients without a fault, ready to be stored, and what becomes of each.

    changes: the columns of each stored patient that are changed, by site and key.
    """

    by: User
    rows: Sequence[PatientRow] = field(repr=False)
    done: Sequence[Done] = field(repr=False)
    on_conflict: OnConflict
    changes: Mapping[SourceKey, tuple[str, ...]] = field(repr=False)

    @property
    def counts(self) -> ImportCounts:
        """How many are new, changed, known and left as they were."""
        return ImportCounts.of(self.done)


def judge_patients(
    sent: Iterable[SentPatient],
    *,
    by: User,
    earlier: Iterable[Fault] = (),
    on_conflict: OnConflict = OnConflict.REFUSE,
) -> JudgedPatients:
    """Reads patients and checks each against the rules and the stored ones; writes nothing.

    A patient that is stored already is unchanged; any difference is a fault, or what
    `on_conflict` says. earlier: faults of what could not be read at all, which are taken once all
    rows are read. One query for five hundred rows, and one for each site.

    Raises ImportRefused with the faults by kind, the first 200 singly, and all.
    """
    run = Import(seal=Drafts(), by=by, accept=False, on_conflict=on_conflict)
    rows: list[PatientRow] = []
    for line, texts in sent:
        try:
            record = patient_record(stripped(texts))
        except Refusal as refusal:
            for fault in refusal.faults:
                run.note(replace(fault, line=line))
        else:
            rows.append(PatientRow(line, record, frozenset(texts)))
    for fault in earlier:
        run.note(fault)
    taking = _Taking(run)
    taking.take(rows)
    run.refuse_faults()
    return JudgedPatients(by, rows, taking.done, on_conflict, taking.changes)


def store_patients(judged: JudgedPatients) -> JudgedPatients:
    """Stores judged patients under one seal; checks again, since others may have written.

    Gives what became of each. Where nothing is new or changed, writes and locks nothing. Raises
    as `judge_patients` does, and then stores nothing.
    """
    if not judged.counts.new and not judged.counts.updated:
        return judged
    with sealed(by=judged.by, action="import") as seal:
        by = User.objects.get(pk=judged.by.pk)
        run = Import(seal=seal, by=by, accept=False, judged=True, on_conflict=judged.on_conflict)
        taking = _Taking(run, changes=dict(judged.changes))
        taking.take(judged.rows)
        for line, public_id, texts in taking.updates:
            try:
                update_patient(public_id, texts, by=by, version=None, seal=seal)
            except Refusal as refusal:
                for fault in refusal.faults:
                    run.note(replace(fault, line=line))
        run.refuse_faults()
    return replace(judged, done=taking.done)


def told_patients(judged: JudgedPatients) -> Iterable[ToldRow]:
    """What became of each patient, in the order sent.

    One query for five hundred rows.
    """
    done = iter(judged.done)
    for start in range(0, len(judged.rows), AT_A_TIME):
        batch = [row.record for row in judged.rows[start : start + AT_A_TIME]]
        found = by_key(Patient.objects.with_versions(), batch, "source_id")
        for record in batch:
            key = record.source_id
            row = found.get((record.site, key))
            yield ToldRow(next(done), record.site, key, **as_stored(row))


@dataclass(slots=True)
class _Taking:
    """Decides what becomes of each row, and passes the new ones to the import's seal.

    changes: of a check, what it finds; of storing, what the check found. updates: the line, the
    id and the new texts of each change.
    """

    run: Import
    done: list[Done] = field(default_factory=list)
    changes: dict[SourceKey, tuple[str, ...]] = field(default_factory=dict)
    updates: list[tuple[int, UUID, dict[str, str]]] = field(default_factory=list)
    seen: set[SourceKey] = field(default_factory=set)

    def take(self, rows: Sequence[PatientRow]) -> None:
        """Takes all rows. One query for five hundred, and one for each site."""
        for start in range(0, len(rows), AT_A_TIME):
            placed: list[tuple[PatientRow, Site]] = []
            for row in rows[start : start + AT_A_TIME]:
                site = self.run.site(row.record.site)
                if site is None:
                    self.run.note(replace(not_your_site(), line=row.line))
                else:
                    placed.append((row, site))
            self._batch(placed)

    def _batch(self, placed: Sequence[tuple[PatientRow, Site]]) -> None:
        keys = [(site.pk, row.record.source_id) for row, site in placed]
        stored = self.run.stored(Patient, keys, "public_id", "sex", "indication")
        fresh: list[Patient] = []
        for row, site in placed:
            key = site.pk, row.record.source_id
            on_file = stored.get(key)
            if key in self.seen:
                self.run.note(replace(repeated("source_id"), line=row.line))
            elif on_file is None:
                for fault in faults_against(site.key_pattern, row.record.source_id, "source_id"):
                    self.run.note(replace(fault, line=row.line))
                fresh.append(Patient(site=site, **patient_columns(row.record)))
                self.done.append(Done.NEW)
            else:
                self.done.append(self._known(row, key, on_file))
            self.seen.add(key)
        self.run.seal.bulk_create(Patient, fresh)

    def _known(self, row: PatientRow, key: SourceKey, on_file: Mapping[str, Any]) -> Done:
        """What becomes of a row whose key is on file; notes the faults of one that may not be."""
        columns = patient_columns(row.record)
        differing = [name for name in columns if columns[name] != on_file[name]]
        policy = self.run.on_conflict
        if differing and policy is OnConflict.SKIP:
            return Done.SKIPPED
        if differing and policy is OnConflict.UPDATE and not self.run.judged:
            self.changes[key] = tuple(name for name in differing if name in row.sent)
        if not differing or (policy is OnConflict.UPDATE and key in self.changes):
            names = self.changes.get(key, ()) if differing else ()
            if names and self.run.judged:
                texts = {name: columns[name] for name in names}
                self.updates.append((row.line, on_file["public_id"], texts))
            return Done.UPDATED if names else Done.UNCHANGED
        for name in differing:
            self.run.note(replace(differs(name), line=row.line))
        return Done.UNCHANGED
