"""Seal the access log's new entries; keep and print the head of the audit trail."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from registry.models import Seal
from registry.models.access_log import forget_sealed_entries, give_up_entries, seal_log
from registry.models.heads import head_of, keep_head
from registry.records import CannotSeal


class Command(BaseCommand):
    """`manage.py checkpoint [--restored]`: for the auditor's own keeping, and after a restore."""

    help = (
        "Seals the new entries of the access log, appends the newest seal's head to "
        "REGISTRY_HEADS_FILE, and prints it as NUMBER:HASH, which `verify_audit --head` takes. Run "
        "it from a timer, once an hour."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Whether an older database was put in place."""
        parser.add_argument(
            "--restored",
            action="store_true",
            help="Say that you restored an older database: later heads in the file are given up, "
            "which `verify_audit` says from then on.",
        )

    def handle(self, *args: Any, restored: bool, **options: Any) -> None:
        """Append and print the head; refuse where there is no seal, no key or no room."""
        try:
            if not restored:
                seal_log()
        except CannotSeal as refusal:
            raise CommandError(" ".join(fault.detail for fault in refusal.faults)) from refusal
        last = Seal.objects.order_by("-number").first()
        if last is None:
            raise CommandError("The registry is empty: there is no seal yet.")
        head = head_of(last.number, last.hash, last.at, is_restored=restored)
        try:
            keep_head(head)
        except OSError as error:
            raise CommandError(f"The head could not be kept: {error.strerror}.") from error
        try:
            give_up_entries() if restored else forget_sealed_entries()
        except OSError as error:
            said = f"Files of the access log's entries could not be removed: {error.strerror}."
            raise CommandError(said) from error
        self.stdout.write(str(head))
