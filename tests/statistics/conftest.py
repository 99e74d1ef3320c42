"""Arithmetic warnings stay on in these tests; lifelines turns them off for the whole process."""

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def _arithmetic_warnings():
    with np.errstate(divide="warn", invalid="warn", over="warn"):
        yield
