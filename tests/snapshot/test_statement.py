import pytest

from registry.snapshot.asked import Asked, Condition, MonthSpan
from registry.snapshot.statement import devices_of, events_of

ODD = "x' OR 1=1 --"


def test_values_go_to_placeholders_and_never_into_the_text() -> None:
    asked = Asked(
        on_events=(Condition("outcome", (ODD,)), Condition("intervention", bits=77001)),
        on_devices=(Condition("site", (ODD,), blank=True),),
        group_by=("intervention", "window", "year"),
        years=(1987,),
        spans=(MonthSpan(ODD, 31, 41),),
    )

    events = events_of(asked, clock="pump", device="i").select("count(*) AS n")
    source, months = devices_of(asked, component=ODD)
    devices = source.select(f"sum({months}) AS amount")

    for statement in (events, devices):
        assert ODD in statement.values
        assert not any(text in statement.text for text in (ODD, "77001", "1987", "31", "41"))
        assert statement.text.count("?") == len(statement.values)


@pytest.mark.parametrize("name", ["source_id", "e.site; DROP TABLE events", "public_id"])
def test_column_that_is_not_listed_is_refused(name: str) -> None:
    with pytest.raises(LookupError):
        events_of(Asked(on_events=(Condition(name, ("a",)),)), clock="device", device="e")


def test_condition_without_values_lets_nothing_through() -> None:
    asked = Asked(on_events=(Condition("complication"),))

    assert "1 = 0" in events_of(asked, clock="device", device="e").select("count(*) AS n").text
