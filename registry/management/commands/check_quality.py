"""manage.py check_quality: judge every report by the rules of data quality."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from registry.intake import judge_registry
from registry.management.by_user import active_user
from registry.records import Refusal


class Command(BaseCommand):
    """Raises the queries of rules that hold, and closes those of rules that do no longer."""

    help = "Judge all submitted and accepted events, and all implants; run it from a timer."

    def add_arguments(self, parser: CommandParser) -> None:
        """In whose name; without one it is the command's."""
        parser.add_argument("--by", metavar="USERNAME", help="the data manager")

    def handle(self, *args: Any, **options: Any) -> None:
        """Judge, and print how many queries were raised and closed."""
        by = active_user(options["by"]) if options["by"] else None
        try:
            raised, closed = judge_registry(by=by)
        except Refusal as refusal:
            raise CommandError("; ".join(fault.detail for fault in refusal.faults)) from None
        self.stdout.write(f"{raised} queries were raised and {closed} closed.")
