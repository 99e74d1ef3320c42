"""Pairs of reports that may be of one event: flagged in the list, and looked at side by side."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse

from registry import intake
from registry.admin.event_sections import ENTRY, IN_OTHER_WORDS, kept_fields
from registry.admin.naming import label_of
from registry.admin.rows import address_of
from registry.admin.site_rows import SiteRowsAdmin
from registry.admin.stored_values import NOT_RECORDED, Names, in_words, is_blank
from registry.answers.refusable import in_sentences
from registry.intake.deaths import COUNTED
from registry.models import DuplicateCandidate, Event
from registry.records import Refusal, RowKind
from registry.records.columns import DECLARED
from registry.vocabulary import Right


@dataclass(frozen=True, slots=True)
class Compared:
    """One answer of two reports, or of two versions of one, in words."""

    title: str
    first: str
    second: str

    @property
    def differs(self) -> bool:
        """Whether the two differ."""
        return self.first != self.second


class AlikeFilter(admin.SimpleListFilter):
    """Keeps the reports that may repeat another."""

    title = "possible duplicate"
    parameter_name = "alike"
    template = "admin/registry/filter.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """One value: reports with a pair that nobody has decided."""
        return [("yes", "May repeat another")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The reports with an open pair."""
        if self.value() != "yes":
            return queryset
        pairs = DuplicateCandidate.objects.open()
        first, second = pairs.values("first"), pairs.values("second")
        return queryset.filter(Q(pk__in=first) | Q(pk__in=second))


def has_open_pair() -> Exists:
    """Whether an event has a pair that nobody has decided."""
    return Exists(
        DuplicateCandidate.objects.open().filter(Q(first=OuterRef("pk")) | Q(second=OuterRef("pk")))
    )


class AlikePages(SiteRowsAdmin):
    """Events with the pairs that they may be one event in."""

    def get_urls(self) -> list[Any]:
        """Adds the address of a pair."""
        view = self.admin_site.admin_view(self.pair)
        return [
            path("pairs/<uuid:object_id>/", view, name="registry_pair_page"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The visible events; in a reviewer's list with whether each may repeat another."""
        rows: QuerySet[Any] = super().get_queryset(request)
        listed = self.is_list(request) and sees_pairs(request)
        return rows.annotate(open_pair=has_open_pair()) if listed else rows

    def get_list_display(self, request: HttpRequest) -> Any:
        """The columns; for reviewers also whether a report may repeat another."""
        shown = super().get_list_display(request)
        return (*shown, "may_repeat") if sees_pairs(request) else shown

    def get_list_filter(self, request: HttpRequest) -> Any:
        """The filters, with the one of possible duplicates."""
        return (*super().get_list_filter(request), AlikeFilter)

    @admin.display(description="Duplicate?")
    def may_repeat(self, event: Any) -> str:
        """Whether the report may repeat another."""
        return "may repeat another" if event.open_pair else "no"

    def beside(self, request: HttpRequest, row: Event) -> dict[str, Any]:
        """The open pairs of the event."""
        pairs = DuplicateCandidate.objects.open().of(row)
        pairs = pairs.select_related("first__complication", "second__complication")
        return {**super().beside(request, row), "pairs": [_of(pair, row) for pair in pairs]}

    def pair(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """Two reports side by side; a POST records that they are of different events."""
        user: Any = request.user
        pairs = DuplicateCandidate.objects.visible_to(user)
        pair = pairs.select_related("site").filter(public_id=object_id).first()
        if pair is None or not self.has_view_permission(request):
            raise Http404
        if request.method == "POST":
            return self._keep_apart(request, pair)
        related = ("site", "complication", "implant", "caused_by")
        both = Event.objects.select_related(*related).in_bulk([pair.first_id, pair.second_id])
        first, second = both[pair.first_id], both[pair.second_id]
        self.log_look(request, f"{pair.public_id} pair", 2)
        steps = {event.pk: intake.open_steps(event, by=user) for event in (first, second)}
        context = {
            **self.admin_site.each_context(request),
            "title": f"{label_of(first)} and {label_of(second)}",
            "opts": self.opts,
            "pair": pair,
            "reasons": _reasons(pair),
            "events": [(event, address_of(event)) for event in (first, second)],
            "rows": self.compared(first, second),
            "repeats": [
                (event, other)
                for event, other in ((second, first), (first, second))
                if "duplicate" in steps[event.pk] and other.state in COUNTED
            ],
            "may_keep_apart": not pair.decision
            and user.may(Right.SEE_ALL_ROWS)
            and not user.sites().filter(pk=pair.site_id).exists(),
        }
        return TemplateResponse(request, "admin/registry/event/pair.html", context)

    def compared(self, first: Event, second: Event) -> list[Compared]:
        """The answers of two reports in the order of the form; both blank are left out."""
        names: Names = {}
        return [
            Compared(title, *words)
            for title, words in (
                (_title(name), [self._words(event, name, names) for event in (first, second)])
                for name in _shown_fields()
            )
            if words != [NOT_RECORDED, NOT_RECORDED]
        ]

    def _words(self, event: Event, name: str, names: Names) -> str:
        method = IN_OTHER_WORDS.get(name)
        if method is not None:
            said = getattr(self, method)(event)
            return NOT_RECORDED if is_blank(said) else str(said)
        return in_words(Event._meta.get_field(name), event, names)  # type: ignore[arg-type]

    def _keep_apart(self, request: HttpRequest, pair: DuplicateCandidate) -> HttpResponse:
        by: Any = request.user
        try:
            intake.keep_apart(pair.public_id, by=by)
        except Refusal as refusal:
            self.message_user(request, in_sentences(refusal), messages.ERROR)
        else:
            said = "These are kept as two events, and no longer flagged."
            self.message_user(request, said, messages.SUCCESS)
        return HttpResponseRedirect(address_of(pair.second))


def sees_pairs(request: HttpRequest) -> bool:
    """Whether the list tells which reports may repeat another: to reviewers."""
    return request.user.may(Right.SEE_ALL_ROWS)  # type: ignore[union-attr]


def _of(pair: DuplicateCandidate, event: Event) -> dict[str, Any]:
    """A pair as the page of one of its events shows it."""
    other = pair.other(event)
    return {
        "address": reverse("admin:registry_pair_page", args=[pair.public_id]),
        "other": label_of(other),
        "complication": other.complication.name,
        "reasons": _reasons(pair),
    }


def _reasons(pair: DuplicateCandidate) -> list[str]:
    """Why the two may be one, in words."""
    reasons: Any = pair.reasons
    return sorted(reason.label for reason in reasons)


def _shown_fields() -> Iterable[str]:
    """The fields of an event's form but its key, which always differs; its state first."""
    yield "state"
    for _section, names, _description in ENTRY:
        yield from (name for name in kept_fields(names) if name != "source_id")


def _title(name: str) -> str:
    columns = DECLARED[RowKind.EVENT]
    return columns[name].title if name in columns else name.replace("_", " ").capitalize()
