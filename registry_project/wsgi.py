"""The registry as a WSGI application."""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "registry_project.settings")

application = get_wsgi_application()
get_resolver().url_patterns  # noqa: B018 - read now, and not while the first request waits
gc.freeze()  # what was read stays: looking through it again holds up every request in a process
