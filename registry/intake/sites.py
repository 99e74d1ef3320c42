"""Writes sites, what they say of their implants, and memberships."""

import re

from registry.deidentify import pattern_faults
from registry.intake.drafts import Drafts
from registry.intake.relations import refuse
from registry.intake.rounds import may_close
from registry.intake.writers import (
    may_write,
    not_your_site,
    require,
    require_data_manager,
)
from registry.models import Membership, Sealing, Site, User, sealed
from registry.models.access import IMPLANTS_FROM
from registry.models.rules import COUNTRY, FIRST_YEAR, LAST_YEAR, SITE_CODE
from registry.records import (
    Fault,
    NotYourSite,
    RowRuleBroken,
    StateConflict,
    refusal_of,
)
from registry.vocabulary import Component, MembershipRole, Right, Role

__all__ = [
    "add_member",
    "change_member",
    "change_site",
    "declare_key_pattern",
    "make_site",
    "new_site",
    "say_implants_from",
]


def make_site(*, code: str, name: str = "", country: str = "", by: User | None) -> Site:
    """Adds a site with its code; for data managers.

    Raises NotPermitted, RowRuleBroken.
    """
    require_data_manager(by, "make sites")
    with sealed(by=by, action="make-site") as seal:
        refuse(_site_faults(code, country, site=None))
        return new_site(code, seal=seal, name=name, country=country)


def new_site(code: str, *, seal: Sealing | Drafts, name: str = "", country: str = "") -> Site:
    """Stores a site whose code is valid and new, under an open seal."""
    site = Site(code=code, name=name or code, country=country)
    seal.save(site, reason="make-site")
    return site


def change_site(site: Site, *, name: str, country: str, active: bool, by: User) -> Site:
    """Changes a site's name, country or activity, never its code; for data managers.

    Raises NotPermitted, RowRuleBroken.
    """
    require_data_manager(by, "change sites")
    with sealed(by=by, action="change-site") as seal:
        refuse(_site_faults(site.code, country, site=site))
        stored = Site.objects.get(pk=site.pk)
        if (stored.name, stored.country, stored.active) != (name, country, active):
            stored.name, stored.country, stored.active = name, country, active
            seal.save(stored)
    return stored


def say_implants_from(code: str, *, component: str, year: int | None, by: User) -> Site:
    """The site's word: from which year on its implants of a component count, in statistics.

    The device time that it declared counts before that year. None takes the word back: implants
    count after the last declared year. For leads of the site and data managers.
    Raises NotYourSite, NotPermitted, RowRuleBroken.
    """
    with sealed(by=by, action="say-implants-from") as seal:
        site = _site_of_lead(code, "say which device time counts", by=by)
        column = IMPLANTS_FROM[_component(component)]
        if year is not None and not FIRST_YEAR <= year <= LAST_YEAR:
            detail = f"give a whole number from {FIRST_YEAR} to {LAST_YEAR}"
            raise RowRuleBroken(Fault("year", "out-of-range", detail))
        if getattr(site, column) != year:
            setattr(site, column, year)
            seal.save(site)
    return site


def declare_key_pattern(code: str, *, key_prefix: str, key_digits: int | None, by: User) -> Site:
    """The site's word: what its new keys look like. Keys on file stay as they are.

    key_prefix, key_digits: the keys begin with the one and end in so many digits; empty and None
    take the pattern away. For leads of the site, who declare it once, and data managers, who may
    change it too.
    Raises NotYourSite, NotPermitted, RowRuleBroken, IdentifierFound where keys of the pattern would
    identify, StateConflict where a lead has declared one already.
    """
    faults = _key_pattern_faults(key_prefix, key_digits, site=code)
    if faults:
        _site_of_lead(code, DECLARE_KEYS, by=by)
        raise refusal_of(faults)
    with sealed(by=by, action="declare-key-pattern") as seal:
        site = _site_of_lead(code, DECLARE_KEYS, by=by)
        if (site.key_prefix, site.key_digits) != (key_prefix, key_digits):
            if site.key_pattern is not None and not by.may(Right.RUN_REGISTRY):
                detail = "the site has declared its keys already; a data manager can change that"
                raise StateConflict(Fault("key_prefix", StateConflict.code, detail))
            site.key_prefix, site.key_digits = key_prefix, key_digits
            seal.save(site)
    return site


def _key_pattern_faults(prefix: str, digits: int | None, *, site: str) -> tuple[Fault, ...]:
    """The faults of a pattern; none for no pattern at all."""
    if digits is None:
        half = Fault("key_digits", "required", "give how many digits follow, or neither of both")
        return (half,) if prefix else ()
    if not prefix:
        return (Fault("key_prefix", "required", "give what keys begin with, or neither of both"),)
    return pattern_faults(prefix, digits, site=site)


DECLARE_KEYS = "declare the keys of the site"


def _site_of_lead(code: str, right: str, *, by: User) -> Site:
    """The site, of which the writer is a lead, or a data manager.

    Raises NotYourSite, NotPermitted.
    """
    site = Site.objects.filter(code=code).first()
    if site is None or not may_write(site, by=by):
        raise NotYourSite(not_your_site())
    require(may_close(site, by=by), f"{right}; its leads and data managers may")
    return site


def _component(component: str) -> Component:
    try:
        return Component.of(component)
    except ValueError:
        detail = "a component is pump or catheter"
        raise RowRuleBroken(Fault("component", "unknown-code", detail)) from None


def add_member(
    site: Site, *, user: User, role: str = MembershipRole.REPORTER, by: User | None
) -> Membership:
    """Adds a user to a site as reporter or lead; both may open the admin. For data managers.

    Raises NotPermitted, RowRuleBroken.
    """
    require_data_manager(by, "add members")
    with sealed(by=by, action="add-member") as seal:
        if Membership.objects.filter(site=site, user=user).exists():
            detail = "this user is already a member of the site; change the membership"
            raise RowRuleBroken(Fault("user", "member-already", detail))
        membership = Membership(site=site, user=user, role=_role(role))
        seal.save(membership)
        _make_staff(user, seal=seal)
    return membership


def change_member(membership: Membership, *, role: str, active: bool, by: User) -> Membership:
    """Changes a member's role at a site, or ends the membership; for data managers.

    Remaining members may open the admin. Raises NotPermitted, RowRuleBroken.
    """
    require_data_manager(by, "change members")
    with sealed(by=by, action="change-member") as seal:
        stored = Membership.objects.get(pk=membership.pk)
        if (stored.role, stored.active) != (role, active):
            stored.role, stored.active = _role(role), active
            seal.save(stored)
        if active:
            _make_staff(stored.user, seal=seal)
    return stored


def _make_staff(user: User, *, seal: Sealing) -> None:
    """Gives a member access to the admin, by the role of all members."""
    held = set(user.groups.values_list("name", flat=True))
    if not user.is_staff or Role.SITE_STAFF.value not in held:
        user.is_staff = True
        user.set_roles({*held, Role.SITE_STAFF.value}, seal=seal)


def _role(role: str) -> MembershipRole:
    try:
        return MembershipRole.of(role)
    except ValueError:
        raise RowRuleBroken(
            Fault("role", "unknown-code", "a member is a reporter or a lead")
        ) from None


def _site_faults(code: str, country: str, *, site: Site | None) -> tuple[Fault, ...]:
    faults: list[Fault] = []
    if re.match(SITE_CODE, code) is None:
        detail = "a site is 2 to 20 capital letters, digits and hyphens"
        faults.append(Fault("code", "bad-site", detail))
    elif site is None and Site.objects.filter(code=code).exists():
        faults.append(Fault("code", "site-exists", "there is already a site with this code"))
    if country and re.match(COUNTRY, country) is None:
        detail = "a country is two capital letters (ISO 3166)"
        faults.append(Fault("country", "bad-country", detail))
    return tuple(faults)
