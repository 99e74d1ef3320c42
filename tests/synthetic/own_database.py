"""A database and a folder of a study's own."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.disclosure.attack.own_process import begin, environment


@contextmanager
def in_own_database() -> Iterator[None]:
    """Set this process up with an empty registry, whose files are gone afterwards."""
    with tempfile.TemporaryDirectory() as var:
        (Path(var) / "static").mkdir()
        os.environ.update(environment(var))
        begin()
        from django.core.management import call_command

        for command in ("migrate", "make_keys", "load_catalogue"):
            call_command(command, verbosity=0)
        yield
