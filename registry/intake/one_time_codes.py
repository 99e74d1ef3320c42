"""Code generators and recovery codes: added and renewed by their owner, reset by data managers."""

import secrets

from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from registry.intake.writers import require
from registry.models import User, sealed
from registry.records import Fault, NotPermitted
from registry.vocabulary import Right

__all__ = ["add_generator", "remove_codes", "renew_codes"]

RECOVERY = "Recovery codes"
HOW_MANY = 10
DIGITS = 10
"""Digits of a recovery code: the sign-in field opens a phone's number pad."""


def add_generator(device: TOTPDevice) -> list[str]:
    """Replaces any other device by one that showed a correct code; returns new recovery codes.

    Sessions and tokens that were begun with the password alone end.
    """
    user = device.user
    with sealed(by=user, action="add-one-time-code") as seal:
        TOTPDevice.objects.filter(user=user).exclude(pk=device.pk).delete()
        device.confirmed = True
        device.save()
        stored = User.objects.get(pk=user.pk)
        stored.end_access()
        seal.save(stored, reason="one-time-code-added")
        return _new_codes(stored)


def renew_codes(user: User) -> list[str]:
    """Replaces the recovery codes by ten new ones, each for one sign-in."""
    with sealed(by=user, action="renew-recovery-codes") as seal:
        seal.save(User.objects.get(pk=user.pk), reason="recovery-codes-renewed")
        return _new_codes(user)


def remove_codes(user: User, *, by: User) -> None:
    """Removes a user's code generator and recovery codes; the seal names who did.

    By a data manager, for somebody who has lost them, it ends the account's sessions and tokens.
    Raises NotPermitted: for others', and for one's own where a setting asks for a code.
    """
    if by.pk != user.pk:
        require(by.may(Right.RUN_REGISTRY), "reset the one-time codes of others")
    elif user.must_use_code:
        detail = "your role asks for a one-time code: replace the code generator instead"
        raise NotPermitted(Fault("", NotPermitted.code, detail))
    with sealed(by=by, action="remove-one-time-code") as seal:
        TOTPDevice.objects.filter(user=user).delete()
        StaticDevice.objects.filter(user=user).delete()
        stored = User.objects.get(pk=user.pk)
        if by.pk != user.pk:
            stored.end_access()
        seal.save(stored, reason="one-time-code-removed")


def _new_codes(user: User) -> list[str]:
    StaticDevice.objects.filter(user=user).delete()
    device = StaticDevice.objects.create(user=user, name=RECOVERY)
    codes = [str(secrets.randbelow(10**DIGITS)).zfill(DIGITS) for _ in range(HOW_MANY)]
    StaticToken.objects.bulk_create(StaticToken(device=device, token=code) for code in codes)
    return codes
