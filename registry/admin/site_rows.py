"""Permissions of the lists and forms of a site's own rows: who reads, enters and changes."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from registry.admin.answers import open_sites
from registry.admin.autosaving import AutosavePages
from registry.models import AccessLog
from registry.vocabulary import Right


class SiteRowsAdmin(AutosavePages):
    """Rows of the caller's own sites; reviewers and data managers read those of every site.

    Access is logged: lists with the number of rows, pages and histories by public id.
    entry: the sections of the form. reading: those of the read-only page. store: writes the row
    through intake, and returns it.
    """

    entry: Any = ()
    reading: Any = ()
    store: Callable[..., Any]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Users with a role that allows it, and members of a site."""
        return super().has_view_permission(request, obj) or is_member(request)

    def get_search_fields(self, request: HttpRequest) -> Any:
        """No fields, since the admin's own autocomplete uses serial numbers."""
        if request.resolver_match and request.resolver_match.url_name == "autocomplete":
            return ()
        return super().get_search_fields(request)

    def is_list(self, request: HttpRequest) -> bool:
        """Whether the list itself is asked for, not one row or a choice among them."""
        name = f"{self.opts.app_label}_{self.opts.model_name}_changelist"
        return request.resolver_match is not None and request.resolver_match.url_name == name

    def has_module_permission(self, request: HttpRequest) -> bool:
        """The menu entry, for users who may view the list."""
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Members enter rows for their own sites, data managers for any."""
        return request.user.may(Right.RUN_REGISTRY) or is_member(request)  # type: ignore[union-attr]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Users who may enter rows for its site."""
        if obj is None:
            return self.has_add_permission(request)
        return obj.site_id in open_site_keys(request)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The sections of the form, or of the read-only page."""
        if obj is None:
            return self.entry
        if not self.has_change_permission(request, obj):
            return self.reading
        if "version" not in self.form.base_fields:
            return self.entry
        first, *rest = self.entry
        title, options = first
        return [(title, {**options, "fields": (*options["fields"], "version")}), *rest]

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """The entry form, or one without fields for a read-only page."""
        if obj is not None and not self.has_change_permission(request, obj):
            kwargs["form"] = forms.ModelForm
        return super().get_form(request, obj, change=change, **{**kwargs, "fields": ()})

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list; logs the number of rows shown."""
        answer = super().changelist_view(request, extra_context)
        listed = (getattr(answer, "context_data", None) or {}).get("cl")
        if listed is not None:
            self.log_look(request, "list", len(listed.result_list))
        return answer

    def render_change_form(
        self,
        request: HttpRequest,
        context: Any,
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        """The page of one row, or an empty form; access to a row is logged."""
        if obj is not None:
            self.log_look(request, str(obj.public_id), 1)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Every version of one row; access is logged."""
        answer = super().history_view(request, object_id, extra_context)
        self.log_look(request, f"{object_id} history", 1)
        return answer

    def log_look(self, request: HttpRequest, what: str, count: int) -> None:
        """Logs that the caller read rows of this kind."""
        user: Any = request.user
        said = f"{self.opts.model_name} {what}"
        AccessLog.objects.create(user=user, action="row-read", what=said, count=count)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Passes the report to intake, and continues with the stored row."""
        vars(obj).update(vars(self.store(request, obj, form, change=change)))
        self.forget_answers(request)

    @admin.display(description="Site", ordering="site__code")
    def site_code(self, row: Any) -> str:
        """The site by its code."""
        return row.site.code


def is_member(request: HttpRequest) -> bool:
    """Whether the caller is a member of any site; cached, one query a request."""
    known: bool | None = getattr(request, "registry_is_member", None)
    if known is None:
        known = request.user.sites().exists()  # type: ignore[union-attr]
        request.registry_is_member = known  # type: ignore[attr-defined]
    return known


def open_site_keys(request: HttpRequest) -> frozenset[int]:
    """The sites that the caller may report for; cached, one query a request."""
    known: frozenset[int] | None = getattr(request, "registry_open_sites", None)
    if known is None:
        known = frozenset(open_sites(request.user).values_list("pk", flat=True))
        request.registry_open_sites = known  # type: ignore[attr-defined]
    return known
