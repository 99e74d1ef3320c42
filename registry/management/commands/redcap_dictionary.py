"""manage.py redcap_dictionary: our rows as instruments of a REDCap project."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from registry.intake import columns_not_kept
from registry.interchange.redcap import (
    FORMS,
    dictionary_csv,
    dictionary_rows,
    instrument_zip,
)
from registry.models import Complication
from registry.records import RowKind


class Command(BaseCommand):
    """Writes REDCap's data dictionary of our rows."""

    help = "Write a REDCap data dictionary of all kinds of rows, and an instrument zip of each."

    def add_arguments(self, parser: CommandParser) -> None:
        """The folder."""
        parser.add_argument("folder", metavar="FOLDER")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the files, and print their names."""
        current = Complication.objects.current().order_by("category__sort_order", "name")
        complications = list(current.values_list("code", "name"))
        without = columns_not_kept()
        whole = dictionary_rows(RowKind, complications, without=without)
        files = {"data-dictionary.csv": dictionary_csv(whole)}
        for kind in RowKind:
            files[f"{FORMS[kind]}.zip"] = instrument_zip(kind, complications, without=without)
        folder = Path(options["folder"])
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name, content in files.items():
                (folder / name).write_bytes(content)
        except OSError:
            raise CommandError("The folder cannot be written.") from None
        self.stdout.write("\n".join(files))
