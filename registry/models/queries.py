"""Queries: what reviewers, or rules of data quality, ask a site about one answer."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from registry.models.access import Site, SiteRowsQuerySet
from registry.models.audit import SealedRecords
from registry.models.events import Event
from registry.models.exposure import Implant
from registry.models.rules import all_coded, code_field, rule
from registry.records import RowKind
from registry.records.columns import DECLARED
from registry.vocabulary import QualityRule, QueryAnswer, QueryAsk, QueryState

FIELDS = {
    name: column.title
    for kind in (RowKind.IMPLANT, RowKind.EVENT)
    for name, column in DECLARED[kind].items()
}
"""The fields that a query may be about, with their titles."""

UNSETTLED = (QueryState.OPEN.value, QueryState.ANSWERED.value)
"""States of queries that somebody has still to look at."""


class QueryQuerySet(SiteRowsQuerySet):
    """Queries, read as parts of a sentence."""

    def open(self) -> QueryQuerySet:
        """Those that wait for the site."""
        return self.filter(state=QueryState.OPEN)

    def answered(self) -> QueryQuerySet:
        """Those that wait for a reviewer."""
        return self.filter(state=QueryState.ANSWERED)

    def unsettled(self) -> QueryQuerySet:
        """Those that are not closed."""
        return self.filter(state__in=UNSETTLED)


class Query(models.Model):
    """One question about one answer of an event or an implant, in codes alone.

    rule: the rule that asked, blank where a reviewer did. column: the field that is asked about.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="queries")
    event = models.ForeignKey(
        Event, on_delete=models.PROTECT, null=True, blank=True, related_name="queries"
    )
    implant = models.ForeignKey(
        Implant, on_delete=models.PROTECT, null=True, blank=True, related_name="queries"
    )
    rule = code_field(QualityRule)
    column = models.CharField("field", max_length=40, choices=list(FIELDS.items()))
    ask = code_field(QueryAsk, blank=False)
    state = code_field(QueryState, blank=False, default=QueryState.OPEN.value)
    answer = code_field(QueryAnswer)
    version = models.PositiveIntegerField(default=1, editable=False)
    seal = models.ForeignKey(
        "registry.Seal", on_delete=models.PROTECT, related_name="+", editable=False
    )

    history = SealedRecords()
    objects = QueryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "queries"
        ordering = ["pk"]
        indexes = [models.Index(fields=["state", "site"], name="registry_query_by_state")]
        constraints = [
            *all_coded(
                {"rule": QualityRule, "ask": QueryAsk, "state": QueryState, "answer": QueryAnswer},
                required=["ask", "state"],
            ),
            rule(
                "column_is_a_field",
                Q(column__in=list(FIELDS)),
                "Choose a field of an event or an implant.",
            ),
            rule(
                "of_one_row",
                Q(event__isnull=False, implant__isnull=True)
                | Q(event__isnull=True, implant__isnull=False),
                "A query is about one event or one implant.",
            ),
            rule(
                "answered_has_an_answer",
                ~Q(state=QueryState.ANSWERED) | ~Q(answer=""),
                "An answered query has an answer.",
            ),
            models.UniqueConstraint(
                fields=["event", "rule", "column", "ask"],
                condition=Q(state__in=UNSETTLED),
                name="%(app_label)s_%(class)s_once_an_event",
                violation_error_message="This is asked of the event already.",
            ),
            models.UniqueConstraint(
                fields=["implant", "rule", "column", "ask"],
                condition=Q(state__in=UNSETTLED),
                name="%(app_label)s_%(class)s_once_an_implant",
                violation_error_message="This is asked of the implant already.",
            ),
        ]

    def __str__(self) -> str:
        return str(self.public_id)

    @property
    def words(self) -> str:
        """The question in words: the field, and what about it or the rule that asks."""
        shown: object = (
            f"{QualityRule.of(self.rule).label}. {QualityRule.of(self.rule).definition}"
            if self.rule
            else QueryAsk.of(self.ask).label
        )
        return f"{FIELDS[self.column]}: {shown}"
