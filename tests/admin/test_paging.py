"""Long lists page by page: no table is counted, and a long list says that there are more."""

import re

import pytest
from django.core.paginator import EmptyPage
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from registry.admin import paging
from registry.admin.paging import KeyPaginator
from registry.models import Patient
from tests.factories import EventFactory, ImplantFactory, PatientFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def patients(own_site):
    return [PatientFactory(site=own_site, source_id=f"k-{number:02}") for number in range(12)]


@pytest.fixture
def few_known(monkeypatch):
    """Five rows are known, or those of the page and one page more."""
    monkeypatch.setattr(paging, "KNOWN", 5)
    monkeypatch.setattr(paging, "PAGES_AHEAD", 1)


def shown(page):
    return [patient.source_id for patient in page.object_list]


def test_a_short_list_is_counted_and_paged(patients):
    pages = KeyPaginator(Patient.objects.order_by("-pk"), 5)

    assert (pages.count, pages.num_pages, pages.has_more, pages.counted) == (12, 3, False, "12")
    assert shown(pages.page(3)) == ["k-01", "k-00"]
    with pytest.raises(EmptyPage):
        pages.page(4)


def test_a_long_list_says_that_there_are_more_and_can_be_walked(few_known, patients):
    rows = Patient.objects.order_by("-pk")
    walked, number = [], 1
    while True:
        pages = KeyPaginator(rows, 2, page_number=number)
        walked += shown(pages.page(number))
        if number == pages.num_pages:
            break
        number += 1

    assert walked == [f"k-{number:02}" for number in range(11, -1, -1)]
    first = KeyPaginator(rows, 2)
    assert (first.count, first.has_more, first.counted) == (5, True, "more than 5")
    assert first.num_pages == 3
    assert shown(first.page(3)) == ["k-07"]


def test_nobody_turns_to_a_page_beyond_the_last_that_is_offered(monkeypatch, patients):
    monkeypatch.setattr(paging, "KNOWN", 2)
    monkeypatch.setattr(paging, "MOST_PAGES", 3)
    pages = KeyPaginator(Patient.objects.order_by("pk"), 2, page_number=10**9)

    assert pages.reach == 6
    with pytest.raises(EmptyPage):
        pages.page(4)


def test_a_page_takes_two_queries(patients, django_assert_num_queries):
    pages = KeyPaginator(Patient.objects.order_by("pk"), 5)

    with django_assert_num_queries(2):
        assert len(list(pages.page(2))) == 5


LISTS = ("event", "implant", "patient", "exposure")


def test_a_list_counts_no_table_and_takes_as_many_queries_however_long(
    own_site, reviewer, signed_in
):
    client = signed_in(reviewer)
    addresses = [reverse(f"admin:registry_{name}_changelist") for name in LISTS]
    addresses += [f"{addresses[0]}?queue=to-review", f"{addresses[0]}?alike=yes"]
    taken = {}
    for size in (2, 9):
        for number in range(size):
            implant = ImplantFactory(patient__site=own_site, source_id=f"i-{size}-{number}")
            EventFactory(implant=implant, state="submitted", source_id=f"e-{size}-{number}")
        for address in addresses:
            client.get(address)
            with CaptureQueriesContext(
                connection,
            ) as queries:
                assert client.get(address).status_code == 200
            told = [one["sql"] for one in queries.captured_queries]
            counting = [sql for sql in told if re.search(r"count\(", sql, re.IGNORECASE)]
            assert counting == [], address
            taken.setdefault(address, set()).add(len(told))

    assert {address: counts for address, counts in taken.items() if len(counts) > 1} == {}


def test_a_list_of_more_rows_than_are_known_says_so(
    few_known, patients, manager, signed_in, monkeypatch
):
    answer = signed_in(manager).get(reverse("admin:registry_patient_changelist"))

    assert "12 patients" in answer.text  # a page of fifty knows them all

    patients_admin = type(answer.context["cl"].model_admin)
    monkeypatch.setattr(patients_admin, "list_per_page", 2)
    answer = signed_in(manager).get(reverse("admin:registry_patient_changelist"))
    beyond = signed_in(manager).get(reverse("admin:registry_patient_changelist"), {"p": "19"})

    assert "more than 5 patients" in answer.text
    assert [row.source_id for row in answer.context["cl"].result_list] == ["k-11", "k-10"]
    assert beyond.url.endswith("?e=1")


def test_rows_stay_in_the_order_of_the_list(patients, manager, signed_in):
    address, client = reverse("admin:registry_patient_changelist"), signed_in(manager)
    column = client.get(address).context["cl"].list_display.index("source_id")

    for sign in ("", "-"):
        listed = client.get(address, {"o": f"{sign}{column}"}).context["cl"].result_list
        keys = [row.source_id for row in listed]
        assert keys == sorted(keys, reverse=sign == "-")
