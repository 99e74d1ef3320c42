"""The package that pip installs, built of the checkout without the network."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PARTS = ("registry", "registry_project", "pyproject.toml", "README.md")


def built_wheel(folder: Path) -> Path:
    """The wheel, made in a folder's `dist` from a copy of the sources beside it."""
    source = folder / "source"
    source.mkdir(parents=True)
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(
                ROOT / part, source / part, ignore=shutil.ignore_patterns("__pycache__")
            )
        else:
            shutil.copy(ROOT / part, source)
    uv = Path(sys.executable).with_name("uv")
    command = [uv, "build", "--quiet", "--offline", "--no-build-isolation", "--wheel"]
    command += ["--python", sys.executable, "--out-dir", folder / "dist", source]
    subprocess.run(command, check=True)
    (wheel,) = (folder / "dist").glob("*.whl")
    return wheel
