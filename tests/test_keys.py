"""The secret keys: where they come from, what is refused, that none is shown."""

import base64
import json
import logging
import os
import stat

import pytest
from django.core.exceptions import ImproperlyConfigured

from registry import keys
from registry_project.settings import Hidden

ONE, OTHER, THIRD, FOURTH = (bytes(range(n, n + 40)) for n in (0, 50, 100, 150))


@pytest.fixture
def no_keys(settings, tmp_path):
    """A deployment without keys."""
    settings.REGISTRY_VAR = tmp_path
    settings.REGISTRY_KEY_FILE = ""
    settings.REGISTRY_KEY_RECORDS = settings.REGISTRY_KEY_NOISE = ""
    settings.REGISTRY_KEY_SNAPSHOTS = THIRD.hex()
    settings.REGISTRY_KEY_SEALS = FOURTH.hex()
    return settings


def written(path, records, noise, mode=0o600):
    path.write_text(json.dumps({"records": records, "noise": noise}))
    path.chmod(mode)


def codes():
    return [fault.code for fault in keys.key_faults()]


@pytest.mark.parametrize(
    "text",
    [
        ONE.hex(),
        ONE.hex().upper(),
        base64.b64encode(ONE).decode(),
        base64.urlsafe_b64encode(ONE).decode().rstrip("="),
        f" {ONE.hex()}\n",
    ],
)
def test_keys_are_read_from_the_environment_in_hex_or_base64(no_keys, text):
    no_keys.REGISTRY_KEY_RECORDS, no_keys.REGISTRY_KEY_NOISE = text, OTHER.hex()

    assert keys.read_keys() == keys.Keys(ONE, OTHER)
    assert codes() == []


def test_keys_are_read_from_the_file_where_the_environment_has_none(no_keys, tmp_path):
    written(tmp_path / "disclosure-keys.json", ONE.hex(), OTHER.hex())

    assert keys.read_keys() == keys.Keys(ONE, OTHER)
    assert codes() == []


def test_file_is_read_once_until_it_looks_different(no_keys, tmp_path, monkeypatch):
    path = tmp_path / "disclosure-keys.json"
    written(path, ONE.hex(), OTHER.hex())
    keys.read_keys()
    with monkeypatch.context() as patch:
        patch.delattr(keys.os, "open")
        assert keys.read_keys() == keys.Keys(ONE, OTHER)

    path.chmod(0o640)
    assert codes() == ["loose-mode"]
    written(path, OTHER.hex(), ONE.hex() * 2)
    assert keys.read_keys() == keys.Keys(OTHER, ONE * 2)
    path.unlink()
    assert codes() == ["missing"]


def test_file_may_lie_elsewhere(no_keys, tmp_path):
    no_keys.REGISTRY_KEY_FILE = str(tmp_path / "elsewhere.json")
    written(tmp_path / "elsewhere.json", ONE.hex(), OTHER.hex())

    assert keys.read_keys() == keys.Keys(ONE, OTHER)


def test_environment_goes_before_the_file(no_keys, tmp_path):
    written(tmp_path / "disclosure-keys.json", OTHER.hex(), ONE.hex())
    no_keys.REGISTRY_KEY_RECORDS, no_keys.REGISTRY_KEY_NOISE = ONE.hex(), OTHER.hex()

    assert keys.read_keys() == keys.Keys(ONE, OTHER)


def test_missing_keys_are_refused_and_none_are_made(no_keys, tmp_path):
    assert codes() == ["missing"]
    with pytest.raises(ImproperlyConfigured, match="make_keys"):
        keys.read_keys()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("absent", ["REGISTRY_KEY_RECORDS", "REGISTRY_KEY_NOISE"])
def test_one_key_alone_is_refused_whatever_the_file_holds(no_keys, tmp_path, absent):
    written(tmp_path / "disclosure-keys.json", ONE.hex(), OTHER.hex())
    no_keys.REGISTRY_KEY_RECORDS, no_keys.REGISTRY_KEY_NOISE = ONE.hex(), OTHER.hex()
    setattr(no_keys, absent, "")

    (fault,) = keys.key_faults()

    assert (fault.code, absent in fault.message) == ("missing", True)


@pytest.mark.parametrize("text", [ONE[:31].hex(), base64.b64encode(ONE[:31]).decode(), "?" * 64])
def test_key_of_under_32_bytes_or_in_no_known_writing_is_refused(no_keys, text):
    no_keys.REGISTRY_KEY_RECORDS, no_keys.REGISTRY_KEY_NOISE = text, OTHER.hex()

    (fault,) = keys.key_faults()

    assert fault.code == "too-short"
    assert text not in fault.message + fault.hint


def test_equal_keys_are_refused_however_they_are_written(no_keys):
    no_keys.REGISTRY_KEY_RECORDS = ONE.hex()
    no_keys.REGISTRY_KEY_NOISE = base64.b64encode(ONE).decode()

    assert codes() == ["equal"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o601, 0o660])
def test_file_that_others_may_use_is_refused(no_keys, tmp_path, mode):
    written(tmp_path / "disclosure-keys.json", ONE.hex(), OTHER.hex(), mode)

    assert codes() == ["loose-mode"]
    with pytest.raises(ImproperlyConfigured, match="chmod 600"):
        keys.read_keys()


@pytest.mark.parametrize("text", ["", "[]", "{", '{"records": 1, "noise": 2}'])
def test_file_without_keys_is_refused(no_keys, tmp_path, text):
    (tmp_path / "disclosure-keys.json").write_text(text)
    (tmp_path / "disclosure-keys.json").chmod(0o600)

    assert set(codes()) == {"missing"}


def test_keys_are_made_while_developing_once_and_for_the_server_alone(no_keys, tmp_path):
    no_keys.DEBUG = True

    assert codes() == []
    made = keys.read_keys()

    assert made == keys.read_keys()
    assert len(made.records) == len(made.noise) == 32
    assert made.records != made.noise
    assert stat.S_IMODE((tmp_path / "disclosure-keys.json").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["disclosure-keys.json"]


def test_loose_file_is_refused_while_developing_too(no_keys, tmp_path):
    no_keys.DEBUG = True
    written(tmp_path / "disclosure-keys.json", ONE.hex(), OTHER.hex(), 0o644)

    assert codes() == ["loose-mode"]


def test_keys_that_are_there_are_never_replaced(no_keys, tmp_path):
    written(tmp_path / "disclosure-keys.json", ONE.hex(), OTHER.hex())

    with pytest.raises(FileExistsError):
        keys.make_keys()

    assert keys.read_keys() == keys.Keys(ONE, OTHER)
    assert [path.name for path in tmp_path.iterdir()] == ["disclosure-keys.json"]


def test_no_key_is_shown(no_keys, tmp_path, caplog):
    no_keys.DEBUG = True
    with caplog.at_level(logging.DEBUG):
        made = keys.read_keys()

    told = repr(made) + str(made) + f"{made}" + made.mark + caplog.text
    assert made.records.hex() not in told
    assert made.noise.hex() not in told
    assert repr(made.records) not in told


def test_setting_that_holds_a_key_does_not_show_it():
    assert ONE.hex() not in repr({"REGISTRY_KEY_RECORDS": Hidden(ONE.hex())})
    assert Hidden(ONE.hex()) == ONE.hex()


def test_mark_tells_keys_apart_and_stays_the_same():
    mark = keys.Keys(ONE, OTHER).mark

    assert mark == keys.Keys(ONE, OTHER).mark
    assert len({mark, keys.Keys(ONE, ONE).mark, keys.Keys(OTHER, OTHER).mark}) == 3
    assert keys.Keys(OTHER, ONE).mark != mark


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read every file")
def test_file_that_the_server_may_not_read_is_refused(no_keys, tmp_path):
    written(tmp_path / "disclosure-keys.json", ONE.hex(), OTHER.hex(), 0o000)

    assert codes() == ["missing"]


def test_key_of_snapshots_is_looked_for_apart(no_keys, tmp_path):
    written(tmp_path / "disclosure-keys.json", ONE.hex(), OTHER.hex())

    assert keys.read_snapshot_key() == THIRD
    assert codes() == []


def test_missing_key_of_snapshots_is_refused_and_the_others_hold(no_keys, tmp_path):
    written(tmp_path / "disclosure-keys.json", ONE.hex(), OTHER.hex())
    no_keys.REGISTRY_KEY_SNAPSHOTS = ""

    (fault,) = keys.key_faults()

    assert (fault.code, "REGISTRY_KEY_SNAPSHOTS" in fault.message) == ("missing", True)
    assert keys.read_keys() == keys.Keys(ONE, OTHER)
    with pytest.raises(ImproperlyConfigured, match="make_keys"):
        keys.read_snapshot_key()


@pytest.mark.parametrize(("text", "code"), [("ab" * 31, "too-short"), (ONE.hex(), "equal")])
def test_unsafe_key_of_snapshots_is_refused(no_keys, tmp_path, text, code):
    written(tmp_path / "disclosure-keys.json", ONE.hex(), OTHER.hex())
    no_keys.REGISTRY_KEY_SNAPSHOTS = text

    assert codes() == [code]


def test_key_of_snapshots_is_added_to_a_file_and_the_others_stay(no_keys, tmp_path):
    written(tmp_path / "disclosure-keys.json", ONE.hex(), OTHER.hex())
    no_keys.REGISTRY_KEY_SNAPSHOTS = ""

    keys.make_keys()

    assert keys.read_keys() == keys.Keys(ONE, OTHER)
    assert len(keys.read_snapshot_key()) == 32
    assert codes() == []
    assert stat.S_IMODE((tmp_path / "disclosure-keys.json").stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        keys.make_keys()


def test_file_that_lacks_one_key_of_disclosure_is_left_alone(no_keys, tmp_path):
    path = tmp_path / "disclosure-keys.json"
    path.write_text(json.dumps({"records": ONE.hex(), "snapshots": THIRD.hex()}))
    path.chmod(0o600)

    with pytest.raises(FileExistsError):
        keys.make_keys()


def test_key_of_snapshots_is_made_while_developing(no_keys, tmp_path):
    no_keys.DEBUG, no_keys.REGISTRY_KEY_SNAPSHOTS = True, ""
    no_keys.REGISTRY_KEY_RECORDS, no_keys.REGISTRY_KEY_NOISE = ONE.hex(), OTHER.hex()

    assert codes() == []
    assert keys.read_snapshot_key() == keys.read_snapshot_key()
    assert set(json.loads((tmp_path / "disclosure-keys.json").read_text())) == {"snapshots"}


def test_key_of_seals_is_looked_for_apart(no_keys, tmp_path):
    written(tmp_path / "disclosure-keys.json", ONE.hex(), OTHER.hex())
    assert keys.read_seal_key() == FOURTH

    no_keys.REGISTRY_KEY_SEALS = ""

    (fault,) = keys.key_faults()
    assert (fault.code, "REGISTRY_KEY_SEALS" in fault.message) == ("missing", True)
    assert "verify_audit --sign" in fault.hint
    assert keys.read_snapshot_key() == THIRD


@pytest.mark.parametrize("same", [ONE, OTHER, THIRD])
def test_key_of_seals_is_none_of_the_others(no_keys, tmp_path, same):
    written(tmp_path / "disclosure-keys.json", ONE.hex(), OTHER.hex())
    no_keys.REGISTRY_KEY_SEALS = base64.b64encode(same).decode()

    assert codes() == ["equal"]
    with pytest.raises(ImproperlyConfigured, match="one of the other keys"):
        keys.read_seal_key()


def test_key_of_seals_is_added_to_a_file_and_the_others_stay(no_keys, tmp_path):
    written(tmp_path / "disclosure-keys.json", ONE.hex(), OTHER.hex())
    no_keys.REGISTRY_KEY_SEALS = ""

    keys.make_keys()

    assert keys.read_keys() == keys.Keys(ONE, OTHER)
    assert len(keys.read_seal_key()) == 32
    assert set(json.loads((tmp_path / "disclosure-keys.json").read_text())) == {
        "records",
        "noise",
        "seals",
    }
