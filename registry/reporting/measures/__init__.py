"""Every measure: one spec a file, read by every door.

A spec declares options, exact answer, protected form or why it is withheld, words and picture. No
other table and no branch names a measure.
"""

from collections.abc import Mapping
from types import MappingProxyType

from registry.reporting.asking.spec import MeasureSpec
from registry.reporting.measures import (
    burden,
    cascades,
    comparison,
    counts,
    coverage,
    funnel,
    incidence,
    proportions,
    rates,
    signals,
    survival,
    trend,
)
from registry.vocabulary import Measure

_SPECS = (
    counts.SPEC,
    rates.SPEC,
    proportions.SPEC,
    survival.SPEC,
    incidence.SPEC,
    burden.SPEC,
    comparison.SPEC,
    funnel.SPEC,
    trend.SPEC,
    signals.SPEC,
    cascades.SPEC,
    coverage.SPEC,
)

MEASURES: Mapping[Measure, MeasureSpec] = MappingProxyType({spec.measure: spec for spec in _SPECS})
"""Every measure with its spec, in the order of forms."""
