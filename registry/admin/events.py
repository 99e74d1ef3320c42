"""Events in the admin: a site's own list, the form to enter one, and the steps of its state."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, JsonResponse
from django.urls import path

from registry import intake
from registry.admin.choosing import matches
from registry.admin.event_form import EventForm
from registry.admin.filters import filter_by
from registry.admin.naming import label_of
from registry.admin.review import ReviewSteps
from registry.models import Event
from registry.vocabulary import DatePrecision, Seriousness, Severity, State

ENTRY: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("What happened", ("site", "source_id", "complication", "actuality", "caused_by"), ""),
    ("When", ("implant", "months_since_implant", "year", "month"), ""),
    (
        "How bad it was",
        ("severity", "seriousness", "outcome"),
        "Severity, seriousness and relatedness are three different things: how bad it was,"
        " whether it met a regulatory criterion, and what it is linked to.",
    ),
    (
        "What it is linked to",
        (
            "relatedness_device",
            "relatedness_procedure",
            "relatedness_drug",
            "relatedness_programming",
            "relatedness_disease",
        ),
        "",
    ),
    ("What was done", ("interventions", "root_cause"), ""),
    (
        "How it was found, and what came before",
        (
            "detection",
            "days_since_procedure",
            "days_since_refill",
            "mri_24h",
            "alarm",
            "volume_discrepancy",
            "organism",
        ),
        "",
    ),
    (
        "Only where the implant is not on file",
        ("component_model", "drug", "indication", "age_band", "sex"),
        "Where an implant is named above, these are the implant's: leave them empty.",
    ),
)
"""The sections of the form: title, fields, and what to know before answering."""

GRADES = dict(Severity.choices())
"""Grade -> its name."""

STANDING = ("state", "reason", "reported_words", "public_id")
"""What only the registry says about an event."""

IN_OTHER_WORDS = {
    "site": "site_code",
    "seriousness": "seriousness_words",
    "interventions": "interventions_words",
    "component_model": "model_words",
    "severity": "severity_words",
    "implant": "implant_words",
    "caused_by": "caused_by_words",
}
"""Fields of the form that a page to read shows in words of its own."""


@admin.register(Event)
class EventAdmin(ReviewSteps):
    """Events of the caller's own sites; drafts are changed here, later states only read."""

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
    search_fields = ("source_id__istartswith",)
    search_help_text = "Search by the beginning of your own source id."
    ordering = ("-seal_id", "-pk")
    sortable_by = ("year", "severity_words", "state")

    def get_urls(self) -> list[Any]:
        """Add the address that the searched list of events asks."""
        view = self.admin_site.admin_view(self.choices)
        return [path("choices/", view, name="registry_event_choices"), *super().get_urls()]

    def choices(self, request: HttpRequest) -> JsonResponse:
        """Events within reach, by their source id, for the field "caused by"."""
        rows = self.get_queryset(request).exclude(source_id="").order_by("source_id")
        return matches(self, request, rows, keyed_by="public_id", labelled=label_of)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only a draft is changed by form, by those who may report for its site."""
        draft = obj is None or obj.state == State.DRAFT
        return draft and super().has_change_permission(request, obj)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The sections of the form; a page to read begins with the event's state."""
        keeps_months = settings.REGISTRY_DATE_PRECISION == DatePrecision.MONTH
        kept = set(self.form.base_fields) - (set() if keeps_months else {"month"})
        reading = obj is not None and not self.has_change_permission(request, obj)
        sections: list[Any] = [("State", {"fields": STANDING})] if reading else []
        for title, names, description in ENTRY:
            shown = [name for name in names if name in kept]
            if reading and obj.implant_id and names == ENTRY[-1][1]:
                continue
            if reading:
                shown = [IN_OTHER_WORDS.get(name, name) for name in shown]
            sections.append((title, {"fields": shown, "description": description}))
        if obj is not None and not reading:
            sections[0][1]["fields"].append("version")
        return sections

    def store(self, request: HttpRequest, obj: Any, form: Any, *, change: bool) -> Event:
        """Record or change a draft, and submit it where that button was pressed."""
        by: Any = request.user
        submit = "_submit" in request.POST
        if not change:
            return intake.record_event(form.raw(), by=by, submit=submit)
        version = form.version_read()
        stored = intake.change_event(obj.public_id, form.raw(), by=by, version=version)
        return intake.submit_event(stored.public_id, by=by) if submit else stored

    @admin.display(description="Event", ordering="source_id")
    def key(self, event: Event) -> str:
        """The site's own key, or the beginning of the public id where it gave none."""
        return label_of(event)

    @admin.display(description="Complication as reported")
    def reported_words(self, event: Event) -> str:
        """What the site called it, whatever a reviewer made of it."""
        return str(event.reported_complication)

    @admin.display(description="Severity", ordering="severity")
    def severity_words(self, event: Event) -> str | None:
        """The grade with its name."""
        if event.severity is None:
            return None
        return f"{event.severity} {GRADES[event.severity]}"

    @admin.display(description="Seriousness")
    def seriousness_words(self, event: Event) -> str | None:
        """Every criterion that was met."""
        return ", ".join(c.label for c in Seriousness if c in (event.seriousness or ())) or None

    @admin.display(description="What was done")
    def interventions_words(self, event: Any) -> str | None:
        """Every intervention."""
        return ", ".join(sorted(one.label for one in event.interventions or ())) or None

    @admin.display(description="Model")
    def model_words(self, event: Event) -> str | None:
        """The model as reported with the event."""
        shown: Any = event
        return shown.get_pump_model_display() or shown.get_catheter_model_display() or None

    @admin.display(description="Implant")
    def implant_words(self, event: Event) -> str | None:
        """The implant by its site's own key."""
        return label_of(event.implant) if event.implant else None

    @admin.display(description="Caused by")
    def caused_by_words(self, event: Event) -> str | None:
        """The event before it, by its site's own key."""
        return label_of(event.caused_by) if event.caused_by else None
