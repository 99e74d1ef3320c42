"""Lists that are searched while typing, of rows that the caller may see.

Without JavaScript the list of complications is a plain one, and other rows are chosen by key.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, JsonResponse, QueryDict
from django.urls import reverse

from registry.admin.naming import label_of, name_of
from registry.admin.site_rows import SiteRowsAdmin
from registry.filters.catalogue import every_complication, find_complications
from registry.intake.deaths import DeathOnFile, lives_of
from registry.models import Complication, Event, Implant, Site
from registry.models.exposure import IN_FOLLOW_UP
from registry.vocabulary import Component, Right, State

PAGE = 20
TYPED = "_key"
"""The suffix of the input for a key, used without JavaScript."""


class RowSelect(AutocompleteSelect):
    """Chooses another row by typing its key; rows have public ids, never numbers."""

    template_name = "registry/widgets/row_select.html"

    def __init__(self, model: type[Model], attrs: dict[str, str] | None = None) -> None:
        self.model = model
        name = "caused_by" if model is Event else "implant"
        attrs = {"class": "select-row", **(attrs or {})}
        super().__init__(Event._meta.get_field(name), admin.site, attrs=attrs)

    def build_attrs(
        self, base_attrs: dict[str, Any], extra_attrs: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Looks up by POST, so that typed keys are in no address and no log."""
        return {**super().build_attrs(base_attrs, extra_attrs), "data-ajax--type": "POST"}

    def get_url(self) -> str:
        """Where the typed letters are looked up."""
        return reverse(f"admin:registry_{self.model._meta.model_name}_choices")

    def optgroups(self, name: str, value: Sequence[str], attrs: Any = None) -> list[Any]:
        """The chosen row only; others are loaded while typing."""
        options = [] if self.is_required else [self.create_option(name, "", "", False, 0)]
        field: Any = self.choices.field
        for text in filter(None, map(str, value)):
            try:
                row = field.to_python(text)
            except forms.ValidationError:
                continue
            option = self.create_option(
                name, str(row.public_id), field.label_from_instance(row), True, len(options)
            )
            option["attrs"].update(as_data(about_rows([row])[0]))
            options.append(option)
        return [(None, options, 0)]

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        """The list with the input for a key, which keeps a typed key that was not found."""
        context = super().get_context(name, value, attrs)
        typed = value if isinstance(value, str) and not _is_uuid(value) else ""
        context["widget"].update(typed=typed, typed_name=f"{name}{TYPED}")
        return context

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        """The chosen row, or without JavaScript the typed key."""
        return data.get(f"{name}{TYPED}", "").strip() or super().value_from_datadict(
            data, files, name
        )


class ComplicationSelect(AutocompleteSelect):
    """Chooses a complication by typing words for it, or from the catalogue as a tree."""

    class Media:
        css = {"screen": ["registry/event-form.css"]}
        js = ["admin/js/autocomplete.js", "registry/complication-tree.js"]

    def __init__(self, attrs: dict[str, str] | None = None) -> None:
        super().__init__(Event._meta.get_field("complication"), admin.site, attrs=attrs)

    def get_url(self) -> str:
        """Where the typed letters are looked up."""
        return reverse("admin:registry_complication_choices")

    def optgroups(self, name: str, value: Sequence[str], attrs: Any = None) -> list[Any]:
        """Every current term by category, and the chosen one even if retired. One query."""
        field: Any = self.choices.field
        chosen = {str(code) for code in value if code}
        terms = field.queryset.select_related("category").order_by("category__sort_order", "name")
        groups: dict[str, list[Any]] = {"": [self.create_option(name, "", "", not chosen, 0)]}
        for index, term in enumerate(terms, start=1):
            selected = term.code in chosen
            option = self.create_option(name, term.code, term.name, selected, index)
            if selected:
                option["label"] = term_label(term)
                option["attrs"].update(as_data(about_term(term)))
            groups.setdefault(term.category.name, []).append(option)
        return [(group or None, options, i) for i, (group, options) in enumerate(groups.items())]


class TermChoiceField(forms.ModelChoiceField):
    """A choice among the complications of the catalogue."""

    widget = ComplicationSelect

    def label_from_instance(self, obj: Any) -> str:
        """The term with its category."""
        return term_label(obj)


class RowChoiceField(forms.ModelChoiceField):
    """A choice among rows that the caller may see, by their sites' own keys."""

    default_error_messages = {
        "invalid_choice": "Nothing at your site has this key. Choose from the list.",
        "ambiguous": "Two sites have this key. Choose from the list.",
    }

    def label_from_instance(self, obj: Any) -> str:
        """The row by its site's own key."""
        return row_label(obj)

    def to_python(self, value: Any) -> Any:
        """The row with a public id, or with its site's own key."""
        if not isinstance(value, str) or not value:
            return super().to_python(value)
        key = Q(source_id=value.replace("\0", ""))
        rows: Any = self.queryset
        found = list(rows.filter(key | Q(public_id=value) if _is_uuid(value) else key)[:2])
        if len(found) != 1:
            code = "ambiguous" if found else "invalid_choice"
            raise forms.ValidationError(self.error_messages[code], code=code)
        return found[0]


def about_term(term: Complication) -> dict[str, str]:
    """Data of a complication that the page shows, and that decide which questions apply."""
    return {
        "category": term.category_id,
        "clock": term.clock,
        "definition": term.definition,
        "examples": "; ".join(term.synonym_list),
    }


def about_rows(rows: Sequence[Any]) -> list[dict[str, str]]:
    """Data that the form checks answers against: component, year and follow-up of implants.

    And the death of their patients, as far as it is on file. Two queries where there are implants.
    """
    lives = lives_of({row.patient_id for row in rows if isinstance(row, Implant)})
    return [
        _about_implant(row, lives[row.patient_id].death()) if isinstance(row, Implant) else {}
        for row in rows
    ]


def _about_implant(implant: Implant, death: DeathOnFile | None) -> dict[str, str]:
    about = {
        "component": str(implant.component),
        "implanted": str(implant.implant_year),
        "followed": str(implant.months_followed),
        "ended": "" if implant.exit_status in IN_FOLLOW_UP else "ended",
    }
    if death is None:
        return about
    months = death.months.get(implant.pk)
    return about | {
        "died": "reported" if death.reported else "followed",
        "died_year": "" if death.year is None else str(death.year),
        "died_months": "" if months is None else str(months),
    }


def term_label(term: Complication) -> str:
    """A complication with its category, for a searchable list."""
    return f"{term.name} ({term.category.name})"


def row_label(row: Any) -> str:
    """A row in words, for a searchable list.

    An event with its key, complication, year and state; an implant also with its patient, since
    the patient's key finds it too, and with its end, if it is no longer in place.
    """
    if isinstance(row, Implant):
        shown: Any = row
        end = "" if row.exit_status in IN_FOLLOW_UP else shown.get_exit_status_display().lower()
        return f"{label_of(row)} of {name_of(row.patient)}" + (f", ended: {end}" if end else "")
    if not isinstance(row, Event):
        return label_of(row)
    state = State.of(row.state).label.lower()
    known = (row.complication.name, str(row.year or ""), state)
    return f"{label_of(row)} ({', '.join(filter(None, known))})"


def as_data(about: Mapping[str, str]) -> dict[str, str]:
    """The same as HTML attributes of an option."""
    return {f"data-{name}": text for name, text in about.items()}


def looked_up(request: HttpRequest) -> QueryDict:
    """What the list asks for: sent in the body, or in the address by one without JavaScript."""
    return request.POST if request.method == "POST" else request.GET


def fitting_implants(request: HttpRequest, rows: QuerySet[Implant]) -> QuerySet[Implant]:
    """The implants to which the event on the screen can have happened.

    Those of its site, of the component of its complication's clock, and of the patient of the
    event that caused it, as far as these are known.
    """
    sent = looked_up(request)
    site, component = sent.get("site", ""), sent.get("component", "")
    cause = sent.get("caused_by", "")
    if site:
        rows = rows.filter(site__in=_site_keys(site))
    if component in Component.codes():
        rows = rows.filter(component=component)
    if _is_uuid(cause):
        of_patient = rows.filter(patient__events__public_id=cause)
        rows = of_patient if of_patient.exists() else rows
    return rows


def possible_causes(request: HttpRequest, rows: QuerySet[Event]) -> QuerySet[Event]:
    """The events that can have caused the one on the screen.

    Those of its site, and of the patient of its implant, as far as these are known.
    """
    sent = looked_up(request)
    site, implant = sent.get("site", ""), sent.get("implant", "")
    if site:
        rows = rows.filter(site__in=_site_keys(site))
    if _is_uuid(implant):
        rows = rows.filter(patient__implants__public_id=implant)
    return rows


def _site_keys(code: str) -> list[int]:
    """The key of a site, looked up first: with it the database reads by the site's index."""
    return list(Site.objects.filter(code=code.replace("\0", "")).values_list("pk", flat=True))


def matches(
    model_admin: admin.ModelAdmin,
    request: HttpRequest,
    rows: QuerySet[Any],
    *,
    keyed_by: str,
    labelled: Callable[[Any], str],
    in_turn: Sequence[Q] = (Q(),),
) -> JsonResponse:
    """One page of the rows that match the typed text, as JSON for the list widget.

    in_turn: conditions; rows that meet the first come first. Each part is in the order of keys.
    Where nothing is typed and no one site's rows are looked for, the newest rows come first: who
    sees every site has no use for the first keys of all.
    """
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    sent = looked_up(request)
    term = sent.get("term", "").replace("\0", "")
    rows, _ = model_admin.get_search_results(request, rows, term)
    user: Any = request.user
    narrowed = term.strip() or any(sent.get(name) for name in ("site", "implant", "caused_by"))
    by_key = bool(narrowed) or not user.may(Right.SEE_ALL_ROWS)
    rows = rows.order_by(*(("source_id", "pk") if by_key else ("-pk",)))
    first = (_page(sent.get("page", "")) - 1) * PAGE
    found = _slice_of([rows.filter(each) for each in in_turn], first, PAGE + 1)
    if isinstance(model_admin, SiteRowsAdmin):
        model_admin.log_look(request, "choices", len(found[:PAGE]))
    shown = found[:PAGE]
    return JsonResponse(
        {
            "results": [
                {"id": str(getattr(row, keyed_by)), "text": labelled(row), **about}
                for row, about in zip(shown, about_rows(shown), strict=True)
            ],
            "pagination": {"more": len(found) > PAGE},
        }
    )


def _slice_of(parts: Sequence[QuerySet[Any]], first: int, size: int) -> list[Any]:
    """So many rows from a place on, of querysets one after the other. Two queries a part at most.

    Ordered one by one, since no index orders rows by a condition.
    """
    found: list[Any] = []
    for part in parts:
        some = list(part[first : first + size - len(found)])
        if not some and first:
            first -= part.order_by()[:first].count()
        elif some:
            first = 0
        found += some
        if len(found) == size:
            break
    return found


def term_matches(request: HttpRequest) -> JsonResponse:
    """One page of the current terms that the typed text may mean, as JSON for the list widget.

    Where nothing fits, the nearest stand under a heading that says so.
    """
    terms = every_complication().filter(retired=False)
    found = find_complications(request.GET.get("term", "").replace("\0", ""), within=terms)
    first = (_page(request.GET.get("page", "")) - 1) * PAGE
    shown = found.rows[first : first + PAGE]
    results: list[dict[str, Any]] = [
        {"id": term.code, "text": term_label(term), **about_term(term)} for term in shown
    ]
    if found.nearest and results:
        results = [{"text": "Nothing fits these words. The nearest:", "children": results}]
    more = len(found.rows) > first + PAGE
    return JsonResponse({"results": results, "pagination": {"more": more}})


def _page(text: str) -> int:
    """The page number in the request; 1 for anything else."""
    return int(text) if re.fullmatch(r"[1-9][0-9]{0,8}", text) else 1


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
