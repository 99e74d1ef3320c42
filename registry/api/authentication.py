"""knox's tokens for scripts; refuses headers that are not text, on which knox fails."""

from typing import Any

from django.utils import timezone
from django_otp import user_has_device
from knox.auth import TokenAuthentication as KnoxTokenAuthentication
from rest_framework.authentication import get_authorization_header
from rest_framework.exceptions import AuthenticationFailed


class TokenAuthentication(KnoxTokenAuthentication):
    """`Authorization: Token ...` or `Bearer ...`; an unknown or expired token is 401."""

    def authenticate(self, request: Any) -> Any:
        """The user and the token, None without the header; `Bearer` means `Token`."""
        sent = get_authorization_header(request).split()
        if len(sent) == 2 and sent[0].lower() == b"bearer":
            return self.authenticate_credentials(sent[1])
        return super().authenticate(request)

    def _cleanup_token(self, auth_token: Any) -> bool:
        """Whether the token has expired; `purge` deletes it, and not whoever reads."""
        return bool(auth_token.expiry and auth_token.expiry <= timezone.now())

    def authenticate_credentials(self, token: bytes) -> Any:
        """The user and the token; raises AuthenticationFailed without echoing the token."""
        if not token.isascii():
            raise AuthenticationFailed("This token is not valid: make a new one.")
        try:
            user, found = super().authenticate_credentials(token)
        except AuthenticationFailed as refused:
            raise AuthenticationFailed("This token is not valid: make a new one.") from refused
        if user.must_use_code and not user_has_device(user):
            raise AuthenticationFailed(
                "This account needs a one-time code first: add one at /one-time-code/."
            )
        return user, found
