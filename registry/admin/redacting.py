"""The page on which a data manager replaces a key that should never have been stored."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.html import format_html

from registry import intake
from registry.admin.answers import key_of
from registry.admin.rows import address_of, back_in_form, was_kept
from registry.admin.site_rows import SiteRowsAdmin
from registry.answers.kept import KEPT
from registry.answers.refusable import RefusableForm
from registry.records import Refusal
from registry.vocabulary import Right


class RedactForm(RefusableForm):
    """The new key, which the registry makes where it is left empty."""

    key = key_of("New key")
    version = forms.IntegerField(widget=forms.HiddenInput)


class RedactPages(SiteRowsAdmin):
    """Rows with a key of their own, each with the page that redacts it."""

    def get_urls(self) -> list[Any]:
        """Adds the address of the page."""
        view = self.admin_site.admin_view(self.redact)
        name = f"registry_{self.opts.model_name}_redact"
        return [path("<path:object_id>/redact/", view, name=name), *super().get_urls()]

    def beside(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """Whether the user may redact the row's key."""
        return {**super().beside(request, row), "may_redact": may_redact(request)}

    def redact(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Asks for the new key, and replaces the old one in the row and its history.

        Never shows the old key.
        """
        row: Any = self.get_object(request, object_id)
        if not may_redact(request):
            raise PermissionDenied
        if KEPT in request.POST and not back_in_form(request):
            return HttpResponseRedirect(request.get_full_path())
        sent = request.POST if request.method == "POST" else None
        form = RedactForm(sent, initial={"version": row.version})
        if not was_kept(request) and form.is_valid():
            by: Any = request.user
            kind = str(self.opts.model_name)
            try:
                redacted = intake.redact_key(kind, row.public_id, by=by, **form.cleaned_data)
            except Refusal as refusal:
                form.refuse(refusal)
            else:
                message = format_html(
                    "The key is replaced, in the history too. It is now <b>{}</b>: tell the site.",
                    redacted.key,
                )
                self.message_user(request, message, messages.SUCCESS)
                return HttpResponseRedirect(address_of(row))
        self.log_look(request, f"{row.public_id} redact", 1)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Redact the key of this {self.opts.verbose_name}",
            "opts": self.opts,
            "row": row,
            "form": form,
            "back": address_of(row),
        }
        return TemplateResponse(request, "admin/registry/redact.html", context)


def may_redact(request: HttpRequest) -> bool:
    """Whether the user is a data manager."""
    return request.user.may(Right.RUN_REGISTRY)  # type: ignore[union-attr]
