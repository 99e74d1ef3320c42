"""What an owner of the database can do unseen: nothing of this table, which docs/security.md has.

Each test first verifies the untouched registry, then alters it by SQL with the triggers off, puts
the triggers on again, and asks what `verify_audit` names.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from registry.models import AccessLog, Seal, Snapshot, Token, User, sealed
from registry.models.access_log import (
    ALTERED,
    FORGED_ENTRY,
    GONE_ENTRY,
    REMOVED,
    TWICE,
    UNSIGNED_ENTRY,
    seal_log,
)
from registry.models.append_only import lift_append_only_triggers
from registry.models.granted import OWN_PERMISSION
from registry.models.heads import head_of, keep_head
from registry.models.signing import Signer, signer
from registry.models.verification import FORGED, GONE, SIGN_ONCE, verify_audit
from registry.vocabulary import Role
from tests.factories import (
    AgreementFactory,
    EventFactory,
    MembershipFactory,
    SiteFactory,
    UserFactory,
)
from tests.models.tampering import chained_anew, tampered

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.postgresql,
    pytest.mark.usefixtures("heads", "untouched"),
]

SECURITY = Path(__file__).parents[2] / "docs" / "security.md"
GUESSED = Signer(b"a key of the attacker's own, guessed")


@pytest.fixture
def untouched(heads, django_capture_on_commit_callbacks):
    """A small registry with a row of every covered kind, whose heads are kept; it verifies."""
    event = EventFactory()
    event.severity = 1
    with sealed(by=None, action="grade") as seal:
        seal.save(event)
    ann = UserFactory(username="ann", roles=[Role.REVIEWER])
    MembershipFactory(user=UserFactory(username="bob", roles=[Role.SITE_STAFF]), site=event.site)
    with sealed(by=ann, action="add-one-time-code") as seal:
        TOTPDevice.objects.create(user=ann, name="Code generator", confirmed=True)
        seal.save(ann, reason="one-time-code-added")
    cid = UserFactory(username="cid", must_change_password=True)
    AgreementFactory(user=cid, expires_on=date(2030, 1, 1))
    Token.objects.create(user=ann, label="kept")
    Token.objects.create(user=ann, label="ended")[0].delete()
    with sealed(by=None, action="publish-release") as seal:
        seal.save(release())
    for what in ("event list", "implant list", "event list"):
        AccessLog.objects.create(user=ann, action="row-read", what=what, count=50)
    seal_log()
    with django_capture_on_commit_callbacks(execute=True):
        AccessLog.objects.create(user=ann, action="export", what="events of BERN", count=900)
    SiteFactory(name="The last one")
    for each in Seal.objects.all():
        keep_head(head_of(each.number, each.hash, each.at))
    assert verify_audit().breaks == ()


def release() -> Snapshot:
    counts = {"events": 1, "implants": 1, "exposures": 1, "data_as_of": timezone.now()}
    made = {"snapshot_id": "a" * 64, "kind": "release", "label": "2026", "seal_number": 4}
    return Snapshot(**made, **counts, schema_version="9", catalogue_version="1")


def new_history(table: str, **columns: object) -> None:
    """The newest history row of a table once more, with other columns."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} ORDER BY history_id DESC LIMIT 1")  # noqa: S608
        names = [column[0] for column in cursor.description]
        row = dict(zip(names, cursor.fetchone(), strict=True)) | columns
    row.pop("history_id")
    into, places = ", ".join(row), ", ".join(["%s"] * len(row))
    tampered(f"INSERT INTO {table} ({into}) VALUES ({places})", *row.values())  # noqa: S608


def altered_with_history() -> None:
    tampered("UPDATE registry_event SET severity = 3")
    tampered("UPDATE registry_historicalevent SET severity = 3 WHERE severity = 1")


def chain_without_a_key() -> None:
    altered_with_history()
    chained_anew()


def chain_under_another_key() -> None:
    altered_with_history()
    chained_anew(GUESSED)


def chain_under_the_mark_of_ours() -> None:
    chain_under_another_key()
    tampered(
        "UPDATE registry_seal SET signature = replace(signature, %s, %s)",
        GUESSED.mark,
        signer().mark,
    )


def seal_beside_the_others() -> None:
    last = Seal.objects.latest("number")
    new_history("registry_historicalevent", seal_number=last.number + 1, severity=3)
    tampered("UPDATE registry_event SET severity = 3")
    tampered(
        "INSERT INTO registry_seal (number, at, action, rows, digest, previous, hash, signature) "
        "SELECT number + 1, at, action, 1, digest, hash, 'h', '' FROM registry_seal "
        "WHERE number = %s",
        last.number,
    )
    chained_anew()
    tampered(
        "UPDATE registry_seal SET signature = %s WHERE number = %s",
        last.signature,
        last.number + 1,
    )


def instants_backwards() -> None:
    """What nobody can do without the key: the registry itself would have to."""
    tampered("UPDATE registry_seal SET at = '2020-01-01 00:00:00' WHERE number = 5")
    chained_anew(signer())


def cut_at_the_end() -> None:
    tampered("DELETE FROM registry_historicalsite WHERE name = 'The last one'")
    tampered("DELETE FROM registry_site WHERE name = 'The last one'")
    tampered("DELETE FROM registry_seal WHERE number = %s", Seal.objects.count())


def older_copy_that_went_on() -> None:
    cut_at_the_end()
    SiteFactory(name="Another one")


def forged_redaction() -> None:
    tampered("UPDATE registry_historicalevent SET source_id = 'e1'")
    tampered(
        "INSERT INTO registry_redaction (public_id, row_kind, row, of_seal, digest, seal_id) "
        "SELECT public_id, 'event', public_id, 4, digest, 5 FROM registry_event, registry_seal "
        "WHERE number = 4"
    )


def password_of_another() -> None:
    other = User.objects.get(username="bob").password
    tampered("UPDATE registry_user SET password = %s WHERE username = 'ann'", other)


def role_given() -> None:
    bob, auditor = User.objects.get(username="bob"), Group.objects.get(name=Role.AUDITOR.value)
    tampered(
        "INSERT INTO registry_user_groups (user_id, group_id) VALUES (%s, %s)", bob.pk, auditor.pk
    )


def role_given_with_history() -> None:
    role_given()
    tampered(
        "UPDATE registry_historicaluser SET roles = 'auditor, site staff' WHERE username = 'bob'"
    )


def permission_of_a_role() -> None:
    group = Group.objects.get(name=Role.RESEARCHER.value)
    permission = Permission.objects.get(codename="add_user")
    tampered(
        "INSERT INTO auth_group_permissions (group_id, permission_id) VALUES (%s, %s)",
        group.pk,
        permission.pk,
    )


def permission_of_a_person() -> None:
    tampered(
        "INSERT INTO registry_user_user_permissions (user_id, permission_id) VALUES (%s, %s)",
        User.objects.get(username="bob").pk,
        Permission.objects.get(codename="add_user").pk,
    )


def copied(table: str, **columns: object) -> None:
    """A row of a table once more, with other columns."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} ORDER BY 1 DESC LIMIT 1")  # noqa: S608
        names = [column[0] for column in cursor.description]
        row = dict(zip(names, cursor.fetchone(), strict=True)) | columns
    into, places = ", ".join(row), ", ".join(["%s"] * len(row))
    tampered(f"INSERT INTO {table} ({into}) VALUES ({places})", *row.values())  # noqa: S608


def token_put_beside() -> None:
    copied("registry_token", digest="d" * 128, public_id="0" * 32, token_key="k" * 15)


def ended_token_put_back() -> None:
    names = "digest, token_key, created, expiry, public_id, label, scopes, user_id"
    tampered(
        f"INSERT INTO registry_token ({names}) SELECT {names} "  # noqa: S608
        "FROM registry_historicaltoken WHERE history_type = '-'"
    )


def entry_written() -> None:
    copied("registry_accesslog", id=900_001, what="nothing", signature=f"{GUESSED.sign('x')}.a")


def entry_in_another_s_name() -> None:
    bob = User.objects.get(username="bob").pk
    tampered("UPDATE registry_accesslog SET user_id = %s WHERE action = 'export'", bob)


def entry_replaced() -> None:
    """The newest entry under another's words and signature, and its own key."""
    tampered(
        "UPDATE registry_accesslog SET (user_id, action, what, count, at, signature) = "
        "(SELECT user_id, action, what, count, at, signature FROM registry_accesslog "
        "WHERE what = 'implant list') WHERE action = 'export'"
    )


def range_forgotten() -> None:
    tampered("DELETE FROM registry_accesslog WHERE action = 'row-read'")
    tampered("DELETE FROM registry_loggedrange")


def trigger_that_does_nothing() -> None:
    lift_append_only_triggers(connection)


def trigger_switched_off() -> None:
    if connection.vendor == "postgresql":
        statement = "ALTER TABLE registry_seal DISABLE TRIGGER registry_seal_no_delete"
    else:
        statement = "DROP TRIGGER registry_seal_no_delete"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(statement)


def triggers_passed_by() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no roles of sessions")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")


@dataclass(frozen=True)
class Tampering:
    """What is done, in the words of the table, how, and what `verify_audit` says of it."""

    done: str
    do: Callable[[], None]
    named: str


def by(statement: str, *values: object) -> Callable[[], None]:
    return lambda: tampered(statement, *values)


ROW, ROLE = "A row of {} was altered past its history.", "The roles of a person were altered"
TAMPERINGS = [
    Tampering(
        "a row altered",
        by("UPDATE registry_event SET severity = 3"),
        ROW.format("event"),
    ),
    Tampering(
        "a row and its history altered",
        altered_with_history,
        "A history row under it was altered.",
    ),
    Tampering("the same, and the whole chain worked out again", chain_without_a_key, FORGED),
    Tampering(
        "the same, signed with a key of one's own",
        chain_under_another_key,
        "are signed under another key",
    ),
    Tampering("the same, under the mark of the right key", chain_under_the_mark_of_ours, FORGED),
    Tampering(
        "a history row removed",
        by("DELETE FROM registry_historicalevent WHERE severity = 1"),
        "It covers 1 history rows, and 0 are there.",
    ),
    Tampering(
        "a history row added",
        lambda: new_history("registry_historicalevent", severity=4),
        "It covers 1 history rows, and 2 are there.",
    ),
    Tampering(
        "a history row moved under another seal",
        by("UPDATE registry_historicalevent SET seal_number = 6 WHERE severity = 1"),
        "It covers 1 history rows, and 0 are there.",
    ),
    Tampering(
        "the author of a history row altered",
        by("UPDATE registry_historicalevent SET history_user_id = 1"),
        "A history row under it was altered.",
    ),
    Tampering("a row removed", by("DELETE FROM registry_event"), "A row of event has gone."),
    Tampering(
        "a row put in",
        by(
            "INSERT INTO registry_site (code, name, country, active, words, key_prefix) "
            "VALUES ('SLY', '', '', true, '{}', '')"
        ),
        "A row of site has no history.",
    ),
    Tampering("a seal appended, with the chain worked out", seal_beside_the_others, FORGED),
    Tampering(
        "the author of a seal altered",
        by("UPDATE registry_seal SET actor_id = NULL"),
        "It was altered: its hash does not fit what it says.",
    ),
    Tampering(
        "the instant of a seal altered",
        by("UPDATE registry_seal SET at = '2020-01-01 00:00:00' WHERE number = 5"),
        "It was altered: its hash does not fit what it says.",
    ),
    Tampering(
        "instants that run backwards",
        instants_backwards,
        "Its instant is before that of the seal before it.",
    ),
    Tampering(
        "a seal removed from the middle",
        by("DELETE FROM registry_seal WHERE action = 'add-one-time-code'"),
        " is missing.",
    ),
    Tampering("the signatures removed", by("UPDATE registry_seal SET signature = ''"), SIGN_ONCE),
    Tampering("the newest seal removed with its rows", cut_at_the_end, GONE),
    Tampering(
        "an older copy of the database put in place, which goes on",
        older_copy_that_went_on,
        "It is not the seal whose head the file of heads has.",
    ),
    Tampering(
        "a key altered under a redaction that nobody made",
        forged_redaction,
        "A history row under it was altered.",
    ),
    Tampering("a role given", role_given, ROLE),
    Tampering(
        "a role given, and the history with it",
        role_given_with_history,
        "A history row under it was altered.",
    ),
    Tampering(
        "a permission given to a role",
        permission_of_a_role,
        "The role researcher has other permissions than the registry gives it.",
    ),
    Tampering("a permission given to a person", permission_of_a_person, OWN_PERMISSION),
    Tampering(
        "a person made superuser",
        by("UPDATE registry_user SET is_superuser = true WHERE username = 'bob'"),
        ROW.format("user"),
    ),
    Tampering(
        "a membership moved to another person",
        by("UPDATE registry_membership SET role = 'lead'"),
        ROW.format("membership"),
    ),
    Tampering(
        "a password set",
        password_of_another,
        "The password of a person was altered past its history.",
    ),
    Tampering(
        "a password that was given said to be its owner's own",
        by("UPDATE registry_user SET must_change_password = false WHERE username = 'cid'"),
        "The password of a person was altered past its history.",
    ),
    Tampering(
        "a code generator removed",
        by("DELETE FROM otp_totp_totpdevice"),
        "The code generator of a person was altered past its history.",
    ),
    Tampering("a token put in", token_put_beside, "A row of token has no history."),
    Tampering(
        "a token prolonged or given scopes",
        by("UPDATE registry_token SET expiry = '2099-01-01 00:00:00'"),
        ROW.format("token"),
    ),
    Tampering("an ended token put back", ended_token_put_back, "A row of token has no history."),
    Tampering(
        "an agreement prolonged",
        by("UPDATE registry_agreement SET expires_on = '2099-01-01'"),
        ROW.format("agreement"),
    ),
    Tampering(
        "a sealed entry of the access log altered",
        by("UPDATE registry_accesslog SET what = 'nothing' WHERE what = 'implant list'"),
        ALTERED,
    ),
    Tampering(
        "a sealed entry of the access log removed",
        by("DELETE FROM registry_accesslog WHERE what = 'implant list'"),
        REMOVED,
    ),
    Tampering(
        "entries removed with the range that has them",
        range_forgotten,
        "A row of loggedrange has gone.",
    ),
    Tampering(
        "a new entry of the access log put on another person", entry_in_another_s_name, FORGED_ENTRY
    ),
    Tampering(
        "a new entry of the access log removed",
        by("DELETE FROM registry_accesslog WHERE action = 'export'"),
        GONE_ENTRY,
    ),
    Tampering("a new entry replaced by one that the registry wrote", entry_replaced, GONE_ENTRY),
    Tampering("an entry of the access log written", entry_written, UNSIGNED_ENTRY),
    Tampering(
        "an entry of the access log copied", lambda: copied("registry_accesslog", id=900_000), TWICE
    ),
    Tampering(
        "the label of a release altered",
        by("UPDATE registry_snapshot SET label = '2025'"),
        ROW.format("snapshot"),
    ),
    Tampering(
        "the data of a release said to go further",
        by("UPDATE registry_snapshot SET seal_number = 9"),
        "The data of a release were altered past its history.",
    ),
    Tampering(
        "a release removed",
        by("DELETE FROM registry_snapshot"),
        "A row of snapshot has gone.",
    ),
    Tampering(
        "a complication of the catalogue renamed",
        by("UPDATE registry_complication SET name = 'Other'"),
        ROW.format("complication"),
    ),
    Tampering("the triggers dropped", trigger_that_does_nothing, "is missing, and"),
    Tampering("a trigger disabled", trigger_switched_off, "trigger registry_seal_no_delete is "),
    Tampering(
        "triggers passed by (PostgreSQL)",
        triggers_passed_by,
        "session_replication_role is set, which skips triggers",
    ),
]


@pytest.mark.parametrize("tampering", TAMPERINGS, ids=lambda one: one.done)
def test_tampering_by_the_owner_of_the_database_is_named(tampering):
    tampering.do()

    found = verify_audit().breaks

    assert any(tampering.named in one.what for one in found), [one.what for one in found]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = origin")


def test_registry_that_goes_on_verifies():
    EventFactory()
    AccessLog.objects.create(action="row-read", what="event list", count=1)
    seal_log()

    assert verify_audit().breaks == ()


def test_security_page_has_every_tampering():
    rows = re.findall(r"^\| \d+ \| ([^|]+) \| \*([^|*]+)\* \|$", SECURITY.read_text(), re.MULTILINE)

    assert [done for done, _said in rows] == [each.done for each in TAMPERINGS]
    assert len(TAMPERINGS) >= 30
