"""manage.py load_catalogue: load the shipped catalogue of complications."""

from typing import Any

from django.core.management.base import BaseCommand

from registry.intake import load_catalogue


class Command(BaseCommand):
    """Loads the shipped catalogue; a second time changes nothing."""

    help = "Load the shipped catalogue of complications; idempotent."

    def handle(self, *args: Any, **options: Any) -> None:
        """Load it, and print what is new and which local edits differ."""
        summary = load_catalogue()
        self.stdout.write(
            f"catalogue {summary.version}: {summary.new} new, {summary.updated} updated, "
            f"{summary.retired} retired, {summary.unchanged} unchanged"
        )
        for code, column in summary.kept:
            self.stdout.write(f"{code}: the local edit of {column.removesuffix('_id')} stands")
