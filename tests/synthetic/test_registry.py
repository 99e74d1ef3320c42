"""A synthetic registry is one that the sites could have sent."""

from collections import Counter, defaultdict
from itertools import islice

import pytest

from registry.catalogue import read_catalogue
from registry.deidentify import (
    device_faults,
    event_faults,
    event_record,
    exposure_faults,
    implant_faults,
)
from registry.records import EventRecord, RawReport, RowKind
from registry.records.columns import DECLARED
from registry.synthetic import registry
from registry.vocabulary import (
    Actuality,
    Component,
    DatePrecision,
    ExitStatus,
    Outcome,
    Severity,
)

KNOWN = read_catalogue().by_code


# -- what the sites send -------------------------------------------------------------------------


def test_every_row_keeps_the_registrys_row_rules(made, implants, events) -> None:
    faults = [fault for row in implants.values() for fault in implant_faults(row, latest_year=2026)]
    faults += [f for row in made.exposures() for f in exposure_faults(row, latest_year=2026)]
    for event in events:
        faults += event_faults(
            event, submitted=True, precision=DatePrecision.YEAR, latest_year=2026
        )
        if event.implant:
            entry = KNOWN[event.complication]
            implant = implants[event.site, event.implant]
            faults += device_faults(event, implant, entry.clock, entry.category)

    assert faults == []


def test_source_ids_are_taken_at_the_door(made, events) -> None:
    for event in islice(events, 2000):
        raw = {
            "site": event.site,
            "complication": event.complication,
            "source_id": event.source_id or "",
            "implant": event.implant or "",
        }
        assert event_record(RawReport(kind=RowKind.EVENT, values=raw)).source_id == event.source_id


def test_source_ids_are_unique_within_a_site(made, implants, events) -> None:
    assert len(implants) == made.truth["rows"]["implants"]
    assert len({(event.site, event.source_id) for event in events}) == 30_000


def test_a_cause_is_an_earlier_row_of_the_same_patient(implants, events) -> None:
    earlier: dict[tuple[str, str], EventRecord] = {}
    caused = 0
    for event in events:
        if event.caused_by:
            cause = earlier[event.site, event.caused_by]
            caused += 1
            if event.implant and cause.implant:
                own = implants[event.site, event.implant].patient
                assert implants[event.site, cause.implant].patient == own
        earlier[event.site, event.source_id or ""] = event
    assert caused > 1000


def test_a_patient_dies_once_and_both_components_end_there(implants, events) -> None:
    deaths = Counter(
        (event.site, implants[event.site, event.implant].patient)
        for event in events
        if event.complication == "death" and event.implant
    )
    by_death = {
        (row.site, row.patient, row.component)
        for row in implants.values()
        if (row.exit_status or "").startswith("death")
    }

    assert set(deaths.values()) == {1}
    assert by_death == {(*patient, part) for patient in deaths for part in Component}


def test_a_patients_sex_and_indication_agree_over_its_rows(implants) -> None:
    said = defaultdict(set)
    for row in implants.values():
        said[row.site, row.patient].add((row.sex, row.indication))

    assert all(len(answers) == 1 for answers in said.values())


def test_a_replaced_catheter_leaves_the_pumps_clock_alone(implants) -> None:
    chains = defaultdict(list)
    for row in implants.values():
        chains[row.site, row.patient].append(row)
    exchanged = [
        rows
        for rows in chains.values()
        if sum(row.component is Component.CATHETER for row in rows) == 2
        and sum(row.component is Component.PUMP for row in rows) == 1
    ]

    assert len(exchanged) > 50
    for rows in exchanged:
        first, second = (row for row in rows if row.component is Component.CATHETER)
        (pump,) = (row for row in rows if row.component is Component.PUMP)
        assert first.exit_status is ExitStatus.REPLACED_FOR_FAILURE
        assert second.months_to_entry == 0
        if pump.months_to_entry == 0:  # same beginning; rounding twice may differ by a month
            together = first.months_followed + second.months_followed
            assert abs(pump.months_followed - together) <= 1


def test_late_entrants_are_some_and_only_where_implants_are_sent(implants) -> None:
    late = sum(row.months_to_entry > 0 for row in implants.values())

    assert 0.05 < late / len(implants) < 0.25


def test_events_lie_before_entry_in_device_time_and_after_exit(implants, events) -> None:
    placed = Counter()
    for event in events:
        if event.implant:
            row = implants[event.site, event.implant]
            months = event.months_since_implant or 0
            placed["before"] += row.months_to_entry > 0 and months <= row.months_to_entry
            placed["after"] += months > row.months_followed
            placed["after, other"] += (
                months > row.months_followed and event.complication != "catheter-retained-fragment"
            )

    assert placed["before"] > 20
    assert placed["after"] > 5
    assert placed["after, other"] == 0


def test_near_misses_blanks_and_unknowns_occur(events) -> None:
    near = [event for event in events if event.actuality is Actuality.NEAR_MISS]

    assert len(near) > 100
    assert {event.outcome for event in near} == {Outcome.NOT_APPLICABLE}
    actual = [event for event in events if event.actuality is not Actuality.NEAR_MISS]
    assert any(event.severity is None for event in actual)
    assert any(event.actuality is None for event in actual)
    assert any(event.outcome is Outcome.UNKNOWN for event in events)
    assert any(event.root_cause is None for event in events)
    assert all(event.month is None for event in events)


def test_every_column_but_the_month_is_filled_in_somewhere(made) -> None:
    blank = {
        (kind, name)
        for kind in RowKind
        for name in DECLARED[kind]
        if all(value is None for chunk in made.columns(kind) for value in chunk[name])
    }

    assert blank == {(RowKind.EVENT, "month")}


def test_two_sites_declare_device_time_and_their_events_name_no_implant(
    made, implants, events
) -> None:
    declaring = {site.code for site in made.sites if site.declares}
    declared = {(row.site, row.year, row.component) for row in made.exposures()}

    assert len(declaring) == 2
    assert {site for site, *_ in declared} == declaring
    assert {site for site, _ in implants}.isdisjoint(declaring)
    for event in events:
        assert (event.implant is None) == (event.site in declaring)
        if event.implant is None and event.actuality is not Actuality.NEAR_MISS:
            clock = KNOWN[event.complication].clock
            assert (event.site, event.year, clock) in declared


# -- episodes ------------------------------------------------------------------------------------


def chains_of(events: list[EventRecord]) -> Counter[tuple[str, ...]]:
    by_key = {(event.site, event.source_id): event for event in events}
    chains: Counter[tuple[str, ...]] = Counter()
    for event in events:
        chain = [event.complication]
        while event.caused_by:
            event = by_key[event.site, event.caused_by]
            chain.append(event.complication)
        chains[tuple(reversed(chain))] += 1
    return chains


@pytest.mark.parametrize(
    "chain",
    [
        ("catheter-migration", "baclofen-withdrawal", "revision-surgery"),
        ("catheter-migration", "revision-surgery"),
        ("infection-pocket", "explant-unplanned"),
        ("programming-error-overdose", "drug-overdose", "respiratory-depression"),
        ("respiratory-depression", "death"),
    ],
)
def test_episodes_run_as_they_do_in_practice(events, chain) -> None:
    assert chains_of(events)[chain] > 3


def test_a_revision_is_treated_by_what_its_fault_needed(events) -> None:
    by_key = {(event.site, event.source_id): event for event in events}
    revised = [
        event
        for event in events
        if event.complication == "revision-surgery"
        and event.interventions
        and event.caused_by
        and by_key[event.site, event.caused_by].complication == "pump-motor-stall"
    ]

    assert len(revised) > 30
    assert {code for event in revised for code in event.interventions} == {"pump-replacement"}


# -- asking for one ------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2, 9, 60, 777])
def test_a_registry_has_exactly_the_events_asked_for(count: int) -> None:
    small = registry(events=count, sites=5, seed=4)

    assert len(list(small.events())) == count
    assert small.truth["rows"]["events"] == count


def test_a_seed_gives_the_same_registry_and_another_seed_another() -> None:
    first, again, other = (
        list(registry(events=300, sites=6, seed=seed).events()) for seed in (8, 8, 9)
    )

    assert first == again
    assert first != other


def test_columns_hold_the_stored_values_of_the_records() -> None:
    small = registry(events=400, sites=6, seed=3)
    chunks = list(small.columns(RowKind.EVENT, chunk=150))
    records = list(small.events())

    assert [len(chunk["site"]) for chunk in chunks] == [150, 150, 100]
    joined = {name: [v for chunk in chunks for v in chunk[name]] for name in chunks[0]}
    assert joined["complication"] == [record.complication for record in records]
    assert joined["severity"] == [record.severity for record in records]
    assert joined["caused_by"] == [record.caused_by for record in records]
    assert joined["seriousness"] == [
        record.seriousness and sum(1 << code.bit for code in record.seriousness)
        for record in records
    ]


def test_one_site_alone_sends_implants_and_does_not_stand_out() -> None:
    lone = registry(events=200, sites=1, seed=2)

    assert lone.truth["outlying_site"] is None
    assert list(lone.exposures()) == []
    assert all(event.implant for event in lone.events())


@pytest.mark.parametrize("wrong", [{"events": 0}, {"sites": 0}, {"sites": 501}])
def test_a_registry_out_of_range_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="ask for 1 to"):
        registry(**wrong)


def test_grade_5_is_death_alone(events) -> None:
    fatal = {event.complication for event in events if event.severity is Severity.DEATH}

    assert fatal == {"death"}
