"""What each role may open in the admin; rows are narrowed further to the user's sites."""

from __future__ import annotations

from django.contrib.auth.models import Group, Permission
from django.db.models import Q

from registry.models.access import Role

CATALOGUE = ("category", "complication", "publishedrate")
CLINICAL = ("patient", "implant", "exposure", "event")

_VIEW_CATALOGUE = {f"view_{model}" for model in CATALOGUE}
_VIEW_CLINICAL = {f"view_{model}" for model in (*CLINICAL, "site")}
_ENTER = {f"{verb}_{model}" for verb in ("add", "change") for model in CLINICAL}
_RUN = {
    f"{verb}_{model}"
    for verb in ("view", "add", "change")
    for model in ("site", "membership", "user", "agreement")
}

PERMISSIONS: dict[Role, set[str]] = {
    Role.SITE_STAFF: _VIEW_CATALOGUE | _VIEW_CLINICAL | _ENTER | {"view_membership"},
    Role.REVIEWER: _VIEW_CATALOGUE | _VIEW_CLINICAL | {"change_event"},
    Role.DATA_MANAGER: _VIEW_CATALOGUE
    | _VIEW_CLINICAL
    | _ENTER
    | _RUN
    | {"add_complication", "change_complication", "view_catalogueversion", "view_snapshot"},
    Role.AUDITOR: {"view_seal", "view_accesslog"},
    Role.RESEARCHER: set(),
    Role.ANALYST: set(),
}
"""Each role's permissions on the registry's models; an auditor also views every history table.

Nobody may delete. The rows that site staff see or change are those of their own sites.
"""


def install_roles(using: str = "default") -> None:
    """Make the group of every role and give it exactly its permissions; idempotent."""
    of_the_registry = Permission.objects.using(using).filter(content_type__app_label="registry")
    for role, codenames in PERMISSIONS.items():
        group, _ = Group.objects.using(using).get_or_create(name=role.value)
        wanted = Q(codename__in=codenames)
        if role is Role.AUDITOR:
            wanted |= Q(codename__startswith="view_historical")
        group.permissions.set(of_the_registry.filter(wanted))
