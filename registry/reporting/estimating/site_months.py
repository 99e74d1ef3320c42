"""The devices of one curve site by site, counted in each of its months."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from registry.snapshot.lives import BY_EVENT, ENTERED, Lives
from registry.statistics.site_curves import ClusterMonths
from registry.statistics.survival import THE_EVENT

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class LivesBySite:
    """Lines of devices: how many entered, or left of which cause, in which month, at which site.

    sites: how many. site: its place; cause: 0 censored, THE_EVENT, or another that competes;
    month: after implantation; n: how many devices. One entry a line in each; two lines may be of
    the same site, cause and month.
    """

    sites: int
    site: Ints
    entered: NDArray[np.bool_]
    cause: Ints
    month: Ints
    n: Ints

    @classmethod
    def of(cls, lives: Sequence[Lives], causes: Ints) -> Self:
        """From each site's lives; causes: the cause of each exit status, by its number."""
        every = Lives.together(lives)
        return cls(
            len(lives),
            np.repeat(np.arange(len(lives)), [each.month.size for each in lives]),
            every.what == ENTERED,
            np.where(every.what == BY_EVENT, THE_EVENT, causes[every.why]),
            every.month,
            every.sums[:, 0],
        )

    def months(self, span: tuple[int, int], *, incidence: bool) -> ClusterMonths:
        """Sites by months from the first to the last of a curve.

        At risk are those that entered before, or at 0 in month 0, and have not left before.
        incidence: whether other causes compete, or censor.
        """
        first, last = span
        changes = np.zeros((self.sites, last + 2), dtype=np.int64)
        at = np.where(self.entered & (self.month == 0), 0, self.month + 1)
        early = at <= last
        signed = np.where(self.entered, self.n, -self.n)
        np.add.at(changes, (self.site[early], at[early]), signed[early])
        others = self._ended(span, self.cause > THE_EVENT if incidence else self.cause < 0)
        return ClusterMonths(
            at_risk=np.cumsum(changes, axis=1)[:, first : last + 1],
            events=self._ended(span, self.cause == THE_EVENT),
            others=others,
        )

    def _ended(self, span: tuple[int, int], chosen: NDArray[np.bool_]) -> Ints:
        first, last = span
        found = np.zeros((self.sites, last - first + 1), dtype=np.int64)
        own = chosen & ~self.entered & (self.month >= first) & (self.month <= last)
        np.add.at(found, (self.site[own], self.month[own] - first), self.n[own])
        return found
