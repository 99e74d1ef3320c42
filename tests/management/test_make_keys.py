"""`manage.py make_keys`: makes the keys once, tells where, shows none."""

import json

import pytest
from django.core.management import CommandError, call_command

from registry.management.commands.make_keys import Command


@pytest.fixture
def folder(settings, tmp_path):
    settings.REGISTRY_VAR = tmp_path
    settings.REGISTRY_KEY_FILE = settings.REGISTRY_KEY_RECORDS = settings.REGISTRY_KEY_NOISE = ""
    return tmp_path


def test_keys_are_made_and_not_shown(folder, capsys):
    call_command("make_keys")

    told = capsys.readouterr().out
    kept = json.loads((folder / "disclosure-keys.json").read_text())
    assert str(folder / "disclosure-keys.json") in told
    assert not any(key in told for key in kept.values())


def test_keys_are_made_once(folder):
    call_command("make_keys")
    before = (folder / "disclosure-keys.json").read_bytes()

    with pytest.raises(CommandError, match="never change"):
        call_command("make_keys")

    assert (folder / "disclosure-keys.json").read_bytes() == before


def test_nothing_is_made_where_the_environment_gives_the_keys(folder, settings):
    settings.REGISTRY_KEY_NOISE = "ab" * 32

    with pytest.raises(CommandError, match="environment"):
        call_command("make_keys")

    assert list(folder.iterdir()) == []


def test_command_runs_before_there_are_keys():
    assert Command.requires_system_checks == []
