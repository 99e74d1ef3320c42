"""Delete expired replies, tokens and sessions."""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.models import Session
from django.core.management.base import BaseCommand
from django.db.models import QuerySet
from django.utils import timezone

from registry.models import IdempotencyKey, Token


class Command(BaseCommand):
    """Deletes expired replies to writes, tokens and sessions; fit for a timer."""

    help = (
        "Deletes replies kept for an Idempotency-Key for more than 24 hours, and expired tokens "
        "and sessions. Run it from a timer, such as once an hour."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Delete them, and say how many of each."""
        now = timezone.now()
        expired: dict[str, QuerySet[Any]] = {
            "replies": IdempotencyKey.objects.expired(now),
            "tokens": Token.objects.filter(expiry__lte=now),
            "sessions": Session.objects.filter(expire_date__lte=now),
        }
        gone = [f"{noun} {rows.delete()[0]}" for noun, rows in expired.items()]
        self.stdout.write(f"Deleted what had expired: {', '.join(gone)}")
