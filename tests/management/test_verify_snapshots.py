"""`verify_snapshots` names every snapshot that is not what was frozen, and signs on request."""

import json
from dataclasses import replace

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command

from registry.reporting.asking import freshness
from registry.snapshot import shelf
from registry.vocabulary import Role
from tests.factories import EventFactory, UserFactory
from tests.snapshot.damages import DAMAGES, update_rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def release(tmp_path, settings):
    """The folder of a release of one event; a working snapshot of two is kept beside it."""
    settings.REGISTRY_VAR = tmp_path
    cache.clear()
    EventFactory(state="accepted", severity=3)
    released = freshness.publish("2026")
    EventFactory(state="accepted", severity=3)
    freshness.refresh()
    yield freshness.root() / released.snapshot_id
    shelf.forget_open()


def said(capsys, *arguments):
    capsys.readouterr()
    call_command("verify_snapshots", *arguments, skip_checks=True)
    return capsys.readouterr().out.splitlines()


def refused(capsys, *arguments):
    with pytest.raises(CommandError) as error:
        said(capsys, *arguments)
    return [*capsys.readouterr().out.splitlines(), str(error.value)]


def test_sound_snapshots_hold(release, capsys):
    lines = said(capsys)

    assert lines[0] == f"release 2026 {release.name[:12]}: holds."
    assert lines[1].startswith("working snapshot ")
    assert lines[2:] == ["2 snapshots hold."]


@pytest.mark.parametrize("name", DAMAGES)
def test_damaged_release_is_named(release, capsys, name):
    DAMAGES[name][0](release)

    lines = refused(capsys)

    assert lines[0].startswith(f"release 2026 {release.name[:12]}: ")
    assert not lines[0].endswith("holds.")
    assert lines[-1] == "1 of 2 do not hold: see docs/operations.md."


def test_missing_release_is_named(release, capsys, tmp_path):
    release.rename(tmp_path / "elsewhere")

    assert refused(capsys)[0] == f"release 2026 {release.name[:12]}: Its folder is missing."


def test_snapshots_are_signed_after_a_change_of_the_key(release, capsys, settings):
    settings.REGISTRY_KEY_SNAPSHOTS = "ab" * 32

    unsigned = refused(capsys)
    signed = said(capsys, "--sign")

    assert [line.split()[0] for line in unsigned[:3]] == [
        "working.json:",
        "before.json:",
        "release",
    ]
    assert unsigned[2].endswith("manifest.json is signed under another key.")
    assert signed[0].endswith(": holds; signed now.")
    assert freshness.named_release("2026").store.manifest.events == 1


def test_altered_release_is_never_signed(release, capsys):
    update_rows(release)
    content = json.loads((release / "manifest.json").read_text())
    for name in ("signature", "signed_by", "files"):
        del content[name]
    (release / "manifest.json").write_text(json.dumps(content))

    lines = refused(capsys, "--sign")

    assert "not those of the snapshot's id" in lines[0]


def test_missing_key_is_told(release, capsys, settings):
    settings.REGISTRY_KEY_SNAPSHOTS = ""

    assert "key that answers need is missing" in refused(capsys)[-1]


def test_receipt_of_an_altered_release_does_not_hold(release, client):
    client.force_login(
        UserFactory(roles=[Role.REVIEWER]),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    address = "/api/v1/statistics/counts/?group_by=severity&release=2026"
    receipt = client.get(address).json()["meta"]["receipt"]
    update_rows(release)

    reply = client.get(address)

    assert (reply.status_code, reply["Content-Type"]) == (503, "application/problem+json")
    assert reply["Retry-After"]
    assert reply.json()["code"] == "snapshot-unusable"
    assert [each["code"] for each in reply.json()["errors"]] == ["altered"]
    assert str(release.parent) not in reply.text
    with pytest.raises(CommandError, match="does not hold"):
        call_command("verify_receipt", receipt, skip_checks=True)


def test_receipt_is_worked_out_again_whatever_the_cache_holds(release, client, capsys):
    client.force_login(
        UserFactory(roles=[Role.REVIEWER]),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    address = "/api/v1/statistics/counts/?group_by=severity&release=2026"
    first = client.get(address)
    held = {name: cache.get(name) for name in answers_cached()}
    for name, value in held.items():
        cache.set(name, forged(value))
    capsys.readouterr()

    call_command("verify_receipt", first.json()["meta"]["receipt"], format="json", skip_checks=True)

    assert json.loads(capsys.readouterr().out)["rows"] == first.json()["rows"]


def answers_cached():
    """The names under which answers lie in the cache."""
    return [name.split(":", 2)[2] for name in cache._cache if "answer-" in name]


def forged(release):
    """The answer with another number."""
    return replace(release, rows=tuple({**row, "n": 99} for row in release.rows))
