"""The overview: finding, totals, ranking, years and categories, as far as its reader may know."""

import pytest

from registry import reporting
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
    assert "sites, patients, implants, device-years</dd>" in answer.text
    assert totals["Sites"][0] == "not available"
    assert totals["Implants"][0] == "not available"
    assert totals["Device-years"][0] == "not available"  # rates end it at first events
    assert "Patients with an event" in totals


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
        if query.group_by == ("category", "year"):
            fault = Fault("year", "not-available-at-this-detail", "ask for a five-year period")
            raise NotAvailableAtThisDetail(fault)
        return answer(query, **how)

    monkeypatch.setattr(reporting, "answer", no_years)

    page = as_role(Role.REVIEWER).get("/dashboard/")

    assert page.status_code == 200
    assert "This level of detail is not available" in page.text
    assert "ask for a five-year period" in page.text
    assert page.context["multiples"] is None
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

    ranking = answer.context["ranking"]
    assert ranking.groups == []
    [(why, [(name, _address)])] = ranking.hidden
    assert (why, name) == ("Hidden: too few patients or devices", "Catheter migration")
    assert answer.context["headline"].startswith("No complication is told here")
    assert totals_of(answer)["Patients with an event"][0] == "hidden"
    assert "Hidden: too few patients or devices" in answer.text
    assert "&lt;11" not in answer.text
    assert "624" not in answer.text


def test_a_member_is_led_to_exact_numbers_of_the_own_site(as_role, released, site):
    client = as_role(Role.SITE_STAFF, sites=[site])

    assert 'href="/dashboard/?site=OWN-1"' in client.get("/dashboard/").text
    own = client.get("/dashboard/?site=OWN-1")
    assert totals_of(own)["Events"][0] == "2"


def test_complications_from_few_events_are_told_and_not_ranked(as_role, released):
    ranking = as_role(Role.REVIEWER).get("/dashboard/").context["ranking"]

    # 2 first events in 624 catheter-months, divided by pump-months: nobody has a pump here
    assert ranking.unit.code == "pump-years"
    own = as_role(Role.REVIEWER).get("/dashboard/?ranked_per=device-years").context["ranking"]
    [row] = own.unstable
    assert own.groups == []
    assert (row.name, row.address) == ("Catheter migration", "/complications/catheter-migration/")
    # 2 / 624 x 1,200 = 3.85; Garwood (1936) for 2 events: 0.2422 to 7.2247
    assert (row.figure.value, row.figure.limits) == ("3.85", "0.466 to 13.9")


def test_a_unit_is_chosen_and_kept_by_the_form(as_role, released):
    answer = as_role(Role.REVIEWER).get("/dashboard/?ranked_per=patients&category=catheter")

    [row] = answer.context["ranking"].apart + answer.context["ranking"].groups[0].rows
    assert (row.figure.value, row.figure.limits) == ("16.67 %", "4.7 to 44.8 %")  # 2 of 12, Wilson
    assert '<input type="hidden" name="ranked_per" value="patients">' in answer.text
    assert answer.context["panels"].last is None  # shares grow with time


def test_a_unit_that_there_is_not_is_refused_with_those_there_are(as_role, released):
    answer = as_role(Role.REVIEWER).get("/dashboard/?ranked_per=zzqzz")

    assert answer.status_code == 400
    assert "Choose one of pump-years, device-years, patients" in answer.text
    assert "zzqzz" not in answer.context["refusal"].faults[0].detail


def test_a_protected_reader_cannot_have_pump_years_and_is_told_why(as_role, released):
    answer = as_role(Role.RESEARCHER).get("/dashboard/?ranked_per=pump-years")

    assert answer.context["panels"].unit.code == "device-years"
    assert [label for label, address, _chosen in answer.context["units"] if not address] == [
        "Per 100 pump-years"
    ]
    assert "Protected numbers have one denominator each" in answer.text


def test_a_member_sees_the_own_site_beside_all(as_role, released, site):
    answer = as_role(Role.SITE_STAFF, sites=[site]).get("/dashboard/?ranked_per=patients")

    panels, own = answer.context["panels"], answer.context["own_site"]
    assert panels.own.is_exact
    assert not panels.ranked.is_exact
    assert panels.own.rows[0]["numerator"] == 2
    [said] = own.said
    assert said.startswith("OWN-1: hidden: ")
    assert said.endswith("Hidden does not mean none.")
    assert "16.67" not in answer.context["headline"]


def test_nobody_else_has_an_own_site_beside_all(as_role, released, site):
    for roles in ([Role.RESEARCHER], [Role.REVIEWER]):
        answer = as_role(*roles).get("/dashboard/")
        assert (answer.context["panels"].own, answer.context["own_site"]) == (None, None)
    named = as_role(Role.SITE_STAFF, sites=[site]).get("/dashboard/?site=OWN-1")
    assert named.context["own_site"] is None


def test_as_many_questions_and_queries_whatever_the_registry_holds(
    as_role, infections, questions, django_assert_num_queries
):
    client = as_role(Role.REVIEWER)
    client.get("/dashboard/")
    questions.clear()
    with django_assert_num_queries(32):
        client.get("/dashboard/")
    assert len(questions) == 11

    for number in range(3):
        term = ComplicationFactory(code=f"catheter-other-{number}")
        implant = ImplantFactory(patient=PatientFactory(), catheter=True)
        EventFactory(implant=implant, complication=term)
    client.get("/dashboard/")
    questions.clear()
    with django_assert_num_queries(32):
        client.get("/dashboard/")
    assert len(questions) == 11
