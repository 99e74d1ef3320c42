"""The package: what its wheel holds serves the demo, away from the checkout."""

import json
import os
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from urllib.request import urlopen
from zipfile import ZipFile

import pytest

from tests.deploy.test_slow_clients import free_ports
from tests.wheels import ROOT, built_wheel

OF_THE_CHECKOUT = ("PYTHONPATH", "DEBUG", "REGISTRY_VAR", "DATABASE_URL", "DJANGO_SETTINGS_MODULE")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel's files, as an installer lays them out."""
    wheel = built_wheel(tmp_path_factory.mktemp("wheel"))
    folder = tmp_path_factory.mktemp("installed")
    with ZipFile(wheel) as packed:
        packed.extractall(folder)
    return folder


def test_wheel_holds_every_file_of_the_registry_and_no_test(installed: Path) -> None:
    def files(root: Path) -> set[str]:
        parts = (root / "registry", root / "registry_project")
        found = {path for part in parts for path in part.rglob("*") if path.is_file()}
        return {str(path.relative_to(root)) for path in found if "__pycache__" not in path.parts}

    assert files(installed) == files(ROOT)
    assert not (installed / "tests").exists()


def test_wheel_has_the_version_of_the_changelog(installed: Path) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

    assert (installed / f"pump_registry-{version}.dist-info").is_dir()
    assert f"## {version} - " in (ROOT / "CHANGELOG.md").read_text()


def asked(address: str) -> bytes:
    """A reply of the server, which may still be starting."""
    until = time.monotonic() + 90
    while True:
        try:
            with urlopen(address, timeout=10) as reply:  # noqa: S310 - of this machine
                body: bytes = reply.read()
                return body
        except OSError:  # not there yet, or busy with its first answer
            assert time.monotonic() < until, address
            time.sleep(0.2)


def test_package_serves_a_demo_from_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    environment = {name: said for name, said in os.environ.items() if name not in OF_THE_CHECKOUT}
    server = subprocess.Popen(
        [sys.executable, "-m", "registry_project", "--events", "0", "--port", str(port)],
        cwd=tmp_path,
        env=environment | {"PYTHONPATH": str(installed)},
        stdout=subprocess.PIPE,
    )
    try:
        address = f"http://127.0.0.1:{port}"
        asked(f"{address}/health/live")
        style = asked(f"{address}/static/registry/registry.css")
        page = asked(f"{address}/login/").decode()
        catalogue = json.loads(asked(f"{address}/api/v1/complications/?limit=1"))
    finally:
        server.terminate()
        said, _ = server.communicate(timeout=30)

    assert b"body" in style
    assert "/static/registry/registry.css" in page
    assert len(catalogue["results"]) == 1
    assert f"http://127.0.0.1:{port}/login/" in said.decode()
    assert (tmp_path / "var" / "registry.sqlite3").exists()


def test_package_runs_management_commands(installed: Path, tmp_path: Path) -> None:
    environment = {name: said for name, said in os.environ.items() if name not in OF_THE_CHECKOUT}
    told = subprocess.run(
        [sys.executable, "-m", "registry_project", "freeze", "--help"],
        cwd=tmp_path,
        env=environment | {"PYTHONPATH": str(installed), "DEBUG": "1"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert "--release" in told.stdout
