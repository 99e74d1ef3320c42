"""What somebody does who owns the database: triggers off, any statement, triggers on again."""

from django.db import connection

from registry.models import Seal
from registry.models.append_only import install_append_only_triggers, lift_append_only_triggers
from registry.models.audit import GENESIS
from registry.models.signing import Signer
from registry.models.verification import digest_of


def tampered(statement: str, *values: object) -> None:
    """Run one statement past triggers and foreign keys; the triggers are there again afterwards."""
    lift_append_only_triggers(connection)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement, values)
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = origin")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    install_append_only_triggers(connection)


def chained_anew(signer: Signer | None = None) -> None:
    """Work out every digest and hash again; sign them, where there is a key."""
    lift_append_only_triggers(connection)
    previous = GENESIS
    for seal in Seal.objects.order_by("number"):
        digest = digest_of(seal.number)
        seal.digest, seal.rows, seal.previous = digest.hexdigest(), digest.rows, previous
        seal.hash = previous = seal.expected_hash()
        if signer is not None:
            seal.signature = signer.sign(seal.signed_text)
        seal.save()
    install_append_only_triggers(connection)
