"""Patients, implants and declared device time in the admin."""

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, JsonResponse
from django.urls import path

from registry import intake
from registry.admin.choosing import fitting_implants, matches, row_label
from registry.admin.declaring import DeclaringPages
from registry.admin.device_forms import ExposureForm, ImplantForm
from registry.admin.filters import OwnSitesFilter
from registry.admin.following import FollowUpPages
from registry.admin.implant_sections import ENTRY, READING
from registry.admin.queries import OpenQueryFilter, QueryPages
from registry.admin.redacting import RedactPages
from registry.admin.replacing import ReplacePages
from registry.admin.searching import PUBLIC_ID
from registry.admin.stored_values import listed
from registry.admin.system_form import NEW_SECTIONS, NEW_SYSTEM, STORED_SECTIONS, STORED_SYSTEM
from registry.admin.timeline import moments_of
from registry.models import Event, Exposure, Implant, Patient
from registry.models.exposure import IN_FOLLOW_UP
from registry.records import RowKind
from registry.records.columns import DECLARED
from registry.vocabulary import Right, State


@admin.register(Patient)
class PatientAdmin(RedactPages):
    """Patients with a system, by the random keys of their sites."""

    form = NEW_SYSTEM
    list_display = ("source_id", "site_code", "sex", "indication")
    list_select_related = ("site",)
    list_filter = (OwnSitesFilter, "sex")
    search_fields = ("source_id__istartswith",)
    search_help_text = "Search by the beginning of your own key."
    ordering = ("-pk",)
    entry = NEW_SECTIONS
    reading = ((None, {"fields": ("source_id", "site_code", "sex", "indication", "public_id")}),)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The sections for a new patient, a stored one, or the read-only page."""
        if obj is not None and self.has_change_permission(request, obj):
            return STORED_SECTIONS
        return super().get_fieldsets(request, obj)

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """The form of a new patient, or of a stored one with the components in place."""
        if obj is not None:
            kwargs["form"] = STORED_SYSTEM
        return super().get_form(request, obj, change=change, **kwargs)

    def beside(self, request: HttpRequest, row: Patient) -> dict[str, Any]:
        """The patient's devices and events in order of time, and whether the user may add to
        them."""
        events = Event.objects.visible_to(request.user).filter(patient=row)
        events = events.exclude(state=State.WITHDRAWN).select_related("complication", "implant")
        return {
            **super().beside(request, row),
            "moments": moments_of(row, events=events.order_by("pk")),
            "implants": row.implants.order_by("component", "implant_year", "pk"),
            "may_replace": self.has_change_permission(request, row),
            "in_follow_up": IN_FOLLOW_UP,
        }

    def store(self, request: HttpRequest, obj: Any, form: Any, *, change: bool) -> Patient:
        """Records a patient with components, or changes them."""
        by: Any = request.user
        patient, components = form.patient_texts(), form.components()
        if change:
            version = form.version_read()
            return intake.change_system(obj.public_id, patient, components, by=by, version=version)
        return intake.record_system(patient, components, by=by)


@admin.register(Implant)
class ImplantAdmin(FollowUpPages, ReplacePages, QueryPages, RedactPages):
    """Implanted pumps and catheters, each on its own clock."""

    form = ImplantForm
    list_display = (
        "source_id",
        "site_code",
        "component",
        "model_words",
        "implant_year",
        "drug",
        "months_followed",
        "exit_status",
    )
    list_select_related = ("site", "patient")
    list_filter = (OwnSitesFilter, "component", "exit_status", OpenQueryFilter)
    search_fields = (
        "source_id__istartswith",
        "patient__source_id__istartswith",
        PUBLIC_ID,
    )
    search_help_text = (
        "Search by the beginning of your own key for the implant or the patient, or of its code."
    )
    ordering = ("-pk",)
    entry = ENTRY
    reading = READING

    def get_urls(self) -> list[Any]:
        """Adds the address that the searchable list of implants queries."""
        view = self.admin_site.admin_view(self.choices)
        return [path("choices/", view, name="registry_implant_choices"), *super().get_urls()]

    def choices(self, request: HttpRequest) -> JsonResponse:
        """Implants that the caller may see, for the form of an event: those in place first, each
        kind by its site's own key."""
        within = self.get_queryset(request).select_related("patient")
        in_place = Q(exit_status__in=IN_FOLLOW_UP)
        return matches(
            self,
            request,
            fitting_implants(request, within),
            keyed_by="public_id",
            labelled=row_label,
            in_turn=(in_place, ~in_place),
        )

    def store(self, request: HttpRequest, obj: Any, form: Any, *, change: bool) -> Implant:
        """Records an implant, or its later follow-up."""
        by: Any = request.user
        if change:
            version = form.version_read()
            return intake.change_implant(obj.public_id, form.raw(), by=by, version=version)
        return intake.record_implant(form.raw(), by=by, make_keys=True)

    @admin.display(description="Model")
    def model_words(self, implant: Any) -> str | None:
        """The model of its component."""
        return implant.get_pump_model_display() or implant.get_catheter_model_display() or None

    @admin.display(description="Patient")
    def patient_key(self, implant: Implant) -> str:
        """The patient by the site's own key."""
        return implant.patient.source_id

    @admin.display(description="Other drugs")
    def adjuncts_words(self, implant: Any) -> str:
        """The other drugs in the reservoir."""
        return listed(implant.adjuncts)


@admin.register(Exposure)
class ExposureAdmin(DeclaringPages):
    """Device time that a site declares for a year because it cannot send implants."""

    form = ExposureForm
    list_display = (
        "year",
        "site_code",
        "component",
        "model_words",
        "devices",
        "component_months",
        "procedures",
        "refills",
    )
    list_select_related = ("site",)
    list_filter = (OwnSitesFilter, "component")
    ordering = ("-year", "-pk")
    entry = (
        (
            None,
            {
                "fields": tuple(DECLARED[RowKind.EXPOSURE]),
                "description": "Where implants of the same year and component are on file, the"
                " two are never both counted.",
            },
        ),
    )
    reading = ((None, {"fields": (*list_display, "public_id")}),)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Leads declare device time for their sites, data managers for any."""
        return leads_any(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Leads of its site, and data managers."""
        user: Any = request.user
        if obj is None:
            return leads_any(request)
        return user.may(Right.RUN_REGISTRY) or user.leads(obj.site)

    def store(self, request: HttpRequest, obj: Any, form: Any, *, change: bool) -> Exposure:
        """Declares device time, or corrects a declaration."""
        by: Any = request.user
        if change:
            version = form.version_read()
            return intake.change_exposure(obj.public_id, form.raw(), by=by, version=version)
        return intake.declare_exposure(form.raw(), by=by)

    @admin.display(description="Model")
    def model_words(self, exposure: Any) -> str | None:
        """The model, where the site declares by model."""
        return exposure.get_pump_model_display() or exposure.get_catheter_model_display() or None


def leads_any(request: HttpRequest) -> bool:
    """Whether the caller may declare device time of any site; one query a request."""
    known: bool | None = getattr(request, "registry_leads", None)
    if known is None:
        user: Any = request.user
        known = user.may(Right.RUN_REGISTRY) or user.sites_led().exists()
        request.registry_leads = known  # type: ignore[attr-defined]
    return known
