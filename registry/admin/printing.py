"""A blank form of an event on one sheet of paper, for a ward without a screen at hand."""

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path

from registry.admin.event_sections import ENTRY, kept_fields
from registry.admin.site_rows import SiteRowsAdmin
from registry.records import RowKind
from registry.records.columns import DECLARED
from registry.records.declared import Holds, RowColumn
from registry.vocabulary import Severity

MOST_BOXES = 32
"""Answers of a question that are printed to be ticked; of longer lists one writes the answer."""

_BY_HAND = frozenset({"drug", "indication"})
"""Questions whose lists are too long for a sheet; the form on the screen has them."""


@dataclass(frozen=True, slots=True)
class PrintedQuestion:
    """One question: its title, and the answers to tick; without any, a line to write on."""

    title: str
    answers: tuple[str, ...] = ()


class BlankSheet(SiteRowsAdmin):
    """Events, with the sheet on which one is taken down by hand."""

    def get_urls(self) -> list[Any]:
        """Adds the address of the sheet."""
        view = self.admin_site.admin_view(self.blank_sheet)
        return [path("blank/", view, name="registry_event_blank"), *super().get_urls()]

    def blank_sheet(self, request: HttpRequest) -> HttpResponse:
        """Every question of the form with its answers, to print."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": "Blank form of an event",
            "opts": self.opts,
            "sections": printed_sections(),
        }
        return TemplateResponse(request, "admin/registry/event/blank.html", context)


def printed_sections() -> list[tuple[str, str, list[PrintedQuestion]]]:
    """The sections of the form with their descriptions and questions, as they are printed."""
    columns = DECLARED[RowKind.EVENT]
    return [
        (title, description, [printed(columns[name]) for name in kept_fields(names)])
        for title, names, description in ENTRY
    ]


def printed(column: RowColumn) -> PrintedQuestion:
    """A declared column as a question on paper."""
    if column.holds is Holds.GRADE:
        grades = tuple(f"{each.value} {each.label}: {each.definition}" for each in Severity)
        return PrintedQuestion(column.title, grades)
    codes = column.codes
    if codes is None or column.name in _BY_HAND or len(codes.choices()) > MOST_BOXES:
        return PrintedQuestion(column.title)
    return PrintedQuestion(column.title, tuple(words for _code, words in codes.choices()))
