"""Queries on an event's page: what is asked, the site's answer, and closing it."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.safestring import SafeString

from registry import intake
from registry.admin.rows import address_of
from registry.admin.site_rows import SiteRowsAdmin, open_site_keys
from registry.answers.refusable import in_sentences
from registry.intake.quality import EVENT_RULES
from registry.models import Query
from registry.records import Refusal
from registry.vocabulary import QueryAnswer, QueryState, Right, State

CLOSE = "close"


class QueryPages(SiteRowsAdmin):
    """Events, with what is asked about each and the address that settles it."""

    def get_urls(self) -> list[Any]:
        """Adds the address that takes an answer, or closes a query."""
        view = self.admin_site.admin_view(self.settle)
        address = path("queries/<uuid:query_id>/", view, name="registry_event_query")
        return [address, *super().get_urls()]

    def beside(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """The queries that are not settled, with what the user can do about each."""
        user: Any = request.user
        own = row.site_id in open_site_keys(request)
        judges = user.may(Right.JUDGE_EVENTS) and not user.sites().filter(pk=row.site_id).exists()
        queries = [
            {
                "row": query,
                "address": reverse("admin:registry_event_query", args=[query.public_id]),
                "may_answer": own and query.state == QueryState.OPEN,
                "may_close": judges,
            }
            for query in row.queries.unsettled()
        ]
        is_metered = own and row.state == State.DRAFT
        foreseen = intake.foreseen_queries(row) if is_metered else ()
        return {
            **super().beside(request, row),
            "queries": queries,
            "query_answers": QueryAnswer.choices(),
            "foreseen": [f"{rule.label}. {rule.definition}" for rule in foreseen],
            "rules_met": len(EVENT_RULES) - len(foreseen),
            "rules": len(EVENT_RULES),
            "is_metered": is_metered,
        }

    def settle(self, request: HttpRequest, query_id: UUID) -> HttpResponse:
        """Takes the site's answer, or closes the query; then shows the event again."""
        query = Query.objects.visible_to(request.user).filter(public_id=query_id).first()
        if query is None or query.event is None or request.method != "POST":
            raise Http404
        by: Any = request.user
        said = request.POST.get("answer", "")
        try:
            if said == CLOSE:
                intake.close_query(query.public_id, by=by)
            else:
                intake.answer_query(query.public_id, by=by, answer=said)
        except Refusal as refusal:
            self.message_user(request, in_sentences(refusal), messages.ERROR)
        else:
            done = "closed" if said == CLOSE else "answered"
            self.message_user(request, f"The query is {done}.", messages.SUCCESS)
        return HttpResponseRedirect(address_of(query.event))


def why_it_came_back(event: Any) -> str | SafeString:
    """What a reviewer asked of a returned event, or the reason of its rejection, in words."""
    asked = [query.words for query in event.queries.all() if query.state == QueryState.OPEN]
    reason = event.get_reason_display() if event.reason else ""
    return "; ".join([*asked, *([reason] if reason else [])])
