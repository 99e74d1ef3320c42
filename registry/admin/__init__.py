"""The admin: a site's own rows, the catalogue, users and the audit; renders only."""

from django.contrib import admin

from registry.admin import (
    access,
    agreements,
    audit,
    catalogue,
    events,
    exposure,
    people,
    role_proposals,
)

__all__ = [
    "access",
    "agreements",
    "audit",
    "catalogue",
    "events",
    "exposure",
    "people",
    "role_proposals",
]

admin.site.site_header = "Pump registry"
admin.site.site_title = "Pump registry"
admin.site.index_title = "Enter and review"
admin.site.enable_nav_sidebar = False
