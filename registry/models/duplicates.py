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
from registry.vocabulary import Code, State

STANDING = (State.DRAFT.value, State.SUBMITTED.value, State.ACCEPTED.value)
"""States of reports that are or may be counted; others repeat nothing."""


class AlikeReason(Code):
    """Why two reports may be of one event."""

    SAME_COMPLICATION = (
        "same-complication",
        "Same patient, same complication, at most a month apart",
        "The patient's row, the complication as reported or adjudicated, and the time agree.",
    )
    SAME_TIME = (
        "same-time",
        "Same patient, same category, month, grade and outcome",
        "The complications differ, but one is not named as the cause of the other.",
    )
    SAME_DETAILS = (
        "same-details",
        "Same complication, year, grade and device details, at most a month apart",
        "One of the reports names no implant on file, and three details or more agree.",
    )
    SAME_ANSWERS = (
        "same-answers",
        "Every answer is the same",
        "The reports differ by their keys alone.",
    )


class PairDecision(Code):
    """What somebody decided of a pair; blank while nobody has."""

    DIFFERENT = "different", "Different events", "A reviewer looked at both."
    NO_LONGER_ALIKE = "no-longer-alike", "No longer alike", "One of them was changed since."


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
