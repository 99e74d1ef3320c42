"""A set of codes in one number, from Python to the database and back."""

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from registry.models import Event
from registry.models.fields import CodeSetField
from registry.vocabulary import Intervention
from tests.factories import EventFactory


@pytest.fixture
def field() -> CodeSetField:
    return Event._meta.get_field("interventions")


def stored_number(event: Event) -> int | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT interventions FROM registry_event WHERE id = %s", [event.pk])
        return cursor.fetchone()[0]


@pytest.mark.django_db
@pytest.mark.postgresql
class TestInTheDatabase:
    def test_code_set_is_stored_as_the_sum_of_its_bits(self):
        event = EventFactory(
            interventions={Intervention.NONE_OBSERVATION, Intervention.DOSE_CHANGE}
        )

        assert stored_number(event) == 2**0 + 2**3
        assert Event.objects.get().interventions == {"none-observation", "dose-change"}

    @pytest.mark.parametrize("blank", [None, frozenset(), []])
    def test_blank_code_set_is_null(self, blank):
        event = EventFactory(interventions=blank)

        assert stored_number(event) is None
        assert Event.objects.get().interventions is None

    def test_holds_any_finds_rows_that_share_a_code(self):
        both = EventFactory(interventions={"antibiotics", "wound-care"})
        one = EventFactory(interventions={"wound-care"})
        EventFactory(interventions=None)

        def found(*codes: str) -> set[Event]:
            return set(Event.objects.filter(interventions__holds_any=codes))

        assert found("wound-care") == {both, one}
        assert found("antibiotics", "dose-change") == {both}
        assert found("dose-change") == set()
        assert found() == set()

    def test_equal_sets_are_found_by_value(self):
        event = EventFactory(interventions={"antibiotics", "wound-care"})

        assert Event.objects.get(interventions={"wound-care", "antibiotics"}) == event


@pytest.mark.parametrize("value", ["antibiotics;wound-care", ["wound-care", "antibiotics"]])
def test_code_set_reads_text_and_lists(field, value):
    assert field.to_python(value) == {"antibiotics", "wound-care"}


@pytest.mark.parametrize("value", ["not-a-code", ["antibiotics", "x"], 1 << 40, -1, object()])
def test_code_set_refuses_what_is_not_of_the_list_without_echo(field, value):
    with pytest.raises(ValidationError) as caught:
        field.to_python(value)

    assert caught.value.messages == ["Choose codes of the list."]


def test_code_set_is_written_as_sorted_codes(field):
    event = Event(interventions=frozenset({Intervention.WOUND_CARE, Intervention.ANTIBIOTICS}))

    assert field.value_to_string(event) == "antibiotics;wound-care"


def test_code_set_offers_boxes_to_tick(field):
    form_field = field.formfield()

    assert form_field.clean(["antibiotics"]) == ["antibiotics"]
    assert not form_field.required
    assert form_field.label == "What was done"
    assert [code for code, _ in form_field.choices] == list(Intervention.codes())


def test_code_set_survives_full_clean_of_its_field(field):
    assert field.clean(["antibiotics"], None) == {"antibiotics"}
