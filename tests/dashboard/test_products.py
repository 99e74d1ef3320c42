"""The pages of products: whose numbers they show, and what stands for a hidden one."""

import pytest
from django.core.cache import cache
from django.core.management import call_command

from registry import reporting
from registry.dashboard.product_pages import (
    compared_in_words,
    signal_table,
)
from registry.dashboard.products import KINDS
from registry.vocabulary import Measure, Role
from tests.dashboard.panels import panel, rate
from tests.factories import (
    CategoryFactory,
    ComplicationFactory,
    EventFactory,
    ImplantFactory,
    PatientFactory,
)

PUMP = KINDS["pump"]
MODEL, OTHER = "synchromed-ii-20", "prometra-ii-20"
PAGE = f"/products/pump/{MODEL}/"


@pytest.fixture
def pumps(followed, site):
    """Fifteen pumps of one model followed for 60 months; one stalled."""
    category = CategoryFactory(code="pump", natural_denominator="pump-months")
    term = ComplicationFactory(
        code="stall",
        name="Motor stall",
        category=category,
        clock="pump",
        natural_denominator="pump-months",
    )
    made = [ImplantFactory(patient=PatientFactory(site=site), pump_model=MODEL) for _ in range(15)]
    EventFactory(implant=made[0], complication=term, months_since_implant=12)
    call_command("freeze", release="2026Q4", verbosity=0)
    return made


@pytest.mark.parametrize("page", ["/products/", PAGE, "/dashboard/", "/dashboard/explore/"])
def test_page_before_the_catalogue_is_loaded_says_that_nothing_is_published(page, as_role, db):
    reply = as_role(Role.RESEARCHER).get(page)

    assert reply.status_code in {200, 409}
    assert "No data are published yet" in reply.text


def test_names_are_open_to_all_and_numbers_are_not(client, pumps):
    listed, page = client.get("/products/"), client.get(PAGE)

    assert f'href="{PAGE}"' in listed.text
    assert "sign in" in listed.text
    assert "SynchroMed II, 20 mL" in page.text
    assert "at risk" not in listed.text + page.text


@pytest.mark.parametrize("address", ["/products/pump/none/", "/products/lead/x/"])
def test_a_model_that_there_is_not_is_not_found(address, client, db):
    assert client.get(address).status_code == 404


def test_a_model_has_its_freedom_from_failure_at_whole_years(as_role, pumps):
    page = as_role(Role.REVIEWER).get(PAGE)

    table = page.context["landmarks"]
    [(group, address, cells)] = table.linked
    assert (group, address) == ("SynchroMed II, 20 mL", PAGE)
    assert table.years[0] == "1 year"
    assert cells[0].value == "93.33 %"  # 14 of 15
    assert page.context["curve"]["address"].endswith(
        "pump_model=synchromed-ii-20&labels=both&format=svg"
    )
    failures = {row.name: row.figure.counts for row in page.context["failures"].rows}
    assert failures["Motor stall"] == "1"


def test_a_protected_reader_of_few_pumps_sees_that_numbers_are_hidden(as_role, pumps):
    page = as_role(Role.RESEARCHER).get(PAGE)

    assert page.context["landmarks"] is None
    assert "No curve is told at a whole year" in page.text
    assert page.context["failures"].rows == []
    assert "which does not mean none" in page.text
    assert "93.33" not in page.text


@pytest.fixture
def asked(monkeypatch):
    """The questions that pages ask from now on: measure and query."""
    cache.clear()
    found = []
    answer = reporting.answer

    def noted(query, **how):
        found.append((how["measure"], query))
        return answer(query, **how)

    monkeypatch.setattr(reporting, "answer", noted)
    return found


def test_every_models_page_shares_the_questions_that_name_no_model(as_role, pumps, asked):
    client = as_role(Role.REVIEWER)

    client.get(PAGE)
    first = list(asked)
    asked.clear()
    client.get(f"/products/pump/{OTHER}/")

    assert len(first) == len(asked) == 6
    assert len([question for question in asked if question in first]) == 4


def test_an_auditor_is_told_that_statistics_are_not_for_him(as_role, pumps):
    assert "Your account may not ask this question" in as_role(Role.AUDITOR).get(PAGE).text


def compared(**columns):
    row = {"ratio": 2.5, "ci_lower": 1.5, "ci_upper": 4.0, "note": "", **columns}
    return panel(Measure.COMPARISON, [{**rate(250.0, pump_model=MODEL), **row}])


def test_a_models_rate_is_held_against_all_other_models_together():
    assert compared_in_words(compared(), PUMP, MODEL) == (
        "250 pump problems per 100 pump-years: 2.5 (1.5 to 4) times the rate of all other pumps "
        "together, crude."
    )
    hidden = compared(rate=None, ratio=None, status="suppressed")
    assert "suppressed" in compared_in_words(hidden, PUMP, MODEL)
    without = compared(ratio=None, note="The others have no events to compare with.")
    assert compared_in_words(without, PUMP, MODEL).endswith(
        "No ratio: The others have no events to compare with."
    )
    assert compared_in_words(compared(), PUMP, "unknown") == ""


def test_the_adjusted_ratio_stands_beside_the_crude_one():
    crude = {"crude_ratio": 3.0, "crude_lower": 2.0, "crude_upper": 4.5}

    assert compared_in_words(compared(**crude), PUMP, MODEL).endswith(
        "3 (2 to 4.5) times the rate of all other pumps together, crude; 2.5 (1.5 to 4) times "
        "with months since implant held alike."
    )
    alone = compared(ratio=None, ci_lower=None, ci_upper=None, **crude)
    assert compared_in_words(alone, PUMP, MODEL).endswith("all other pumps together, crude.")


@pytest.mark.parametrize(("role", "adjust"), [(Role.REVIEWER, ("window",)), (Role.RESEARCHER, ())])
def test_months_since_implant_are_held_alike_where_numbers_are_exact(
    role, adjust, as_role, pumps, asked
):
    page = as_role(role).get(PAGE)

    (query,) = [query for measure, query in asked if measure is Measure.COMPARISON]
    assert (query.reference, query.adjust) == ("others", adjust)
    assert page.context["compared"]


def test_signals_of_a_model_are_the_told_pairs_with_their_q():
    pair = {
        "pump_model": MODEL,
        "complication": "stall",
        "complication_label": "Motor stall",
        "n": 30,
        "expected": 14.8,
        "prr": 2.73,
        "prr_lower": 1.96,
        "prr_upper": 3.8,
        "ic_lower": 0.44,
        "q": 0.00001,
        "rate_ratio": 2.9,
        "signal": True,
        "outlier": True,
        "status": "ok",
    }
    hidden = {**pair, "ic_lower": None, "status": "suppressed"}
    answer = panel(Measure.SIGNALS, [pair, hidden, {**pair, "pump_model": OTHER}])

    found = signal_table(answer, PUMP, MODEL, "complication")

    [line] = found.lines
    assert (line.reports, line.prr, line.q) == ("30 where 14.8 are expected", "2.73", "1e-05")
    assert (line.verdict, line.address) == ("signal and outlier", "/complications/stall/")
    assert found.hidden == 1
