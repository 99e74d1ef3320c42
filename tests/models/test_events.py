"""Events read as parts of a sentence, and what an event says of itself."""

import pytest

from registry.models import Event
from registry.vocabulary import Seriousness
from tests.factories import EventFactory, SiteFactory


def test_seriousness_is_none_where_nothing_was_recorded():
    event = Event(seriousness=None)

    assert event.seriousness is None
    assert event.is_serious is None


def test_seriousness_none_is_judged_and_not_serious():
    event = Event(seriousness={Seriousness.NONE})

    assert event.serious_none
    assert event.seriousness == {"none"}
    assert event.is_serious is False


@pytest.mark.parametrize("criterion", [code for code in Seriousness if code != "none"])
def test_seriousness_keeps_each_criterion(criterion):
    event = Event(seriousness={criterion})

    assert event.seriousness == {criterion}
    assert event.is_serious is True


def test_seriousness_set_anew_forgets_what_was_ticked():
    event = Event(seriousness={"death", "hospitalisation"})

    event.seriousness = {"none"}

    assert not event.serious_death
    assert event.seriousness == {"none"}


@pytest.mark.django_db
class TestEventQuerySet:
    def test_accepted_leaves_other_states_out(self):
        accepted = EventFactory()
        EventFactory(state="submitted")

        assert list(Event.objects.accepted()) == [accepted]

    def test_actual_counts_blank_as_actual(self):
        blank = EventFactory(actuality="")
        EventFactory(
            actuality="near-miss", severity=None, outcome="not-applicable", seriousness=None
        )

        assert list(Event.objects.actual()) == [blank]

    @pytest.mark.parametrize("criterion", ["hospitalisation", "medically-important"])
    def test_serious_takes_any_criterion_but_none(self, criterion):
        serious = EventFactory(severity=3, seriousness={criterion})
        EventFactory(seriousness={"none"})
        EventFactory(seriousness=None)

        assert list(Event.objects.serious()) == [serious]

    def test_at_takes_a_site_or_its_code(self):
        here = EventFactory(site=SiteFactory(code="HERE"))
        EventFactory()

        assert list(Event.objects.accepted().at(here.site)) == [here]
        assert list(Event.objects.at("HERE").serious()) == []
        assert list(Event.objects.at("HERE")) == [here]
