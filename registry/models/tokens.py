"""Tokens of the API: made and ended under seals, and with their owner's password."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models
from django.utils import timezone
from knox.models import AbstractAuthToken, AuthTokenManager, get_digest_token
from knox.settings import CONSTANTS, knox_settings

from registry.models.access import User
from registry.models.audit import SealedRecords, joined, who_asks
from registry.models.fields import CodeSetField
from registry.models.rules import code_set_rule
from registry.vocabulary import TokenScope


class TokenQuerySet(models.QuerySet["Token"]):
    """Tokens, which end under a seal."""

    def delete(self) -> tuple[int, dict[str, int]]:
        """Ends the tokens: under the seal that is open, or one of their own. Returns how many."""
        keys = list(self.values_list("pk", flat=True))
        if not keys:
            return 0, {}
        with joined(by=who_asks(), action="end-tokens") as seal:
            ended = seal.end(self.model, keys)
        return ended, {self.model._meta.label: ended}


class TokenManager(AuthTokenManager.from_queryset(TokenQuerySet)):  # type: ignore[misc]
    """Makes tokens under a seal, as knox makes them."""

    def create(self, user: User, **values: Any) -> tuple[Token, str]:
        """The token, and its key, which is not stored."""
        lasts = values.pop("expiry", knox_settings.TOKEN_TTL)
        digest, key = get_digest_token(values.pop("prefix", None))
        token = self.model(
            token_key=key[: CONSTANTS.TOKEN_KEY_LENGTH],
            digest=digest,
            user=user,
            expiry=None if lasts is None else timezone.now() + lasts,
            **values,
        )
        with joined(by=who_asks() or user, action="make-token") as seal:
            seal.save(token)
        return token, key


class Token(AbstractAuthToken):
    """A key for scripts and dashboards: hashed, expiring, and limited to its scopes."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    label = models.CharField(max_length=60, blank=True, default="")
    scopes = CodeSetField(codes=TokenScope, help_text="Empty: statistics only.")

    history = SealedRecords()
    objects = TokenManager()

    class Meta:
        ordering = ["-created"]
        constraints = [code_set_rule("scopes", TokenScope)]

    def __str__(self) -> str:
        return self.label or str(self.public_id)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Ends the token, as `TokenQuerySet.delete` does."""
        ended: tuple[int, dict[str, int]] = Token.objects.filter(pk=self.pk).delete()
        return ended

    def allows(self, scope: TokenScope) -> bool:
        """Whether the token has the scope; a token without scopes reads statistics only."""
        scopes: Any = self.scopes
        return scope in (scopes or {TokenScope.READ_STATISTICS})


class TokensEndWithPassword:
    """A validator of passwords that takes all, and revokes a user's tokens where it changes.

    Django tells validators of every stored change: one's own, a data manager's, a command's. A
    stronger hash of the same password is none.
    """

    def validate(self, password: str, user: User | None = None) -> None:
        """Takes every password."""

    def password_changed(self, password: str, user: User | None = None) -> None:
        """Revokes the tokens that were made under the old password. One query."""
        if user is not None:
            Token.objects.filter(user=user).delete()

    def get_help_text(self) -> str:
        """What people are told beside the new password."""
        return "With the old password your API tokens end: make new ones for your scripts."
