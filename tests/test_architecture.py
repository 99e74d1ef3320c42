"""The floors of the house: every contract is kept, and each one breaks on a wrong import."""

import ast
import os
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CONTRACTS = {
    "floors": ("registry/records/query.py", "import registry.reporting"),
    "reporting": ("registry/reporting/words/sentences.py", "import registry.reporting.measures"),
    "door-out": ("registry/api/catalogue.py", "import registry.snapshot"),
    "arithmetic": ("registry/dashboard/urls.py", "import registry.statistics.rates"),
    "door-in": ("registry/api/catalogue.py", "import registry.deidentify"),
    "pure": ("registry/statistics/rates.py", "import django.db"),
    "aggregates": ("registry/api/statistics.py", "import registry.models"),
    "pictures": ("registry/charts/bars.py", "import registry.statistics.rates"),
    "circles": ("registry/statistics/results.py", "import registry.statistics.rates"),
}
DRAWERS = {"utils", "helpers", "common", "core", "base", "misc", "services"}


def lint_imports(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run import-linter over the tree below `folder`."""
    script = "import sys; from importlinter.cli import lint_imports_command; "
    script += "sys.argv[0] = 'lint-imports'; lint_imports_command()"
    return subprocess.run(
        [sys.executable, "-c", script, "--no-cache", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "DEBUG": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def copied_tree(tmp_path):
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(
        ROOT / "registry",
        tmp_path / "registry",
        ignore=shutil.ignore_patterns("__pycache__", "static", "templates"),
    )
    return tmp_path


def test_every_contract_is_kept():
    result = lint_imports(ROOT)

    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("contract", CONTRACTS)
def test_a_wrong_import_breaks(contract, copied_tree):
    path, statement = CONTRACTS[contract]
    with (copied_tree / path).open("a") as file:
        file.write(f"\n{statement}  # the wrong import\n")

    result = lint_imports(copied_tree, "--contract", contract)

    assert result.returncode == 1, result.stdout
    assert "BROKEN" in result.stdout


def test_every_contract_has_a_wrong_import_here():
    text = (ROOT / "pyproject.toml").read_text()

    listed = {line.split('"')[1] for line in text.splitlines() if line.startswith('id = "')}

    assert listed == set(CONTRACTS)


def source_files():
    return [
        path
        for folder in ("registry", "registry_project")
        for path in (ROOT / folder).rglob("*.py")
        if "migrations" not in path.parts
    ]


@pytest.mark.parametrize("path", source_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_file_has_a_room_and_stays_short(path):
    assert path.stem not in DRAWERS
    assert len(path.read_text().splitlines()) <= 420, "past 400 lines a module wants to be a room"


DESCRIBED = re.compile(r"(?:^|(?<=[.;] ))\s*([a-z]\w*(?:, [a-z]\w*)*): ", re.MULTILINE)
"""What a docstring describes: `name, name: what they are`, at the beginning of a sentence."""


@pytest.mark.parametrize("path", source_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_docstrings_describe_names_that_the_module_has(path):
    lines = path.read_text().splitlines()
    described = set()
    for node in ast.walk(ast.parse(path.read_text())):
        said = node.value if isinstance(node, ast.Expr) else None
        if isinstance(said, ast.Constant) and isinstance(said.value, str):
            for listed in DESCRIBED.findall(said.value):
                described |= {name for name in listed.split(", ") if "_" in name}
            lines[said.lineno - 1 : said.end_lineno] = [""] * (said.end_lineno - said.lineno + 1)

    assert described <= set(re.findall(r"\w+", "\n".join(lines)))


MANY = {"Command", "Migration", "Meta"}
"""Class names that the framework asks for."""


def test_no_class_has_the_name_of_another():
    found = defaultdict(list)
    for path in source_files():
        for name in re.findall(r"^class (\w+)", path.read_text(), re.MULTILINE):
            found[name].append(str(path.relative_to(ROOT)))

    assert {name: paths for name, paths in found.items() if paths[1:] and name not in MANY} == {}


def test_every_code_list_stands_in_the_vocabulary():
    found = [
        str(path.relative_to(ROOT))
        for path in source_files()
        if re.search(r"^class \w+\(Code\)", path.read_text(), re.MULTILINE)
    ]

    assert found
    assert {Path(path).parent.name for path in found} == {"vocabulary"}


def test_no_committed_lock_names_a_registry_host():
    for name in ("requirements.txt", "requirements-dev.txt", "pyproject.toml"):
        text = (ROOT / name).read_text()

        assert "index-url" not in text
        assert "pypi" not in text


def test_every_pin_carries_a_hash():
    for name in ("requirements.txt", "requirements-dev.txt"):
        pins = (ROOT / name).read_text().replace("\\\n", " ").splitlines()

        assert pins
        assert all("==" in pin and "--hash=sha256:" in pin for pin in pins if pin.strip())
