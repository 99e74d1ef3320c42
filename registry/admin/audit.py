"""The auditor's read-only pages: history across rows, seals with their state, access log."""

from typing import Any

from django import forms
from django.apps import apps
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.views.decorators.http import require_POST

from registry.admin.filters import ActionFilter
from registry.admin.history import Version, versions_in
from registry.admin.paging import KeyPaginator, page_asked
from registry.admin.rows import ReadOnlyAdmin
from registry.models import AccessLog, Seal, Snapshot, User
from registry.models.audit import GENESIS
from registry.models.verification import (
    fault_of,
    models_with_history,
    signature_fault,
    verify_audit,
)
from registry.vocabulary import Right

MOST_ROWS = 50
PAGE = 50

MOST_AT_ONCE = 200_000
"""The most history rows that a page checks, which takes some ten seconds."""

WHOLE = "Valid: hash, signature, chain and the history rows under it."


@admin.register(Seal)
class SealAdmin(ReadOnlyAdmin):
    """Every writing transaction in order, with the versions written under it."""

    list_display = ("number", "at", "actor_name", "action", "rows", "in_chain")
    list_select_related = ("actor",)
    list_filter = (ActionFilter,)
    search_fields = ("=number", "actor__username", "hash__startswith")
    search_help_text = "Search by number, user name or the beginning of a hash."
    ordering = ("-number",)
    fields = (
        "number",
        "at",
        "actor_name",
        "action",
        "rows",
        "digest",
        "previous",
        "hash",
        "signature",
        "standing",
    )
    change_list_template = "admin/registry/seal/change_list.html"

    def get_urls(self) -> list[Any]:
        """Adds the address that checks the whole trail."""
        view = self.admin_site.admin_view(require_POST(self.verify))
        return [path("verify/", view, name="registry_seal_verify"), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The seals, each with the hash of the one before it."""
        before = Seal.objects.filter(number=OuterRef("number") - 1).values("hash")
        return super().get_queryset(request).annotate(hash_before=Subquery(before))

    @admin.display(description="In the chain", boolean=True)
    def in_chain(self, seal: Any) -> bool:
        """Whether the seal follows the previous one, and its hash and signature are right."""
        follows = seal.previous == (seal.hash_before or GENESIS)
        return follows and seal.hash == seal.expected_hash() and not signature_fault(seal)

    @admin.display(description="By")
    def actor_name(self, seal: Seal) -> str:
        """The author, or the registry itself for a command."""
        return str(seal.actor) if seal.actor else "the registry itself"

    @admin.display(description="Verification")
    def standing(self, seal: Seal) -> str:
        """Whether seal and history rows are unchanged, checked now."""
        if seal.rows > MOST_AT_ONCE:
            return "Too many rows to check here: run manage.py verify_audit."
        return fault_of(seal) or WHOLE

    def beside(self, request: HttpRequest, row: Seal) -> dict[str, Any]:
        """The versions written under the seal, 50 at most; access is logged."""
        written = versions_under(row.number)
        _log(request, f"seal {row.number}", len(written))
        return {"written": written, "not_told": row.rows - len(written)}

    def verify(self, request: HttpRequest) -> HttpResponse:
        """Checks seals and signatures, history rows, live rows, and the heads kept outside."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        back = HttpResponseRedirect(reverse("admin:registry_seal_changelist"))
        if sum(Seal.objects.values_list("rows", flat=True).iterator()) > MOST_AT_ONCE:
            message = "The trail is too long to check here: run manage.py verify_audit."
            messages.warning(request, message)
            return back
        checked = verify_audit()
        if not checked.breaks:
            message = f"The trail is whole: {checked.seals} seals over {checked.rows} history rows."
            if checked.head:
                message += f" Its head, for your own keeping: {checked.head}"
            messages.success(request, message)
        for found in checked.breaks:
            where = f"Seal {found.seal}" if found.seal is not None else "Beside the seals"
            messages.error(request, f"The trail is broken. {where}: {found.what}")
        return back


def versions_under(number: int) -> list[tuple[str, str, Version]]:
    """The versions written under one seal: kind of row, key, and the version in words."""
    versions: list[tuple[str, str, Version]] = []
    for model in apps.get_app_config("registry").get_models():
        if not hasattr(model, "history"):
            continue
        history: Any = model.history
        rows = history.filter(seal_number=number).select_related("history_user")
        records = list(rows.order_by("history_id")[: MOST_ROWS - len(versions)])
        for record, version in zip(records, versions_in(records), strict=True):
            versions.append((str(model._meta.verbose_name), key_of(record, model), version))
    return versions


def key_of(record: Any, model: type[Model]) -> str:
    """The key of a history row's own row: public id, code, or number."""
    numbered = getattr(record, str(model._meta.pk.attname)) if model._meta.pk else ""
    return str(getattr(record, "public_id", None) or getattr(record, "code", numbered))


class HistoryForm(forms.Form):
    """Filters of the versions to list; only the kind of row is required."""

    kind = forms.ChoiceField(
        label="Kind of row",
        required=False,
        error_messages={"invalid_choice": "Choose a kind from the list."},
    )
    by = forms.ModelChoiceField(
        User.objects.order_by("username"),
        label="Written by",
        required=False,
        to_field_name="username",
        empty_label="Anybody",
    )
    row = forms.CharField(
        label="Row",
        required=False,
        max_length=40,
        help_text="A complete public id, code or number.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        field: Any = self.fields["kind"]
        field.choices = [(name, kinds()[name]._meta.verbose_name) for name in kinds()]

    def records(self) -> QuerySet[Any]:
        """The filtered history rows, newest first."""
        cleaned = self.cleaned_data
        model: Any = kinds()[cleaned["kind"] or "event"]
        rows = model.history.select_related("history_user").order_by("-history_id")
        if cleaned["by"]:
            rows = rows.filter(history_user=cleaned["by"])
        if cleaned["row"]:
            stored = model._base_manager.filter(**{_keyed_by(model): cleaned["row"]})
            rows = rows.filter(**{f"{model._meta.pk.attname}__in": stored.values("pk")})
        return rows

    def clean_row(self) -> str:
        """Refuses a key that no row of this kind can have."""
        row: str = self.cleaned_data["row"].strip()
        model: Any = kinds()[self.cleaned_data.get("kind") or "event"]
        try:
            model._meta.get_field(_keyed_by(model)).to_python(row or None)
        except forms.ValidationError:
            raise forms.ValidationError("No row of this kind has such a key.") from None
        return row


def kinds() -> dict[str, type[Model]]:
    """Every kind of row that has a history, by name; events first."""
    named = {str(model._meta.model_name): model for model in models_with_history()}
    return {"event": named["event"], **named}


def _keyed_by(model: type[Model]) -> str:
    names = {field.name for field in model._meta.concrete_fields}
    return next((n for n in ("public_id", "code") if n in names), str(model._meta.pk.attname))


def history_page(request: HttpRequest) -> HttpResponse:
    """The versions of all rows of one kind, newest first; for auditors. Access is logged."""
    user: Any = request.user
    if not user.may(Right.READ_AUDIT):
        raise PermissionDenied
    form = HistoryForm(request.GET)
    valid = form.is_valid()
    kind = form.cleaned_data.get("kind") or "event"
    records = form.records() if valid else kinds()[kind].history.none()  # type: ignore[attr-defined]
    number = page_asked(request, "page")
    page = KeyPaginator(records, PAGE, page_number=number).get_page(number)
    listed = list(page.object_list)
    _log(request, f"{kind} history of all", len(listed))
    params = request.GET.copy()
    params.pop("page", None)
    context = {
        **admin.site.each_context(request),
        "title": "History across rows",
        "form": form,
        "page": page,
        "params": params.urlencode(),
        "versions": [
            (key_of(record, kinds()[kind]), version)
            for record, version in zip(listed, versions_in(listed), strict=True)
        ],
    }
    return TemplateResponse(request, "admin/registry/all_history.html", context)


def _log(request: HttpRequest, what: str, count: int) -> None:
    user: Any = request.user
    AccessLog.objects.create(user=user, action="row-read", what=what, count=count)


@admin.register(AccessLog)
class AccessLogAdmin(ReadOnlyAdmin):
    """Who read rows, exported, or got exact numbers, newest first."""

    list_display = ("at", "user_name", "action", "what", "count")
    list_select_related = ("user",)
    list_filter = (ActionFilter,)
    search_fields = ("user__username", "what")
    search_help_text = "Search by user name, or by a word of the question."
    ordering = ("-at", "-pk")
    fields = ("at", "user_name", "action", "what", "count")

    @admin.display(description="User", ordering="user")
    def user_name(self, entry: AccessLog) -> str:
        """The user, or nobody where statistics are public."""
        return str(entry.user) if entry.user else "not signed in"


@admin.register(Snapshot)
class SnapshotAdmin(ReadOnlyAdmin):
    """The frozen data that statistics come from and can be cited by."""

    list_display = ("__str__", "kind", "events", "implants", "exposures", "data_as_of", "made_at")
    list_filter = ("kind",)
    ordering = ("-made_at",)
    fields = (
        "snapshot_id",
        "kind",
        "label",
        "schema_version",
        "catalogue_version",
        "events",
        "implants",
        "exposures",
        "data_as_of",
        "made_at",
    )
