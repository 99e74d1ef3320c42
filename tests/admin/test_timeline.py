"""A patient's line of time, the choice among its devices, and episodes."""

import pytest
from django.urls import reverse

from registry.models import AccessLog, Event
from tests.factories import ComplicationFactory, EventFactory, ImplantFactory, PatientFactory

ADD = "/admin/registry/event/add/"
LIST = "/admin/registry/event/"
IMPLANTS = "/admin/registry/implant/choices/"


def page(row):
    return reverse(f"admin:registry_{row._meta.model_name}_change", args=[row.public_id])


@pytest.fixture
def patient(own_site):
    return PatientFactory(site=own_site, source_id="p-1")


@pytest.fixture
def old(patient):
    """A catheter of 2010 that was explanted after 20 months."""
    return ImplantFactory(
        patient=patient,
        source_id="a-old",
        catheter=True,
        implant_year=2010,
        months_followed=20,
        exit_status="explant-elective",
    )


@pytest.fixture
def new(patient):
    return ImplantFactory(patient=patient, source_id="b-new", catheter=True, implant_year=2012)


def test_devices_and_events_stand_on_one_line_of_time(old, new, reporter, signed_in):
    EventFactory(implant=new, year=2013, months_since_implant=14, state="draft", severity=None)
    EventFactory(implant=old, year=2011, months_since_implant=13)
    EventFactory(implant=old, year=2011, state="withdrawn", reason="entered-in-error")

    moments = signed_in(reporter).get(page(old.patient)).context["moments"]

    assert [(one.year, one.month, one.what, one.standing) for one in moments] == [
        ("2010", "", "Catheter implanted", "no longer in place"),
        ("2011", "13", "catheter migration, grade 2", "accepted"),
        ("", "20", "Catheter: follow-up ended", "elective explant"),
        ("2012", "", "Catheter implanted", "in place"),
        ("2013", "14", "catheter migration", "draft"),
    ]


def test_the_line_stands_above_the_form_and_below_what_is_to_correct(new, reporter, signed_in):
    client, address = signed_in(reporter), page(new.patient)
    line, questions = "Devices and events in order of time", 'id="patient_form"'

    html = client.get(address).text
    assert (html.count(line), html.index(line) < html.index(questions)) == (1, True)
    html = client.post(address, {"source_id": "Maria-Schmidt", "site": "OWN-1"}).text
    assert (html.count(line), html.index(line) > html.index(questions)) == (1, True)


def test_an_event_is_added_from_the_patients_page(old, new, reporter, signed_in):
    client = signed_in(reporter)

    html = client.get(page(new.patient)).text
    assert f'href="{ADD}?implant={new.public_id}"' in html
    assert "catheter a-old (ended)" in html
    form = client.get(ADD, {"implant": str(new.public_id)}).context["adminform"].form

    assert form.initial == {"site": "OWN-1", "implant": new.public_id}


@pytest.mark.parametrize("implant", ["theirs", "none-such"])
def test_an_implant_that_is_not_there_fills_in_nothing(implant, other_site, reporter, signed_in):
    theirs = ImplantFactory(patient__site=other_site)
    named = str(theirs.public_id) if implant == "theirs" else implant

    form = signed_in(reporter).get(ADD, {"implant": named}).context["adminform"].form

    assert form.initial == {}
    assert not AccessLog.objects.exists()


def test_a_reviewer_reads_the_line_and_adds_nothing(new, reviewer, signed_in):
    answer = signed_in(reviewer).get(page(new.patient))

    assert len(answer.context["moments"]) == 1
    assert f"{ADD}?implant=" not in answer.text


@pytest.mark.parametrize("key", ["p-1", "b-new", "e-9"])
def test_events_are_found_by_the_key_of_event_patient_or_implant(key, new, reporter, signed_in):
    event = EventFactory(implant=new, source_id="e-9")
    EventFactory(implant=ImplantFactory(patient__site=new.site, source_id="other"))
    client = signed_in(reporter)

    found = client.post(LIST, {"search": "1", "q": key}, follow=True).context["cl"]

    assert list(found.result_list) == [event]


def test_devices_in_place_are_offered_first_and_ended_ones_as_ended(old, new, reporter, signed_in):
    results = signed_in(reporter).post(IMPLANTS, {"term": "p-1"}).json()["results"]

    assert [row["text"].split(" ")[0] for row in results] == ["b-new", "a-old"]
    assert results[1]["text"].endswith("of p-1, ended: elective explant")
    assert "ended:" not in results[0]["text"]
    assert (results[0]["ended"], results[1]["ended"]) == ("", "ended")


@pytest.fixture
def episode(new):
    """Dislodgement, withdrawal of it, and surgery for that: three drafts."""
    withdrawal = ComplicationFactory(code="baclofen-withdrawal", name="Baclofen withdrawal")
    first = EventFactory(implant=new, source_id="e-1", state="draft", year=2013)
    second = EventFactory(
        implant=new,
        source_id="e-2",
        state="draft",
        year=2013,
        caused_by=first,
        complication=withdrawal,
    )
    third = EventFactory(implant=new, source_id="e-3", state="draft", year=2013, caused_by=second)
    return first, second, third


@pytest.mark.parametrize("who", ["reporter", "reviewer"])
def test_the_whole_episode_is_seen_from_each_of_its_events(who, episode, request, signed_in):
    client = signed_in(request.getfixturevalue(who))

    for event in episode:
        steps = client.get(page(event)).context["episode"]

        assert [(step.event, step.depth) for step in steps] == list(
            zip(episode, (0, 1, 2), strict=True)
        )
        assert [step.event for step in steps if step.is_shown] == [event]


def test_an_event_that_stands_alone_is_no_episode(new, reporter, signed_in):
    assert signed_in(reporter).get(page(EventFactory(implant=new))).context["episode"] == []


def test_all_drafts_of_an_episode_are_submitted_at_once(episode, reporter, signed_in):
    client = signed_in(reporter)
    picks = client.get(page(episode[2])).context["episode_drafts"]
    assert len(picks) == 3

    client.post("/admin/registry/event/steps/submit/", {"event": picks, "confirmed": "1"})

    assert set(Event.objects.values_list("state", flat=True)) == {"submitted"}


def test_a_reviewer_is_offered_no_drafts_to_submit(episode, reviewer, signed_in):
    assert signed_in(reviewer).get(page(episode[0])).context["episode_drafts"] == []


def test_the_last_step_submits_the_whole_episode(episode, new, reporter, signed_in):
    client = signed_in(reporter)
    third = episode[2]
    form = client.get(f"{ADD}?caused_by={third.public_id}")
    assert "Save, and submit the whole episode (4 events)" in form.text

    answer = client.post(
        f"{ADD}?caused_by={third.public_id}",
        {
            "site": "OWN-1",
            "complication": "catheter-migration",
            "implant": str(new.public_id),
            "caused_by": str(third.public_id),
            "year": "2014",
            "months_since_implant": "25",
            "severity": "2",
            "seriousness": "none",
            "outcome": "recovered",
            "actuality": "actual",
            "_submit_all": "1",
        },
        follow=True,
    )

    assert "3 events are submitted." in answer.text
    assert list(Event.objects.values_list("state", flat=True)) == ["submitted"] * 4


def test_a_cause_is_offered_with_its_state(episode, reporter, signed_in):
    results = signed_in(reporter).post("/admin/registry/event/choices/", {"term": "e-1"}).json()

    assert results["results"][0]["text"] == "e-1 (catheter migration, 2013, draft)"


def test_a_near_miss_has_its_only_legal_outcome(new, reporter, signed_in):
    ComplicationFactory()
    sent = {"site": "OWN-1", "complication": "catheter-migration", "implant": str(new.public_id)}

    signed_in(reporter).post(ADD, {**sent, "year": "2013", "actuality": "near-miss"})

    assert Event.objects.get().outcome == "not-applicable"
