"""Accounts whose sessions can be ended at once."""

import secrets
from collections.abc import Iterator

from django.conf import settings
from django.db import models
from django.utils.crypto import salted_hmac

_SALT = "django.contrib.auth.models.AbstractBaseUser.get_session_auth_hash"  # as Django's


class EndableSessions(models.Model):
    """A mark that every session must match besides the password; a new one ends them all."""

    session_mark = models.CharField(
        max_length=16,
        default="",
        editable=False,
        help_text="Part of what a session must match: a new one ends every session.",
    )

    password: str

    class Meta:
        abstract = True

    def get_session_auth_hash(self) -> str:
        """What a session must match: the password and the mark, under the server's key."""
        return self._session_hash(None)

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        """The same under the server's earlier keys."""
        for key in settings.SECRET_KEY_FALLBACKS:
            yield self._session_hash(key)

    def end_sessions(self) -> None:
        """End every session, once the row is stored."""
        self.session_mark = secrets.token_hex(8)

    def _session_hash(self, key: str | None) -> str:
        """Without a mark it is Django's own, so that sessions from before marks go on."""
        value = f"{self.password}{self.session_mark}"
        return salted_hmac(_SALT, value, secret=key, algorithm="sha256").hexdigest()
