"""Settings of the benchmarks: those of a production server on this machine, answers not cached.

BENCH_CACHE=locmem keeps answers, as a server does.
"""

import os
import secrets

os.environ.setdefault("SECRET_KEY", secrets.token_urlsafe(48))
os.environ.setdefault("ALLOWED_HOSTS", "127.0.0.1")
os.environ.setdefault("SECURE_SSL_REDIRECT", "0")
os.environ.setdefault("THROTTLE_TOKEN", "1000000/min")
os.environ.setdefault("REGISTRY_ANSWER_TICK_MS", "0")

from registry_project.settings import *  # noqa: F403

ROOT_URLCONF = "tests.benchmarks.urls"
_BACKEND = {"locmem": "locmem.LocMemCache"}.get(os.environ.get("BENCH_CACHE", ""), "")
CACHES = {
    "default": {"BACKEND": f"django.core.cache.backends.{_BACKEND or 'dummy.DummyCache'}"},
}
CACHES["limits"] = CACHES["default"]
