"""Makes the working snapshot, or publishes it as a release."""

import re
from typing import Any

import duckdb
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser

from registry.records import Refusal
from registry.reporting.asking import freshness

LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


class Command(BaseCommand):
    """`manage.py freeze [--whole] [--release LABEL [--early]]`."""

    help = "Freeze the registry into the working snapshot; with --release, publish it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--release", metavar="LABEL", help="Publish under this label, such as 2026Q4."
        )
        parser.add_argument(
            "--early",
            action="store_true",
            help="Publish before REGISTRY_RELEASE_DAYS have gone by, or with less than "
            "REGISTRY_RELEASE_GROWTH per cent, or under REGISTRY_RELEASE_CHANGED events, changed; "
            "that is written down and told to readers.",
        )
        parser.add_argument(
            "--whole",
            action="store_true",
            help="Read everything anew, and not only what has changed since the last freeze.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Say what was frozen, or in a line why nothing was; the last snapshot answers then."""
        try:
            self._freeze(options)
        except (OSError, duckdb.Error, ImproperlyConfigured) as error:
            raise CommandError(f"Nothing was frozen. {error} See docs/operations.md.") from error

    def _freeze(self, options: dict[str, Any]) -> None:
        label = options["release"]
        if label is None:
            working = freshness.refresh(whole=options["whole"])
            self.stdout.write(f"working snapshot {working.snapshot_id}")
            return
        if options["whole"]:
            freshness.refresh(whole=True)
        if not LABEL.fullmatch(label):
            raise CommandError("A label has up to 40 letters, digits, dots, hyphens, underscores.")
        try:
            release = freshness.publish(label, early=options["early"])
        except Refusal as refusal:
            raise CommandError(" ".join(fault.detail for fault in refusal.faults)) from refusal
        self.stdout.write(f"release {release.label} {release.snapshot_id}")
