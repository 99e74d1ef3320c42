"""Imports files of rows under one seal, all or nothing."""

import pickle  # nosec B403
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, cast

from registry.deidentify import event_record, exposure_record, implant_record
from registry.intake.device_batches import take_exposures, take_implants
from registry.intake.drafts import Drafts
from registry.intake.event_batches import EventBatches
from registry.intake.importing import BATCH, Import, ImportCounts
from registry.intake.writers import require_data_manager
from registry.interchange.csv_rows import read_rows
from registry.models import User, sealed
from registry.records import RawReport, Refusal, RowKind

Source = str | Path | BinaryIO | Iterable[RawReport]
Progress = Callable[[RowKind, int], None]
Read = Callable[[RawReport], Any]
Rows = list[tuple[RawReport, Any]]
Take = Callable[[Rows], ImportCounts]


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """The result of an import, for each kind of row in it."""

    counts: Mapping[RowKind, ImportCounts]

    @property
    def changes_nothing(self) -> bool:
        """Whether every row was stored already."""
        return not any(count.new or count.updated for count in self.counts.values())


class Records:
    """The records of one file, kept compressed in memory: some fifty bytes a row.

    They are de-identified, and are pickled and read by this process alone.
    """

    def __init__(self) -> None:
        self._batches: list[bytes] = []

    def add(self, rows: Rows) -> None:
        """Keeps a batch: its records, each with its line and file."""
        plain = [(raw.line, raw.file, record) for raw, record in rows]
        self._batches.append(zlib.compress(pickle.dumps(plain), level=1))

    def batches(self, kind: RowKind) -> Iterator[Rows]:
        """The batches in order, each row with its position and without its texts."""
        for packed in self._batches:
            plain = pickle.loads(zlib.decompress(packed))  # noqa: S301  # nosec B301
            yield [(RawReport(kind, {}, line, file), record) for line, file, record in plain]


@dataclass(frozen=True, slots=True)
class JudgedRecords:
    """Files without a fault, ready to be stored, and the result of storing them."""

    by: User
    accept: bool
    summary: ImportSummary
    records: Mapping[RowKind, Records] = field(repr=False)


def import_records(
    files: Mapping[RowKind, Source],
    *,
    by: User,
    accept: bool = False,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> ImportSummary:
    """Stores the rows of all files in one transaction under one seal, all or nothing.

    Takes no lock while the files are read and judged; a dry run ends there. Other arguments and
    exceptions as in `judge_records`.
    """
    judged = judge_records(files, by=by, accept=accept, progress=progress)
    return judged.summary if dry_run else store_judged(judged)


def judge_records(
    files: Mapping[RowKind, Source],
    *,
    by: User,
    accept: bool = False,
    progress: Progress | None = None,
) -> JudgedRecords:
    """Reads files and checks their rows against every rule; writes and locks nothing.

    files: a path, a binary stream or parsed rows for each kind; read in the order implants,
    exposures, events. Events are submitted, or accepted (data managers, not at their own sites).
    progress: called with the kind and the number of its rows judged so far.

    A row that is already stored is unchanged; an implant with a later follow-up, exit, refills or
    procedures is updated; any other difference is a fault. Memory grows with the files by some
    three hundred bytes a row.

    Raises NotPermitted, and ImportRefused with the first 200 faults and their total.
    """
    _require_right(by, accept=accept)
    run = Import(seal=Drafts(), by=by, accept=accept)
    counts: dict[RowKind, ImportCounts] = {}
    records: dict[RowKind, Records] = {}
    for kind in RowKind:
        if kind in files:
            records[kind] = Records()
            counts[kind] = _judge(kind, files[kind], run, records[kind], progress)
    run.refuse_faults()
    return JudgedRecords(by, accept, ImportSummary(counts), records)


def store_judged(judged: JudgedRecords) -> ImportSummary:
    """Stores judged files in one transaction under one seal.

    Others may have written since: rules on other rows, the catalogue and the writer's rights are
    checked again under the lock. Where everything is already stored, writes and locks nothing.

    Raises as `judge_records` does, and then stores nothing.
    """
    if judged.summary.changes_nothing:
        return judged.summary
    counts: dict[RowKind, ImportCounts] = {}
    with sealed(by=judged.by, action="import") as seal:
        by = User.objects.get(pk=judged.by.pk)
        _require_right(by, accept=judged.accept)
        run = Import(seal=seal, by=by, accept=judged.accept, judged=True)
        for kind, records in judged.records.items():
            events = EventBatches(run) if kind is RowKind.EVENT else None
            take = _taker(kind, run, events)
            counts[kind] = ImportCounts()
            for rows in records.batches(kind):
                counts[kind] += take(rows)
                run.flush()
            if events is not None:
                events.finish()
        run.refuse_faults()
    return ImportSummary(counts)


def _require_right(by: User, *, accept: bool) -> None:
    if accept:
        require_data_manager(by, "accept events on arrival")


def _judge(
    kind: RowKind, source: Source, run: Import, records: Records, progress: Progress | None
) -> ImportCounts:
    events = EventBatches(run) if kind is RowKind.EVENT else None
    take = _taker(kind, run, events)
    counts, done = ImportCounts(), 0
    try:
        raws = _rows(kind, source, run)
        while batch := list(islice(raws, BATCH)):
            rows = []
            for raw in batch:
                try:
                    rows.append((raw, _READERS[kind](raw)))
                except Refusal as refusal:
                    run.refuse(raw, refusal.faults, key=_key(raw))
            counts += take(rows)
            run.flush()
            if not run.total:
                records.add(rows)
            done += len(batch)
            if progress is not None:
                progress(kind, done)
        if events is not None:
            events.finish()
    except Refusal as refusal:
        for fault in refusal.faults:
            run.note(fault)
    run.flush()
    return counts


_READERS: Mapping[RowKind, Read] = {
    RowKind.IMPLANT: implant_record,
    RowKind.EXPOSURE: exposure_record,
    RowKind.EVENT: event_record,
}


def _taker(kind: RowKind, run: Import, events: EventBatches | None) -> Take:
    """The function that judges a batch of one kind and passes it to the import's seal."""
    if events is not None:
        return events.take
    if kind is RowKind.IMPLANT:
        return lambda rows: take_implants(rows, run)
    return lambda rows: take_exposures(rows, run)


def _rows(kind: RowKind, source: Source, run: Import) -> Iterator[RawReport]:
    if isinstance(source, str | Path):
        return read_rows(source, kind, on_fault=run.note)
    if not hasattr(source, "read"):
        return iter(source)
    stream = cast(BinaryIO, source)
    name = Path(getattr(stream, "name", "") or kind.value).name
    return read_rows(stream, kind, name=name, on_fault=run.note)


def _key(raw: RawReport) -> tuple[RowKind, str, str]:
    """The key by which other rows may name this one, even where the row was refused."""
    named = "source_id" if raw.kind is RowKind.EVENT else "implant"
    return raw.kind, raw.values.get("site", ""), raw.values.get(named, "")
