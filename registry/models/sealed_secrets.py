"""The fact that a password or a code generator changed, under a seal: digests, never the secrets.

A stored password is a salted hash, and a generator's key is 20 random bytes, so their SHA-256 tells
nobody more. A history row of a user has both digests, so that a password set by SQL is found.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from typing import Any, cast

from django.apps import apps
from django.db import models

from registry.models.audit import joined, open_seal, who_asks


class SecretsKept(models.Model):
    """Digests of the user's password and code generator at the time of the history row.

    password_digest: empty in rows of versions that kept none. generator_digest: empty without one.
    """

    password_digest = models.CharField(max_length=64, blank=True, default="")
    generator_digest = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        abstract = True


def password_digest(stored: str, *, is_given: bool) -> str:
    """The digest of a password as it is stored; of one that is no password, too.

    is_given: somebody else set it, and its owner is to change it; covered, so that nobody keeps a
    password that another person knows from being changed.
    """
    whose = "given password" if is_given else "password"
    return hashlib.sha256(f"{whose} {stored}".encode()).hexdigest()


def generator_digests(people: Iterable[int] | None = None) -> dict[int, str]:
    """The digest of each person's confirmed code generators, by the person's key. One query.

    people: of these only. Who has none is left out.
    """
    devices: Any = apps.get_model("otp_totp", "TOTPDevice")._default_manager.filter(confirmed=True)
    if people is not None:
        devices = devices.filter(user__in=people)
    keys: dict[int, list[str]] = {}
    for person, key in devices.values_list("user", "key"):
        keys.setdefault(person, []).append(key)
    return {
        person: hashlib.sha256(f"generators {sorted(held)}".encode()).hexdigest()
        for person, held in keys.items()
    }


class SealsPassword:
    """A user whose password changes under a seal, whoever stores it: a form, a command, Django."""

    pk: Any
    password: str
    _password: str | None
    history: Any

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Stores the row; a changed password, and nothing else, under a seal of its own.

        Django's forms, `changepassword` and the renewal of a weak hash at sign-in call this. Any
        other change is refused outside `sealed`, as for every row with a history. One query, where
        the password may have changed.
        """
        sealing, row = open_seal(), cast("models.Model", self)
        is_being_sealed = sealing is not None and sealing.saving is self
        if is_being_sealed or not self._has_another_password(kwargs.get("update_fields")):
            super().save(*args, **kwargs)  # type: ignore[misc]
            return
        action = "change-password" if self._password is not None else "renew-password-hash"
        with joined(by=who_asks(), action=action) as seal:
            seal.save(row, reason=action, **kwargs)

    def _has_another_password(self, only: Collection[str] | None) -> bool:
        """Whether the password is another than the stored one, and all with a history is not.

        only: the columns that are to be stored, where not all are.
        """
        if only is not None and "password" not in only:
            return False
        names = [field.attname for field in self.history.model.tracked_fields]
        stored = type(self)._base_manager.filter(pk=self.pk)  # type: ignore[attr-defined]
        found = stored.values("password", *names).first() if self.pk else None
        return (
            found is not None
            and found["password"] != self.password
            and all(found[name] == getattr(self, name) for name in names)
        )

    def secret_digests(self) -> dict[str, str]:
        """What the history row stores of the secrets, as the database has them. Two queries."""
        stored = type(self)._base_manager.filter(pk=self.pk)  # type: ignore[attr-defined]
        password, is_given = stored.values_list("password", "must_change_password").get()
        return {
            "password_digest": password_digest(password, is_given=is_given),
            "generator_digest": generator_digests([self.pk]).get(self.pk, ""),
        }
