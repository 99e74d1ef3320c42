"""A synthetic registry is made as its truth says."""

import json
from collections import Counter, defaultdict

import numpy as np
import pytest

from registry.catalogue import read_catalogue
from registry.records import EventRecord, ImplantRecord
from registry.vocabulary import Actuality, Component

KNOWN = read_catalogue().by_code


def test_the_truth_can_be_written_as_json(made) -> None:
    read = json.loads(json.dumps(made.truth))

    assert read["rows"]["events"] == 30_000
    assert read["outlying_site"] == {"code": "SITE-07", "factor": 3.0}
    assert read["faulty_pump_model"]["model"] == "other-programmable"
    assert read["declared_exposure_only"] == ["SITE-11", "SITE-12"]


@pytest.mark.parametrize("tier", ["implants", "declared"])
def test_observed_counts_are_those_expected(made, counted, events, tier) -> None:
    if tier == "implants":
        observed = Counter(event.complication for event, _ in counted)
    else:
        observed = Counter(
            event.complication
            for event in events
            if event.implant is None and event.actuality is not Actuality.NEAR_MISS
        )
    expected = {
        code: told["events"]
        for code, told in made.truth["expected"][tier].items()
        if told["events"] >= 8
    }
    scores = np.array(
        [(observed[code] - count) / np.sqrt(count) for code, count in expected.items()]
    )

    assert len(scores) > 25
    assert np.abs(scores).max() < 4
    assert np.sqrt(np.mean(scores**2)) < 1.35  # consequences are a little less than Poisson apart
    assert abs(sum(observed[code] for code in expected) / sum(expected.values()) - 1) < 0.03


def test_the_exposures_of_the_truth_are_those_of_the_rows(made, implants) -> None:
    told = made.truth["expected"]["implants"]
    months = Counter()
    for row in implants.values():
        unseen = row.months_to_entry == row.months_followed == 0
        months[row.component] += 0.25 if unseen else row.months_followed - row.months_to_entry

    assert told["pump-flip"]["exposure"] == months[Component.PUMP]
    assert told["catheter-kink"]["exposure"] == months[Component.CATHETER]
    assert told["csf-leak"]["exposure"] == sum(row.procedures or 0 for row in implants.values())
    assert told["refill-overfill"]["exposure"] == sum(row.refills or 0 for row in implants.values())


def test_events_of_a_rate_per_procedure_carry_a_day_band(counted) -> None:
    within = {"0-7", "8-30", "31-60", "61-90"}
    bands = [
        event.days_since_procedure
        for event, _ in counted
        if KNOWN[event.complication].natural_denominator == "procedures"
    ]

    assert None not in bands
    assert 0.85 < sum(band in within for band in bands) / len(bands) < 1


def test_rates_per_procedure_estimate_what_the_truth_says(made, counted) -> None:
    within = {"0-7", "8-30", "31-60", "61-90"}
    counting = {site.code for site in made.sites if site.counts_refills}
    told = made.truth["expected"]["implants"]["pdph"]
    observed = sum(
        event.complication == "pdph"
        and event.days_since_procedure in within
        and event.site in counting
        for event, _ in counted
    )

    assert observed / told["exposure"] == pytest.approx(told["rate"], rel=0.08)


def test_declared_time_is_that_of_the_truth(made) -> None:
    told = made.truth["expected"]["declared"]
    months = Counter()
    for row in made.exposures():
        months[row.component] += row.component_months

    assert months[Component.PUMP] == pytest.approx(told["pump-flip"]["exposure"], rel=0.01)
    assert months[Component.CATHETER] == pytest.approx(told["catheter-kink"]["exposure"], rel=0.01)


def rate(pairs, implants, wanted_events, wanted_implants) -> float:
    time = sum(
        row.months_followed - row.months_to_entry for row in implants if wanted_implants(row)
    )
    return sum(wanted_events(event) and wanted_implants(row) for event, row in pairs) / time


def test_the_outlying_site_has_three_times_the_rate(implants, counted) -> None:
    def fault(event: EventRecord) -> bool:
        return KNOWN[event.complication].category == "catheter"

    def outlying(row: ImplantRecord) -> bool:
        return row.site == "SITE-07" and row.component is Component.CATHETER

    def other(row: ImplantRecord) -> bool:
        return row.site != "SITE-07" and row.component is Component.CATHETER

    there = rate(counted, implants.values(), fault, outlying)
    elsewhere = rate(counted, implants.values(), fault, other)

    assert 2.2 < there / elsewhere < 4.0


def test_the_faulty_model_has_four_times_the_rate(implants, counted) -> None:
    def fault(event: EventRecord) -> bool:
        return event.complication != "pump-end-of-service" and (
            KNOWN[event.complication].category == "pump"
        )

    def faulty(row: ImplantRecord) -> bool:
        return row.model == "other-programmable"

    def other(row: ImplantRecord) -> bool:
        return row.component is Component.PUMP and row.model not in (None, "other-programmable")

    there = rate(counted, implants.values(), fault, faulty)
    elsewhere = rate(counted, implants.values(), fault, other)

    assert 2.8 < there / elsewhere < 5.5


def test_leaks_come_early_granuloma_late_and_catheter_faults_at_any_time(counted) -> None:
    months = defaultdict(list)
    for event, _ in counted:
        months[event.complication].append(event.months_since_implant)

    assert np.mean(np.array(months["csf-leak"]) <= 3) > 0.6
    assert np.mean(np.array(months["infection-wound-superficial"]) <= 3) > 0.6
    assert np.mean(np.array(months["granuloma"]) > 24) > 0.6
    assert 0.2 < np.mean(np.array(months["catheter-migration"]) > 24) < 0.75
