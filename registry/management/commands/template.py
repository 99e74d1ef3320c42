"""manage.py template: the workbook in which a site fills in its rows."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from registry.intake import columns_not_kept
from registry.interchange.workbook_template import template_workbook
from registry.models import Complication
from registry.records import RowKind


class Command(BaseCommand):
    """Writes the template workbook."""

    help = "Write the workbook with the code lists as drop-downs and an example line."

    def add_arguments(self, parser: CommandParser) -> None:
        """The file, and the kind of rows if not all."""
        parser.add_argument("file", metavar="FILE.xlsx")
        parser.add_argument("--kind", choices=[kind.value for kind in RowKind])

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the file."""
        kinds = [RowKind(options["kind"])] if options["kind"] else list(RowKind)
        codes = Complication.objects.current().order_by("code").values_list("code", flat=True)
        path = Path(options["file"])
        if path.suffix != ".xlsx":
            raise CommandError("Name a file that ends with .xlsx.")
        try:
            path.write_bytes(template_workbook(kinds, list(codes), without=columns_not_kept()))
        except OSError:
            raise CommandError("The file cannot be written.") from None
        self.stdout.write(f"wrote the template of {', '.join(kind.value for kind in kinds)}")
