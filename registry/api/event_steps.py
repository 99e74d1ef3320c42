"""The steps of an event's state, an address for each: submit, judge, reopen, withdraw."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from registry import intake
from registry.api.described import WRITING, problems
from registry.api.event_bodies import EVENTS, SHOWN
from registry.api.parameters import refuse_unknown
from registry.api.rows import IDEMPOTENCY_KEY, IF_MATCH, PUBLIC_ID, RowView, SiteRows
from registry.models import Event
from registry.models.queries import FIELDS as EVENT_TITLES
from registry.records import Fault, RowRuleBroken
from registry.vocabulary import QueryAsk, WithdrawalReason

REASON = "reason"


class StepReasonSerializer(serializers.Serializer[Any]):
    """The body of a step with a reason."""

    reason = serializers.ChoiceField(choices=WithdrawalReason.choices())


class QuestionSerializer(serializers.Serializer[Any]):
    """The body of a return: the field that is asked about, and what about it."""

    field = serializers.ChoiceField(choices=list(EVENT_TITLES.items()))
    ask = serializers.ChoiceField(choices=QueryAsk.choices())


Body = type[serializers.Serializer[Any]] | None


def described_step(
    operation_id: str, rows: SiteRows[Any], *, body: Body = None, examples: Any = ()
) -> Any:
    """Describes the address of a step for the schema. body: of its request, if it has one."""
    return extend_schema(
        operation_id=operation_id,
        tags=["rows"],
        parameters=[PUBLIC_ID, IF_MATCH, IDEMPOTENCY_KEY],
        request=body,
        responses={
            200: rows.serializer,
            **problems(*WRITING, 404, 412),
        },
        examples=list(examples),
    )


def _step(name: str, state: str, *, body: Body = None) -> Any:
    """Describes a step of an event. state: the one it leads to."""
    shown = OpenApiExample(state.title(), value={**SHOWN, "state": state}, response_only=True)
    return described_step(f"events_{name}", EVENTS, body=body, examples=[shown])


def fields_of(request: Request, *known: str, number: str = "") -> dict[str, Any]:
    """The fields of the body, each known and text; raises RowRuleBroken.

    number: the field that is a whole number instead, or null.
    """
    body = request.data
    if not isinstance(body, Mapping):
        raise RowRuleBroken(Fault("", "not-an-object", "send a JSON object, or no body"))
    takes = f"send {', '.join(known)}" if known else "send no body"
    unknown = [name for name in body if name not in known]
    if unknown:
        raise RowRuleBroken(
            Fault(
                name if name.isidentifier() else "",
                "unknown-field",
                f"this step has no such field; {takes}",
            )
            for name in unknown
        )
    texts = [name for name in known if name != number]
    if not all(isinstance(body.get(name, ""), str) for name in texts):
        raise RowRuleBroken([Fault(name, "bad-type", "send text") for name in texts])
    found = {name: body.get(name, "") for name in texts}
    if number:
        value = body.get(number, "")
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            detail = "send a whole number, or null for none"
            raise RowRuleBroken(Fault(number, "bad-type", detail))
        found[number] = value
    return found


@contextmanager
def faults_at_field() -> Iterator[None]:
    """Names the body's `field` in the faults of what intake calls the column asked about."""
    try:
        yield
    except RowRuleBroken as refusal:
        raise RowRuleBroken(
            replace(fault, column="field") if fault.column == "column" else fault
            for fault in refusal.faults
        ) from None


def step_taken(
    rows: SiteRows[Any], request: Request, public_id: UUID, verb: Callable[..., Any], *known: str
) -> Response:
    """Takes a step of a row by intake's verb, with the fields that the body may have."""
    refuse_unknown(request)
    fields = fields_of(request, *known)
    return rows.changed(
        request,
        public_id,
        lambda version: verb(public_id, by=request.user, version=version, **fields),
    )


class StepView(RowView):
    """A step of a row on file, which the reply shows."""

    shows_a_row_on_file = True


class SubmitEvent(StepView):
    """Submits a draft for review."""

    @_step("submit", "submitted")
    def post(self, request: Request, public_id: UUID) -> Response:
        """Submit a draft of one's own site; from then on required fields are checked."""
        return step_taken(EVENTS, request, public_id, intake.submit_event)


class AcceptEvent(StepView):
    """Accepts a submitted event, which then counts in statistics."""

    @_step("accept", "accepted")
    def post(self, request: Request, public_id: UUID) -> Response:
        """Accept a submitted event; reviewers and data managers, never at a site of their own."""
        return step_taken(EVENTS, request, public_id, intake.accept_event)


class RejectEvent(StepView):
    """Rejects a submitted event."""

    @_step("reject", "rejected", body=StepReasonSerializer)
    def post(self, request: Request, public_id: UUID) -> Response:
        """Reject a submitted event with a reason; reviewers and data managers of other sites."""
        return step_taken(EVENTS, request, public_id, intake.reject_event, REASON)


class DuplicateEvent(StepView):
    """Marks a submitted event as a duplicate of another report."""

    @_step("duplicate", "duplicate")
    def post(self, request: Request, public_id: UUID) -> Response:
        """Mark a submitted event as a duplicate; reviewers and data managers of other sites."""
        return step_taken(EVENTS, request, public_id, intake.mark_duplicate)


class WithdrawEvent(StepView):
    """Withdraws a report; it is kept, and no longer counted."""

    @_step("withdraw", "withdrawn", body=StepReasonSerializer)
    def post(self, request: Request, public_id: UUID) -> Response:
        """Withdraw an event with a reason: a lead before it is judged, a data manager any."""
        return step_taken(EVENTS, request, public_id, intake.withdraw_event, REASON)


class TakeBackEvent(StepView):
    """Takes a submitted event back into a draft of its site."""

    @_step("take_back", "draft")
    def post(self, request: Request, public_id: UUID) -> Response:
        """Take back a submitted event of one's own site, while nobody has judged it."""
        return step_taken(EVENTS, request, public_id, intake.take_back_event)


class ReturnEvent(StepView):
    """Returns a submitted event to its site with a question."""

    @_step("return", "draft", body=QuestionSerializer)
    def post(self, request: Request, public_id: UUID) -> Response:
        """Return a submitted event as a draft, with a query about one field.

        Reviewers and data managers of other sites. The query is listed under `queries/`.
        """

        def verb(public_id: UUID, *, field: str, **options: Any) -> Event:
            with faults_at_field():
                return intake.return_event(public_id, column=field, **options)

        return step_taken(EVENTS, request, public_id, verb, "field", "ask")


class ReopenEvent(StepView):
    """Reopens a judged event for review."""

    @_step("reopen", "submitted", body=StepReasonSerializer)
    def post(self, request: Request, public_id: UUID) -> Response:
        """Reopen a judged event with a reason; reviewers and data managers of other sites."""
        return step_taken(EVENTS, request, public_id, intake.reopen_event, REASON)


STEPS = {
    "submit": SubmitEvent,
    "accept": AcceptEvent,
    "reject": RejectEvent,
    "duplicate": DuplicateEvent,
    "withdraw": WithdrawEvent,
    "reopen": ReopenEvent,
    "take-back": TakeBackEvent,
    "return": ReturnEvent,
}
"""The last part of each step's address, with its view."""
