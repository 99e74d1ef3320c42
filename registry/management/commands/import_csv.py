"""manage.py import_csv: store the files of a site, all of them or nothing."""

from argparse import Action, ArgumentError, ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from registry.intake import (
    ImportSummary,
    OnConflict,
    Wording,
    import_records,
    wording_of,
)
from registry.management.import_command import ImportCommand
from registry.models import User
from registry.records import Refusal, RowKind


class OneFile(Action):
    """A file option that may be given once; argparse would keep the last only."""

    def __call__(
        self,
        parser: ArgumentParser,
        namespace: Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Store the file; refuse a second one."""
        if getattr(namespace, self.dest) is not None:
            raise ArgumentError(self, "name one file of each kind; import the other one after it")
        setattr(namespace, self.dest, values)


class Command(ImportCommand):
    """Imports implants, exposures and events from CSV files and workbooks."""

    help = "Import files (CSV, .xlsx) of implants, exposures and events in one transaction."

    def add_arguments(self, parser: CommandParser) -> None:
        """The writer, a file for each kind, how to read it, and how to store the rows."""
        super().add_arguments(parser)
        for kind in RowKind:
            parser.add_argument(
                f"--{kind.value}",
                action=OneFile,
                metavar="FILE",
                help=f"CSV file or workbook of {kind.value}",
            )
        parser.add_argument(
            "--close-round",
            action="store_true",
            help="the implants are all of their sites: close their follow-up rounds (leads and "
            "data managers); refused with the implants on file that are missing",
        )
        parser.add_argument(
            "--on-conflict",
            choices=[each.value for each in OnConflict],
            default=OnConflict.REFUSE.value,
            help="what becomes of rows that differ from the stored ones: a fault, left as they "
            "are, or changed in the columns of the file where you may change them",
        )
        parser.add_argument(
            "--mapping", metavar="FILE", help="JSON: column -> {word of the file: our code}"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Import, and print a summary, or every fault and exit with 1."""
        files = {kind: options[kind.value] for kind in RowKind if options[kind.value]}
        if not files:
            raise CommandError("Name a file: --implants, --exposures or --events.")
        if options["close_round"] and RowKind.IMPLANT not in files:
            raise CommandError("--close-round needs the file of all implants: --implants.")

        def run(by: User) -> ImportSummary:
            return import_records(
                files,
                by=by,
                accept=options["accept"],
                dry_run=options["dry_run"],
                wording=_wording(by, options["blank"], options["mapping"]),
                progress=self.tell_progress,
                on_conflict=OnConflict(options["on_conflict"]),
                close_rounds=options["close_round"],
            )

        self.run_import(run, options)


def _wording(by: User, blank: str, mapping: str | None) -> Wording:
    """The sender's mapping over that of the own sites, and the words taken as empty.

    Raises CommandError for a mapping that cannot be read or has faults.
    """
    text: bytes | None = None
    if mapping is not None:
        try:
            text = Path(mapping).read_bytes()
        except OSError:
            raise CommandError("The file of --mapping cannot be opened.") from None
    try:
        return wording_of(by, mapping=text, blank=blank)
    except Refusal as refusal:
        said = "; ".join(f"{fault.column}: {fault.detail}" for fault in refusal.faults)
        raise CommandError(f"--mapping: {said}") from None
