"""System checks that a deployment fails on before it does harm."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections

from registry.answers.by_provider import missing_for_provider
from registry.keys import key_faults
from registry.models import User
from registry.models.append_only import bypassed_triggers
from registry.reporting.verifying import engine_fault, replica_is_missing
from registry.shared_cache import CLIENT_MISSING, RedisOrMemory, cache_fault
from registry.vocabulary import Right
from registry.vocabulary.roles import APART


@register(Tags.database)
def audit_trail_is_append_only(
    app_configs: Any, databases: Iterable[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """Name what passes a database's append-only triggers by. One to five queries a database."""
    return [
        Error(
            f"The audit trail of database {alias} is not append-only: {len(found)} faults, the "
            f"first: {found[0]}.",
            hint="Find out who did it, run `verify_audit`, then `migrate --skip-checks`.",
            id="registry.E001",
        )
        for alias in databases or ()
        if (found := bypassed_triggers(connections[alias]))
    ]


@register(Tags.security)
def disclosure_keys_are_safe(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Name what is wrong with the keys of disclosure control; while developing they are made."""
    return [
        Error(fault.message, hint=fault.hint, id=KEY_CHECKS[fault.code]) for fault in key_faults()
    ]


OF_OTHERS = 0o077
"""What a mode gives to other users than the server's own."""


@register(Tags.security)
def files_are_the_servers_own(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Refuse folders and files of the registry that other users of the machine can use."""
    if settings.DEBUG:
        return []
    loose = list(_open_to_others())
    if not loose:
        return []
    more = f", and {len(loose) - 1} more below it or beside it" if len(loose) > 1 else ""
    return [
        Error(
            f"Other users may use {loose[0]}{more}.",
            hint="Make the server its owner, and run `chmod -R go=` on it.",
            id="registry.E008",
        )
    ]


def _open_to_others() -> Iterator[Path]:
    """REGISTRY_VAR and what lies in it, as far as others reach it; SQLite's files elsewhere."""
    folders = [Path(settings.REGISTRY_VAR)]
    while folders:
        folder = folders.pop()
        if _is_open(folder):
            yield folder
            inside = [path for path in sorted(folder.iterdir()) if not path.is_symlink()]
            folders += [path for path in inside if path.is_dir()]
            yield from (path for path in inside if path.is_file() and _is_open(path))
    database = Path(str(settings.DATABASES["default"]["NAME"]))
    is_inside = Path(settings.REGISTRY_VAR) in database.parents
    if database.is_file() and not is_inside and _is_open(database.parent):
        yield from filter(_is_open, sorted(database.parent.glob(f"{database.name}*")))


def _is_open(path: Path) -> bool:
    return path.exists() and bool(path.stat().st_mode & OF_OTHERS)


LEAST_RELEASE_DAYS, LEAST_RELEASE_GROWTH, LEAST_RELEASE_CHANGED = 350, 10, 200
"""About a year, a tenth of the accepted events, and so many: what was attacked was released so."""


@register(Tags.security, deploy=True)
def releases_are_far_apart(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Warn where releases may follow each other so fast, or so alike, that they tell who is new."""
    hint = "Leave it out, or give more; see docs/disclosure.md."
    found: list[CheckMessage] = []
    if settings.REGISTRY_RELEASE_DAYS < LEAST_RELEASE_DAYS:
        said = f"REGISTRY_RELEASE_DAYS lets releases follow in under {LEAST_RELEASE_DAYS} days."
        found.append(Warning(said, hint=hint, id="registry.W001"))
    if settings.REGISTRY_RELEASE_GROWTH < LEAST_RELEASE_GROWTH:
        said = f"REGISTRY_RELEASE_GROWTH lets releases differ by under {LEAST_RELEASE_GROWTH} %."
        found.append(Warning(said, hint=hint, id="registry.W004"))
    if settings.REGISTRY_RELEASE_CHANGED < LEAST_RELEASE_CHANGED:
        said = f"REGISTRY_RELEASE_CHANGED lets under {LEAST_RELEASE_CHANGED} events differ."
        found.append(Warning(said, hint=hint, id="registry.W005"))
    return found


@register(Tags.caches)
def cache_client_is_installed(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Refuse REDIS_URL without the client of Redis; asks no server."""
    if not isinstance(caches["default"], RedisOrMemory):
        return []
    try:
        import redis  # noqa: F401 - whether it can be imported is the question
    except ImportError:
        return [Error(CLIENT_MISSING.message, hint=CLIENT_MISSING.hint, id="registry.E006")]
    return []


@register(Tags.caches, deploy=True)
def cache_answers(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Ask the cache; only before a deployment, since commands must run while Redis is down."""
    fault = cache_fault()
    if fault is None or fault == CLIENT_MISSING:
        return []
    return [Error(fault.message, hint=fault.hint, id="registry.E007")]


@register(Tags.security)
def provider_is_whole(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Refuse a half-configured OpenID provider, or one without its client; asks no server."""
    missing = missing_for_provider()
    if not missing:
        return []
    return [
        Error(
            f"Nobody signs in through the OpenID provider: {' and '.join(missing)} is missing.",
            hint="Give REGISTRY_OIDC_ISSUER, REGISTRY_OIDC_CLIENT_ID and "
            "REGISTRY_OIDC_CLIENT_SECRET together, and `pip install 'pump-registry[oidc]'`.",
            id="registry.E011",
        )
    ]


@register()
def engine_can_run(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Refuse a cluster of Spark's where pyspark or Java is missing; asks no cluster."""
    fault = engine_fault()
    return [] if fault is None else [Error(fault.message, hint=fault.hint, id="registry.E010")]


@register(Tags.database, deploy=True)
def replica_can_be_read(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Warn where REPLICA_URL names no replica: freezes are then read from the primary."""
    if not replica_is_missing():
        return []
    said = "REPLICA_URL names a server that does not answer, or that takes writes of its own."
    hint = "Freezes are read from DATABASE_URL meanwhile; see docs/scaling.md."
    return [Warning(said, hint=hint, id="registry.W007")]


@register(Tags.security, deploy=True)
def reminders_can_be_mailed(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Warn where nobody is reminded by mail that a data-use agreement ends; asks no server."""
    missing = [name for name in ("EMAIL_HOST", "DEFAULT_FROM_EMAIL") if not getattr(settings, name)]
    if not missing:
        return []
    return [
        Warning(
            f"No mail is configured ({' and '.join(missing)}): nobody is reminded by mail that a "
            "data-use agreement ends.",
            hint="Give EMAIL_HOST and DEFAULT_FROM_EMAIL; see docs/operations.md.",
            id="registry.W002",
        )
    ]


@register(Tags.database)
def a_second_person_can_grant(
    app_configs: Any, databases: Iterable[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """Warn where two data managers must grant and there are fewer. One query a database."""
    if not settings.REGISTRY_AGREEMENT_SECOND_PERSON:
        return []
    return [
        Warning(
            "REGISTRY_AGREEMENT_SECOND_PERSON asks two data managers to grant an agreement, and "
            f"database {alias} has fewer.",
            hint="Give a second person the role of data manager, or leave the setting out.",
            id="registry.W003",
        )
        for alias in databases or ()
        if "registry_user" in connections[alias].introspection.table_names()
        and User.objects.using(alias).who_may(Right.RUN_REGISTRY).count() < 2
    ]


@register(Tags.database)
def a_second_person_can_confirm(
    app_configs: Any, databases: Iterable[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """Warn where nobody could confirm a role that another proposes. One query a database."""
    if not settings.REGISTRY_ROLE_SECOND_PERSON:
        return []
    return [
        Warning(
            f"Database {alias} has one data manager: roles that see all sites are given by two.",
            hint="Make a second with `createsuperuser`, or set REGISTRY_ROLE_SECOND_PERSON=0.",
            id="registry.W008",
        )
        for alias in databases or ()
        if "registry_user" in connections[alias].introspection.table_names()
        and User.objects.using(alias).who_may(Right.RUN_REGISTRY).count() == 1
    ]


@register(Tags.database)
def nobody_audits_what_they_run(
    app_configs: Any, databases: Iterable[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """Name who has rights that are kept apart, as a superuser or by SQL. Two queries a database."""
    return [
        Error(
            f"In database {alias} {len(both)} active people, the first with the id {both[0]}, may "
            "both run the registry and audit it.",
            hint="Take one of the roles from each; a superuser has those of a data manager.",
            id="registry.E009",
        )
        for alias in databases or ()
        if "registry_user" in connections[alias].introspection.table_names()
        and (both := _who_may_both(alias))
    ]


def _who_may_both(alias: str) -> list[int]:
    people = User.objects.using(alias)
    first, *others = (set(people.who_may(right).values_list("pk", flat=True)) for right in APART)
    return sorted(first.intersection(*others))


KEY_CHECKS = {
    "missing": "registry.E002",
    "too-short": "registry.E003",
    "equal": "registry.E004",
    "loose-mode": "registry.E005",
}
