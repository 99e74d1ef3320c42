"""Signs seals that carry no signature under this server's key: after an upgrade or a new key.

What an earlier version did not cover is taken under a seal as it stands.
"""

from __future__ import annotations

from itertools import islice

from django.db import connection, transaction

from registry.models.access import User
from registry.models.access_log import seal_log
from registry.models.append_only import updates_allowed
from registry.models.audit import Seal, sealed, wait_for_turn
from registry.models.granted import people_not_covered
from registry.models.heads import head_of, heads_file, keep_head
from registry.models.signing import SignedBy, signer
from registry.models.snapshots import Snapshot
from registry.models.statements import update_rows
from registry.models.tokens import Token
from registry.models.verification import Verified, verify_audit

_CHUNK = 1000


def sign_trail() -> tuple[Verified, int]:
    """Sign every seal that is not signed under this server's key, if all else holds.

    Begins the file of heads where there is none. Returns what was found beforehand, and how many
    seals were signed: none where anything but signatures is broken. What is signed is taken as it
    stands: compare it with heads that were noted before. Raises CannotSeal, OSError.
    """
    with transaction.atomic():
        wait_for_turn()
        found = verify_audit()
        if not all(one.is_for_signing for one in found.breaks):
            return found, 0
        signed = _sign() if found.unsigned else 0
        _cover()
    last = Seal.objects.order_by("-number").first()
    if last is not None and not heads_file().exists():
        keep_head(head_of(last.number, last.hash, last.at))
    return found, signed


def _cover() -> None:
    """Write a history row of what has none yet, or one without digests, under one seal."""
    with sealed(by=None, action="begin-cover") as seal:
        for person in User.objects.filter(pk__in=people_not_covered()):
            seal.save(person, reason="begin-cover")
        for kind, rows in ((Token, Token.objects.all()), (Snapshot, Snapshot.sealed_rows())):
            if not kind.history.exists():
                for row in rows:
                    seal.save(row, reason="begin-cover")
    seal_log(as_it_stands=True)


def _sign() -> int:
    ours = signer()
    signed = 0
    seals = Seal.objects.order_by("number").iterator(chunk_size=_CHUNK)
    with updates_allowed(connection, Seal._meta.db_table):
        while some := list(islice(seals, _CHUNK)):
            lacking = []
            for seal in some:
                if ours.signed_by(seal.signed_text, seal.signature) is not SignedBy.US:
                    seal.signature = ours.sign(seal.signed_text)
                    lacking.append(seal)
            if lacking:
                update_rows(Seal, lacking, ["signature"])
            signed += len(lacking)
    return signed
