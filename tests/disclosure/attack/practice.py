"""A made-up registry without a database: what the attacker practises on, and what proves him."""

import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from registry import synthetic
from registry.catalogue import read_catalogue
from registry.records import RowKind
from registry.snapshot.derive import CRITERIA
from registry.snapshot.freeze import freeze_rows
from registry.snapshot.schema import EVENT_SOURCE, EXPOSURE_SOURCE, IMPLANT_SOURCE
from registry.snapshot.terms import Term, TermGroup, Terms
from tests.disclosure.attack.truth import Truth

ID = uuid.UUID(int=0x5EED)
NOT_MADE = {"round_number", "months_at_round", "followed_at_round", "accepted_at"}
"""The practice registry has closed no follow-up round: its rows count as they stand."""


def practice_truth(folder: Path, *, events: int, seed: int) -> Truth:
    """The rows of one synthetic registry, frozen as every registry is."""
    made = synthetic.registry(events=events, seed=seed)
    catalogue = read_catalogue()
    terms = Terms(
        version=catalogue.version,
        complications=tuple(
            Term(
                code=entry.code,
                name=entry.name,
                category=entry.category,
                clock=str(entry.clock),
                natural_denominator=str(entry.natural_denominator),
                in_totals=entry.in_totals,
            )
            for entry in catalogue.complications
        ),
        categories=tuple(
            TermGroup(each.code, each.name, str(each.natural_denominator))
            for each in catalogue.categories
        ),
        sites={site.code: site.country for site in made.sites},
    )
    manifest = freeze_rows(
        folder,
        events=_rows(made, RowKind.EVENT, EVENT_SOURCE),
        implants=_rows(made, RowKind.IMPLANT, IMPLANT_SOURCE),
        exposures=_rows(made, RowKind.EXPOSURE, EXPOSURE_SOURCE),
        terms=terms,
    )
    return Truth.read(folder / manifest.snapshot_id)


def _rows(
    made: synthetic.SyntheticRegistry, kind: RowKind, source: tuple[str, ...]
) -> Iterator[list[object]]:
    start = 0
    for chunk in made.columns(kind):
        size = len(chunk["site"])
        columns = [_column(name, kind, chunk, start, size) for name in source]
        yield from map(list, zip(*columns, strict=True))
        start += size


def _column(
    name: str, kind: RowKind, chunk: Mapping[str, list[Any]], start: int, size: int
) -> list[object]:
    criteria = {column: criterion for criterion, column in CRITERIA.items()}
    if name == "public_id":
        return [_id(kind.value, number) for number in range(start, start + size)]
    if name == "caused_by":
        return _ids("event", chunk["caused_by_number"])
    if name in {"implant", "patient"}:
        return _ids(name, chunk[f"{name}_number"])
    if name in NOT_MADE:
        return [None] * size
    if name == "state":
        return ["accepted"] * size
    if name in criteria:
        bit = criteria[name].bit
        return [bool((packed or 0) >> bit & 1) for packed in chunk["seriousness"]]
    return list(chunk[name])


def _ids(kind: str, numbers: list[int | None]) -> list[object]:
    return [None if number is None else _id(kind, number) for number in numbers]


def _id(kind: str, number: int) -> str:
    return uuid.uuid5(ID, f"{kind.removesuffix('s')} {number}").hex
