"""Files of rows: all of them stored under one seal, or nothing at all."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, cast

from registry.deidentify import event_record, exposure_record, implant_record
from registry.intake.device_batches import take_exposures, take_implants
from registry.intake.event_batches import EventBatches
from registry.intake.importing import BATCH, Counts, Import, ImportRefused
from registry.intake.writers import require_data_manager
from registry.interchange.csv_rows import read_rows
from registry.models import User, sealed
from registry.records import RawReport, Refusal, RowKind

Source = str | Path | BinaryIO | Iterable[RawReport]
Progress = Callable[[RowKind, int], None]
Read = Callable[[RawReport], Any]
Take = Callable[[list[tuple[RawReport, Any]]], Counts]


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """What an import did, for each kind of row that it was given."""

    counts: Mapping[RowKind, Counts]


class _Undo(Exception):
    """Ends the transaction of a dry run."""


def import_records(
    files: Mapping[RowKind, Source],
    *,
    by: User,
    accept: bool = False,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> ImportSummary:
    """Store the rows of all files in one transaction under one seal: all of them, or none.

    files: a path, a binary stream or ready rows for each kind; they are taken in the order
    implants, exposures, events. Events land submitted, or accepted (data managers, not at a site
    of their own). dry_run: do everything, then store nothing. progress: called with the kind and
    the number of its rows taken so far.

    A row that is stored already is unchanged; an implant with a later follow-up, exit, refills or
    procedures is updated; any other difference is a fault. Memory does not grow with the files,
    but by a few words for each event whose cause comes later in its file.

    Raises NotPermitted, and ImportRefused with the first 200 faults and their total.
    """
    if accept:
        require_data_manager(by, "accept events on arrival")
    counts: dict[RowKind, Counts] = {}
    try:
        with sealed(by=by, action="import") as seal:
            run = Import(seal=seal, by=by, accept=accept)
            for kind in RowKind:
                if kind in files:
                    counts[kind] = _take(kind, files[kind], run, progress)
            if run.total:
                raise ImportRefused(run.faults, total=run.total)
            if dry_run:
                raise _Undo
    except _Undo:
        pass
    return ImportSummary(counts)


def _take(kind: RowKind, source: Source, run: Import, progress: Progress | None) -> Counts:
    events = EventBatches(run) if kind is RowKind.EVENT else None
    read, take = _hands(kind, run, events)
    counts, done = Counts(), 0
    try:
        raws = _rows(kind, source, run)
        while batch := list(islice(raws, BATCH)):
            rows = []
            for raw in batch:
                try:
                    rows.append((raw, read(raw)))
                except Refusal as refusal:
                    run.refuse(raw, refusal.faults, key=_key(raw))
            counts += take(rows)
            run.flush()
            done += len(batch)
            if progress is not None:
                progress(kind, done)
        if events is not None:
            events.finish()
    except ImportRefused:
        raise
    except Refusal as refusal:
        for fault in refusal.faults:
            run.note(fault)
    run.flush()
    return counts


def _hands(kind: RowKind, run: Import, events: EventBatches | None) -> tuple[Read, Take]:
    """What reads a row of the kind, and what stores a batch of them."""
    if events is not None:
        return event_record, events.take
    if kind is RowKind.IMPLANT:
        return implant_record, lambda rows: take_implants(rows, run)
    return exposure_record, lambda rows: take_exposures(rows, run)


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
