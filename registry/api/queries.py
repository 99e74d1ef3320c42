"""Queries of one's own sites: what is asked, the site's answer, and closing it."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from registry import intake
from registry.api.described import READING, WRITING, problems
from registry.api.event_steps import (
    StepView,
    described_step,
    faults_at_field,
    fields_of,
    step_taken,
)
from registry.api.lists import ListsRows, fields_parameter, listed
from registry.api.parameters import PAGING, refuse_unknown
from registry.api.rows import IDEMPOTENCY_KEY, PUBLIC_ID, RowView, SiteRows
from registry.models import Query
from registry.models.queries import FIELDS
from registry.vocabulary import QueryAnswer, QueryAsk


class QuerySerializer(serializers.Serializer[Any]):
    """A query in codes; null is "not said"."""

    id = serializers.UUIDField(source="public_id")
    version = serializers.IntegerField()
    site = serializers.CharField(source="site.code")
    event = serializers.SerializerMethodField(help_text="The id of the event, if it is of one.")
    implant = serializers.SerializerMethodField(help_text="The id of the implant.")
    rule = serializers.SerializerMethodField(help_text="The rule that asks, if one does.")
    field = serializers.CharField(source="column")
    ask = serializers.CharField()
    state = serializers.CharField()
    answer = serializers.SerializerMethodField()

    def get_event(self, query: Query) -> str | None:
        """The id of the event that it is about."""
        return str(query.event.public_id) if query.event else None

    def get_implant(self, query: Query) -> str | None:
        """The id of the implant that it is about."""
        return str(query.implant.public_id) if query.implant else None

    def get_rule(self, query: Query) -> str | None:
        """The code of the rule that asks."""
        return query.rule or None

    def get_answer(self, query: Query) -> str | None:
        """The code of the site's answer."""
        return query.answer or None


class QueryReportSerializer(serializers.Serializer[Any]):
    """A query of a reviewer about one field of an event."""

    event = serializers.UUIDField()
    field = serializers.ChoiceField(choices=list(FIELDS.items()))
    ask = serializers.ChoiceField(choices=QueryAsk.choices())


class QueryAnswerSerializer(serializers.Serializer[Any]):
    """The body of an answer."""

    answer = serializers.ChoiceField(choices=QueryAnswer.choices())


QUERIES = SiteRows("query", "api:query", Query, QuerySerializer, ("site", "event", "implant"))
"""How the API finds and shows queries."""


class Queries(ListsRows, RowView):
    """The queries of one's own sites that are not closed."""

    @extend_schema(
        operation_id="queries_list",
        tags=["rows"],
        parameters=[fields_parameter(QuerySerializer), *PAGING],
        responses={
            **listed("QueryList", QuerySerializer),
            **problems(*READING),
        },
    )
    def get(self, request: Request) -> Response:
        """List the queries that are open or answered, oldest first; access is logged."""
        refuse_unknown(request, ("limit", "cursor", "fields"))
        rows: Any = QUERIES.seen(request)
        return QUERIES.page(request, rows.unsettled(), what="query list")

    @extend_schema(
        operation_id="queries_create",
        tags=["rows"],
        parameters=[IDEMPOTENCY_KEY],
        request=QueryReportSerializer,
        responses={201: QuerySerializer, **problems(*WRITING, 404, 412)},
    )
    def post(self, request: Request) -> Response:
        """Ask a site about one field of an event; reviewers and data managers of elsewhere."""
        refuse_unknown(request)
        said = fields_of(request, "event", "field", "ask")
        user: Any = request.user

        def verb() -> Query:
            with faults_at_field():
                return intake.raise_query(
                    said["event"], by=user, column=said["field"], ask=said["ask"]
                )

        return QUERIES.recorded(request, verb)


class QueryDetail(RowView):
    """One query of one's own site."""

    @extend_schema(
        operation_id="queries_retrieve",
        tags=["rows"],
        parameters=[PUBLIC_ID],
        responses={200: QuerySerializer, 304: None, **problems(*READING, 404)},
    )
    def get(self, request: Request, public_id: UUID) -> Response:
        """Show one query with its ETag; access is logged."""
        refuse_unknown(request)
        return QUERIES.read(request, public_id)


class AnswerQuery(StepView):
    """Answers an open query."""

    @described_step("queries_answer", QUERIES, body=QueryAnswerSerializer)
    def post(self, request: Request, public_id: UUID) -> Response:
        """Answer an open query of one's own site with a code."""
        return step_taken(QUERIES, request, public_id, intake.answer_query, "answer")


class CloseQuery(StepView):
    """Closes a query."""

    @described_step("queries_close", QUERIES)
    def post(self, request: Request, public_id: UUID) -> Response:
        """Close a query; reviewers and data managers, never of a site of their own."""
        return step_taken(QUERIES, request, public_id, intake.close_query)
