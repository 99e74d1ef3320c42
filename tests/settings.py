"""Settings of the tests: development, a var folder of their own, and a fast password hash."""

import os
import tempfile

os.environ["DEBUG"] = "1"
os.environ["REGISTRY_VAR"] = tempfile.mkdtemp(prefix="registry-tests-")
os.environ["REGISTRY_KEY_RECORDS"] = bytes(range(32)).hex()  # so that noise repeats
os.environ["REGISTRY_KEY_NOISE"] = bytes(range(100, 132)).hex()
os.environ["REGISTRY_KEY_SNAPSHOTS"] = bytes(range(200, 232)).hex()
os.environ["REGISTRY_KEY_SEALS"] = bytes(range(150, 182)).hex()
os.environ["REGISTRY_ANSWER_TICK_MS"] = "0"  # tests of time set it themselves
os.environ.pop("REDIS_URL", None)  # tests empty the cache: never somebody's own
os.environ.pop("REGISTRY_ENGINE", None)  # tests start their own cluster
os.environ.pop("REPLICA_URL", None)  # and replica
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright runs a loop of its own

from registry_project.settings import *  # noqa: F403

DEBUG = False
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STATIC_ROOT.mkdir()  # noqa: F405 - WhiteNoise warns of a folder that is not there
CACHES["limits"] = CACHES["default"]  # noqa: F405 - what empties one empties the other
