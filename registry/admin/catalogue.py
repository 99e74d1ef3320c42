"""The catalogue in the admin: read by all staff, edited by data managers."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Case, QuerySet, When
from django.db.models.functions import Length
from django.http import HttpRequest, JsonResponse
from django.urls import path

from registry import intake
from registry.admin.choosing import about_term, matches, term_label
from registry.admin.rows import IntakeForm, ReadOnlyAdmin, RegistryAdmin
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


def closest_first(rows: QuerySet[Complication], term: str) -> QuerySet[Complication]:
    """The same terms, best matches of the typed text first, catch-all terms last, so that the
    first one offered is seldom wrong."""
    if not term:
        return rows
    closeness = Case(
        When(code__iexact=term, then=0),
        When(name__iexact=term, then=0),
        When(name__istartswith=term, then=1),
        When(name__icontains=term, then=2),
        default=3,
    )
    catch_all = Case(When(code__startswith="other-", then=1), default=0)
    return rows.order_by(closeness, catch_all, Length("name"), "name")


@admin.register(Complication)
class ComplicationAdmin(RegistryAdmin):
    """The terms that events are coded with. A term is retired, never deleted or renamed in code."""

    form = ComplicationForm
    list_display = ("name", "code", "category", "clock", "evidence", "in_totals", "retired")
    list_filter = ("category", "evidence", "origin", "clock", "retired")
    list_select_related = ("category",)
    list_per_page = 100
    search_fields = ("name", "synonyms", "code")
    search_help_text = "Search by name, another word for it, or code."
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
        """Current terms with their category, for the form of an event."""
        rows = self.get_queryset(request).filter(retired=False).select_related("category")
        return matches(
            self,
            request,
            closest_first(rows, request.GET.get("term", "").replace("\0", "").strip()),
            keyed_by="code",
            labelled=term_label,
            about=about_term,
        )

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
