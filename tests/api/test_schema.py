"""The API's own description, and its pages."""

import io
import re

import jsonschema
import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.management import call_command
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from registry.api.urls import urlpatterns
from registry.records import DIMENSIONS
from registry.reporting import MEASURES
from tests.api.conftest import client_of


@pytest.fixture(scope="module")
def schema():
    return SchemaGenerator().get_schema(request=None, public=True)


def test_schema_is_valid_openapi_3_1_and_gives_no_warning():
    out = io.StringIO()

    call_command("spectacular", "--validate", "--fail-on-warn", stdout=out)

    assert "openapi: 3.1.0" in out.getvalue()


def test_schema_is_open_to_all(client, db, schema):
    reply = client.get("/api/v1/schema/", {"format": "json"})

    assert reply.status_code == 200
    document = reply.json()
    assert document["openapi"] == "3.1.0"
    assert document["paths"].keys() == schema["paths"].keys()  # which is validated above


@pytest.mark.parametrize("format", ["json", "yaml"])
def test_schema_is_written_once_for_all(client, db, format, monkeypatch):
    first = client.get("/api/v1/schema/", {"format": format})
    monkeypatch.setattr(SchemaGenerator, "get_schema", None)  # would fail where it is asked again

    again = client.get("/api/v1/schema/", {"format": format})

    assert again.content == first.content
    assert f'.{format}"' in again.headers["Content-Disposition"]
    assert again.headers["Content-Type"].startswith("application/vnd.oai.openapi")


def test_schema_refuses_parameters_that_nothing_reads(client, db):
    reply = client.get("/api/v1/schema/", {"formt": "json"})

    assert reply.status_code == 400
    assert reply.json()["code"] == "unknown-parameter"


def test_schema_describes_every_address(schema):
    described = {path.removeprefix("/api/v1/") for path in schema["paths"]}
    named = {
        re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", str(pattern.pattern))
        for pattern in urlpatterns
        if pattern.name not in (None, "schema", "docs")
    }

    assert described == named


def test_every_operation_says_how_it_refuses(schema):
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            replies = operation["responses"]
            assert any(status.startswith("2") for status in replies), (path, method)
            assert {"401", "429"} <= set(replies), (path, method)
            for status, reply in replies.items():
                if status.startswith(("4", "5")):
                    assert list(reply["content"]) == ["application/problem+json"], (path, status)


@pytest.mark.parametrize("rows", ["patients", "implants", "exposures", "events", "queries"])
def test_row_says_that_it_is_not_sent_again_to_who_has_it(schema, rows):
    assert "304" in schema["paths"][f"/api/v1/{rows}/{{public_id}}/"]["get"]["responses"]


def test_every_filter_is_described_wherever_it_works(schema):
    for path in ("/api/v1/events/", "/api/v1/statistics/counts/", "/api/v1/statistics/rates/"):
        described = {each["name"] for each in schema["paths"][path]["get"]["parameters"]}
        assert set(DIMENSIONS) <= described


@pytest.mark.parametrize("name", ["pump_model", "catheter_model"])
def test_filter_by_model_says_how_lists_and_statistics_differ(schema, name):
    [filter_] = [
        parameter
        for parameter in schema["paths"]["/api/v1/events/"]["get"]["parameters"]
        if parameter["name"] == name
    ]

    assert "in statistics of those that were in place with this" in filter_["description"]
    assert "in the list of events of all that the patient ever had" in filter_["description"]


def test_reports_in_the_examples_are_reports_that_are_taken(schema, registry, as_reporter):
    content = schema["paths"]["/api/v1/events/"]["post"]["requestBody"]["content"]
    (example,) = content["application/json"]["examples"].values()

    reply = as_reporter.post(
        "/api/v1/events/", example["value"] | {"site": "HERE-1"}, format="json"
    )

    assert reply.status_code == 201
    stored_fields = reply.json()
    shown = schema["paths"]["/api/v1/events/"]["post"]["responses"]["201"]["content"]
    (answered,) = shown["application/json"]["examples"].values()
    same = set(answered["value"]) - {"id", "seal", "site"}
    assert {name: stored_fields[name] for name in same} == {
        name: answered["value"][name] for name in same
    }
    assert set(stored_fields) == set(answered["value"])


# Bodies and answers ----------------------------------------------------------------------------


def body_of(operation, media_type="application/json"):
    """The schema of a request's body, of one row where it is a list."""
    sent = operation["requestBody"]["content"][media_type]["schema"]
    return sent.get("items", sent)


def test_words_of_a_search_are_described_as_they_are_taken(schema):
    parameters = schema["paths"]["/api/v1/complications/"]["get"]["parameters"]
    (words,) = (each["schema"] for each in parameters if each["name"] == "q")

    assert words["maxLength"] == 100
    assert re.search(words["pattern"], "Überdosis, \N{GREEK SMALL LETTER MU}g") is not None
    assert re.search(words["pattern"], "a\x02b") is None


def test_every_choice_of_a_question_may_be_left_empty(schema, as_reporter):
    choices = [
        (path, parameter["name"])
        for path, methods in schema["paths"].items()
        for parameter in methods.get("get", {}).get("parameters", ())
        if parameter["in"] == "query" and "enum" in parameter["schema"]
        if parameter["schema"]["type"] == "string"
        if "" not in parameter["schema"]["enum"]
    ]

    assert choices == []
    assert as_reporter.get("/api/v1/events/?format=&fields=").status_code == 200


def test_every_body_is_closed(schema):
    closed = 0
    for methods in schema["paths"].values():
        for operation in methods.values():
            if "application/json" in operation.get("requestBody", {}).get("content", {}):
                name = body_of(operation)["$ref"].rpartition("/")[2]
                assert schema["components"]["schemas"][name]["additionalProperties"] is False
                closed += 1

    assert closed >= 14


@pytest.mark.parametrize(
    ("field", "value", "taken"),
    [
        ("severity", 5, True),
        ("severity", 6, False),
        ("severity", "3", False),
        ("severity", "", False),
        ("severity", True, False),
        ("severity", None, True),
        ("month", 13, False),
        ("year", 1979, False),
        ("months_since_implant", 1_200, True),
        ("months_since_implant", 1_201, False),
        ("seriousness", ["none"], True),
        ("seriousness", [], True),
        ("seriousness", "", True),
        ("seriousness", "none", False),
        ("seriousness", ["grave"], False),
        ("outcome", "", True),
        ("outcome", "zebra", False),
        ("outcome", 3, False),
        ("source_id", 12, False),
        ("source_id", "a b", False),
        ("source_id", "", True),
        ("site", None, False),
        ("component_model", "ascenda", True),
        ("component_model", "zebra", False),
        ("colour", "red", False),
    ],
)
def test_body_is_taken_where_the_schema_says_so(field, value, taken, schema, as_reporter):
    body = {"site": "HERE-1", "complication": "infection-pocket", field: value}
    name = body_of(schema["paths"]["/api/v1/events/"]["post"])["$ref"].rpartition("/")[2]

    reply = as_reporter.post("/api/v1/events/", body, format="json")

    assert validator(schema, name).is_valid(body) == taken
    assert reply.status_code == (201 if taken else 400), reply.content


def validator(schema, name):
    """Validates by a component of the schema."""
    described = {"$ref": f"#/components/schemas/{name}", "components": schema["components"]}
    return jsonschema.Draft202012Validator(described)


def test_headers_of_replies_are_described_as_they_are_sent(schema, as_reporter):
    known = set(schema["components"]["headers"])
    body = {"site": "HERE-1", "complication": "infection-pocket"}
    made = as_reporter.post(
        "/api/v1/events/", body, format="json", headers={"Idempotency-Key": "k-1"}
    )
    asked = {
        ("post", "/api/v1/events/"): made,
        ("get", "/api/v1/events/{public_id}/"): as_reporter.get(made["Location"]),
        ("get", "/api/v1/events/"): as_reporter.get("/api/v1/events/"),
        ("get", "/api/v1/categories/"): as_reporter.get("/api/v1/categories/"),
        ("get", "/api/v1/complications.csv"): as_reporter.get("/api/v1/complications.csv"),
        ("get", "/api/v1/implants/"): as_reporter.get("/api/v1/implants/?format=csv"),
        ("get", "/api/v1/patients/"): APIClient().get("/api/v1/patients/"),
        ("post", "/api/v1/events/{public_id}/submit/"): as_reporter.post(
            f"{made['Location']}submit/"
        ),
    }

    for (method, path), reply in asked.items():
        described = schema["paths"][path][method]["responses"][str(reply.status_code)]
        assert set(described.get("headers", {})) >= known & set(reply.headers), path


def test_headers_that_pages_of_other_origins_may_read_are_described(schema):
    assert set(settings.CORS_EXPOSE_HEADERS) <= set(schema["components"]["headers"])

    named = {
        name
        for methods in schema["paths"].values()
        for operation in methods.values()
        for reply in operation["responses"].values()
        for name in reply["headers"]
    }
    assert named == set(schema["components"]["headers"])


def test_new_row_leads_to_the_operations_of_it(schema, as_reporter):
    made = schema["paths"]["/api/v1/events/"]["post"]["responses"]["201"]
    known = {
        operation["operationId"]: path
        for path, methods in schema["paths"].items()
        for operation in methods.values()
    }

    assert {known[link["operationId"]] for link in made["links"].values()} >= {
        "/api/v1/events/{public_id}/",
        "/api/v1/events/{public_id}/submit/",
        "/api/v1/events/{public_id}/history/",
    }
    assert {tuple(link["parameters"].items()) for link in made["links"].values()} == {
        (("public_id", "$response.body#/id"),)
    }


@pytest.mark.usefixtures("own_folder")
def test_answer_of_every_measure_is_of_its_own_type(schema, cohort):
    call_command("freeze", "--release", "2026Q4")
    asked = 0

    for user in (cohort.reviewer, cohort.researcher):
        client = client_of(user)
        for measure, spec in MEASURES.items():
            path = f"/api/v1/statistics/{measure.value}/"
            replies = schema["paths"][path]["get"]["responses"]["200"]["content"]
            name = replies["application/json"]["schema"]["$ref"].rpartition("/")[2]
            row = schema["components"]["schemas"][f"{measure.value.title()}Row"]
            for question in questions_of(spec):
                reply = client.get(path, question)
                if reply.status_code == 200:
                    body = reply.json()
                    faults = [each.message for each in validator(schema, name).iter_errors(body)]
                    assert faults == [], (path, question)
                    assert {column["name"] for column in body["columns"]} <= set(row["properties"])
                    assert set(row["required"]) <= {column["name"] for column in body["columns"]}
                    asked += bool(body["rows"])

    assert asked >= 60


def questions_of(spec):
    """Questions that give a measure every kind of row."""
    yield {}
    yield {"category": "catheter", "labels": "both"}
    for counting in spec.counting:
        yield {"counting": counting.value}
    for name in () if spec.has_own_rows else ("complication", "year", "severity", "drug"):
        for labels in ("code", "label"):
            yield {"group_by": name, "labels": labels, "category": "catheter"}
    if "standardise" in spec.takes:
        yield {"standardise": "sex", "category": "catheter"}


# The pages -------------------------------------------------------------------------------------


def test_docs_are_open_and_need_no_other_host(client, db):
    reply = client.get("/api/v1/docs/")

    assert reply.status_code == 200
    page = reply.content.decode()
    sources = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(sources) >= 4
    assert all(source.startswith("/") for source in sources)


def test_docs_run_no_inline_script(client, db):
    page = client.get("/api/v1/docs/").content.decode()

    for script in re.findall(r"<script[^>]*>(.*?)</script>", page, re.DOTALL):
        assert script.strip() == ""


def test_docs_have_a_policy_of_their_own_without_another_host(client, db):
    policy = client.get("/api/v1/docs/")["Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))

    assert rules["script-src"] == "'self'"
    assert rules["connect-src"] == "'self'"
    assert rules["default-src"] == "'none'"
    assert "http" not in policy


def test_docs_start_from_a_script_of_this_server(client, db):
    reply = client.get("/api/v1/docs/?script=")

    assert reply["Content-Type"].startswith("application/javascript")
    script = reply.content.decode()
    assert 'url: "/api/v1/schema/"' in script
    assert '"validatorUrl": null' in script


def test_docs_repeat_nothing_that_was_asked(client, db):
    reply = client.get("/api/v1/docs/?cursor=zebulon")

    assert (reply.status_code, reply["Content-Type"]) == (400, "application/problem+json")
    assert "zebulon" not in reply.content.decode()


def test_docs_answer_options_as_every_other_method_that_they_have_not(client, db):
    reply = client.options("/api/v1/docs/")

    assert (reply.status_code, reply["Content-Type"]) == (405, "application/problem+json")


def test_files_of_the_docs_are_on_this_server(client, db):
    page = client.get("/api/v1/docs/").content.decode()

    for source in re.findall(r'"/static/([^"?]+)"', page):
        assert finders.find(source), source


def test_measures_offer_the_clusters_that_they_take(schema):
    for measure, spec in MEASURES.items():
        path = schema["paths"][f"/api/v1/statistics/{measure.value}/"]["get"]
        offered = [each["schema"] for each in path["parameters"] if each["name"] == "cluster"]
        expected = ["patient", "site"] if "cluster" in spec.takes else None
        assert [sorted({*each["enum"]} - {""}) for each in offered] == (
            [expected] if expected else []
        )
