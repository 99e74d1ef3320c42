"""A site's device time by year: what is missing, and what is given twice."""

from itertools import cycle, product

import duckdb
import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from registry.intake.device_years import device_time, flat
from registry.models import AccessLog, Exposure, Site, Snapshot
from registry.reporting.asking import freshness
from registry.snapshot.manifest import Manifest
from tests.factories import ExposureFactory, ImplantFactory, PatientFactory, SiteFactory

PAGE = "/admin/registry/exposure/by-year/"


@pytest.fixture
def patient(own_site):
    return PatientFactory(site=own_site)


def states(site, *, present=2020):
    """The state of each year's pump and catheter."""
    return {
        line[0].year: tuple(cell.state for cell in line)
        for line in device_time(site, present=present)
    }


def test_years_are_declared_given_by_implants_given_twice_or_missing(own_site, patient):
    ExposureFactory(site=own_site, year=2015)
    ExposureFactory(site=own_site, year=2016)
    ExposureFactory(site=own_site, year=2015, component="catheter")
    ImplantFactory(patient=patient, implant_year=2016, months_followed=18)

    assert states(own_site, present=2019) == {
        2019: ("open", "open"),
        2018: ("missing", "missing"),
        2017: ("implants", "missing"),
        2016: ("twice", "missing"),
        2015: ("declared", "declared"),
    }


def test_years_on_the_other_side_of_the_sites_word_do_not_count(own_site, patient):
    words = {"pump_implants_from": 2017, "catheter_implants_from": 2015}
    Site.objects.filter(pk=own_site.pk).update(**words)
    own_site.refresh_from_db()
    for year in (2015, 2016):
        ExposureFactory(site=own_site, year=year, component="catheter")
    ImplantFactory(patient=patient, implant_year=2015, months_followed=30)

    assert states(own_site, present=2019) == {
        2019: ("open", "open"),
        2018: ("missing", "missing"),
        2017: ("implants", "missing"),
        2016: ("uncounted", "uncounted"),
        2015: ("uncounted", "uncounted"),
    }
    without = [cell.year for cell in flat(device_time(own_site, present=2019)) if cell.is_without]
    assert sorted(without) == [2015, 2015, 2016, 2016, 2017, 2018, 2018]


def test_a_year_declared_with_and_without_models_may_count_a_device_twice(own_site):
    ExposureFactory(site=own_site, year=2015)
    ExposureFactory(site=own_site, year=2015, pump_model="prometra")
    ExposureFactory(site=own_site, year=2016, pump_model="prometra")
    ExposureFactory(site=own_site, year=2016, pump_model="synchromed-ii-20")

    pumps = {year: pump for year, (pump, _catheter) in states(own_site, present=2017).items()}
    assert pumps == {2017: "open", 2016: "declared", 2015: "overlapping"}


def test_a_site_with_nothing_on_file_has_to_say_something_of_last_year(own_site):
    assert states(own_site) == {2020: ("open", "open"), 2019: ("missing", "missing")}


def test_time_of_another_site_counts_for_nothing(own_site, other_site):
    ExposureFactory(site=other_site, year=2012)
    ImplantFactory(patient=PatientFactory(site=other_site), implant_year=2012)

    assert states(own_site) == {2020: ("open", "open"), 2019: ("missing", "missing")}


def test_an_implant_out_of_scope_gives_no_time(own_site, patient):
    ImplantFactory(patient=patient, implant_year=2018, exit_status="eligibility-not-met")

    assert states(own_site)[2019] == ("missing", "missing")


def test_the_page_and_the_statistics_agree_on_what_counts(db, tmp_path, settings):
    settings.REGISTRY_VAR = tmp_path
    sites = []
    for entry, followed in product((0, 5, 6, 17, 18), (0, 1, 6, 7, 18, 19, 30)):
        if entry <= followed:
            site = SiteFactory()
            sites.append(site)
            ImplantFactory(
                patient=PatientFactory(site=site),
                implant_year=2015,
                months_to_entry=entry,
                months_followed=followed,
            )
            for year in range(2014, 2020):
                ExposureFactory(site=site, year=year)
    for site, word in zip(sites, cycle((None, 2014, 2016, 2017, 2030)), strict=False):
        Site.objects.filter(pk=site.pk).update(pump_implants_from=word)
        site.refresh_from_db()

    call_command("freeze", verbosity=0)

    table = freshness.root() / Snapshot.objects.get().snapshot_id / "exposures.parquet"
    stored = duckdb.read_parquet(str(table)).filter("counts").project("site, year").fetchall()
    codes = Manifest.read(table.parent).codes["site"]
    counted = [(codes[site], year) for site, year in stored]
    declared = [
        (site.code, cell.year)
        for site in sites
        for cell in flat(device_time(site, present=2019))
        if cell.declared and cell.declared_counts
    ]
    assert len(sites) == 23
    assert sorted(declared) == sorted(counted)


def test_the_page_says_what_is_missing_and_leads_to_its_declaration(own_site, lead, signed_in):
    last = timezone.now().year - 1
    ExposureFactory(site=own_site, year=last - 1)
    client = signed_in(lead)

    text = client.get(PAGE).text

    assert "3 are missing" in text
    address = f"/admin/registry/exposure/add/?site=OWN-1&year={last}&component=pump"
    assert address.replace("&", "&amp;") in text
    form = client.get(address).context["adminform"].form
    assert (form["year"].value(), form["component"].value()) == (str(last), "pump")
    assert form["devices"].value() is None


def test_what_is_given_twice_is_told(own_site, patient, lead, signed_in):
    ExposureFactory(site=own_site, year=2012)
    ExposureFactory(site=own_site, year=2012, component="catheter")
    ImplantFactory(patient=patient, implant_year=2012)

    text = signed_in(lead).get(PAGE).text

    assert "1 is given twice" in text
    assert "Given twice: what was declared counts" in text
    assert "Pumps: implants count from 2013 on, after the last declared year" in text
    assert "Catheters: implants count from" not in text


@pytest.mark.parametrize("who", ["lead", "manager"])
def test_the_page_takes_the_sites_word(who, own_site, patient, request, signed_in):
    ExposureFactory(site=own_site, year=2012)
    ImplantFactory(patient=patient, implant_year=2012)
    client = signed_in(request.getfixturevalue(who))

    answer = client.post(f"{PAGE}?site=OWN-1", {"pump": "2012", "catheter": ""}, follow=True)

    own_site.refresh_from_db()
    assert (own_site.pump_implants_from, own_site.catheter_implants_from) == (2012, None)
    assert "Given twice: only the implants count" in answer.text
    assert "Pumps: implants count from 2012 on, by the site" in answer.text
    assert answer.context["form"]["pump"].value() == 2012


def test_a_year_that_is_none_is_refused_beside_its_field(own_site, lead, signed_in):
    answer = signed_in(lead).post(f"{PAGE}?site=OWN-1", {"pump": "12", "catheter": "2015"})

    own_site.refresh_from_db()
    assert own_site.catheter_implants_from is None
    assert answer.context["form"].errors.keys() == {"pump"}


@pytest.mark.parametrize("who", ["reporter", "reviewer"])
def test_others_say_nothing_for_a_site(who, own_site, request, signed_in):
    client = signed_in(request.getfixturevalue(who))

    assert client.post(f"{PAGE}?site=OWN-1", {"pump": "2012"}).status_code == 403
    assert "From which year on" not in client.get(PAGE, {"site": "OWN-1"}).text


@pytest.mark.parametrize(
    ("word", "year", "component", "said"),
    [
        (None, "2012", "pump", "1 of the site"),
        (None, "2012", "catheter", ""),
        (None, "2011", "pump", ""),
        (2012, "2012", "pump", "this declaration of 2012 is not counted"),
        (2013, "2012", "pump", ""),
    ],
)
def test_device_time_that_will_not_count_is_told(
    word, year, component, said, own_site, patient, lead, signed_in
):
    Site.objects.filter(pk=own_site.pk).update(pump_implants_from=word)
    ImplantFactory(patient=patient, implant_year=2012, months_followed=24)
    ImplantFactory(patient=PatientFactory(), implant_year=2010)
    sent = {"site": "OWN-1", "year": year, "component": component}

    answer = signed_in(lead).post(
        "/admin/registry/exposure/add/",
        {**sent, "devices": "2", "component_months": "20"},
        follow=True,
    )

    assert Exposure.objects.count() == 1
    warned = "is not counted" in answer.text
    assert warned == bool(said)
    assert said in answer.text


def test_a_reporter_reads_and_is_led_to_no_declaration(own_site, reporter, signed_in):
    answer = signed_in(reporter).get(PAGE)

    assert answer.status_code == 200
    assert "2 are missing" in answer.text
    assert "/admin/registry/exposure/add/" not in answer.text


@pytest.mark.parametrize("site", ["OTHER-2", "NOWHERE"])
def test_another_site_is_not_found(site, own_site, other_site, reporter, signed_in):
    assert signed_in(reporter).get(PAGE, {"site": site}).status_code == 404


def test_who_reads_many_sites_chooses_one(own_site, other_site, reviewer, signed_in):
    client = signed_in(reviewer)

    assert client.get(PAGE).context["codes"] == ["OTHER-2", "OWN-1"]
    assert "missing" in client.get(PAGE, {"site": "OTHER-2"}).text


def test_an_auditor_and_a_stranger_see_no_device_time(own_site, auditor, signed_in, client):
    assert signed_in(auditor).get(PAGE).status_code == 403
    assert client.get(PAGE).status_code == 302


def test_a_look_is_logged_in_numbers(own_site, reporter, signed_in):
    ExposureFactory(site=own_site, year=2012)

    signed_in(reporter).get(PAGE)

    assert list(AccessLog.objects.values_list("what", "count")) == [("exposure by year", 1)]


def test_the_page_takes_as_many_queries_for_many_rows(own_site, patient, reporter, signed_in):
    client = signed_in(reporter)

    def queries():
        with CaptureQueriesContext(connection) as queries:
            client.get(PAGE)
        return len(queries)

    queries()  # the first request of a session notes its time
    few = queries()
    for n in range(8):
        ExposureFactory(site=own_site, year=2010 + n)
        ImplantFactory(patient=patient, implant_year=2010 + n, months_followed=12 + n)

    queries()  # what is kept of the site is worked out again, once
    assert queries() == few
