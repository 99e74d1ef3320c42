"""The page on completeness: whom it serves, and what it tells of a site."""

import pytest
from django.core.management import call_command

from registry import intake, reporting
from registry.models import AccessLog
from registry.records import NotPermitted, Viewer
from tests.factories import (
    EventFactory,
    ExposureFactory,
    ImplantFactory,
    PatientFactory,
)

PAGE = "/admin/completeness/"


@pytest.fixture
def rows(own_site, other_site, tmp_path, settings):
    settings.REGISTRY_VAR = tmp_path
    call_command("load_catalogue", verbosity=0)
    patient = PatientFactory(site=own_site)
    pump = ImplantFactory(patient=patient, implant_year=2015, months_followed=24)
    ImplantFactory(
        patient=PatientFactory(site=own_site),
        implant_year=2015,
        months_followed=6,
        exit_status="lost-to-follow-up",
    )
    EventFactory(implant=pump, months_since_implant=8, year=2016, severity=None)
    ExposureFactory(site=other_site, year=2018, devices=20, component_months=240)


@pytest.mark.parametrize("who", ["reporter", "reviewer", "auditor"])
def test_it_is_for_leads_and_data_managers(who, request, signed_in, rows):
    assert signed_in(request.getfixturevalue(who)).get(PAGE).status_code == 403


def test_a_lead_sees_the_own_site_alone(lead, signed_in, rows, own_site, other_site):
    reply = signed_in(lead).get(PAGE)

    assert [each["code"] for each in reply.context["sites"]] == [own_site.code]
    assert other_site.code not in reply.content.decode()
    assert signed_in(lead).get(f"{PAGE}?site={other_site.code}").status_code == 404


def test_a_data_manager_sees_all_sites_and_is_logged(
    manager, signed_in, rows, own_site, other_site
):
    before = AccessLog.objects.count()

    reply = signed_in(manager).get(PAGE)

    assert {each["code"] for each in reply.context["sites"]} == {own_site.code, other_site.code}
    assert AccessLog.objects.count() == before + 1
    assert AccessLog.objects.latest("pk").what.startswith("completeness ")


def test_a_site_is_told_by_component_and_year(lead, signed_in, rows):
    (site,) = signed_in(lead).get(PAGE).context["sites"]

    pumps = site["components"][0]
    assert (pumps["devices"], pumps["in_follow_up"], pumps["lost"]) == (2, "50 %", 1)
    years = {each["year"]: each for each in site["years"]}
    assert years[2015]["months"][0] == "12 months, 100 % of those possible"
    assert years[2016]["months"][0] == "12 months, 50 % of those possible"
    assert years[2016]["events"] == 1
    assert years[2016]["blanks"][0] == "100 %"
    assert not years[2016]["undivided"]


def test_declared_time_and_the_day_of_the_round_are_told(
    manager, signed_in, rows, own_site, other_site
):
    reply = signed_in(manager).get(f"{PAGE}?site={other_site.code}")

    (site,) = reply.context["sites"]
    assert (site["years"][0]["year"], site["closed_on"]) == (2018, "")
    assert "240 months declared" in site["years"][0]["months"]
    intake.close_round(other_site.code, by=manager)
    (site,) = signed_in(manager).get(f"{PAGE}?site={other_site.code}").context["sites"]
    assert site["closed_on"]


def test_events_of_a_year_without_device_time_are_marked(lead, signed_in, rows, own_site):
    EventFactory(site=own_site, year=2019)

    (site,) = signed_in(lead).get(PAGE).context["sites"]

    assert [each["year"] for each in site["years"] if each["undivided"]] == [2019]


def test_the_start_page_leads_there_who_may_open_it(lead, reporter, signed_in, rows):
    assert PAGE in signed_in(lead).get("/admin/").content.decode()
    assert PAGE not in signed_in(reporter).get("/admin/").content.decode()


def test_nobody_asks_for_the_completeness_of_another_site(rows, other_site):
    with pytest.raises(NotPermitted):
        reporting.completeness_by_site([other_site.code], viewer=Viewer(exact_sites=frozenset()))
