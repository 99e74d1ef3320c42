"""A test of several differences at once whose variance is rank-deficient."""

import numpy as np

from registry.statistics.results import FloatArray


def quadratic_form(difference: FloatArray, variance: FloatArray) -> tuple[float, int]:
    """Chi-squared of a difference whose variance is rank-deficient, and that rank."""
    if not difference.size:
        return 0.0, 0
    values, vectors = np.linalg.eigh(variance)
    kept = values > 1e-10 * max(1.0, float(values.max()))
    along = (vectors.T @ difference)[kept]
    return float((along**2 / values[kept]).sum()), int(kept.sum())
