from typing import Any

import pytest

from registry import reporting
from registry.models import Event, sealed
from registry.records import Viewer
from registry.reporting.asking import freshness
from tests.factories import ImplantFactory

pytestmark = pytest.mark.django_db

EXACT = Viewer(exact_everywhere=True)
MEMBER = Viewer(user_id=1, exact_sites=frozenset({"TAIRA-A"}))
RESEARCHER = Viewer(user_id=2, label="researcher")
PUBLIC = Viewer()
PUBLISHED = [
    "complication",
    "category",
    "severity",
    "serious",
    "seriousness",
    "outcome",
    "intervention",
    "root_cause",
    "organism",
    "component",
    "pump_model",
    "pump_family",
    "pump_site",
    "pump_plane",
    "catheter_model",
    "manufacturer",
    "drug",
    "drug_class",
    "label_status",
    "procedure",
    "age_band",
    "age_group",
    "indication",
    "indication_group",
    "sex",
    "site",
    "year",
    "period",
    "window",
]


def by_name(viewer: Viewer) -> dict[str, dict[str, Any]]:
    return {str(each["name"]): each for each in reporting.dimensions(viewer)}


@pytest.mark.usefixtures("kept_cohort")
def test_exact_viewer_may_use_every_dimension() -> None:
    found = by_name(EXACT)

    assert len(found) == 39
    assert all(each["filter"] and each["group_by"] for each in found.values())
    assert not any(each["only_with_own_site"] for each in found.values())


@pytest.mark.usefixtures("kept_cohort")
def test_protected_viewer_is_told_what_is_published() -> None:
    freshness.publish("2026Q4")

    found = by_name(RESEARCHER)

    assert [name for name, each in found.items() if each["filter"]] == PUBLISHED
    assert [name for name, each in found.items() if each["group_by"]] == PUBLISHED
    assert [name for name, each in found.items() if each["protected"]] == PUBLISHED
    assert {each["protected"]["most_beside"] for each in found.values() if each["filter"]} == {1}
    assert not any(each["only_with_own_site"] for each in found.values())


@pytest.mark.usefixtures("kept_cohort")
def test_levels_are_told_and_the_groups_with_their_values() -> None:
    freshness.publish("2026Q4")

    offered = {name: each["protected"] for name, each in by_name(RESEARCHER).items()}

    assert offered["drug"]["levels"] == ["drug", "drug_class", "all"]
    assert offered["drug_class"]["levels"] == ["drug_class", "all"]
    assert offered["age_band"]["levels"] == ["age_band", "age_group", "all"]
    assert offered["sex"] == {
        "levels": ["sex", "all"],
        "groups": {},
        "several_values": True,
        "of_the_event": False,
        "combined_with": ["complication", "category"],
        "most_beside": 1,
    }
    assert offered["age_band"]["groups"]["child"] == ["0-5", "6-11", "12-17"]
    assert offered["year"]["groups"]["2010-2014"] == ["2010", "2011", "2012", "2013", "2014"]


@pytest.mark.usefixtures("kept_cohort")
def test_site_goes_with_year_and_with_category_alone() -> None:
    freshness.publish("2026Q4")

    found = by_name(RESEARCHER)

    assert found["site"]["protected"]["combined_with"] == ["category", "year", "period"]
    for name, each in found.items():
        beside = (each["protected"] or {}).get("combined_with", ())
        assert ("site" in beside) is (name in {"category", "year", "period"})


@pytest.mark.usefixtures("kept_cohort")
def test_others_go_with_a_complication_or_a_category_alone() -> None:
    freshness.publish("2026Q4")

    found = by_name(RESEARCHER)

    assert found["window"]["protected"]["combined_with"] == ["complication", "category"]
    assert {*found["category"]["protected"]["combined_with"]} == {*PUBLISHED} - {
        *("category", "complication")
    }
    assert found["severity"]["protected"]["of_the_event"]


@pytest.mark.usefixtures("kept_cohort")
def test_several_values_are_for_the_side_of_the_device_and_the_patient() -> None:
    freshness.publish("2026Q4")

    offered = {name: each["protected"] for name, each in by_name(RESEARCHER).items()}

    assert [name for name in PUBLISHED if not offered[name]["several_values"]] == [
        "complication",
        "category",
        "severity",
        "serious",
        "seriousness",
        "outcome",
        "intervention",
        "root_cause",
        "organism",
        "year",
        "period",
        "window",
    ]


@pytest.mark.usefixtures("kept_cohort")
def test_description_is_the_same_whatever_was_recorded() -> None:
    freshness.publish("2026Q4")
    before = reporting.dimensions(RESEARCHER)
    event = Event.objects.filter(complication_id="csf-leak").first()
    assert event is not None
    event.state = "submitted"
    with sealed(by=None, action="reopen-for-test") as seal:
        seal.save(event)
    freshness.publish("2027Q1")

    assert reporting.dimensions(RESEARCHER) == before


@pytest.mark.usefixtures("kept_cohort")
def test_member_is_told_what_needs_the_own_site() -> None:
    found = by_name(MEMBER)

    assert found["implant_year"]["only_with_own_site"] is True
    assert found["drug"]["only_with_own_site"] is False
    assert "TAIRA-A" in [value["id"] for value in found["site"]["values"]]


@pytest.mark.usefixtures("kept_cohort")
def test_values_have_labels_and_name_the_blanks() -> None:
    found = by_name(EXACT)

    assert found["sex"]["values"] == [
        {"id": "female", "label": "Female"},
        {"id": "male", "label": "Male"},
        {"id": "other", "label": "Other"},
        {"id": "unknown", "label": "Unknown"},
        {"id": "not-recorded", "label": "Not recorded"},
    ]
    assert {"id": "catheter", "label": "Catheter problem"} in found["category"]["values"]
    assert found["country"]["values"] == []
    assert found["year"]["values"] == []


def test_dimensions_are_told_before_the_first_release() -> None:
    assert by_name(RESEARCHER)["category"]["values"] == []


def test_who_may_not_ask_is_told_nothing() -> None:
    silent = Viewer(may_ask=False)

    assert reporting.dimensions(silent) == []
    assert reporting.snapshots(silent) == []


@pytest.mark.usefixtures("kept_cohort")
def test_releases_are_listed_for_all_and_the_working_snapshot_for_exact_viewers() -> None:
    freshness.publish("2026Q4")
    ImplantFactory()
    freshness.refresh()

    assert [row["label"] for row in reporting.snapshots(RESEARCHER)] == ["2026Q4"]
    assert [row["kind"] for row in reporting.snapshots(EXACT)] == ["working", "release"]


@pytest.mark.usefixtures("kept_cohort")
def test_public_is_told_the_newest_release_alone() -> None:
    freshness.publish("2026Q4")
    ImplantFactory()
    freshness.publish("2027Q1")

    assert [row["label"] for row in reporting.snapshots(PUBLIC)] == ["2027Q1"]
    assert [row["label"] for row in reporting.snapshots(RESEARCHER)] == ["2027Q1", "2026Q4"]


@pytest.mark.usefixtures("kept_cohort")
def test_sizes_are_told_to_exact_viewers_alone() -> None:
    freshness.publish("2026Q4")

    assert reporting.snapshots(EXACT)[0]["events"] == 62
    assert "events" not in reporting.snapshots(RESEARCHER)[0]
    assert "events" not in reporting.snapshots(MEMBER)[0]


def test_dictionary_explains_every_column() -> None:
    found = {(each["table"], each["column"]): each for each in reporting.dictionary()}

    assert found["implants", "time_to"]["meaning"] == (
        "End of device time, in quarters; 1 where follow-up is 0"
    )
    assert all(each["meaning"] for each in found.values())
