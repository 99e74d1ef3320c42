"""Stores many patients of one's own sites at once, all or nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from registry.deidentify import patient_record
from registry.intake.devices import stripped
from registry.intake.drafts import Drafts
from registry.intake.importing import Done, Import, ImportCounts, differs, repeated
from registry.intake.stored import patient_columns
from registry.intake.told import AT_A_TIME, ToldRow, as_stored, by_key
from registry.intake.writers import not_your_site
from registry.models import Patient, Site, User, sealed
from registry.records import Fault, PatientRecord, Refusal

SentPatient = tuple[int, Mapping[str, str]]
"""A line, or a place in a list from 1, and the texts of its columns."""


@dataclass(frozen=True, slots=True)
class JudgedPatients:
    """Patients without a fault, ready to be stored, and what becomes of each."""

    by: User
    rows: Sequence[tuple[int, PatientRecord]] = field(repr=False)
    done: Sequence[Done] = field(repr=False)

    @property
    def counts(self) -> ImportCounts:
        """How many are new, and how many known."""
        return ImportCounts.of(self.done)


def judge_patients(
    sent: Iterable[SentPatient], *, by: User, earlier: Iterable[Fault] = ()
) -> JudgedPatients:
    """Reads patients and checks each against the rules and the stored ones; writes nothing.

    A patient that is stored already is unchanged; any difference is a fault. earlier: faults of
    what could not be read at all, which are taken once all rows are read. One query for five
    hundred rows, and one for each site.

    Raises ImportRefused with the faults by kind, the first 200 singly, and all.
    """
    run = Import(seal=Drafts(), by=by, accept=False)
    rows: list[tuple[int, PatientRecord]] = []
    for line, texts in sent:
        try:
            record = patient_record(stripped(texts))
        except Refusal as refusal:
            for fault in refusal.faults:
                run.note(replace(fault, line=line))
        else:
            rows.append((line, record))
    for fault in earlier:
        run.note(fault)
    done = _taken(rows, run)
    run.refuse_faults()
    return JudgedPatients(by, rows, done)


def store_patients(judged: JudgedPatients) -> JudgedPatients:
    """Stores judged patients under one seal; checks again, since others may have written.

    Gives what became of each. Where all are stored already, writes and locks nothing. Raises as
    `judge_patients` does, and then stores nothing.
    """
    if not judged.counts.new:
        return judged
    with sealed(by=judged.by, action="import") as seal:
        run = Import(seal=seal, by=User.objects.get(pk=judged.by.pk), accept=False, judged=True)
        done = _taken(judged.rows, run)
        run.refuse_faults()
    return JudgedPatients(judged.by, judged.rows, done)


def told_patients(judged: JudgedPatients) -> Iterable[ToldRow]:
    """What became of each patient, in the order sent.

    One query for five hundred rows.
    """
    done = iter(judged.done)
    for start in range(0, len(judged.rows), AT_A_TIME):
        batch = [record for _line, record in judged.rows[start : start + AT_A_TIME]]
        found = by_key(Patient.objects.with_versions(), batch, "source_id")
        for record in batch:
            key = record.source_id
            row = found.get((record.site, key))
            yield ToldRow(next(done), record.site, key, **as_stored(row))


def _taken(rows: Sequence[tuple[int, PatientRecord]], run: Import) -> list[Done]:
    """What becomes of each row; the new ones are passed to the import's seal."""
    done: list[Done] = []
    seen: set[tuple[int, str]] = set()
    for start in range(0, len(rows), AT_A_TIME):
        placed: list[tuple[int, PatientRecord, Site]] = []
        for line, record in rows[start : start + AT_A_TIME]:
            site = run.site(record.site)
            if site is None:
                run.note(replace(not_your_site(), line=line))
            else:
                placed.append((line, record, site))
        keys = [(site.pk, record.source_id) for _line, record, site in placed]
        stored = run.stored(Patient, keys, "sex", "indication")
        fresh: list[Patient] = []
        for line, record, site in placed:
            key = site.pk, record.source_id
            columns = patient_columns(record)
            row = stored.get(key)
            if key in seen:
                run.note(replace(repeated("source_id"), line=line))
            elif row is None:
                fresh.append(Patient(site=site, **columns))
                done.append(Done.NEW)
            else:
                for name in columns:
                    if columns[name] != row[name]:
                        run.note(replace(differs(name), line=line))
                done.append(Done.UNCHANGED)
            seen.add(key)
        run.seal.bulk_create(Patient, fresh)
    return done
