"""Answers small questions over one snapshot in portable SQL: GROUP BY, count, sum and min."""

# ruff: noqa: S608 - names come from the schema, values go to placeholders

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from registry.records import Cell
from registry.snapshot.asked import Asked
from registry.snapshot.engine import Engine
from registry.snapshot.manifest import Manifest
from registry.snapshot.schema import column
from registry.snapshot.selections import (
    WITHIN_90_DAYS,
    after_entry,
    amount_of,
    at_risk,
    declared_by_sites,
    hold_to_observed,
    observed,
    placeholders,
    within_90_days,
)
from registry.snapshot.statement import Piece, Source, devices_of, events_of

Key = tuple[Cell, ...]
SEQUENCE_STEP = 10_000
"""A patient's devices stand in order in one number: sequence times this, plus the month."""


@dataclass(frozen=True, slots=True)
class Clusters:
    """Amounts by row and cluster: a patient, or a site's year of declared exposure."""

    keys: list[Key]
    cluster: NDArray[np.int64]
    amount: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Firsts:
    """First events by row and owner (a device or a patient).

    first: the sequence of the owner's device times SEQUENCE_STEP, plus the month on its clock.
    """

    keys: list[Key]
    owner: NDArray[np.int64]
    first: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Members:
    """Devices of the owners that had an event; keys as in device time, without calendar time.

    origin: months from year 0 to the implantation, NaN where the year of implant is dropped.
    """

    keys: list[Key]
    owner: NDArray[np.int64]
    sequence: NDArray[np.int64]
    time_from: NDArray[np.float64]
    time_to: NDArray[np.float64]
    origin: NDArray[np.float64]


class Store:
    """One snapshot, asked through an engine."""

    def __init__(self, engine: Engine, manifest: Manifest) -> None:
        self._engine = engine
        self.manifest = manifest

    def reported(self, asked: Asked, *, each: str) -> dict[Key, int]:
        """How many different events, episodes, devices or patients were reported, by row.

        each: the column of events that is counted once.
        """
        source = events_of(asked, clock="device", device="e")
        return self._counted(source, each)

    def matched(
        self, asked: Asked, *, clock: str, each: str, quantity: str = "months"
    ) -> dict[Key, int]:
        """How many of them lie in the device time, or on the devices, that a rate divides by."""
        return self._counted(at_risk(asked, clock, quantity), each)

    def matched_clusters(
        self, asked: Asked, *, clock: str, each: str, quantity: str = "months"
    ) -> Clusters:
        """The same, patient by patient."""
        source = at_risk(asked, clock, quantity)
        counted = column("events", each).name
        inner = source.select("i.patient_no AS cluster", by=["i.patient_no", f"e.{counted}"])
        names = [f"g{place}" for place in range(len(source.groups))]
        statement = Piece(f"SELECT {', '.join([*names, 'cluster', 'count(*) AS n'])} FROM (")
        statement.add(inner.text, *inner.values)
        statement.add(f") d GROUP BY {', '.join([*names, 'cluster'])}")
        found = self.run(statement)
        return Clusters(
            keys=keys_of(found, len(names)),
            cluster=whole_numbers(found["cluster"]),
            amount=_numbers(found["n"]),
        )

    def firsts(
        self, asked: Asked, *, clock: str, per_patient: bool, quantity: str = "months"
    ) -> Firsts:
        """The first event of each device, or of each patient, in each row."""
        source = at_risk(asked, clock, quantity)
        owner = "i.patient_no" if per_patient else "i.device_no"
        found = self.run(
            source.select(
                f"{owner} AS owner",
                f"min(i.sequence * {SEQUENCE_STEP} + e.{clock}_month) AS first",
                by=[owner],
            )
        )
        return Firsts(
            keys=keys_of(found, len(source.groups)),
            owner=whole_numbers(found["owner"]),
            first=whole_numbers(found["first"]),
        )

    def members(self, asked: Asked, *, clock: str, per_patient: bool) -> Members:
        """The devices whose time a first event may end."""
        untimed = Asked(on_devices=asked.on_devices, group_by=_untimed(asked))
        source, _ = devices_of(untimed, component=clock)
        owner = "patient_no" if per_patient else "device_no"
        owners = at_risk(
            Asked(on_events=asked.on_events, on_devices=asked.on_devices), clock, "months"
        ).select(f"i.{owner} AS owner", by=[f"i.{owner}"])
        source.tables.add(" JOIN (")
        source.tables.add(owners.text, *owners.values)
        source.tables.add(f") o ON o.owner = i.{owner}")
        columns = ("i.sequence", "i.time_from", "i.time_to", "i.implant_year")
        found = self.run(
            source.select(
                f"i.{owner} AS owner", *columns, by=[f"i.{owner}", "i.device_no", *columns]
            )
        )
        return Members(
            keys=keys_of(found, len(source.groups)),
            owner=whole_numbers(found["owner"]),
            sequence=whole_numbers(found["sequence"]),
            time_from=_numbers(found["time_from"]),
            time_to=_numbers(found["time_to"]),
            origin=12 * _numbers(found["implant_year"]) + 6,
        )

    def exposure(self, asked: Asked, *, clock: str, quantity: str = "months") -> dict[Key, float]:
        """Device months, or procedures or refills since entry, of the implants in each row."""
        source, amount = amount_of(asked, clock, quantity)
        found = self.run(source.select(f"sum(CAST({amount} AS DOUBLE)) AS amount"))
        amounts = _numbers(found["amount"]).tolist()
        keys = keys_of(found, len(source.groups))
        return {key: total for key, total in zip(keys, amounts, strict=True) if total == total}

    def exposure_clusters(self, asked: Asked, *, clock: str, quantity: str = "months") -> Clusters:
        """The same, patient by patient."""
        source, amount = amount_of(asked, clock, quantity)
        found = self.run(
            source.select(
                "i.patient_no AS cluster",
                f"sum(CAST({amount} AS DOUBLE)) AS amount",
                by=["i.patient_no"],
            )
        )
        return Clusters(
            keys=keys_of(found, len(source.groups)),
            cluster=whole_numbers(found["cluster"]),
            amount=_numbers(found["amount"]),
        )

    def declared(self, asked: Asked, *, clock: str, quantity: str = "months") -> Clusters:
        """What sites declared instead of implants, a site's year at a time, by row.

        A selection that declared exposure cannot follow (by drug, months, age ...) has none.
        """
        source = declared_by_sites(asked, clock, quantity)
        if source is None:
            return _no_clusters()
        name = "component_months" if quantity == "months" else quantity
        found = self.run(
            source.select(
                "x.site AS site",
                "x.year AS declared_year",
                f"CAST(sum(x.{column('exposures', name).name}) AS DOUBLE) AS amount",
                by=["x.site", "x.year"],
            )
        )
        return Clusters(
            keys=keys_of(found, len(source.groups)),
            cluster=self._site_years(found),
            amount=_numbers(found["amount"]),
        )

    def declared_events(
        self, asked: Asked, *, clock: str, each: str, quantity: str = "months"
    ) -> Clusters:
        """The events without an implant that fall in a site's year of declared exposure.

        An episode that goes on into another year is of the first.
        """
        exposures = declared_by_sites(asked, clock, quantity)
        if exposures is None:
            return _no_clusters()
        years = exposures.select(
            "x.site AS site", "x.year AS declared_year", by=["x.site", "x.year"]
        )
        source = events_of(asked, clock="device", device="e")
        source.tables.add(" JOIN (")
        source.tables.add(years.text, *years.values)
        source.tables.add(") z ON z.site = e.site AND z.declared_year = e.year")
        for place, name in enumerate(asked.shared):
            source.tables.add(f" AND z.g{place} = {source.groups[asked.group_by.index(name)]}")
        source.require("e.device_no IS NULL")
        if quantity == "procedures":
            within_90_days(source)
        counted = f"e.{column('events', each).name}"
        names = [f"g{place}" for place in range(len(source.groups))]
        inner = source.select(
            "e.site AS site", "min(e.year) AS declared_year", by=["e.site", counted]
        )
        outer = [*names, "site", "declared_year"]
        statement = Piece(f"SELECT {', '.join(outer)}, count(*) AS n FROM (")
        statement.add(inner.text, *inner.values)
        statement.add(f") d GROUP BY {', '.join(outer)}")
        found = self.run(statement)
        return Clusters(
            keys=keys_of(found, len(names)),
            cluster=self._site_years(found),
            amount=_numbers(found["n"]),
        )

    def present(self, asked: Asked) -> dict[Key, int]:
        """The rows in which any implant was followed, for a breakdown to say zero in."""
        source, _ = devices_of(asked, component=None)
        return table_of(self.run(source.select("count(*) AS n")), len(source.groups))

    def carriers(self, asked: Asked, *, clock: str | None, each: str) -> dict[Key, int]:
        """How many patients, or devices, had a device under observation in each row."""
        source = observed(asked, clock)
        return self._distinct(source, f"i.{column('implants', each).name}")

    def affected(self, asked: Asked, *, clock: str | None, each: str) -> dict[Key, int]:
        """How many of those carriers had an event after entry, by row."""
        source = after_entry(asked, clock=clock)
        if asked.splits_years or asked.spans:
            hold_to_observed(source, asked, clock)
        return self._distinct(source, f"i.{column('implants', each).name}")

    def places(self, asked: Asked, *, clock: str) -> list[tuple[Key, str, bool, int]]:
        """Where the reported events lie on a clock, by row: place, within 90 days, how many."""
        source = events_of(asked, clock=clock, device="e")
        near = f"CASE WHEN e.days_since_procedure IN {placeholders()} THEN 1 ELSE 0 END"
        place = f"e.{column('events', f'{clock}_time').name}"
        source.tables = Piece(
            "(SELECT e.*, "
            + near
            + " AS near FROM events e) e"
            + source.tables.text.removeprefix("events e"),
            [*WITHIN_90_DAYS, *source.tables.values],
        )
        found = self.run(
            source.select(
                f"{place} AS place", "e.near AS near", "count(*) AS n", by=[place, "e.near"]
            )
        )
        keys = keys_of(found, len(source.groups))
        columns = (found["place"].tolist(), found["near"].tolist(), found["n"].tolist())
        return [
            (key, str(where), bool(close), int(n))
            for key, where, close, n in zip(keys, *columns, strict=True)
        ]

    def sites_with(
        self, asked: Asked, *, clock: str, quantity: str = "months", declared: bool = True
    ) -> set[str]:
        """The sites that a rate of this selection finds a denominator at."""
        whole = Asked(
            on_devices=asked.on_devices,
            group_by=("site",),
            years=asked.years,
            spans=tuple(asked.spans),
            known_years=asked.known_years,
        )
        tiers = [self.exposure(whole, clock=clock, quantity=quantity)]
        if declared:
            tier = self.declared(whole, clock=clock, quantity=quantity)
            tiers.append(dict(zip(tier.keys, tier.amount.tolist(), strict=True)))
        return {str(key[0]) for tier in tiers for key, amount in tier.items() if amount > 0}

    def _counted(self, source: Source, each: str) -> dict[Key, int]:
        if each == "event_no":
            found = self.run(source.select("count(*) AS n"))
            return table_of(found, len(source.groups))
        return self._distinct(source, f"e.{column('events', each).name}")

    def _distinct(self, source: Source, expression: str) -> dict[Key, int]:
        return table_of(self.run(source.count_distinct(expression)), len(source.groups))

    def _site_years(self, found: Mapping[str, NDArray[Any]]) -> NDArray[np.int64]:
        """Number a site's years below zero, apart from every patient's number."""
        places = {site: place for place, site in enumerate(sorted(self.manifest.terms.sites))}
        pairs = zip(found["site"].tolist(), found["declared_year"].tolist(), strict=True)
        return np.array(
            [-(places[site] * SEQUENCE_STEP + year) for site, year in pairs], dtype=np.int64
        )

    def run(self, statement: Piece) -> Mapping[str, NDArray[Any]]:
        """Answer one statement, an array per column."""
        return self._engine.run(statement.text, statement.values)


def _untimed(asked: Asked) -> tuple[str, ...]:
    return tuple(name for name in asked.shared if name not in {"year", "period", "window"})


def _no_clusters() -> Clusters:
    return Clusters([], np.array([], dtype=np.int64), np.array([], dtype=np.float64))


def table_of(found: Mapping[str, NDArray[Any]], groups: int) -> dict[Key, int]:
    counts = [int(n) for n in found["n"].tolist()]
    return dict(zip(keys_of(found, groups), counts, strict=True))


def keys_of(found: Mapping[str, NDArray[Any]], groups: int) -> list[Key]:
    if not groups:
        length = len(next(iter(found.values())))
        return [()] * length
    columns: Iterator[list[Cell]] = (found[f"g{place}"].tolist() for place in range(groups))
    return list(zip(*columns, strict=True))


def whole_numbers(values: NDArray[Any]) -> NDArray[np.int64]:
    return np.asarray(values, dtype=np.int64)


def _numbers(values: NDArray[Any]) -> NDArray[np.float64]:
    """Numbers with NaN where the engine has NULL."""
    return np.ma.filled(np.ma.asarray(values, dtype=np.float64), np.nan)
