"""How much of the registry has changed since a release: what the next one may be published on."""

from dataclasses import dataclass

from django.db.models import OuterRef, Subquery

from registry.models import Event
from registry.vocabulary import State


@dataclass(frozen=True, slots=True)
class Growth:
    """Accepted events now or at the release (records), and how many of them differ (moved)."""

    moved: int
    records: int

    @property
    def percent(self) -> float:
        """The share that is new, changed or gone; all of nothing."""
        return 100 * self.moved / self.records if self.records else 100.0

    def missing(self, percent: float, least: int = 0) -> int:
        """How many more records must be new, changed or gone for this share, and for so many."""
        return max(0, -int(-self.records * percent // 100) - self.moved, least - self.moved)


def growth_since(seal_number: int) -> Growth:
    """Compare the accepted events with those of a release, by its seal; three queries.

    An event has changed that was written under a later seal, whatever of it was.
    """
    accepted = Event.objects.filter(state=State.ACCEPTED)
    before = (
        Event.history.filter(id=OuterRef("pk"), seal_number__lte=seal_number)
        .order_by("-seal_number", "-history_id")
        .values("state")[:1]
    )
    no_more = Event.objects.filter(seal__gt=seal_number).exclude(state=State.ACCEPTED)
    gone = no_more.annotate(was=Subquery(before)).filter(was=State.ACCEPTED.value).count()
    moved = accepted.filter(seal__gt=seal_number).count() + gone
    return Growth(moved=moved, records=accepted.count() + gone)
