"""The groups of the roles, with the permissions that Django's admin asks for."""

from collections.abc import Iterable

from django.contrib.auth.models import Group, Permission, PermissionsMixin
from django.db.models import Q

from registry.records import Fault, RowRuleBroken
from registry.vocabulary.roles import HISTORY, KEPT_APART, ROLES, joins_what_is_apart


def install_roles(using: str = "default") -> None:
    """Create the group of every role with exactly its permissions; idempotent."""
    of_the_registry = Permission.objects.using(using).filter(content_type__app_label="registry")
    for role, granted in ROLES.items():
        group, _ = Group.objects.using(using).get_or_create(name=role.value)
        wanted = Q(codename__in=granted.permissions)
        if HISTORY in granted.permissions:
            wanted |= Q(codename__startswith=HISTORY.removesuffix("*"))
        group.permissions.set(of_the_registry.filter(wanted))


def held_apart(roles: Iterable[str], *, of: PermissionsMixin) -> list[str]:
    """These roles; raises RowRuleBroken where they would both run the registry and audit it.

    of: whose they become; a superuser runs the registry.
    """
    roles = list(roles)
    if joins_what_is_apart(roles, superuser=of.is_superuser):
        raise RowRuleBroken(Fault("roles", "kept-apart", KEPT_APART))
    return roles
