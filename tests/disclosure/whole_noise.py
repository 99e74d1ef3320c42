"""The law of both parts of the noise together, as one table: what a release adds to a count."""

from functools import cache

import numpy as np

from registry.disclosure.table import LAST_ROW, PerturbationTable, frozen_tables


@cache
def whole_noise() -> PerturbationTable:
    """Probabilities of the sum of the lasting part and the part of the release.

    What would take a count below 0 is told as taking it to 0, as the registry does.
    """
    lasting, fresh = frozen_tables()
    least = int(lasting.offsets[0] + fresh.offsets[0])
    offsets = np.arange(-LAST_ROW, int(lasting.offsets[-1] + fresh.offsets[-1]) + 1)
    rows = np.zeros((LAST_ROW, offsets.size))
    for n in range(1, LAST_ROW + 1):
        both = np.convolve(lasting.row(n), fresh.row(n))
        kept = np.maximum(np.arange(both.size) + least, -n)
        np.add.at(rows[n - 1], kept + LAST_ROW, both)
    return PerturbationTable.of(offsets, rows)
