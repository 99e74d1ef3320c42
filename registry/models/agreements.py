"""Data-use agreements, under which researchers read exact statistics of all sites."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import Self

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import F, Q

from registry.models.access import User
from registry.models.audit import SealedRecords
from registry.models.rules import code_field, coded, rule
from registry.vocabulary import AgreementDecision, Right

MOST_PURPOSE, MOST_ANSWERABLE, MOST_REASON = 300, 120, 200
"""Characters of each text: enough for a study, too few for a case."""


UNDECIDED = ("", AgreementDecision.FIRST_GRANT.value)
WITH_A_REASON = (AgreementDecision.DECLINED.value, AgreementDecision.ENDED.value)


CLOSED = (*WITH_A_REASON, AgreementDecision.WITHDRAWN.value)
"""Decisions after which the same may be asked for again."""


class AgreementQuerySet(models.QuerySet["Agreement"]):
    """Agreements, and requests for them."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """All to data managers, their own to others."""
        if not isinstance(user, User):
            return self.none()
        return self.all() if user.may(Right.RUN_REGISTRY) else self.filter(user=user)

    def undecided(self) -> Self:
        """Requests that are neither granted nor turned down."""
        return self.filter(decision__in=UNDECIDED)

    def decidable_by(self, manager: User) -> Self:
        """Requests that this data manager may decide: not his or her own, nor a second time."""
        return self.undecided().exclude(user=manager).exclude(granted_by=manager)

    def granted(self) -> Self:
        """Those that were granted and not ended, whether or not their last day has passed."""
        return self.filter(decision=AgreementDecision.GRANTED)

    def current(self, today: date) -> Self:
        """Those that hold on this day."""
        return self.granted().filter(expires_on__gte=today)

    def ending(self, today: date) -> Self:
        """Those that end within REGISTRY_AGREEMENT_REMINDER_DAYS and were not renewed."""
        last = today + timedelta(days=settings.REGISTRY_AGREEMENT_REMINDER_DAYS)
        renewed = Agreement.objects.granted().filter(renews=models.OuterRef("pk"))
        return self.current(today).filter(~models.Exists(renewed), expires_on__lte=last)


class Agreement(models.Model):
    """A data-use agreement, or the request for one.

    user: the researcher. expires_on: the last day, as asked for until it is granted.
    granted_by, confirmed_by: the data manager who granted it, and the second where two are needed.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="agreements", verbose_name="researcher"
    )
    reference = models.CharField(max_length=80, help_text="The protocol or ethics number.")
    purpose = models.CharField(
        max_length=MOST_PURPOSE, help_text="What the study asks. Name no patient."
    )
    answerable = models.CharField(
        "who is answerable",
        max_length=MOST_ANSWERABLE,
        blank=True,
        default="",
        help_text="Who answers for the study, and where.",
    )
    expires_on = models.DateField("last day", help_text="The last day on which it holds.")
    decision = code_field(AgreementDecision)
    reason = models.CharField(max_length=MOST_REASON, blank=True, default="")
    granted_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    confirmed_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    renews = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="renewals"
    )
    reminded_on = models.DateField(null=True, blank=True, editable=False)

    history = SealedRecords(excluded_fields=["public_id"])
    objects = AgreementQuerySet.as_manager()

    class Meta:
        ordering = ["-expires_on"]
        constraints = [
            coded("decision", AgreementDecision),
            rule(
                "reason_where_turned_down",
                (Q(decision__in=WITH_A_REASON) & ~Q(reason=""))
                | (~Q(decision__in=WITH_A_REASON) & Q(reason="")),
                "Give a reason where it is declined or ended, and only there.",
            ),
            rule(
                "nobody_grants_their_own",
                Q(granted_by__isnull=True) | ~Q(granted_by=F("user")),
                "Another data manager grants it: nobody grants their own.",
            ),
            rule(
                "second_is_another_person",
                Q(confirmed_by__isnull=True)
                | (
                    Q(granted_by__isnull=False)
                    & ~Q(confirmed_by=F("granted_by"))
                    & ~Q(confirmed_by=F("user"))
                ),
                "The second data manager is neither the first nor the researcher.",
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def is_undecided(self) -> bool:
        """Whether it still waits for a data manager."""
        return self.decision in UNDECIDED

    def is_current(self, today: date) -> bool:
        """Whether it holds on this day."""
        return self.decision == AgreementDecision.GRANTED and self.expires_on >= today

    def is_renewable(self, today: date) -> bool:
        """Whether it holds, and no renewal waits or was granted."""
        following = [one for one in self.renewals.all() if one.decision not in CLOSED]
        return self.is_current(today) and not following

    def standing(self, today: date) -> str:
        """Where it stands on this day, in a word or three."""
        if self.decision == AgreementDecision.GRANTED and self.expires_on < today:
            return "Expired"
        return AgreementDecision.of(self.decision).label if self.decision else "Asked for"
