"""Seals and the access log in the admin: for auditors, to read."""

from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest

from registry.admin.history import Version, version_of
from registry.admin.rows import ReadOnlyAdmin
from registry.models import AccessLog, Seal, Snapshot

MOST_ROWS = 50


@admin.register(Seal)
class SealAdmin(ReadOnlyAdmin):
    """Every writing transaction in order, and the versions that were written under it."""

    list_display = ("number", "at", "actor", "action", "rows")
    list_select_related = ("actor",)
    list_filter = ("action",)
    search_fields = ("=number", "actor__username", "hash__startswith")
    search_help_text = "Search by number, user name or the beginning of a hash."
    ordering = ("-number",)
    fields = ("number", "at", "actor_name", "action", "rows", "digest", "previous", "hash")

    @admin.display(description="By")
    def actor_name(self, seal: Seal) -> str:
        """Who wrote, or the registry itself where a command did."""
        return str(seal.actor) if seal.actor else "the registry itself"

    def beside(self, request: HttpRequest, row: Seal) -> dict[str, Any]:
        """The versions written under the seal, 50 at most."""
        written = list(versions_under(row.number))
        return {"written": written, "not_told": row.rows - len(written)}


def versions_under(number: int) -> Iterable[tuple[str, str, Version]]:
    """What was written under one seal: the kind of row, its key, and the version in words."""
    left = MOST_ROWS
    for model in apps.get_app_config("registry").get_models():
        if not hasattr(model, "history"):
            continue
        history: Any = model.history
        rows = history.filter(seal_number=number).select_related("history_user")
        for record in rows.order_by("history_id")[:left]:
            left -= 1
            numbered = getattr(record, model._meta.pk.attname)
            key = str(getattr(record, "public_id", None) or getattr(record, "code", numbered))
            earlier = record.prev_record
            yield str(model._meta.verbose_name), key, version_of(record, earlier)


@admin.register(AccessLog)
class AccessLogAdmin(ReadOnlyAdmin):
    """Who read rows, exported, or asked for exact numbers, newest first."""

    list_display = ("at", "user", "action", "what", "count")
    list_select_related = ("user",)
    list_filter = ("action",)
    search_fields = ("user__username", "what")
    search_help_text = "Search by user name, or by a word of the question."
    ordering = ("-at", "-pk")
    fields = ("at", "user_name", "action", "what", "count")

    @admin.display(description="User")
    def user_name(self, entry: AccessLog) -> str:
        """Who looked, or nobody where the statistics are public."""
        return str(entry.user) if entry.user else "not signed in"


@admin.register(Snapshot)
class SnapshotAdmin(ReadOnlyAdmin):
    """The frozen data that statistics come from: what can be cited."""

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
