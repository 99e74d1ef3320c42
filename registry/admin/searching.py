"""Searches of the admin's lists: the term is posted and kept in the session, never in an address.

Addresses are written into logs, histories of browsers and bookmarks, and a term may be a key.
"""

import re
import secrets
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib.admin.views.main import PAGE_VAR, SEARCH_VAR
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.text import smart_split, unescape_string_literal

SEARCH = "search"
"""The button that posts a search."""

_KEPT = "searches"
_MOST_KEPT = 20
_MARK = "~"


_MOST_KEYS = 3_000
"""Rows found by one field of a word that are named by their keys; of more, the list's own order is
the shorter way."""

PUBLIC_ID = "public_id"
"""The search field that takes the beginning of a public id."""


def rows_found(rows: QuerySet[Any], fields: Iterable[str], term: str) -> QuerySet[Any]:
    """The rows that hold each word of the term in one of the fields.

    fields: as Django's admin names them. Each is asked by itself, since no index answers "this
    column or that one of another table". One query a field.
    """
    for bit in smart_split(term):
        quoted = bit[0] in "\"'" and bit[0] == bit[-1]
        word = unescape_string_literal(bit) if quoted else bit
        conditions = [_condition(field, word) for field in fields]
        keys: set[Any] = set()
        found = []
        for condition in conditions:
            some = rows.filter(condition).order_by().values_list("pk", flat=True)
            found.append(list(some[: _MOST_KEYS + 1]))
            keys.update(found[-1])
        if max(map(len, found)) > _MOST_KEYS:
            rows = rows.filter(Q.create(conditions, connector=Q.OR))  # type: ignore[arg-type]
        else:
            rows = rows.filter(pk__in=keys)
    return rows


def _condition(field: str, word: str) -> Q:
    """The condition of one field: that it contains the word, or the lookup that it names.

    `=number` is a whole number.
    """
    if field == PUBLIC_ID:
        return _public_id_begins(word)
    if field.startswith("="):
        is_number = re.fullmatch(r"[0-9]{1,15}", word)
        return Q(**{field[1:]: int(word)}) if is_number else Q(pk__in=[])
    _path, _, lookup = field.rpartition("__")
    named = lookup in ("istartswith", "startswith", "iexact", "exact")
    return Q(**{field if named else f"{field}__icontains": word})


def _public_id_begins(word: str) -> Q:
    """The public ids that begin so, as a range: the column holds no text."""
    digits = word.replace("-", "").lower()
    if not re.fullmatch(r"[0-9a-f]{1,32}", digits):
        return Q(pk__in=[])
    first, last = UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))
    return Q(public_id__gte=first, public_id__lte=last)


def remembered_search(request: HttpRequest) -> str:
    """Keeps the posted term in the session; returns the list's address with its random mark.

    The list's filters stay, its page does not. The last twenty searches are kept.
    """
    params = request.GET.copy()
    for name in (SEARCH_VAR, PAGE_VAR):
        params.pop(name, None)
    term = request.POST.get(SEARCH_VAR, "").strip()
    if term:
        mark = _MARK + secrets.token_urlsafe(6)
        kept = [*request.session.get(_KEPT, {}).items(), (mark, term)]
        request.session[_KEPT] = dict(kept[-_MOST_KEPT:])
        params[SEARCH_VAR] = mark
    return f"{request.path}?{params.urlencode()}"


def term_of(request: HttpRequest, query: str) -> str:
    """The term behind the mark in a list's address; any other query is a term itself."""
    if not query.startswith(_MARK):
        return query
    term: str = request.session.get(_KEPT, {}).get(query, "")
    return term
