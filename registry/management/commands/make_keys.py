"""Makes the keys that are missing: those of disclosure control once in a registry's life."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from registry import keys


class Command(BaseCommand):
    """`manage.py make_keys`."""

    help = (
        "Make the keys of disclosure control, and the one that signs snapshots, in a file that "
        "only the server may read; keys that are there stay."
    )
    requires_system_checks = []  # one of them fails until the keys are there

    def handle(self, *args: Any, **options: Any) -> None:
        """Refuse where no key is missing; otherwise create the file, or add to it."""
        try:
            path = keys.make_keys()
        except FileExistsError as error:
            if any(getattr(settings, name) for name in keys.SETTINGS.values()):
                raise CommandError("The environment gives the keys: nothing was made.") from error
            raise CommandError(
                "There are keys already, and they never change: nothing was made. See docs/keys.md."
            ) from error
        self.stdout.write(f"Made {path}. Keep a copy apart from the database and its backups.")
