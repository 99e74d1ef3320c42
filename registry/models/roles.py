"""The groups of the roles, with the permissions that Django's admin asks for."""

from django.contrib.auth.models import Group, Permission
from django.db.models import Q

from registry.vocabulary.roles import HISTORY, ROLES


def install_roles(using: str = "default") -> None:
    """Create the group of every role with exactly its permissions; idempotent."""
    of_the_registry = Permission.objects.using(using).filter(content_type__app_label="registry")
    for role, granted in ROLES.items():
        group, _ = Group.objects.using(using).get_or_create(name=role.value)
        wanted = Q(codename__in=granted.permissions)
        if HISTORY in granted.permissions:
            wanted |= Q(codename__startswith=HISTORY.removesuffix("*"))
        group.permissions.set(of_the_registry.filter(wanted))
