"""Check every kept snapshot for damage and alterations."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from registry.records import SnapshotUnusable
from registry.reporting.verifying import verdicts


class Command(BaseCommand):
    """`manage.py verify_snapshots [--sign]`: exit 1 where a snapshot does not hold."""

    help = (
        "Checks files, digests, signature and every row of all kept snapshots, one line each. "
        "What to do about one that does not hold stands in docs/operations.md."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Whether to sign."""
        parser.add_argument(
            "--sign",
            action="store_true",
            help="Sign snapshots that are not signed under the server's key, such as after a "
            "change of REGISTRY_KEY_SNAPSHOTS; only where their rows are those of their id.",
        )

    def handle(self, *args: Any, sign: bool, **options: Any) -> None:
        """Print a line for each snapshot."""
        broken = checked = 0
        try:
            for verdict in verdicts(sign=sign):
                checked += 1
                broken += bool(verdict.wrong)
                holds = "holds; signed now." if verdict.was_signed else "holds."
                self.stdout.write(f"{verdict.name}: {verdict.wrong or holds}")
        except SnapshotUnusable as refusal:
            raise CommandError(" ".join(fault.detail for fault in refusal.faults)) from refusal
        if broken:
            raise CommandError(f"{broken} of {checked} do not hold: see docs/operations.md.")
        self.stdout.write(f"{checked} snapshots hold.")
