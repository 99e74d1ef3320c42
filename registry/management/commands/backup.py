"""Write the whole registry into one file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from registry.backup.making import leave_newest, make_backup
from registry.backup.refusals import DamagedSnapshots, UnusableBackup
from registry.reporting.asking.opening import root

PREFIX = "registry-"


class Command(BaseCommand):
    """`manage.py backup FILE`, or a folder, in which the file is named by the instant."""

    help = (
        "Writes the database and its snapshots into one file, while others write; it holds no key "
        "and no session, and is as secret as the database. Restore it by manage.py restore FILE."
    )
    requires_system_checks = []  # a backup is wanted most when something is wrong

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to write it, and how many to keep there."""
        parser.add_argument("file", type=Path, help="a file that is not there yet, or a folder")
        parser.add_argument(
            "--keep",
            type=int,
            metavar="NUMBER",
            help="in a folder: delete all but so many of the newest backups afterwards",
        )

    def handle(self, *args: Any, file: Path, keep: int | None, **options: Any) -> None:
        """Write it, and say what it holds."""
        if keep is not None and (keep < 1 or not file.is_dir()):
            raise CommandError("--keep takes a number of 1 or more, and a folder.")
        folder = file if file.is_dir() else None
        if folder is not None:
            file = folder / f"{PREFIX}{timezone.now():%Y%m%dT%H%M%SZ}.zip"
        try:
            made = make_backup(file, snapshots=root())
        except UnusableBackup as refusal:
            raise CommandError(str(refusal)) from refusal
        except DamagedSnapshots as damage:  # older backups stay: they may hold what is damaged
            raise CommandError(f"{file} was made. {damage}") from damage
        except OSError as error:
            raise CommandError(f"Nothing was backed up: {error.strerror}.") from error
        self.stdout.write(
            f"{file}: {sum(made.rows.values())} rows, {len(made.snapshots)} snapshots"
        )
        if folder is not None and keep is not None:
            for old in leave_newest(folder, f"{PREFIX}*Z.zip", keep=keep):
                self.stdout.write(f"deleted {old}")
