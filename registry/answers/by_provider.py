"""Whether a session was begun through a hospital's provider, and what the provider saw."""

import time
from importlib.util import find_spec

from django.conf import settings
from django.http import HttpRequest

BY_PROVIDER = "signed_in_by_provider_at"
"""In a session: when a hospital's provider said who it is, in seconds; else it is not there."""

PROVIDER_SAW_FACTOR = "provider_saw_second_factor"
"""In a session: that the provider asked for a second factor, and is trusted with it."""

JUST_NOW = 600
"""Seconds for which a sign-in at the provider stands for the password in a form."""


def signed_in_by_provider(request: HttpRequest) -> bool:
    """Whether no password of the registry was used to sign in."""
    return BY_PROVIDER in request.session


def signed_in_by_provider_just_now(request: HttpRequest) -> bool:
    """Whether the provider said who it is within the last minutes."""
    age: float = time.time() - request.session.get(BY_PROVIDER, 0)
    return 0 <= age < JUST_NOW


NEEDED = ("REGISTRY_OIDC_ISSUER", "REGISTRY_OIDC_CLIENT_ID", "REGISTRY_OIDC_CLIENT_SECRET")
"""Settings without which nobody signs in through a provider."""


def missing_for_provider() -> list[str]:
    """Which of the settings are not given, where one is; and the extra, where all are."""
    missing = [name for name in NEEDED if not getattr(settings, name)]
    if missing:
        return missing if len(missing) < len(NEEDED) else []
    return [] if find_spec("mozilla_django_oidc") else ["the extra oidc"]


def provider_is_usable() -> bool:
    """Whether a provider is configured whole, and its client is installed."""
    return bool(settings.REGISTRY_OIDC_ISSUER) and not missing_for_provider()
