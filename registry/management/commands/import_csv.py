"""manage.py import_csv: store the files of a site, all of them or nothing."""

from argparse import Action, ArgumentError, ArgumentParser, Namespace
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from registry.intake import ImportRefused, import_records
from registry.models import User
from registry.records import Fault, Refusal, RowKind


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


class Command(BaseCommand):
    """Imports implants, exposures and events from CSV files."""

    help = "Import CSV files of implants, exposures and events in one transaction."

    def add_arguments(self, parser: CommandParser) -> None:
        """The writer, a file for each kind, and how to store the rows."""
        parser.add_argument("--by", required=True, metavar="USERNAME", help="who imports")
        for kind in RowKind:
            parser.add_argument(
                f"--{kind.value}",
                action=OneFile,
                metavar="FILE",
                help=f"CSV file of {kind.value}",
            )
        parser.add_argument(
            "--accept", action="store_true", help="accept the events at once (data managers)"
        )
        parser.add_argument("--dry-run", action="store_true", help="check all, store nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        """Import, and print a summary, or every fault and exit with 1."""
        files = {kind: options[kind.value] for kind in RowKind if options[kind.value]}
        if not files:
            raise CommandError("Name a file: --implants, --exposures or --events.")
        by = User.objects.filter(username=options["by"], is_active=True).first()
        if by is None:
            raise CommandError("There is no active user of this name: see --by.")
        try:
            summary = import_records(
                files,
                by=by,
                accept=options["accept"],
                dry_run=options["dry_run"],
                progress=self._progress if self.stderr.isatty() else None,
            )
        except ImportRefused as refusal:
            self._tell(refusal)
            raise SystemExit(1) from None
        except Refusal as refusal:
            raise CommandError("; ".join(fault.detail for fault in refusal.faults)) from None
        for kind, count in summary.counts.items():
            self.stdout.write(
                f"{kind.value}: {count.new} new, {count.updated} updated, "
                f"{count.unchanged} unchanged"
            )
        if options["dry_run"]:
            self.stdout.write("dry run: nothing was stored")

    def _tell(self, refusal: ImportRefused) -> None:
        for fault in refusal.faults:
            self.stderr.write(_line(fault))
        if refusal.total > len(refusal.faults):
            self.stderr.write(
                f"{refusal.total} faults, of which these are the first {len(refusal.faults)}"
            )

    def _progress(self, kind: RowKind, done: int) -> None:
        self.stderr.write(f"\r{kind.value}: {done:,} rows", ending="")
        self.stderr.flush()


def _line(fault: Fault) -> str:
    return f"{fault.file}:{fault.line or 1}: {fault.column or 'file'}: {fault.detail}"
