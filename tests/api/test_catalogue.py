"""The catalogue and the code lists, open to all."""

import pytest
from rest_framework.test import APIClient

from registry.models import Complication, PublishedRate, sealed
from registry.vocabulary import CODELISTS, Drug
from tests.catalogue.searching import cases, shipped_index

COMPLICATIONS = "/api/v1/complications/"


@pytest.fixture
def client(registry):
    return APIClient()


def test_catalogue_is_open_to_all(client):
    for address in (COMPLICATIONS, "/api/v1/categories/", "/api/v1/codelists/"):
        assert client.get(address).status_code == 200


def test_list_holds_every_complication_by_code(client):
    reply = client.get(COMPLICATIONS, {"limit": "500"})

    found = [row["code"] for row in reply.json()["results"]]
    assert found == list(Complication.objects.order_by("code").values_list("code", flat=True))
    assert len(found) == 94  # the rows of the shipped complications.csv
    assert reply.json()["next"] is None


def test_pages_hold_every_complication_once(client):
    seen, address = [], f"{COMPLICATIONS}?limit=30"
    while address:
        page = client.get(address).json()
        seen += [row["code"] for row in page["results"]]
        address = page["next"]

    assert len(seen) == len(set(seen)) == 94


@pytest.mark.parametrize(
    "words", ["pocket cellulitis", "CELLULITIS", "infection-pocket", "Pump pocket infection"]
)
def test_search_finds_name_synonym_and_code(client, words):
    found = [row["code"] for row in client.get(COMPLICATIONS, {"q": words}).json()["results"]]

    assert found[0] == "infection-pocket"
    assert "catheter-kink" not in found


@pytest.mark.parametrize("case", cases("search_cases")[::8])
def test_search_ranks_as_everywhere(client, case):
    words, _expected = case
    found = [row["code"] for row in client.get(COMPLICATIONS, {"q": words}).json()["results"]]

    assert found == list(shipped_index().search(words).codes)


def test_search_by_imdrf_code_puts_the_closest_first(client):
    reply = client.get(COMPLICATIONS, {"q": "E1906"}).json()

    assert reply["results"][0]["code"] == "infection-unspecified"
    assert reply["nearest"] is False


def test_search_says_where_it_found_only_the_nearest(client):
    reply = client.get(COMPLICATIONS, {"q": "xylophone"}).json()

    assert reply["nearest"] is True
    assert 1 <= len(reply["results"]) <= 5


def test_pages_of_a_search_hold_every_result_once_in_order(client):
    whole = [row["code"] for row in client.get(COMPLICATIONS, {"q": "catheter"}).json()["results"]]
    seen, address = [], f"{COMPLICATIONS}?q=catheter&limit=7"
    while address:
        page = client.get(address).json()
        seen += [row["code"] for row in page["results"]]
        address = page["next"]

    assert seen == whole
    assert len(whole) > 14


def test_search_narrows_to_a_category(client):
    reply = client.get(COMPLICATIONS, {"q": "leak", "category": "pump"}).json()

    assert reply["results"][0]["code"] == "pump-septum-leak"
    assert {row["category"] for row in reply["results"]} == {"pump"}


def test_list_narrows_to_categories(client):
    reply = client.get(COMPLICATIONS, {"category": "withdrawal,consequence", "limit": "500"})

    assert {row["category"] for row in reply.json()["results"]} == {"withdrawal", "consequence"}


def test_complication_shows_sources_codes_and_rates(client):
    shown = client.get(f"{COMPLICATIONS}infection-pocket/").json()

    assert shown["name"] == "Pump pocket infection"
    assert shown["imdrf"] == {"annex_a": [], "annex_e": ["E1906"]}
    assert shown["evidence"] == "abstract"
    assert shown["natural_denominator"] == "procedures"
    assert shown["in_totals"] is True
    assert "pocket abscess" in shown["synonyms"]
    assert len(shown["citations"]) == 3
    assert shown["citations"][0].startswith("Follett KA")


def test_rates_that_are_not_shown_stay_in_the_registry(client):
    rate = PublishedRate.objects.filter(complication__isnull=False, shown=True)[0]
    address = f"{COMPLICATIONS}{rate.complication_id}/"
    before = client.get(address).json()["published_rates"]
    rate.shown = False
    with sealed(by=None, action="test") as seal:
        seal.save(rate)

    after = client.get(address).json()["published_rates"]

    assert rate.rate_id in {each["id"] for each in before}
    assert rate.rate_id not in {each["id"] for each in after}
    assert len(after) == len(before) - 1


def test_published_numbers_are_json_numbers(client):
    # Taira 2013: 25 migrations among 400 patients, and what else the source gives of it
    rates = [
        rate
        for row in client.get(COMPLICATIONS, {"limit": "500"}).json()["results"]
        for rate in row["published_rates"]
    ]

    assert rates
    assert all(isinstance(rate["numerator"], int | float | None) for rate in rates)
    assert any(rate["denominator"] == 400 for rate in rates)


def test_retired_complication_names_its_successor(client):
    retired = Complication.objects.get(code="catheter-kink")
    retired.retired, retired.replaced_by_id = True, "catheter-occlusion"
    with sealed(by=None, action="test") as seal:
        seal.save(retired)

    shown = client.get(f"{COMPLICATIONS}catheter-kink/").json()

    assert (shown["retired"], shown["replaced_by"]) == (True, "catheter-occlusion")


@pytest.mark.parametrize("address", ["complications/no-such/", "codelists/no-such/"])
def test_unknown_entry_is_not_found(client, address):
    reply = client.get(f"/api/v1/{address}")

    assert reply.status_code == 404
    assert reply["Content-Type"] == "application/problem+json"
    assert "no-such" not in reply.content.decode()


@pytest.mark.parametrize("code", ["%00", "catheter-kink%00", "Catheter-Kink", "%C3%A9", "a" * 41])
def test_code_that_no_entry_can_have_asks_the_database_nothing(
    client, code, django_assert_num_queries
):
    with django_assert_num_queries(0):
        assert client.get(f"{COMPLICATIONS}{code}/").status_code == 404


@pytest.mark.parametrize(
    ("params", "code", "nearest"),
    [
        ({"categry": "x"}, "unknown-parameter", "category"),
        ({"category": "infections"}, "unknown-code", "infection"),
        ({"q": "a\x00b"}, "bad-range", ""),
        ({"q": "x" * 101}, "bad-range", ""),
        ({"limit": "501"}, "bad-range", ""),
        ({"cursor": "not base64!"}, "bad-cursor", ""),
        ({"cursor": "JycgT1I"}, "bad-cursor", ""),
    ],
)
def test_bad_question_is_refused(client, params, code, nearest):
    reply = client.get(COMPLICATIONS, params)

    assert reply.status_code == 400
    assert reply.json()["code"] == code
    assert nearest in reply.json()["detail"]


def test_repeated_parameter_is_refused(client):
    reply = client.get(f"{COMPLICATIONS}?q=a&q=b")

    assert reply.json()["code"] == "repeated-parameter"


@pytest.mark.parametrize("limit", [5, 94])
def test_list_takes_the_same_queries_however_long(client, limit, django_assert_num_queries):
    with django_assert_num_queries(4):  # complications, published rates, names, IMDRF codes
        client.get(COMPLICATIONS, {"limit": limit})


def test_categories_carry_their_rates(client):
    rows = {row["code"]: row for row in client.get("/api/v1/categories/").json()["results"]}

    assert rows["catheter"]["natural_denominator"] == "catheter-months"
    assert len(rows) == 9
    assert any(row["published_rates"] for row in rows.values())


def test_code_lists_are_all_there(client):
    reply = client.get("/api/v1/codelists/").json()

    names = [row["name"] for row in reply["results"]]
    assert names == sorted([*CODELISTS, "category", "complication"])
    for row in reply["results"]:
        assert client.get(row["url"]).status_code == 200


def test_code_list_serves_drop_downs_and_dashboards(client):
    rows = client.get("/api/v1/codelists/drug/").json()["results"]

    assert [row["id"] for row in rows] == [drug.value for drug in Drug]
    assert rows[0] == {
        "id": "morphine",
        "label": "Morphine",
        "definition": "Hydrophilic opioid, the reference.",
        "verified": True,
        "__value": "morphine",
        "__text": "Morphine",
    }


def test_numbers_of_a_code_list_are_codes_like_the_others(client):
    rows = client.get("/api/v1/codelists/severity/").json()["results"]

    assert [row["id"] for row in rows] == ["1", "2", "3", "4", "5"]


def test_code_list_of_complications_leaves_out_retired_ones(client):
    retired = Complication.objects.get(code="catheter-kink")
    retired.retired = True
    with sealed(by=None, action="test") as seal:
        seal.save(retired)

    rows = client.get("/api/v1/codelists/complication/").json()["results"]

    assert "catheter-kink" not in {row["id"] for row in rows}
    assert len(rows) == 93


@pytest.mark.parametrize("words", ["Õ", "?", "--", "痛", "\U0001f489"])
def test_search_without_a_word_of_the_catalogue_finds_nothing(client, words):
    reply = client.get(COMPLICATIONS, {"q": words})

    assert reply.status_code == 200
    assert reply.json()["results"] == []
