from typing import Any

import pytest

from registry import reporting
from registry.records import Viewer
from registry.reporting import freshness
from tests.factories import ImplantFactory
from tests.reporting.registry_rows import import_cohort

pytestmark = pytest.mark.django_db

EXACT = Viewer(exact_everywhere=True)
MEMBER = Viewer(user_id=1, exact_sites=frozenset({"TAIRA-A"}))
RESEARCHER = Viewer(user_id=2)


def by_name(viewer: Viewer) -> dict[str, dict[str, Any]]:
    return {str(each["name"]): each for each in reporting.dimensions(viewer)}


def test_exact_viewer_may_use_every_dimension() -> None:
    import_cohort()

    found = by_name(EXACT)

    assert len(found) == 33
    assert all(each["filter"] and each["group_by"] for each in found.values())
    assert not any(each["only_with_own_site"] for each in found.values())


def test_protected_viewer_may_use_category_and_year() -> None:
    import_cohort()
    freshness.publish("2026Q4")

    found = by_name(RESEARCHER)

    assert [name for name, each in found.items() if each["filter"]] == ["category"]
    assert [name for name, each in found.items() if each["group_by"]] == ["category", "year"]
    assert found["site"]["values"] == []


def test_member_is_told_what_needs_the_own_site() -> None:
    import_cohort()

    found = by_name(MEMBER)

    assert found["drug"]["only_with_own_site"] is True
    assert found["category"]["only_with_own_site"] is False
    assert [value["id"] for value in found["site"]["values"]] == ["TAIRA-A"]


def test_values_have_labels_and_name_the_blanks() -> None:
    import_cohort()

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


def test_releases_are_listed_for_all_and_the_working_snapshot_for_exact_viewers() -> None:
    import_cohort()
    freshness.publish("2026Q4")
    ImplantFactory()
    freshness.refresh()

    assert [row["label"] for row in reporting.snapshots(RESEARCHER)] == ["2026Q4"]
    assert [row["kind"] for row in reporting.snapshots(EXACT)] == ["working", "release"]


def test_sizes_are_told_to_exact_viewers_alone() -> None:
    import_cohort()
    freshness.publish("2026Q4")

    assert reporting.snapshots(EXACT)[0]["events"] == 62
    assert "events" not in reporting.snapshots(RESEARCHER)[0]
    assert "events" not in reporting.snapshots(MEMBER)[0]


def test_dictionary_explains_every_column() -> None:
    found = {(each["table"], each["column"]): each for each in reporting.dictionary()}

    assert found["implants", "time_to"]["meaning"] == (
        "End of device time; 0.25 where follow-up is 0"
    )
    assert all(each["meaning"] for each in found.values())
