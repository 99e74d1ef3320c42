"""Make a registry of a backup."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from registry.backup.refusals import UnusableBackup
from registry.backup.restoring import look_into, restore_backup
from registry.reporting.asking.opening import root


class Command(BaseCommand):
    """`manage.py restore FILE [--check]`."""

    help = (
        "Makes the registry of a backup in the empty database of DATABASE_URL, SQLite or "
        "PostgreSQL, and in REGISTRY_VAR: all of it, or nothing."
    )
    requires_system_checks = []  # there is nothing to check yet

    def add_arguments(self, parser: CommandParser) -> None:
        """The file, and whether only to look at it."""
        parser.add_argument("file", type=Path, help="what manage.py backup wrote")
        parser.add_argument(
            "--check", action="store_true", help="only check the file and say what it holds"
        )

    def handle(self, *args: Any, file: Path, check: bool, **options: Any) -> None:
        """Restore, and say what to do next; or in a line why nothing was restored."""
        try:
            held = look_into(file) if check else restore_backup(file, snapshots=root())
        except UnusableBackup as refusal:
            raise CommandError(str(refusal)) from refusal
        except OSError as error:
            raise CommandError(f"Nothing was restored: {error.strerror}.") from error
        said = f"{sum(held.rows.values())} rows and {len(held.snapshots)} snapshots as of "
        if check:
            self.stdout.write(f"The backup is whole: {said}{held.made_at}.")
            return
        self.stdout.write(f"Restored {said}{held.made_at}. {NEXT}")


NEXT = (
    "Next: verify_audit, verify_snapshots, checkpoint --restored. People, passwords, one-time "
    "codes and tokens are as they were then: revoke again what was revoked since."
)
