"""The admin's statistics page: own site beside all sites, for whoever works with rows."""

import re

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.utils import timezone

from registry.models import AccessLog
from registry.vocabulary import Role
from tests.factories import (
    AgreementFactory,
    CategoryFactory,
    ComplicationFactory,
    EventFactory,
    ImplantFactory,
    PatientFactory,
    SiteFactory,
    UserFactory,
)

PAGE = "/admin/statistics/"


@pytest.fixture
def released(own_site, other_site, tmp_path, settings):
    """Twelve catheters at the own site, two of which migrated, one elsewhere; a release of them."""
    settings.REGISTRY_VAR = tmp_path
    cache.clear()
    SiteFactory()  # the third hand that protected answers need
    CategoryFactory(code="catheter", name="Catheter problem")
    migration = ComplicationFactory(name="Catheter migration", core_group="catheter dislodgement")
    for number in range(13):
        site = own_site if number < 12 else other_site
        implant = ImplantFactory(patient=PatientFactory(site=site), catheter=True, drug="morphine")
        if number < 2:
            EventFactory(implant=implant, complication=migration)
    call_command("freeze", release="2026Q4", verbosity=0)


def sides(answer):
    return {side.title: side.reply for side in answer.context["sides"]}


def texts(reply):
    return [[cell.text for cell in row] for row in reply.answered.table.rows]


def test_a_member_sees_the_own_site_exactly_beside_all_sites_protected(
    released, reporter, signed_in
):
    answer = signed_in(reporter).get(PAGE)

    own, everybody = sides(answer)["Your site"], sides(answer)["All sites"]
    assert own.answered.is_exact
    assert texts(own)[0][1:3] == ["2", "624"]
    assert not everybody.answered.is_exact
    assert texts(everybody)[0][1:3] == ["hidden", "hidden"]
    assert "The two answers differ in kind." in answer.text
    assert "does not judge your site" in answer.text


def test_the_own_side_is_of_the_day_and_the_other_of_the_release(
    released, reporter, own_site, signed_in
):
    client = signed_in(reporter)
    implant = ImplantFactory(patient=PatientFactory(site=own_site), catheter=True)
    EventFactory(implant=implant)

    found = sides(client.get(f"{PAGE}?measure=counts"))

    assert texts(found["Your site"])[0][0] == "3"
    assert "release 2026Q4" in " ".join(found["All sites"].answered.table.caption)


def test_a_member_who_names_another_site_has_one_protected_answer(released, reporter, signed_in):
    answer = signed_in(reporter).get(f"{PAGE}?site=OTHER-2&group_by=category")

    [side] = answer.context["sides"]
    assert side.title == ""
    assert not side.reply.answered.is_exact
    assert answer.context["why_two"] == ""


def test_what_is_not_published_is_answered_on_the_own_side_alone(released, reporter, signed_in):
    answer = signed_in(reporter).get(f"{PAGE}?measure=counts&severity=3&outcome=recovered")

    found = sides(answer)
    assert answer.status_code == 200
    assert found["Your site"].answered is not None
    assert found["All sites"].refused.status == 422
    assert "measure=counts" in found["All sites"].instead[0].params
    assert "What can be asked instead" in answer.text


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.DATA_MANAGER])
def test_whoever_sees_all_rows_has_one_exact_answer_that_is_logged(role, released, signed_in):
    user = UserFactory(roles=[role])

    answer = signed_in(user).get(f"{PAGE}?measure=counts")

    [side] = answer.context["sides"]
    assert texts(side.reply) == [["2", "Shown"]]
    assert AccessLog.objects.get(action="exact-statistics").user == user


def test_an_analyst_has_the_page_while_the_agreement_lasts(released, signed_in):
    analyst = UserFactory(roles=[Role.ANALYST], is_staff=False)
    assert signed_in(analyst).get(PAGE).status_code == 403

    AgreementFactory(user=analyst, expires_on=timezone.now().date())

    [side] = signed_in(analyst).get(f"{PAGE}?measure=counts").context["sides"]
    assert side.reply.answered.is_exact


@pytest.mark.parametrize("roles", [[Role.AUDITOR], [Role.RESEARCHER], []])
def test_the_page_is_for_nobody_else(roles, released, signed_in):
    user = UserFactory(roles=roles, is_staff=Role.AUDITOR in roles)

    answer = signed_in(user).get(PAGE)

    assert answer.status_code == 403
    assert "Catheter" not in answer.text


def test_an_auditor_stays_outside_where_statistics_are_public(
    released, auditor, signed_in, settings
):
    settings.REGISTRY_PUBLIC_STATISTICS = True

    assert signed_in(auditor).get(PAGE).status_code == 403


def test_strangers_are_led_to_sign_in_and_back(client, released):
    answer = client.get(f"{PAGE}?measure=counts")

    assert answer["Location"] == "/login/?next=/admin/statistics/%3Fmeasure%3Dcounts"


def test_the_link_stands_where_the_page_is_open(released, reporter, auditor, signed_in):
    assert f'href="{PAGE}"' in signed_in(reporter).get("/admin/").text
    assert f'href="{PAGE}"' not in signed_in(auditor).get("/admin/").text


def test_every_file_has_the_numbers_of_the_table(released, reporter, signed_in):
    client = signed_in(reporter)
    own = sides(client.get(PAGE))["Your site"].answered
    files = dict(own.files)

    [row] = client.get(files["JSON"]).json()["rows"]
    assert (row["events"], row["exposure"]) == (2, 624)
    [_header, line] = client.get(files["CSV"]).text.splitlines()
    assert line.startswith("catheter,Catheter problem,2,624")
    svg = client.get(files["SVG"])
    assert svg["Content-Type"].startswith("image/svg+xml")
    assert client.get(own.picture).content == svg.content
    assert client.get(files["PNG"]).content.startswith(b"\x89PNG")


def test_the_address_to_copy_stands_in_a_box_without_script(released, reporter, signed_in):
    answer = signed_in(reporter).get(f"{PAGE}?measure=counts&drug=morphine")

    [own, everybody] = re.findall(r'<input[^>]*readonly value="([^"]*)"', answer.text)
    start = "http://testserver/api/v1/statistics/counts/?"
    assert own.startswith(start)
    assert "site=OWN-1" in own
    assert everybody.startswith(start)
    assert "site=" not in everybody


def test_a_release_can_be_cited_and_the_data_of_the_day_cannot(released, manager, signed_in):
    client = signed_in(manager)

    [side] = client.get(f"{PAGE}?measure=counts&release=2026Q4").context["sides"]
    cited = side.reply.answered.citation
    assert "Release 2026q4" not in cited.words
    assert cited.words.startswith("Pump registry. Counts of all complications. Release 2026Q4, ")
    assert cited.words.endswith(cited.address)
    assert cited.lasts
    again = client.get(cited.address.removeprefix("http://testserver"))
    assert again.json()["rows"][0]["n"] == 2

    answer = client.get(f"{PAGE}?measure=counts")
    assert not answer.context["sides"][0].reply.answered.citation.lasts
    assert "These are working data" in answer.text


def test_a_question_that_cannot_be_read_is_explained(released, reporter, signed_in):
    answer = signed_in(reporter).get(f"{PAGE}?severty=zzqzz")

    assert answer.status_code == 400
    assert "severity" in answer.text
    assert "zzqzz" not in answer.text
