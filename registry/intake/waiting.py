"""What waits for a user, among the rows that the user may see: queues, oldest first."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from registry.intake.device_years import device_times, flat
from registry.intake.kept_by_site import kept_by_site
from registry.models import Agreement, Event, Implant, Query, RoleProposal, Site, User
from registry.vocabulary import Right, State


@dataclass(frozen=True, slots=True)
class EventQueue:
    """A queue of events: its value of `queue=`, and who it is for."""

    name: str
    title: str
    is_for: Callable[[User], bool]
    events: Callable[[User], QuerySet[Event]]


def to_review(user: User) -> QuerySet[Event]:
    """Submitted events that the user may judge: never those of the user's own sites."""
    submitted = Event.objects.visible_to(user).filter(state=State.SUBMITTED)
    return submitted.exclude(site__in=user.site_keys)


def drafts_of(user: User) -> QuerySet[Event]:
    """Visible drafts that the user has written or changed."""
    written = Event.history.filter(id=OuterRef("pk"), history_user=user).values("pk")[:1]
    drafts = Event.objects.visible_to(user).filter(state=State.DRAFT)
    # Looked up draft by draft: as a condition it would read all that the user ever wrote.
    return drafts.alias(written=Subquery(written)).filter(written__isnull=False)


def drafts_of_sites(user: User) -> QuerySet[Event]:
    """Drafts of the user's own sites, by any author."""
    return Event.objects.filter(site__in=user.site_keys, state=State.DRAFT)


def under_review(user: User) -> QuerySet[Event]:
    """Events of the user's own sites that wait for a reviewer."""
    return Event.objects.filter(site__in=user.site_keys, state=State.SUBMITTED)


def came_back(user: User) -> QuerySet[Event]:
    """Drafts of the user's own sites that a reviewer returned with a question."""
    asked = Query.objects.open().filter(rule="", site__in=user.site_keys)
    return drafts_of_sites(user).filter(pk__in=asked.values("event"))


def rejected_of_sites(user: User) -> QuerySet[Event]:
    """Events of the user's own sites that a reviewer rejected, each with its reason."""
    return Event.objects.filter(site__in=user.site_keys, state=State.REJECTED)


def queried(user: User) -> QuerySet[Event]:
    """Events of the user's own sites about which a query is open."""
    asked = Query.objects.open().filter(site__in=user.site_keys, event__isnull=False)
    return Event.objects.filter(pk__in=asked.values("event"), site__in=user.site_keys)


def queried_implants(user: User) -> QuerySet[Implant]:
    """Implants of the user's own sites about which a query is open."""
    asked = Query.objects.open().filter(site__in=user.site_keys, implant__isnull=False)
    return Implant.objects.filter(pk__in=asked.values("implant"), site__in=user.site_keys)


def answered(user: User) -> QuerySet[Event]:
    """Events that the user may judge, about which the site answered a query."""
    said = Query.objects.answered().filter(event__isnull=False)
    seen = Event.objects.visible_to(user).exclude(site__in=user.site_keys)
    return seen.filter(pk__in=said.values("event"))


def waiting_seal() -> Coalesce:
    """The seal of an event's first submission, which orders the queue of a reviewer.

    A recoded or reopened event keeps its place. An event loaded without history has its own seal.
    """
    return Coalesce(Subquery(_first_handed_in("seal_number")), F("seal_id"))


def waiting_since() -> Coalesce:
    """The instant of that seal."""
    return Coalesce(Subquery(_first_handed_in("history_date")), F("seal__at"))


def oldest_first(events: QuerySet[Event]) -> QuerySet[Event]:
    """Events in the order of their first submission, by seal."""
    return events.order_by(waiting_seal().asc(), "pk")


def _first_handed_in(column: str) -> QuerySet[Any]:
    handed_in = Event.history.filter(id=OuterRef("pk"), state=State.SUBMITTED)
    return handed_in.order_by("seal_number", "history_id").values(column)[:1]


def count_without_exposure(user: User) -> int:
    """The number of past years of a component without device time, as on the page of site years.

    Each site's is kept until its device time next changes: seven queries for any number of sites,
    one where none has changed.
    """

    def missing(sites: QuerySet[Site]) -> dict[int, int]:
        years = device_times(sites, present=timezone.now().year)
        found = {site: sum(cell.is_without for cell in flat(years[site])) for site in years}
        return {pk: found.get(code, 0) for pk, code in sites.values_list("pk", "code")}

    name = f"missing-years-{timezone.now().year}"
    return sum(kept_by_site(name, _open_sites(user), missing).values())


def count_without_follow_up(user: User) -> int:
    """The number of implants followed on without news for certainly a year, kept alike."""
    today = timezone.now()

    def without_news(sites: QuerySet[Site]) -> dict[int, int]:
        rows = Implant.objects.filter(site__in=list(sites.values_list("pk", flat=True)))
        behind = rows.behind(year=today.year - 1, month=today.month).order_by()
        found = dict(behind.values_list("site").annotate(n=Count("pk")))
        return {pk: found.get(pk, 0) for pk in sites.values_list("pk", flat=True)}

    name = f"without-news-{today:%Y-%m}"
    return sum(kept_by_site(name, Site.objects.visible_to(user), without_news).values())


def _open_sites(user: User) -> QuerySet[Site]:
    return Site.objects.visible_to(user).filter(active=True)


QUEUES = {
    queue.name: queue
    for queue in (
        EventQueue("to-review", "To review", lambda user: user.may(Right.SEE_ALL_ROWS), to_review),
        EventQueue("my-drafts", "My drafts", lambda user: _enters(user), drafts_of),
        EventQueue("came-back", "Came back", lambda user: _works_at_site(user), came_back),
        EventQueue("rejected", "Rejected", lambda user: _works_at_site(user), rejected_of_sites),
        EventQueue("queried", "With open queries", lambda user: _works_at_site(user), queried),
        EventQueue(
            "answered", "Queries answered", lambda user: user.may(Right.SEE_ALL_ROWS), answered
        ),
    )
}
"""The queues of events by name."""


def _enters(user: User) -> bool:
    return user.may(Right.ENTER_ROWS)


def _works_at_site(user: User) -> bool:
    return user.may(Right.WORK_AT_SITE)


def leads_a_site(user: User) -> bool:
    """Whether the user leads any site. One query for site staff."""
    return user.may(Right.WORK_AT_SITE) and user.sites_led().exists()


def agreements_to_decide(user: User) -> QuerySet[Agreement]:
    """Requests for a data-use agreement that the user may decide."""
    return Agreement.objects.decidable_by(user)


def roles_to_confirm(user: User) -> QuerySet[RoleProposal]:
    """Proposed roles that wait for this data manager to confirm."""
    return RoleProposal.objects.confirmable_by(user, timezone.now().date())
