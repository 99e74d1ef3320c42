"""Roles that see all sites, proposed by one data manager and in force once another confirms."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Self

from django.db import models
from django.db.models import F, Q

from registry.models.access import User
from registry.models.audit import SealedRecords
from registry.models.rules import code_field, coded, rule
from registry.vocabulary import ProposalDecision, Role


class RoleProposalQuerySet(models.QuerySet["RoleProposal"]):
    """Proposals, decided or not."""

    def undecided(self) -> Self:
        """Those that nobody has decided, also where their last day has passed."""
        return self.filter(decision="")

    def waiting(self, today: date) -> Self:
        """Those that can be decided on this day."""
        return self.undecided().filter(expires_on__gte=today)

    def confirmable_by(self, manager: User, today: date) -> Self:
        """Those that wait for this data manager: not by or for oneself."""
        return self.waiting(today).exclude(proposed_by=manager).exclude(user=manager)


class RoleProposal(models.Model):
    """One role proposed for one person; until it is confirmed the person does not hold it.

    expires_on: the last day on which it can be confirmed.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="role_proposals", verbose_name="person"
    )
    role = code_field(Role, blank=False)
    proposed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    expires_on = models.DateField("last day to confirm")
    decision = code_field(ProposalDecision)
    decided_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    history = SealedRecords(excluded_fields=["public_id"])
    objects = RoleProposalQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = "proposed role"
        constraints = [
            coded("role", Role, blank=False),
            coded("decision", ProposalDecision),
            models.UniqueConstraint(
                fields=["user", "role"],
                condition=Q(decision=""),
                name="%(app_label)s_%(class)s_once_at_a_time",
                violation_error_message="This role is proposed for this person already.",
            ),
            rule(
                "confirmed_by_another",
                ~Q(decision=ProposalDecision.CONFIRMED)
                | (
                    Q(decided_by__isnull=False)
                    & ~Q(decided_by=F("proposed_by"))
                    & ~Q(decided_by=F("user"))
                ),
                "A second data manager confirms it: neither who proposed it nor the person.",
            ),
        ]

    def __str__(self) -> str:
        return f"{Role.of(self.role).label} for {self.user}"

    def is_waiting(self, today: date) -> bool:
        """Whether it can be decided on this day."""
        return not self.decision and self.expires_on >= today

    def standing(self, today: date) -> str:
        """Where it stands on this day, in words."""
        if self.decision:
            return ProposalDecision.of(self.decision).label
        return "Waits for a second data manager" if self.is_waiting(today) else "Expired"
