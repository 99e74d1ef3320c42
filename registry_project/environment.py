"""Readers of the environment: each refuses what its setting does not take, and names it."""

import os
import re
from collections.abc import Mapping
from typing import Any

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from registry.vocabulary.roles import Role


def flag(name: str, *, default: bool = False) -> bool:
    """Read a yes-or-no setting; anything else than a clear yes or no is refused."""
    text = os.environ.get(name, "").strip().lower()
    if text in {"", "0", "1", "true", "false", "yes", "no", "on", "off"}:
        return default if text == "" else text in {"1", "true", "yes", "on"}
    raise ImproperlyConfigured(f"{name} must be 1 or 0.")


def origins(name: str) -> list[str]:
    """Read origins: scheme and host, and a port where it is not the usual one."""
    found = listed(name)
    if not all(re.fullmatch(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?", each) for each in found):
        raise ImproperlyConfigured(
            f"{name} must be origins such as https://notebook.example, comma-separated: without a "
            "path, in lower case."
        )
    return found


def origin(name: str) -> str:
    """Read one origin; empty where it is not set."""
    found = origins(name)
    if len(found) > 1:
        raise ImproperlyConfigured(f"{name} must be one origin.")
    return "".join(found)


def listed(name: str, default: str = "") -> list[str]:
    return [part.strip() for part in os.environ.get(name, default).split(",") if part.strip()]


def whole(name: str, default: int, *, least: int, most: int | None = None) -> int:
    """Read a whole number within its limits."""
    text = os.environ.get(name, "").strip()
    number = int(text) if re.fullmatch(r"[0-9]{1,12}", text) else None
    if text == "":
        return default
    if number is None or number < least or (most is not None and number > most):
        limits = f"of {least} or more" if most is None else f"from {least} to {most}"
        raise ImproperlyConfigured(f"{name} must be a whole number {limits}.")
    return number


def share_of_processors() -> int:
    """How many threads each of gunicorn's workers has to itself; 0 where it has no others.

    WEB_CONCURRENCY, which gunicorn reads, says how many there are. More threads than processors
    make every answer wait for all others.
    """
    workers = whole("WEB_CONCURRENCY", 1, least=1)
    return max(1, (os.cpu_count() or 1) // workers) if workers > 1 else 0


def chosen(name: str, default: str, choices: set[str]) -> str:
    """Read one of several words."""
    word = os.environ.get(name, "").strip() or default
    if word not in choices:
        raise ImproperlyConfigured(f"{name} must be one of: {', '.join(sorted(choices))}.")
    return word


def roles(name: str) -> frozenset[str]:
    """Read roles, with hyphens for blanks; `all` for every account, nothing for none."""
    words = listed(name)
    if words == ["all"]:
        return frozenset({"all"})
    roles = {role.value.replace(" ", "-"): role.value for role in Role}
    if not set(words) <= set(roles):
        known = ", ".join(sorted(roles))
        raise ImproperlyConfigured(f"{name} must be all, or roles out of: {known}.")
    return frozenset(roles[word] for word in words)


def rate(name: str, default: str) -> str:
    """Read a number of requests in a time."""
    text = os.environ.get(name, "").strip() or default
    if not re.fullmatch(r"[1-9][0-9]*/(s|sec|second|m|min|minute|h|hour|d|day)", text):
        raise ImproperlyConfigured(
            f"{name} must be a number of requests in a time: 600/min, or in place of min: "
            "sec, hour or day."
        )
    return text


def engine(name: str) -> str:
    """Read where statistics are worked out: in this process, or on a cluster of Spark's."""
    text = os.environ.get(name, "").strip() or "duckdb"
    host = r"[A-Za-z0-9.-]+:[0-9]{1,5}"
    if text != "duckdb" and not re.fullmatch(rf"spark://{host}(,{host})*", text):
        raise ImproperlyConfigured(
            f"{name} must be duckdb, or the address of a Spark master: spark://host:7077, with "
            "standby masters after commas."
        )
    return text


def replica(url: str, *, of: Mapping[str, Any]) -> dj_database_url.DBConfig:
    """Read the address of a streaming replica; whatever it becomes, nothing is written there."""
    said = "REPLICA_URL must be postgres://user:password@host/name, of a replica of DATABASE_URL."
    try:
        found = dj_database_url.parse(url, conn_max_age=60)
    except ValueError:
        raise ImproperlyConfigured(said) from None
    postgresql = "django.db.backends.postgresql"
    if {found.get("ENGINE"), of["ENGINE"]} != {postgresql}:
        raise ImproperlyConfigured(said)
    options = found.setdefault("OPTIONS", {})
    read_only = f"{options.get('options', '')} -c default_transaction_read_only=on"
    options |= {"connect_timeout": 3, "options": read_only.strip()}
    return found


class Hidden(str):
    """A secret whose value is not shown where settings are listed."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'(hidden)'"


def hold_to_form(redis_url: str) -> None:
    """Refuse an address that the client of Redis does not read; asks no server."""
    try:
        from redis import ConnectionPool
    except ImportError:  # told by the system check registry.E006
        return
    try:
        ConnectionPool.from_url(redis_url).make_connection()
    except (TypeError, ValueError):
        raise ImproperlyConfigured(
            "REDIS_URL must be redis://name:password@host:6379/0, with other characters of name "
            "and password percent-encoded; rediss:// over TLS, or unix:///path."
        ) from None


def issuer(name: str) -> str:
    """Read the issuer of an OpenID provider; http on this machine alone."""
    text = os.environ.get(name, "").strip()
    here = r"http://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?"
    address = rf"(https://[A-Za-z0-9.-]+(:[0-9]{{1,5}})?|{here})(/[^?#\s]*)?"
    if text and not re.fullmatch(address, text):
        raise ImproperlyConfigured(
            f"{name} must be the issuer to the letter, as the provider's discovery document has "
            "it: https://login.hospital.example/realms/staff"
        )
    return text
