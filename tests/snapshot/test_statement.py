import pytest

from registry.snapshot.codes import Codes, code_lists
from registry.snapshot.selected import devices_of, events_of
from registry.snapshot.selection import Condition, MonthSpan, Placed, Selection, YearSpan
from registry.snapshot.statement import small_table
from tests.snapshot.rows import shipped_terms

ODD = "x' OR 1=1 --"
LISTS = code_lists(shipped_terms())
CODES = Codes(LISTS | {"site": ("", ODD)})


def test_texts_never_enter_a_statement_and_conditions_go_to_placeholders() -> None:
    selection = Selection(
        on_events=(Condition("severity", (8642,)), Condition("intervention", bits=77001)),
        on_devices=(Condition("site", (ODD,), blank=True),),
        group_by=("intervention", "window", "year", "sex", "age_band"),
        placed=(Placed("age_band", (("0-5", 8765), ("6-11", 8765), (None, 8766))),),
        years=(1987,),
        spans=(MonthSpan(ODD, 31, 41),),
    )

    events = events_of(selection, CODES, clock="pump", device="i").select("count(*) AS n")
    source = devices_of(selection, CODES, component="pump")
    devices = source.select(f"sum({source.time}) AS amount")

    for statement in (events, devices):
        assert "8765" in statement.text
        told = (ODD, "77001", "8642")
        assert not any(text in statement.text for text in told)
        assert statement.text.count("?") == len(statement.values)


@pytest.mark.parametrize("name", ["source_id", "e.site; DROP TABLE events", "public_id"])
def test_column_that_is_not_listed_is_refused(name: str) -> None:
    selection = Selection(on_events=(Condition(name, ("a",)),))

    with pytest.raises(LookupError):
        events_of(selection, CODES, clock="device", device="e")


@pytest.mark.parametrize("values", [(), (ODD,), ("no-such-code",)])
def test_condition_without_a_code_of_the_list_lets_nothing_through(values: tuple[str]) -> None:
    selection = Selection(on_events=(Condition("complication", values),))

    source = events_of(selection, CODES, clock="device", device="e")

    assert "1 = 0" in source.select("count(*) AS n").text


@pytest.mark.parametrize(
    ("condition", "text", "values"),
    [
        (Condition("severity", (2, 3, 4)), "e.severity BETWEEN ? AND ?", [2, 4]),
        (Condition("severity", (1,)), "e.severity = ?", [1]),
        (
            Condition("severity", (1, 3, 5), blank=True),
            "(e.severity IN (?, ?, ?) OR e.severity IS NULL)",
            [1, 3, 5],
        ),
        (
            Condition("severity", (1, 2, 4), unless=True),
            "NOT ((e.severity BETWEEN ? AND ? OR e.severity = ?))",
            [1, 2, 4],
        ),
        (Condition("state", ("accepted",), unless=True), "NOT (e.state = ?)", [3]),
        (Condition("serious", ("yes", "no")), "e.serious BETWEEN ? AND ?", [1, 2]),
        (Condition("serious", ("no",), blank=True), "NOT (e.serious = ?)", [1]),
        (Condition("serious", ("yes", "no"), blank=True), "1 = 1", []),
    ],
)
def test_condition_is_written_as_a_range_or_by_what_it_does_not_hold(
    condition: Condition, text: str, values: list[int]
) -> None:
    selection = Selection(on_events=(condition,))

    source = events_of(selection, CODES, clock="device", device="e")

    (piece,) = source.where
    assert (piece.text, piece.values) == (text, values)


def test_calendar_places_bound_the_years_of_events_and_devices() -> None:
    selection = Selection(group_by=("year",), calendar=(YearSpan((3,), 2001, 2004),))

    events = events_of(selection, CODES, clock="pump", device="i").select("count(*) AS n")
    devices = devices_of(selection, CODES, component="pump").select("count(*) AS n")

    assert "(VALUES (3, 2001), (3, 2002), (3, 2003), (3, 2004)) AS v(label0, year)" in events.text
    assert "(VALUES (3, 2001, 2004)) AS v(label0, first_year, last_year)" in devices.text


def test_small_table_takes_whole_numbers_alone() -> None:
    with pytest.raises(ValueError, match="format code 'd'"):
        small_table(("place",), [(ODD,)])  # type: ignore[list-item]
