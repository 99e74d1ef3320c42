"""Each group's rate against that of all other groups together, crude or adjusted."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from registry.statistics.comparison import (
    Cells,
    Clusters,
    Contrast,
    GroupComparison,
    compare,
)
from registry.statistics.regression import ClusterTable
from registry.statistics.results import BoolArray, Reason

GROUP, REST = 0, 1
"""The numbers of a group and of all others in halved cells."""


def halved(cells: Cells, group: int) -> Cells:
    """The same cells in two groups: one, and all others together."""
    return replace(cells, groups=np.where(cells.groups == group, GROUP, REST))


def compare_with_others(
    cells: Cells,
    *,
    clusters: Sequence[Clusters] = (),
    adjusted: bool = True,
    robust_to: str | None = None,
    per: float = 1.0,
    level: float = 0.95,
) -> GroupComparison:
    """The contrast of each group with all others, and the joint test that no group differs.

    For each group a regression of its own, as in `compare`, with one indicator (the group against
    the rest) and the main effects of the adjusters. The joint test is that of `compare`, which does
    not depend on the reference. parameters: of the largest regression; reason: that of the first
    group where no group has a ratio. Raises ValueError as `compare` does.
    """
    n_groups = int(cells.groups.max(initial=-1)) + 1
    own = np.bincount(cells.groups, cells.events, n_groups)
    fitted = partial(compare, adjusted=adjusted, robust_to=robust_to, per=per, level=level)
    found = [
        fitted(
            halved(cells, group),
            REST,
            clusters=[_of_halves(each, cells.groups == group) for each in clusters],
        )
        for group in range(n_groups)
    ]
    joint = fitted(cells, int(own.argmax()), clusters=clusters)
    contrasts = tuple(
        _worded(each.contrasts[GROUP], is_alone=n_groups == 1, own=float(own[group]))
        for group, each in enumerate(found)
    )
    nothing = all(each.ratio is None for each in contrasts)
    return GroupComparison(
        contrasts=contrasts,
        test=joint.test,
        parameters=max(each.parameters for each in found),
        events=joint.events,
        without_events=joint.without_events,
        reason=contrasts[0].reason if nothing else None,
    )


def _worded(contrast: Contrast, *, is_alone: bool, own: float) -> Contrast:
    """The contrast with a reason that names the others, where these have nothing."""
    if is_alone:
        return replace(contrast, reason=Reason.NO_GROUP_EXPOSURE)
    if own and contrast.reason is Reason.NO_EVENTS_IN_REFERENCE:
        return replace(contrast, reason=Reason.NO_GROUP_EVENTS)
    return contrast


def _of_halves(clusters: Clusters, is_group: BoolArray) -> Clusters:
    """The same clusters, with how many have exposure in a group and in all others."""
    if clusters.by_group is None or not isinstance(clusters.sums, ClusterTable):
        return clusters
    has = clusters.sums.exposure > 0
    sides = (has[:, is_group], has[:, ~is_group])
    return replace(clusters, by_group=tuple(int(side.any(axis=1).sum()) for side in sides))
