"""The Grafana queries of docs/dashboards.md, asked and read as the Infinity plugin does.

The plugin's backend parser takes what the root selector names, an object as a list of one, and
from each the columns by their selectors; a number that is null or an empty cell stays blank, and
anything that is no number where one is expected is an error in the panel.
"""

import csv
import io
import json
import re
from datetime import datetime
from pathlib import Path

import pytest
from django.core.management import call_command

from registry.vocabulary import TokenScope
from tests.api.conftest import client_of

pytestmark = pytest.mark.usefixtures("own_folder")

PAGE = (Path(__file__).parents[2] / "docs" / "dashboards.md").read_text()
(QUERIES,) = (
    json.loads(found)
    for found in re.findall(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
)
NAMES = [query["refId"] for query in QUERIES]
READ = {
    "string": str,
    "number": float,
    "timestamp": datetime.fromisoformat,
}
"""How the plugin reads a column's values."""


def frame(client, query, **variables):
    """The columns of a panel: their titles, with a value for each row."""
    address = re.sub(r"\$\{(\w+):csv\}", lambda name: variables.get(name[1], ""), query["url"])
    reply = client.get(f"/api/v1{address}")
    assert reply.status_code == 200, reply.content
    if query["type"] == "csv":
        rows = list(csv.DictReader(io.StringIO(reply.content.decode())))
    else:
        found = reply.json()[query["root_selector"]]
        rows = found if isinstance(found, list) else [found]
    return {
        column["text"]: [value_of(row[column["selector"]], column["type"]) for row in rows]
        for column in query["columns"]
    }


def value_of(value, kind):
    """One value as the plugin reads it: blank for null and for an empty cell."""
    return None if value in (None, "") else READ[kind](value)


def query_of(name):
    return next(query for query in QUERIES if query["refId"] == name)


@pytest.fixture
def released(cohort):
    """The published cohort, released, so that anybody's protected answers are there."""
    call_command("freeze", "--release", "2026Q4")
    return cohort


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("who", ["reviewer", "researcher"])
def test_every_query_gives_its_columns(name, who, released):
    client = client_of(getattr(released, who), scopes=(TokenScope.READ_STATISTICS.value,))

    columns = frame(client, query_of(name))

    assert list(columns) == [column["text"] for column in query_of(name)["columns"]]
    assert len({len(values) for values in columns.values()}) == 1
    assert next(iter(columns.values()))


def test_panel_shows_the_numbers_of_the_answer_and_leaves_hidden_ones_blank(released):
    client = client_of(released.reviewer)

    columns = frame(client, query_of("rates"), drug="baclofen")

    answer = client.get(
        "/api/v1/statistics/rates/?drug=baclofen&group_by=complication&labels=label&per=1000"
    ).json()
    assert columns["Rate"] == [row["rate"] for row in answer["rows"]]
    assert columns["Complication"] == [row["complication"] for row in answer["rows"]]
    protected = frame(client_of(released.researcher), query_of("years"))
    hidden = [
        rate
        for rate, said in zip(protected["Rate"], protected["Status"], strict=True)
        if said in {"hidden", "suppressed"}
    ]
    assert set(hidden) <= {None}


def test_variable_filters_by_several_values_and_by_none(released):
    client = client_of(released.reviewer)
    values = frame(client, query_of("drug"))["__value"]

    every = frame(client, query_of("rates"), drug="")
    all_named = frame(client, query_of("rates"), drug=",".join(values))
    one = frame(client, query_of("rates"), drug="morphine")

    assert "baclofen" in values
    assert every["Rate"] == all_named["Rate"]  # the cohort has baclofen alone
    assert one != every


@pytest.mark.parametrize("name", NAMES)
def test_every_query_says_what_the_plugin_needs(name):
    query = query_of(name)

    assert {
        "refId",
        "type",
        "parser",
        "source",
        "format",
        "url",
        "root_selector",
        "columns",
    } == set(query)
    assert (query["parser"], query["source"]) == ("backend", "url")
    assert all(column["type"] in READ for column in query["columns"])
