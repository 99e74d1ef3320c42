"""Citations: answers that have a permanent page at a short address."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import get_random_string

from registry.models.access import User
from registry.models.rules import rule

CODE_LETTERS = "23456789bcdfghjkmnpqrstvwxz"
"""Letters and digits that nobody mistakes for one another, and that make no words."""
CODE_LENGTH = 8


def random_code() -> str:
    """A short code that says nothing: 27**8, about 280 thousand million."""
    return get_random_string(CODE_LENGTH, CODE_LETTERS)


class Citation(models.Model):
    """One answer of a release that somebody cites: its receipt, under a short code, for good.

    It holds no number: the answer is counted again from the release.
    """

    code = models.CharField(max_length=CODE_LENGTH, unique=True, default=random_code)
    receipt = models.TextField(editable=False)
    receipt_digest = models.CharField(max_length=64, unique=True, editable=False)
    is_public = models.BooleanField(
        editable=False, help_text="The public could ask for this answer when it was cited."
    )
    sha256 = models.CharField(
        max_length=64, editable=False, help_text="Of the answer's CSV when it was cited."
    )
    code_version = models.CharField(
        max_length=40, editable=False, help_text="The registry's version when it was cited."
    )
    cited_at = models.DateTimeField(default=timezone.now, editable=False)
    cited_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", editable=False)

    class Meta:
        ordering = ["-cited_at", "-pk"]
        constraints = [
            rule(
                "code_is_short",
                Q(code__regex=rf"^[{CODE_LETTERS}]{{{CODE_LENGTH}}}$"),
                "A citation's code has eight letters or digits, none of them a vowel.",
            ),
        ]

    def __str__(self) -> str:
        return self.code
