"""manage.py redact: replace keys that should never have been stored, in history too."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from registry.intake import identifying_keys, redact_identifying_keys, redact_key
from registry.intake.redaction import KEYED, Redacted
from registry.management.by_user import active_user
from registry.models import User
from registry.records import Refusal


class Command(BaseCommand):
    """Redacts the key of one row, or every stored key that no door takes today."""

    help = (
        "Replace the key of a patient, implant or event everywhere, its history included, under a"
        " seal. Never prints an old key."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The data manager, and what to redact."""
        parser.add_argument("--by", required=True, metavar="USERNAME", help="the data manager")
        parser.add_argument("kind", nargs="?", choices=list(KEYED), help="the kind of row")
        parser.add_argument("id", nargs="?", help="the public id of the row")
        parser.add_argument("--key", default="", help="the new key; without it a random one")
        parser.add_argument(
            "--found",
            action="store_true",
            help="every row whose key, now or before, looks like an identifier",
        )
        parser.add_argument("--dry-run", action="store_true", help="with --found: only list them")

    def handle(self, *args: Any, **options: Any) -> None:
        """Redact, and print each row with its new key, for its site."""
        by = active_user(options["by"])
        if options["found"] == bool(options["kind"]):
            raise CommandError("Name a kind and an id, or --found.")
        try:
            if options["found"]:
                self._redact_found(by, dry_run=options["dry_run"])
            else:
                key = options["key"]
                self._tell(redact_key(options["kind"], options["id"] or "", by=by, key=key))
        except Refusal as refusal:
            raise CommandError("; ".join(fault.detail for fault in refusal.faults)) from None

    def _redact_found(self, by: User, *, dry_run: bool) -> None:
        if dry_run:
            rows = list(identifying_keys())
            for kind, row in rows:
                self.stdout.write(f"{kind} {row.public_id} of {row.site.code}")
            self.stdout.write(f"{len(rows)} keys look like identifiers. Nothing was changed.")
            return
        redacted = redact_identifying_keys(by=by)
        for each in redacted:
            self._tell(each)
        self.stdout.write(f"{len(redacted)} keys were redacted.")

    def _tell(self, redacted: Redacted) -> None:
        self.stdout.write(
            f"{redacted.kind} {redacted.public_id} of {redacted.site} is now {redacted.key}"
        )
