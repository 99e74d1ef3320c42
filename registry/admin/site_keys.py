"""The page on which a site declares the pattern of its own keys."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path

from registry import intake
from registry.admin.rows import RegistryAdmin, address_of, back_in_form, was_kept
from registry.answers.kept import KEPT
from registry.answers.refusable import RefusableForm
from registry.models import Site
from registry.records import Refusal
from registry.records.key_patterns import LONGEST_PREFIX, MOST_DIGITS
from registry.vocabulary import Right


class KeyPatternForm(RefusableForm):
    """A pattern of keys; both answers empty are none."""

    key_prefix = forms.CharField(
        label="Your keys begin with",
        required=False,
        max_length=LONGEST_PREFIX,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="Such as your site's code and a hyphen. It ends in no digit.",
    )
    key_digits = forms.IntegerField(
        label="and end in so many digits",
        required=False,
        help_text=f"1 to {MOST_DIGITS}: with 4, a key ends in four digits, such as 0001.",
    )


class KeyPatternPages(RegistryAdmin):
    """Sites, each with the page of its keys."""

    def get_urls(self) -> list[Any]:
        """Adds the address of the page."""
        view = self.admin_site.admin_view(self.declare_keys)
        added = path("<path:object_id>/keys/", view, name="registry_site_keys")
        return [added, *super().get_urls()]

    @admin.display(description="New keys")
    def keys(self, site: Site) -> str:
        """What a new key of the site looks like."""
        pattern = site.key_pattern
        return f"like {pattern.example}" if pattern else "any that does not identify"

    def beside(self, request: HttpRequest, row: Site) -> dict[str, Any]:
        """Whether the user may declare the site's keys."""
        return {**super().beside(request, row), "may_declare_keys": _may_declare(request, row)}

    def declare_keys(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Shows the pattern of the site's keys; its leads declare it once."""
        site: Any = self.get_object(request, object_id)
        user: Any = request.user
        if not intake.may_close(site, by=user):
            raise PermissionDenied
        if KEPT in request.POST and not back_in_form(request):
            return HttpResponseRedirect(request.get_full_path())
        may_declare = _may_declare(request, site)
        sent = request.POST if request.method == "POST" and may_declare else None
        form = KeyPatternForm(
            sent, initial={"key_prefix": site.key_prefix, "key_digits": site.key_digits}
        )
        if not was_kept(request) and form.is_valid():
            try:
                intake.declare_key_pattern(site.code, **form.cleaned_data, by=user)
            except Refusal as refusal:
                form.refuse(refusal)
            else:
                self.message_user(request, "Stored: new keys are judged by it.", messages.SUCCESS)
                return HttpResponseRedirect(address_of(site))
        context = {
            **self.admin_site.each_context(request),
            "title": f"Keys of {site.code}",
            "opts": self.opts,
            "site_row": site,
            "pattern": site.key_pattern,
            "form": form,
            "may_declare": may_declare,
            "may_change": user.may(Right.RUN_REGISTRY),
            "back": address_of(site),
        }
        return TemplateResponse(request, "admin/registry/site/keys.html", context)


def _may_declare(request: HttpRequest, site: Site) -> bool:
    """Whether the user may declare the keys now: a lead the first time, a data manager always."""
    user: Any = request.user
    is_open = site.key_pattern is None or user.may(Right.RUN_REGISTRY)
    return bool(is_open and site.active and intake.may_close(site, by=user))
