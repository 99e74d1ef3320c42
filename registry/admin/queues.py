"""Work queues: what waits for whom, oldest first, always within the reader's own rows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.core.cache import cache
from django.db.models import Exists, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils import timezone

from registry.admin.declaring import MISSING, device_times, flat
from registry.models import Event, Implant, Seal, Site, User
from registry.vocabulary import Component, Right, State


@dataclass(frozen=True, slots=True)
class EventQueue:
    """A queue of events: the value of `queue=` that lists it, and whose it is."""

    name: str
    title: str
    is_for: Callable[[User], bool]
    events: Callable[[User], QuerySet[Event]]


def to_review(user: User) -> QuerySet[Event]:
    """Submitted events that the user may judge: never those of a site of his or her own."""
    submitted = Event.objects.visible_to(user).filter(state=State.SUBMITTED)
    return submitted.exclude(site__in=user.sites())


def drafts_of(user: User) -> QuerySet[Event]:
    """Drafts within reach that the user has written or changed."""
    written = Event.history.filter(id=OuterRef("pk"), history_user=user)
    return Event.objects.visible_to(user).filter(Exists(written), state=State.DRAFT)


def drafts_of_sites(user: User) -> QuerySet[Event]:
    """Drafts of the user's own sites, whoever wrote them."""
    return Event.objects.filter(site__in=user.sites(), state=State.DRAFT)


def under_review(user: User) -> QuerySet[Event]:
    """Events of the user's own sites that wait for a reviewer."""
    return Event.objects.filter(site__in=user.sites(), state=State.SUBMITTED)


def waiting_seal() -> Coalesce:
    """The seal under which an event was first handed in: its place in the queue of a reviewer.

    A recoded or reopened event keeps its place. One that was loaded without history has its own.
    """
    return Coalesce(Subquery(_first_handed_in("seal_number")), F("seal_id"))


def waiting_since() -> Coalesce:
    """The instant of that seal."""
    return Coalesce(Subquery(_first_handed_in("history_date")), F("seal__at"))


def oldest_first(events: QuerySet[Event]) -> QuerySet[Event]:
    """Events in the order in which they were first handed in, as their seals have it."""
    return events.order_by(waiting_seal().asc(), "pk")


def _first_handed_in(column: str) -> QuerySet[Any]:
    handed_in = Event.history.filter(id=OuterRef("pk"), state=State.SUBMITTED)
    return handed_in.order_by("seal_number", "history_id").values(column)[:1]


def without_follow_up(user: User) -> QuerySet[Implant]:
    """Implants in follow-up of which nothing has been heard for a year, for certain."""
    today = timezone.now()
    rows = Implant.objects.visible_to(user)
    behind: QuerySet[Implant] = rows.behind(year=today.year - 1, month=today.month)
    return behind


@dataclass(frozen=True, slots=True)
class Undeclared:
    """One past year of a component of which a site has given no device time at all."""

    site: str
    year: int
    component: Component


def without_exposure(user: User) -> list[Undeclared]:
    """The years that sites within reach left out, as the page of a site's years shows them.

    Three queries, however many sites.
    """
    sites = Site.objects.visible_to(user).filter(active=True)
    years = device_times(sites, present=timezone.now().year)
    return [
        Undeclared(site, cell.year, cell.component)
        for site, lines in years.items()
        for cell in flat(lines)
        if cell.state == MISSING
    ]


def count_without_exposure(user: User) -> int:
    """How many such years there are; counted once between two writes, as it reads all implants.

    The hash of the last seal stands for all that is stored, so the number is never an old one.
    """
    last = Seal.objects.order_by("-number").values_list("hash", flat=True).first()
    key = f"without-exposure-{user.pk}-{timezone.now().year}-{last}"
    known: int | None = cache.get(key)
    if known is None:
        known = len(without_exposure(user))
        cache.set(key, known)
    return known


QUEUES = {
    queue.name: queue
    for queue in (
        EventQueue("to-review", "To review", lambda user: user.may(Right.SEE_ALL_ROWS), to_review),
        EventQueue("my-drafts", "My drafts", lambda user: _enters(user), drafts_of),
    )
}
"""The queues of events by name."""


def _enters(user: User) -> bool:
    return user.may(Right.ENTER_ROWS)


class QueueFilter(admin.SimpleListFilter):
    """Events that wait for the reader, as a filter of the list."""

    title = "work queue"
    parameter_name = "queue"
    template = "admin/registry/filter.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The queues of the reader's role."""
        user: Any = request.user
        return [(queue.name, queue.title) for queue in QUEUES.values() if queue.is_for(user)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The events of the queue; a queue of other roles, or none, holds nothing."""
        if not self.value():
            return queryset
        queue = chosen_queue(request)
        user: Any = request.user
        return queryset.filter(pk__in=queue.events(user).values("pk")) if queue else queryset.none()


def chosen_queue(request: HttpRequest) -> EventQueue | None:
    """The queue that the address names, if it is one of the reader's."""
    queue = QUEUES.get(request.GET.get(QueueFilter.parameter_name, ""))
    user: Any = request.user
    return queue if queue is not None and queue.is_for(user) else None
