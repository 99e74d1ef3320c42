"""Who asked unusually many different protected questions, for a data manager or an auditor."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.db.models import Count, Max
from django.db.models.functions import TruncDate
from django.utils import timezone

from registry.models import AccessLog
from registry.reporting import NOTED_AS

DAYS, LEAST = 30, 500


class Command(BaseCommand):
    """Lists people by how many different protected questions they asked; refuses nothing."""

    help = (
        "Lists who asked many different protected questions: somebody who goes through all of "
        "them may be after single patients. Nothing is refused for it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the days that are looked at, and how many questions are many."""
        parser.add_argument("--days", type=int, default=DAYS, help="look back so many days")
        parser.add_argument("--least", type=int, default=LEAST, help="questions that are many")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print a line for each, the most curious first."""
        since = timezone.now() - timedelta(days=options["days"])
        asked = (
            AccessLog.objects.filter(action=NOTED_AS, at__gte=since)
            .values("user__username")
            .annotate(
                questions=Count("what", distinct=True),
                days=Count(TruncDate("at"), distinct=True),
                last=Max("at"),
            )
            .filter(questions__gte=options["least"])
            .order_by("-questions", "user__username")
        )
        for each in asked:
            self.stdout.write(
                f"{each['user__username']}: different questions {each['questions']}, on days "
                f"{each['days']}, last on {each['last']:%Y-%m-%d}"
            )
        if not asked:
            self.stdout.write(
                f"Nobody asked {options['least']} different protected questions or more in "
                f"{options['days']} days."
            )
