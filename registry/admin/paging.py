"""Pages of long lists, without counting their tables.

A count of all rows takes as long as the table is large, and nobody reads a million rows. A page
reads the keys of the first thousand rows in the list's order, or of some pages beyond its own: so
it knows how many there are, or that there are more, and fetches its own rows by their keys. One
scan at most, where Django's paginator takes three.
"""

import re
from typing import Any

from django.core.paginator import EmptyPage, Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

KNOWN = 1000
"""Rows of a list that are counted exactly; of a longer one the pages are told as far as read."""

PAGES_AHEAD = 10
MOST_PAGES = 200
"""Pages that can be turned to; whoever looks for older rows narrows the list, or asks the API."""


def page_asked(request: HttpRequest, name: str) -> int:
    """The number of the page that a parameter asks for; the first where it is none."""
    asked = request.GET.get(name, "")
    return int(asked) if re.fullmatch(r"[0-9]{1,9}", asked) else 1


class KeyPaginator(Paginator):
    """Pages of a queryset by the keys of its first rows.

    page_number: the page that is asked for, which says how far to read.
    """

    def __init__(
        self,
        object_list: QuerySet[Any],
        per_page: int,
        orphans: int = 0,
        allow_empty_first_page: bool = True,
        *,
        page_number: int = 1,
    ) -> None:
        super().__init__(object_list, per_page, orphans, allow_empty_first_page)
        last = min(max(page_number, 1) + PAGES_AHEAD, MOST_PAGES)
        self.reach = max(KNOWN, last * self.per_page)

    @cached_property
    def keys(self) -> list[Any]:
        """The keys of the rows that are read ahead, and one more if there is one. One query."""
        rows: QuerySet[Any] = self.object_list  # type: ignore[assignment]
        return list(rows.values_list("pk", flat=True)[: self.reach + 1])

    @cached_property
    def count(self) -> int:
        """How many rows are known; see `has_more`."""
        return min(len(self.keys), self.reach)

    @property
    def has_more(self) -> bool:
        """Whether there are more rows than are known."""
        return len(self.keys) > self.reach

    @property
    def counted(self) -> str:
        """How many rows there are, in words: `12`, `more than 1,000`."""
        return f"more than {self.count:,}" if self.has_more else f"{self.count:,}"

    def keys_of(self, number: int | None) -> list[Any]:
        """The keys of one page, or without a number of all rows that are known."""
        start = 0 if number is None else (number - 1) * self.per_page
        end = self.reach if number is None else min(start + self.per_page, self.reach)
        return self.keys[start:end]

    def page(self, number: int | str) -> Page[Any]:
        """One page; EmptyPage beyond the rows that are known."""
        number = self.validate_number(number)
        if number > MOST_PAGES:
            raise EmptyPage(self.error_messages["no_results"])
        rows: QuerySet[Any] = self.object_list  # type: ignore[assignment]
        return Page(rows.filter(pk__in=self.keys_of(number)), number, self)
