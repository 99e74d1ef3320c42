"""The registry as a Django application."""

from typing import Any

from corsheaders.signals import check_request_enabled
from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate


class RegistryConfig(AppConfig):
    """Names the application, and puts back after every migration what must always hold."""

    name = "registry"
    verbose_name = "Registry"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks, what other origins may ask, and what runs after `migrate`.

        After, not in a migration: SQLite drops triggers when it rebuilds a table, permissions do
        not exist before, and a flushed test database gets its roles back this way.
        """
        from registry import checks  # noqa: F401 - importing registers them
        from registry.api.cross_origin import is_open_to_all

        check_request_enabled.connect(is_open_to_all, dispatch_uid="registry.open_to_all_origins")
        post_migrate.connect(
            put_in_place, sender=self, dispatch_uid="registry.put_triggers_and_roles_in_place"
        )


def put_in_place(sender: AppConfig, using: str, **_: Any) -> None:
    """Install the append-only triggers and the roles, once their tables exist.

    Releases are forgotten: `migrate`, `flush` and `restore` may leave others.
    """
    from registry.models.append_only import install_append_only_triggers
    from registry.models.roles import install_roles
    from registry.reporting.asking.releases import forget_releases

    forget_releases()
    connection = connections[using]
    install_append_only_triggers(connection)
    if {"auth_group", "registry_event"} <= set(connection.introspection.table_names()):
        install_roles(using)
