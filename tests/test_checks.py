"""The system checks: audit trail append-only, keys of disclosure control safe, cache answering."""

import ast
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.checks import Tags, registry, run_checks
from django.db import connection

from registry import checks
from registry.answers import by_provider
from registry.answers.by_provider import NEEDED, provider_is_usable
from registry.checks import (
    KEY_CHECKS,
    a_second_person_can_confirm,
    a_second_person_can_grant,
    audit_trail_is_append_only,
    cache_answers,
    disclosure_keys_are_safe,
    engine_can_run,
    files_are_the_servers_own,
    nobody_audits_what_they_run,
    provider_is_whole,
    releases_are_far_apart,
    reminders_can_be_mailed,
    replica_can_be_read,
)
from registry.snapshot import engines
from registry.vocabulary import Role
from tests.factories import UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


def test_check_passes_while_every_trigger_is_there():
    assert audit_trail_is_append_only(None, databases=["default"]) == []


def test_check_runs_with_the_database_checks():
    assert audit_trail_is_append_only in registry.registry.registered_checks
    assert audit_trail_is_append_only.tags == (Tags.database,)


def test_check_names_the_missing_triggers_and_the_mend():
    suffix = " ON registry_seal" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER registry_seal_no_update{suffix}")

    (error,) = audit_trail_is_append_only(None, databases=["default"])

    assert error.id == "registry.E001"
    assert "1 faults, the first: trigger registry_seal_no_update is missing" in error.msg
    assert "migrate --skip-checks" in error.hint


def test_check_asks_no_database_where_none_is_named():
    assert audit_trail_is_append_only(None) == []


@pytest.mark.parametrize(
    ("records", "noise", "id"),
    [
        ("", "", "registry.E002"),
        ("ab" * 31, "cd" * 32, "registry.E003"),
        ("ab" * 32, "AB" * 32, "registry.E004"),
    ],
)
def test_production_fails_without_safe_keys(settings, tmp_path, records, noise, id):
    settings.REGISTRY_VAR, settings.REGISTRY_KEY_FILE = tmp_path, ""
    settings.REGISTRY_KEY_RECORDS, settings.REGISTRY_KEY_NOISE = records, noise

    (error,) = disclosure_keys_are_safe(None)

    assert error.id == id
    assert error in run_checks()
    assert not any(key and key in error.msg + error.hint for key in (records, noise))


def test_production_fails_where_the_key_file_is_open_to_others(settings, tmp_path):
    settings.REGISTRY_VAR, settings.REGISTRY_KEY_FILE = tmp_path, ""
    settings.REGISTRY_KEY_RECORDS = settings.REGISTRY_KEY_NOISE = ""
    (tmp_path / "disclosure-keys.json").write_text("{}")
    (tmp_path / "disclosure-keys.json").chmod(0o640)

    (error,) = disclosure_keys_are_safe(None)

    assert error.id == KEY_CHECKS["loose-mode"] == "registry.E005"


def test_production_passes_with_safe_keys():
    assert disclosure_keys_are_safe(None) == []


def released(settings, days, growth, changed):
    settings.REGISTRY_RELEASE_DAYS, settings.REGISTRY_RELEASE_GROWTH = days, growth
    settings.REGISTRY_RELEASE_CHANGED = changed


@pytest.mark.parametrize(
    ("rules", "check"),
    [((349, 10, 200), "W001"), ((350, 9, 200), "W004"), ((350, 10, 199), "W005")],
)
def test_deployment_is_warned_where_releases_may_tell_who_is_new(settings, rules, check):
    released(settings, *rules)

    (warning,) = releases_are_far_apart(None)

    assert warning.id == f"registry.{check}"
    assert warning in run_checks(include_deployment_checks=True)


def test_yearly_releases_pass(settings):
    released(settings, 350, 10, 200)

    assert releases_are_far_apart(None) == []


@pytest.mark.parametrize(("missing", "said"), [("pyspark", "pyspark is not"), ("java", "no Java")])
def test_cluster_is_refused_where_spark_cannot_run(settings, monkeypatch, missing, said):
    found = {"pyspark": "a place", "java": "another"} | {missing: None}
    monkeypatch.setattr(engines, "find_spec", found.get)
    monkeypatch.setattr(engines, "which", found.get)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    assert engine_can_run(None) == []
    settings.REGISTRY_ENGINE = "spark://master.example:7077"

    (error,) = engine_can_run(None)

    assert (error.id, said in error.msg) == ("registry.E010", True)
    assert error in run_checks()


def test_cluster_passes_where_spark_can_run(settings, monkeypatch):
    settings.REGISTRY_ENGINE = "spark://master.example:7077"
    monkeypatch.setattr(engines, "find_spec", lambda name: "a place")
    monkeypatch.setattr(engines, "which", lambda name: None)
    monkeypatch.setenv("JAVA_HOME", "/usr/lib/jvm/default-java")

    assert engine_can_run(None) == []


@pytest.mark.parametrize("missing", ["EMAIL_HOST", "DEFAULT_FROM_EMAIL"])
def test_deployment_without_mail_is_warned(settings, missing):
    settings.EMAIL_HOST, settings.DEFAULT_FROM_EMAIL = "mail.example", "a@b.example"
    assert reminders_can_be_mailed(None) == []
    setattr(settings, missing, "")

    (warning,) = reminders_can_be_mailed(None)

    assert (warning.id, missing in warning.msg) == ("registry.W002", True)
    assert warning in run_checks(include_deployment_checks=True)
    assert warning not in run_checks()


def test_deployment_without_its_replica_is_warned(monkeypatch):
    assert replica_can_be_read(None) == []
    monkeypatch.setattr(checks, "replica_is_missing", lambda: True)

    (warning,) = replica_can_be_read(None)

    assert warning.id == "registry.W007"
    assert warning in run_checks(include_deployment_checks=True, databases=["default"])


def test_two_data_managers_are_there_where_two_must_grant(settings):
    manager = UserFactory(roles=[Role.DATA_MANAGER])
    UserFactory(roles=[Role.DATA_MANAGER], is_active=False)
    assert a_second_person_can_grant(None, databases=["default"]) == []
    settings.REGISTRY_AGREEMENT_SECOND_PERSON = True

    (warning,) = a_second_person_can_grant(None, databases=["default"])

    assert warning.id == "registry.W003"
    assert a_second_person_can_grant(None) == []
    assert a_second_person_can_grant in registry.registry.registered_checks
    UserFactory(roles=[Role.DATA_MANAGER, Role.RESEARCHER])
    assert manager.is_active
    assert a_second_person_can_grant(None, databases=["default"]) == []


@pytest.mark.parametrize(("debug", "days"), [("0", "350 10 200"), ("1", "0 0 0")])
def test_a_year_goes_by_between_releases_unless_developing(tmp_path, debug, days):
    names = ("DAYS", "GROWTH", "CHANGED")
    asked = ", ".join(f"settings.REGISTRY_RELEASE_{name}" for name in names)
    read = f"from registry_project import settings; print({asked})"
    production = {
        "DEBUG": debug,
        "SECRET_KEY": "x" * 50,
        "ALLOWED_HOSTS": "registry.example.org",
        "DATABASE_URL": "postgres://nobody@127.0.0.1/none",
        "REGISTRY_VAR": str(tmp_path),
    }

    said = subprocess.run(
        [sys.executable, "-c", read],
        env={**os.environ, **production},
        capture_output=True,
        text=True,
        check=True,
    )

    assert said.stdout == f"{days}\n"


@pytest.fixture
def redis_nowhere(settings):
    """A cache at a port where nothing listens, with a password in its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    address = f"redis://:zebulon@127.0.0.1:{port}/0"
    settings.CACHES = {
        "default": {"BACKEND": "registry.shared_cache.RedisOrMemory", "LOCATION": address}
    }
    return address


@pytest.mark.usefixtures("redis_nowhere")
def test_a_cache_that_keeps_nothing_does_not_answer(monkeypatch):
    monkeypatch.setattr("redis.Redis.execute_command", lambda *args, **kwargs: None)

    (error,) = cache_answers(None)

    assert error.msg == "The cache of REDIS_URL does not answer (a value was not kept)."


def test_check_deploy_names_a_dead_redis_and_no_password(redis_nowhere, tmp_path):
    given = {
        "DEBUG": "0",
        "SECRET_KEY": "".join(map(chr, range(48, 123))),
        "ALLOWED_HOSTS": "registry.example",
        "REGISTRY_VAR": str(tmp_path),
        "DATABASE_URL": f"sqlite:///{tmp_path / 'registry.sqlite3'}",
        "REDIS_URL": redis_nowhere,
        "EMAIL_HOST": "mail.example",
        "DEFAULT_FROM_EMAIL": "registry@mail.example",
        "DJANGO_SETTINGS_MODULE": "registry_project.settings",
    }

    said = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=Path(__file__).parent.parent,
        env={k: v for k, v in os.environ.items() if not k.startswith("DJANGO_")} | given,
        capture_output=True,
        text=True,
        check=False,
    )

    assert said.returncode == 1
    assert "(registry.E007) The cache of REDIS_URL does not answer" in said.stderr
    assert "1 issue" in said.stderr
    assert "zebulon" not in said.stderr + said.stdout


def test_one_data_manager_alone_confirms_no_role(settings):
    settings.REGISTRY_ROLE_SECOND_PERSON = True
    assert a_second_person_can_confirm(None, databases=["default"]) == []
    UserFactory(roles=[Role.DATA_MANAGER])

    (warning,) = a_second_person_can_confirm(None, databases=["default"])

    assert (warning.id, "has one data manager" in warning.msg) == ("registry.W008", True)
    UserFactory(is_superuser=True)
    assert a_second_person_can_confirm(None, databases=["default"]) == []


def test_one_data_manager_is_enough_where_one_gives_roles(settings):
    settings.REGISTRY_ROLE_SECOND_PERSON = False
    UserFactory(roles=[Role.DATA_MANAGER])

    assert a_second_person_can_confirm(None, databases=["default"]) == []


def test_provider_that_is_not_configured_is_no_fault():
    assert provider_is_whole(None) == []


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"ISSUER": "https://a.example"}, "REGISTRY_OIDC_CLIENT_ID and REGISTRY_OIDC_CLIENT_SEC"),
        ({"CLIENT_SECRET": "s", "CLIENT_ID": "c"}, "REGISTRY_OIDC_ISSUER is missing"),
    ],
)
def test_provider_that_is_half_configured_is_refused(settings, given, missing):
    for name, value in given.items():
        setattr(settings, f"REGISTRY_OIDC_{name}", value)

    (error,) = provider_is_whole(None)

    assert (error.id, missing in error.msg) == ("registry.E011", True)
    assert error in run_checks()
    assert not provider_is_usable()


def test_provider_without_its_client_is_refused_in_words(settings, monkeypatch, client):
    for name in NEEDED:
        setattr(settings, name, "https://a.example")
    assert provider_is_usable()
    monkeypatch.setattr(by_provider, "find_spec", lambda _: None)

    (error,) = provider_is_whole(None)

    assert "the extra oidc is missing" in error.msg
    assert "pip install 'pump-registry[oidc]'" in error.hint
    assert client.get("/login/provider/").status_code == 404
    assert "/login/provider/" not in client.get("/login/").text


def test_nothing_but_the_client_of_the_provider_needs_the_extra():
    needs = {"mozilla_django_oidc", "jwt", "requests", "registry.dashboard.openid_client"}
    found = {}
    for path in sorted(Path("registry").rglob("*.py")):
        for node in ast.parse(path.read_text()).body:  # what is imported with the module
            names = [alias.name for alias in getattr(node, "names", ())]
            names.append(getattr(node, "module", None) or "")
            if isinstance(node, ast.Import | ast.ImportFrom) and any(
                name == need or name.startswith(f"{need}.") for name in names for need in needs
            ):
                found[path.name] = node.lineno

    assert set(found) == {"openid_client.py"}


def loosened(folder, *opened):
    """The folder of a registry, closed, with some of what lies in it open to others."""
    release = folder / "var" / "snapshots" / "abc"
    release.mkdir(parents=True)
    for name in ("events.parquet", "manifest.json"):
        (release / name).touch()
    (folder / "var" / "registry.sqlite3").touch()
    paths = [folder / "var", *(folder / "var").rglob("*")]
    for path in paths:
        path.chmod(0o700 if path.is_dir() else 0o600)
    for name in opened:
        path = folder / "var" / name
        path.chmod(path.stat().st_mode | (0o055 if path.is_dir() else 0o044))
    return folder / "var"


@pytest.mark.parametrize(
    ("opened", "first", "more"),
    [
        (("",), "", 0),
        (("", "registry.sqlite3"), "", 1),
        (("", "snapshots", "snapshots/abc", "snapshots/abc/events.parquet"), "", 3),
    ],
)
def test_production_fails_where_others_may_use_its_files(settings, tmp_path, opened, first, more):
    settings.REGISTRY_VAR = loosened(tmp_path, *opened)

    (error,) = files_are_the_servers_own(None)

    assert error.id == "registry.E008"
    assert f"may use {settings.REGISTRY_VAR / first}" in error.msg
    assert (f"and {more} more" in error.msg) == bool(more)
    assert error in run_checks()


def test_files_in_a_closed_folder_are_reached_by_nobody(settings, tmp_path):
    settings.REGISTRY_VAR = loosened(tmp_path, "registry.sqlite3", "snapshots")

    assert files_are_the_servers_own(None) == []


def test_database_of_sqlite_elsewhere_is_looked_at_too(settings, tmp_path, monkeypatch):
    settings.REGISTRY_VAR = loosened(tmp_path)
    database = tmp_path / "elsewhere" / "registry.sqlite3"
    database.parent.mkdir(mode=0o755)
    database.parent.chmod(0o755)
    database.touch(mode=0o644)
    database.chmod(0o644)
    monkeypatch.setitem(settings.DATABASES["default"], "NAME", str(database))

    (error,) = files_are_the_servers_own(None)
    database.chmod(0o600)

    assert str(database) in error.msg
    assert files_are_the_servers_own(None) == []


def test_nobody_asks_for_closed_files_while_developing(settings, tmp_path):
    settings.REGISTRY_VAR, settings.DEBUG = loosened(tmp_path, ""), True

    assert files_are_the_servers_own(None) == []


def test_who_audits_what_they_run_is_named(django_user_model):
    auditor = UserFactory(roles=[Role.AUDITOR])
    assert nobody_audits_what_they_run(None, databases=["default"]) == []

    django_user_model.objects.filter(pk=auditor.pk).update(is_superuser=True)
    (error,) = nobody_audits_what_they_run(None, databases=["default"])

    assert (error.id, f"id {auditor.pk}," in error.msg) == ("registry.E009", True)
    assert nobody_audits_what_they_run in registry.registry.registered_checks
    django_user_model.objects.filter(pk=auditor.pk).update(is_active=False)
    assert nobody_audits_what_they_run(None, databases=["default"]) == []
