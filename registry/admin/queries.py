"""Queries on the page of an event or an implant: what is asked, the answer, and closing it."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
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
from registry.vocabulary import QueryAnswer, QueryState, State

CLOSE = "close"


class QueryPages(SiteRowsAdmin):
    """Events or implants, with what is asked about each and the address that settles it."""

    def get_urls(self) -> list[Any]:
        """Adds the address that takes an answer, or closes a query."""
        view = self.admin_site.admin_view(self.settle)
        return [path("queries/<uuid:query_id>/", view, name=self._query_page), *super().get_urls()]

    @property
    def _query_page(self) -> str:
        return f"registry_{self.opts.model_name}_query"

    def beside(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """The queries that are not settled, with what the user can do about each."""
        own = row.site_id in open_site_keys(request)
        by: Any = request.user
        closes = intake.may_close_queries(row, by=by)
        queries = [
            {
                "row": query,
                "address": reverse(f"admin:{self._query_page}", args=[query.public_id]),
                "may_answer": own and query.state == QueryState.OPEN,
                "may_close": closes,
            }
            for query in row.queries.unsettled()
        ]
        answers = QueryAnswer.choices()
        return {**super().beside(request, row), "queries": queries, "query_answers": answers}

    def settle(self, request: HttpRequest, query_id: UUID) -> HttpResponse:
        """Takes the site's answer, or closes the query; then shows its row again."""
        query = Query.objects.visible_to(request.user).filter(public_id=query_id).first()
        row = getattr(query, str(self.opts.model_name), None)
        if query is None or row is None or request.method != "POST":
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
        return HttpResponseRedirect(address_of(row))


class MeteredPages(QueryPages):
    """Events, with a meter of what rules will ask about a draft."""

    def beside(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """The queries, and for a draft of the user's own sites what will be asked."""
        is_metered = row.site_id in open_site_keys(request) and row.state == State.DRAFT
        foreseen = intake.foreseen_queries(row) if is_metered else ()
        return {
            **super().beside(request, row),
            "foreseen": [f"{rule.label}. {rule.definition}" for rule in foreseen],
            "rules_met": len(EVENT_RULES) - len(foreseen),
            "rules": len(EVENT_RULES),
            "is_metered": is_metered,
        }


class OpenQueryFilter(admin.SimpleListFilter):
    """Keeps the rows about which a query waits for the site."""

    title = "open query"
    parameter_name = "queried"
    template = "admin/registry/filter.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """One value: rows with a query that is open."""
        return [("yes", "With an open query")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """The rows with an open query."""
        if self.value() != "yes":
            return queryset
        named = queryset.model._meta.model_name
        asked = Query.objects.open().filter(**{f"{named}__isnull": False})
        return queryset.filter(pk__in=asked.values(named))


def why_it_came_back(event: Any) -> str | SafeString:
    """What a reviewer asked of a returned event, or the reason of its rejection, in words."""
    asked = [query.words for query in event.queries.all() if query.state == QueryState.OPEN]
    reason = event.get_reason_display() if event.reason else ""
    return "; ".join([*asked, *([reason] if reason else [])])
