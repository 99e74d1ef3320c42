"""Searches of the admin's lists: the term is posted and kept in the session, never in an address.

Addresses are written into logs, histories of browsers and bookmarks, and a term may be a key.
"""

import secrets

from django.contrib.admin.views.main import PAGE_VAR, SEARCH_VAR
from django.http import HttpRequest

SEARCH = "search"
"""The button that posts a search."""

_KEPT = "searches"
_MOST_KEPT = 20
_MARK = "~"


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
