"""What a worker of gunicorn has read before its first request."""

import os
import subprocess
import sys
from pathlib import Path

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
