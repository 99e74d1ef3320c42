"""Asks a question of rows written by hand, without a database."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from registry.records import Cell, EventQuery
from registry.reporting.asking.spec import Question
from registry.reporting.estimating import cells
from registry.reporting.estimating.coverage import coverage_cells, coverage_of
from registry.reporting.taken import read_question
from registry.snapshot.freeze import freeze_rows
from registry.snapshot.shelf import open_store
from registry.snapshot.store import Store
from registry.vocabulary import Measure
from tests.snapshot.rows import shipped_terms

Rows = Iterable[tuple[object, ...]]


class Asker:
    """A small frozen registry, and its rows by key: `asker.counts(group_by=("year",))`."""

    def __init__(
        self, root: Path, *, events: Rows = (), implants: Rows = (), exposures: Rows = ()
    ) -> None:
        self.manifest = freeze_rows(
            root, events=events, implants=implants, exposures=exposures, terms=shipped_terms()
        )
        self.store: Store = open_store(root, self.manifest.snapshot_id)

    def question(self, measure: Measure, **query: Any) -> Question:
        """The question made ready."""
        return read_question(EventQuery(**query), measure=measure, manifest=self.manifest)

    def counts(self, **query: Any) -> dict[tuple[Cell, ...], Cell]:
        """How many, by key."""
        found = cells.count_cells(self.store, self.question(Measure.COUNTS, **query))
        return {each.key: each.numbers["n"] for each in found}

    def rates(self, *, per: float = 1, **query: Any) -> dict[tuple[Cell, ...], dict[str, Cell]]:
        """Numbers and status of rates per unit, by key."""
        found = cells.rate_cells(self.store, self.question(Measure.RATES, **query), per=per)
        return {each.key: dict(each.numbers) | {"status": each.status.value} for each in found}

    def parts_of_rates(self, **query: Any) -> dict[tuple[Cell, ...], tuple[Cell, Cell, Cell]]:
        """Events, exposure and unit of rates, by key."""
        return {
            key: (row["events"], row["exposure"], row["unit"])
            for key, row in self.rates(**query).items()
        }

    def proportions(self, **query: Any) -> dict[tuple[Cell, ...], tuple[Cell, Cell]]:
        """Numerator and denominator, by key."""
        found = cells.proportion_cells(self.store, self.question(Measure.PROPORTIONS, **query))
        return {
            each.key: (each.numbers["numerator"], each.numbers["denominator"]) for each in found
        }

    def coverage(self, **query: Any) -> dict[str, Any]:
        """What a rate says of its coverage."""
        return coverage_of(self.store, self.question(Measure.RATES, **query))

    def coverage_rows(self, **query: Any) -> dict[tuple[Cell, ...], dict[str, Cell]]:
        """The measure coverage, by key."""
        found = coverage_cells(self.store, self.question(Measure.COVERAGE, **query))
        return {each.key: dict(each.numbers) for each in found}
