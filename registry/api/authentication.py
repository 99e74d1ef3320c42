"""knox's tokens for scripts; refuses headers that are not text, on which knox fails."""

from typing import Any

from knox.auth import TokenAuthentication as KnoxTokenAuthentication
from rest_framework.exceptions import AuthenticationFailed


class TokenAuthentication(KnoxTokenAuthentication):
    """`Authorization: Token ...`; an unknown, expired or unreadable token is 401."""

    def authenticate_credentials(self, token: bytes) -> Any:
        """The user and the token; raises AuthenticationFailed without echoing the token."""
        if not token.isascii():
            raise AuthenticationFailed("This token is not valid: make a new one.")
        try:
            return super().authenticate_credentials(token)
        except AuthenticationFailed as refused:
            raise AuthenticationFailed("This token is not valid: make a new one.") from refused
