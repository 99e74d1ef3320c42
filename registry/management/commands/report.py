"""manage.py report: the yearly report of a release as one HTML file to print."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from registry import reporting
from registry.answers.printed import document_of
from registry.answers.yearly import report_of
from registry.records import BadQuery, Viewer

READER = Viewer(label="report")
"""Nobody in particular: protected numbers, of every release."""


class Command(BaseCommand):
    """Writes the report of a release; exit 1 where nothing of it is answered."""

    help = (
        "Write the yearly report of a release as one HTML file for print, with protected numbers "
        "only: participation, completeness, every category, products, methods, and receipts."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The release, and the file."""
        parser.add_argument("--release", required=True, metavar="LABEL")
        parser.add_argument("--output", type=Path, metavar="FILE", help="standard output without")

    def handle(self, *args: Any, release: str, output: Path | None, **options: Any) -> None:
        """Write the report, and say which parts were refused."""
        try:
            report = report_of(release, READER)
        except BadQuery as refusal:
            raise CommandError(" ".join(fault.detail for fault in refusal.faults)) from None
        if report.refused:
            raise CommandError(" ".join(fault.detail for fault in report.refused.faults))
        newest = next((str(each["label"]) for each in reporting.snapshots(READER)), "")
        html = document_of(report, newest=newest).html
        if output is None:
            self.stdout.write(html, ending="")
            return
        try:
            output.write_text(html, encoding="utf-8")
        except OSError:
            raise CommandError("The file cannot be written.") from None
        refused = len(report.parts) - len(report.answered)
        self.stdout.write(
            f"{output}: {len(report.answered)} answers of release {release}, {refused} refused."
        )
