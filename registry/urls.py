"""The registry's addresses, room by room."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import include, path, re_path
from django.views import defaults

from registry.admin import busy
from registry.admin.audit import history_page
from registry.admin.completeness import completeness_page
from registry.admin.exporting import export_page
from registry.admin.people import reset_code
from registry.admin.start_page import start_page
from registry.admin.statistics import statistics_page
from registry.admin.upload import template_page, upload_page
from registry.api import outside
from registry.api.unknown import UnknownAddress

urlpatterns = [  # in turn: what scripts ask every minute stands before the pages
    path("api/v1/", include("registry.api.urls")),
    path("fhir/", include("registry.api.fhir.urls")),
    path("", include("registry.dashboard.urls")),
    path("admin/", admin.site.admin_view(start_page)),
    path("admin/history/", admin.site.admin_view(history_page), name="history"),
    path(
        "admin/completeness/",
        admin.site.admin_view(completeness_page),
        name="completeness",
    ),
    path(
        "admin/export/<str:site>/<str:kind>.csv",
        admin.site.admin_view(export_page),
        name="export",
    ),
    path(
        "admin/upload/template.xlsx",
        admin.site.admin_view(template_page),
        name="upload-template",
    ),
    path("admin/upload/", admin.site.admin_view(upload_page), name="upload"),
    path(
        "admin/registry/user/<int:user_id>/reset-code/",
        admin.site.admin_view(reset_code),
        name="reset_code",
    ),
    path("admin/statistics/", statistics_page, name="statistics"),
    path("admin/", admin.site.urls),
    path("health/", include("registry.api.health_urls")),
    re_path(r"^(?:api|health)/", UnknownAddress.as_view()),
]


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What a request that reaches no view is told: a problem of the API, or Django's page."""
    if outside.is_for_programs(request):
        return outside.bad_request(request)
    return defaults.bad_request(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """What is told of a failure around a view: a problem of the API, or a page."""
    if outside.is_for_programs(request):
        return outside.server_error(request)
    return busy.server_error(request)
