"""The examples in docs/notebook, run as a researcher runs them: over HTTP, with a token."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django.live_server_helper import LiveServer

from registry.disclosure import BOUNDARIES
from registry.models import Token, User
from registry.vocabulary import CODELISTS, TokenScope
from tests.api.conftest import Registry, client_of, import_cohort, made_registry

pytestmark = pytest.mark.usefixtures("own_folder")

DOCS = Path(__file__).parents[2] / "docs"
NOTEBOOK = json.loads((DOCS / "notebook" / "survival.ipynb").read_text())
SURVIVAL = "/api/v1/statistics/survival/?category=catheter"
RATES = "/api/v1/statistics/rates/?group_by=category&per=1000"


@pytest.fixture
def registry(transactional_db: None) -> Registry:
    """A registry of each test's own: the server reads it by another connection."""
    return made_registry()


@pytest.fixture
def cohort(registry: Registry) -> Registry:
    """The published cohort in it."""
    import_cohort(by=registry.manager)
    return registry


@pytest.fixture
def environment(live_server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Put the server's address and a user's token where the examples look for them."""

    def of(user: User) -> None:
        scopes = frozenset({TokenScope.READ_STATISTICS})
        _token, key = Token.objects.create(user=user, scopes=scopes)
        monkeypatch.setenv("REGISTRY_API", f"{live_server.url}/api/v1/")
        monkeypatch.setenv("REGISTRY_TOKEN", key)
        monkeypatch.setenv("NO_PROXY", "*")
        monkeypatch.setenv("MPLBACKEND", "Agg")

    return of


def run_notebook() -> dict[str, Any]:
    """Run the cells from top to bottom, and hand back what they leave."""
    names: dict[str, Any] = {}
    for cell in NOTEBOOK["cells"]:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), cell["id"], "exec"), names)  # noqa: S102 - ours
    return names


def run_r(folder: Path) -> str:
    """What the R script prints; skipped where there is no R."""
    rscript = shutil.which("Rscript")
    if rscript is None:
        pytest.skip("needs R's Rscript")
    script = str(DOCS / "notebook" / "survival.R")
    return subprocess.run(
        [rscript, "--vanilla", script], cwd=folder, check=True, capture_output=True, text=True
    ).stdout


def test_notebook_redraws_an_exact_curve_and_its_limits(
    cohort: Registry, environment: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    environment(cohort.reviewer)
    rows = client_of(cohort.reviewer).get(SURVIVAL).json()["rows"]

    left = run_notebook()

    assert left["curve_meta"]["profile"] == "exact"
    (line,) = left["axes"].lines
    assert line.get_drawstyle() == "steps-post"
    drawn = list(zip(*line.get_data(), strict=True))
    assert drawn == [(row["time_months"], row["estimate"]) for row in rows]
    (band,) = left["axes"].collections
    corners = {tuple(corner) for corner in band.get_paths()[0].vertices}
    for row in rows:
        assert {(row["time_months"], row[side]) for side in ("ci_lower", "ci_upper")} <= corners
    assert left["again"].tolist() == pytest.approx([row["estimate"] for row in rows])
    assert "Largest difference" in capsys.readouterr().out


def test_notebook_writes_numbers_at_risk_under_their_own_months(
    cohort: Registry, environment: Any
) -> None:
    environment(cohort.reviewer)
    rows = client_of(cohort.reviewer).get(SURVIVAL).json()["rows"]

    left = run_notebook()

    title, *written = ((text.get_text(), text.get_position()[0]) for text in left["axes"].texts)
    assert title == ("At risk", 0)
    assert written[0] == ("408", 0)
    assert len(written) > 2
    assert set(written) <= {(str(row["at_risk"]), row["time_months"]) for row in rows}


def test_notebook_finds_the_limits_of_exact_rates(cohort: Registry, environment: Any) -> None:
    environment(cohort.reviewer)
    rows = client_of(cohort.reviewer).get(RATES).json()["rows"]

    rates = run_notebook()["rates"]

    assert rates.index.tolist() == [row["category"] for row in rows]
    assert {1, 34} < set(rates.events)  # limits of one event, and of many
    for side in ("lower", "upper"):
        limits = [row[f"ci_{side}"] for row in rows]
        assert rates[f"poisson_{side}"].tolist() == pytest.approx(limits, rel=1e-9)


def test_notebook_redraws_a_protected_table(cohort: Registry, environment: Any) -> None:
    call_command("freeze", "--release", "2026Q4")
    environment(cohort.researcher)
    rows = client_of(cohort.researcher).get(SURVIVAL).json()["rows"]
    told = [row for row in rows if row["estimate"] is not None]

    left = run_notebook()

    assert left["curve_meta"]["profile"] == "protected"
    assert len(left["curve"]) == len(BOUNDARIES) > len(told) > 1
    (line,) = left["axes"].lines
    drawn = list(zip(*line.get_data(), strict=True))
    assert drawn == [(row["time_months"], row["estimate"]) for row in told]
    (limits,) = left["axes"].collections
    assert [part.vertices[:, 1].tolist() for part in limits.get_paths()] == [
        [row["ci_lower"], row["ci_upper"]] for row in told
    ]
    assert left["again"].tolist() == pytest.approx([row["estimate"] for row in told])
    rates = left["rates"]
    assert len(rates) > 0
    assert (rates.ci_lower < rates.poisson_lower).all()
    assert (rates.ci_upper > rates.poisson_upper).all()


def test_notebook_tells_a_refusal_in_the_registrys_words(
    cohort: Registry, environment: Any
) -> None:
    environment(cohort.reviewer)
    ask = run_notebook()["ask"]

    with pytest.raises(ValueError, match="immortal time"):
        ask("survival", group_by="severity")


def test_notebook_is_of_the_format_that_readers_open_and_keeps_no_output() -> None:
    assert (NOTEBOOK["nbformat"], NOTEBOOK["nbformat_minor"]) == (4, 5)
    names = [cell["id"] for cell in NOTEBOOK["cells"]]
    assert len(set(names)) == len(names)
    for cell in NOTEBOOK["cells"]:
        assert cell["metadata"] == {}
        more = {"outputs", "execution_count"} if cell["cell_type"] == "code" else set()
        assert cell.keys() == {"cell_type", "id", "metadata", "source"} | more
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


def test_r_finds_the_same_curve_and_the_same_limits(
    cohort: Registry, environment: Any, tmp_path: Path
) -> None:
    environment(cohort.reviewer)
    client = client_of(cohort.reviewer)
    last = client.get(SURVIVAL).json()["rows"][-1]

    said = run_r(tmp_path)

    limits = f"{last['estimate']:.4f} ({last['ci_lower']:.4f} to {last['ci_upper']:.4f})"
    assert f"at {last['time_months']} months: {limits}" in said
    assert largest("the rows", said) < 1e-12
    assert largest("poisson.test", said) < 1e-9
    assert (tmp_path / "survival.png").read_bytes().startswith(b"\x89PNG")


def test_r_redraws_a_protected_table(cohort: Registry, environment: Any, tmp_path: Path) -> None:
    call_command("freeze", "--release", "2026Q4")
    environment(cohort.researcher)

    said = run_r(tmp_path)

    assert largest("the rows", said) < 1e-12
    assert "wider than R's" in said
    assert (tmp_path / "survival.png").exists()


class EveryRateHidden(BaseHTTPRequestHandler):
    """Answers as of few devices: a curve with a dot, and no rate."""

    def do_GET(self) -> None:
        rows = "time_months,at_risk,events,estimate,ci_lower,ci_upper,hidden_cells\n0,9,0,1,1,1,0\n"
        if "/statistics/rates/" in self.path:
            rows = "category,events,exposure,rate,ci_lower,ci_upper,hidden_cells\npump,,,,,,1\n"
        self.send_response(200)
        self.end_headers()
        self.wfile.write(rows.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Keep silent."""


@pytest.fixture
def hidden_rates(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An API where every rate is hidden."""
    server = HTTPServer(("127.0.0.1", 0), EveryRateHidden)
    thread = Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("REGISTRY_API", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("REGISTRY_TOKEN", "any")
    monkeypatch.setenv("NO_PROXY", "*")
    yield
    server.shutdown()
    server.server_close()
    thread.join()


def test_r_says_where_every_rate_is_hidden(hidden_rates: None, tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as ended:
        run_r(tmp_path)

    assert "No rate is shown: ask about more devices." in ended.value.stderr


def largest(what: str, said: str) -> float:
    """The largest difference that the script tells."""
    found = re.search(rf"Largest difference from {re.escape(what)}: (\S+)", said)
    assert found, said
    return float(found[1])


def test_addresses_of_the_note_on_dashboards_are_answered(cohort: Registry) -> None:
    client = client_of(cohort.reviewer)
    note = (DOCS / "dashboards.md").read_text()
    addresses = re.findall(r"`(/(?:statistics|codelists)/\S+?)`", note)
    assert len(addresses) > 3

    for address in addresses:
        filled = re.sub(r"\$\{\w+:csv\}", "", address)  # as where nothing is chosen
        reply = client.get(f"/api/v1{filled}")
        assert reply.status_code == 200, address
        if address.startswith("/codelists/"):
            assert {"__text", "__value"} <= reply.json()["results"][0].keys()


def test_every_codelist_that_the_note_turns_into_a_filter_is_one() -> None:
    note = (DOCS / "dashboards.md").read_text()
    named = set(re.findall(r"/codelists/([a-z-]+)/", note))

    assert named - {"category", "complication"} <= set(CODELISTS)
