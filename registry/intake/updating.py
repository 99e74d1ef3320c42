"""Changes of stored rows that an import brings, by the rules of a change of each row."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from registry.intake.devices import update_exposure, update_implant
from registry.intake.events import update_event
from registry.intake.importing import Import, StoredChange
from registry.models import Event, Exposure, Implant, Sealing
from registry.records import RawReport, Refusal, RowKind


def apply_updates(run: Import, seal: Sealing) -> None:
    """Applies an import's changes one by one, under its seal; refusals become its faults.

    Some ten milliseconds a row.
    """
    for change in run.updates:
        try:
            _UPDATES[change.kind](change, run, seal)
        except Refusal as refusal:
            for fault in refusal.faults:
                run.note(replace(fault, line=change.line, file=change.file))


def _implant(change: StoredChange, run: Import, seal: Sealing) -> None:
    implant = Implant.objects.select_related("site", "patient").get(pk=change.pk)
    update_implant(implant, _report(change), version=None, seal=seal)


def _exposure(change: StoredChange, run: Import, seal: Sealing) -> None:
    exposure = Exposure.objects.select_related("site").get(pk=change.pk)
    update_exposure(exposure, _report(change), version=None, seal=seal)


def _event(change: StoredChange, run: Import, seal: Sealing) -> None:
    event = Event.objects.select_related("site").get(pk=change.pk)
    update_event(event, _report(change), by=run.by, version=None, seal=seal)


def _report(change: StoredChange) -> RawReport:
    return RawReport(change.kind, change.texts, change.line, change.file)


_UPDATES: Mapping[RowKind, Callable[[StoredChange, Import, Sealing], None]] = {
    RowKind.IMPLANT: _implant,
    RowKind.EXPOSURE: _exposure,
    RowKind.EVENT: _event,
}
