"""The user in whose name a command runs."""

from django.core.management.base import CommandError

from registry.models import User


def active_user(username: str) -> User:
    """The user whom --by names; raises CommandError where no active one has this name."""
    by = User.objects.filter(username=username, is_active=True).first()
    if by is None:
        raise CommandError("There is no active user of this name: see --by.")
    return by
