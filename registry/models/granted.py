"""Verifies what lets people in: roles, permissions, passwords, code generators; and releases.

Roles, passwords and generators are compared with each person's last history row; the permissions
of a role with what the code gives it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.contrib.auth.models import Group

from registry.models.access import User
from registry.models.roles import permissions_of_roles
from registry.models.sealed_secrets import generator_digests, password_digest
from registry.models.snapshots import Snapshot

NOT_COVERED = (
    "The password of a person was stored by a version that kept no digest: run "
    "`verify_audit --sign` once."
)
OWN_PERMISSION = "A person holds a permission directly, which the registry never gives."


def altered_grants() -> Iterator[tuple[int | None, str]]:
    """What was granted past the registry: the seal of the last sealed state, and what is wrong.

    The first of each kind. Some eight queries, whatever the number of people.
    """
    seen: set[str] = set()
    for seal, what in _of_people():
        if what not in seen:
            seen.add(what)
            yield seal, what
    if User._meta.get_field("user_permissions").remote_field.through.objects.exists():  # type: ignore[union-attr]
        yield None, OWN_PERMISSION
    yield from _of_roles()


def _of_people() -> Iterator[tuple[int | None, str]]:
    generators = generator_digests()
    roles: dict[int, set[str]] = {}
    for person, name in User.groups.through.objects.values_list("user", "group__name"):
        roles.setdefault(person, set()).add(name)
    people = User._base_manager.values_list("pk", "password", "must_change_password")
    stored = {key: (password, is_given) for key, password, is_given in people}
    for last in _last_rows():
        key, seal = last["id"], last["seal_number"]
        if key not in stored:
            continue  # the comparison of rows tells that it has gone
        if last["roles"] != ", ".join(sorted(roles.get(key, ()))):
            yield seal, "The roles of a person were altered past their history."
        if not last["password_digest"]:
            yield None, NOT_COVERED
            continue
        if not _is_of(last["password_digest"], *stored[key]):
            yield seal, "The password of a person was altered past its history."
        if last["generator_digest"] != generators.get(key, ""):
            yield seal, "The code generator of a person was altered past its history."


def _is_of(digest: str, password: str, is_given: bool) -> bool:
    """Whether a digest is of a password as it is stored.

    Versions before 0.3 did not say in it that a password is given; that it is said to be given
    since harms nobody.
    """
    known = {password_digest(password, is_given=each) for each in (is_given, False)}
    return digest in known


def altered_releases() -> Iterator[tuple[int | None, str]]:
    """The first release whose data are said to go up to another seal than when it was published.

    Its other columns are compared as those of all rows with a history. Two queries.
    """
    last = {
        row["id"]: row
        for row in Snapshot.history.order_by("history_id").values("id", "as_of_seal", "seal_number")
    }
    for key, as_of in Snapshot.sealed_rows().values_list("pk", "seal_number"):
        if key in last and last[key]["as_of_seal"] != as_of:
            yield last[key]["seal_number"], "The data of a release were altered past its history."
            return


def people_not_covered() -> list[int]:
    """The keys of people whose last history row has no digest of the password."""
    return [last["id"] for last in _last_rows() if not last["password_digest"]]


def _last_rows() -> Iterator[dict[str, Any]]:
    """The last history row of every person."""
    names = ("id", "seal_number", "roles", "password_digest", "generator_digest")
    rows = User.history.order_by("id", "history_id").values(*names)
    for _, group in groupby(rows.iterator(chunk_size=2000), key=itemgetter("id")):
        *_, last = group
        yield last


def _of_roles() -> Iterator[tuple[int | None, str]]:
    """The first role whose permissions are not those that the code gives it."""
    wanted = permissions_of_roles()
    for group in Group.objects.prefetch_related("permissions__content_type").order_by("name"):
        held = {
            f"{each.content_type.app_label}.{each.codename}" for each in group.permissions.all()
        }
        if group.name not in wanted:
            yield None, "There is a group that is no role."
            return
        if held != wanted.pop(group.name):
            yield None, f"The role {group.name} has other permissions than the registry gives it."
            return
    if wanted:
        yield None, f"The role {min(wanted)} has gone."
