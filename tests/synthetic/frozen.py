"""A synthetic registry as a frozen one, without a database: what sites sent, all of it accepted."""

from dataclasses import fields
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from registry.disclosure import record_key
from registry.keys import read_keys
from registry.records import EventRecord, ImplantRecord
from registry.reporting.asking.freshness import Frozen
from registry.snapshot.freeze import freeze_rows
from registry.snapshot.schema import EVENT_SOURCE, EXPOSURE_SOURCE, IMPLANT_SOURCE
from registry.snapshot.shelf import open_store
from registry.synthetic import SyntheticRegistry
from registry.vocabulary import CatheterModel, Component, PumpModel, Seriousness, SnapshotKind
from tests.snapshot.rows import shipped_terms

DATA_AS_OF = datetime(2026, 6, 30, tzinfo=UTC)
"""The end of a synthetic registry's data."""


def frozen_synthetic(root: Path, made: SyntheticRegistry) -> Frozen:
    """A release of a synthetic registry as if every event had been accepted."""
    keys = read_keys()
    manifest = freeze_rows(
        root,
        events=[event_row(record) for record in made.events()],
        implants=[implant_row(record) for record in made.implants()],
        exposures=[
            tuple(
                id_of(f"exposure {number}") if name == "public_id" else values.get(name)
                for name in EXPOSURE_SOURCE
            )
            for number, values in enumerate(
                told(record) | models(record.model) for record in made.exposures()
            )
        ],
        terms=shipped_terms(**{site.code: site.country for site in made.sites}),
        record_key=partial(record_key, keys.records),
        keys=keys.mark,
    )
    return Frozen(
        store=open_store(root, manifest.snapshot_id),
        kind=SnapshotKind.RELEASE,
        label="synthetic",
        data_as_of=DATA_AS_OF,
    )


def implant_row(record: ImplantRecord) -> tuple[Any, ...]:
    """An implant as freezing takes it."""
    values = told(record) | models(record.model)
    values["public_id"] = id_of(f"{record.site}/{record.implant}")
    values["patient"] = id_of(f"{record.site}/{record.patient}")
    return tuple(values.get(name) for name in IMPLANT_SOURCE)


def event_row(record: EventRecord) -> tuple[Any, ...]:
    """An accepted event as freezing takes it."""
    values = told(record) | models(record.component_model)
    values["public_id"] = id_of(f"{record.site}/{record.source_id}")
    for name in ("implant", "caused_by"):
        values[name] = id_of(f"{record.site}/{values[name]}") if values[name] else None
    for criterion in Seriousness:
        judged = record.seriousness is not None and criterion in record.seriousness
        values[f"serious_{criterion.value.replace('-', '_')}"] = judged
    values["interventions"] = sum(1 << each.bit for each in record.interventions or ())
    values["state"] = "accepted"
    values["actuality"] = record.actuality.value if record.actuality else "actual"
    return tuple(values.get(name) for name in EVENT_SOURCE)


def id_of(key: str) -> str:
    """The random id of a record, always the same for its key."""
    return uuid5(NAMESPACE_URL, key).hex


def models(model: PumpModel | CatheterModel | None) -> dict[str, str]:
    """A model under the component that it is of."""
    return {
        f"{component.value}_model": model.value if isinstance(model, kind) else ""
        for component, kind in (
            (Component.PUMP, PumpModel),
            (Component.CATHETER, CatheterModel),
        )
    }


def told(record: Any) -> dict[str, Any]:
    """A record's fields as they are stored: codes as text, blanks of codes empty."""
    kept = {each.name: getattr(record, each.name) for each in fields(record)}
    return {name: getattr(value, "value", value) for name, value in kept.items()}
