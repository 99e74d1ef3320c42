"""Lists that are searched as one types, offering only rows within the caller's reach."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, JsonResponse
from django.urls import reverse

from registry.admin.naming import label_of
from registry.admin.site_rows import SiteRowsAdmin
from registry.models import Event

PAGE = 20


class RowSelect(AutocompleteSelect):
    """Choose another row by typing its key; rows are named by public id, never by number."""

    def __init__(self, model: type[Model], attrs: dict[str, str] | None = None) -> None:
        self.model = model
        name = "caused_by" if model is Event else "implant"
        super().__init__(Event._meta.get_field(name), admin.site, attrs=attrs)

    def get_url(self) -> str:
        """Where the typed letters are looked up."""
        return reverse(f"admin:registry_{self.model._meta.model_name}_choices")

    def optgroups(self, name: str, value: Sequence[str], attrs: Any = None) -> list[Any]:
        """The row that is chosen now, and nothing else: the others come as one types."""
        return chosen_only(self, name, value, "public_id")


class ComplicationSelect(AutocompleteSelect):
    """Choose a complication by typing a part of its name, a synonym or its code."""

    def __init__(self, attrs: dict[str, str] | None = None) -> None:
        super().__init__(Event._meta.get_field("complication"), admin.site, attrs=attrs)

    def get_url(self) -> str:
        """Where the typed letters are looked up."""
        return reverse("admin:registry_complication_choices")

    def optgroups(self, name: str, value: Sequence[str], attrs: Any = None) -> list[Any]:
        """The term that is chosen now, and nothing else."""
        return chosen_only(self, name, value, "code")


class RowChoiceField(forms.ModelChoiceField):
    """A choice among rows within reach, shown by their sites' own keys."""

    def label_from_instance(self, obj: Any) -> str:
        """The row as its site knows it."""
        return label_of(obj)


def chosen_only(
    widget: AutocompleteSelect, name: str, value: Sequence[str], keyed_by: str
) -> list[Any]:
    """The options of a searched list: an empty one and what is chosen within reach."""
    options = [] if widget.is_required else [widget.create_option(name, "", "", False, 0)]
    field: forms.ModelChoiceField = widget.choices.field
    for text in filter(None, map(str, value)):
        try:
            row = field.to_python(text)
        except forms.ValidationError:
            continue
        label = field.label_from_instance(row)
        options.append(
            widget.create_option(name, str(getattr(row, keyed_by)), label, True, len(options))
        )
    return [(None, options, 0)]


def matches(
    model_admin: admin.ModelAdmin,
    request: HttpRequest,
    rows: QuerySet[Any],
    *,
    keyed_by: str,
    labelled: Callable[[Any], str],
) -> JsonResponse:
    """One page of the given rows that match what was typed, as the list widget reads it."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    term = request.GET.get("term", "").replace("\0", "")
    rows, _ = model_admin.get_search_results(request, rows, term)
    first = (_page(request.GET.get("page", "")) - 1) * PAGE
    found = list(rows[first : first + PAGE + 1])
    if isinstance(model_admin, SiteRowsAdmin):
        model_admin.log_look(request, "choices", len(found[:PAGE]))
    return JsonResponse(
        {
            "results": [
                {"id": str(getattr(row, keyed_by)), "text": labelled(row)} for row in found[:PAGE]
            ],
            "pagination": {"more": len(found) > PAGE},
        }
    )


def _page(text: str) -> int:
    """The page that is asked for; the first one for anything that names none."""
    return int(text) if re.fullmatch(r"[1-9][0-9]{0,8}", text) else 1
