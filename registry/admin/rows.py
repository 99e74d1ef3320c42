"""Base classes of the admin's lists and forms: scoped, sealed, without deletion."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import PAGE_VAR, ChangeList
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from registry.admin.history import versions_of
from registry.admin.naming import name_of
from registry.admin.paging import KeyPaginator, page_asked
from registry.admin.searching import SEARCH, remembered_search, rows_found, term_of
from registry.admin.stored_values import NOT_RECORDED, ReadForm, is_blank
from registry.answers.kept import KEPT, AnswersKept, take_back
from registry.answers.refusable import in_sentences, sentence, without_echo
from registry.records import Refusal, VersionConflict
from registry.vocabulary import Right

MOST_RADIOS = 6


CHANGED_SINCE = (
    "Somebody changed this since you opened it. Look where your answers differ from what is stored"
    " now, and save again to go on from there."
)


class IntakeForm(forms.ModelForm):
    """A form validated by intake, whose faults are shown at their fields."""

    refusal: Refusal | None = None
    renamed: dict[str, str] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        without_echo(self.fields)

    def clean(self) -> dict[str, Any]:
        """Shows each fault at its field, or above the form."""
        cleaned = super().clean() or {}
        if isinstance(self.refusal, VersionConflict):
            self.add_error(None, forms.ValidationError(CHANGED_SINCE, code=self.refusal.code))
            return cleaned
        for fault in self.refusal.faults if self.refusal else ():
            name = self.renamed.get(fault.column, fault.column)
            place = name if name in self.fields else None
            words = sentence(fault.detail if place or not name else f"{name}: {fault.detail}")
            if words not in self.errors.get(
                place or NON_FIELD_ERRORS, ()
            ):  # one error for two parts
                self.add_error(place, forms.ValidationError(words, code=fault.code))
        return cleaned

    def _post_clean(self) -> None:
        """Does not change the instance: intake reads the form and checks the row."""


def differing_answers(form: Any) -> list[tuple[str, ...]]:
    """Each answer that differs from the stored row: question, stored now, on this form."""
    found: list[tuple[str, ...]] = []
    for name, field in form.fields.items():
        shown = form[name]
        if shown.is_hidden or name not in form.changed_data:
            continue
        stored, typed = answer_in_words(field, shown.initial), answer_in_words(field, shown.data)
        if stored != typed:
            found.append((str(shown.label), stored, typed))
    return found


def answer_in_words(field: Any, answer: Any) -> str:
    """An answer of a form as a person reads it: labels for codes, keys for other rows."""
    if is_blank(answer):
        return NOT_RECORDED
    if hasattr(field, "label_from_instance"):
        try:
            return str(field.label_from_instance(field.to_python(str(answer))))
        except forms.ValidationError:
            return str(answer)
    labels: dict[str, str] = {}
    for code, label in getattr(field, "choices", ()):
        inner = label if isinstance(label, list | tuple) else [(code, label)]
        labels |= {str(each): str(words) for each, words in inner}
    answers = answer if isinstance(answer, list | tuple | set | frozenset) else [answer]
    return ", ".join(sorted(labels.get(str(each), str(each)) for each in answers))


class AddressedChangeList(ChangeList):
    """A list with random public ids in links: serial numbers would show how much others enter."""

    def __init__(self, request: HttpRequest, *args: Any) -> None:
        super().__init__(request, *args)
        self.searched = term_of(request, self.query)

    def url_for_result(self, result: Any) -> str:
        """The address of a row's page."""
        return address_of(result)

    def get_results(self, request: HttpRequest) -> None:
        """The rows of the page, by the keys that the paginator has read; none is counted.

        They are read by their keys alone: the filters have done their work.
        """
        super().get_results(request)
        is_whole = (self.show_all and self.can_show_all) or not self.multi_page
        keys = self.paginator.keys_of(None if is_whole else self.page_num)
        rows = self.apply_select_related(self.root_queryset.filter(pk__in=keys))
        by_key = {row.pk: row for row in rows.order_by()}
        self.result_list = [by_key[key] for key in keys if key in by_key]


def back_in_form(request: HttpRequest) -> bool:
    """Puts kept answers back into the request, and says so; False where it has none that count."""
    kept = take_back(request)
    if kept is None:
        return False
    request.registry_refusal = kept  # type: ignore[attr-defined]
    messages.warning(request, in_sentences(kept))
    return True


def was_kept(request: HttpRequest) -> bool:
    """Whether the answers of the request were kept, and wait for a person's look."""
    return isinstance(getattr(request, "registry_refusal", None), AnswersKept)


def address_of(row: Model) -> str:
    """The admin address of a row, by its public id where it has one."""
    opts = row._meta
    key = getattr(row, "public_id", row.pk)
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[key])


class RegistryAdmin(admin.ModelAdmin):
    """A list and a form without deletion, whose writes go through intake.

    Rows that the caller may not see are 404 in the page and the history.
    """

    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False
    list_per_page = 50
    empty_value_display = NOT_RECORDED
    actions_on_bottom = False

    def get_urls(self) -> list[Any]:
        """The addresses without deletion."""
        return [url for url in super().get_urls() if not (url.name or "").endswith("_delete")]

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody may delete."""
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The rows that the caller may see."""
        rows = super().get_queryset(request)
        return rows.visible_to(request.user) if hasattr(rows, "visible_to") else rows

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Model:
        """One row by its public id; 404 alike for unknown rows and invisible ones."""
        keyed_by = "public_id" if hasattr(self.model, "public_id") else "pk"
        if "\0" in object_id:
            raise Http404
        try:
            key = UUID(object_id) if keyed_by == "public_id" else object_id
            found = self.get_queryset(request).filter(**{keyed_by: key}).first()
        except (TypeError, ValueError):
            found = None
        if found is None:
            raise Http404
        return found

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """The list class, which links rows by public id."""
        return AddressedChangeList

    def get_paginator(
        self,
        request: HttpRequest,
        queryset: QuerySet[Any],
        per_page: int,
        *args: Any,
        **kwargs: Any,
    ) -> KeyPaginator:
        """The pages of the list, without counting its table."""
        number = page_asked(request, PAGE_VAR)
        return KeyPaginator(queryset, per_page, *args, page_number=number, **kwargs)

    def action_checkbox(self, obj: Any) -> SafeString:
        """The box that selects a row for an action, by its public id."""
        key = getattr(obj, "public_id", obj.pk)
        return format_html(
            '<input type="checkbox" name="{}" value="{}" class="action-select"'
            ' aria-label="Select {}">',
            ACTION_CHECKBOX_NAME,
            key,
            name_of(obj),
        )

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list; selected rows are read by public id, among those that the caller may see."""
        if SEARCH in request.POST:
            return HttpResponseRedirect(remembered_search(request))
        extra_context = {"title": capfirst(str(self.opts.verbose_name_plural))} | (
            extra_context or {}
        )
        picked = request.POST.getlist(ACTION_CHECKBOX_NAME)
        if picked and hasattr(self.model, "public_id"):
            sent = request.POST.copy()
            within = self.get_queryset(request).filter(public_id__in=_uuids(picked))
            sent.setlist(
                ACTION_CHECKBOX_NAME, [str(pk) for pk in within.values_list("pk", flat=True)]
            )
            request.POST = sent  # type: ignore[assignment]
        return super().changelist_view(request, extra_context)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """The rows that match the search, whose term the address does not hold.

        Each word is looked up field by field, by the indexes of keys.
        """
        fields = self.get_search_fields(request)
        if not fields:
            return queryset, False
        return rows_found(queryset, fields, term_of(request, search_term)), False

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Shows and stores a form; where intake refuses, shows faults at their fields."""
        if KEPT in request.POST:
            request.registry_refusal = take_back(request)  # type: ignore[attr-defined]
            if request.registry_refusal is None:  # type: ignore[attr-defined]
                return HttpResponseRedirect(request.get_full_path())
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except Refusal as refusal:
            request.registry_refusal = refusal  # type: ignore[attr-defined]
            if isinstance(refusal, VersionConflict) and object_id is not None:
                extra_context = self._both_versions(request, object_id, extra_context)
            return super().changeform_view(request, object_id, form_url, extra_context)

    def _both_versions(
        self, request: HttpRequest, object_id: str, context: dict[str, Any] | None
    ) -> dict[str, Any]:
        """Lets the form go on from the stored version, and shows where the two differ."""
        row: Any = self.get_object(request, unquote(object_id))
        sent = request.POST.copy()
        form = self.get_form(request, row, change=True)(sent, instance=row)
        for name in form.fields:
            read, now = sent.get(name, ""), str(form[name].initial)
            same_row = ":" not in read or read.partition(":")[0] == now.partition(":")[0]
            if form[name].is_hidden and same_row:
                sent[name] = now  # the version that this page shows from here on
        request.POST = sent  # type: ignore[assignment]
        return {**(context or {}), "both": differing_answers(form)}

    def render_change_form(
        self,
        request: HttpRequest,
        context: Any,
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        """The page of one row with what stands beside it, or an empty form; blank values read as
        not recorded."""
        context = {**context, "adminform": ReadForm.of(context["adminform"])}
        if obj is not None:
            context |= {"subtitle": name_of(obj), **self.beside(request, obj)}
        return super().render_change_form(request, context, add, change, form_url, obj)

    def beside(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """Context for what a row's page shows below its fields."""
        return {}

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """The form class for this request, with its user and intake's refusal."""
        form = super().get_form(request, obj, change=change, **kwargs)
        known = {"refusal": getattr(request, "registry_refusal", None), "user": request.user}
        return type(form.__name__, (form,), known)

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Short lists as radios, so that every answer is visible."""
        if len(db_field.flatchoices) <= MOST_RADIOS:
            kwargs.setdefault("widget", forms.RadioSelect(attrs={"class": "options"}))
            kwargs["choices"] = db_field.get_choices(
                include_blank=db_field.blank, blank_choice=[("", "Not recorded")]
            )
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        """A field without the icons that open another row in a pop-up."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        return field

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:
        """Returns the row unchanged: intake reads the form itself."""
        return form.instance

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Store nothing more: intake has stored the whole row."""

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> list[dict[str, Any]]:
        """Builds no message for the admin's own log, which is not kept."""
        return []

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Write nothing: the sealed history is the one log."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Write nothing: the sealed history is the one log."""

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: Any = None
    ) -> HttpResponse:
        """Confirms what was stored, and goes to the page of the pressed button."""
        return self._stored(request, obj, "is stored")

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """Confirms what was changed, and goes to the page of the pressed button."""
        return self._stored(request, obj, "is changed")

    def _stored(self, request: HttpRequest, obj: Any, what: str) -> HttpResponse:
        name = capfirst(str(self.opts.verbose_name))
        link = format_html('<a href="{}">{}</a>', address_of(obj), name_of(obj))
        self.message_user(request, format_html("{} {} {}.", name, link, what), messages.SUCCESS)
        if "_continue" in request.POST:
            return HttpResponseRedirect(address_of(obj))
        if "_addanother" in request.POST:
            return HttpResponseRedirect(
                reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_add")
            )
        return HttpResponseRedirect(
            reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        )

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Every version of one row, newest first: when, by whom, under which seal, what changed."""
        obj = self.get_object(request, unquote(object_id))
        if not self.has_view_or_change_permission(request, obj):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": f"History of {name_of(obj)}",
            "name": name_of(obj),
            "shows_seals": sees_seals(request.user),
            "subtitle": None,
            "opts": self.opts,
            "address": address_of(obj),
            "module_name": capfirst(str(self.opts.verbose_name_plural)),
            "versions": versions_of(obj) if hasattr(obj, "history") else None,
        }
        return TemplateResponse(request, "admin/registry/history.html", context)


class ReadOnlyAdmin(RegistryAdmin):
    """Read-only rows, written elsewhere."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """These rows are not entered by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """These rows are not changed by hand."""
        return False


def sees_seals(user: Any) -> bool:
    """Whether to show seal numbers: one series for all sites shows how much others enter."""
    return user.may(Right.SEE_ALL_ROWS) or user.may(Right.READ_AUDIT)


def _uuids(texts: Iterable[str]) -> list[UUID]:
    """The texts that are valid public ids."""
    found = []
    for text in texts:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found
