"""Statistics over HTTP, on the published cohort of Taira et al. (2013) and on own sites."""

import csv
import io
import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from registry import intake
from registry.models import AccessLog, Agreement, Complication, Site, sealed
from registry.urls import urlpatterns
from registry.vocabulary import Measure
from tests.api.conftest import client_of, make_user, stored
from tests.factories import AgreementFactory

pytestmark = pytest.mark.usefixtures("own_folder")

STATISTICS = "/api/v1/statistics/"


def rows(client, address):
    reply = client.get(STATISTICS + address)
    assert reply.status_code == 200, reply.content
    return reply.json()["rows"]


def test_counts_are_those_of_the_published_cohort(reviewer):
    # tests/samples/README.md, after Taira et al., Neuromodulation 2013;16:266-272
    found = rows(reviewer, "counts/?group_by=complication")

    assert {row["complication"]: row["n"] for row in found} == {
        "infection-pocket": 12,
        "catheter-migration": 25,
        "catheter-fracture": 6,
        "catheter-occlusion": 2,
        "catheter-kink": 1,
        "pump-flip": 1,
        "csf-leak": 13,
        "baclofen-withdrawal": 1,
        "revision-surgery": 1,
    }


def test_proportion_is_that_of_the_published_cohort(reviewer):
    # 34 of 400 patients had a catheter problem: 8.5 % (Taira 2013)
    (row,) = rows(reviewer, "proportions/?category=catheter")

    assert (row["numerator"], row["denominator"], row["proportion"]) == (34, 400, 0.085)


def test_rate_is_events_over_exposure(reviewer):
    (row,) = rows(reviewer, "rates/?complication=catheter-migration&per=100")

    assert row["rate"] == pytest.approx(100 * row["events"] / row["exposure"])
    assert row["ci_lower"] < row["rate"] < row["ci_upper"]
    assert row["unit"] == "catheter-months"


def test_coverage_says_how_many_events_have_a_denominator(reviewer):
    (row,) = rows(reviewer, "coverage/")

    assert (row["n"], row["counted"], row["status"]) == (61, 61, "ok")


def test_reply_has_the_shape_that_is_promised(reviewer):
    body = reviewer.get(f"{STATISTICS}rates/?group_by=category").json()

    assert body.keys() == {"meta", "columns", "rows", "next"}
    assert body["next"] is None
    assert body["meta"].keys() >= {
        "title",
        "snapshot",
        "data_as_of",
        "catalogue_version",
        "code_version",
        "counting",
        "denominator",
        "per",
        "level",
        "method",
        "profile",
        "provisional",
        "coverage",
        "warnings",
        "receipt",
    }
    assert body["columns"][0].keys() == {"name", "type", "role", "unit", "title"}
    for row in body["rows"]:
        assert list(row) == [column["name"] for column in body["columns"]]


@pytest.mark.parametrize("measure", Measure.codes())
@pytest.mark.parametrize("groups", ["", "category", "complication", "component", "sex"])
def test_filters_that_exclude_each_other_are_answered(reviewer, measure, groups):
    excluding = "category=infection&complication=catheter-kink"

    reply = reviewer.get(f"{STATISTICS}{measure}/?{excluding}&group_by={groups}")

    assert reply.status_code in {200, 400}
    if reply.status_code == 200:
        assert "no complication" in reply.json()["meta"]["title"]


def test_no_rows_are_an_empty_answer(reviewer):
    assert rows(reviewer, "counts/?drug=ziconotide&group_by=category") == []


@pytest.mark.parametrize(
    "address",
    [
        "counts/?group_by=category,severity&labels=both",
        "rates/?group_by=complication",
        "proportions/?group_by=sex&category=catheter",
        "coverage/",
        "comparison/?group_by=sex&category=catheter&adjust=age_band",
    ],
)
def test_csv_holds_the_numbers_of_json(reviewer, address):
    mark = "&" if "?" in address else "?"
    shown = reviewer.get(STATISTICS + address).json()
    text = reviewer.get(f"{STATISTICS}{address}{mark}format=csv").content.decode()

    header, *lines = csv.reader(io.StringIO(text))
    assert header == [column["name"] for column in shown["columns"]]
    assert [
        [
            cell if isinstance(row[name], str) else json.loads(cell) if cell else None
            for name, cell in zip(header, line, strict=True)
        ]
        for line, row in zip(lines, shown["rows"], strict=True)
    ] == [list(row.values()) for row in shown["rows"]]


def test_accept_header_chooses_csv_too(reviewer):
    reply = reviewer.get(f"{STATISTICS}counts/", HTTP_ACCEPT="text/csv")

    assert reply["Content-Type"] == "text/csv; charset=utf-8"
    assert reply.content == reviewer.get(f"{STATISTICS}counts/?format=csv").content


@pytest.mark.parametrize("format", ["svg", "png", "vega"])
def test_what_has_no_chart_is_not_available_as_one(reviewer, format):
    reply = reviewer.get(f"{STATISTICS}dimensions/?format={format}")

    assert reply.status_code == 406
    assert reply.json()["code"] == "format-not-available"
    assert "json" in reply.json()["detail"]


def test_format_that_nothing_writes_is_not_acceptable(reviewer):
    reply = reviewer.get(f"{STATISTICS}counts/", HTTP_ACCEPT="image/webp")

    assert reply.status_code == 406
    assert reply["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("counts/?drugs=x", "unknown-parameter"),
        ("counts/?drug=x", "unknown-code"),
        ("counts/?year_min=2020&year_max=2019", "bad-range"),
        ("counts/?group_by=drug,sex,year,site", "too-many-names"),
        ("rates/?counting=patients", "bad-counting"),
        ("counts/?release=2019Q1", "unknown-release"),
        ("counts/?group_by=complication,implant_year,age_band&ordering=rate", "unknown-column"),
    ],
)
def test_bad_question_is_refused(reviewer, address, code):
    reply = reviewer.get(STATISTICS + address)

    assert reply.status_code == 400
    assert reply.json()["code"] == code


def test_problem_stays_json_where_csv_was_asked(reviewer):
    reply = reviewer.get(f"{STATISTICS}counts/?format=csv&drug=x")

    assert reply["Content-Type"] == "application/problem+json"
    assert reply.json()["code"] == "unknown-code"


def test_retired_complication_is_answered_with_a_warning(reviewer):
    retired = Complication.objects.get(code="catheter-kink")
    retired.retired, retired.replaced_by_id = True, "catheter-occlusion"
    with sealed(by=None, action="test") as seal:
        seal.save(retired)

    body = reviewer.get(f"{STATISTICS}counts/?complication=catheter-kink").json()

    assert body["rows"][0]["n"] == 1
    assert (
        "The complication catheter-kink is retired; see catheter-occlusion."
        in (body["meta"]["warnings"])
    )


# Repeating a question -----------------------------------------------------------------------------


def test_same_question_however_written_has_the_same_answer_and_tag(reviewer):
    one = reviewer.get(f"{STATISTICS}counts/?drug=baclofen,morphine&sex=female")
    other = reviewer.get(f"{STATISTICS}counts/?sex=female&drug=morphine&drug=baclofen")

    assert one.content == other.content
    assert one["ETag"] == other["ETag"]


def test_known_answer_is_not_sent_again(reviewer):
    first = reviewer.get(f"{STATISTICS}counts/")

    again = reviewer.get(f"{STATISTICS}counts/", HTTP_IF_NONE_MATCH=f'"x", W/{first["ETag"]}')

    assert again.status_code == 304
    assert again.content == b""
    assert again["ETag"] == first["ETag"]


@pytest.mark.parametrize("prefix", ["", "W/"])
def test_known_answer_is_known_by_a_tag_that_a_proxy_rewrote(reviewer, prefix):
    tag = reviewer.get(f"{STATISTICS}counts/")["ETag"]
    rewritten = prefix + tag[:-1] + '-gzip"'

    again = reviewer.get(f"{STATISTICS}counts/", HTTP_IF_NONE_MATCH=rewritten)

    assert (again.status_code, again["ETag"]) == (304, tag)


def test_tag_of_another_format_or_question_is_another(reviewer):
    tags = {
        reviewer.get(STATISTICS + address)["ETag"]
        for address in ("counts/", "counts/?format=csv", "rates/", "counts/?sex=male")
    }

    assert len(tags) == 4


def test_new_event_changes_the_tag(cohort, reviewer):
    first = reviewer.get(f"{STATISTICS}counts/")
    event = stored(cohort.reporter, submit=True)
    intake.accept_event(event.public_id, by=cohort.reviewer)

    again = reviewer.get(f"{STATISTICS}counts/", HTTP_IF_NONE_MATCH=first["ETag"])

    assert again.status_code == 200
    assert again.json()["rows"][0]["n"] == first.json()["rows"][0]["n"] + 1


def test_tag_alone_opens_nothing(cohort, reviewer):
    tag = reviewer.get(f"{STATISTICS}counts/")["ETag"]
    address = f"{STATISTICS}counts/"

    assert client_of(None).get(address, HTTP_IF_NONE_MATCH=tag).status_code == 401
    assert client_of(cohort.auditor).get(address, HTTP_IF_NONE_MATCH=tag).status_code == 403
    assert client_of(cohort.reporter).get(address, HTTP_IF_NONE_MATCH="*").status_code == 409


def test_answer_is_kept_by_nobody_else(reviewer):
    reply = reviewer.get(f"{STATISTICS}counts/")

    assert reply["Cache-Control"] == "private, no-cache"
    assert {"Accept", "Authorization", "Cookie"} <= set(reply["Vary"].split(", "))


# Who may ask -----------------------------------------------------------------------------------


def test_own_report_is_found_in_own_exact_statistics(registry, as_reporter, report):
    body = report(submit=True, drug="ziconotide")
    made = as_reporter.post("/api/v1/events/", body, format="json").json()
    before = rows(as_reporter, "counts/?site=HERE-1&drug=ziconotide")
    intake.accept_event(made["id"], by=registry.reviewer)

    reply = as_reporter.get(f"{STATISTICS}counts/?site=HERE-1&drug=ziconotide").json()

    assert before == [{"n": 0, "status": "zero"}]
    assert reply["rows"] == [{"n": 1, "status": "ok"}]
    assert reply["meta"]["profile"] == "exact"


def test_own_site_asks_for_any_state_and_is_not_logged(registry, as_reporter):
    stored(registry.reporter)

    assert rows(as_reporter, "counts/?site=HERE-1&state=draft") == [{"n": 1, "status": "ok"}]
    assert not AccessLog.objects.filter(action="exact-statistics").exists()


def test_exact_answer_over_other_sites_is_logged(reviewer):
    rows(reviewer, "counts/?sex=female")

    entry = AccessLog.objects.get(action="exact-statistics")
    assert '["sex",["female"]]' in entry.what


@pytest.mark.parametrize("who", ["reporter", "researcher"])
def test_another_site_is_answered_with_protected_numbers(cohort, who):
    call_command("freeze", "--release", "2026Q4")

    reply = client_of(getattr(cohort, who)).get(f"{STATISTICS}counts/?site=THERE-2").json()

    # a site without a patient: hidden like every other one with few
    assert reply["rows"] == [
        {"n": None, "hidden_cells": 1, "reason": "population", "status": "hidden"}
    ]
    assert reply["meta"]["profile"] == "protected"


@pytest.mark.parametrize(
    ("address", "parameter", "nearest"),
    [
        ("counts/?counting=events", "counting", "patients"),
        ("counts/?group_by=drug,sex,age_band&indication=crps", "group_by", "keep one of"),
        ("counts/?group_by=complication,drug,sex", "group_by", "keep one of drug or sex"),
        ("counts/?site=THERE-2&drug=baclofen", "site", "site alone"),
        ("counts/?severity=3,4", "severity", "one value"),
        ("rates/?year_min=2007&year_max=2011", "year", "period"),
        ("rates/?complication=csf-leak&unit=refills", "unit", "procedures"),
        ("coverage/", "measure", "counts, rates"),
    ],
)
def test_finer_question_is_refused_and_the_nearest_named(cohort, address, parameter, nearest):
    call_command("freeze", "--release", "2026Q4")

    reply = client_of(cohort.researcher).get(STATISTICS + address)

    assert reply.status_code == 422
    assert reply.json()["code"] == "not-available-at-this-detail"
    (error,) = reply.json()["errors"]
    assert error["parameter"] == parameter
    assert nearest in error["detail"]


def test_researcher_is_answered_from_releases_only(cohort):
    researcher = client_of(cohort.researcher)
    unreleased = researcher.get(f"{STATISTICS}counts/")
    call_command("freeze", "--release", "2026Q4")

    released = researcher.get(f"{STATISTICS}counts/").json()

    assert unreleased.status_code == 409
    assert unreleased.json()["code"] == "no-snapshot"
    assert released["meta"]["profile"] == "protected"
    assert released["meta"]["snapshot"]["label"] == "2026Q4"
    assert released["meta"]["counting"] == "patients"


def test_researcher_sees_no_small_number_in_any_format(cohort):
    call_command("freeze", "--release", "2026Q4")
    researcher = client_of(cohort.researcher)
    address = "counts/?group_by=category"

    shown = {row["category"]: (row["n"], row["status"]) for row in rows(researcher, address)}
    text = researcher.get(f"{STATISTICS}{address}&format=csv").content.decode()

    # 34 patients with a catheter problem, none with one of the nerves (Taira 2013)
    assert shown["catheter"][1] == "ok"
    assert shown["neurological"] == (None, "suppressed")
    assert not any(n in (0, 1, 2, 3, 4) for n, _status in shown.values())
    assert "neurological,,1,,suppressed" in text


def test_stranger_is_asked_to_sign_in(cohort):
    for address in ("counts/", "rates/", "proportions/", "coverage/", "dimensions/"):
        reply = client_of(None).get(STATISTICS + address)
        assert reply.status_code == 401
        assert reply["WWW-Authenticate"] == "Token"


def test_stranger_is_answered_where_statistics_are_public(cohort, settings):
    settings.REGISTRY_PUBLIC_STATISTICS = True
    call_command("freeze", "--release", "2026Q4")

    reply = client_of(None).get(f"{STATISTICS}counts/")

    assert reply.status_code == 200
    assert reply.json()["meta"]["profile"] == "protected"
    assert reply["Cache-Control"] == "public, no-cache"


def test_auditor_is_told_what_is_missing(cohort):
    reply = client_of(cohort.auditor).get(f"{STATISTICS}counts/")

    assert reply.status_code == 403
    assert "right to ask" in reply.json()["detail"]


@pytest.mark.parametrize("scope", ["read-rows", "write-events"])
def test_token_without_the_scope_is_told_so(cohort, scope):
    reply = client_of(cohort.reviewer, scopes=(scope,)).get(f"{STATISTICS}counts/")

    assert reply.status_code == 403
    assert "read-statistics" in reply.json()["detail"]


def test_session_asks_like_a_token(cohort, client):
    client.force_login(cohort.reviewer, backend="django.contrib.auth.backends.ModelBackend")

    assert client.get(f"{STATISTICS}counts/").status_code == 200


@pytest.mark.parametrize("events", [10, 200])
def test_answer_takes_the_same_queries_however_large_the_registry(
    registry, as_reporter, events, django_assert_num_queries
):
    for _ in range(events):
        stored(registry.reporter)
    as_reporter.get(f"{STATISTICS}counts/?site=HERE-1")  # freezes

    with django_assert_num_queries(QUERIES_OF_AN_ANSWER):
        as_reporter.get(f"{STATISTICS}counts/?site=HERE-1&state=draft")


QUERIES_OF_AN_ANSWER = 5
"""The token, its user's roles and sites; the parameter's sites; the seals' last mark."""


def test_addresses_of_scripts_are_tried_before_those_of_pages():
    assert [str(each.pattern) for each in urlpatterns[:2]] == ["api/v1/", "fhir/"]


# What describes itself -------------------------------------------------------------------------


def test_dimensions_say_what_the_caller_may_use(cohort, reviewer):
    exact = {row["name"]: row for row in reviewer.get(f"{STATISTICS}dimensions/").json()["results"]}
    protected = {
        row["name"]: row
        for row in client_of(cohort.researcher).get(f"{STATISTICS}dimensions/").json()["results"]
    }

    assert exact["drug"]["filter"]
    assert exact["drug"]["group_by"]
    assert protected["drug"]["filter"]
    assert not protected["implant_year"]["filter"]
    assert protected["drug"]["protected"]["levels"] == ["drug", "drug_class", "all"]
    assert exact["drug"]["protected"] is not None
    assert {"id": "baclofen", "label": "Baclofen"} in exact["drug"]["values"]


@pytest.mark.parametrize(("days_left", "profile"), [(0, "exact"), (-1, "protected")])
def test_analyst_asks_exactly_while_the_agreement_holds(cohort, days_left, profile):
    call_command("freeze", "--release", "2026Q4")
    user = make_user("analyst", "analyst")
    last_day = timezone.now().date() + timedelta(days=days_left)
    with sealed(by=None, action="test") as seal:
        given = {"reference": "DUA-1", "purpose": "x", "decision": "granted"}
        seal.save(Agreement(user=user, expires_on=last_day, **given))

    reply = client_of(user).get(f"{STATISTICS}counts/?sex=female").json()

    exact = profile == "exact"
    rule = f"Under agreement DUA-1, until {last_day.day} {last_day:%B %Y}: nothing under 5 in print"
    assert reply["meta"].get("agreement") == (rule if exact else None)
    assert json.dumps(reply).count("nothing under 5 in print") == exact
    logged = AccessLog.objects.filter(action="exact-statistics", user=user)
    assert reply["meta"]["profile"] == profile
    assert logged.count() == (1 if profile == "exact" else 0)


def under_agreement(**given):
    """An analyst whose agreement holds for another week."""
    user = make_user("analyst", "analyst")
    AgreementFactory(user=user, expires_on=timezone.now().date() + timedelta(days=7), **given)
    return user


def test_csv_under_an_agreement_says_so_in_header_and_name(cohort):
    client = client_of(under_agreement(reference="DUA-7"))

    reply = client.get(f"{STATISTICS}counts/?format=csv")

    rule = reply["Registry-Agreement"]
    assert rule.startswith("Under agreement DUA-7, until ")
    assert rule.endswith(": nothing under 5 in print")
    assert "-under-agreement.csv" in reply["Content-Disposition"]
    assert b"agreement" not in reply.content


def test_answer_under_an_agreement_says_how_many_rows_stay_out_of_print(cohort):
    analyst = client_of(under_agreement())
    address = f"{STATISTICS}counts/?group_by=category"
    rows = analyst.get(address).json()["rows"]
    small = sum(0 < row["n"] < 5 for row in rows)

    first = analyst.get(address).json()["meta"]["warnings"][0]
    of_manager = client_of(cohort.manager).get(address).json()["meta"]["warnings"]

    assert small >= 2
    assert first.startswith(f"Not for print: {small} rows have a number from 1 to 4.")
    assert not any("Not for print" in said for said in of_manager)


def test_picture_under_an_agreement_says_so_once(cohort):
    client = client_of(under_agreement(reference="DUA-7"))

    reply = client.get(f"{STATISTICS}counts/?group_by=category&format=vega")

    assert reply.content.decode().count("nothing under 5 in print") == 1


@pytest.mark.parametrize("format", ["json", "csv", "vega"])
def test_data_managers_and_reviewers_keep_to_no_agreement(cohort, reviewer, registry, format):
    AgreementFactory(user=registry.manager, expires_on=timezone.now().date())

    for client in (reviewer, client_of(registry.manager)):
        reply = client.get(f"{STATISTICS}counts/?format={format}")
        assert reply.status_code == 200
        assert b"Under agreement" not in reply.content
        assert "Registry-Agreement" not in reply
        assert "under-agreement" not in reply.headers.get("Content-Disposition", "")


def test_member_reads_own_site_under_no_agreement(cohort):
    user = under_agreement()
    intake.add_member(Site.objects.get(code="TAIRA-A"), user=user, by=None)

    own, every = (
        client_of(user).get(f"{STATISTICS}counts/?{asked}").json()["meta"]
        for asked in ("site=TAIRA-A", "")
    )

    assert (own["profile"], every["profile"]) == ("exact", "exact")
    assert ("agreement" in own, "agreement" in every) == (False, True)


def test_tag_changes_with_the_agreement(cohort):
    user = under_agreement(reference="DUA-7")
    first = client_of(user).get(f"{STATISTICS}counts/")
    AgreementFactory(
        user=user, reference="DUA-8", expires_on=timezone.now().date() + timedelta(days=90)
    )

    again = client_of(user).get(f"{STATISTICS}counts/", headers={"If-None-Match": first["ETag"]})

    assert again.status_code == 200
    assert again.json()["meta"]["agreement"].startswith("Under agreement DUA-8, ")


def test_receipt_under_an_agreement_says_so_too(cohort):
    client = client_of(under_agreement(reference="DUA-7"))
    receipt = client.get(f"{STATISTICS}counts/").json()["meta"]["receipt"]

    again = client.get(f"{STATISTICS}receipts/{receipt}/").json()

    assert again["meta"]["agreement"].startswith("Under agreement DUA-7, ")
    assert again["meta"]["receipt"] == receipt
