"""What a worker of gunicorn has read before its first request, and takes of the machine."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STARTED = (
    "import gc, sys, registry_project.wsgi; "
    "print('registry.api.urls' in sys.modules, gc.get_freeze_count() > 100_000)"
)


def test_worker_has_read_all_before_its_first_request(tmp_path: Path) -> None:
    given = {"DEBUG": "1", "REGISTRY_VAR": str(tmp_path)}
    found = subprocess.run(
        [sys.executable, "-c", STARTED],
        cwd=ROOT,
        env=os.environ | given | {"DJANGO_SETTINGS_MODULE": "registry_project.settings"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert found.stdout.split() == ["True", "True"]


@pytest.mark.parametrize(("given", "workers"), [(None, 3), ("8", 8)])
def test_workers_know_how_many_they_are(
    given: str | None, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WEB_CONCURRENCY", raising=False)
    if given:
        monkeypatch.setenv("WEB_CONCURRENCY", given)

    config = runpy.run_path(str(ROOT / "deploy" / "gunicorn.conf.py"))

    assert config["workers"] == workers
    assert config["raw_env"] == [f"WEB_CONCURRENCY={workers}"]
