"""Redactions: what a seal's history rows amount to since a key in them was replaced."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from registry.models.audit import SealedRecords
from registry.models.rules import rule

REDACTED_KINDS = ("patient", "implant", "event")
"""The tables whose rows have a key of their own."""


class Redaction(models.Model):
    """The digest of an earlier seal's history rows after a key in them was replaced.

    The earlier seal keeps its own digest and hash, so that the chain holds; this row, under a later
    seal, says what its rows are now, and for which row and by whom the key was replaced.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    row_kind = models.CharField(max_length=20, help_text="The table of the row.")
    row = models.UUIDField(db_index=True, help_text="The public id of the row.")
    of_seal = models.BigIntegerField(db_index=True, help_text="The seal over the old history rows.")
    digest = models.CharField(max_length=64, help_text="SHA-256 of those rows as they are now.")
    seal = models.ForeignKey(
        "registry.Seal", on_delete=models.PROTECT, related_name="+", editable=False
    )

    history = SealedRecords()

    class Meta:
        ordering = ["pk"]
        constraints = [
            rule(
                "row_kind_has_keys",
                Q(row_kind__in=REDACTED_KINDS),
                "Only patients, implants and events have keys.",
            ),
            rule(
                "of_an_earlier_seal",
                Q(of_seal__gte=1) & Q(of_seal__lt=models.F("seal_id")),
                "A redaction is of an earlier seal.",
            ),
        ]

    def __str__(self) -> str:
        return f"Redaction of seal {self.of_seal}"
