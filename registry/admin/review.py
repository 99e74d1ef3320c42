"""The steps of an event in the admin: buttons on its page, actions of the list, one page to ask."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from registry import intake
from registry.admin.naming import label_of
from registry.admin.pairs import has_open_pair
from registry.admin.queues import QueueFilter, chosen_queue
from registry.admin.rows import address_of, back_in_form, was_kept
from registry.admin.site_rows import SiteRowsAdmin
from registry.admin.steps import STEPS, Step
from registry.answers.kept import KEPT
from registry.answers.refusable import in_sentences
from registry.intake.deaths import COUNTED
from registry.intake.waiting import oldest_first, to_review, waiting_seal, waiting_since
from registry.models import Event
from registry.records import Refusal, VersionConflict
from registry.vocabulary import Outcome, Right, WithdrawalReason

MOST_AT_ONCE = 200
"""The most events of one action; each is a transaction of its own."""


class ReviewSteps(SiteRowsAdmin):
    """Events with the buttons and list actions of their steps, which intake takes.

    An action moves event by event, each under a seal of its own: a refused one does not stop the
    others, and its reason is shown.
    """

    def get_urls(self) -> list[Any]:
        """Adds the address of the steps."""
        view = self.admin_site.admin_view(self.step)
        return [path("steps/<slug:name>/", view, name="registry_event_step"), *super().get_urls()]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """The steps of the user's roles, as actions of the list."""
        user: Any = request.user
        return {
            f"{step.name}_events": (
                _action(step),
                f"{step.name}_events",
                f"{step.label} the chosen events",
            )
            for step in STEPS.values()
            if step.within_role(user) and not step.one_by_one
        }

    def get_list_filter(self, request: HttpRequest) -> Any:
        """The work queues, then the filters of every list of events."""
        return (QueueFilter, *super().get_list_filter(request))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list; a work queue under its own title."""
        queue = chosen_queue(request)
        title = {"title": queue.title} if queue is not None else {}
        if KEPT in request.POST and not back_in_form(request):
            return HttpResponseRedirect(request.get_full_path())
        return super().changelist_view(request, title | (extra_context or {}))

    def get_list_display(self, request: HttpRequest) -> Any:
        """The columns; in the queue of a reviewer also since when each event has waited."""
        shown = super().get_list_display(request)
        return (*shown, "waiting_since") if asks_to_review(request) else shown

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        """The visible events; in a reviewer's queue with the time of their first submission."""
        rows: QuerySet[Event] = super().get_queryset(request)
        if self.is_list(request) and "state" not in request.GET:
            rows = rows.exclude(reason=WithdrawalReason.DISCARDED)
        if asks_to_review(request):
            return rows.annotate(handed_in_at=waiting_since())
        return rows

    def get_ordering(self, request: HttpRequest) -> Any:
        """The queue of a reviewer is ordered oldest first."""
        if asks_to_review(request):
            return (waiting_seal().asc(), "pk")
        return super().get_ordering(request)

    @admin.display(description="Waiting since")
    def waiting_since(self, event: Any) -> Any:
        """When the event was first submitted."""
        return event.handed_in_at.date()

    def action_checkbox(self, obj: Any) -> SafeString:
        """The box that selects an event, with the version that the list shows."""
        shown = format_html('<input type="hidden" name="read" value="{}">', pick_of(obj))
        return super().action_checkbox(obj) + shown

    def beside(self, request: HttpRequest, row: Event) -> dict[str, Any]:
        """The steps that the user may take, as buttons above the event."""
        user: Any = request.user
        open_steps = intake.open_steps(row, by=user)
        if open_steps & {"accept", "reopen"} and row.state in COUNTED:
            open_steps |= {"ask"}
        by_form = self.has_change_permission(request, row)  # drafts are submitted by their form
        return {
            **super().beside(request, row),
            "steps": [
                step
                for name, step in STEPS.items()
                if name in open_steps and not (by_form and name == "submit")
            ],
            "pick": pick_of(row),
            "reason_said": reason_in_words(row),
            "repeats": _linked(row.duplicate_of) if row.duplicate_of else "",
            "repeated_by": [_linked(other) for other in row.duplicates.order_by("pk")],
            "not_own": user.may(Right.SEE_ALL_ROWS)
            and user.sites().filter(pk=row.site_id).exists(),
        }

    def step(self, request: HttpRequest, name: str) -> HttpResponse:
        """Asks what a step needs, or takes it; 404 for events that the user may not see."""
        step = STEPS.get(name)
        if step is None:
            raise Http404
        user: Any = request.user
        if not step.within_role(user):
            raise PermissionDenied
        if KEPT in request.POST and not back_in_form(request):
            return HttpResponseRedirect(reverse("admin:registry_event_changelist"))
        sent = request.POST if request.method == "POST" else request.GET
        versions = versions_in(sent.getlist("event"))
        rows = self.get_queryset(request).filter(public_id__in=versions)
        events = list(self._as_listed(rows)[:MOST_AT_ONCE])
        if not events or (step.one_by_one and len(events) > 1):
            raise Http404
        return self.ask_or_take(request, step, events, versions)

    def ask_or_take(
        self,
        request: HttpRequest,
        step: Step,
        events: list[Event],
        versions: Mapping[UUID, int | None],
    ) -> HttpResponse:
        """Takes the step if it has all it needs, and otherwise asks for it.

        Answers that were kept through a sign-in are shown, and taken when they are sent again.
        """
        answered = request.method == "POST" and "confirmed" in request.POST
        form = step.form(request.POST if answered else None, events=events)
        if answered and not was_kept(request) and form.is_valid():
            moved, refused = take(step, events, versions, by=request.user, answers=form.answers())
            if not (refused and step.asks_of_one and len(events) == 1):
                self.tell(request, step, moved, refused)
                return self._back(events)
            form.refuse(refused[0][1])
            events = list(self._as_listed(Event.objects.filter(pk=events[0].pk)))
        form.focus_first_error()
        one = len(events) == 1
        which = str(events[0].public_id) if one else "list"
        self.log_look(request, f"{which} step {step.name}", len(events))
        context = {
            **self.admin_site.each_context(request),
            "title": step.title.format(label_of(events[0]) if one else f"{len(events)} events"),
            "step": step,
            "form": form,
            "events": [(event, pick_of(event)) for event in events],
            "apart": apart_of(events) if step.name == "accept" else [],
            "back": address_of(events[0]) if one else reverse("admin:registry_event_changelist"),
            "back_words": label_of(events[0]) if one else "",
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/registry/event/step.html", context)

    def tell(
        self,
        request: HttpRequest,
        step: Step,
        moved: Sequence[Event],
        refused: Iterable[tuple[Event, Refusal]],
    ) -> None:
        """Reports why events were refused, and how many were moved."""
        for event, refusal in refused:
            nothing = " Nothing was done." if isinstance(refusal, VersionConflict) else ""
            why = format_html("{}: {}{}", _linked(event), in_sentences(refusal), nothing)
            self.message_user(request, why, messages.ERROR)
        if len(moved) == 1:
            message = format_html("{} is {}.", _linked(moved[0]), step.done)
            if request.user.may(Right.SEE_ALL_ROWS) and step.ends_review:  # type: ignore[union-attr]
                message = format_html("{}{}", message, _next_to_review(request))
            self.message_user(request, message, messages.SUCCESS)
        elif moved:
            self.message_user(request, f"{len(moved)} events are {step.done}.", messages.SUCCESS)

    def _as_listed(self, rows: QuerySet[Event]) -> QuerySet[Event]:
        related = ("site", "complication", "reported_complication", "implant")
        return rows.select_related(*related).order_by("pk")

    def _back(self, events: list[Event]) -> HttpResponseRedirect:
        if len(events) == 1:
            return HttpResponseRedirect(address_of(events[0]))
        return HttpResponseRedirect(reverse("admin:registry_event_changelist"))


def apart_of(events: Sequence[Event]) -> list[tuple[str, list[SafeString]]]:
    """Events of a bulk acceptance that deserve a look of their own: deaths, possible duplicates."""
    among = Event.objects.filter(has_open_pair(), pk__in=[event.pk for event in events])
    alike = set(among.values_list("pk", flat=True))
    deaths = [event for event in events if event.outcome == Outcome.FATAL]
    repeated = [event for event in events if event.pk in alike]
    named = (("Deaths", deaths), ("Possible duplicates of another report", repeated))
    return [(title, [_linked(event) for event in rows]) for title, rows in named if rows]


def take(
    step: Step,
    events: Iterable[Event],
    versions: Mapping[UUID, int | None],
    *,
    by: Any,
    answers: Mapping[str, Any],
) -> tuple[list[Event], list[tuple[Event, Refusal]]]:
    """Moves the events one by one, each under its own seal; returns moved and refused ones."""
    moved: list[Event] = []
    refused: list[tuple[Event, Refusal]] = []
    for event in events:
        try:
            step.verb(event.public_id, by=by, version=versions.get(event.public_id), **answers)
        except Refusal as refusal:
            refused.append((event, refusal))
        else:
            moved.append(event)
    return moved, refused


def _action(step: Step) -> Callable[..., HttpResponse | None]:
    """The list action of a step, taken at once or after a page that asks."""

    def act(
        model_admin: ReviewSteps, request: HttpRequest, queryset: QuerySet[Event]
    ) -> HttpResponse | None:
        events = list(model_admin._as_listed(queryset)[: MOST_AT_ONCE + 1])
        if len(events) > MOST_AT_ONCE:
            message = f"Choose at most {MOST_AT_ONCE} events at a time. Nothing was done."
            model_admin.message_user(request, message, messages.ERROR)
            return None
        versions = versions_in(request.POST.getlist("read"))
        if step.asks or was_kept(request):
            return model_admin.ask_or_take(request, step, events, versions)
        moved, refused = take(step, events, versions, by=request.user, answers={})
        model_admin.tell(request, step, moved, refused)
        return None

    return act


def reason_in_words(event: Event) -> str:
    """Why the event stands where it does, and what its site can do about it; empty without one."""
    if not event.reason:
        return ""
    reason = WithdrawalReason.of(event.reason)
    return f"{reason.label}. {reason.definition}"


def asks_to_review(request: HttpRequest) -> bool:
    """Whether the list is the reviewer's queue."""
    queue = chosen_queue(request)
    return queue is not None and queue.events is to_review


def pick_of(event: Event) -> str:
    """A selected event: its public id and the version that was read."""
    return f"{event.public_id}:{event.version}"


def versions_in(picks: Iterable[str]) -> dict[UUID, int | None]:
    """The selected events with the versions that were read; ignores invalid selections."""
    found: dict[UUID, int | None] = {}
    for pick in picks:
        key, _, version = pick.partition(":")
        try:
            found[UUID(key)] = int(version) if version else None
        except ValueError:
            continue
    return found


def _next_to_review(request: HttpRequest) -> SafeString:
    """A link to the event that has waited longest. One query."""
    user: Any = request.user
    following = oldest_first(to_review(user)).first()
    if following is None:
        return format_html(" {}", "No other event waits for your review.")
    return format_html(" Next to review: {}.", _linked(following))


def _linked(event: Event) -> SafeString:
    return format_html('<a href="{}">{}</a>', address_of(event), label_of(event))
