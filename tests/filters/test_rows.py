"""The same questions put to stored rows."""

import pytest
from django.http import QueryDict

from registry.filters import EventFilterSet
from registry.models import Event
from tests.filters.conftest import event


def found(address: str) -> set[str]:
    filters = EventFilterSet(QueryDict(address), Event.objects.all())
    return set(filters.qs.values_list("source_id", flat=True))


@pytest.fixture
def events(patient_with_pump, sites):
    """On the pump, on the catheter, reported without an implant, and with nothing but its site."""
    pump, catheter = patient_with_pump
    event(
        sites[0],
        source_id="on-pump",
        implant=pump,
        year=2015,
        months_since_implant=3,
        severity=3,
        serious_hospitalisation=True,
        outcome="recovered",
        interventions=["antibiotics", "pump-replacement"],
        relatedness_device="possible",
        actuality="actual",
        state="accepted",
    )
    event(
        sites[0],
        "catheter-migration",
        source_id="on-catheter",
        implant=catheter,
        year=2017,
        months_since_implant=20,
        severity=2,
        serious_none=True,
    )
    event(
        sites[1],
        "infection-meningitis",
        source_id="r-1",
        year=2020,
        pump_model="prometra",
        drug="morphine",
        indication="cancer-direct",
        age_band="65-79",
        sex="male",
        serious_death=True,
    )
    event(sites[1], "infection-pocket", source_id="b-1")


@pytest.mark.usefixtures("events")
@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("", {"on-pump", "on-catheter", "r-1", "b-1"}),
        ("complication=infection-pocket", {"on-pump", "b-1"}),
        ("complication=infection", {"on-pump", "r-1", "b-1"}),
        ("category=catheter", {"on-catheter"}),
        ("severity=2,3", {"on-pump", "on-catheter"}),
        ("severity=not-recorded", {"r-1", "b-1"}),
        ("serious=yes", {"on-pump", "r-1"}),
        ("serious=no", {"on-catheter"}),
        ("serious=not-recorded", {"b-1"}),
        ("serious=no,not-recorded", {"on-catheter", "b-1"}),
        ("seriousness=death,none", {"r-1", "on-catheter"}),
        ("seriousness=not-recorded", {"b-1"}),
        ("relatedness_device=possible", {"on-pump"}),
        ("outcome=recovered,not-recorded", {"on-pump", "on-catheter", "r-1", "b-1"}),
        ("intervention=antibiotics,blood-patch", {"on-pump"}),
        ("intervention=not-recorded", {"on-catheter", "r-1", "b-1"}),
        ("intervention=antibiotics,not-recorded", {"on-pump", "on-catheter", "r-1", "b-1"}),
        ("actuality=actual", {"on-pump"}),
        ("state=draft", {"on-catheter", "r-1", "b-1"}),
        ("component=catheter", {"on-catheter"}),
        ("component=pump", {"on-pump", "r-1", "b-1"}),
        ("pump_model=synchromed-ii-40", {"on-pump", "on-catheter"}),
        ("pump_model=prometra", {"r-1"}),
        ("pump_model=not-recorded", {"b-1"}),
        ("catheter_model=codman", {"on-pump", "on-catheter"}),
        ("manufacturer=medtronic", {"on-pump"}),
        ("manufacturer=codman", {"on-catheter"}),
        ("manufacturer=flowonix", {"r-1"}),
        ("manufacturer=not-recorded", {"b-1"}),
        ("drug=baclofen", {"on-pump", "on-catheter"}),
        ("drug=opioid", {"r-1"}),
        ("drug=not-recorded", {"b-1"}),
        ("drug_class=gabab-agonist,not-recorded", {"on-pump", "on-catheter", "b-1"}),
        ("label_status=on-label-mono", {"on-pump"}),
        ("label_status=not-recorded", {"on-catheter", "r-1", "b-1"}),
        ("procedure=replacement", {"on-pump"}),
        ("procedure=not-recorded", {"on-catheter", "r-1", "b-1"}),
        ("pump_family=synchromed-ii", {"on-pump", "on-catheter"}),
        ("pump_family=prometra,isomed", {"r-1"}),
        ("pump_family=not-recorded", {"b-1"}),
        ("pump_site=abdomen", {"on-pump", "on-catheter"}),
        ("pump_plane=subfascial", {"on-pump", "on-catheter"}),
        ("pump_plane=subcutaneous", set()),
        ("pump_plane=not-recorded", {"r-1", "b-1"}),
        ("age_band=40-64", {"on-pump"}),
        ("age_band=65-79", {"r-1"}),
        ("age_band=older", {"r-1"}),
        ("age_group=adult,child", {"on-pump"}),
        ("age_group=not-recorded", {"on-catheter", "b-1"}),
        ("age_band=not-recorded", {"on-catheter", "b-1"}),
        ("indication=stroke", {"on-pump", "on-catheter"}),
        ("indication_group=pain-cancer", {"r-1"}),
        ("sex=female", {"on-pump", "on-catheter"}),
        ("sex=male,not-recorded", {"r-1", "b-1"}),
        ("implant_year=2015", {"on-pump", "on-catheter"}),
        ("implant_year=not-recorded", {"r-1", "b-1"}),
        ("site=OTHER-2", {"r-1", "b-1"}),
        ("country=PT", {"on-pump", "on-catheter"}),
        ("country=not-recorded", {"r-1", "b-1"}),
        ("year=2017", {"on-catheter"}),
        ("year=2015,2020", {"on-pump", "r-1"}),
        ("year=not-recorded", {"b-1"}),
        ("period=2015-2019", {"on-pump", "on-catheter"}),
        ("year_min=2017", {"on-catheter", "r-1"}),
        ("year_max=2017", {"on-pump", "on-catheter"}),
        ("window=0-3", {"on-pump"}),
        ("window=0-2,20-20", {"on-catheter"}),
        ("window=4-", {"on-catheter"}),
        ("window=not-recorded", {"r-1", "b-1"}),
        ("complication=infection&year_min=2016&drug=opioid", {"r-1"}),
    ],
)
def test_filter_keeps_the_events_that_are_asked_for(address, expected):
    assert found(address) == expected


@pytest.mark.usefixtures("events")
def test_filter_is_one_query(django_assert_num_queries):
    filters = EventFilterSet(
        QueryDict("drug=opioid,baclofen&pump_model=medtronic&site=LIS-1&serious=yes"),
        Event.objects.all(),
    )
    assert filters.faults() == ()  # codes of sites and complications are looked up
    kept = filters.filter_queryset(Event.objects.all())

    with django_assert_num_queries(1):
        assert [row.source_id for row in kept] == ["on-pump"]


@pytest.mark.usefixtures("events")
def test_filter_set_filters_as_the_question_does():
    filters = EventFilterSet(QueryDict("serious=yes&year_max=2015"), Event.objects.all())

    assert [row.source_id for row in filters.qs] == ["on-pump"]
