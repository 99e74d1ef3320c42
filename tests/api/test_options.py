"""Every measure asked with every option: it changes the answer, or is refused by name."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import Client, RequestFactory, override_settings
from drf_spectacular.generators import SchemaGenerator

from registry import intake, reporting
from registry.answers import answered
from registry.answers.sides import page_of
from registry.models import User
from registry.models.append_only import lift_append_only_triggers
from registry.records import RowKind
from registry.reporting import MEASURES
from registry.vocabulary import Measure
from tests.api.conftest import SAMPLES, client_of, make_user

pytestmark = pytest.mark.django_db

OPTIONS = {
    "unit": "procedures",
    "per": "100",
    "level": "0.99",
    "ci": "plain",
    "standardise": "age_band",
    "adjust": "age_band",
    "reference": "female",
    "cluster": "site",
    "effect": "revision-surgery",
}
TAKEN_BY = {
    f"{name}={value}": {each.value for each, spec in MEASURES.items() if name in spec.takes}
    for name, value in OPTIONS.items()
}
"""Which measures take each option that some do not; docs/methods.md has the list."""

EVERY = {"group_by", "counting", "release", "labels", "ordering"}
SHOWN_BY_META = {
    ("per=100", "funnel"),
    ("cluster=site", "comparison"),
    ("cluster=site", "rates"),
    ("cluster=site", "survival"),
    ("cluster=site", "incidence"),
    ("adjust=age_band", "survival"),
    ("adjust=age_band", "trend"),
    ("effect=revision-surgery", "cascades"),
}
"""Options that change no row: a ratio has no unit, the rate that it is held against has one; where
there are few sites limits are robust to patients anyway."""

GROUPED = {
    Measure.SIGNALS: {"group_by": "pump_model,category"},
    Measure.COMPARISON: {"group_by": "sex"},
}
WITHHELD = {measure.value for measure, spec in MEASURES.items() if not spec.published}
PUBLISHED_OTHERWISE = {
    ("unit=procedures", "rates"),
    ("unit=procedures", "funnel"),
    ("unit=procedures", "trend"),
    ("ci=plain", "survival"),
    ("standardise=age_band", "funnel"),
    ("standardise=age_band", "rates"),
    ("unit=procedures", "comparison"),
    ("adjust=age_band", "comparison"),
    ("adjust=age_band", "survival"),
    ("adjust=age_band", "trend"),
    ("cluster=site", "comparison"),
    ("cluster=site", "rates"),
    ("cluster=site", "survival"),
    ("cluster=site", "incidence"),
}
"""What protected answers have none of, or of their own rows' denominator only."""


@pytest.fixture(scope="module")
def published(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[None]:
    """The cohort of Taira et al. (2013) and a release of it, shared by all that only read."""
    folder = tmp_path_factory.mktemp("registry")
    with django_db_blocker.unblock(), override_settings(REGISTRY_VAR=folder):
        cache.clear()
        intake.load_catalogue()
        manager = make_user("manager", "data manager")
        make_user("reviewer", "reviewer")
        make_user("researcher", "researcher")
        files = {
            RowKind.IMPLANT: SAMPLES / "taira-2013-implants.csv",
            RowKind.EVENT: SAMPLES / "taira-2013-events.csv",
        }
        intake.import_records(files, by=manager, accept=True)
        call_command("freeze", release="2026Q4", verbosity=0)
        yield
        cache.clear()
        lift_append_only_triggers(connection)
        call_command("flush", interactive=False, verbosity=0)


@pytest.fixture(params=["reviewer", "researcher"])
def name(request, published) -> str:
    """Whoever asks: one is answered exact numbers, the other protected ones."""
    return str(request.param)


def reply_of(name: str, measure: Measure, **options: str) -> Any:
    client = client_of(User.objects.get(username=name))
    pairs = GROUPED.get(measure, {})
    question = {"category": "catheter", **pairs, **options}
    return client.get(f"/api/v1/statistics/{measure.value}/", question)


def said(reply: Any, *, meta: bool) -> str:
    """The rows of an answer, or with them what it says of itself, without its receipt."""
    body = reply.json()
    kept = {name: told for name, told in body["meta"].items() if name != "receipt"}
    return json.dumps([body["rows"], body["columns"], kept if meta else {}])


@pytest.fixture(scope="module")
def said_without() -> dict[tuple[str, Measure, bool], str]:
    """What each measure answers each without an option, once it was asked."""
    return {}


@pytest.mark.parametrize("measure", Measure)
@pytest.mark.parametrize("option", TAKEN_BY)
def test_option_changes_the_answer_or_is_refused(option, measure, name, said_without):
    option_name, _is, value = option.partition("=")

    reply = reply_of(name, measure, **{option_name: value})

    if measure.value not in TAKEN_BY[option]:
        assert reply.status_code == 400
        (error,) = reply.json()["errors"]
        assert (error["parameter"], error["code"]) == (option_name, "option-not-taken")
        assert all(each in error["detail"] for each in TAKEN_BY[option])
        return
    is_protected = name == "researcher"
    if is_protected and (measure.value in WITHHELD or (option, measure) in PUBLISHED_OTHERWISE):
        assert reply.status_code == 422
        return
    assert reply.status_code == 200
    meta = is_protected or (option, measure) in SHOWN_BY_META
    plain = name, measure, meta
    if plain not in said_without:
        said_without[plain] = said(reply_of(name, measure), meta=meta)
    assert said(reply, meta=meta) != said_without[plain]


@pytest.mark.parametrize("measure", Measure)
@pytest.mark.parametrize("option", TAKEN_BY)
def test_page_refuses_what_the_api_refuses(option, measure, name, monkeypatch):
    user = User.objects.get(username=name)
    pairs = "".join(f"&{name}={value}" for name, value in GROUPED.get(measure, {}).items())
    address = f"/dashboard/explore/?measure={measure.value}&category=catheter&{option}{pairs}"

    if measure.value in TAKEN_BY[option]:
        # Whether the page answers is asked; its tables and pictures are for other tests.
        monkeypatch.setattr(answered, "answered", lambda release, question, absolute: release)
        request = RequestFactory().get(address)
        request.user = user
        page = page_of(request, reporting.viewer_of(user), beside=False)
        assert page["status"] != 400
        assert "refusal" not in page
        return
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(address)
    assert page.status_code == 400
    assert "leave it out" in page.text
    assert "It is an option of" in page.text


@pytest.mark.parametrize("measure", Measure)
def test_labels_ordering_and_release_are_for_every_measure(measure, name):
    if name == "researcher" and measure.value in WITHHELD:
        return
    grouped = {"group_by": "sex"} if MEASURES[measure].places is None else {}
    plain = reply_of(name, measure, **grouped)
    names = {column["name"] for column in plain.json()["columns"]}

    labelled = reply_of(name, measure, labels="both", **grouped).json()
    first = labelled["columns"][0]["name"]
    turned = reply_of(name, measure, ordering=f"-{first}", **grouped).json()["rows"]
    named = reply_of(name, measure, release="2026Q4", **grouped).json()

    assert {column["name"] for column in labelled["columns"]} > names
    assert [row[first] for row in turned] == [row[first] for row in reversed(plain.json()["rows"])]
    assert named["meta"]["snapshot"]["label"] == "2026Q4"
    assert reply_of(name, measure, release="2026Q3", **grouped).status_code in {400, 404, 409}


@pytest.mark.parametrize("measure", Measure)
@pytest.mark.parametrize("format", ["json", "csv", "svg", "png", "vega"])
def test_every_measure_has_every_format(format, measure, published):
    reply = reply_of("reviewer", measure, format=format)

    kinds = {"json": "json", "csv": "text/csv", "svg": "svg", "png": "png", "vega": "vegalite"}
    assert reply.status_code == 200
    assert kinds[format] in reply["Content-Type"]


@pytest.mark.parametrize("page", ["/dashboard/", "/dashboard/explore/"])
def test_page_has_no_format(page, published):
    client = Client()
    client.force_login(
        User.objects.get(username="reviewer"), backend="django.contrib.auth.backends.ModelBackend"
    )

    answer = client.get(f"{page}?format=csv", follow=True)

    assert answer.status_code == 400
    assert "leave format out" in answer.text


@pytest.fixture(scope="module")
def paths() -> Any:
    return SchemaGenerator().get_schema(request=None, public=True)["paths"]


@pytest.mark.parametrize("measure", Measure)
def test_schema_documents_the_options_that_a_measure_takes_and_no_other(measure, paths):
    operation = paths[f"/api/v1/statistics/{measure.value}/"]["get"]

    options = EVERY | {option.partition("=")[0] for option in TAKEN_BY}
    documented = {each["name"]: each for each in operation["parameters"]}
    taken = {option.partition("=")[0] for option, by in TAKEN_BY.items() if measure.value in by}
    assert options & set(documented) == EVERY | taken
    assert not set(MEASURES[measure].not_filtered_by) & set(documented)
    curve = measure in {Measure.SURVIVAL, Measure.INCIDENCE, Measure.BURDEN}
    assert ("year" in documented) == ("window" in documented) == (not curve)
    counting = {rule.value for rule in MEASURES[measure].counting}
    assert set(documented["counting"]["schema"]["enum"]) == counting | {
        ""
    }  # an empty choice is none


def test_methods_list_the_options_of_each_measure():
    text = (Path(__file__).parent.parent.parent / "docs" / "methods.md").read_text()

    for measure, options in MEASURES.items():
        taken = ", ".join(f"`{name}`" for name in options.options if name not in EVERY)
        counting = ", ".join(f"`{rule.value}`" for rule in options.counting)
        row = " | ".join(filter(None, [measure.value, taken])) + ("" if taken else " |")
        assert f"| {row} | {counting} |" in text
