"""Derives the viewer, as protection needs it, from the caller."""

from datetime import date
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet
from django.utils import timezone

from registry.models import Agreement, Membership, User
from registry.models.statements import first_column
from registry.records import UnderAgreement, Viewer
from registry.vocabulary import Right, Role
from registry.vocabulary.roles import ROLES

ASKING = frozenset({Right.ASK_PROTECTED, Right.ASK_EXACT_BY_AGREEMENT, Right.ASK_EXACT})


def viewer_of(user: User | AnonymousUser) -> Viewer:
    """The viewer from the caller's roles, memberships and agreements; at most three queries.

    Anonymous callers, and users without role or site, may ask only where statistics are public;
    auditors without another role may not ask.
    """
    if not isinstance(user, User) or not user.is_active:
        return Viewer(may_ask=settings.REGISTRY_PUBLIC_STATISTICS)
    sites = frozenset(first_column(_codes_of_sites, user.pk))
    agreement = None if user.may(Right.ASK_EXACT) else agreement_of(user, timezone.now().date())
    public = settings.REGISTRY_PUBLIC_STATISTICS and not user.may(Right.READ_AUDIT)
    return Viewer(
        user_id=user.pk,
        exact_everywhere=user.may(Right.ASK_EXACT) or agreement is not None,
        exact_sites=sites,
        may_ask=bool(sites) or public or bool(user.rights & ASKING),
        label=_label(user, sites),
        agreement=agreement,
    )


def _codes_of_sites(user: int) -> QuerySet[Any, Any]:
    return Membership.held_by(user).order_by().values_list("site__code")


def agreement_of(user: User, today: date) -> UnderAgreement | None:
    """The user's agreement that holds on this day, of several the one that ends last."""
    if not user.may(Right.ASK_EXACT_BY_AGREEMENT):
        return None
    held = Agreement.objects.filter(user=user).current(today).order_by("-expires_on", "-pk").first()
    return UnderAgreement(held.reference, held.expires_on) if held else None


def _label(user: User, sites: frozenset[str]) -> str:
    """The role with the widest right to ask; members of a site are site staff."""
    held = {role for role in user.held_roles if ROLES[role].rights & ASKING}
    if sites:
        held.add(Role.SITE_STAFF)
    return next((role.value for role in ROLES if role in held), "public")
