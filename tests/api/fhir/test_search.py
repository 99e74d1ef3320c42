"""Searching one's own events as FHIR does."""

import pytest

from registry.api.fhir import adverse_events
from registry.filters import lists
from registry.models import AccessLog, Seal
from tests.api.conftest import client_of

EVENTS = "/fhir/r4/AdverseEvent"


def found(client, **params):
    reply = client.get(EVENTS, params)
    assert reply.status_code == 200, reply.json()
    bundle = reply.json()
    return {each["resource"].get("identifier", {}).get("value") for each in bundle.get("entry", [])}


def refused(client, **params):
    reply = client.get(EVENTS, params)
    assert reply.status_code == 400
    return [
        (issue["location"][0], issue["details"]["coding"][0]["code"])
        for issue in reply.json()["issue"]
    ]


@pytest.mark.parametrize(("most", "total"), [(3, 3), (2, None)])
def test_no_page_counts_more_than_so_many_matches(as_reporter, make, monkeypatch, most, total):
    """FHIR asks a page for no total; `_count=0` asks for the number alone, and gets it."""
    for module in (lists, adverse_events):
        monkeypatch.setattr(module, "MOST_COUNTED", most)
    for key in ("a-1", "a-2", "a-3"):
        make(source_id=key)

    assert as_reporter.get(EVENTS).json().get("total") == total
    assert as_reporter.get(EVENTS, {"_count": "0"}).json()["total"] == 3


@pytest.fixture
def dated(make, settings):
    """Events of a year, of a month, and of no date."""
    settings.REGISTRY_DATE_PRECISION = "month"
    make(source_id="y19", year="2019")
    make(source_id="y20", year="2020")
    make(source_id="m20", year="2020", month="4", complication="catheter-migration")
    make(source_id="none", year="")


def test_searchset_holds_own_events_alone(registry, as_reporter, make):
    event = make(source_id="a-1")

    bundle = as_reporter.get(EVENTS).json()

    assert (bundle["resourceType"], bundle["type"], bundle["total"]) == ("Bundle", "searchset", 1)
    (entry,) = bundle["entry"]
    assert entry["fullUrl"] == f"http://testserver{EVENTS}/{event.public_id}"
    assert entry["search"] == {"mode": "match"}
    assert entry["resource"]["id"] == str(event.public_id)
    assert bundle["link"] == [{"relation": "self", "url": f"http://testserver{EVENTS}"}]
    nothing = client_of(registry.stranger).get(EVENTS).json()
    assert nothing["total"] == 0
    assert "entry" not in nothing


def test_pages_follow_by_next_and_keep_the_filters(as_reporter, make):
    made = [str(make(source_id=f"k-{n}").public_id) for n in range(3)]
    make(source_id="other", complication="catheter-migration")
    address = f"{EVENTS}?_count=2&event=infection-pocket"
    seen = []

    for _page in range(2):
        bundle = as_reporter.get(address).json()
        assert bundle["total"] == 3
        seen += [each["resource"]["id"] for each in bundle["entry"]]
        following = [each["url"] for each in bundle["link"] if each["relation"] == "next"]
        address = following[0] if following else None

    assert seen == made
    assert address is None


@pytest.mark.parametrize("count", ["0", "2", "9999"])
def test_count_bounds_the_page_and_never_the_total(as_reporter, make, count):
    for n in range(3):
        make(source_id=f"k-{n}")

    bundle = as_reporter.get(EVENTS, {"_count": count}).json()

    assert bundle["total"] == 3
    assert len(bundle.get("entry", [])) == min(int(count), 3)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("2020", {"y20", "m20"}),
        ("eq2020", {"y20", "m20"}),
        ("2020-04", {"m20"}),
        ("2020-04-01", set()),
        ("ne2020", {"y19"}),
        ("gt2019", {"y20", "m20"}),
        ("gt2020", set()),
        ("gt2020-04", {"y20"}),
        ("ge2020", {"y20", "m20"}),
        ("ge2020-05", {"y20"}),
        ("lt2020", {"y19"}),
        ("lt2020-04", {"y19", "y20"}),
        ("lt2020-04-02", {"y19", "y20", "m20"}),
        ("le2020", {"y19", "y20", "m20"}),
        ("sa2019", {"y20", "m20"}),
        ("sa2020-03", {"m20"}),
        ("sa2020-03-31", {"m20"}),
        ("sa2020-04", set()),
        ("eb2020", {"y19"}),
        ("eb2020-05", {"y19", "m20"}),
        ("eb2020-12-31T23:59:00Z", {"y19", "m20"}),
        ("eb2021-01-01T00:00:00Z", {"y19", "y20", "m20"}),
        ("2019,2020-04", {"y19", "m20"}),
        ("9998", set()),
    ],
)
def test_dates_are_spans(as_reporter, dated, asked, expected):
    assert found(as_reporter, date=asked) == expected


def test_repeated_parameter_holds_each_time(as_reporter, dated):
    assert found(as_reporter, date=["ge2019", "lt2020"]) == {"y19"}


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("infection-pocket", {"y19", "y20", "none"}),
        ("urn:pump-registry:complications|catheter-migration", {"m20"}),
        ("E1906", {"y19", "y20", "none"}),
        ("urn:pump-registry:imdrf:annex-e|E1906", {"y19", "y20", "none"}),
        ("infection-pocket,catheter-migration", {"y19", "y20", "none", "m20"}),
        ("infection-meningitis", set()),
    ],
)
def test_complication_is_found_by_our_code_or_imdrfs(as_reporter, dated, asked, expected):
    assert found(as_reporter, event=asked) == expected


def test_complication_is_code_in_r5(as_reporter, dated):
    in_r5 = as_reporter.get("/fhir/r5/AdverseEvent", {"code": "catheter-migration"}).json()

    assert in_r5["total"] == 1
    assert refused(as_reporter, code="catheter-migration") == [("http.code", "unknown-parameter")]


def test_category_is_found_by_its_code(as_reporter, dated):
    assert found(as_reporter, category="catheter") == {"m20"}
    assert found(as_reporter, category="urn:pump-registry:categories|catheter") == {"m20"}


def test_ids_are_alternatives(as_reporter, make):
    one, two, _three = (make(source_id=f"k-{n}").public_id for n in range(3))

    assert found(as_reporter, _id=f"{one},{two}") == {"k-0", "k-1"}


def test_last_change_is_an_instant(as_reporter, make):
    make(source_id="k-1")
    day = f"{Seal.objects.latest('number').at:%Y-%m-%d}"

    for asked in (day, f"ge{day}", f"le{day}", "gt2020", "sa2020-01-01T10:00:00+01:00"):
        assert found(as_reporter, _lastUpdated=asked) == {"k-1"}, asked
    for asked in ("2020", f"gt{day}", f"lt{day}", f"ne{day}", "eb2020"):
        assert found(as_reporter, _lastUpdated=asked) == set(), asked


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"date": "soon"}, "bad-value"),
        ({"date": "2020-13"}, "bad-value"),
        ({"date": "2020-02-30"}, "bad-value"),
        ({"date": "ap2020"}, "bad-value"),
        ({"date": "0000"}, "bad-value"),
        ({"date": "9999"}, "bad-value"),
        ({"date": ""}, "bad-value"),
        ({"_lastUpdated": "2020-01-01T25:00"}, "bad-value"),
        ({"_id": "7"}, "bad-value"),
        ({"event": "infection-poket"}, "unknown-code"),
        ({"event": "urn:pump-registry:imdrf:annex-a|E1906"}, "unknown-code"),
        ({"event": "http://snomed.info/sct|128045006"}, "unknown-system"),
        ({"event": "urn:pump-registry:complications|"}, "unknown-system"),
        ({"category": "infections"}, "unknown-code"),
        ({"_count": "-1"}, "bad-range"),
        ({"cursor": "zzz"}, "bad-cursor"),
        ({"patient": "x"}, "unknown-parameter"),
        ({"_sort": "date"}, "unknown-parameter"),
        ({"_count": ["1", "2"]}, "repeated-parameter"),
        ({"limit": "3"}, "unknown-parameter"),
    ],
)
def test_bad_parameter_is_refused_by_its_name(as_reporter, make, params, expected):
    (name,) = params

    assert refused(as_reporter, **params) == [(f"http.{name}", expected)]


def test_every_fault_is_told_at_once_without_values(as_reporter):
    reply = as_reporter.get(EVENTS, {"date": "Zebulon", "event": "Quux"})

    assert len(reply.json()["issue"]) == 2
    assert "Zebulon" not in reply.content.decode()
    assert "Quux" not in reply.content.decode()


def test_search_is_logged_by_its_parameters_alone(registry, as_reporter, make):
    make(source_id="k-1")

    found(as_reporter, date="2020")

    entry = AccessLog.objects.get()
    assert (entry.user, entry.count) == (registry.reporter, 1)
    assert entry.what == "event list as FHIR by date"


def test_searching_takes_a_fixed_number_of_queries(
    as_reporter, make, django_assert_max_num_queries
):
    for n in range(4):
        make(source_id=f"k-{n}")

    with django_assert_max_num_queries(14):
        as_reporter.get(EVENTS)


# By POST ---------------------------------------------------------------------------------------

BY_POST = f"{EVENTS}/_search"
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize("version", ["r4", "r5"])
def test_search_by_post_finds_what_get_finds(version, as_reporter, make):
    make(source_id="a-1")
    make(source_id="a-2", complication="catheter-migration")
    events = f"/fhir/{version}/AdverseEvent"

    asked = as_reporter.get(f"{events}?category=catheter&_count=5").json()
    posted = as_reporter.post(f"{events}/_search", "category=catheter&_count=5", content_type=FORM)

    assert posted.status_code == 200
    assert posted["Content-Type"].startswith("application/fhir+json")
    assert posted.json() == asked
    assert posted.json()["total"] == 1


def test_parameters_of_address_and_form_hold_together(as_reporter, make):
    make(source_id="a-1", year="2019")
    make(source_id="a-2", year="2021")

    reply = as_reporter.post(f"{BY_POST}?date=ge2020", "date=lt2022", content_type=FORM)
    neither = as_reporter.post(f"{BY_POST}?date=ge2020", "date=lt2021", content_type=FORM)

    assert [each["resource"]["identifier"]["value"] for each in reply.json()["entry"]] == ["a-2"]
    assert neither.json()["total"] == 0


def test_next_page_of_a_search_by_post_is_to_be_had_by_get(as_reporter, make):
    made = [str(make(source_id=f"k-{n}").public_id) for n in range(3)]

    first = as_reporter.post(BY_POST, "_count=2&event=infection-pocket", content_type=FORM).json()
    links = {link["relation"]: link["url"] for link in first["link"]}
    second = as_reporter.get(links["next"]).json()

    pages = [[each["resource"]["id"] for each in page["entry"]] for page in (first, second)]
    assert pages == [made[:2], made[2:]]
    assert as_reporter.get(links["self"]).json()["total"] == 3


def test_search_by_post_reads_alone(registry, make):
    make(source_id="a-1")
    reads = client_of(registry.reporter, scopes=("read-rows",))
    writes = client_of(registry.reporter, scopes=("write-events", "read-statistics"))
    seals, looks = Seal.objects.count(), AccessLog.objects.count()

    replies = [one.post(BY_POST, "", content_type=FORM) for one in (reads, writes)]

    assert [reply.status_code for reply in replies] == [200, 403]
    assert "read-rows" in replies[1].json()["issue"][0]["diagnostics"]
    assert Seal.objects.count() == seals
    assert AccessLog.objects.count() == looks + 1
    assert client_of(registry.stranger).post(BY_POST, "", content_type=FORM).json()["total"] == 0


def test_search_by_post_refuses_what_get_refuses(as_reporter):
    unknown = as_reporter.post(BY_POST, "patient=1", content_type=FORM)
    resource = as_reporter.post(BY_POST, {"resourceType": "AdverseEvent"}, format="json")

    assert unknown.status_code == 400
    assert unknown.json()["issue"][0]["location"] == ["http.patient"]
    assert resource.status_code == 415
    assert resource.json()["resourceType"] == "OperationOutcome"
