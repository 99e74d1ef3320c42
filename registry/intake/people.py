"""People who sign in: made, changed and deactivated by data managers, and told of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils import timezone

from registry.intake.role_proposals import needs_a_second, propose
from registry.intake.writers import require_data_manager
from registry.models import RoleProposal, Sealing, User, sealed
from registry.models.roles import held_apart
from registry.records import Fault, RowRuleBroken
from registry.vocabulary import Role

__all__ = ["change_person", "make_person", "note_told", "password_giver", "unseen_by_owner"]

PASSWORD_GIVEN = "password-given"  # noqa: S105 - the reason of a history row
RENAMED, CLOSED, REOPENED = "name-changed", "account-closed", "account-opened"
CODE_REMOVED, ROLES_SET = "one-time-code-removed", "roles-set"

TOLD = {
    PASSWORD_GIVEN: "set your password",
    "change-password": "set your password",  # by a command
    RENAMED: "changed your user name or e-mail address",
    REOPENED: "opened your account again",
    CODE_REMOVED: "removed your one-time code",
    ROLES_SET: "changed your roles",
}
"""What others may change in an account, by the reason in its history, as its owner is told."""


@dataclass(frozen=True, slots=True)
class StoredPerson:
    """A person as stored, and the roles that wait for a second data manager."""

    person: User
    proposed: tuple[RoleProposal, ...]


@dataclass(frozen=True, slots=True)
class AccountChange:
    """A change in an account that somebody else made: when, by whom, and what, in words."""

    at: datetime
    by: str
    what: str


def make_person(
    *,
    username: str,
    password: str,
    email: str = "",
    is_staff: bool = False,
    is_active: bool = True,
    roles: Iterable[str] = (),
    by: User | None,
) -> StoredPerson:
    """Makes a person with a first password, which its owner changes; for data managers.

    Roles that see all sites are proposed where two people give them (REGISTRY_ROLE_SECOND_PERSON),
    and not held yet. Raises NotPermitted, RowRuleBroken.
    """
    require_data_manager(by, "make people")
    with sealed(by=by, action="make-user") as seal:
        person = User(username=username, email=email, is_staff=is_staff, is_active=is_active)
        _refuse(_account_faults(person), _password_faults(password, person))
        _give_password(person, password)
        seal.save(person, reason=PASSWORD_GIVEN)
        return StoredPerson(person, _give_roles(person, roles, held=set(), by=by, seal=seal))


def change_person(
    person: User,
    *,
    username: str,
    email: str,
    is_staff: bool,
    is_active: bool,
    roles: Iterable[str],
    password: str = "",
    by: User | None,
) -> StoredPerson:
    """Changes a person, or gives another password; for data managers.

    Sessions and tokens end where the password, the name, the roles or the activity changes. Who is
    made active again holds no role that two people give: it is proposed. Raises NotPermitted,
    RowRuleBroken.
    """
    require_data_manager(by, "change people")
    with sealed(by=by, action="change-user") as seal:
        stored = User.objects.get(pk=person.pk)
        groups = set(stored.groups.values_list("name", flat=True))
        held = groups if stored.is_active else set()
        reason = _what_changes(stored, username, email, is_active=is_active, password=password)
        restaffed = stored.is_staff != is_staff
        stored.username, stored.email = username, email
        stored.is_staff, stored.is_active = is_staff, is_active
        _refuse(_account_faults(stored), _password_faults(password, stored) if password else ())
        if password:
            _give_password(stored, password)
        if reason:
            stored.end_access()
        if reason or restaffed:
            seal.save(stored, reason=reason)
        return StoredPerson(stored, _give_roles(stored, roles, held=held, by=by, seal=seal))


def unseen_by_owner(person: User) -> list[AccountChange]:
    """What others changed in this account since its owner was last told, oldest first.

    Nothing before the first sign-in: what an account began with is no change. Two queries.
    """
    if person.told_at is None:
        return []
    rows = person.history.filter(history_change_reason__in=TOLD, history_date__gt=person.told_at)
    return [
        AccountChange(
            row.history_date,
            row.history_user.get_username() if row.history_user else "the registry itself",
            TOLD[row.history_change_reason],
        )
        for row in rows.exclude(history_user=person.pk)
        .select_related("history_user")
        .order_by("history_id")
    ]


def note_told(person: User) -> None:
    """Notes that the owner was told now; a column without history, like the last sign-in's."""
    User.objects.filter(pk=person.pk).update(told_at=timezone.now())


def password_giver(person: User) -> AccountChange | None:
    """Who gave the password that its owner is to change, and when. One query."""
    rows = person.history.filter(history_change_reason=PASSWORD_GIVEN)
    row = rows.select_related("history_user").order_by("-history_id").first()
    if row is None:
        return None
    giver = row.history_user.get_username() if row.history_user else "the registry itself"
    return AccountChange(row.history_date, giver, TOLD[PASSWORD_GIVEN])


def _what_changes(
    stored: User, username: str, email: str, *, is_active: bool, password: str
) -> str:
    """The reason of the history row; of several the one that gives somebody else the account."""
    if password:
        return PASSWORD_GIVEN
    if (stored.username, stored.email) != (username, email):
        return RENAMED
    if stored.is_active != is_active:
        return REOPENED if is_active else CLOSED
    return ""


def _give_password(person: User, password: str) -> None:
    person.set_password(password)
    person.must_change_password = True


def _give_roles(
    person: User, roles: Iterable[str], *, held: set[str], by: User | None, seal: Sealing
) -> tuple[RoleProposal, ...]:
    """Give the roles that one data manager may give, and propose the others."""
    wanted = set(held_apart(roles, of=person))
    if not wanted <= set(Role.codes()):
        raise RowRuleBroken(Fault("roles", "unknown-code", "choose roles from the list"))
    second = needs_a_second(wanted - held, by=by) if person.is_active else set()
    direct = wanted - second
    if direct != set(person.groups.values_list("name", flat=True)):
        person.set_roles(direct, seal=seal)
    if by is None:
        return ()
    return tuple(propose(person, Role.of(role), by=by, seal=seal) for role in sorted(second))


def _account_faults(person: User) -> tuple[Fault, ...]:
    faults = []
    for name in ("username", "email"):
        others = [field.name for field in User._meta.fields if field.name != name]
        try:
            person.clean_fields(exclude=others)
            person.validate_unique(exclude=others)
        except ValidationError as found:
            faults.append(Fault(name, "bad-account", " ".join(found.messages)))
    return tuple(faults)


def _password_faults(password: str, person: User) -> tuple[Fault, ...]:
    try:
        validate_password(password, person)
    except ValidationError as found:
        return (Fault("new_password", "weak-password", " ".join(found.messages)),)
    return ()


def _refuse(*faults: tuple[Fault, ...]) -> None:
    if found := [fault for some in faults for fault in some]:
        raise RowRuleBroken(found)
