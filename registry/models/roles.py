"""The groups of the roles, with the permissions that Django's admin asks for."""

from collections.abc import Iterable

from django.contrib.auth.models import Group, Permission, PermissionsMixin
from django.db.models import Q

from registry.records import Fault, RowRuleBroken
from registry.vocabulary.roles import HISTORY, KEPT_APART, ROLES, Role, joins_what_is_apart


def install_roles(using: str = "default") -> None:
    """Create the group of every role with exactly its permissions; idempotent."""
    of_the_registry = Permission.objects.using(using).filter(content_type__app_label="registry")
    for role in ROLES:
        group, _ = Group.objects.using(using).get_or_create(name=role.value)
        group.permissions.set(of_the_registry.filter(_wanted_by(role)))


def permissions_of_roles() -> dict[str, set[str]]:
    """The permissions that the registry gives each role, as `app.codename`. A query a role."""
    of_the_registry = Permission.objects.filter(content_type__app_label="registry")
    return {
        role.value: {
            f"registry.{codename}"
            for codename in of_the_registry.filter(_wanted_by(role)).values_list(
                "codename", flat=True
            )
        }
        for role in ROLES
    }


def _wanted_by(role: Role) -> Q:
    granted = ROLES[role].permissions
    wanted = Q(codename__in=granted)
    if HISTORY in granted:
        wanted |= Q(codename__startswith=HISTORY.removesuffix("*"))
    return wanted


def held_apart(roles: Iterable[str], *, of: PermissionsMixin) -> list[str]:
    """These roles; raises RowRuleBroken where they would both run the registry and audit it.

    of: whose they become; a superuser runs the registry.
    """
    roles = list(roles)
    if joins_what_is_apart(roles, superuser=of.is_superuser):
        raise RowRuleBroken(Fault("roles", "kept-apart", KEPT_APART))
    return roles
