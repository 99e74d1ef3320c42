"""Frozen data: which there are, and what is in them. The files themselves lie in REGISTRY_VAR."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from registry.models.audit import SealedRecords
from registry.models.rules import code_field, coded, rule
from registry.vocabulary import SnapshotKind


class AsOfKept(models.Model):
    """The last seal among a release's data, by the name it has beside the history row's own."""

    as_of_seal = models.BigIntegerField(null=True, blank=True)

    class Meta:
        abstract = True


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

    history = SealedRecords(excluded_fields=["seal_number"], bases=[AsOfKept])

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

    @property
    def is_sealed(self) -> bool:
        """Whether it is written under seals: releases are, working snapshots come and go."""
        return self.kind == SnapshotKind.RELEASE

    @classmethod
    def sealed_rows(cls) -> models.QuerySet["Snapshot"]:
        """The rows that `is_sealed` is true of."""
        return cls._default_manager.filter(kind=SnapshotKind.RELEASE)

    def history_extras(self) -> dict[str, object]:
        """What the history row stores besides the columns: up to which seal the data go."""
        return {"as_of_seal": self.seal_number}
