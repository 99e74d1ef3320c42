"""manage.py import_redcap: store a raw export of a REDCap project, all of it or nothing."""

from typing import Any

from django.core.management.base import CommandParser

from registry.intake import ImportRefused, ImportSummary, WrittenRows, import_records, wording_of
from registry.interchange.redcap_export import RedcapExport
from registry.management.import_command import ImportCommand
from registry.models import User
from registry.records import Refusal


class Command(ImportCommand):
    """Imports the rows of a REDCap export through the door of any file."""

    help = "Import REDCap's raw CSV export of the instruments of redcap_dictionary."

    def add_arguments(self, parser: CommandParser) -> None:
        """The writer, the file, and how to store the rows."""
        super().add_arguments(parser)
        parser.add_argument("file", metavar="FILE.csv")

    def handle(self, *args: Any, **options: Any) -> None:
        """Import, and print a summary, or every fault and exit with 1."""

        def run(by: User) -> ImportSummary:
            try:
                export = RedcapExport(options["file"])
                files = {kind: WrittenRows(export.reports(kind)) for kind in export.kinds}
            except Refusal as refusal:
                raise ImportRefused(refusal.faults, total=len(refusal.faults)) from None
            if not files:
                self.stdout.write("no line of this file holds a row of our instruments")
            return import_records(
                files,
                by=by,
                accept=options["accept"],
                dry_run=options["dry_run"],
                wording=wording_of(by, blank=options["blank"]),
                progress=self.tell_progress,
            )

        self.run_import(run, options)
