"""Frozen data: which there are, and what is in them. The files themselves lie in REGISTRY_VAR."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from registry.models.rules import code_field, coded, rule
from registry.vocabulary import SnapshotKind


class Snapshot(models.Model):
    """Frozen data from which statistics are or were computed."""

    snapshot_id = models.CharField(max_length=64, unique=True)
    kind = code_field(SnapshotKind, blank=False)
    label = models.CharField(max_length=40, blank=True, default="")
    schema_version = models.CharField(max_length=20)
    catalogue_version = models.CharField(max_length=40)
    events = models.PositiveIntegerField()
    implants = models.PositiveIntegerField()
    exposures = models.PositiveIntegerField()
    data_as_of = models.DateTimeField(null=True, blank=True)
    seal_number = models.BigIntegerField(null=True, blank=True)
    made_at = models.DateTimeField(default=timezone.now, editable=False)
    early = models.BooleanField(
        "published early",
        default=False,
        editable=False,
        help_text="Before its time, or with less changed than is asked for; readers are told.",
    )

    class Meta:
        ordering = ["-made_at"]
        constraints = [
            coded("kind", SnapshotKind, blank=False),
            models.UniqueConstraint(
                fields=["label"],
                condition=~Q(label=""),
                name="%(app_label)s_%(class)s_label_once",
                violation_error_message="A release of this label exists already.",
            ),
            rule(
                "release_has_a_label",
                Q(kind=SnapshotKind.WORKING, label="")
                | Q(kind=SnapshotKind.RELEASE) & ~Q(label=""),
                "A release has a label, and a working snapshot has none.",
            ),
        ]

    def __str__(self) -> str:
        return self.label or self.snapshot_id
