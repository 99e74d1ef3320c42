"""docs/api.md is run as it stands: by a shell, by R and by Python, against a server."""

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

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
END = "-- end of an example --"


def blocks(language: str) -> list[str]:
    """The examples in one language, in the page's order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def examples() -> list[tuple[str, str]]:
    """Each command of the page, with what the page says that it prints."""
    found: list[tuple[list[str], list[str]]] = []
    for line in "".join(blocks("console")).splitlines():
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


def test_shell_prints_what_the_page_says(
    registry: Registry, environment: dict[str, str], tmp_path: Path
) -> None:
    for tool in ("bash", "curl", "jq"):
        if shutil.which(tool) is None:
            pytest.skip(f"needs {tool}")
    steps = examples()
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
    assert len(steps) > 15
    for (command, expected), said in zip(steps, printed, strict=False):
        assert said == expected, f"{command}\n{ran.stderr}"
    assert Event.objects.filter(site=registry.here).count() == 3


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
