"""Units and timers of deploy/ are what systemd reads, and run what there is."""

import shutil
import subprocess
from pathlib import Path

import pytest
from django.core.management import get_commands

DEPLOY = Path(__file__).parents[2] / "deploy"
UNITS = sorted([*DEPLOY.glob("*.service"), *DEPLOY.glob("*.timer")])
TIMERS = sorted(DEPLOY.glob("*.timer"))
ANALYSE = shutil.which("systemd-analyze")


@pytest.mark.skipif(ANALYSE is None, reason="needs systemd-analyze (Debian: systemd)")
def test_systemd_has_no_word_against_a_unit(tmp_path: Path) -> None:
    for unit in UNITS:
        said = unit.read_text().replace("/opt/registry/.venv/bin/", "/bin/true ")
        (tmp_path / unit.name).write_text(said)

    said = subprocess.run(
        [str(ANALYSE), "verify", *(str(tmp_path / unit.name) for unit in UNITS)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (said.returncode, said.stderr) == (0, "")


@pytest.mark.parametrize("timer", TIMERS, ids=lambda timer: timer.stem)
def test_timer_runs_a_command_of_the_registry(timer: Path) -> None:
    command = timer.stem.partition("@")[2]

    assert get_commands()[command] == "registry"
    assert "OnCalendar=" in timer.read_text()


def test_the_nightly_checks_have_timers() -> None:
    nightly = {"backup", "purge", "check_quality", "verify_audit", "verify_snapshots"}
    nightly |= {"remind", "digest", "checkpoint"}

    assert {timer.stem.partition("@")[2] for timer in TIMERS} == nightly
