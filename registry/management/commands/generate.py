"""Make a large synthetic registry fast."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import models, transaction

from registry import synthetic
from registry.intake import load_catalogue
from registry.models import Complication, Event, Exposure, Implant, Patient, Site
from registry.models.audit import sealed
from registry.models.bulk_load import drawn_ids, indexes_set_aside, load_rows
from registry.models.event_rules import CRITERIA
from registry.models.verification import GENERATED
from registry.records import RowKind
from registry.synthetic.columns import Table
from registry.vocabulary import Seriousness, State

_CHUNK = 20_000

Columns = dict[str, list[Any]]
Stored = Callable[[Mapping[str, list[Any]]], Columns]


class Command(BaseCommand):
    """Fill an empty registry with made-up sites, devices and accepted events, under one seal."""

    help = (
        "Fills an empty registry with a synthetic one: --events events and the devices behind "
        "them. The rows have no history; only the sites do."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Numbers of events and sites, the seed, and the file for the truth."""
        parser.add_argument("--events", type=int, default=5000, help="How many events.")
        parser.add_argument("--sites", type=int, default=12, help="How many sites.")
        parser.add_argument("--seed", type=int, default=1, help="The same seed, the same registry.")
        parser.add_argument(
            "--truth", type=Path, metavar="FILE", help="Write the true hazards as JSON."
        )

    def handle(
        self, *args: Any, events: int, sites: int, seed: int, truth: Path | None, **options: Any
    ) -> None:
        """Refuse a registry with rows; otherwise generate, load and print the time taken."""
        for model in (Site, Patient, Implant, Exposure, Event):
            if model._base_manager.exists():
                plural = model._meta.verbose_name_plural
                raise CommandError(f"The registry holds {plural}: generate needs an empty one.")
        began = perf_counter()
        try:
            made = synthetic.registry(events=events, sites=sites, seed=seed)
        except ValueError as error:
            raise CommandError(f"--{error}") from error
        if not Complication.objects.exists():
            load_catalogue()
        generated = perf_counter()
        ids = Random(f"ids {seed}")  # noqa: S311  # nosec B311
        counts = _load(made, ids=ids)
        loaded = perf_counter()
        if truth is not None:
            truth.write_text(json.dumps(made.truth, indent=1) + "\n", encoding="utf-8")
        for name, count in counts.items():
            self.stdout.write(f"{name}: {count}")
        self.stdout.write(
            f"made in {generated - began:.1f} s, loaded in {loaded - generated:.1f} s"
        )


def _load(made: synthetic.SyntheticRegistry, *, ids: Random) -> dict[str, int]:
    """Write everything in one transaction; rows name the seal and have no history."""
    with (
        transaction.atomic(),
        indexes_set_aside(Patient, Implant, Exposure, Event),
        sealed(by=None, action=GENERATED) as seal,
    ):
        sites = [Site(code=one.code, name=one.name, country=one.country) for one in made.sites]
        written = {"sites": seal.bulk_create(Site, sites)}
        site_ids = {site.code: site.pk for site in sites}

        def load(name: str, model: type[models.Model], table: Table, stored: Stored) -> None:
            written[name] = load_rows(model, _completed(table, stored, site_ids, seal.number, ids))

        load("patients", Patient, made.patients, _patients)
        load("implants", Implant, made.tables[RowKind.IMPLANT], _implants)
        load("exposures", Exposure, made.tables[RowKind.EXPOSURE], _exposures)
        load("events", Event, made.tables[RowKind.EVENT], _events)
    return written


def _completed(
    table: Table, stored: Stored, site_ids: Mapping[str, int], seal: int, ids: Random
) -> Iterator[Columns]:
    """Each chunk with the columns of every row: number, public id, site, version and seal."""
    before = 0
    for chunk in table.chunks(_CHUNK):
        size = len(chunk["site"])
        yield {
            **chunk,
            "id": list(range(before + 1, before + size + 1)),
            "public_id": drawn_ids(ids, size),
            "site_id": [site_ids[code] for code in chunk["site"]],
            "version": [1] * size,
            "seal_id": [seal] * size,
            **stored(chunk),
        }
        before += size


def _patients(chunk: Mapping[str, list[Any]]) -> Columns:
    return {"id": _ids(chunk, "patient"), "source_id": chunk["patient"]}


def _implants(chunk: Mapping[str, list[Any]]) -> Columns:
    return {
        "id": _ids(chunk, "implant"),
        "source_id": chunk["implant"],
        "patient_id": _ids(chunk, "patient"),
        "round_number": [None] * len(chunk["site"]),
        "months_at_round": [None] * len(chunk["site"]),
        "followed_at_round": [False] * len(chunk["site"]),
    }


def _exposures(chunk: Mapping[str, list[Any]]) -> Columns:
    return {}


def _events(chunk: Mapping[str, list[Any]]) -> Columns:
    size = len(chunk["site"])
    criteria = {**CRITERIA, Seriousness.NONE: "serious_none"}
    packed = [bits or 0 for bits in chunk["seriousness"]]
    return {
        "id": _ids(chunk, "source_id"),
        "implant_id": _ids(chunk, "implant"),
        "patient_id": _ids(chunk, "patient"),
        "complication_id": chunk["complication"],
        "reported_complication_id": chunk["complication"],
        "caused_by_id": _ids(chunk, "caused_by"),
        "duplicate_of_id": [None] * size,
        "round_number": [None] * size,
        "state": [State.ACCEPTED.value] * size,
        "reason": [""] * size,
        **{
            column: [bool(bits >> code.bit & 1) for bits in packed]
            for code, column in criteria.items()
        },
    }


def _ids(chunk: Mapping[str, list[Any]], key: str) -> list[int | None]:
    """Primary keys of referenced rows: their numbers plus one."""
    return [None if number is None else number + 1 for number in chunk[f"{key}_number"]]
