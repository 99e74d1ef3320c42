"""Permissions: closed by default; a refusal names the missing right."""

from collections.abc import Callable
from typing import Any

from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request

from registry import reporting
from registry.models import Token, User
from registry.records import Viewer
from registry.vocabulary import Right, TokenScope

READING = frozenset({"GET", "HEAD", "OPTIONS"})
_VIEWER = "registry_viewer"


def viewer_in(request: Request) -> Viewer:
    """The viewer who asks; derived once, for the permission and for the answer."""
    known: dict[str, Any] = vars(request)
    if _VIEWER not in known:
        known[_VIEWER] = reporting.viewer_of(request.user)
    viewer: Viewer = known[_VIEWER]
    return viewer


class Scoped(BasePermission):
    """A permission that asks a token for scopes; a session has all scopes of its user.

    scopes: those that a token needs for a method of an address.
    """

    scopes: Callable[[str, Any], tuple[TokenScope, ...]]

    def token_allows(self, request: Request, view: Any) -> bool:
        """Whether the token in use, if any, has every scope; the message names the first missing.

        A token can do no more than its scopes name.
        """
        if isinstance(request.auth, Token):
            for scope in self.scopes(request.method or "", view):
                if not request.auth.allows(scope):
                    self.message = (
                        f"This token lacks the scope {scope.value}: make one that has it."
                    )
                    return False
        return True


class MayAskStatistics(Scoped):
    """Callers who may ask for statistics: not auditors, anonymous callers only where public."""

    message = "Statistics are not open to this account: it lacks the right to ask for them."

    @staticmethod
    def scopes(method: str, view: Any) -> tuple[TokenScope, ...]:
        """To read statistics."""
        return (TokenScope.READ_STATISTICS,)

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether the caller may ask, and the token has the scope."""
        if not self.token_allows(request, view):
            return False
        return viewer_in(request).may_ask


class WorksWithRows(Scoped, IsAuthenticated):
    """Members of a site, reviewers and data managers; querysets narrow the rows further."""

    message = (
        "Rows are open to members of a site, reviewers and data managers: this account lacks a "
        "site membership."
    )

    @staticmethod
    def scopes(method: str, view: Any) -> tuple[TokenScope, ...]:
        """To read rows or to write them; a write whose reply shows a row on file needs both."""
        if method in READING or getattr(view, "only_reads", False):
            return (TokenScope.READ_ROWS,)
        if getattr(view, "shows_a_row_on_file", False):
            return (TokenScope.READ_ROWS, TokenScope.WRITE_EVENTS)
        return (TokenScope.WRITE_EVENTS,)

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether the account works with rows, and the token has the scopes."""
        user = request.user
        if not isinstance(user, User) or not self.token_allows(request, view):
            return False
        return user.may(Right.SEE_ALL_ROWS) or user.sites().exists()


class ReadsHistory(WorksWithRows):
    """Accounts that work with rows, and auditors, who read the history of every site."""

    message = (
        "History is open to members of a site, reviewers, data managers and auditors: this "
        "account lacks a site membership."
    )

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether the account reads rows or audits, and the token has the scope to read rows."""
        user = request.user
        if isinstance(user, User) and user.may(Right.READ_AUDIT):
            return self.token_allows(request, view)
        return super().has_permission(request, view)
