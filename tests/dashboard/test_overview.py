"""The overview: totals, core groups, trend and categories, each as far as its reader may know."""

import re

import pytest
from django.core.management import call_command

from registry import reporting
from registry.models import PublishedRate, sealed
from registry.records import Fault, NotAvailableAtThisDetail
from registry.vocabulary import Role
from tests.factories import (
    CategoryFactory,
    ComplicationFactory,
    EventFactory,
    ImplantFactory,
    PatientFactory,
)

POCKET, SEPSIS = "infection-pocket", "infection-sepsis"


@pytest.fixture
def infections(followed, site):
    """Two of the same patients have pumps, with infections of the pocket and with sepsis."""
    category = CategoryFactory(
        code="infection", name="Infection", natural_denominator="procedures", sort_order=1
    )
    for implant, code in zip(followed, (POCKET, SEPSIS), strict=False):
        term = ComplicationFactory(
            code=code,
            category=category,
            clock="pump",
            natural_denominator="procedures",
            core_group="infection",
        )
        pump = ImplantFactory(patient=implant.patient, drug="morphine")
        EventFactory(implant=pump, complication=term, months_since_implant=1, year=2010)
        EventFactory(implant=pump, complication=term, months_since_implant=2, year=2010)
    ComplicationFactory(code="other-infection", category=category, clock="pump")
    return category


@pytest.fixture
def published(followed):
    def publish(**columns):
        with sealed(by=None, action="load-catalogue") as seal:
            seal.save(
                PublishedRate(
                    **{
                        "rate_id": "R004",
                        "complication_id": "catheter-migration",
                        "metric": "migration",
                        "measure_type": "proportion",
                        "numerator": 25,
                        "denominator": 400,
                        "unit": "patients",
                        "reported_rate": "6.3%",
                        "population": "severe spasticity, Japan",
                        "source": "Taira et al, Neuromodulation 2013;16:266",
                        **columns,
                    }
                )
            )

    return publish


@pytest.fixture
def questions(monkeypatch):
    """Every question that a page puts to the door out."""
    questions = []
    answer = reporting.answer

    def noted(query, **how):
        questions.append((how["measure"].value, query))
        return answer(query, **how)

    monkeypatch.setattr(reporting, "answer", noted)
    return questions


def totals_of(answer):
    return {total.title: (total.number, total.note) for total in answer.context["totals"]}


def core_of(answer):
    return {row.name: row for row in answer.context["core"]}


def test_strangers_are_led_to_sign_in_and_back(client, released):
    answer = client.get("/dashboard/?category=catheter")

    assert answer["Location"] == "/login/?next=/dashboard/%3Fcategory%3Dcatheter"


def test_strangers_read_public_statistics(client, released, settings):
    settings.REGISTRY_PUBLIC_STATISTICS = True

    answer = client.get("/dashboard/")

    assert answer.status_code == 200
    assert "Protected numbers" in answer.text


def test_a_question_for_a_table_goes_to_the_page_to_explore(as_role, released):
    answer = as_role(Role.REVIEWER).get("/dashboard/?group_by=year,drug&category=catheter")

    assert answer["Location"] == "/dashboard/explore/?group_by=year,drug&category=catheter"


def test_totals_say_how_much_there_is(as_role, released):
    totals = totals_of(as_role(Role.REVIEWER).get("/dashboard/"))

    assert totals == {
        "Sites": ("1", "1 with device time"),
        "Patients": ("12", "with a pump or a catheter"),
        "Implants": ("12", "12 catheters"),
        "Device-years": ("60", "60 of catheters"),  # 12 x 60 months, events or not
        "Events": ("2", "accepted; without consequences and near misses"),
        "Share with an event": ("16.67 %", "4.7 to 44.8 % of patients"),  # 2 of 12, Wilson
    }


def test_device_years_do_not_depend_on_what_is_asked_of_events(as_role, infections):
    client = as_role(Role.REVIEWER)

    everything = totals_of(client.get("/dashboard/"))["Device-years"]
    severe = totals_of(client.get("/dashboard/?category=infection&severity=4"))["Device-years"]

    assert everything == severe == ("70", "10 of pumps and 60 of catheters")


def test_a_protected_reader_gets_no_total_of_sites_and_implants(as_role, released):
    answer = as_role(Role.RESEARCHER).get("/dashboard/")

    totals = totals_of(answer)
    assert "Not available here: sites, patients, implants, device-years" in answer.text
    assert totals["Sites"][0] == "not available"
    assert totals["Implants"][0] == "not available"
    assert totals["Device-years"][0] == "not available"  # rates end it at first events
    assert "Patients with an event" in totals


def test_a_core_group_has_its_rate_and_its_share_of_patients(as_role, released):
    row = core_of(as_role(Role.REVIEWER).get("/dashboard/"))["Catheter dislodgement"]

    # 2 first events in 624 catheter-months; 2 of 12 patients
    assert (row.rate.value, row.rate.limits) == ("3.21", "0.388 to 11.6")
    assert (row.rate.counts, row.rate.unit) == ("2 in 624", "per 1,000 catheter-months")
    assert row.rate.remark == "unstable"
    assert (row.share.value, row.share.counts) == ("16.67 %", "2 of 12")
    assert row.address == "/dashboard/explore/?complication=catheter-migration"


def test_a_group_of_several_counts_each_patient_once_for_all_of_them(as_role, infections):
    row = core_of(as_role(Role.REVIEWER).get("/dashboard/"))["Infection"]

    assert row.share.counts == "2 of 2"
    assert row.rate.unit == "per 1,000 procedures"
    assert row.note == ""
    assert row.address == f"/dashboard/explore/?complication={POCKET},{SEPSIS}"


def test_protected_readers_get_the_whole_category_for_a_group_of_several(as_role, infections):
    call_command("freeze", release="2026Q4", verbosity=0)

    row = core_of(as_role(Role.RESEARCHER).get("/dashboard/"))["Infection"]

    assert row.note == "the whole category infection"
    assert row.share.value == "hidden"
    assert row.address == "/dashboard/explore/?category=infection"


def test_core_groups_outside_the_question_are_left_out(as_role, infections):
    client = as_role(Role.REVIEWER)

    assert list(core_of(client.get("/dashboard/"))) == ["Infection", "Catheter dislodgement"]
    assert list(core_of(client.get("/dashboard/?category=infection"))) == ["Infection"]
    assert list(core_of(client.get(f"/dashboard/?complication={SEPSIS}"))) == ["Infection"]


def test_published_figures_stand_beside_ours_with_source_and_population(
    as_role, released, published
):
    published()

    answer = as_role(Role.REVIEWER).get("/dashboard/")

    [figure] = core_of(answer)["Catheter dislodgement"].published
    assert (figure.value_words, figure.counts) == ("6.25 %", "25 of 400 patients")
    assert "Taira et al 2013: severe spasticity, Japan" in answer.text


@pytest.mark.parametrize("unlike", [{"unit": "procedures"}, {"shown": False}])
def test_unlike_or_withheld_figures_do_not_stand_beside_ours(unlike, as_role, released, published):
    published(**unlike)

    answer = as_role(Role.REVIEWER).get("/dashboard/")

    assert core_of(answer)["Catheter dislodgement"].published == []
    assert "Taira" not in answer.text


def test_published_figures_do_not_stand_beside_some_events_only(as_role, released, published):
    published()

    answer = as_role(Role.REVIEWER).get("/dashboard/?severity=2")

    assert core_of(answer)["Catheter dislodgement"].published == []


def test_the_trend_has_the_same_numbers_as_picture_and_as_table(as_role, released):
    answer = as_role(Role.REVIEWER).get("/dashboard/")

    trend = answer.context["trend"]
    years = {each.year: (each.events, each.value) for each in trend.years}
    assert years[2011] == ("2", str(years[2011][1]))
    assert trend.unit == "per 1,000 pump-months" or trend.unit == "per 1,000 catheter-months"
    drawn = {mark.label for mark in trend.picture.marks} if trend.picture else set()
    assert drawn <= {str(year) for year in years}


def test_the_picture_is_described_and_has_neither_script_nor_style(as_role, released):
    html = as_role(Role.REVIEWER).get("/dashboard/?category=catheter").text

    [svg] = re.findall(r"<svg.*?</svg>", html, flags=re.DOTALL)
    assert re.search(r'<title id="trend-title">[^<]+</title>', svg)
    assert re.search(r'<desc id="trend-desc">From 20\d\d to 20\d\d: lowest', svg)
    assert 'aria-labelledby="trend-title trend-desc"' in svg
    assert "style=" not in svg


def test_infections_by_year_are_divided_by_procedures(as_role, infections):
    answer = as_role(Role.REVIEWER).get("/dashboard/?category=infection")

    assert answer.context["trend"].unit == "per 1,000 procedures"


def test_every_category_is_there_with_its_own_denominator(as_role, released):
    table = as_role(Role.REVIEWER).get("/dashboard/").context["table"]

    assert [[cell.text for cell in row] for row in table.rows] == [
        ["Catheter problem", "2", "624", "3.21", "0.388 to 11.6", "Catheter-months", "Unstable"]
    ]


def test_the_same_by_api_has_the_same_numbers(as_role, released):
    client = as_role(Role.REVIEWER)
    page = client.get("/dashboard/?drug=morphine")

    [row] = client.get(page.context["api_address"]).json()["rows"]

    assert page.context["api_address"] == (
        "/api/v1/statistics/rates/?drug=morphine&group_by=category"
    )
    assert (row["category"], row["events"], row["exposure"]) == ("catheter", 2, 624)


def test_the_page_says_what_its_numbers_cannot_tell(as_role, released):
    html = as_role(Role.REVIEWER).get("/dashboard/").text

    for words in (
        "What was not reported",
        "denominator",
        "does not show its cause",
        "do not rank them",
    ):
        assert words in html


def test_a_panel_that_is_refused_says_so_in_its_place(as_role, released, monkeypatch):
    answer = reporting.answer

    def no_years(query, **how):
        if query.group_by == ("year",):
            fault = Fault("year", "not-available-at-this-detail", "ask for a five-year period")
            raise NotAvailableAtThisDetail(fault)
        return answer(query, **how)

    monkeypatch.setattr(reporting, "answer", no_years)

    page = as_role(Role.REVIEWER).get("/dashboard/")

    assert page.status_code == 200
    assert "This level of detail is not available" in page.text
    assert "ask for a five-year period" in page.text
    assert "<svg" not in page.text
    assert page.context["table"].rows


def test_a_page_without_any_answer_says_why_once(as_role, followed):
    answer = as_role(Role.RESEARCHER).get("/dashboard/")

    assert answer.status_code == 409
    assert answer.text.count("No data are published yet") == 1


def test_an_auditor_is_told_that_statistics_are_not_for_him(as_role, released):
    answer = as_role(Role.AUDITOR).get("/dashboard/")

    assert answer.status_code == 403
    assert 'name="category"' not in answer.text


def test_a_question_that_cannot_be_read_is_explained(as_role, released):
    answer = as_role(Role.REVIEWER).get("/dashboard/?severity=9")

    assert answer.status_code == 400
    assert "This question cannot be read" in answer.text


def test_nothing_hidden_is_shown_as_zero(as_role, released):
    answer = as_role(Role.RESEARCHER).get("/dashboard/?category=catheter")

    row = core_of(answer)["Catheter dislodgement"]
    assert (row.share.value, row.share.hidden) == ("hidden", True)
    assert totals_of(answer)["Patients with an event"][0] == "hidden"
    assert "hidden: too few patients or devices" in answer.text
    assert "&lt;11" not in answer.text
    assert "624" not in answer.text


def test_a_member_is_led_to_exact_numbers_of_the_own_site(as_role, released, site):
    client = as_role(Role.SITE_STAFF, sites=[site])

    assert 'href="/dashboard/?site=OWN-1"' in client.get("/dashboard/").text
    own = client.get("/dashboard/?site=OWN-1")
    assert totals_of(own)["Events"][0] == "2"


def test_as_many_questions_and_queries_whatever_the_registry_holds(
    as_role, infections, questions, django_assert_num_queries
):
    client = as_role(Role.REVIEWER)
    client.get("/dashboard/")
    questions.clear()
    with django_assert_num_queries(31):
        client.get("/dashboard/")
    assert len(questions) == 10  # eight, and two for the infections together

    for number in range(3):
        term = ComplicationFactory(code=f"catheter-other-{number}")
        implant = ImplantFactory(patient=PatientFactory(), catheter=True)
        EventFactory(implant=implant, complication=term)
    client.get("/dashboard/")
    questions.clear()
    with django_assert_num_queries(31):
        client.get("/dashboard/")
    assert len(questions) == 10
