"""Pairs of reports that may be of one event, with reasons; people decide, never the registry."""

from __future__ import annotations

import uuid
from typing import Self

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import F, Q

from registry.models.access import Site, User
from registry.models.audit import SealedRecords
from registry.models.events import Event
from registry.models.fields import CodeSetField
from registry.models.rules import code_field, coded, rule
from registry.vocabulary import AlikeReason, PairDecision, State

STANDING = (State.DRAFT.value, State.SUBMITTED.value, State.ACCEPTED.value)
"""States of reports that are or may be counted; others repeat nothing."""


class DuplicateCandidateQuerySet(models.QuerySet["DuplicateCandidate"]):
    """Pairs, read as parts of a sentence."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Those of reports that the caller may see: both are of one site."""
        return self.filter(first__in=Event.objects.visible_to(user))

    def open(self) -> Self:
        """Those that nobody decided, of two reports that still stand."""
        return self.filter(decision="", first__state__in=STANDING, second__state__in=STANDING)

    def of(self, event: Event) -> Self:
        """Those with this report."""
        return self.filter(Q(first=event) | Q(second=event))


class DuplicateCandidate(models.Model):
    """Two reports of one site that may be of one event; `first` was stored before `second`."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="+")
    first = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="alike_later")
    second = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="alike_earlier")
    reasons = CodeSetField(codes=AlikeReason)
    decision = code_field(PairDecision)
    seal = models.ForeignKey(
        "registry.Seal", on_delete=models.PROTECT, related_name="+", editable=False
    )

    history = SealedRecords(excluded_fields=["public_id"])
    objects = DuplicateCandidateQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["first", "second"],
                name="%(app_label)s_%(class)s_once",
                violation_error_message="These two reports are a pair already.",
            ),
            rule("first_is_earlier", Q(first__lt=F("second")), "Name the earlier report first."),
            rule(
                "reasons_are_coded",
                Q(reasons__gte=1, reasons__lt=1 << len(AlikeReason)),
                "Give a reason of the list at least.",
            ),
            coded("decision", PairDecision),
        ]

    def __str__(self) -> str:
        return str(self.public_id)

    def other(self, event: Event) -> Event:
        """The report beside this one."""
        return self.second if self.first_id == event.pk else self.first

    def other_id(self, event: Event) -> int:
        """Its primary key."""
        return self.second_id if self.first_id == event.pk else self.first_id
