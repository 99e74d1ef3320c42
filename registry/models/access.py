"""Users and their roles, sites, and who is a member of which."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser, Group, PermissionsMixin, UserManager
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.db import models
from django.db.models import Q
from django.utils.functional import cached_property

from registry.models.audit import SealedRecords, sealed
from registry.models.key_patterns import KEY_PATTERN_RULE, KeyPatternKept
from registry.models.roles import held_apart
from registry.models.rules import (
    COUNTRY,
    SITE_CODE,
    code_field,
    coded,
    rule,
    year_rule,
)
from registry.models.sealed_secrets import SealsPassword, SecretsKept
from registry.models.sessions import EndableSessions
from registry.models.statements import first_column
from registry.vocabulary import Component, MembershipRole, Right
from registry.vocabulary.roles import ROLES, RUNS_ALL, Role, held_roles

if TYPE_CHECKING:
    from registry.models.audit import Sealing


class SiteRowsQuerySet(models.QuerySet):
    """Rows that belong to a site."""

    site_path = "site"

    def at(self, site: Site | str) -> Self:
        """Only those of one site, given as a row or by its code."""
        if isinstance(site, Site):
            return self.filter(**{self.site_path: site})
        return self.filter(**{f"{self.site_path}__code": site})

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Only those that the user may see: all, those of own sites, or none."""
        if not isinstance(user, User):
            return self.none()
        if user.may(Right.SEE_ALL_ROWS):
            return self.all()
        return self.filter(**{f"{self.site_path}__in": user.site_keys})


class SiteQuerySet(SiteRowsQuerySet):
    """Sites; a site belongs to itself."""

    site_path = "pk"

    def at(self, site: Site | str) -> Self:
        """Only this one."""
        return self.filter(code=site.code if isinstance(site, Site) else site)


class UserQuerySet(models.QuerySet["User"]):
    """People."""

    def who_may(self, right: Right) -> Self:
        """Active people with a role that includes the right; superusers as data managers."""
        roles = [role.value for role, granted in ROLES.items() if right in granted.rights]
        holds = Q(groups__name__in=roles)
        if right in ROLES[RUNS_ALL].rights:
            holds |= Q(is_superuser=True)
        return self.filter(holds, is_active=True).distinct()


class RegistryUserManager(UserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]
    """Creates users under a seal, like every row with a history."""

    def _create_user(
        self, username: str, email: str | None, password: str | None, **fields: Any
    ) -> User:
        user: User = self._create_user_object(username, email, password, **fields)
        with sealed(by=None, action="make-user") as seal:
            seal.save(user)
        return user


class RolesKept(models.Model):
    """The user's roles at the time of the history row."""

    roles = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        abstract = True


def _roles_of(user: int) -> models.QuerySet:
    return Group.objects.filter(user=user).values_list("name")


class User(  # type: ignore[django-manager-missing]
    SealsPassword, EndableSessions, AbstractBaseUser, PermissionsMixin
):
    """A person who signs in; deactivated on leaving, never deleted."""

    username = models.CharField(
        max_length=150,
        unique=True,
        validators=[UnicodeUsernameValidator()],
        error_messages={"unique": "This user name is taken."},
        help_text="Letters, digits and @ . + - _ only.",
    )
    email = models.EmailField(blank=True)
    is_staff = models.BooleanField(
        "may open the admin", default=False, help_text="Site members, reviewers and managers may."
    )
    is_active = models.BooleanField(
        "active", default=True, help_text="Clear this instead of deleting the user."
    )

    must_change_password = models.BooleanField(
        default=False,
        editable=False,
        help_text="The password is from somebody else, and is changed at the next sign-in.",
    )

    told_at = models.DateTimeField(
        null=True,
        editable=False,
        help_text="When the person was last told at sign-in what others changed in the account.",
    )

    history = SealedRecords(
        excluded_fields=[
            *("password", "last_login", "must_change_password"),
            *("session_mark", "told_at"),
        ],
        bases=[RolesKept, SecretsKept],
    )
    objects = RegistryUserManager()

    EMAIL_FIELD = "email"
    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        ordering = ["username"]

    def __str__(self) -> str:
        return self.username

    @cached_property
    def roles(self) -> frozenset[str]:
        """The roles the user holds; none once deactivated. One query."""
        if not self.is_active:
            return frozenset()
        return frozenset(first_column(_roles_of, self.pk))

    @cached_property
    def held_roles(self) -> tuple[Role, ...]:
        """The roles that count, of widest reach first. The first superuser needs no group."""
        return held_roles(self.roles, superuser=self.is_active and self.is_superuser)

    @cached_property
    def rights(self) -> frozenset[Right]:
        """What the roles allow; nothing once deactivated."""
        return frozenset().union(*(ROLES[role].rights for role in self.held_roles))

    @property
    def must_use_code(self) -> bool:
        """Whether REGISTRY_CODE_REQUIRED asks this account for a one-time code."""
        required: frozenset[str] = settings.REGISTRY_CODE_REQUIRED
        return "all" in required or not required.isdisjoint(self.held_roles)

    def may(self, right: Right) -> bool:
        """Whether a role of the user allows this; which rows is another question."""
        return right in self.rights

    def sites(self) -> models.QuerySet[Site]:
        """The sites of the user's active memberships; none once deactivated."""
        held: Any = Membership.held_by(self).values("site") if self.is_active else ()
        return Site.objects.filter(pk__in=held)

    @cached_property
    def site_keys(self) -> tuple[int, ...]:
        """The keys of those sites: a database reads rows by them as it cannot by a subquery."""
        return tuple(self.sites().order_by().values_list("pk", flat=True))

    def sites_led(self) -> models.QuerySet[Site]:
        """The sites of which the user is a lead now; none once deactivated."""
        led = Membership.held_by(self).filter(role=MembershipRole.LEAD)
        return self.sites().filter(pk__in=led.values("site"))

    def leads(self, site: Site) -> bool:
        """Whether the user is a lead of the site now."""
        return self.sites_led().filter(pk=site.pk).exists()

    def end_access(self) -> None:
        """End every session and token; a session ends once the user is stored. One query."""
        self.end_sessions()
        self.auth_token_set.all().delete()

    def set_roles(self, roles: Iterable[str], *, seal: Sealing) -> None:
        """Give the user exactly these roles, if `held_apart` lets; the history row names them.

        Where they change, sessions and tokens end: what was begun with other rights is over.
        """
        before = set(self.groups.values_list("name", flat=True))
        wanted = held_apart(roles, of=self)
        if before != set(wanted):
            self.end_access()
        self.groups.set(Group.objects.filter(name__in=wanted))
        for known in ("roles", "held_roles", "rights"):
            self.__dict__.pop(known, None)
        seal.save(self, reason="roles-set")

    def history_extras(self) -> dict[str, object]:
        """What the history row stores besides the columns: roles, and digests of secrets."""
        roles = ", ".join(sorted(self.groups.values_list("name", flat=True)))
        return {"roles": roles, **self.secret_digests()}


class Site(KeyPatternKept):
    """A hospital or practice that reports; others see its code only."""

    code = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=120, blank=True, default="", help_text="Seen by staff only.")
    country = models.CharField(max_length=2, blank=True, default="")
    active = models.BooleanField(default=True)
    words = models.JSONField(
        blank=True, default=dict, help_text="The site's own headings and words for our codes."
    )
    round_number = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        editable=False,
        help_text="Its last closed follow-up round, from 1; empty before the first.",
    )
    round_seal = models.ForeignKey(
        "registry.Seal",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        editable=False,
        help_text="The seal under which that round was closed.",
    )
    pump_implants_from = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        editable=False,
        help_text="The year from which on its implanted pumps count; what it declared, before.",
    )
    catheter_implants_from = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        editable=False,
        help_text="The year from which on its implanted catheters count; what it declared, before.",
    )

    history = SealedRecords()
    objects = SiteQuerySet.as_manager()

    class Meta:
        ordering = ["code"]
        constraints = [
            rule(
                "code_is_well_formed",
                Q(code__regex=SITE_CODE),
                "A site code has 2 to 20 capital letters, digits or hyphens.",
            ),
            rule(
                "country_is_a_code",
                Q(country="") | Q(country__regex=COUNTRY),
                "Give the country as two capital letters (ISO 3166).",
            ),
            rule(
                "a_round_has_its_seal",
                Q(round_number=None, round_seal=None)
                | Q(round_number__isnull=False, round_number__gte=1, round_seal__isnull=False),
                "A closed round is numbered from 1 and has its seal.",
            ),
            year_rule("pump_implants_from"),
            year_rule("catheter_implants_from"),
            KEY_PATTERN_RULE,
        ]

    def __str__(self) -> str:
        return self.code

    def implants_from(self, component: Component) -> int | None:
        """The year from which on its implants of a component count, where it has said one."""
        year: int | None = getattr(self, IMPLANTS_FROM[component])
        return year


IMPLANTS_FROM = {
    Component.PUMP: "pump_implants_from",
    Component.CATHETER: "catheter_implants_from",
}
"""The column of a site that holds its word, by component."""


class Membership(models.Model):
    """One user's place at one site."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="memberships")
    role = code_field(MembershipRole, blank=False, default=MembershipRole.REPORTER.value)
    active = models.BooleanField(default=True)

    history = SealedRecords()

    class Meta:
        ordering = ["site", "user"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "site"],
                name="%(app_label)s_%(class)s_once_a_site",
                violation_error_message="This user is a member of the site already.",
            ),
            coded("role", MembershipRole, blank=False),
        ]

    def __str__(self) -> str:
        return f"{self.user} at {self.site}"

    @classmethod
    def held_by(cls, user: User | int) -> models.QuerySet[Membership]:
        """The active memberships of a user, or of a user's key."""
        return cls.objects.filter(user=user, active=True)
