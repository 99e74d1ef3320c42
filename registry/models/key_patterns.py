"""The columns of a site that hold its own pattern of keys."""

from django.db import models
from django.db.models import Q

from registry.models.rules import rule
from registry.records.key_patterns import LONGEST_PREFIX, MOST_DIGITS, PREFIX, KeyPattern


class KeyPatternKept(models.Model):
    """A site with a pattern for its new keys, or with none."""

    key_prefix = models.CharField(
        max_length=LONGEST_PREFIX,
        blank=True,
        default="",
        editable=False,
        help_text="What its new keys begin with; empty: the site has no pattern of keys.",
    )
    key_digits = models.PositiveSmallIntegerField(
        null=True, blank=True, editable=False, help_text="How many digits follow the prefix."
    )

    class Meta:
        abstract = True

    @property
    def key_pattern(self) -> KeyPattern | None:
        """The pattern of its new keys, where it declared one."""
        if self.key_digits is None:
            return None
        return KeyPattern(self.key_prefix, self.key_digits)


KEY_PATTERN_RULE = rule(
    "key_pattern_is_whole",
    Q(key_prefix="", key_digits__isnull=True)
    | Q(
        key_prefix__regex=rf"\A{PREFIX}\Z",
        key_digits__isnull=False,
        key_digits__gte=1,
        key_digits__lte=MOST_DIGITS,
    ),
    f"A pattern of keys is a prefix that ends in no digit, and 1 to {MOST_DIGITS} digits.",
)
"""The rule of a site's pattern: both columns or none."""
