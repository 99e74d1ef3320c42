"""Work queues as a filter of the list of events."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from registry.intake.waiting import QUEUES, EventQueue


class QueueFilter(admin.SimpleListFilter):
    """The user's queues as a filter of the list."""

    title = "work queue"
    parameter_name = "queue"
    template = "admin/registry/filter.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The queues of the user's roles."""
        user: Any = request.user
        return [(queue.name, queue.title) for queue in QUEUES.values() if queue.is_for(user)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The events of the queue; none for an unknown queue or one of other roles."""
        if not self.value():
            return queryset
        queue = chosen_queue(request)
        user: Any = request.user
        return queryset.filter(pk__in=queue.events(user).values("pk")) if queue else queryset.none()


def chosen_queue(request: HttpRequest) -> EventQueue | None:
    """The queue that the address names, if it is one of the user's."""
    queue = QUEUES.get(request.GET.get(QueueFilter.parameter_name, ""))
    user: Any = request.user
    return queue if queue is not None and queue.is_for(user) else None
