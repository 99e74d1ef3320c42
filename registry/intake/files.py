"""Imports files of rows under one seal, all or nothing."""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from operator import attrgetter
from typing import Any

from django.db import transaction

from registry.intake.device_batches import take_exposures, take_implants
from registry.intake.drafts import Drafts
from registry.intake.event_batches import EventBatches
from registry.intake.importing import BATCH, Import, ImportCounts, Key, OnConflict
from registry.intake.round_files import SentImplants
from registry.intake.row_reading import AS_DOCUMENTED, RowReading, Source, Wording
from registry.intake.shelf import Shelf
from registry.intake.updating import apply_updates
from registry.intake.writers import require_data_manager
from registry.models import User, sealed
from registry.records import RawReport, Refusal, RowKind
from registry.records.columns import DECLARED, RECORDS
from registry.records.readings import FileReading

Progress = Callable[[RowKind, int], None]
Steps = Generator[tuple[RowKind, int], None, "JudgedRecords"]
Rows = list[tuple[RawReport, Any]]
Take = Callable[[Rows], None]


SITES_NAMED = 20
"""How many new sites are named; a file that makes more is no slip of the pen."""


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """The result of an import, for each kind of row in it, and how each file was read.

    done: what became of each row, in the order sent; a `Done` a byte. closed: the number of the
    round that was closed, by site. new_sites: the codes of sites made beside others, sorted.
    """

    counts: Mapping[RowKind, ImportCounts]
    readings: Mapping[RowKind, FileReading] = field(default_factory=dict)
    done: Mapping[RowKind, bytes | bytearray] = field(default_factory=dict, repr=False)
    closed: Mapping[str, int] = field(default_factory=dict)
    new_sites: Sequence[str] = ()

    @property
    def named_new_sites(self) -> str:
        """The codes of the sites that are made, or the first of many; empty without any."""
        named = ", ".join(self.new_sites[:SITES_NAMED])
        others = len(self.new_sites) - SITES_NAMED
        return f"{named} and {others:,} others" if others > 0 else named

    @property
    def changes_nothing(self) -> bool:
        """Whether every row was stored already."""
        return not any(count.new or count.updated for count in self.counts.values())


class Records:
    """The records of one file, batch by batch on a shelf.

    They are kept as their values in the order of their columns, since a record of thirty takes
    five times as long.
    """

    def __init__(self) -> None:
        self._batches = 0
        self._shelf: Shelf[int, list[tuple[Any, ...]]] = Shelf()

    def add(self, rows: Rows) -> None:
        """Keeps a batch of one kind: its records, each with its line and file."""
        plain = [(raw.line, raw.file, _VALUES[raw.kind](record)) for raw, record in rows]
        self._shelf.put([(self._batches, plain)])
        self._batches += 1

    def batches(self, kind: RowKind) -> Iterator[Rows]:
        """The batches in order, each row with its position and without its texts."""
        make, names = RECORDS[kind], tuple(DECLARED[kind])
        for number in range(self._batches):
            plain = self._shelf.find([number])[number]
            yield [
                (RawReport(kind, {}, line, file), make(**dict(zip(names, values, strict=True))))
                for line, file, values in plain
            ]


_VALUES = {kind: attrgetter(*columns) for kind, columns in DECLARED.items()}
"""The values of a record, in the order of its columns."""


@dataclass(frozen=True, slots=True)
class JudgedRecords:
    """Files without a fault, ready to be stored, and the result of storing them.

    changes: the columns of each stored row that are changed. rounds: the implants by site, where
    the follow-up rounds of their sites are closed.
    """

    by: User
    accept: bool
    submit: bool
    summary: ImportSummary
    records: Mapping[RowKind, Records] = field(repr=False)
    on_conflict: OnConflict = OnConflict.REFUSE
    changes: Mapping[Key, tuple[str, ...]] = field(default_factory=dict, repr=False)
    rounds: SentImplants | None = field(default=None, repr=False)


def import_records(
    files: Mapping[RowKind, Source],
    *,
    by: User,
    accept: bool = False,
    dry_run: bool = False,
    wording: Wording = AS_DOCUMENTED,
    progress: Progress | None = None,
    on_conflict: OnConflict = OnConflict.REFUSE,
    close_rounds: bool = False,
) -> ImportSummary:
    """Stores the rows of all files in one transaction under one seal, all or nothing.

    Takes no lock while the files are read and judged; a dry run ends there. Other arguments and
    exceptions as in `judge_records`.
    """
    judged = judge_records(
        files,
        by=by,
        accept=accept,
        wording=wording,
        progress=progress,
        on_conflict=on_conflict,
        close_rounds=close_rounds,
        seek_repeats=dry_run,  # otherwise they are sought where the rows are stored
    )
    return store_judged(judged, dry_run=dry_run)


def judge_records(
    files: Mapping[RowKind, Source],
    *,
    by: User,
    accept: bool = False,
    submit: bool = True,
    wording: Wording = AS_DOCUMENTED,
    progress: Progress | None = None,
    on_conflict: OnConflict = OnConflict.REFUSE,
    close_rounds: bool = False,
    seek_repeats: bool = True,
) -> JudgedRecords:
    """Reads files and checks their rows against every rule; writes and locks nothing.

    progress: called with the kind and the number of its rows judged so far. Otherwise as
    `judging`.
    """
    steps = judging(
        files,
        by=by,
        accept=accept,
        submit=submit,
        wording=wording,
        on_conflict=on_conflict,
        close_rounds=close_rounds,
        seek_repeats=seek_repeats,
    )
    while True:
        try:
            kind, done = next(steps)
        except StopIteration as end:
            judged: JudgedRecords = end.value
            return judged
        if progress is not None:
            progress(kind, done)


def judging(
    files: Mapping[RowKind, Source],
    *,
    by: User,
    accept: bool = False,
    submit: bool = True,
    wording: Wording = AS_DOCUMENTED,
    on_conflict: OnConflict = OnConflict.REFUSE,
    close_rounds: bool = False,
    seek_repeats: bool = True,
) -> Steps:
    """Judges files step by step: yields the kind and its rows so far, and returns the records.

    files: a path, a binary stream or parsed rows for each kind; read in the order implants,
    exposures, events. Events are submitted, or accepted (data managers, not at their own sites),
    or without `submit` stored as drafts, which may be incomplete.
    wording: how the sender words codes and headings; parsed rows are taken as they are.
    close_rounds: the implants are all of their sites, whose follow-up rounds are then closed; an
    implant on file that was not sent is a fault. seek_repeats: whether to count the new events that
    may repeat another report.

    A row that is already stored is unchanged; an implant with a later follow-up, exit, refills or
    procedures is updated; any other difference is a fault, or what `on_conflict` says. Whether
    stored rows may be changed so, `store_judged` finds out. A row with faults in some cells is
    judged by the others, so that every kind of fault is found at once. Of rows without a fault
    memory grows by a byte each, and by changes of stored rows.

    Raises NotPermitted, and ImportRefused with the faults by kind, the first 200 singly, and all.
    """
    _require_right(by, accept=accept)
    run = Import(
        seal=Drafts(),
        by=by,
        accept=accept,
        submit=submit,
        on_conflict=on_conflict,
        seeks_repeats=seek_repeats,
    )
    records: dict[RowKind, Records] = {}
    rounds = SentImplants() if close_rounds else None
    for kind in RowKind:
        if kind in files:
            records[kind] = Records()
            rows = RowReading(kind, files[kind], run, wording)
            run.readings[kind] = rows.found
            sent = rounds if kind is RowKind.IMPLANT else None
            yield from _judge(rows, run, records[kind], sent)
    if rounds is not None:
        rounds.judge(run)
    run.refuse_faults()
    counts = {kind: run.counts(kind) for kind in records}
    made = sorted(run.new_sites)
    summary = ImportSummary(counts, run.readings, run.done, new_sites=made)
    return JudgedRecords(by, accept, submit, summary, records, on_conflict, run.changes, rounds)


def store_judged(judged: JudgedRecords, *, dry_run: bool = False) -> ImportSummary:
    """Stores judged files in one transaction under one seal.

    Others may have written since: rules on other rows, the catalogue and the writer's rights are
    checked again under the lock. Where everything is already stored, writes and locks nothing,
    unless rounds are closed.
    dry_run: stores nothing; changes of stored rows and the end of a round are rehearsed, stored
    with everything else and undone.

    Raises as `judge_records` does, StateConflict where a round cannot be closed, and then stores
    nothing.
    """
    if judged.summary.changes_nothing and judged.rounds is None:
        return judged.summary
    if not dry_run:
        return _stored(judged)
    if any(judged.changes.values()) or judged.rounds is not None:
        with transaction.atomic():
            closed = _stored(judged).closed
            transaction.set_rollback(True)
        return replace(judged.summary, closed=closed)
    return judged.summary


def _stored(judged: JudgedRecords) -> ImportSummary:
    with sealed(by=judged.by, action="import") as seal:
        by = User.objects.get(pk=judged.by.pk)
        _require_right(by, accept=judged.accept)
        run = Import(
            seal=seal,
            by=by,
            accept=judged.accept,
            submit=judged.submit,
            judged=True,
            on_conflict=judged.on_conflict,
            changes=judged.changes,
        )
        for kind, records in judged.records.items():
            events = EventBatches(run) if kind is RowKind.EVENT else None
            take = _taker(kind, run, events)
            for rows in records.batches(kind):
                take(rows)
            if events is not None:
                events.finish()
        apply_updates(run, seal)
        run.refuse_faults()
        closed = {} if judged.rounds is None else judged.rounds.close(run, seal)
    counts = {kind: run.counts(kind) for kind in judged.records}
    made = sorted(run.new_sites)
    return ImportSummary(counts, judged.summary.readings, run.done, closed, made)


def _require_right(by: User, *, accept: bool) -> None:
    if accept:
        require_data_manager(by, "accept events on arrival")


def _judge(
    reading: RowReading, run: Import, records: Records, sent: SentImplants | None
) -> Generator[tuple[RowKind, int], None, None]:
    kind = reading.kind
    events = EventBatches(run) if kind is RowKind.EVENT else None
    take = _taker(kind, run, events)
    done = 0
    try:
        raws = iter(reading)
        while batch := list(islice(raws, BATCH)):
            read = [reading.record(raw) for raw in batch]
            rows = [row for row in read if row is not None]
            if sent is not None:
                sent.add(batch, read)
            take(rows)
            if not run.faults:
                records.add(rows)
            done += len(batch)
            yield kind, done
        if events is not None:
            events.finish()
    except Refusal as refusal:
        for fault in refusal.faults:
            run.note(fault)


def _taker(kind: RowKind, run: Import, events: EventBatches | None) -> Take:
    """The function that judges a batch of one kind and passes it to the import's seal."""
    if events is not None:
        return events.take
    if kind is RowKind.IMPLANT:
        return lambda rows: take_implants(rows, run)
    return lambda rows: take_exposures(rows, run)
