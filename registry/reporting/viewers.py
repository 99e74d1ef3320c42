"""Who asks, as far as protection needs to know."""

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from registry.models import User
from registry.records import Viewer


def viewer_of(user: User | AnonymousUser) -> Viewer:
    """Work out a caller's reach from roles, memberships and agreements; at most three queries.

    A stranger, or a user without role or site, may ask only where statistics are public; an
    auditor without another role may not ask at all.
    """
    if not isinstance(user, User) or not user.is_active:
        return Viewer(may_ask=settings.REGISTRY_PUBLIC_STATISTICS)
    sites = frozenset(user.sites().values_list("code", flat=True))
    staff = user.is_data_manager or user.is_reviewer
    analyst = user.is_analyst and user.has_current_agreement(timezone.now().date())
    asks = staff or user.is_analyst or user.is_researcher or bool(sites)
    public = settings.REGISTRY_PUBLIC_STATISTICS and not user.is_auditor
    return Viewer(
        user_id=user.pk,
        exact_everywhere=staff or analyst,
        exact_sites=sites,
        may_ask=asks or public,
        label=_label(user, sites),
    )


def _label(user: User, sites: frozenset[str]) -> str:
    if user.is_data_manager:
        return "data manager"
    if user.is_reviewer:
        return "reviewer"
    if user.is_analyst:
        return "analyst"
    if sites:
        return "site staff"
    return "researcher" if user.is_researcher else "public"
