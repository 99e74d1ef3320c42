"""The catalogue in the admin: all staff read it, data managers keep it."""

import pytest

from registry.models import Complication, PublishedRate, sealed
from tests.factories import ComplicationFactory

LIST = "/admin/registry/complication/"
PAGE = "/admin/registry/complication/catheter-migration/change/"


@pytest.fixture
def term(db):
    term = ComplicationFactory(synonyms="dislodgement; tip displacement")
    with sealed(by=None, action="load-catalogue") as seal:
        seal.save(
            PublishedRate(
                rate_id="R004",
                complication=term,
                metric="catheter migration",
                measure_type="proportion",
                reported_rate="6.3%",
                source="Taira et al, Neuromodulation 2013;16:266",
            )
        )
    return term


@pytest.mark.parametrize("role", ["reporter", "lead", "reviewer", "manager", "auditor"])
def test_all_staff_read_the_catalogue_with_its_evidence(role, term, request, signed_in):
    client = signed_in(request.getfixturevalue(role))

    assert term.name in client.get(LIST, {"q": "dislodgement"}).text
    html = client.get(PAGE).text
    for words in ("Seen", "6.3%", "Taira et al", "dislodgement"):
        assert words in html


@pytest.mark.parametrize("role", ["reporter", "lead", "reviewer", "auditor"])
def test_nobody_but_a_data_manager_changes_the_catalogue(role, term, request, signed_in):
    answer = signed_in(request.getfixturevalue(role)).post(PAGE, {"name": "Another name"})

    assert answer.status_code == 403
    assert Complication.objects.get().name == "catheter migration"


def sent_back(client, **changed):
    form = client.get(PAGE).context["adminform"].form
    kept = {name: form[name].value() for name in form.fields if form[name].value() is not None}
    return {**{k: v for k, v in kept.items() if v is not False}, **changed}


def test_a_data_manager_changes_a_term_under_a_seal(term, manager, signed_in):
    client = signed_in(manager)

    answer = client.post(PAGE, sent_back(client, definition="The tip has moved by 1 cm or more."))

    assert answer.status_code == 302
    newest = term.history.first()
    assert newest.definition == "The tip has moved by 1 cm or more."
    assert newest.history_user == manager
    assert newest.name == "catheter migration"


def test_a_term_that_is_replaced_must_be_retired(term, manager, signed_in):
    successor = ComplicationFactory(code="catheter-dislodgement")
    client = signed_in(manager)

    answer = client.post(PAGE, sent_back(client, replaced_by=successor.code))

    assert answer.status_code == 200
    assert answer.context["errors"]
    term.refresh_from_db()
    assert term.replaced_by is None


def test_a_term_is_retired_in_favour_of_another(term, manager, signed_in):
    successor = ComplicationFactory(code="catheter-dislodgement")
    client = signed_in(manager)

    client.post(PAGE, sent_back(client, retired="on", replaced_by=successor.code))

    term.refresh_from_db()
    assert (term.retired, term.replaced_by) == (True, successor)


NEW = {
    "code": "pump-flooding",
    "name": "Pump flooding",
    "category": "catheter",
    "definition": "Fluid inside the housing of the pump.",
    "synonyms": "",
    "origin": "pump",
    "clock": "pump",
    "natural_denominator": "pump-months",
    "in_totals": "on",
    "evidence": "convention",
}


def test_a_data_manager_adds_a_term_of_this_registrys_own(term, manager, signed_in):
    answer = signed_in(manager).post(f"{LIST}add/", NEW)

    assert answer.status_code == 302
    added = Complication.objects.get(code="pump-flooding")
    assert (added.name, added.clock, added.in_totals) == ("Pump flooding", "pump", True)
    assert added.history.get().history_user == manager


def test_a_code_is_used_once(term, manager, signed_in):
    answer = signed_in(manager).post(f"{LIST}add/", {**NEW, "code": "catheter-migration"})

    assert "code" in answer.context["adminform"].form.errors
    term.refresh_from_db()
    assert term.name == "catheter migration"


@pytest.mark.parametrize("role", ["reporter", "reviewer", "auditor"])
def test_nobody_but_a_data_manager_adds_a_term(role, term, request, signed_in):
    answer = signed_in(request.getfixturevalue(role)).post(f"{LIST}add/", NEW)

    assert answer.status_code == 403
