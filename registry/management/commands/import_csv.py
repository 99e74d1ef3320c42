"""manage.py import_csv: store the files of a site, all of them or nothing."""

import csv
from argparse import Action, ArgumentError, ArgumentParser, Namespace
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from registry.intake import (
    FaultKind,
    ImportRefused,
    Wording,
    close_round,
    import_records,
    wording_of,
)
from registry.models import User
from registry.records import Fault, Refusal, RowKind
from registry.records.readings import FileReading


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
    """Imports implants, exposures and events from CSV files and workbooks."""

    help = "Import files (CSV, .xlsx) of implants, exposures and events in one transaction."

    def add_arguments(self, parser: CommandParser) -> None:
        """The writer, a file for each kind, how to read it, and how to store the rows."""
        parser.add_argument("--by", required=True, metavar="USERNAME", help="who imports")
        for kind in RowKind:
            parser.add_argument(
                f"--{kind.value}",
                action=OneFile,
                metavar="FILE",
                help=f"CSV file or workbook of {kind.value}",
            )
        parser.add_argument(
            "--accept", action="store_true", help="accept the events at once (data managers)"
        )
        parser.add_argument(
            "--close-round",
            metavar="SITE",
            help="then close the site's follow-up round (leads and data managers)",
        )
        parser.add_argument("--dry-run", action="store_true", help="check all, store nothing")
        parser.add_argument(
            "--blank",
            default="",
            metavar="WORD[,WORD]",
            help="take these words as empty where they are no code of the column",
        )
        parser.add_argument(
            "--mapping", metavar="FILE", help="JSON: column -> {word of the file: our code}"
        )
        parser.add_argument("--faults", metavar="FILE", help="write every single fault as CSV")

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
                wording=_wording(by, options["blank"], options["mapping"]),
                progress=self._progress if self.stderr.isatty() else None,
            )
        except ImportRefused as refusal:
            self._say_how_read(refusal.readings)
            self._tell(refusal)
            if options["faults"]:
                _write(Path(options["faults"]), refusal.every)
            raise SystemExit(1) from None
        except Refusal as refusal:
            raise CommandError("; ".join(fault.detail for fault in refusal.faults)) from None
        self._say_how_read(summary.readings)
        for kind, count in summary.counts.items():
            self.stdout.write(
                f"{kind.value}: {count.new} new, {count.updated} updated, "
                f"{count.unchanged} unchanged"
            )
        if options["dry_run"]:
            self.stdout.write("dry run: nothing was stored")
        elif options["close_round"]:
            self._close(options["close_round"], by)

    def _close(self, code: str, by: User) -> None:
        """Close the site's round once the rows are stored; they stay where it is refused."""
        try:
            site = close_round(code, by=by)
        except Refusal as refusal:
            told = "; ".join(fault.detail for fault in refusal.faults)
            raise CommandError(f"The rows are stored; the round stays open: {told}") from None
        self.stdout.write(f"{site}: follow-up round {site.round_number} is closed")

    def _say_how_read(self, readings: Mapping[RowKind, FileReading]) -> None:
        for kind, reading in readings.items():
            for sentence in reading.sentences():
                self.stdout.write(f"{kind.value}: {sentence}")

    def _tell(self, refusal: ImportRefused) -> None:
        for kind in refusal.kinds:
            self.stderr.write(_kind_line(kind))
        for fault in refusal.faults:
            self.stderr.write(_line(fault))
        if refusal.total > len(refusal.faults):
            self.stderr.write(
                f"{refusal.total} faults, of which these are the first {len(refusal.faults)}"
            )
        words = sorted(
            {word for each in refusal.readings.values() for word in each.words_for_empty}
        )
        if words:
            self.stderr.write(f"to take these words as empty: --blank {','.join(words)}")

    def _progress(self, kind: RowKind, done: int) -> None:
        self.stderr.write(f"\r{kind.value}: {done:,} rows", ending="")
        self.stderr.flush()


def _wording(by: User, blank: str, mapping: str | None) -> Wording:
    """The sender's mapping over that of the own sites, and the words taken as empty.

    Raises CommandError for a file that cannot be read, Refusal for a mapping with faults.
    """
    text: bytes | None = None
    if mapping is not None:
        try:
            text = Path(mapping).read_bytes()
        except OSError:
            raise CommandError("The file of --mapping cannot be opened.") from None
    words = tuple(word.strip() for word in blank.split(",") if word.strip())
    return wording_of(by, mapping=text, blank=words)


def _kind_line(kind: FaultKind) -> str:
    return f"{kind.file}: {kind.column or 'file'}: {kind.detail}: {kind.counted}"


def _line(fault: Fault) -> str:
    return f"{fault.file}:{fault.line or 1}: {fault.column or 'file'}: {fault.detail}"


def _write(path: Path, faults: Iterable[Fault]) -> None:
    """Every fault as CSV: file, line, column, code and message, never a value."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("file", "line", "column", "code", "message"))
        writer.writerows((f.file, f.line, f.column, f.code, f.detail) for f in faults)
