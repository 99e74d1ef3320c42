"""manage.py export_csv: a site's own rows, as import_csv takes them."""

import csv
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from registry.intake import export_rows, site_to_export
from registry.management.by_user import active_user
from registry.records import Refusal, RowKind


class Command(BaseCommand):
    """Writes a site's rows as CSV files."""

    help = "Write a site's own rows as implants.csv, exposures.csv and events.csv."

    def add_arguments(self, parser: CommandParser) -> None:
        """The reader, the site and the folder."""
        parser.add_argument("--by", required=True, metavar="USERNAME", help="who exports")
        parser.add_argument("--site", required=True, metavar="CODE")
        parser.add_argument("folder", metavar="FOLDER")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write a file for each kind, and print its rows."""
        by = active_user(options["by"])
        try:
            site = site_to_export(options["site"], by=by)
        except Refusal as refusal:
            raise CommandError("; ".join(fault.detail for fault in refusal.faults)) from None
        folder = Path(options["folder"])
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for kind in RowKind:
                with (folder / f"{kind.value}.csv").open("w", newline="", encoding="utf-8") as file:
                    written = -1
                    writer = csv.writer(file)
                    for line in export_rows(site, kind, by=by):
                        writer.writerow(line)
                        written += 1
                self.stdout.write(f"{kind.value}: {written} rows")
        except OSError:
            raise CommandError("The folder cannot be written.") from None
