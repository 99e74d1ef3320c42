"""The registry as a Django application."""

from django.apps import AppConfig


class RegistryConfig(AppConfig):
    """Names the application; what must hold after every migration is put in place here."""

    name = "registry"
    verbose_name = "Registry"
    default_auto_field = "django.db.models.BigAutoField"
