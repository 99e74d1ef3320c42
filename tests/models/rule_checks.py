"""How the tests of row rules store a row and see it refused."""

from typing import Any

import pytest
from django.db import IntegrityError, models, transaction

from registry.models import sealed


def store(instance: models.Model) -> Any:
    """Write one row past every rule but the database's."""
    with sealed(by=None, action="test") as seal:
        seal.save(instance)
    return instance


def assert_refused(instance: models.Model, rule: str) -> None:
    """The database names this rule, and no other, as the one that the row breaks."""
    name = f"registry_{instance._meta.model_name}_{rule}"
    with pytest.raises(IntegrityError, match=rf"\b{name}\b"), transaction.atomic():
        store(instance)


def assert_not_unique(instance: models.Model) -> None:
    """The database refuses the row because another one like it is there."""
    with pytest.raises(IntegrityError, match=r"(?i)unique"), transaction.atomic():
        store(instance)


def check_constraints(model: type[models.Model]) -> dict[str, models.CheckConstraint]:
    """A model's check constraints by the name of their rule."""
    prefix = f"registry_{model._meta.model_name}_"
    return {
        constraint.name.removeprefix(prefix): constraint
        for constraint in model._meta.constraints
        if isinstance(constraint, models.CheckConstraint)
    }
