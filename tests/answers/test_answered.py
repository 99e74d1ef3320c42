"""The literature beside an answer, and the words that cite it."""

from registry.answers.answered import citation_of, literature_of
from registry.vocabulary import Evidence

META = {
    "title": "Rates of Catheter migration",
    "snapshot": {"id": "abcdef0123456789", "kind": "release", "label": "2026Q4"},
    "data_as_of": "2026-11-21T23:58:00+00:00",
    "profile": "protected",
    "receipt": "eyJx:sig",
}


def absolute(address):
    return f"https://registry.example{address}"


def test_a_citation_names_question_data_profile_and_where_to_have_it_again():
    cited = citation_of(META, absolute)

    assert cited.words == (
        "Pump registry. Rates of Catheter migration. Release 2026Q4, data as of 21 November 2026, "
        "23:58 UTC, protected numbers. "
        "https://registry.example/api/v1/statistics/receipts/eyJx:sig/"
    )
    assert cited.lasts


def test_the_data_of_the_day_do_not_last():
    working = {"id": "abcdef0123456789", "kind": "working", "label": ""}

    cited = citation_of(META | {"snapshot": working}, absolute)

    assert "Working snapshot abcdef012345, data as of" in cited.words
    assert not cited.lasts


def test_published_shares_are_in_per_cent_and_rates_in_their_unit():
    share = {
        "complication": "catheter-migration",
        "measure": "proportions",
        "value": 0.0625,
        "ci_lower": 0.0427,
        "ci_upper": 0.0907,
        "source": "Taira et al, Neuromodulation 2013;16:266",
        "year": 2013,
        "evidence": "seen",
    }
    rate = share | {
        "measure": "rates",
        "value": 4.5,
        "ci_lower": None,
        "ci_upper": None,
        "per": 1000,
        "unit": "catheter-months",
    }

    undated = share | {"source": "Medtronic", "year": 2020}
    in_percent, per_month, undated = literature_of({"literature": [share, rate, undated]})

    assert (in_percent.value, in_percent.limits) == ("6.25 %", "4.27 to 9.07 %")
    assert in_percent.source == "Taira et al, Neuromodulation 2013;16:266"
    assert in_percent.evidence == Evidence.SEEN.label
    assert undated.source == "Medtronic (2020)"
    assert (per_month.value, per_month.limits) == ("4.5 per 1000 catheter-months", "")


def test_an_answer_without_published_figures_has_none():
    assert literature_of({}) == []
