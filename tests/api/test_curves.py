"""Survival and incidence over HTTP, on the published cohort of Taira et al. (2013)."""

import csv
import io

import pytest
from django.core.management import call_command
from rest_framework.test import APIClient

from registry.disclosure import BOUNDARIES
from tests.api.conftest import Registry, client_of

pytestmark = pytest.mark.usefixtures("own_folder")

STATISTICS = "/api/v1/statistics/"
COLUMNS = ["time_months", "at_risk", "events", "estimate", "ci_lower", "ci_upper", "status"]


def test_freedom_from_catheter_problems_is_told_from_implantation_on(reviewer: APIClient) -> None:
    # 400 patients with 408 catheters, 34 of them with a catheter problem (Taira 2013)
    body = reviewer.get(f"{STATISTICS}survival/?category=catheter").json()

    (curve,) = body["meta"]["curves"]
    first, *rest = body["rows"]
    assert (first["time_months"], first["at_risk"], first["estimate"]) == (0, 408, 1.0)
    assert curve["devices"] == 408
    assert curve["events"] == sum(row["events"] for row in rest)
    assert curve["events"] + curve["events_outside"] == first_events(reviewer)
    assert body["meta"]["title"] == "Freedom from Catheter problem"
    assert body["meta"]["denominator"] == "catheters at risk, on the catheter's clock"
    assert body["meta"]["counting"] == "first_event"


def first_events(client: APIClient) -> int:
    """What the rate of the same selection counts."""
    (row,) = client.get(f"{STATISTICS}rates/?category=catheter").json()["rows"]
    return int(row["events"])


@pytest.mark.parametrize("measure", ["survival", "incidence"])
@pytest.mark.parametrize("params", ["", "?group_by=drug", "?category=catheter&group_by=sex,site"])
def test_csv_holds_the_numbers_of_json(reviewer: APIClient, measure: str, params: str) -> None:
    shown = reviewer.get(f"{STATISTICS}{measure}/{params}").json()
    mark = "&" if params else "?"
    text = reviewer.get(f"{STATISTICS}{measure}/{params}{mark}format=csv").content.decode()

    header, *lines = csv.reader(io.StringIO(text))
    assert header[-len(COLUMNS) :] == COLUMNS
    assert header == [column["name"] for column in shown["columns"]]
    assert [
        [
            None if cell == "" else type(row[name])(cell)
            for name, cell in zip(header, line, strict=True)
        ]
        for line, row in zip(lines, shown["rows"], strict=True)
    ] == [list(row.values()) for row in shown["rows"]]


def test_incidence_says_where_everybody_is_at_the_end(reviewer: APIClient) -> None:
    body = reviewer.get(f"{STATISTICS}incidence/?category=catheter").json()

    (curve,) = body["meta"]["curves"]
    assert curve["at_end"].keys() == {"event", "death", "explant", "therapy_stopped", "free"}
    assert sum(curve["at_end"].values()) == pytest.approx(1)
    assert body["rows"][-1]["estimate"] == curve["at_end"]["event"]
    assert "compete" in " ".join(body["meta"]["warnings"])


def test_scales_of_limits_are_other_questions(reviewer: APIClient) -> None:
    address = f"{STATISTICS}survival/?category=catheter"

    default, named, log, plain = (
        reviewer.get(address + ci).json() for ci in ("", "&ci=log-log", "&ci=log", "&ci=plain")
    )

    assert default == named
    limits = {body["rows"][-1]["ci_lower"] for body in (default, log, plain)}
    assert len(limits) == 3
    assert len({body["meta"]["method"] for body in (default, log, plain)}) == 3


def test_receipt_of_a_curve_gives_the_same_curve(reviewer: APIClient) -> None:
    call_command("freeze", "--release", "2026Q4")
    first = reviewer.get(f"{STATISTICS}survival/?category=catheter&ci=plain&release=2026Q4")

    again = reviewer.get(f"{STATISTICS}receipts/{first.json()['meta']['receipt']}/")

    assert again.content == first.content


@pytest.mark.parametrize(
    ("address", "parameter", "code", "mend"),
    [
        ("survival/?group_by=severity", "group_by", "immortal-time", "Filter by severity"),
        ("survival/?group_by=outcome", "group_by", "immortal-time", "Filter by outcome"),
        ("incidence/?group_by=root_cause", "group_by", "immortal-time", "Filter by root_cause"),
        ("survival/?group_by=intervention", "group_by", "immortal-time", "immortal time"),
        ("survival/?group_by=year", "group_by", "immortal-time", "implant_year"),
        ("survival/?group_by=window", "group_by", "immortal-time", "leave window out"),
        ("survival/?group_by=complication", "group_by", "one-event", "one curve at a time"),
        ("survival/?year=2010", "year", "not-of-a-curve", "implant_year"),
        ("survival/?period=2010-2014", "year", "not-of-a-curve", "implant_year"),
        ("survival/?window=0-12", "window", "not-of-a-curve", "leave window out"),
        ("incidence/?window=0-12", "window", "not-of-a-curve", "leave window out"),
        ("survival/?unit=pump-months", "unit", "option-not-taken", "an option of rates"),
        ("incidence/?unit=refills", "unit", "option-not-taken", "an option of rates"),
        ("survival/?complication=death", "complication", "death-competes", "Ask for incidence"),
        ("survival/?category=consequence", "category", "death-competes", "Ask for incidence"),
        ("survival/?outcome=fatal", "outcome", "death-competes", "Ask for incidence"),
        ("survival/?severity=5", "severity", "death-competes", "Ask for incidence"),
        ("survival/?seriousness=death", "seriousness", "death-competes", "Ask for incidence"),
        ("survival/?counting=events", "counting", "bad-counting", "first_event"),
        ("survival/?ci=exact", "ci", "unknown-code", "log-log"),
    ],
)
def test_curve_that_would_be_wrong_is_refused_and_the_right_one_named(
    reviewer: APIClient, address: str, parameter: str, code: str, mend: str
) -> None:
    reply = reviewer.get(STATISTICS + address)

    assert reply.status_code == 400
    (error,) = reply.json()["errors"]
    assert (error["parameter"], error["code"]) == (parameter, code)
    assert mend in error["detail"]


@pytest.mark.parametrize(
    "address",
    [
        "incidence/?complication=death",
        "incidence/?outcome=fatal",
        "survival/?severity=4,5",
        "survival/?outcome=fatal,recovered",
        "survival/?group_by=implant_year",
        "survival/?implant_year=2005",
        "survival/?severity=3",
        "survival/?group_by=drug,sex,site",
    ],
)
def test_curve_that_is_right_is_answered(reviewer: APIClient, address: str) -> None:
    assert reviewer.get(STATISTICS + address).status_code == 200


def test_researcher_has_the_table_of_intervals(cohort: Registry) -> None:
    call_command("freeze", "--release", "2026Q4")
    researcher = client_of(cohort.researcher)

    body = researcher.get(f"{STATISTICS}survival/?category=catheter").json()
    text = researcher.get(f"{STATISTICS}survival/?category=catheter&format=csv").content.decode()

    assert [column["name"] for column in body["columns"]] == [
        *COLUMNS[:-1],
        "hidden_cells",
        "reason",
        "status",
    ]
    assert [row["time_months"] for row in body["rows"]] == list(BOUNDARIES)
    assert body["meta"]["profile"] == "protected"
    assert len(text.splitlines()) == 1 + len(BOUNDARIES)


def test_researcher_is_told_incidence_at_fixed_months(cohort: Registry) -> None:
    call_command("freeze", "--release", "2026Q4")

    body = client_of(cohort.researcher).get(f"{STATISTICS}incidence/").json()

    assert [row["time_months"] for row in body["rows"]] == list(BOUNDARIES)
    assert body["meta"]["profile"] == "protected"
    assert set(body["meta"]["curves"][0]["at_end"]) == {
        *("event", "death", "explant", "therapy_stopped", "free")
    }


@pytest.mark.parametrize("measure", ["survival", "incidence"])
def test_curves_are_for_whoever_may_ask(registry: Registry, measure: str) -> None:
    address = f"{STATISTICS}{measure}/"

    assert client_of(None).get(address).status_code == 401
    assert client_of(registry.auditor).get(address).status_code == 403
