"""Trend, funnel, signals and cascades over HTTP: columns, CSV, refusals, and who is told what."""

import csv
import io
import json

import pytest
from django.core.management import call_command

from tests.api.conftest import client_of

pytestmark = pytest.mark.usefixtures("own_folder")

STATISTICS = "/api/v1/statistics/"
RATE = ["events", "exposure", "rate", "ci_lower", "ci_upper"]
LIMITS = ["lower_95", "upper_95", "lower_998", "upper_998"]
MEASURES = [f"{name}{end}" for name in ("prr", "ror", "ic") for end in ("", "_lower", "_upper")]
COLUMNS = {
    "trend": ["year", *RATE, "fitted", "cusum", "alarm", "status"],
    "funnel": [
        *("site", "events", "exposure", "expected", "ratio", "ci_lower", "ci_upper"),
        *(*LIMITS, "signal", "status"),
    ],
    "signals": [
        *("pump_model", "complication", "n", "expected", *MEASURES, "chi2_yates", "q"),
        *("devices", "rate_ratio", "p", "signal", "outlier", "status"),
    ],
    "cascades": [
        *("cause", "effect", "n", "cause_events", "share"),
        *("with_interval", "before_cause", "median_months"),
        "status",
    ],
}
NEVER_PROTECTED = {"cusum", "alarm", "p"}


def answer_of(client, address):
    reply = client.get(STATISTICS + address)
    assert reply.status_code == 200, reply.content
    return reply.json()


def test_answers_have_their_columns_in_json_and_csv(reviewer):
    for measure, columns in COLUMNS.items():
        body = answer_of(reviewer, f"{measure}/")
        text = reviewer.get(f"{STATISTICS}{measure}/?format=csv").content.decode()
        header, *lines = csv.reader(io.StringIO(text))

        assert [column["name"] for column in body["columns"]] == header == columns
        assert len(lines) == len(body["rows"]) > 0
        assert body["meta"]["profile"] == "exact"
        assert {"trend", "funnel", "signals", "cascades"} & set(body["meta"]) == {measure}
        for line, row in zip(lines, body["rows"], strict=True):
            cells = [
                json.loads(cell.lower()) if cell in {"TRUE", "FALSE"} else cell for cell in line
            ]
            told = ["" if cell is None else cell for cell in row.values()]
            assert list(map(str, cells)) == list(map(str, told))


def test_trend_over_all_years_is_the_rate_of_the_published_cohort(reviewer):
    years = answer_of(reviewer, "trend/?category=catheter&per=100")
    rates = answer_of(reviewer, "rates/?category=catheter&per=100&group_by=year")

    told = {row["year"]: row["rate"] for row in rates["rows"]}
    assert {row["year"]: row["rate"] for row in years["rows"]} == {
        year: rate for year, rate in told.items() if isinstance(year, int)
    }
    assert years["meta"]["per"] == 100


def test_cascade_is_that_of_the_published_cohort(reviewer):
    # Taira 2013: one dislodgement led to withdrawal, and that to surgery
    found = {
        (row["cause"], row["effect"]): row["n"] for row in answer_of(reviewer, "cascades/")["rows"]
    }

    assert found == {
        ("catheter-migration", "baclofen-withdrawal"): 1,
        ("baclofen-withdrawal", "revision-surgery"): 1,
    }


@pytest.mark.parametrize(
    ("address", "code", "parameter"),
    [
        ("trend/?group_by=drug", "bad-group-by", "group_by"),
        ("funnel/?group_by=year", "bad-group-by", "group_by"),
        ("signals/?group_by=sex", "bad-group-by", "group_by"),
        ("cascades/?group_by=site", "bad-group-by", "group_by"),
        ("trend/?counting=patients", "bad-counting", "counting"),
        ("funnel/?standardise=site", "unknown-dimension", "standardise"),
        ("funnel/?standardise=sex,drug,age_band", "too-many-names", "standardise"),
        ("signals/?ordering=rate", "unknown-column", "ordering"),
    ],
)
def test_what_a_measure_does_not_have_is_refused(reviewer, address, code, parameter):
    reply = reviewer.get(STATISTICS + address)

    assert reply.status_code == 400
    assert reply.json()["code"] == code
    assert reply.json()["errors"][0]["parameter"] == parameter


def test_rows_can_be_ordered_by_their_own_columns(reviewer):
    years = [row["year"] for row in answer_of(reviewer, "trend/?ordering=-year")["rows"]]
    pairs = [row["n"] for row in answer_of(reviewer, "signals/?ordering=-n")["rows"]]

    assert years == sorted(years, reverse=True)
    assert pairs == sorted(pairs, reverse=True)


def test_adjusting_for_case_mix_is_said(reviewer):
    body = answer_of(reviewer, "funnel/?category=catheter&standardise=sex,age_band")

    assert body["meta"]["funnel"]["standardisation"] == "indirect: age_band, sex"


def test_literature_stands_beside_ours(reviewer):
    (ours,) = answer_of(reviewer, "proportions/?category=catheter")["rows"]
    told = answer_of(reviewer, "proportions/?category=catheter")["meta"]["literature"]

    (taira,) = (each for each in told if each["rate_id"] == "R003")
    assert taira["value"] == ours["proportion"] == 0.085  # 34 of 400: the cohort is Taira's own


def test_researcher_is_told_protected_numbers(cohort):
    call_command("freeze", "--release", "2026Q4")
    researcher = client_of(cohort.researcher)

    for measure in ("trend", "funnel", "signals"):
        body = answer_of(researcher, f"{measure}/")
        names = [column["name"] for column in body["columns"]]
        assert names == [
            *(name for name in COLUMNS[measure][:-1] if name not in NEVER_PROTECTED),
            "hidden_cells",
            "reason",
            "status",
        ]
        assert body["meta"]["profile"] == "protected"
    cascades = answer_of(researcher, "cascades/")
    assert cascades["meta"]["counting"] == "patients"
    assert cascades["rows"] == []  # the cohort links no events
