"""What the clinical tables cannot hold, because they have no column for it."""

import pytest
from django.apps import apps
from django.db import models

from registry.models import Event, Exposure, Implant, Patient
from tests.models.rule_checks import check_constraints

CLINICAL = [Patient, Implant, Exposure, Event]
FORBIDDEN = (
    models.DateField,
    models.DateTimeField,
    models.TimeField,
    models.DurationField,
    models.TextField,
    models.FileField,
    models.JSONField,
    models.BinaryField,
    models.GenericIPAddressField,
)


def columns(model: type[models.Model]) -> list[models.Field]:
    return [field for field in model._meta.get_fields() if field.concrete]


@pytest.mark.parametrize("model", CLINICAL)
def test_clinical_model_has_no_room_for_a_date_a_text_or_a_file(model):
    assert [field.name for field in columns(model) if isinstance(field, FORBIDDEN)] == []


@pytest.mark.parametrize("model", CLINICAL)
def test_clinical_text_is_a_code_of_a_list_or_a_source_id(model):
    texts = [field for field in columns(model) if isinstance(field, models.CharField)]
    rules = check_constraints(model)

    for field in texts:
        if field.name == "source_id":
            pattern = ("source_id__regex", r"\A[A-Za-z0-9._-]{1,40}\Z")
            assert pattern in rules["source_id_is_a_key"].condition.children
        else:
            assert field.choices
            assert f"{field.name}_is_coded" in rules


@pytest.mark.parametrize("model", CLINICAL)
def test_clinical_row_is_known_by_a_random_id(model):
    field = model._meta.get_field("public_id")

    assert field.unique
    assert len({field.get_default() for _ in range(100)}) == 100
    assert {field.get_default().version for _ in range(10)} == {4}


@pytest.mark.parametrize("model", list(apps.get_app_config("registry").get_models()), ids=str)
def test_every_rule_has_a_sentence_for_the_person_who_types(model):
    default = models.BaseConstraint.default_violation_error_message

    for constraint in model._meta.constraints:
        if isinstance(constraint, models.CheckConstraint):
            assert constraint.violation_error_message != default
            assert constraint.violation_error_message.endswith(".")
            assert constraint.name.startswith(f"registry_{model._meta.model_name}_")
            assert len(constraint.name) <= 63  # PostgreSQL cuts longer names
