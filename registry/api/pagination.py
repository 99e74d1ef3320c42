"""Cursor pagination: a page starts after a row, not at an offset, so inserts shift nothing."""

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import Model, QuerySet
from django.http import QueryDict
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from registry.records import BadQuery, Fault
from registry.records.numerals import without_point_zero

DEFAULT_LIMIT, LARGEST_LIMIT = 100, 500

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """One page of rows, and the address of the next (None for the last page)."""

    rows: list[Row]
    next: str | None

    def body(self, serializer: Any) -> dict[str, Any]:
        """The page in a reply."""
        return {"results": serializer(self.rows, many=True).data, "next": self.next}


def page_of(
    queryset: QuerySet[Row],
    request: Request,
    *,
    key: str,
    order_by: str | None = None,
    read_key: Callable[[str], Any] = str,
    limit: int | None = None,
    among: QuerySet[Row] | None = None,
    params: QueryDict | None = None,
    address: str | None = None,
) -> Page[Row]:
    """The page of a list by `limit` and `cursor`; where one is empty, as without it.

    limit: how many rows, where a parameter of another name says so. key: the unique public field
    that cursors name. order_by: a unique, increasing, internal field that orders rows oldest
    first; by default the key orders them. among: the rows that a cursor may name, where a row can
    leave the list between two pages. params, address: those of a list that is asked for by POST;
    by default the request's own. Raises BadQuery. One query, two with a cursor and `order_by`.
    """
    limit = limit or _limit(request)
    order = order_by or key
    asked = request.query_params if params is None else params
    if asked.get("cursor"):
        named = queryset if among is None else among
        start = _start(named, str(asked["cursor"]), key, order, read_key)
        queryset = queryset.filter(**{f"{order}__gt": start})
    rows = list(queryset.order_by(order)[: limit + 1])
    if len(rows) <= limit:
        return Page(rows, None)
    rows = rows[:limit]
    cursor = base64.urlsafe_b64encode(str(getattr(rows[-1], key)).encode()).decode().rstrip("=")
    here = request.build_absolute_uri() if address is None else address
    return Page(rows, replace_query_param(here, "cursor", cursor))


def _limit(request: Request) -> int:
    limit = without_point_zero(request.query_params.get("limit") or str(DEFAULT_LIMIT))
    if not re.fullmatch(r"[0-9]{1,4}", limit) or not 1 <= int(limit) <= LARGEST_LIMIT:
        said = f"Give a whole number from 1 to {LARGEST_LIMIT}."
        raise BadQuery(Fault("limit", "bad-range", said))
    return int(limit)


def _start(
    queryset: QuerySet[Row],
    cursor: str,
    key: str,
    order: str,
    read_key: Callable[[str], Any],
) -> Any:
    """The position of the cursor's row, which must be in this list."""
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        value = read_key(text.decode("ascii"))
    except (ValueError, binascii.Error) as error:
        raise _bad_cursor() from error
    if order == key and isinstance(value, str):
        if not re.fullmatch(r"[A-Za-z0-9._-]{1,80}", value):
            raise _bad_cursor()
        return value
    place = queryset.order_by().filter(**{key: value}).values_list(order, flat=True).first()
    if place is None:
        raise _bad_cursor()
    return place


def _bad_cursor() -> BadQuery:
    return BadQuery(Fault("cursor", "bad-cursor", "Take the cursor unchanged from `next`."))
