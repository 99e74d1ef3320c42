"""Follow-up of a site's implants in bulk, on one page."""

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from registry.admin import following
from registry.admin.following import months_passed
from registry.models import AccessLog, Implant, Seal, sealed
from tests.factories import ImplantFactory, MembershipFactory, PatientFactory, SiteFactory

PAGE = "/admin/registry/implant/follow-up/"


@pytest.fixture
def implants(own_site, other_site):
    """Two pumps and a catheter of the own site in follow-up, one that ended, one elsewhere."""
    patient = PatientFactory(site=own_site, source_id="p-a")
    return {
        "pump": ImplantFactory(patient=patient, source_id="i-pump", months_followed=60),
        "catheter": ImplantFactory(
            patient=patient, source_id="i-cath", catheter=True, exit_status="", months_followed=48
        ),
        "young": ImplantFactory(
            patient=patient, source_id="i-yng", implant_year=2015, months_followed=0
        ),
        "ended": ImplantFactory(
            patient=patient, source_id="i-end", exit_status="lost-to-follow-up"
        ),
        "theirs": ImplantFactory(patient=PatientFactory(site=other_site), source_id="i-thrs"),
    }


def sent(implants, *ticked, **answers):
    """What the page sends: a version for each line, the ticks, and the answers."""
    shown = [row for name, row in implants.items() if name not in ("ended", "theirs")]
    lines = {}
    for name, (months, ended) in answers.pop("lines", {}).items():
        key = implants[name].public_id
        lines |= {f"months-{key}": months, f"ended-{key}": ended}
    return {
        "row": [f"{row.public_id}:{row.version}" for row in shown],
        "tick": [str(implants[name].public_id) for name in ticked],
        "do": "look",
        **lines,
        **answers,
    }


def months(implants):
    fresh = Implant.objects.in_bulk([row.pk for row in implants.values()])
    return {name: fresh[row.pk].months_followed for name, row in implants.items()}


def shown(answer):
    return [line.implant.source_id for line in answer.context["lines"]]


def errors(answer):
    ticked = answer.context["ticked"]
    return {name: list(told) for name, told in ticked.errors.items()}


# What the page shows ---------------------------------------------------------------------------


def test_the_page_lists_the_implants_in_follow_up_of_the_own_site(implants, reporter, signed_in):
    answer = signed_in(reporter).get(PAGE)

    assert shown(answer) == ["i-cath", "i-pump", "i-yng"]
    assert "i-thrs" not in answer.text
    assert "OTHER-2" not in answer.text
    assert not any(line.ticked or line.months or line.ended for line in answer.context["lines"])


def test_the_page_says_what_can_have_passed_by_now(implants, reporter, signed_in):
    today = timezone.now()

    lines = signed_in(reporter).get(PAGE).context["lines"]

    since = 12 * (today.year - 2010) + today.month
    pump = next(line for line in lines if line.implant.source_id == "i-pump")
    assert (pump.least, pump.most, pump.is_behind) == (since - 13, since - 1, True)


@pytest.mark.parametrize(
    ("implanted", "today"),
    [
        (date(2020, 1, 1), date(2020, 1, 31)),
        (date(2020, 12, 31), date(2021, 1, 1)),
        (date(2020, 12, 31), date(2021, 11, 22)),
        (date(2020, 1, 1), date(2021, 11, 22)),
        (date(2019, 6, 15), date(2024, 6, 15)),
        (date(2019, 6, 15), date(2024, 6, 14)),
    ],
)
def test_months_passed_hold_for_every_day_of_the_year_of_implant(implanted, today):
    whole = 12 * (today.year - implanted.year) + today.month - implanted.month
    whole -= today.day < implanted.day
    least, most = months_passed(implanted.year, year=today.year, month=today.month)

    assert least <= whole <= most


def test_months_passed_are_reached_by_the_last_and_the_first_day_of_the_year():
    """By 1 November 2021 an implant of 31 December 2020 has 10 months, one of 1 January 22."""
    assert months_passed(2020, year=2021, month=11) == (10, 22)


@pytest.mark.parametrize("followed", range(120, 136))
def test_the_queue_and_the_page_agree_on_who_is_behind(followed, own_site, reporter, signed_in):
    today = timezone.now()
    year = today.year - 11
    row = ImplantFactory(
        patient=PatientFactory(site=own_site), implant_year=year, months_followed=followed
    )

    (line,) = signed_in(reporter).get(PAGE).context["lines"]

    behind = Implant.objects.behind(year=today.year, month=today.month)
    assert line.is_behind == behind.filter(pk=row.pk).exists()


def test_all_or_none_are_ticked_without_script(implants, reporter, signed_in):
    client = signed_in(reporter)

    page = client.get(PAGE)
    ticked = client.get(page.context["all"])

    assert [line.ticked for line in ticked.context["lines"]] == [True, True, True]
    assert not any(line.ticked for line in client.get(ticked.context["none"]).context["lines"])


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({"component": "catheter"}, ["i-cath"]),
        ({"year": "2015"}, ["i-yng"]),
        ({"behind": "on"}, ["i-cath", "i-pump", "i-yng"]),
        ({"year": "1999"}, []),
    ],
)
def test_the_page_is_narrowed(params, found, implants, reporter, signed_in):
    answer = signed_in(reporter).get(PAGE, params)

    assert [line.implant.source_id for line in answer.context.get("lines", [])] == found


def test_who_is_up_to_date_is_not_behind(implants, reporter, signed_in):
    least, _most = months_passed(2010, year=timezone.now().year, month=timezone.now().month)
    with sealed(by=None, action="make-for-test") as seal:
        implants["pump"].months_followed = least
        seal.save(implants["pump"])

    assert shown(signed_in(reporter).get(PAGE, {"behind": "on"})) == ["i-cath", "i-yng"]


def test_long_lists_come_page_by_page(implants, reporter, signed_in, monkeypatch):
    monkeypatch.setattr(following, "PAGE", 2)
    client = signed_in(reporter)

    first = client.get(PAGE)
    second = client.get(first.context["further"])

    assert (shown(first), shown(second)) == (["i-cath", "i-pump"], ["i-yng"])
    assert shown(client.get(second.context["back"])) == ["i-cath", "i-pump"]


# Saying it -------------------------------------------------------------------------------------


def test_a_look_stores_nothing_and_saving_stores_it_all_under_one_seal(
    implants, reporter, signed_in
):
    client = signed_in(reporter)
    seals = Seal.objects.count()
    body = sent(
        implants,
        "pump",
        "catheter",
        rule="further",
        months="12",
        lines={"young": ("30", "explanted-for-complication")},
    )

    look = client.post(PAGE, body)

    assert (look.context["added"], look.context["ended"], look.context["left"]) == (54, 1, 0)
    assert "Nothing is stored yet" in look.text
    assert Seal.objects.count() == seals
    assert months(implants)["pump"] == 60

    saved = client.post(PAGE, {**resent(look), "do": "save"}, follow=True)

    assert "3 implants followed up, 54 months added." in saved.text
    assert months(implants) == {
        "pump": 72,
        "catheter": 60,
        "young": 30,
        "ended": 60,
        "theirs": 60,
    }
    assert Seal.objects.count() == seals + 1
    assert Seal.objects.latest("number").rows == 3 + 1  # and what is asked: the event of the end
    implants["young"].refresh_from_db()
    implants["catheter"].refresh_from_db()
    assert implants["young"].exit_status == "explanted-for-complication"
    assert implants["catheter"].exit_status == "active"
    assert implants["catheter"].history.count() == 2


def resent(look):
    """What the hidden fields of the look say."""
    fields = {"row": []}
    for line, one in look.context["followed"]:
        fields["row"].append(f"{line.key}:{line.implant.version}")
        fields[f"months-{line.key}"] = str(one.after.months_followed)
        fields[f"ended-{line.key}"] = line.ended
    return fields


def test_ticked_implants_are_active_at_a_month(implants, reporter, signed_in):
    body = sent(implants, "pump", "catheter", "young", rule="reached", months="55")

    look = signed_in(reporter).post(PAGE, body)

    after = {line.implant.source_id: one.after for line, one in look.context["followed"]}
    assert {name: one.months_followed for name, one in after.items()} == {
        "i-cath": 55,
        "i-yng": 55,
    }
    assert look.context["left"] == 1
    assert "stands so far already" in look.text


def test_ticked_implants_take_the_months_that_have_surely_passed(implants, reporter, signed_in):
    today = timezone.now()

    look = signed_in(reporter).post(PAGE, sent(implants, "young", rule="passed"))

    ((_line, one),) = look.context["followed"]
    assert one.after.months_followed == 12 * (today.year - 2015) + today.month - 13


def test_a_line_of_its_own_goes_before_what_is_said_of_all(implants, reporter, signed_in):
    body = sent(implants, "pump", "young", rule="further", months="12", lines={"young": ("7", "")})

    look = signed_in(reporter).post(PAGE, body)

    assert {
        line.implant.source_id: one.after.months_followed for line, one in look.context["followed"]
    } == {"i-pump": 72, "i-yng": 7}


def test_what_was_said_can_be_changed_after_the_look(implants, reporter, signed_in):
    client = signed_in(reporter)
    look = client.post(PAGE, sent(implants, lines={"pump": ("70", "death-unrelated")}))

    page = client.post(PAGE, {**resent(look), "do": "edit"})

    said = {line.implant.source_id: (line.months, line.ended) for line in page.context["lines"]}
    assert said == {"i-cath": ("", ""), "i-pump": ("70", "death-unrelated"), "i-yng": ("", "")}
    assert months(implants)["pump"] == 60


@pytest.mark.parametrize(
    ("answers", "field"),
    [
        ({"rule": ""}, "rule"),
        ({"rule": "reached", "months": ""}, "months"),
        ({"rule": "further", "months": "-3"}, "months"),
        ({"rule": "further", "months": "\u0663"}, "months"),
        ({"rule": "always"}, "rule"),
    ],
)
def test_what_is_said_of_all_ticked_is_asked_for(answers, field, implants, reporter, signed_in):
    answer = signed_in(reporter).post(PAGE, sent(implants, "pump", **answers))

    assert field in errors(answer)
    assert months(implants)["pump"] == 60
    ticked = [line.implant.source_id for line in answer.context["lines"] if line.ticked]
    assert ticked == ["i-pump"]


def test_saying_nothing_is_told(implants, reporter, signed_in):
    answer = signed_in(reporter).post(PAGE, sent(implants))

    assert "__all__" in errors(answer)


@pytest.mark.parametrize("do", ["look", "save"])
@pytest.mark.parametrize(
    ("line", "told"),
    [
        (("59", ""), "Fewer months than are on file"),
        (("", "death-unrelated"), "Give the months at which it ended"),
        (("many", ""), "Give months as a whole number"),
        (("70", "gone"), "Use a code of the list exit-status"),
        (("1199", ""), "So many months have not passed"),
    ],
)
def test_a_faulty_line_is_told_and_nothing_is_stored(line, told, do, implants, reporter, signed_in):
    seals = Seal.objects.count()

    answer = signed_in(reporter).post(
        PAGE, sent(implants, lines={"pump": line, "young": ("12", "")}, do=do)
    )

    faulty = {one.implant.source_id: one.faults for one in answer.context["faulty"]}
    assert list(faulty) == ["i-pump"]
    assert told in faulty["i-pump"][0]
    assert Seal.objects.count() == seals


def test_every_fault_is_told_at_once(implants, reporter, signed_in):
    lines = {"pump": ("", "death-unrelated"), "young": ("1199", "")}

    answer = signed_in(reporter).post(PAGE, sent(implants, lines=lines))

    assert [line.implant.source_id for line in answer.context["faulty"]] == ["i-pump", "i-yng"]


def test_a_look_warns_of_more_months_than_can_have_passed(own_site, reporter, signed_in):
    """The year of implant is all that is kept: 11 months of this year are refused nowhere."""
    today = timezone.now()
    row = ImplantFactory(
        patient=PatientFactory(site=own_site), implant_year=today.year - 1, months_followed=0
    )
    most = 11 + today.month
    for months_now, warned in ((most, False), (most + 1, today.month < 12)):
        if months_now >= 24:
            continue
        look = signed_in(reporter).post(PAGE, sent({"row": row}, lines={"row": (months_now, "")}))

        assert look.context["too_long"] == int(warned)
        assert ("more months than can have passed" in look.text) == warned


def test_a_line_that_somebody_changed_meanwhile_is_not_overwritten(implants, reporter, signed_in):
    body = sent(implants, lines={"pump": ("70", "")})
    with sealed(by=None, action="make-for-test") as seal:
        implants["pump"].version, implants["pump"].months_followed = 2, 66
        seal.save(implants["pump"])

    answer = signed_in(reporter).post(PAGE, {**body, "do": "save"})

    (line,) = answer.context["faulty"]
    assert "this row changed" in line.faults[0].lower()
    assert months(implants)["pump"] == 66


# Who and where ---------------------------------------------------------------------------------


def test_an_implant_of_another_site_is_not_followed_up(implants, reporter, signed_in):
    theirs = implants["theirs"]
    body = {
        "row": [f"{theirs.public_id}:1"],
        f"months-{theirs.public_id}": "72",
        "do": "save",
    }

    answer = signed_in(reporter).post(PAGE, body)

    assert "i-thrs" not in answer.text
    assert months(implants)["theirs"] == 60


@pytest.mark.parametrize("site", ["OTHER-2", "NOWHERE"])
def test_another_site_is_not_found(site, implants, reporter, signed_in):
    assert signed_in(reporter).get(PAGE, {"site": site}).status_code == 404
    assert signed_in(reporter).post(f"{PAGE}?site={site}", {"do": "look"}).status_code == 404


@pytest.mark.parametrize("who", ["reviewer", "auditor"])
def test_who_enters_no_rows_does_not_follow_up(who, implants, request, signed_in):
    client = signed_in(request.getfixturevalue(who))

    assert client.get(PAGE).status_code == 403
    assert client.post(PAGE, sent(implants, "pump", rule="passed")).status_code == 403


def test_a_stranger_signs_in_first(implants, client):
    assert client.get(PAGE).status_code == 302


def test_who_enters_for_several_sites_chooses_one(implants, reporter, manager, signed_in):
    MembershipFactory(user=reporter, site=SiteFactory(code="THIRD-3"))

    for client in (signed_in(reporter), signed_in(manager)):
        page = client.get(PAGE)
        assert "lines" not in page.context
        assert "i-pump" not in page.text
        assert shown(client.get(PAGE, {"site": "OWN-1"})) == ["i-cath", "i-pump", "i-yng"]


def test_looks_are_logged_in_numbers(implants, reporter, signed_in):
    signed_in(reporter).get(PAGE)

    assert list(AccessLog.objects.values_list("what", "count")) == [("implant follow-up", 3)]


def test_the_page_takes_as_many_queries_for_many_implants_as_for_one(own_site, reporter, signed_in):
    client = signed_in(reporter)
    patient = PatientFactory(site=own_site)

    def queries():
        with CaptureQueriesContext(connection) as queries:
            client.get(PAGE)
        return len(queries)

    ImplantFactory(patient=patient)
    queries()  # the first request of a session notes its time
    few = queries()
    ImplantFactory.create_batch(8, patient=patient)

    queries()  # what is kept of the site is worked out again, once
    assert queries() == few


def test_a_page_of_500_implants_is_sent_whole(own_site, reporter, signed_in):
    patient = PatientFactory(site=own_site)
    rows = [
        ImplantFactory.build(patient=patient, site=own_site, source_id=f"i-{n}")
        for n in range(following.PAGE)
    ]
    with sealed(by=None, action="make-for-test") as seal:
        seal.bulk_create(Implant, rows)
    client = signed_in(reporter)
    lines = client.get(PAGE).context["lines"]
    body = {
        "row": [f"{line.key}:{line.implant.version}" for line in lines],
        "tick": [line.key for line in lines],
        "rule": "further",
        "months": "12",
        "do": "look",
        **{f"months-{line.key}": "" for line in lines},
        **{f"ended-{line.key}": "" for line in lines},
    }

    look = client.post(PAGE, body)
    client.post(PAGE, {**resent(look), "do": "save"})

    assert len(look.context["followed"]) == 500
    assert set(Implant.objects.values_list("months_followed", flat=True)) == {72}
    assert Seal.objects.latest("number").rows == 500


def test_page_says_which_round_is_open_and_who_is_behind(implants, reporter, signed_in):
    answer = signed_in(reporter).get(PAGE)

    assert "Follow-up round 1 of OWN-1 is open" in answer.text
    assert (answer.context["round"].in_follow_up, answer.context["round"].behind) == (3, 3)
    assert "Close round" not in answer.text


def test_lead_closes_the_round_on_the_page(implants, own_site, signed_in):
    lead = MembershipFactory(site=own_site, role="lead").user
    with sealed(by=None, action="test") as seal:
        seal.bulk_update(
            Implant,
            [Implant(pk=each.pk, exit_status="site-closed") for each in own_site.implants.all()],
            ["exit_status"],
        )
    with sealed(by=None, action="test") as seal:
        patient = PatientFactory.build(site=own_site, source_id="p-n")
        seal.save(patient)
        today = timezone.now().year
        young = {"implant_year": today, "months_followed": 0, "source_id": "i-new"}
        seal.save(ImplantFactory.build(patient=patient, site=own_site, **young))
    client = signed_in(lead)
    assert "Close round 1" in client.get(PAGE).text

    answer = client.post(PAGE, {"do": "close"}, follow=True)

    assert "Round 1 of OWN-1 is closed" in answer.text
    own_site.refresh_from_db()
    assert own_site.round_number == 1


def test_page_says_why_a_round_stays_open(implants, own_site, signed_in):
    lead = MembershipFactory(site=own_site, role="lead").user

    answer = signed_in(lead).post(PAGE, {"do": "close"}, follow=True)

    assert "have fewer months on file than have passed" in answer.text
    own_site.refresh_from_db()
    assert own_site.round_number is None
