"""The dashboard: rates as a table, in words, for whoever may ask."""

import pytest
from django.core.management import call_command

from registry.dashboard.statistics import shown, written
from registry.models import Role
from registry.records import Column
from tests.factories import (
    CategoryFactory,
    ComplicationFactory,
    EventFactory,
    ImplantFactory,
    PatientFactory,
    SiteFactory,
    UserFactory,
)

BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture
def site(db):
    return SiteFactory(code="OWN-1")


@pytest.fixture
def followed(site):
    """Twelve catheters followed for 60 months each; two migrated at month 12."""
    CategoryFactory(code="catheter", name="Catheter problem")
    migration = ComplicationFactory(name="Catheter migration")
    implants = [
        ImplantFactory(patient=PatientFactory(site=site), catheter=True, drug="morphine")
        for _ in range(12)
    ]
    for implant in implants[:2]:
        EventFactory(implant=implant, complication=migration)
    return implants


@pytest.fixture
def released(followed):
    call_command("freeze", release="2026Q4", verbosity=0)


@pytest.fixture
def as_role(client):
    def signed_in(*roles, sites=()):
        client.force_login(UserFactory(roles=roles, sites=sites), backend=BACKEND)
        return client

    return signed_in


def cells_of(answer):
    """The body of the table as text."""
    return [[cell.text for cell in row] for row in answer.context["table"]["rows"]]


def test_strangers_are_led_to_sign_in_and_back(client, released):
    answer = client.get("/dashboard/?group_by=year")

    assert answer["Location"] == "/login/?next=/dashboard/%3Fgroup_by%3Dyear"


def test_strangers_read_public_statistics(client, released, settings):
    settings.REGISTRY_PUBLIC_STATISTICS = True

    assert client.get("/dashboard/").status_code == 200


def test_rates_stand_by_category_with_interval_exposure_and_unit(as_role, released):
    answer = as_role(Role.REVIEWER).get("/dashboard/")

    # 2 events in 10 x 60 + 2 x 12 = 624 catheter-months, time ending at the first event;
    # 2 / 624 x 1000 = 3.21; Garwood (1936) for 2 events: 0.2422 to 7.2247
    assert cells_of(answer) == [
        [
            "Catheter problem",
            "2",
            "624",
            "3.21",
            "0.388 to 11.6",
            "Catheter-months",
            "Unstable",
        ]
    ]
    headings = [column["title"] for column in answer.context["table"]["columns"]]
    assert headings == [
        "Complication category",
        "Events",
        "Exposure",
        "Rate",
        "Interval",
        "Divided by",
        "Status",
    ]


def test_the_caption_says_how_to_read_the_numbers(as_role, released):
    caption = " ".join(as_role(Role.REVIEWER).get("/dashboard/").context["table"]["caption"])

    for words in (
        "Each device's first event",
        "per 1,000",
        "95 %",
        "Garwood",
        "Data as of",
        "Exact numbers",
    ):
        assert words in caption


def test_a_release_is_named_in_the_caption(as_role, released):
    answer = as_role(Role.RESEARCHER).get("/dashboard/")

    assert "release 2026Q4" in " ".join(answer.context["table"]["caption"])
    assert "Protected numbers" in " ".join(answer.context["table"]["caption"])


def test_a_hidden_cell_says_that_it_is_suppressed_and_why(as_role, released):
    answer = as_role(Role.RESEARCHER).get("/dashboard/")

    [[name, events, exposure, rate, interval, _unit, status]] = cells_of(answer)
    assert (name, events, exposure, rate, interval, status) == (
        "Catheter problem",
        *["Suppressed"] * 5,
    )
    assert "Hidden because few people are behind it." in answer.text
    assert "624" not in answer.text


def test_the_address_is_the_question(as_role, released):
    client = as_role(Role.REVIEWER)

    answer = client.get("/dashboard/?drug=baclofen&group_by=category")

    assert cells_of(answer) == []
    assert "No event and no device time answers this question." in answer.text
    assert answer.context["asked_words"] == [("Drug", "baclofen")]


def test_boxes_that_were_left_empty_ask_nothing(as_role, released):
    client = as_role(Role.REVIEWER)

    answer = client.get("/dashboard/?drug=&year_min=&group_by=category&unit=&release=")

    assert answer.status_code == 200
    assert len(cells_of(answer)) == 1


def test_the_same_by_api_has_the_same_numbers(as_role, released):
    client = as_role(Role.REVIEWER)
    page = client.get("/dashboard/?group_by=complication&complication=catheter-migration")

    [row] = client.get(page.context["api_address"]).json()["rows"]
    table = client.get(page.context["csv_address"]).text.splitlines()

    assert (row["complication"], row["events"], row["exposure"]) == ("Catheter migration", 2, 624)
    assert cells_of(page)[0][:3] == ["Catheter migration", "2", "624"]
    assert table[0].startswith("complication,events,exposure,rate")


def test_a_question_that_cannot_be_read_is_explained(as_role, released):
    answer = as_role(Role.REVIEWER).get("/dashboard/?severty=3")

    assert answer.status_code == 400
    assert "This question cannot be read" in answer.text
    assert "severity" in answer.text
    assert "table" not in answer.context


def test_a_wrong_value_is_not_echoed(as_role, released):
    answer = as_role(Role.REVIEWER).get("/dashboard/?drug=zzqzz")

    assert answer.status_code == 400
    assert "zzqzz" not in answer.text


def test_a_question_beyond_the_profile_is_explained_with_the_way_on(as_role, released):
    answer = as_role(Role.RESEARCHER).get("/dashboard/?drug=baclofen")

    assert answer.status_code == 403
    assert "Your account may not ask this" in answer.text
    assert "data-use agreement" in answer.text


def test_an_auditor_is_told_that_statistics_are_not_for_him(as_role, released):
    answer = as_role(Role.AUDITOR).get("/dashboard/")

    assert answer.status_code == 403
    assert "table" not in answer.context
    assert 'name="category"' not in answer.text


def test_without_a_release_a_researcher_is_told_so(as_role, followed):
    answer = as_role(Role.RESEARCHER).get("/dashboard/")

    assert answer.status_code == 409
    assert "nothing published to count yet" in answer.text


def test_a_member_asks_exact_rates_of_the_own_site(as_role, released, site):
    client = as_role(Role.SITE_STAFF, sites=[site])

    [row] = cells_of(client.get("/dashboard/?site=OWN-1"))
    assert row[1:3] == ["2", "624"]
    [row] = cells_of(client.get("/dashboard/"))
    assert row[1] == "Suppressed"


def test_a_member_is_offered_only_own_sites(as_role, released, site):
    SiteFactory(code="OTHER-2")

    html = as_role(Role.SITE_STAFF, sites=[site]).get("/dashboard/").text

    assert "OWN-1" in html
    assert "OTHER-2" not in html


def test_a_researcher_is_offered_only_what_may_be_asked(as_role, released):
    form = as_role(Role.RESEARCHER).get("/dashboard/").context["form"]

    assert [field.name for field in form.first] == ["category"]
    assert {name for name, _title, _chosen in form.groups} == {"category", "year"}


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (26935.0, "26,935"), (26935.24, "26,935.2"), (2.413, "2.41"), (0.00987, "0.00987")],
)
def test_numbers_are_written_for_readers(value, text):
    assert written(value) == text


def test_a_hidden_limit_hides_the_whole_interval():
    row = {"ci_lower": None, "ci_upper": None, "status": "suppressed"}

    cell = shown(row, Column("ci_lower", "number", "interval"))

    assert (cell.text, cell.hidden) == ("Suppressed", True)
