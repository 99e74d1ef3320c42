"""The benchmark's forms of the eight questions answer alike, down to every limit.

From ten sites on those of rates are robust to sites, which the other forms never are; those of
curves, of which the other forms work out all, are compared there.
"""

from collections.abc import Collection

import pytest
from django.core.management import call_command

from tests.benchmarks import forms
from tests.benchmarks.agreement import differences
from tests.benchmarks.eight_questions import QUESTIONS


@pytest.mark.django_db
@pytest.mark.parametrize(("sites", "numbers"), [(8, range(1, 9)), (12, [8])])
def test_registry_orm_and_arrays_answer_alike(
    settings: object, tmp_path: object, sites: int, numbers: Collection[int]
) -> None:
    settings.REGISTRY_VAR = tmp_path  # type: ignore[attr-defined]
    call_command("generate", events=3000, sites=sites, verbosity=0)
    forms.make_people()
    call_command("freeze", release="bench", early=True, verbosity=0)

    for question in QUESTIONS:
        if question.number not in numbers:
            continue
        answer = forms.rows_of(forms.EXACT, question.number)

        assert answer, question.title
        for form in (forms.ORM, forms.ARRAYS):
            others = forms.rows_of(form, question.number)
            found = list(differences(answer, others))
            assert not found, (question.title, form, found[:5])
        if question.published is not None:
            forms.times_of(forms.PROTECTED, question.number, 1)  # raises where it is refused


def test_numbers_that_may_differ_are_left_out() -> None:
    one, other = {("csf-leak",): (3, 0.5, "ok")}, {("csf-leak",): (3, 0.7, "ok")}

    assert list(differences(one, other))
    assert not list(differences(one, other, but=[1]))


def test_forms_that_differ_are_told() -> None:
    answer = {("pump-flip",): (3, "ok"), ("csf-leak",): (1, "ok")}

    other = {("pump-flip",): (3 * (1 + 1e-8), "ok"), ("death",): (0, "zero")}

    assert list(differences(answer, other)) == [
        "('csf-leak',): (1, 'ok') and None",
        "('death',): None and (0, 'zero')",
        "('pump-flip',): (3, 'ok') and (3.00000003, 'ok')",
    ]
    assert not list(differences(answer, answer))
