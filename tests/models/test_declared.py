"""Tables against the declaration of a row: a column that is read has a place that can hold it."""

import pytest
from django.db import models

from registry.models import Event, Exposure, Implant, Patient
from registry.models.fields import CodeField, CodeSetField, GradeField
from registry.models.rules import codes_of
from registry.records import RowKind
from registry.records.columns import DECLARED, OF_PATIENTS
from registry.records.declared import Holds

ELSEWHERE = {
    Patient: ("site",),
    Implant: ("site", "patient", "implant", "sex", "indication"),
    Exposure: ("site",),
    Event: ("site", "implant", "complication", "caused_by", "seriousness"),
}
"""Columns that name another row, stand in it, or are several: their doors' tests hold them."""

MODELS = {
    Patient: OF_PATIENTS,
    Implant: DECLARED[RowKind.IMPLANT],
    Exposure: DECLARED[RowKind.EXPOSURE],
    Event: DECLARED[RowKind.EVENT],
}
MOST = {models.PositiveSmallIntegerField: 32_767, models.PositiveIntegerField: 2_147_483_647}
DECLARATIONS = [
    pytest.param(model, column, id=f"{model.__name__}-{name}")
    for model, columns in MODELS.items()
    for name, column in columns.items()
    if name not in ELSEWHERE[model]
]


@pytest.mark.parametrize(("model", "column"), DECLARATIONS)
def test_field_holds_what_its_column_is_declared_to_hold(model, column):
    if column.holds is Holds.MODEL:
        assert {"pump_model", "catheter_model"} <= {field.name for field in model._meta.fields}
        return
    field = model._meta.get_field(column.name)
    if column.holds is Holds.CODE:
        assert isinstance(field, CodeField)
        assert field.choices == column.codes.choices()
        assert field.blank == column.nullable
    elif column.holds is Holds.CODES:
        assert isinstance(field, CodeSetField)
        assert field.codes is column.codes
    elif column.holds is Holds.GRADE:
        assert isinstance(field, GradeField)
    elif column.holds is Holds.KEY:
        assert (field.max_length, field.blank) == (40, column.nullable)
    else:
        most = column.whole.most if column.whole else 2_100
        assert MOST[type(field)] >= most
        assert field.null == column.nullable


@pytest.mark.parametrize(("model", "columns"), MODELS.items())
def test_every_column_of_codes_is_held_to_its_list(model, columns):
    held = {rule.name.removeprefix("registry_") for rule in model._meta.constraints}
    lists = codes_of(columns, without=ELSEWHERE[model])
    sets = [name for name, column in columns.items() if column.holds is Holds.CODES]

    for name in [*lists, *(name for name in sets if name not in ELSEWHERE[model])]:
        assert f"{model.__name__.lower()}_{name}_is_coded" in held
