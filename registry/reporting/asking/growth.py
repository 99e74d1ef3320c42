"""How much of the registry has changed since a release: what the next one may be published on."""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import OuterRef, Subquery
from django.utils import timezone

from registry.models import Event, Snapshot
from registry.records import Fault
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


def too_early(before: Snapshot) -> tuple[list[Fault], str]:
    """Why a release would come too early after the last, and by how much, for the log.

    Every release is another draw of whatever has changed, so that there must not be many; and in
    one that differs by little, what is new stands out.
    """
    faults, said = [], []
    wait = settings.REGISTRY_RELEASE_DAYS
    days = (timezone.now() - before.made_at).days
    if days < wait:
        next_one = timezone.localdate(before.made_at + timedelta(days=wait))
        said.append(f"{days} days after")
        faults.append(
            Fault(
                "release",
                "too-early",
                f"Release {before.label} is less than {wait} days old (REGISTRY_RELEASE_DAYS): "
                f"publish from {next_one.isoformat()} on, or use --early, which is recorded "
                "and told to readers.",
            )
        )
    growth = growth_since(before.seal_number or 0)
    percent, least = settings.REGISTRY_RELEASE_GROWTH, settings.REGISTRY_RELEASE_CHANGED
    if missing := growth.missing(percent, least):
        said.append(f"{growth.moved} of {growth.records} records changed since")
        faults.append(
            Fault(
                "release",
                "too-little-new",
                f"Of {growth.records} accepted events {growth.moved} are new, changed or gone "
                f"since release {before.label}; {percent} % (REGISTRY_RELEASE_GROWTH) and "
                f"{least} or more (REGISTRY_RELEASE_CHANGED) are asked for: wait for {missing} "
                "more, or use --early, which is written down and told to readers.",
            )
        )
    return faults, " and ".join(said)
