"""Files of rows: all of them stored under one seal, or nothing at all."""

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
    """What an import did, for each kind of row that it was given."""

    counts: Mapping[RowKind, ImportCounts]

    @property
    def changes_nothing(self) -> bool:
        """Whether every row was stored already."""
        return not any(count.new or count.updated for count in self.counts.values())


class Records:
    """The records of one file, held in memory as small as they get: some fifty bytes a row.

    Nothing of what was sent is in them that the registry may not keep. They are pickled and read
    by this process alone.
    """

    def __init__(self) -> None:
        self._batches: list[bytes] = []

    def add(self, rows: Rows) -> None:
        """Keep a batch: its records, and the line and file that each stands on."""
        plain = [(raw.line, raw.file, record) for raw, record in rows]
        self._batches.append(zlib.compress(pickle.dumps(plain), level=1))

    def batches(self, kind: RowKind) -> Iterator[Rows]:
        """The batches as they were added, each row with its place and without its texts."""
        for packed in self._batches:
            plain = pickle.loads(zlib.decompress(packed))  # noqa: S301  # nosec B301
            yield [(RawReport(kind, {}, line, file), record) for line, file, record in plain]


@dataclass(frozen=True, slots=True)
class JudgedRecords:
    """Files without a fault, ready to be stored, and what storing them will do."""

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
    """Store the rows of all files in one transaction under one seal: all of them, or none.

    Nobody waits while the files are read and judged; a dry run ends there. The other arguments
    and what is raised: as `judge_records`.
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
    """Read files and hold their rows against every rule; writes nothing, and locks nothing.

    files: a path, a binary stream or ready rows for each kind; they are taken in the order
    implants, exposures, events. Events land submitted, or accepted (data managers, not at a site
    of their own). progress: called with the kind and the number of its rows judged so far.

    A row that is stored already is unchanged; an implant with a later follow-up, exit, refills or
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
    """Store files that were judged, in one transaction under one seal.

    Others may have written since: what depends on other rows, on the catalogue or on the writer's
    rights is judged again where nobody else writes. Where everything was on file already nothing
    is written and nobody waits.

    Raises what `judge_records` does; nothing is stored then.
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
    """What judges a batch of rows of the kind and hands them to the import's seal."""
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
    """What other rows may name this one by, even where the rest of it was refused."""
    named = "source_id" if raw.kind is RowKind.EVENT else "implant"
    return raw.kind, raw.values.get("site", ""), raw.values.get(named, "")
