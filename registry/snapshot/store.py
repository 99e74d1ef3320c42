"""One frozen snapshot, open for sums: the only thing that runs statements."""

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from registry.snapshot.codes import Codes
from registry.snapshot.engine import Engine
from registry.snapshot.manifest import Manifest
from registry.snapshot.statement import Piece


class Store:
    """A snapshot, its manifest and the engine that sums over it.

    What the functions of this room return are sums by row: no event, device or patient leaves.
    """

    def __init__(self, engine: Engine, manifest: Manifest) -> None:
        self._engine = engine
        self.manifest = manifest
        self.codes = Codes(manifest.codes)

    def run(self, statement: Piece) -> Mapping[str, NDArray[Any]]:
        """Answer one statement: an array a column, masked where the column has NULLs."""
        return self._engine.run(statement.text, statement.values)
