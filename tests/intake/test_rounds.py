"""Follow-up rounds: who closes one, when it is refused, and what each row keeps of it."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone

from registry.intake import (
    FollowUp,
    close_round,
    follow_up,
    record_event,
    record_implant,
    standings_of,
)
from registry.models import Event, Implant, Seal, Site
from registry.records import NotPermitted, NotYourSite, StateConflict
from tests.factories import PatientFactory
from tests.intake.conftest import report
from tests.intake.test_devices import implant


def passed(year: int = 2010) -> int:
    """The months that have passed with certainty since a year."""
    now = timezone.now()
    return 12 * (now.year - year) + now.month - 13


def brought_up(world, months: int | None = None) -> int:
    """Follows both implants up to today, or to so many months."""
    months = passed() if months is None else months
    follow_up(
        [FollowUp(each.public_id, str(months)) for each in (world.pump, world.catheter)],
        by=world.lead,
    )
    return months


def test_round_closed_by_the_lead_is_kept_by_the_site_and_its_implants(world):
    months = brought_up(world)

    site = close_round("BERN", by=world.lead)

    seal = Seal.objects.latest("number")
    assert (seal.action, seal.actor) == ("close-round", world.lead)
    assert (site.round_number, site.round_seal_id) == (1, seal.number)
    kept = Implant.objects.values_list("round_number", "months_at_round", "followed_at_round")
    assert set(kept) == {(1, months, True)}
    assert set(Implant.objects.values_list("seal", flat=True)) == {seal.number}


@pytest.mark.parametrize(
    ("who", "refusal"),
    [
        ("reporter", NotPermitted),
        ("reviewer", NotYourSite),
        ("auditor", NotYourSite),
        ("stranger", NotYourSite),
    ],
)
def test_only_leads_and_data_managers_close_a_round(world, who, refusal):
    brought_up(world)

    with pytest.raises(refusal):
        close_round("BERN", by=getattr(world, who))

    assert Site.objects.get(code="BERN").round_number is None
    assert close_round("BERN", by=world.manager).round_number == 1


def test_round_of_no_site_is_refused(world):
    with pytest.raises(NotYourSite):
        close_round("NOWHERE", by=world.manager)


def test_round_stays_open_while_implants_are_behind_since_their_year(world):
    brought_up(world, passed() - 1)

    with pytest.raises(StateConflict) as refusal:
        close_round("BERN", by=world.lead)

    (fault,) = refusal.value.faults
    assert (fault.column, fault.code) == ("site", "follow-up-behind")
    assert fault.detail.startswith("2 of the site's implants")
    assert standings_of([world.site])[0].behind == 2


def test_round_stays_open_while_implants_are_behind_since_the_last_round(world, monkeypatch):
    months = brought_up(world, passed() + 5)
    close_round("BERN", by=world.lead)
    later = timezone.now() + timedelta(days=366)
    clock = SimpleNamespace(now=lambda: later)
    monkeypatch.setattr("registry.intake.rounds.timezone", clock)
    monkeypatch.setattr("registry.intake.following.present_year", lambda: later.year)

    brought_up(world, months + 10)
    with pytest.raises(StateConflict):
        close_round("BERN", by=world.lead)
    brought_up(world, months + 11)  # a year is 12 months, less one for rounding

    assert close_round("BERN", by=world.lead).round_number == 2


def test_implant_that_ended_before_is_not_written_again(world):
    brought_up(world)
    follow_up([FollowUp(world.pump.public_id, str(passed()), "explant-elective")], by=world.lead)
    close_round("BERN", by=world.lead)

    close_round("BERN", by=world.lead)

    kept = {each.source_id: each for each in Implant.objects.all()}
    assert (kept["p1-pump"].round_number, kept["p1-pump"].followed_at_round) == (1, False)
    assert kept["p1-cath"].round_number == 2
    assert Seal.objects.latest("number").rows == 2  # the catheter and the site


def test_event_keeps_the_round_in_which_it_was_reported(world):
    record_event(report(source_id="e1"), by=world.reporter)
    brought_up(world)
    close_round("BERN", by=world.lead)
    record_event(report(source_id="e2", months_since_implant="15"), by=world.reporter)

    rounds = dict(Event.objects.values_list("source_id", "round_number"))

    assert rounds == {"e1": None, "e2": 1}


def test_event_later_than_the_follow_up_on_file_is_taken(world):
    record_event(report(months_since_implant="70", year="2015"), by=world.reporter)

    assert Event.objects.get().months_since_implant == 70


def test_end_before_an_event_of_its_own_is_refused_of_many(world):
    record_event(report(months_since_implant="70", year="2015"), by=world.reporter)

    with pytest.raises(Exception, match="an event of this component is later") as refusal:
        follow_up([FollowUp(world.catheter.public_id, "65", "explant-elective")], by=world.lead)

    assert set(refusal.value.by_row) == {world.catheter.public_id}


def test_standings_tell_the_open_round_and_who_is_behind(world):
    brought_up(world)
    close_round("BERN", by=world.lead)
    PatientFactory(site=world.other)
    record_implant(implant(implant="new", patient="p9", months_followed="1"), by=world.reporter)

    of_bern, of_basel = sorted(
        standings_of([world.site, world.other]), key=lambda each: -each.in_follow_up
    )

    assert (of_bern.number, of_bern.in_follow_up, of_bern.behind) == (2, 3, 1)
    assert (of_basel.number, of_basel.in_follow_up, of_basel.behind) == (1, 0, 0)
