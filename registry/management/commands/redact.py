"""manage.py redact: replace keys that should never have been stored, in history too."""

import sys
from collections.abc import Iterable, Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from registry.intake import (
    identifying_keys,
    redact_identifying_keys,
    redact_key,
    redact_rows_of_key,
    rows_of_key,
)
from registry.intake.redaction import KEYED, Redacted
from registry.management.by_user import active_user
from registry.records import Refusal

ONE_WAY = "Name what to redact in one way: --key, --found, or a kind and an id."


class Command(BaseCommand):
    """Redacts a key, the key of one row, or every stored key that no door takes today."""

    help = (
        "Replace a key everywhere, history included, under a seal: of every row that has it or "
        "had it, of one row, or of all rows whose key looks like an identifier. Never prints an "
        "old key."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The data manager, and what to redact."""
        parser.add_argument("--by", required=True, metavar="USERNAME", help="the data manager")
        parser.add_argument("kind", nargs="?", choices=list(KEYED), help="the kind of row")
        parser.add_argument("id", nargs="?", help="the public id of the row")
        parser.add_argument(
            "--new", metavar="KEY", default="", help="its new key; else a random one"
        )
        parser.add_argument(
            "--key", help="every row that has this key, or had it; - reads it from standard input"
        )
        parser.add_argument(
            "--found",
            action="store_true",
            help="every row whose key, now or before, looks like an identifier",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="with --key or --found: only list the rows"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Redact, and print each row with its new key, for its site."""
        by = active_user(options["by"])
        key, dry_run = options["key"], options["dry_run"]
        if [bool(options["found"]), bool(options["kind"]), key is not None].count(True) != 1:
            raise CommandError(ONE_WAY)
        if key == "-":
            key = sys.stdin.readline().strip()
        try:
            if options["found"]:
                if dry_run:
                    self._list(identifying_keys())
                else:
                    self._tell(redact_identifying_keys(by=by))
            elif key is not None:
                if dry_run:
                    self._list(rows_of_key(key))
                else:
                    self._tell(redact_rows_of_key(key, by=by))
            else:
                new = options["new"]
                row = options["kind"], options["id"] or ""
                self._tell([redact_key(*row, by=by, key=new)])
        except Refusal as refusal:
            raise CommandError("; ".join(fault.detail for fault in refusal.faults)) from None

    def _list(self, rows: Iterable[tuple[str, Any]]) -> None:
        listed = list(rows)
        for kind, row in listed:
            self.stdout.write(f"{kind} {row.public_id} of {row.site.code}")
        self.stdout.write(f"{len(listed)} keys would be redacted. Nothing was changed.")

    def _tell(self, redacted: Sequence[Redacted]) -> None:
        for each in redacted:
            self.stdout.write(f"{each.kind} {each.public_id} of {each.site} is now {each.key}")
        self.stdout.write(f"{len(redacted)} keys were redacted.")
