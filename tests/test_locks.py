"""The locks: hashes, extras, and the bootstrap of the installer."""

import importlib.machinery
import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LOCKS = [
    *("requirements.txt", "requirements-dev.txt", "requirements-setup.txt"),
    "requirements-spark.txt",
]


@pytest.fixture(scope="module")
def check_locks():
    loader = importlib.machinery.SourceFileLoader("check_locks", str(ROOT / ".ci/check-locks"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("check_locks", loader))
    loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_every_extra_that_is_asked_for(check_locks, name):
    pins = check_locks.locked((ROOT / name).read_text().splitlines())

    assert pins
    assert list(check_locks.faults(pins)) == []


def test_a_lock_that_lost_an_extra_is_refused(check_locks, tmp_path, capsys):
    stripped = re.sub(r"^coverage\[toml\]==", "coverage==", _text(LOCKS[1]), flags=re.MULTILINE)
    (tmp_path / "lock.txt").write_text(stripped)

    assert check_locks.main([str(tmp_path / "lock.txt")]) == 1
    assert "coverage is pinned without [toml]; pytest-cov asks for it" in capsys.readouterr().out


def test_an_extra_that_only_an_unlocked_extra_asks_for_is_not_missed(check_locks):
    needs = {"a": ['b[x]>=1; extra == "more"'], "b": []}
    pins = {"a": set(), "b": set()}

    assert list(check_locks.faults(pins, requirements=lambda n, e: needs[n] if e else [])) == []
    pins["a"] = {"more"}
    assert list(check_locks.faults(pins, requirements=lambda n, e: needs[n] if e else [])) == [
        "b is pinned without [x]; a asks for it"
    ]


@pytest.mark.parametrize("name", LOCKS)
def test_every_pin_of_a_lock_has_hashes_and_no_host(name):
    pins = re.findall(r"^[a-zA-Z0-9].*?(?=^[a-zA-Z0-9]|\Z)", _text(name), re.MULTILINE | re.DOTALL)

    assert all("--hash=sha256:" in pin for pin in pins)
    assert "://" not in _text(name)


def test_the_installer_is_the_same_in_both_locks():
    (bootstrap,) = re.findall(r"^uv==(\S+)", _text("requirements-setup.txt"), re.MULTILINE)

    assert re.findall(r"^uv==(\S+)", _text("requirements-dev.txt"), re.MULTILINE) == [bootstrap]


def _text(name):
    return (ROOT / name).read_text()
