"""One row of true numbers, before it is put in order and formatted."""

from collections.abc import Mapping
from dataclasses import dataclass

from registry.records import Cell
from registry.snapshot.statement import Key
from registry.vocabulary import CellStatus


@dataclass(frozen=True, slots=True)
class Found:
    """One row: its key in the order of the grouping, its numbers by column, and its status."""

    key: Key
    numbers: Mapping[str, Cell]
    status: CellStatus
