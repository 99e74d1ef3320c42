"""The event form: what it asks and fills in, how rows are chosen, and what it says to mend."""

import re

import pytest
from django.test import override_settings
from django.urls import reverse

from registry.admin.event_sections import ENTRY, MATTERS_FOR
from registry.catalogue import read_catalogue
from registry.models import AccessLog, Event, sealed
from registry.vocabulary import Relatedness
from tests.factories import (
    ComplicationFactory,
    EventFactory,
    ImplantFactory,
    MembershipFactory,
    PatientFactory,
)

ADD = "/admin/registry/event/add/"
IMPLANTS = "/admin/registry/implant/choices/"
CAUSES = "/admin/registry/event/choices/"
TERMS = "/admin/registry/complication/choices/"


def page(event):
    return reverse("admin:registry_event_change", args=[event.public_id])


def form_of(answer):
    return answer.context["adminform"].form


def sections(answer):
    return [fieldset.name for fieldset in answer.context["adminform"]]


def named(client, address, **params):
    return [row["text"].split(" ")[0] for row in client.get(address, params).json()["results"]]


@pytest.fixture
def migration(db):
    return ComplicationFactory(
        name="Catheter migration", synonyms="tip pull-out; displaced catheter"
    )


@pytest.fixture
def patient(own_site):
    return PatientFactory(site=own_site, source_id="p-own")


@pytest.fixture
def catheter(patient):
    return ImplantFactory(patient=patient, source_id="i-cath", catheter=True)


@pytest.fixture
def pump(patient):
    return ImplantFactory(patient=patient, source_id="i-pump")


# One screen --------------------------------------------------------------------------------


def test_a_new_event_is_asked_on_one_screen(reporter, signed_in):
    assert sections(signed_in(reporter).get(ADD)) == [
        "What and when",
        "If the implant is not on file",
        "How bad",
        "Why",
        "Run-up",
        "Consequences",
    ]


@pytest.mark.parametrize("state", ["draft", "submitted"])
def test_a_stored_event_ends_with_its_review_and_history(state, own_site, reporter, signed_in):
    event = EventFactory(site=own_site, state=state, severity=4, seriousness={"life-threatening"})

    answer = signed_in(reporter).get(page(event))

    assert sections(answer)[-2:] == ["Review", "History"]
    assert f">{state.capitalize()}</div>" in answer.text
    assert '<select name="site"' not in answer.text
    assert "stored" in answer.text.split("Versions:")[1]


def test_every_question_of_the_form_stands_in_a_section(reporter, signed_in):
    in_sections = {name for _, names, _ in ENTRY for name in names}

    with override_settings(REGISTRY_DATE_PRECISION="month"):
        form = form_of(signed_in(reporter).get(ADD))

    assert in_sections == set(form.fields) - {"version"}


def test_a_registry_of_years_asks_for_no_month(reporter, signed_in):
    answer = signed_in(reporter).get(ADD)

    assert "month" not in form_of(answer).fields
    assert 'name="month"' not in answer.text


def test_a_member_of_one_site_is_not_asked_for_it(reporter, signed_in):
    html = signed_in(reporter).get(ADD).text

    assert '<div class="readonly">OWN-1</div>' in html
    assert re.search(r'<input type="hidden" name="site" value="OWN-1"', html)
    assert '<select name="site"' not in html


def test_a_member_of_two_sites_chooses_one_and_none_is_chosen(
    reporter, other_site, migration, signed_in
):
    MembershipFactory(user=reporter, site=other_site)
    client = signed_in(reporter)

    html = client.get(ADD).text
    refused = client.post(ADD, {"complication": migration.code})

    offered = re.search(r'<select name="site".*?</select>', html, re.DOTALL).group()
    assert re.findall(r'value="([^"]*)"', offered) == ["", "OTHER-2", "OWN-1"]
    assert "selected" not in offered.replace('value="" selected', "")
    assert "site" in form_of(refused).errors


def test_lists_of_six_are_radios_and_longer_ones_are_not(reporter, signed_in):
    html = signed_in(reporter).get(ADD).text

    assert len(Relatedness) == 5  # six with "not recorded"
    assert html.count('<input type="radio" name="relatedness_drug"') == 6
    assert '<select name="outcome"' in html


def test_the_run_up_is_asked_where_it_matters(reporter, signed_in):
    answer = signed_in(reporter).get(ADD)

    for name, codes in MATTERS_FOR.items():
        assert form_of(answer).fields[name].widget.attrs["data-for"].split() == list(codes)
    assert 'data-for="pump drug-effect withdrawal death"' in answer.text


def test_the_run_up_matters_for_codes_that_the_catalogue_has():
    shipped = read_catalogue()
    known = {entry.code for entry in shipped.categories}
    known |= {entry.code for entry in shipped.complications}

    assert {code for codes in MATTERS_FOR.values() for code in codes} <= known


def test_one_script_alone_places_the_focus(reporter, signed_in):
    html = signed_in(reporter).get(ADD).text

    assert "registry/event-form.js" in html
    assert "change_form.js" not in html  # it would take the focus from what is to mend


# Nothing clinical is filled in -------------------------------------------------------------


def test_an_address_fills_in_no_answer(reporter, migration, signed_in):
    params = {"severity": "5", "outcome": "fatal", "year": "2011", "complication": migration.code}

    form = form_of(signed_in(reporter).get(ADD, params))

    assert {name: form[name].value() for name in params} == dict.fromkeys(params)


def test_what_it_led_to_begins_with_its_context_and_no_finding(catheter, reporter, signed_in):
    cause = EventFactory(implant=catheter, state="accepted", year=2011, source_id="e-cause")

    answer = signed_in(reporter).get(ADD, {"caused_by": str(cause.public_id)})

    assert "<h1>Add what e-cause led to</h1>" in answer.text
    form = form_of(answer)
    filled = {name: form[name].value() for name in form.fields if form[name].value()}
    assert filled == {
        "caused_by": cause.public_id,
        "site": "OWN-1",
        "implant": catheter.public_id,
        "year": 2011,
    }


def test_the_context_of_a_cause_is_a_look_at_a_row(own_site, reporter, signed_in):
    cause = EventFactory(site=own_site)

    signed_in(reporter).get(ADD, {"caused_by": str(cause.public_id)})

    assert AccessLog.objects.get().what == f"event {cause.public_id}"


@pytest.mark.parametrize("state", ["theirs", "keyless", "none"])
def test_what_cannot_be_a_cause_fills_in_nothing(state, own_site, other_site, reporter, signed_in):
    events = {
        "theirs": lambda: EventFactory(site=other_site).public_id,
        "keyless": lambda: EventFactory(site=own_site, source_id="").public_id,
        "none": lambda: "no-such-event",
    }

    form = form_of(signed_in(reporter).get(ADD, {"caused_by": str(events[state]())}))

    assert form.initial == {}
    assert not AccessLog.objects.exists()


def test_save_and_log_what_it_led_to_names_the_cause(catheter, migration, reporter, signed_in):
    client = signed_in(reporter)
    sent = {
        "site": "OWN-1",
        "complication": migration.code,
        "implant": str(catheter.public_id),
        "year": "2011",
        "severity": "3",
        "_consequence": "1",
    }

    answer = client.post(ADD, sent)

    cause = Event.objects.get()
    assert cause.state == "draft"
    assert answer["Location"] == f"{ADD}?caused_by={cause.public_id}"
    following = {"site": "OWN-1", "complication": migration.code}
    following |= {"caused_by": str(cause.public_id), "implant": str(catheter.public_id)}
    client.post(answer["Location"], following)
    effect = Event.objects.get(caused_by=cause)
    assert (effect.patient, effect.severity) == (cause.patient, None)


@pytest.mark.parametrize(
    ("button", "said"),
    [("_save", "It is a draft until it is submitted."), ("_submit", "It waits for review.")],
)
def test_the_pressed_button_is_answered_with_what_became_of_the_event(
    button, said, catheter, migration, reporter, signed_in
):
    client = signed_in(reporter)
    sent = {
        "site": "OWN-1",
        "complication": migration.code,
        "implant": str(catheter.public_id),
        "year": "2011",
        "months_since_implant": "12",
    }

    new = client.post(ADD, {**sent, button: "1"}, follow=True)
    draft = EventFactory(implant=catheter, complication=migration, state="draft", source_id="d")
    sent |= {"source_id": "d", "version": str(draft.version), "months_since_implant": "18"}
    old = client.post(page(draft), {**sent, button: "1"}, follow=True)

    assert f"is stored. {said}" in new.text
    assert f"is changed. {said}" in old.text


def test_the_page_of_an_event_names_what_it_led_to(catheter, reporter, signed_in):
    cause = EventFactory(implant=catheter, state="accepted")
    EventFactory(implant=catheter, state="accepted", caused_by=cause, source_id="e-eff")

    html = signed_in(reporter).get(page(cause)).text

    assert "e-eff (catheter migration, 2011, accepted)</a>" in html
    assert f"{ADD}?caused_by={cause.public_id}" in html


def test_a_reviewer_is_not_offered_to_log_what_it_led_to(own_site, reviewer, signed_in):
    event = EventFactory(site=own_site, state="submitted")

    assert "caused_by=" not in signed_in(reviewer).get(page(event)).text


# Keys --------------------------------------------------------------------------------------


def test_an_event_without_a_key_is_given_one_without_digits(reporter, migration, signed_in):
    client = signed_in(reporter)
    for _ in range(2):
        client.post(ADD, {"site": "OWN-1", "complication": migration.code})

    keys = set(Event.objects.values_list("source_id", flat=True))

    assert len(keys) == 2
    assert all(re.fullmatch(r"e-[bcdfghjkmnpqrstvwxz]{8}", key) for key in keys)


def test_a_sites_own_key_is_kept(reporter, migration, signed_in):
    sent = {"site": "OWN-1", "complication": migration.code, "source_id": "k7"}

    signed_in(reporter).post(ADD, sent)

    assert Event.objects.get().source_id == "k7"


@pytest.mark.parametrize("button", ["_save", "_consequence"])
def test_a_draft_without_a_key_gets_one(button, own_site, reporter, signed_in):
    draft = EventFactory(site=own_site, source_id="", state="draft")
    client = signed_in(reporter)
    form = form_of(client.get(page(draft)))
    sent = {name: form[name].value() for name in form.fields if form[name].value() is not None}

    client.post(page(draft), {**sent, "year": "2012", button: "1"})

    draft.refresh_from_db()
    assert draft.year == 2012
    assert draft.source_id.startswith("e-")


# What is wrong -----------------------------------------------------------------------------


def test_all_that_is_missing_is_said_at_once(catheter, reporter, signed_in):
    sent = {"site": "OWN-1", "implant": str(catheter.public_id), "_submit": "1"}

    answer = signed_in(reporter).post(ADD, sent)

    assert set(form_of(answer).errors) == {"complication", "year", "months_since_implant"}
    assert all(len(said) == 1 for said in form_of(answer).errors.values())


def test_a_draft_may_lack_what_a_submission_may_not(catheter, migration, reporter, signed_in):
    sent = {
        "site": "OWN-1",
        "complication": migration.code,
        "implant": str(catheter.public_id),
        "_save": "1",
    }

    assert signed_in(reporter).post(ADD, sent).status_code == 302


def test_an_unreadable_answer_hides_nothing_that_is_missing(migration, reporter, signed_in):
    sent = {"site": "OWN-1", "complication": migration.code, "source_id": "1234567", "_submit": "1"}

    errors = form_of(signed_in(reporter).post(ADD, sent)).errors

    assert set(errors) == {"source_id", "year"}


def test_the_faults_are_listed_with_links_to_their_fields(migration, reporter, signed_in):
    sent = {"site": "OWN-1", "complication": migration.code, "_submit": "1"}

    html = signed_in(reporter).post(ADD, sent).text

    assert '<a href="#id_year">Year</a>: Give the year of the event.' in html
    assert "1 thing to correct" in html
    assert re.search(r'<input type="text" name="year"[^>]*aria-invalid="true"', html)


@pytest.mark.parametrize(("months", "stored"), [("11", False), ("12", True), ("35", True)])
def test_months_are_held_against_the_year_already_in_a_draft(
    months, stored, catheter, migration, reporter, signed_in
):
    sent = {
        "site": "OWN-1",
        "complication": migration.code,
        "implant": str(catheter.public_id),  # of 2010
        "year": "2012",
        "months_since_implant": months,
    }

    answer = signed_in(reporter).post(ADD, sent)

    assert Event.objects.exists() is stored
    if not stored:
        assert "correct the year, the months or the implant" in answer.text


@pytest.mark.parametrize(("criteria", "stored"), [(["none"], False), ([], True)])
def test_a_grade_of_4_is_never_called_not_serious(criteria, stored, migration, reporter, signed_in):
    sent = {
        "site": "OWN-1",
        "complication": migration.code,
        "year": "2012",
        "severity": "4",
        "seriousness": criteria,
        "_submit": "1",
    }

    answer = signed_in(reporter).post(ADD, sent)

    assert Event.objects.exists() is stored
    if not stored:
        assert set(form_of(answer).errors) == {"seriousness"}


def test_a_draft_keeps_a_complication_that_was_retired_since(own_site, reporter, signed_in):
    old = ComplicationFactory(code="old-migration", name="Old migration", retired=True)
    draft = EventFactory(site=own_site, complication=old, state="draft")
    client = signed_in(reporter)
    form = form_of(client.get(page(draft)))
    sent = {name: form[name].value() for name in form.fields if form[name].value() is not None}

    answer = client.post(page(draft), {**sent, "year": "2012"})

    assert answer.status_code == 302
    draft.refresh_from_db()
    assert (draft.year, draft.complication) == (2012, old)


# Rows that are chosen ----------------------------------------------------------------------


@pytest.mark.parametrize("term", ["migration", "PULL-out", "catheter-migr"])
def test_a_complication_is_found_by_name_synonym_and_code(term, migration, reporter, signed_in):
    ComplicationFactory(code="granuloma", name="Inflammatory mass")

    [found] = signed_in(reporter).get(TERMS, {"term": term}).json()["results"]

    assert found["id"] == "catheter-migration"
    assert found["definition"] == "The tip has left the place where it was put."
    assert found["examples"] == "tip pull-out; displaced catheter"


def test_the_complication_called_most_like_what_was_typed_comes_first(reporter, signed_in):
    for code, name, synonyms in (
        ("pump-mri-stall", "MRI-related motor stall with delayed recovery", ""),
        ("pump-motor-stall", "Pump motor stall", ""),
        ("other-pump", "Other pump problem", "stall"),
        ("rotor", "Rotor", "stall of the rotor"),
    ):
        ComplicationFactory(code=code, name=name, synonyms=synonyms)

    found = signed_in(reporter).get(TERMS, {"term": "motor stall"}).json()["results"]

    assert found[0]["id"] == "pump-motor-stall"


def test_where_nothing_fits_the_nearest_are_offered_and_said_to_be_so(
    migration, reporter, signed_in
):
    [group] = signed_in(reporter).get(TERMS, {"term": "migrations-xylo"}).json()["results"]
    nothing = signed_in(reporter).get(TERMS, {"term": "qqqq"}).json()["results"]

    assert group["text"] == "Nothing fits these words. The nearest:"
    assert [term["id"] for term in group["children"]] == ["catheter-migration"]
    assert nothing == []


def test_the_chosen_complication_brings_its_definition(own_site, migration, reporter, signed_in):
    draft = EventFactory(site=own_site, complication=migration, state="draft")

    html = signed_in(reporter).get(page(draft)).text

    option = re.search(r'<option value="catheter-migration"[^>]*selected[^>]*>', html).group()
    assert 'data-definition="The tip has left the place where it was put."' in option
    assert 'data-examples="tip pull-out; displaced catheter"' in option


def test_without_script_every_current_complication_is_offered(migration, reporter, signed_in):
    ComplicationFactory(code="granuloma", name="Inflammatory mass")
    ComplicationFactory(code="old-migration", name="Old migration", retired=True)

    html = signed_in(reporter).get(ADD).text

    offered = re.search(r'<select name="complication".*?</select>', html, re.DOTALL).group()
    assert re.findall(r'value="([^"]*)"', offered) == ["", "catheter-migration", "granuloma"]
    assert '<optgroup label="Catheter">' in offered


@pytest.mark.parametrize("term", ["i-cath", "P-OWN", "code"])
def test_an_implant_is_found_by_its_key_its_patients_and_its_code(
    term, catheter, own_site, reporter, signed_in
):
    ImplantFactory(patient=PatientFactory(site=own_site, source_id="x-p"), source_id="x-i")
    term = str(catheter.public_id)[:13] if term == "code" else term

    [found] = signed_in(reporter).get(IMPLANTS, {"term": term}).json()["results"]

    assert found == {
        "id": str(catheter.public_id),
        "text": "i-cath (Catheter, Ascenda, 2010) of p-own",
        "component": "catheter",
        "implanted": "2010",
        "followed": "60",
        "ended": "",
    }


@pytest.mark.parametrize(
    ("told_by", "here", "beside"),
    [
        ("exit", ("followed", "2016", "60"), ("followed", "2016", "")),
        ("event", ("reported", "2013", "40"), ("reported", "2013", "")),
        ("draft", None, None),
    ],
)
def test_an_implant_says_that_its_patient_died(
    told_by, here, beside, catheter, pump, reporter, signed_in
):
    """The implant by which it is told, and the patient's other one."""
    if told_by == "exit":
        with sealed(by=None, action="test") as seal:
            pump.exit_status = "death-unrelated"
            seal.save(pump)
    else:
        state = "draft" if told_by == "draft" else "submitted"
        fatal = {"severity": 5, "outcome": "fatal", "seriousness": {"death"}}
        EventFactory(implant=pump, year=2013, months_since_implant=40, state=state, **fatal)
    client = signed_in(reporter)

    found = client.get(IMPLANTS).json()["results"]
    told = {row["component"]: died_of(row) for row in found}

    assert told == {"pump": here, "catheter": beside}
    if here:
        html = client.get(ADD, {"implant": str(pump.public_id)}).text
        assert f'data-died_year="{here[1]}"' in html


def died_of(row):
    return (row["died"], row["died_year"], row["died_months"]) if "died" in row else None


def test_implants_are_offered_that_fit_the_event(catheter, pump, other_site, manager, signed_in):
    other = ImplantFactory(patient=PatientFactory(site=other_site), source_id="i-other")
    cause = EventFactory(implant=catheter)
    theirs = EventFactory(implant=other, complication=cause.complication, source_id="x")
    client = signed_in(manager)

    assert sorted(named(client, IMPLANTS)) == ["i-cath", "i-other", "i-pump"]
    assert named(client, IMPLANTS, site="OWN-1") == ["i-cath", "i-pump"]
    assert sorted(named(client, IMPLANTS, component="pump")) == ["i-other", "i-pump"]
    assert sorted(named(client, IMPLANTS, component="wire")) == ["i-cath", "i-other", "i-pump"]
    assert named(client, IMPLANTS, caused_by=cause.public_id) == ["i-cath", "i-pump"]
    assert named(client, IMPLANTS, caused_by=theirs.public_id) == ["i-other"]


def test_a_cause_of_another_site_tells_nothing_of_its_patient(
    catheter, other_site, reporter, signed_in
):
    other = ImplantFactory(patient=PatientFactory(site=other_site), source_id="i-other")
    theirs = EventFactory(implant=other)

    assert named(signed_in(reporter), IMPLANTS, caused_by=theirs.public_id) == ["i-cath"]


def test_causes_are_offered_of_the_same_patient(catheter, own_site, reporter, signed_in):
    EventFactory(implant=catheter, source_id="e-sme")
    EventFactory(site=own_site, source_id="e-unk")
    client = signed_in(reporter)

    assert named(client, CAUSES) == ["e-sme", "e-unk"]
    assert named(client, CAUSES, implant=catheter.public_id) == ["e-sme"]
    assert named(client, CAUSES, implant="no-uuid", site="OWN-1") == ["e-sme", "e-unk"]
    assert named(client, CAUSES, site="OTHER-2") == []


@pytest.mark.parametrize("key", ["i-cath", "3f2b8c1d-0a4e-4b6f-9d2c-7e5a1b0c9d8f"])
def test_without_script_an_implant_is_named_by_its_key(
    key, patient, migration, reporter, signed_in
):
    implant = ImplantFactory(patient=patient, source_id=key, catheter=True)
    sent = {"site": "OWN-1", "complication": migration.code, "implant": "", "implant_key": key}

    signed_in(reporter).post(ADD, sent)

    assert Event.objects.get().implant == implant


@pytest.mark.parametrize("key", ["i-nobody", "i-thrs"])
def test_a_key_that_is_not_on_file_at_the_site_is_refused(
    key, other_site, migration, reporter, signed_in
):
    ImplantFactory(patient=PatientFactory(site=other_site), source_id="i-thrs")
    sent = {"site": "OWN-1", "complication": migration.code, "implant_key": key}

    answer = signed_in(reporter).post(ADD, sent)

    [said] = form_of(answer).errors["implant"]
    assert said == "Nothing at your site has this key. Choose from the list."
    assert not Event.objects.exists()
    assert f'name="implant_key" value="{key}"' in answer.text


def test_a_key_of_two_sites_has_to_be_chosen(catheter, other_site, migration, manager, signed_in):
    ImplantFactory(patient=PatientFactory(site=other_site), source_id="i-cath", catheter=True)
    sent = {"site": "OWN-1", "complication": migration.code, "implant_key": "i-cath"}

    answer = signed_in(manager).post(ADD, sent)

    assert form_of(answer).errors["implant"] == ["Two sites have this key. Choose from the list."]


def test_the_newest_are_offered_first_where_every_site_s_rows_are_looked_through(
    catheter, other_site, manager, reporter, signed_in
):
    """Who sees every site has no use for the first keys of all; by site they come by key."""
    for key in ("a-2", "a-1", "a-3"):
        ImplantFactory(patient=PatientFactory(site=other_site), source_id=key)
    ImplantFactory(patient=catheter.patient, source_id="a-9", exit_status="lost-to-follow-up")

    assert named(signed_in(manager), IMPLANTS) == ["a-3", "a-1", "a-2", "i-cath", "a-9"]
    assert named(signed_in(manager), IMPLANTS, site="OTHER-2") == ["a-1", "a-2", "a-3"]
    assert named(signed_in(manager), IMPLANTS, term="a-") == ["a-1", "a-2", "a-3", "a-9"]
    assert named(signed_in(reporter), IMPLANTS) == ["i-cath", "a-9"]


def test_a_list_that_is_searched_while_typing_goes_on_over_its_parts(
    own_site, reporter, signed_in, monkeypatch
):
    monkeypatch.setattr("registry.admin.choosing.PAGE", 2)
    patient = PatientFactory(site=own_site)
    for key in ("b-1", "b-2", "b-3"):
        ImplantFactory(patient=patient, source_id=key)
    for key in ("a-1", "a-2"):
        ImplantFactory(patient=patient, source_id=key, exit_status="lost-to-follow-up")
    client = signed_in(reporter)

    pages = [client.get(IMPLANTS, {"page": page}).json() for page in (1, 2, 3, 4)]

    keys = [[row["text"].split()[0] for row in page["results"]] for page in pages]
    assert keys == [["b-1", "b-2"], ["b-3", "a-1"], ["a-2"], []]
    assert [page["pagination"]["more"] for page in pages] == [True, True, False, False]


def test_an_answer_that_is_not_offered_is_refused_without_echo(migration, own_site, signed_in):
    sent = {"site": "OWN-1", "complication": migration.code, "year": "2020"}
    sent |= dict.fromkeys(("severity", "outcome", "interventions", "alarm"), "zubraxil")

    form = form_of(signed_in(MembershipFactory(site=own_site).user).post(ADD, sent))

    refused = {name: list(said) for name, said in form.errors.items()}
    offered = ["Choose one of the answers that are offered."]
    assert refused == dict.fromkeys(("severity", "outcome", "interventions", "alarm"), offered)
    assert "zubraxil" not in str(form.errors)
