"""The table to explore with: any measure, up to three groupings, in words."""

import re
from html import unescape
from pathlib import Path

import pytest
from django.core.management import call_command

from registry.models import PublishedRate, sealed
from registry.vocabulary import Measure, Role
from tests.factories import EventFactory, ImplantFactory, PatientFactory, SiteFactory, UserFactory

SAMPLES = Path(__file__).parent.parent / "samples"
TAIRA = "category=catheter&site=TAIRA-A,TAIRA-B,TAIRA-C,TAIRA-D"


def cells_of(answer):
    """The body of the table as text."""
    return [[cell.text for cell in row] for row in answer.context["table"].rows]


def answered_of(answer):
    [side] = answer.context["sides"]
    return side.reply.answered


def headings_of(answer):
    return [title for title, _number in answer.context["table"].columns]


def test_strangers_are_led_to_sign_in_and_back(client, released):
    answer = client.get("/dashboard/explore/?group_by=year")

    assert answer["Location"] == "/login/?next=/dashboard/explore/%3Fgroup_by%3Dyear"


def test_strangers_explore_public_statistics(client, released, settings):
    settings.REGISTRY_PUBLIC_STATISTICS = True

    assert client.get("/dashboard/explore/").status_code == 200


def test_a_published_cohort_gives_its_published_proportion(as_role, db):
    """34 of 400 patients had a catheter problem: Taira et al., Neuromodulation 2013;16:266."""
    call_command("load_catalogue", verbosity=0)
    UserFactory(username="manager", roles=[Role.DATA_MANAGER])
    call_command(
        "import_csv",
        by="manager",
        accept=True,
        implants=SAMPLES / "taira-2013-implants.csv",
        events=SAMPLES / "taira-2013-events.csv",
        verbosity=0,
    )

    answer = as_role(Role.DATA_MANAGER).get(f"/dashboard/explore/?measure=proportions&{TAIRA}")

    assert headings_of(answer) == ["With an event, of all", "Proportion", "Interval", "Status"]
    assert cells_of(answer) == [["34 of 400", "8.5 %", "6.15 to 11.64 %", "Shown"]]
    for words in ("34 of 400", "8.5 %", "6.15 to 11.64 %"):
        assert words in answer.text


def test_without_a_question_rates_stand_by_category(as_role, released):
    answer = as_role(Role.REVIEWER).get("/dashboard/explore/")

    # 2 events in 10 x 60 + 2 x 12 = 624 catheter-months, time ending at the first event;
    # 2 / 624 x 1000 = 3.21; Garwood (1936) for 2 events: 0.2422 to 7.2247
    assert headings_of(answer) == [
        "Complication category",
        "Events",
        "Exposure",
        "Rate",
        "Interval",
        "Divided by",
        "Status",
    ]
    assert cells_of(answer) == [
        ["Catheter problem", "2", "624", "3.21", "0.388 to 11.6", "Catheter-months", "Unstable"]
    ]


def test_without_a_grouping_there_is_one_row_as_in_the_api(as_role, released):
    answer = as_role(Role.REVIEWER).get("/dashboard/explore/?measure=counts")

    assert headings_of(answer) == ["Events", "Status"]
    assert cells_of(answer) == [["2", "Shown"]]


def test_rows_are_made_of_up_to_three_dimensions(as_role, released):
    answer = as_role(Role.REVIEWER).get(
        "/dashboard/explore/?measure=proportions&group_by=drug&group_by=sex&group_by=&group_by=site"
    )

    assert headings_of(answer)[:3] == ["Drug", "Sex", "Site"]
    assert cells_of(answer)[0][:4] == ["Morphine", "Male", "OWN-1", "2 of 12"]
    chosen = [
        [name for name, _title, picked, _why in offered if picked]
        for _id, _title, _nothing, offered in answer.context["form"].groups
    ]
    assert chosen == [["drug"], ["sex"], ["site"]]


def test_four_dimensions_are_refused(as_role, released):
    answer = as_role(Role.REVIEWER).get("/dashboard/explore/?group_by=drug,sex,site,year")

    assert answer.status_code == 400
    assert "at most 3" in answer.text


def test_an_unknown_measure_is_refused_with_those_there_are(as_role, released):
    answer = as_role(Role.REVIEWER).get("/dashboard/explore/?measure=zzqzz")

    assert answer.status_code == 400
    assert "Choose one of counts, rates, proportions" in answer.text
    assert "zzqzz" not in answer.text


def test_the_address_is_the_question(as_role, released):
    answer = as_role(Role.REVIEWER).get("/dashboard/explore/?drug=baclofen&group_by=category")

    assert cells_of(answer) == []
    assert "No event and no device time answers this question." in answer.text
    assert answer.context["question_words"] == [("Drug", "Baclofen")]


def test_boxes_that_were_left_empty_ask_nothing(as_role, released):
    answer = as_role(Role.REVIEWER).get(
        "/dashboard/explore/?measure=rates&drug=&year_min=&group_by=category&unit=&release="
    )

    assert answer.status_code == 200
    assert len(cells_of(answer)) == 1


@pytest.mark.parametrize("measure", ["rates", "counts", "proportions"])
def test_the_same_by_api_has_the_same_numbers(measure, as_role, released):
    client = as_role(Role.REVIEWER)
    params = f"measure={measure}&group_by=complication,site&complication=catheter-migration"
    page = client.get(f"/dashboard/explore/?{params}")

    files = dict(answered_of(page).files)
    [row] = client.get(files["JSON"]).json()["rows"]
    table = client.get(files["CSV"]).text.splitlines()

    assert (row["complication"], row["site"]) == ("catheter-migration", "OWN-1")
    assert row["complication_label"] == "Catheter migration"
    assert cells_of(page)[0][0] == "Catheter migration"
    counted = row.get("n", row.get("events", row.get("numerator")))
    assert cells_of(page)[0][2].split(" of ")[0] == str(counted) == "2"
    assert len(table) == 2
    assert table[0].startswith("complication,complication_label,site,")


def test_a_question_that_cannot_be_read_is_explained(as_role, released):
    answer = as_role(Role.REVIEWER).get("/dashboard/explore/?severty=3")

    assert answer.status_code == 400
    assert "This question cannot be read" in answer.text
    assert "severity" in answer.text
    assert answer.context["sides"] == []


def test_a_wrong_value_is_not_echoed(as_role, released):
    answer = as_role(Role.REVIEWER).get("/dashboard/explore/?drug=zzqzz")

    assert answer.status_code == 400
    assert "zzqzz" not in answer.text


def test_a_question_beyond_the_profile_is_explained_with_the_way_on(as_role, released):
    answer = as_role(Role.RESEARCHER).get("/dashboard/explore/?severity=3,4")

    assert answer.status_code == 422
    assert "This level of detail is not available" in answer.text
    assert "ask for one value or all of them" in answer.text


def test_an_auditor_is_told_that_statistics_are_not_for_him(as_role, released):
    answer = as_role(Role.AUDITOR).get("/dashboard/explore/")

    assert answer.status_code == 403
    assert answered_of(answer) is None
    assert 'name="category"' not in answer.text


def test_without_a_release_a_researcher_is_told_so(as_role, followed):
    answer = as_role(Role.RESEARCHER).get("/dashboard/explore/")

    assert answer.status_code == 409
    assert "No data are published yet" in answer.text


def test_a_hidden_cell_has_its_reason(as_role, released):
    answer = as_role(Role.RESEARCHER).get("/dashboard/explore/")

    [cells] = cells_of(answer)
    assert cells[:2] == ["Catheter problem", "hidden"]  # twelve catheters: too few to count in
    assert cells[2:5] == ["hidden"] * 3
    assert cells[-1] == "Hidden: too few patients or devices"
    assert "&lt;11" not in answer.text
    assert "Hidden does not mean none" in answer.text
    assert "A changed count under 11 is hidden, zeros too" in answer.text
    assert "624" not in answer.text


def test_a_member_asks_exact_rates_of_the_own_site(as_role, released, site):
    client = as_role(Role.SITE_STAFF, sites=[site])

    [row] = cells_of(client.get("/dashboard/explore/?site=OWN-1&group_by=category"))
    assert row[1:3] == ["2", "624"]
    [row] = cells_of(client.get("/dashboard/explore/"))
    assert row[1] == "hidden"


def test_a_member_is_offered_the_own_site_to_choose(as_role, released, site):
    form = as_role(Role.SITE_STAFF, sites=[site]).get("/dashboard/explore/").context["form"]

    [sites] = [field.field.choices for field in form.first if field.name == "site"]
    assert [value for value, _label in sites] == ["OTHER-1", "OTHER-2", "OWN-1"]


def test_the_same_question_is_one_step_away_in_every_other_measure(as_role, released):
    client = as_role(Role.DATA_MANAGER)

    answer = client.get("/dashboard/explore/?measure=survival&category=catheter&ci=plain")
    found = re.search(r'<nav class="measures.*?</nav>', answer.text, re.DOTALL)[0]
    links = re.findall(r'href="([^"]*)"( aria-current="page")?>([^<]*)</a>', found)

    assert [label for _, here, label in links if here] == ["Survival"]
    assert len(links) == len(Measure)
    for href, here, _ in links:
        assert "category=catheter" in href
        assert ("ci=plain" in href) == bool(here)
        assert client.get(unescape(href)).status_code == 200


def test_a_question_that_cannot_be_read_is_not_passed_on(as_role, released):
    answer = as_role(Role.DATA_MANAGER).get("/dashboard/explore/?severity=ghastly")

    assert 'class="measures' not in answer.text


def test_a_researcher_is_offered_only_what_may_be_asked(as_role, released):
    form = as_role(Role.RESEARCHER).get("/dashboard/explore/").context["form"]

    assert {field.name for field in form.first} >= {"category", "complication", "site"}
    groups = {name for name, _title, _chosen, _why in form.groups[0][3]}
    assert groups >= {"category", "year", "window", "drug"}
    assert not groups & {"implant_year", "detection", "state"}


def test_the_page_takes_as_many_queries_however_much_there_is(
    as_role, released, django_assert_num_queries
):
    client = as_role(Role.REVIEWER)
    address = "/dashboard/explore/?group_by=site"
    client.get(address)
    with django_assert_num_queries(11):
        client.get(address)

    for _ in range(3):
        implant = ImplantFactory(patient=PatientFactory(site=SiteFactory()), catheter=True)
        EventFactory(implant=implant)
    client.get(address)
    with django_assert_num_queries(11):
        assert len(cells_of(client.get(address))) == 4


def test_the_literature_stands_beside_ours_where_measure_and_unit_agree(as_role, followed):
    with sealed(by=None, action="load-catalogue") as seal:
        seal.save(
            PublishedRate(
                rate_id="R004",
                complication_id="catheter-migration",
                metric="migration",
                measure_type="proportion",
                numerator=25,
                denominator=400,
                unit="patients",
                reported_rate="6.3%",
                population="severe spasticity, Japan",
                source="Taira et al, Neuromodulation 2013;16:266",
                confidence="seen",
                shown=True,
            )
        )
    client = as_role(Role.REVIEWER)

    shares = client.get("/dashboard/explore/?measure=proportions&group_by=complication")
    rates = client.get("/dashboard/explore/?measure=rates&group_by=complication")

    [beside] = answered_of(shares).literature
    assert (beside.complication, beside.value) == ("Catheter migration", "6.25 %")
    assert "Taira et al" in shares.text
    assert answered_of(rates).literature == []
