"""Categories and complications: their codes, and retiring them."""

import pytest

from registry.models import Category, Complication
from tests.factories import CategoryFactory, ComplicationFactory
from tests.models.rule_checks import assert_refused, check_constraints, store

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

CODED = {
    "origin": "drug",
    "clock": "pump",
    "natural_denominator": "refills",
    "evidence": "abstract",
}


def complication_of(**values) -> Complication:
    values = {"code": "catheter-kink", "category": CategoryFactory(), **values}
    return ComplicationFactory.build(**values)


@pytest.mark.parametrize("field", CODED)
def test_complication_takes_a_code_and_no_blank(field):
    assert store(complication_of(code="fine", **{field: CODED[field]})).pk

    assert_refused(complication_of(**{field: "not-a-code"}), f"{field}_is_coded")
    assert_refused(complication_of(**{field: ""}), f"{field}_is_coded")


def test_category_takes_a_denominator_of_the_list():
    assert CategoryFactory(code="pump", natural_denominator="pump-months").pk

    category = CategoryFactory.build(code="pump-2", natural_denominator="")
    assert_refused(category, "natural_denominator_is_coded")


@pytest.mark.parametrize("code", ["", "Two Words", "a--b", "-a", "a-", "ä"])
def test_catalogue_code_is_kebab_case(code):
    assert_refused(CategoryFactory.build(code=code), "code_is_kebab_case")
    assert_refused(complication_of(code=code), "code_is_kebab_case")


def test_replaced_complication_is_retired():
    new = ComplicationFactory(code="new")
    assert ComplicationFactory(code="old", replaced_by=new, retired=True).replaced_by == new

    assert_refused(complication_of(replaced_by=new), "replaced_means_retired")


def test_complication_does_not_replace_itself():
    one = ComplicationFactory(code="one", retired=True)
    one.replaced_by = one

    assert_refused(one, "replaced_means_retired")


def test_current_leaves_retired_complications_out():
    current = ComplicationFactory(code="now")
    ComplicationFactory(code="then", retired=True)

    assert list(Complication.objects.current()) == [current]


def test_every_check_constraint_of_the_catalogue_is_tried():
    coded = {f"{field}_is_coded" for field in CODED}
    rules = {"code_is_kebab_case", "replaced_means_retired"}

    assert set(check_constraints(Complication)) == coded | rules
    tried = {"code_is_kebab_case", "natural_denominator_is_coded"}
    assert set(check_constraints(Category)) == tried


def test_synonyms_and_citations_are_lists():
    complication = Complication(synonyms="kink; bend ;", citations="A 2001;1:2 | B 2002")

    assert complication.synonym_list == ["kink", "bend"]
    assert complication.citation_list == ["A 2001;1:2", "B 2002"]
    assert Complication().synonym_list == []
