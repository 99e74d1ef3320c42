"""The command that runs the suite hands its arguments on, for SQLite and for PostgreSQL."""

import os
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.conftest import pytest_ignore_collect

SCRIPT = Path(__file__).parents[1] / ".ci" / "test"
PYTHON = """#!/bin/sh
[ "$1" = -c ] && exit {answers}
echo "${{DATABASE_URL:-sqlite}} $*" >> ran
case "$*" in *postgresql*) exit {postgresql} ;; *) exit {sqlite} ;; esac
"""


@pytest.fixture
def run(tmp_path):
    """Run the command over a Python that writes down how pytest is called."""

    def run(*arguments, answers=0, sqlite=0, postgresql=0):
        (tmp_path / ".ci").mkdir()
        shutil.copy(SCRIPT, tmp_path / ".ci" / "test")
        python = tmp_path / ".venv" / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(PYTHON.format(answers=answers, sqlite=sqlite, postgresql=postgresql))
        python.chmod(0o700)
        set_here = {"DATABASE_URL", "PYTEST_WORKERS"}
        kept = {name: value for name, value in os.environ.items() if name not in set_here}
        kept |= {"TEST_DATABASE_URL": "postgres://there"}
        done = subprocess.run([tmp_path / ".ci" / "test", *arguments], env=kept, check=False)
        calls = (tmp_path / "ran").read_text().splitlines()
        return done.returncode, [call.split(" -m pytest -n 2 --dist worksteal") for call in calls]

    return run


def test_arguments_choose_on_both_databases(run):
    assert run("-k", "word") == (
        0,
        [["sqlite", " -k word"], ["postgres://there", " -m postgresql -k word"]],
    )


def test_marker_is_chosen_among_those_for_postgresql(run):
    _code, calls = run("-m", "not browser", "tests/models")

    assert calls[1] == ["postgres://there", " -m (not browser) and postgresql tests/models"]


@pytest.mark.parametrize(
    ("sqlite", "postgresql", "code", "runs"),
    [
        (0, 5, 0, 2),  # the filter leaves nothing for PostgreSQL
        (0, 1, 1, 2),
        (1, 0, 1, 1),
        (5, 5, 5, 1),  # the filter leaves nothing at all
    ],
)
def test_failure_is_told_and_an_empty_choice_for_postgresql_is_none(
    run, sqlite, postgresql, code, runs
):
    ended, calls = run("-k", "word", sqlite=sqlite, postgresql=postgresql)

    assert (ended, len(calls)) == (code, runs)


def test_without_postgresql_the_suite_runs_once(run):
    assert run("-k", "word", answers=1) == (0, [["sqlite", " -k word"]])


@pytest.mark.parametrize(
    ("chosen", "line", "is_left_out"),
    [
        ("postgresql", "pytestmark = pytest.mark.postgresql", False),
        ("postgresql", "", True),
        ("(not browser) and postgresql", "", True),
        ("not postgresql", "", False),
        ("", "", False),
    ],
)
def test_only_files_that_name_the_marker_are_imported_for_it(tmp_path, chosen, line, is_left_out):
    file = tmp_path / "test_it.py"
    file.write_text(line)
    config = SimpleNamespace(option=SimpleNamespace(markexpr=chosen))

    assert bool(pytest_ignore_collect(file, config)) is is_left_out
