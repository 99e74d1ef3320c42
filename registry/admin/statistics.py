"""The admin's statistics page: any measure of a site's own rows beside those of all sites."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from registry import reporting
from registry.answers.sending import address_of_form
from registry.answers.sides import page_of
from registry.records import Viewer


@never_cache
@require_safe
def statistics_page(request: HttpRequest) -> HttpResponse:
    """Answers the question in the address; members see their own site beside all sites.

    For users who enter, review or manage rows, and for analysts under an agreement. Refuses
    auditors, and users with protected statistics only, who have the dashboard.
    """
    user: Any = request.user
    if not user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    viewer = reporting.viewer_of(user)
    if not may_open(user, viewer):
        raise PermissionDenied
    if address := address_of_form(request, viewer):
        return redirect(address)
    context = admin.site.each_context(request)
    context |= page_of(request, viewer, beside=True)
    context |= {"title": "Statistics"}
    return render(request, "admin/registry/statistics.html", context, status=context["status"])


def may_open(user: Any, viewer: Viewer) -> bool:
    """Whether the user may open the page: has exact numbers of some rows, or works in the admin."""
    exact = viewer.exact_everywhere or bool(viewer.exact_sites)
    return viewer.may_ask and (exact or user.is_staff)
