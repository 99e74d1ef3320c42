"""A client made from the schema asks a rate and posts an event, as docs/clients.md says."""

import importlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from drf_spectacular.generators import SchemaGenerator
from pytest_django.live_server_helper import LiveServer

from registry.models import Event, Token
from registry.vocabulary import TokenScope
from tests.api.conftest import Registry, import_cohort, made_registry

pytestmark = pytest.mark.usefixtures("own_folder")

PAGE = (Path(__file__).parents[2] / "docs" / "clients.md").read_text()
BIN = Path(sys.executable).parent


def block(language: str) -> str:
    """The page's example in one language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the client, made from the schema by the page's command."""
    made = tmp_path_factory.mktemp("client")
    schema = SchemaGenerator().get_schema(request=None, public=True)
    (made / "schema.json").write_text(json.dumps(schema))
    (made / "client.yml").write_text(block("yaml"))
    (made / "example.py").write_text(block("python"))
    _get, generate = (line[2:] for line in block("console").splitlines())
    ran = subprocess.run(
        [str(BIN / "openapi-python-client"), *generate.split()[1:]],
        cwd=made,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout  # also for a warning
    return made


@pytest.fixture
def registry(transactional_db: None) -> Registry:
    """The published cohort, released, in a registry that the server can read."""
    made = made_registry()
    import_cohort(by=made.manager)
    call_command("freeze", "--release", "2026Q4")
    return made


@pytest.fixture
def example(
    folder: Path, registry: Registry, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    """The page's example, with a token of a site's reviewer."""
    _token, key = Token.objects.create(user=registry.manager, scopes=frozenset(TokenScope))
    monkeypatch.setenv("API", f"{live_server.url}/api/v1")
    monkeypatch.setenv("TOKEN", key)
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.syspath_prepend(str(folder))
    before = set(sys.modules)
    example = importlib.import_module("example")
    with example.client:
        yield example
    for name in set(sys.modules) - before:
        if name.split(".")[0] in {"example", "registry_client"}:
            del sys.modules[name]


def test_client_asks_a_rate(example: Any, client: Any) -> None:
    rate, status = example.rate_of("catheter")

    # Taira 2013: the published cohort
    asked = client.get(
        "/api/v1/statistics/rates/?category=catheter",
        headers={"Authorization": f"Token {example.client.token}"},
    )
    (row,) = asked.json()["rows"]
    assert isinstance(rate, float)
    assert (rate, status.value) == (row["rate"], "ok")


def test_client_posts_an_event_and_is_told_of_a_refusal_by_type(
    example: Any, registry: Registry
) -> None:
    stored = example.report("HERE-1", "once", severity=2)
    again = example.report("HERE-1", "once", severity=2)
    refused = example.report("HERE-1", "twice", severity=9)

    assert isinstance(stored, example.Event)
    assert (stored.id, stored.state, stored.severity) == (again.id, "draft", 2)
    event = Event.objects.get(public_id=stored.id)
    assert (event.complication_id, event.outcome) == ("catheter-kink", "recovered")
    assert isinstance(refused, example.Problem)
    assert (refused.status, refused.errors[0].pointer) == (400, "/severity")


def test_types_of_the_client_hold(folder: Path) -> None:
    wrong = (
        block("python")
        .replace('complication="catheter-kink",', "")
        .replace("OutcomeEnum.RECOVERED", "3")
    )
    (folder / "wrong.py").write_text(wrong)

    said = {
        name: subprocess.run(
            [str(BIN / "mypy"), "--strict", "--no-incremental", "--config-file=", name],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        ).stdout
        for name in ("example.py", "wrong.py")
    }

    assert "Success" in said["example.py"], said["example.py"]
    assert '"complication"' in said["wrong.py"]
    assert '"outcome"' in said["wrong.py"]
