"""The registry's addresses, room by room."""

from django.contrib import admin
from django.urls import include, path

from registry.admin.start_page import start_page

urlpatterns = [
    path("", include("registry.dashboard.urls")),
    path("admin/", admin.site.admin_view(start_page)),
    path("admin/", admin.site.urls),
    path("api/v1/", include("registry.api.urls")),
    path("health/", include("registry.api.health_urls")),
]
