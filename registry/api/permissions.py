"""Permissions: closed by default; a refusal names the missing right."""

from typing import Any

from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request

from registry import reporting
from registry.models import Token, TokenScope, User
from registry.vocabulary import Right


def _token_allows(request: Request, scope: TokenScope) -> bool:
    """Whether the token in use, if any, has this scope; a session has all scopes of its user."""
    return not isinstance(request.auth, Token) or request.auth.allows(scope)


class MayAskStatistics(BasePermission):
    """Callers who may ask for statistics: not auditors, anonymous callers only where public."""

    message = "Statistics are not open to this account: it lacks the right to ask for them."

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether the caller may ask, and the token has the scope."""
        if not _token_allows(request, TokenScope.READ_STATISTICS):
            self.message = _missing(TokenScope.READ_STATISTICS)
            return False
        return reporting.viewer_of(request.user).may_ask


class WorksWithRows(IsAuthenticated):
    """Members of a site, reviewers and data managers; querysets narrow the rows further."""

    message = (
        "Rows are open to members of a site, reviewers and data managers: this account lacks a "
        "site membership."
    )

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether the account works with rows, and the token has the scope to read or write."""
        user = request.user
        if not isinstance(user, User):
            return False
        reading = request.method in {"GET", "HEAD", "OPTIONS"}
        scope = TokenScope.READ_ROWS if reading else TokenScope.WRITE_EVENTS
        if not _token_allows(request, scope):
            self.message = _missing(scope)
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
            if _token_allows(request, TokenScope.READ_ROWS):
                return True
            self.message = _missing(TokenScope.READ_ROWS)
            return False
        return super().has_permission(request, view)


def _missing(scope: TokenScope) -> str:
    return f"This token lacks the scope {scope.value}: make one that has it."
