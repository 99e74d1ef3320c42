"""What the commands that import files have in common: who imports, and how faults are told."""

import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from registry.intake import FaultKind, ImportRefused, ImportSummary
from registry.interchange.fault_list import write_faults
from registry.management.by_user import active_user
from registry.models import User
from registry.records import Fault, Refusal, RowKind
from registry.records.readings import FileReading

Import = Callable[[User], ImportSummary]


class ImportCommand(BaseCommand):
    """Imports rows, prints a line for each kind, or every fault and exits with 1."""

    def add_arguments(self, parser: CommandParser) -> None:
        """The writer, and how to store the rows."""
        parser.add_argument("--by", required=True, metavar="USERNAME", help="who imports")
        parser.add_argument(
            "--accept", action="store_true", help="accept the events at once (data managers)"
        )
        parser.add_argument("--dry-run", action="store_true", help="check all, store nothing")
        parser.add_argument(
            "--blank",
            default="",
            metavar="WORD[,WORD]",
            help="take these words as empty where they are no code of the column",
        )
        parser.add_argument("--faults", metavar="FILE", help="write every single fault as CSV")

    def run_import(self, run: Import, options: Mapping[str, Any]) -> None:
        """Runs an import as its user, and says what came of it.

        Raises CommandError where there is no such user or right, SystemExit where rows have faults.
        """
        by = active_user(options["by"])
        try:
            summary = run(by)
        except ImportRefused as refusal:
            self._say_how_read(refusal.readings)
            self._tell(refusal)
            if options["faults"]:
                try:
                    with Path(options["faults"]).open("w", newline="", encoding="utf-8") as file:
                        write_faults(refusal.every, file)
                except OSError:
                    raise CommandError("The file of --faults cannot be written.") from None
            raise SystemExit(1) from None
        except Refusal as refusal:
            raise CommandError("; ".join(fault.detail for fault in refusal.faults)) from None
        self._say_how_read(summary.readings)
        if summary.new_sites:
            self.stdout.write(f"new sites: {summary.named_new_sites}")
        for kind, count in summary.counts.items():
            self.stdout.write(
                f"{kind.value}: {count.new} new, {count.updated} updated, "
                f"{count.unchanged} unchanged"
                + (f", {count.skipped} skipped" if count.skipped else "")
            )
        for code, number in summary.closed.items():
            self.stdout.write(f"{code}: follow-up round {number} is closed")
        if options["dry_run"]:
            self.stdout.write("dry run: nothing was stored")

    def tell_progress(self, kind: RowKind, done: int) -> None:
        """Says on a terminal how many rows were read so far."""
        if self.stderr.isatty():
            self.stderr.write(f"\r{kind.value}: {done:,} rows", ending="")
            self.stderr.flush()

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
        if refusal.words_for_empty:
            words = shlex.quote(",".join(refusal.words_for_empty))
            self.stderr.write(f"to take these words as empty: --blank={words}")


def _kind_line(kind: FaultKind) -> str:
    return f"{kind.file}: {kind.column or 'file'}: {kind.detail}: {kind.counted}"


def _line(fault: Fault) -> str:
    return f"{fault.file}:{fault.line or 1}: {fault.column or 'file'}: {fault.detail}"
