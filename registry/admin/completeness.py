"""The page "Completeness": follow-up, denominators and blank answers by site and year."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe

from registry import reporting
from registry.answers.completeness import day_in_words, whole
from registry.models import Site, User
from registry.reporting import SiteCompleteness, YearFollowUp
from registry.vocabulary import Component, Right


@require_safe
def completeness_page(request: HttpRequest) -> HttpResponse:
    """The completeness of one site, or a line for each; for its leads and data managers."""
    user: Any = request.user
    codes = sites_answered_for(user)
    if not codes:
        raise PermissionDenied
    chosen = request.GET.get("site") or (codes[0] if len(codes) == 1 else "")
    if chosen and chosen not in codes:
        raise Http404
    viewer = reporting.viewer_of(user)
    found = reporting.completeness_by_site([chosen] if chosen else codes, viewer=viewer)
    context = {
        **admin.site.each_context(request),
        "title": "Completeness",
        "codes": codes if len(codes) > 1 else [],
        "site": chosen,
        "sites": [_site(each) for each in found],
        "components": [component.label for component in Component],
        "asked": list(reporting.ASKED_OF_EVENTS.values()),
    }
    return TemplateResponse(request, "admin/registry/completeness.html", context)


def sites_answered_for(user: User) -> list[str]:
    """The sites whose completeness a user may see: all for data managers, else those led."""
    if user.may(Right.RUN_REGISTRY):
        return list(Site.objects.order_by("code").values_list("code", flat=True))
    if not user.may(Right.WORK_AT_SITE):
        return []
    return list(user.sites_led().order_by("code").values_list("code", flat=True))


def _site(found: SiteCompleteness) -> dict[str, Any]:
    return {
        "code": found.site,
        "closed_on": day_in_words(found.closed_on) if found.closed_on else "",
        "components": [
            {
                "label": each.component.label,
                "devices": each.devices,
                "lost": each.lost,
                "in_follow_up": _percent(each.share_in_follow_up),
                "time": _percent(each.share_of_time),
            }
            for each in found.components
        ],
        "years": [_year(each) for each in found.years],
    }


def _year(found: YearFollowUp) -> dict[str, Any]:
    return {
        "year": found.year,
        "months": [_months(found, component) for component in Component.codes()],
        "events": found.events,
        "undivided": bool(found.events) and not found.has_denominator,
        "blanks": [_percent(share) for share in found.blanks.values()],
    }


def _months(found: YearFollowUp, component: str) -> str:
    observed, share = found.months[component]
    declared = found.declared[component]
    told = []
    if observed or share is not None:
        told.append(f"{observed:,.0f} months, {_percent(share)} of those possible")
    if declared:
        told.append(f"{declared:,.0f} months declared")
    return "; ".join(told) or "none"


def _percent(share: float | None) -> str:
    return "none" if share is None else whole(share)
