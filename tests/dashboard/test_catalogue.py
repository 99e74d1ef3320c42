"""The start page, the catalogue's search, and a page for each complication."""

import re

import pytest

from registry import reporting
from registry.models import Complication, PublishedRate, sealed
from registry.vocabulary import Role
from tests.factories import CategoryFactory, ComplicationFactory, EventFactory


@pytest.fixture
def migration(db):
    return ComplicationFactory(
        name="Catheter migration",
        synonyms="dislodgement; tip displacement",
        imdrf_annex_a="A0406",
        imdrf_annex_e="E2330",
        citations="Taira T, et al. Neuromodulation 2013;16:266 | Motta F, et al. 2014",
    )


@pytest.fixture
def granuloma(db):
    return ComplicationFactory(
        code="granuloma",
        name="Catheter-tip inflammatory mass",
        synonyms="intrathecal granuloma; IMM",
        category=CategoryFactory(code="neurological", name="Neurological", sort_order=6),
        definition="Sterile inflammatory mass at the tip.",
    )


def publish(complication, **columns):
    with sealed(by=None, action="load-catalogue") as seal:
        seal.save(
            PublishedRate(
                **{
                    "rate_id": "R004",
                    "complication": complication,
                    "metric": "migration",
                    "measure_type": "proportion",
                    "numerator": 25,
                    "denominator": 400,
                    "unit": "patients",
                    "reported_rate": "6.3%",
                    "population": "severe spasticity, Japan",
                    "source": "Taira et al, 2013",
                    "confidence": "source-seen",
                    **columns,
                }
            )
        )


def test_the_start_page_has_three_doors(client, migration):
    html = client.get("/").text

    for address in ("/admin/", "/dashboard/", "/api/v1/docs/"):
        assert f'class="button" href="{address}"' in html


def test_the_start_page_lists_the_catalogue_by_category(client, migration, granuloma):
    html = client.get("/").text

    assert html.index("Catheter migration") < html.index("Catheter-tip inflammatory mass")
    assert "2 complications in 2 categories" in html


@pytest.mark.parametrize("text", ["INFLAMMATORY", "imm", "granulom", "tip mass", "  granuloma "])
def test_a_search_finds_by_name_synonym_or_code(text, client, migration, granuloma):
    answer = client.get("/", {"q": text})

    assert answer.context["found"].rows[0] == granuloma
    assert "found, best match first" in answer.text
    assert "Sterile inflammatory mass at the tip." in answer.text


def test_where_nothing_fits_the_nearest_are_shown(client, migration, granuloma):
    answer = client.get("/", {"q": "granilo xx yyyy zzzz"})

    assert answer.context["found"].nearest
    assert "Nothing in the catalogue fits these words" in answer.text
    assert "The nearest are below" in answer.text
    assert granuloma.name in answer.text


def test_a_search_says_by_which_name_it_found(client, migration, granuloma):
    assert "Found by: intrathecal granuloma" in client.get("/", {"q": "intrathecal granuloma"}).text


def test_the_tree_of_the_catalogue_stands_beside_the_search(client, migration, granuloma):
    html = client.get("/", {"q": "granuloma"}).text

    assert html.index('id="browse"') < html.index('href="/complications/catheter-migration/"')


def test_a_search_is_narrowed_to_a_category(client, migration, granuloma):
    assert client.get("/", {"category": "neurological"}).context["found"].rows == (granuloma,)
    assert client.get("/", {"category": "none-such"}).context["found"].rows == ()
    narrowed = client.get("/", {"category": "neurological", "q": "dislodgement"})
    assert migration not in narrowed.context["found"].rows


def test_a_search_shows_what_was_typed_as_text(client, migration):
    html = client.get("/", {"q": '"><script>alert(1)</script>'}).text

    assert "<script>" not in html


def test_a_complications_page_says_what_is_known(client, migration):
    publish(migration)

    html = client.get("/complications/catheter-migration/").text

    for words in (
        "The tip has left the place where it was put.",
        "dislodgement, tip displacement",
        "A0406",
        "E2330",
        "<li>Motta F, et al. 2014</li>",
        "Seen: The source itself was read.",
        "6.3%",
        "25 / 400 patients",
        "Proportion",
        "Taira et al, 2013",
    ):
        assert words in html


def test_ours_stands_beside_the_published_where_measure_and_unit_agree(as_role, released):
    publish(released_term())
    publish(released_term(), rate_id="R999", unit="procedures", source="Unlike et al, 2020")

    answer = as_role(Role.REVIEWER).get("/complications/catheter-migration/")

    share, rate = answer.context["comparisons"]
    assert (share.ours_counts, share.ours_value) == ("2 of 12", "16.67 %")
    assert [each.label for each in share.published] == ["Taira et al 2013"]
    assert (rate.ours_value, rate.remark, rate.published) == ("3.21", "unstable", [])
    [svg] = re.findall(r'<svg[^>]* role="img".*?</svg>', answer.text, flags=re.DOTALL)
    assert "This registry 16.67 %; Taira et al 2013 6.25 %" in svg
    assert "style=" not in svg
    assert "/dashboard/explore/?complication=catheter-migration" in answer.text


def test_strangers_see_what_is_published_and_how_to_sign_in(client, released):
    publish(released_term())

    html = client.get("/complications/catheter-migration/").text

    assert '<a href="/login/?next=/complications/catheter-migration/">sign in</a>' in html
    assert "Taira et al, 2013" in html
    assert "16.67" not in html


def test_a_protected_reader_sees_no_small_number(as_role, released):
    answer = as_role(Role.RESEARCHER).get("/complications/catheter-migration/")

    assert {each.ours_value for each in answer.context["comparisons"]} == {"hidden"}
    assert "Hidden does not mean none" in answer.text


def test_a_reader_without_statistics_is_told_so_in_place(as_role, released):
    answer = as_role(Role.AUDITOR).get("/complications/catheter-migration/")

    assert answer.status_code == 200
    assert "Your account may not ask this" in answer.text
    assert answer.context["comparisons"] == []


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.RESEARCHER])
def test_a_complication_that_is_younger_than_the_release_has_a_page(role, as_role, released):
    ComplicationFactory(code="brand-new", name="Brand new")

    assert as_role(role).get("/complications/brand-new/").status_code == 200


def test_a_complications_page_asks_as_many_questions_whatever_there_is(
    as_role, released, monkeypatch
):
    asked = []
    answer = reporting.answer

    def noted(query, **how):
        asked.append((how["measure"].value, *query.group_by))
        return answer(query, **how)

    monkeypatch.setattr(reporting, "answer", noted)

    as_role(Role.REVIEWER).get("/complications/catheter-migration/")

    by = ("window", "year", "age_band", "sex", "drug", "catheter_model", "procedure")
    assert asked == [
        ("proportions",),
        ("rates",),
        *(("rates", name) for name in by),
        ("cascades", "complication"),
    ]


def test_a_complications_rates_stand_by_who_had_it_and_when(as_role, released):
    answer = as_role(Role.REVIEWER).get("/complications/catheter-migration/")

    found = {one.id: one for one in answer.context["breakdowns"]}
    [drug] = found["by-drug"].rows
    # 2 first events in 624 catheter-months, per 1,200
    assert (drug.name, drug.figure.value, drug.figure.counts) == ("Morphine", "3.85", "2")
    assert found["by-drug"].unit == "per 100 catheter-years"
    windows = {row.name: row.figure.counts for row in found["by-window"].rows}
    assert windows["4 to 12 months"] == "2"
    assert found["by-sex"].explore == (
        "/dashboard/explore/?complication=catheter-migration&group_by=sex"
    )


def test_a_protected_reader_is_told_that_rows_are_hidden(as_role, released):
    answer = as_role(Role.RESEARCHER).get("/complications/catheter-migration/")

    found = {one.id: one for one in answer.context["breakdowns"]}
    assert all(one.rows == [] for one in found.values())
    assert found["by-sex"].hidden > 0
    assert "which does not mean none" in answer.text
    assert "3.85" not in answer.text


def test_causes_and_effects_lead_to_their_pages(as_role, followed):
    migration = Complication.objects.get(code="catheter-migration")
    withdrawal = ComplicationFactory(
        code="withdrawal", name="Withdrawal", category=CategoryFactory(code="withdrawal")
    )
    implant = followed[3]
    cause = EventFactory(implant=implant, complication=migration)
    EventFactory(implant=implant, complication=withdrawal, caused_by=cause)
    client = as_role(Role.REVIEWER)

    of_cause = client.get("/complications/catheter-migration/").context["cascades"]
    of_effect = client.get("/complications/withdrawal/").context["cascades"]

    [led_to] = of_cause.it_led_to
    assert (led_to.name, led_to.n) == ("Withdrawal", "1")
    assert led_to.share == "33.33 %"  # of three migrations
    [led_by] = of_effect.led_to_it
    assert led_by.address == "/complications/catheter-migration/"
    assert (of_cause.led_to_it, of_effect.it_led_to) == ([], [])


def released_term():
    return Complication.objects.get(code="catheter-migration")


def test_a_rate_that_is_not_to_be_shown_is_not_shown(client, migration):
    publish(migration, shown=False)

    html = client.get("/complications/catheter-migration/").text

    assert "6.3%" not in html
    assert "No published rate is on file" in html


def test_a_retired_term_names_its_successor(client, granuloma):
    ComplicationFactory(code="old-mass", name="Old mass", retired=True, replaced_by=granuloma)

    html = client.get("/complications/old-mass/").text

    assert "This term is retired" in html
    assert '<a href="/complications/granuloma/">Catheter-tip inflammatory mass</a> instead' in html


def test_a_retired_term_is_found_and_marked_but_not_listed(client, granuloma):
    ComplicationFactory(code="old-mass", name="Old mass", retired=True)

    assert "Retired</span>" in client.get("/", {"q": "old"}).text
    assert "Old mass" not in client.get("/").text


def test_an_unknown_complication_is_not_found(client, db):
    answer = client.get("/complications/none-such/")

    assert answer.status_code == 404
    assert "Search the catalogue" in answer.text


def test_the_pages_of_the_catalogue_are_read_only(client, migration):
    assert client.post("/").status_code == 405
    assert client.post("/complications/catheter-migration/").status_code == 405
