"""The catalogue in the admin: read by all staff, edited by data managers."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, JsonResponse
from django.urls import path

from registry import intake
from registry.admin.choosing import term_matches
from registry.admin.rows import IntakeForm, ReadOnlyAdmin, RegistryAdmin
from registry.filters.catalogue import ranked, search
from registry.models import Category, Complication


class ComplicationForm(IntakeForm):
    """One term of the catalogue; its code never changes."""

    user: Any = None

    class Meta:
        model = Complication
        fields = (
            "code",
            "name",
            "category",
            "definition",
            "synonyms",
            "origin",
            "clock",
            "natural_denominator",
            "in_totals",
            "imdrf_annex_a",
            "imdrf_annex_e",
            "citations",
            "evidence",
            "core_group",
            "retired",
            "replaced_by",
        )
        widgets = {
            "definition": forms.Textarea(attrs={"rows": 3}),
            "synonyms": forms.Textarea(attrs={"rows": 2}),
            "citations": forms.Textarea(attrs={"rows": 4}),
        }


@admin.register(Complication)
class ComplicationAdmin(RegistryAdmin):
    """The terms that events are coded with. A term is retired, never deleted or renamed in code."""

    form = ComplicationForm
    list_display = ("name", "code", "category", "clock", "evidence", "in_totals", "retired")
    list_filter = ("category", "evidence", "origin", "clock", "retired")
    list_select_related = ("category",)
    list_per_page = 100
    search_fields = ("name", "synonyms", "code")
    search_help_text = "Search in your own words, by code or by IMDRF code."
    ordering = ("category__sort_order", "name")
    autocomplete_fields = ("replaced_by",)
    fieldsets = (
        (None, {"fields": ("code", "name", "category", "definition", "synonyms")}),
        (
            "How it is counted",
            {"fields": ("origin", "clock", "natural_denominator", "in_totals", "core_group")},
        ),
        ("Sources", {"fields": ("evidence", "citations", "imdrf_annex_a", "imdrf_annex_e")}),
        ("Retirement", {"fields": ("retired", "replaced_by")}),
    )

    def get_urls(self) -> list[Any]:
        """Adds the address that the searchable list of complications queries."""
        view = self.admin_site.admin_view(self.choices)
        return [path("choices/", view, name="registry_complication_choices"), *super().get_urls()]

    def choices(self, request: HttpRequest) -> JsonResponse:
        """Current terms that the typed words may mean, for the forms that ask for one."""
        return term_matches(request)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """The terms that the words may mean, the best match first, or the nearest."""
        words = search_term.replace("\0", "").strip()
        if not words:
            return queryset, False
        within = queryset.order_by().values_list("code", flat=True)
        return ranked(queryset, search(words, within=within)), False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """All staff."""
        return True

    has_module_permission = has_view_permission

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A term's code never changes: events are coded with it."""
        return ("code",) if obj else ()

    def beside(self, request: HttpRequest, row: Complication) -> dict[str, Any]:
        """Published rates, shown or not."""
        return {"rates": list(row.published_rates.order_by("rate_id"))}

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Passes filled in or changed fields to intake."""
        by: Any = request.user
        names = form.changed_data if change else form.fields
        changed = {name: form.cleaned_data[name] for name in names}
        values = {name: getattr(value, "code", value) for name, value in changed.items()}
        if change:
            stored = intake.change_complication(obj.code, values, by=by)
        else:
            stored = intake.add_complication(values.pop("code"), values, by=by)
        vars(obj).update(vars(stored))


@admin.register(Category)
class CategoryAdmin(ReadOnlyAdmin):
    """The families of complications, as shipped."""

    list_display = ("name", "code", "natural_denominator", "definition")
    fields = ("code", "name", "definition", "natural_denominator", "sort_order")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """All staff."""
        return True

    has_module_permission = has_view_permission
