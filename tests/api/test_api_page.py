"""docs/api.md and docs/fhir.md are run as they stand: by a shell, by R and by Python."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django.live_server_helper import LiveServer

from registry.models import Event, Token, User
from registry.vocabulary import TokenScope
from tests.api.conftest import Registry, import_cohort, made_registry

pytestmark = pytest.mark.usefixtures("own_folder")

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "api.md").read_text()
END = "-- end of an example --"


def blocks(language: str, page: str = PAGE) -> list[str]:
    """The examples of a page in one language, in its order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def examples(page: str) -> list[tuple[str, str]]:
    """Each command of a page, with what the page says that it prints."""
    found: list[tuple[list[str], list[str]]] = []
    for line in "".join(blocks("console", page)).splitlines():
        if line.startswith("$ "):
            found.append(([line[2:]], []))
        elif line.startswith("> "):
            found[-1][0].append(line[2:])
        else:
            found[-1][1].append(line)
    return [("\n".join(command), "\n".join(printed)) for command, printed in found]


@pytest.fixture
def registry(transactional_db: None) -> Registry:
    """The published cohort, released, in a registry that the server can read."""
    made = made_registry()
    import_cohort(by=made.manager)
    call_command("freeze", "--release", "2026Q4")
    for user in (made.reporter, made.researcher):
        user.set_password("demo")
        user.save(update_fields=["password"])
    return made


@pytest.fixture
def environment(live_server: LiveServer) -> dict[str, str]:
    """The address of the server, where the examples look for it."""
    return {**os.environ, "API": f"{live_server.url}/api/v1", "NO_PROXY": "*"}


def with_token(environment: dict[str, str], user: User) -> dict[str, str]:
    """The environment with a token for statistics."""
    _token, key = Token.objects.create(user=user, scopes=frozenset({TokenScope.READ_STATISTICS}))
    return {**environment, "TOKEN": key}


@pytest.mark.parametrize(("name", "least", "stored"), [("api", 15, 3), ("fhir", 10, 1)])
def test_shell_prints_what_the_page_says(
    name: str,
    least: int,
    stored: int,
    registry: Registry,
    environment: dict[str, str],
    tmp_path: Path,
) -> None:
    for tool in ("bash", "curl", "jq"):
        if shutil.which(tool) is None:
            pytest.skip(f"needs {tool}")
    steps = examples((DOCS / f"{name}.md").read_text())
    script = "".join(f"{command}\necho '{END}'\n" for command, _printed in steps)

    ran = subprocess.run(
        ["bash", "-s"],
        input=script,
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )

    printed = [each.strip() for each in ran.stdout.split(END)]
    assert len(steps) >= least
    for (command, expected), said in zip(steps, printed, strict=False):
        assert said == expected, f"{command}\n{ran.stderr}"
    assert Event.objects.filter(site=registry.here).count() == stored


def test_r_reads_rates_and_signals_by_address(
    registry: Registry, environment: dict[str, str], tmp_path: Path
) -> None:
    rscript = shutil.which("Rscript")
    if rscript is None:
        pytest.skip("needs R's Rscript")
    (example,) = blocks("r")
    (tmp_path / "ask.R").write_text(f"{example}cat('rows:', nrow(signals), nrow(rates), '\\n')\n")

    ran = subprocess.run(
        [rscript, "--vanilla", "ask.R"],
        cwd=tmp_path,
        env=with_token(environment, registry.reviewer),
        capture_output=True,
        text=True,
        check=True,
    )

    signals, rates = re.findall(r"\d+", ran.stdout.rsplit("rows:", 1)[1])
    assert int(signals) > 1
    assert int(rates) > 1


def test_pandas_reads_rates_and_signals_by_address(
    registry: Registry, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in with_token(environment, registry.reviewer).items():
        monkeypatch.setenv(name, value)
    (example,) = blocks("python")
    left: dict[str, Any] = {}

    exec(compile(example, "docs/api.md", "exec"), left)  # noqa: S102 - ours

    assert len(left["signals"]) > 1
    assert (left["rates"].ci_lower <= left["rates"].ci_upper).all()
