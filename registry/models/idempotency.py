"""Replies to writes that are kept for a day, so that a write sent again writes once."""

from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.utils import timezone

from registry.models.access import User

REPLY_KEPT = timedelta(hours=24)
"""How long a key is bound to its request; afterwards it may be reused, and the reply is purged."""


class IdempotencyKeyQuerySet(models.QuerySet["IdempotencyKey"]):
    """Stored replies, some of them expired."""

    def expired(self, now: datetime) -> Self:
        """Only those that are no longer replayed."""
        return self.filter(created_at__lte=now - REPLY_KEPT)


class IdempotencyKey(models.Model):
    """The stored reply to a write: the same key gets the same reply, for REPLY_KEPT."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=255)
    method_path = models.CharField(max_length=255)
    body_digest = models.CharField(max_length=64)  # of the query and the body
    status = models.PositiveSmallIntegerField()
    reply = models.JSONField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = IdempotencyKeyQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["user", "key"], name="%(app_label)s_%(class)s_once")
        ]

    def __str__(self) -> str:
        return f"{self.method_path} of {self.user}"
