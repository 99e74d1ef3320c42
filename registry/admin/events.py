"""Events in the admin: a site's own list, the form to enter one, and the steps of its state."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.loader import render_to_string
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from registry import intake
from registry.admin.choosing import matches, possible_causes, row_label
from registry.admin.event_form import GO_ON, SUBMIT_ALL, EventForm, submits
from registry.admin.event_sections import REVIEW, name_read, sections_of, sections_read
from registry.admin.filters import filter_by
from registry.admin.history import Unseen, unseen_changes, versions_of
from registry.admin.naming import label_of
from registry.admin.once import form_token, stored_once
from registry.admin.pairs import AlikePages
from registry.admin.printing import BlankSheet
from registry.admin.queries import MeteredPages
from registry.admin.redacting import RedactPages
from registry.admin.review import STEPS, ReviewSteps, pick_of, take
from registry.admin.rows import address_of
from registry.admin.site_rows import open_site_keys
from registry.admin.stored_values import listed
from registry.admin.timeline import episode_of
from registry.models import Event, Implant
from registry.vocabulary import Right, Severity, State

GRADES = dict(Severity.choices())
"""Grade -> label."""

LATEST = 5
"""The number of versions on the event's own page; its history has all."""


@admin.register(Event)
class EventAdmin(AlikePages, ReviewSteps, MeteredPages, BlankSheet, RedactPages):
    """Events of the caller's own sites; drafts are edited here, later states are read-only."""

    class Media:
        css = {"all": ["registry/event-form.css"]}

    form = EventForm
    list_display = (
        "key",
        "site_code",
        "state",
        "complication",
        "year",
        "months_since_implant",
        "severity_words",
        "outcome",
    )
    list_select_related = ("site", "complication", "implant")
    list_filter = (
        filter_by("state"),
        filter_by("site"),
        filter_by("category"),
        filter_by("complication"),
        filter_by("severity"),
        filter_by("serious"),
        filter_by("outcome"),
        filter_by("year"),
        filter_by("component"),
        filter_by("drug"),
        filter_by("indication_group"),
        filter_by("actuality"),
    )
    search_fields = (
        "source_id__istartswith",
        "patient__source_id__istartswith",
        "implant__source_id__istartswith",
    )
    search_help_text = (
        "Search by the beginning of your own key for the event, the patient or the implant."
    )
    ordering = ("-seal_id", "-pk")
    sortable_by = ("year", "severity_words", "state")

    def get_urls(self) -> list[Any]:
        """Adds the address that the searchable list of events queries."""
        view = self.admin_site.admin_view(self.choices)
        return [path("choices/", view, name="registry_event_choices"), *super().get_urls()]

    def get_sortable_by(self, request: HttpRequest) -> Any:
        """The columns that sort the list: of every site's events the year alone, by its index."""
        sees_all = request.user.may(Right.SEE_ALL_ROWS)  # type: ignore[union-attr]
        return ("year",) if sees_all else super().get_sortable_by(request)

    def choices(self, request: HttpRequest) -> JsonResponse:
        """Events that the caller may see, by source id, for the field "caused by"."""
        rows = self.get_queryset(request).exclude(source_id="")
        rows = possible_causes(request, rows.select_related("complication"))
        return matches(self, request, rows, keyed_by="public_id", labelled=row_label)

    def beside(self, request: HttpRequest, row: Event) -> dict[str, Any]:
        """The episode that the event is part of, and its drafts that the user may submit."""
        episode = episode_of(row)
        mine = open_site_keys(request)
        drafts = [
            step.event
            for step in episode
            if step.event.state == State.DRAFT and step.event.site_id in mine
        ]
        reading = not self.has_change_permission(request, row)
        unseen = self._unseen(request, row) if reading else None
        return {
            **super().beside(request, row),
            "changed_since": unseen.since if unseen and unseen.before else None,
            "episode": episode,
            "episode_drafts": [pick_of(draft) for draft in drafts] if len(drafts) > 1 else [],
            "drafts_before": len(_drafts_before(row.caused_by)),
        }

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only drafts are edited by form, by those who may report for their site."""
        draft = obj is None or obj.state == State.DRAFT
        return draft and super().has_change_permission(request, obj)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The sections of the form, or of the read-only page."""
        if obj is None or self.has_change_permission(request, obj):
            return sections_of(obj)
        unseen = self._unseen(request, obj)
        return sections_read(obj, changed=unseen.before if unseen else ())

    def _unseen(self, request: HttpRequest, event: Event) -> Unseen | None:
        """What others changed since the caller's last look; read once a request."""
        if not hasattr(request, "registry_unseen"):
            by: Any = request.user
            found = unseen_changes(event, by=by, looked=f"event {event.public_id}")
            request.registry_unseen = found  # type: ignore[attr-defined]
        known: Unseen | None = request.registry_unseen  # type: ignore[attr-defined]
        return known

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """The form; on a read-only page with the earlier answers of what changed."""
        form = super().get_form(request, obj, change=change, **kwargs)
        if obj is not None and not self.has_change_permission(request, obj):
            unseen = self._unseen(request, obj)
            before = unseen.before if unseen else {}
            form.before = {name_read(column): words for column, words in before.items()}
        return form

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """The fields of a stored event that the registry sets."""
        return () if obj is None else (*REVIEW, "led_to", "history_words")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """An empty form, or the context of the implant or of the event that caused this one.

        Never a finding: reads nothing else from the address, so that no link fills in an answer.
        """
        cause = self._cause(request.GET.get("caused_by", ""), request)
        if cause is None:
            return self._of_implant(request)
        self.log_look(request, str(cause.public_id), 1)
        return {
            "caused_by": cause.public_id,
            "site": cause.site.code,
            "implant": cause.implant.public_id if cause.implant else None,
            "year": cause.year,
        }

    def _of_implant(self, request: HttpRequest) -> dict[str, Any]:
        """Site and implant that the address names, if the implant is visible."""
        try:
            public_id = UUID(request.GET.get("implant", ""))
        except ValueError:
            return {}
        within = Implant.objects.visible_to(request.user).select_related("site")
        implant = within.filter(public_id=public_id).first()
        if implant is None:
            return {}
        return {"site": implant.site.code, "implant": implant.public_id}

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The empty form; its title names the event that caused this one."""
        cause = self._cause(request.GET.get("caused_by", ""), request)
        titled = {"title": f"Add what {label_of(cause)} led to"} if cause else {}
        context = {"drafts_before": len(_drafts_before(cause))}
        return super().add_view(request, form_url, {**context, **titled, **(extra_context or {})})

    def render_change_form(
        self,
        request: HttpRequest,
        context: Any,
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        """The page; an empty form with a token of its own, or that of the answers it took up."""
        if add:
            context = {**context, "form_token": form_token(request)}
        return super().render_change_form(request, context, add, change, form_url, obj)

    def _cause(self, public_id: str, request: HttpRequest) -> Event | None:
        """The event that the address names as the cause, if it is visible and has a key."""
        events = self.get_queryset(request).exclude(source_id="")
        try:
            return events.select_related("site", "implant").get(public_id=UUID(public_id))
        except (ValueError, Event.DoesNotExist):
            return None

    def store(self, request: HttpRequest, obj: Any, form: Any, *, change: bool) -> Event:
        """Records or changes a draft, and submits it if that button was pressed."""
        by: Any = request.user
        submit = submits(request.POST)
        if not change:
            return stored_once(
                request,
                lambda: intake.record_event(form.raw(), by=by, submit=submit, make_keys=True),
            )
        version = form.version_read()
        stored = intake.change_event(
            obj.public_id, form.raw(), by=by, version=version, make_keys=True
        )
        return intake.submit_event(stored.public_id, by=by) if submit else stored

    def _stored(self, request: HttpRequest, obj: Any, what: str) -> HttpResponse:
        """The page after the pressed button; or the form of the next event of the episode."""
        now = (
            "It waits for review"
            if submits(request.POST)
            else "It is a draft until it is submitted"
        )
        answer = super()._stored(request, obj, f"{what}. {now}")
        if SUBMIT_ALL in request.POST:
            drafts = _drafts_before(obj.caused_by)
            moved, refused = take(STEPS["submit"], drafts, {}, by=request.user, answers={})
            self.tell(request, STEPS["submit"], moved, refused)
        if GO_ON not in request.POST:
            return answer
        params = urlencode({"caused_by": str(obj.public_id)})
        return HttpResponseRedirect(f"{reverse('admin:registry_event_add')}?{params}")

    @admin.display(description="Event", ordering="source_id")
    def key(self, event: Event) -> str:
        """The site's own key, or without one the beginning of the public id."""
        return label_of(event)

    @admin.display(description="Complication as reported")
    def reported_words(self, event: Event) -> str:
        """The complication as reported, before any recoding."""
        return str(event.reported_complication)

    @admin.display(description="Severity", ordering="severity")
    def severity_words(self, event: Event) -> str | None:
        """The grade with its label."""
        if event.severity is None:
            return None
        return f"{event.severity} {GRADES[event.severity]}"

    @admin.display(description="Seriousness")
    def seriousness_words(self, event: Event) -> str:
        """The criteria that are met, or none."""
        return listed(event.seriousness)

    @admin.display(description="What was done")
    def interventions_words(self, event: Any) -> str:
        """Every intervention."""
        return listed(event.interventions)

    @admin.display(description="Model")
    def model_words(self, event: Event) -> str | None:
        """The model as reported with the event."""
        shown: Any = event
        return shown.get_pump_model_display() or shown.get_catheter_model_display() or None

    @admin.display(description="Implant")
    def implant_words(self, event: Event) -> SafeString | str:
        """The implant by its site's own key."""
        return link_to(event.implant) if event.implant else "not on file"

    @admin.display(description="Caused by")
    def caused_by_words(self, event: Event) -> SafeString | str:
        """The event before it, by its site's own key."""
        return link_to(event.caused_by) if event.caused_by else "nothing named"

    @admin.display(description="It led to")
    def led_to(self, event: Event) -> SafeString | str:
        """The events that name this one as their cause."""
        found = event.consequences.select_related("complication").order_by("pk")
        return format_html_join(", ", "{}", ((link_to(each),) for each in found)) or "nothing"

    @admin.display(description="Versions")
    def history_words(self, event: Event) -> SafeString:
        """The last versions: when, by whom, and how many fields changed."""
        versions = versions_of(event)[:LATEST]
        return render_to_string("admin/registry/event/versions.html", {"versions": versions})


def _drafts_before(cause: Event | None) -> list[Event]:
    """The drafts that led to an event by this cause, the first of them first."""
    causes = [] if cause is None else list(cause.with_causes())
    return [one for one in reversed(causes) if one.state == State.DRAFT]


def link_to(row: Any) -> SafeString:
    """A link to another row's page."""
    return format_html('<a href="{}">{}</a>', address_of(row), row_label(row))
