"""Rows to freeze, written by hand or read from the published cohort's files."""

import csv
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb

from registry.catalogue import read_catalogue
from registry.snapshot.freeze import freeze_rows
from registry.snapshot.manifest import Manifest
from registry.snapshot.schema import EVENT_SOURCE, EXPOSURE_SOURCE, IMPLANT_SOURCE
from registry.snapshot.terms import Published, Term, TermGroup, Terms
from registry.vocabulary import Intervention

SAMPLES = Path(__file__).parents[1] / "samples"


def public_id(name: str) -> str:
    """A public id that is the same for the same name and sorts by it, for short names."""
    return str(UUID(bytes=name.encode().ljust(16, b"\0")[:16]))


def shipped_terms(**sites: str) -> Terms:
    """The shipped catalogue, and the sites named with their countries."""
    catalogue = read_catalogue()
    return Terms(
        version="test",
        complications=tuple(
            Term(
                code=entry.code,
                name=entry.name,
                category=entry.category,
                clock=entry.clock.value,
                natural_denominator=entry.natural_denominator.value,
                in_totals=entry.in_totals,
            )
            for entry in catalogue.complications
        ),
        categories=tuple(
            TermGroup(entry.code, entry.name, entry.natural_denominator.value)
            for entry in catalogue.categories
        ),
        sites=sites or {"A": "JP", "B": "DE"},
        published=tuple(
            Published(
                rate_id=rate.rate_id,
                complication=rate.complication_code or "",
                category=rate.category_code or "",
                metric=rate.metric,
                measure_type=rate.measure_type.value,
                numerator=rate.numerator,
                denominator=rate.denominator,
                unit=rate.unit,
                population=rate.population,
                source=rate.source,
                confidence=rate.confidence,
                note=rate.note,
            )
            for rate in catalogue.published_rates
            if rate.shown
        ),
    )


def implant(name: str, *, patient: str | None = None, **values: object) -> tuple[object, ...]:
    """A pump of a patient of its own at site A, made in 2015 and followed for 24 months."""
    row: dict[str, object] = {
        "public_id": public_id(name),
        "patient": public_id(f"of-{name}" if patient is None else patient),
        "site": "A",
        "component": "pump",
        "implant_year": 2015,
        "months_to_entry": 0,
        "months_followed": 24,
        "exit_status": "active",
    }
    return _ordered(IMPLANT_SOURCE, row | values)


def event(name: str, *, on: str | None = None, **values: object) -> tuple[object, ...]:
    """An accepted pump flip at site A in 2015, at month 6 of the implant named by `on`."""
    row: dict[str, object] = {
        "public_id": public_id(name),
        "implant": public_id(on) if on else None,
        "site": "A",
        "complication": "pump-flip",
        "year": 2015,
        "months_since_implant": 6 if on else None,
        "actuality": "actual",
        "state": "accepted",
    }
    if cause := values.pop("caused_by", None):
        row["caused_by"] = public_id(str(cause))
    return _ordered(EVENT_SOURCE, row | values)


def exposure(name: str, **values: object) -> tuple[object, ...]:
    """Ten pumps that site B declares for 2016, followed for 120 months together."""
    row: dict[str, object] = {
        "public_id": public_id(name),
        "site": "B",
        "year": 2016,
        "component": "pump",
        "devices": 10,
        "component_months": 120,
    }
    return _ordered(EXPOSURE_SOURCE, row | values)


def _ordered(names: tuple[str, ...], row: dict[str, object]) -> tuple[object, ...]:
    unknown = set(row) - set(names)
    if unknown:
        raise KeyError(f"no such source column: {sorted(unknown)}")
    return tuple(row.get(name) for name in names)


def rows_of(root: Path, manifest: Manifest, table: str) -> list[dict[str, Any]]:
    """A table's rows in the order of their numbers, with codes as text."""
    path = root / manifest.snapshot_id / "registry.duckdb"
    with duckdb.connect(str(path), read_only=True) as connection:
        found = connection.execute(f"SELECT * FROM {table} ORDER BY 1")  # noqa: S608
        names = [each[0] for each in found.description]
        rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    return [
        {
            name: manifest.codes[name][value] if name in manifest.codes else value
            for name, value in row.items()
        }
        for row in rows
    ]


def taira_rows() -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    """The implants and events of the published cohort, as they are after acceptance."""
    implants = []
    for row in _read("taira-2013-implants.csv"):
        of_pump = row["component"] == "pump"
        implants.append(
            implant(
                row["implant"],
                patient=row["patient"],
                site=row["site"],
                component=row["component"],
                pump_model=row["model"] if of_pump else "",
                catheter_model="" if of_pump else row["model"],
                **{
                    name: row[name]
                    for name in IMPLANT_SOURCE
                    if name in row
                    and name not in {"public_id", "patient", "implant", "site", "component"}
                },
            )
        )
    events = []
    for row in _read("taira-2013-events.csv"):
        criteria = {
            f"serious_{code.replace('-', '_')}": True
            for code in row["seriousness"].split(";")
            if code
        }
        interventions = Intervention.pack(
            Intervention(code) for code in row["interventions"].split(";") if code
        )
        events.append(
            event(
                row["source_id"],
                on=row["implant"],
                caused_by=row["caused_by"],
                interventions=interventions,
                **criteria,
                **{
                    name: row[name]
                    for name in EVENT_SOURCE
                    if name in row and name not in {"implant", "caused_by", "interventions"}
                },
            )
        )
    return implants, events


def taira_snapshot(root: Path):
    """Freeze the published cohort."""
    implants, events = taira_rows()
    sites = {row[IMPLANT_SOURCE.index("site")] for row in implants}
    return freeze_rows(
        root,
        events=events,
        implants=implants,
        exposures=(),
        terms=shipped_terms(**{str(site): "JP" for site in sites}),
    )


def _read(name: str) -> list[dict[str, str]]:
    with (SAMPLES / name).open(newline="") as file:
        return list(csv.DictReader(file))
