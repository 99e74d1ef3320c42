"""The permanent page of a cited answer: for whom it is, what it says, and that it lasts."""

import hashlib
import re

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction

from registry import reporting
from registry.answers.citations import Reference, bibtex, ris
from registry.filters import parse_query
from registry.intake.citations import keep_citation
from registry.models import AccessLog, Citation
from registry.models.citations import CODE_LENGTH, CODE_LETTERS
from registry.records import Viewer
from registry.vocabulary import Measure, Role
from tests.factories import EventFactory, UserFactory

FILES = ("csv", "json", "svg", "png", "bib", "ris")


def receipt_of(viewer, **params):
    query = parse_query(params, measure=Measure.COUNTS)
    return reporting.answer(query, measure=Measure.COUNTS, viewer=viewer).receipt


@pytest.fixture
def protected(released):
    return receipt_of(Viewer(label="researcher"))


@pytest.fixture
def newer_release(released, followed):
    def published():
        EventFactory(implant=followed[5], complication=followed[0].events.get().complication)
        call_command("freeze", release="2027Q4", early=True, verbosity=0)

    return published


def page_of(client, receipt):
    reply = client.post("/cite/", {"receipt": receipt})
    assert reply.status_code == 302, reply.content
    return reply["Location"]


def test_a_receipt_has_one_page_at_a_short_address(as_role, protected):
    client = as_role(Role.RESEARCHER)

    first, again = page_of(client, protected), page_of(client, f" {protected}\n")

    assert first == again
    assert re.fullmatch(r"/c/[2-9b-z]{8}/", first)
    assert Citation.objects.count() == 1


def test_page_has_picture_table_counting_digest_version_and_release(as_role, protected):
    client = as_role(Role.RESEARCHER)
    address = page_of(client, protected)

    page = client.get(address).content.decode()

    csv = client.get(f"{address}answer.csv").content
    assert hashlib.sha256(csv).hexdigest() in page
    assert f'src="{address}answer.svg" width="' in page
    assert "Counts of all complications" in page
    assert "How it was counted" in page
    assert "2026Q4" in page
    assert protected in page
    assert reporting.answer_again(protected, viewer=Viewer()).meta["code_version"] in page
    assert "not, to the byte" not in page


def test_csv_of_the_page_is_that_of_the_receipt(as_role, protected):
    client = as_role(Role.RESEARCHER)

    mine = client.get(f"{page_of(client, protected)}answer.csv").content

    assert mine == client.get(f"/api/v1/statistics/receipts/{protected}/?format=csv").content


def test_receipt_in_the_api_leads_to_the_page(as_role, protected):
    client = as_role(Role.RESEARCHER)
    before = client.get(f"/api/v1/statistics/receipts/{protected}/")
    address = page_of(client, protected)

    after = client.get(f"/api/v1/statistics/receipts/{protected}/")

    assert "Link" not in before
    assert after["Link"] == f'<http://testserver{address}>; rel="cite-as"'
    assert after.content == before.content


@pytest.mark.parametrize("ending", FILES)
def test_every_file_of_a_page_is_there(ending, as_role, protected):
    client = as_role(Role.RESEARCHER)

    reply = client.get(f"{page_of(client, protected)}answer.{ending}")

    assert reply.status_code == 200
    assert reply["Content-Disposition"].endswith(f'.{ending}"')
    assert len(reply.content) > 20


def test_picture_opened_by_its_address_may_run_nothing(as_role, protected):
    client = as_role(Role.RESEARCHER)

    reply = client.get(f"{page_of(client, protected)}answer.svg")

    assert "sandbox" in reply["Content-Security-Policy"]


def test_other_endings_are_missing(as_role, protected):
    client = as_role(Role.RESEARCHER)

    assert client.get(f"{page_of(client, protected)}answer.exe").status_code == 404


def test_strangers_are_led_to_sign_in_where_the_answer_was_not_public(client, as_role, protected):
    address = page_of(as_role(Role.RESEARCHER), protected)
    client.logout()

    for path in (address, f"{address}answer.csv"):
        assert client.get(path)["Location"] == f"/login/?next={path}"


def test_what_was_public_when_cited_stays_so(client, as_role, protected, settings, newer_release):
    settings.REGISTRY_PUBLIC_STATISTICS = True
    address = page_of(as_role(Role.RESEARCHER), protected)
    before = client.get(f"{address}answer.csv").content
    newer_release()
    settings.REGISTRY_PUBLIC_STATISTICS = False
    client.logout()

    assert client.get(address).status_code == 200
    assert client.get(f"{address}answer.csv").content == before


def test_what_everybody_may_read_an_auditor_may_too(as_role, protected, settings):
    settings.REGISTRY_PUBLIC_STATISTICS = True
    address = page_of(as_role(Role.RESEARCHER), protected)

    assert as_role(Role.AUDITOR).get(address).status_code == 200


def test_an_auditor_reads_nothing_that_was_not_public(as_role, protected):
    address = page_of(as_role(Role.RESEARCHER), protected)

    assert as_role(Role.AUDITOR).get(address).status_code == 403


def test_an_older_release_is_not_made_public_by_citing_it(
    client, as_role, protected, settings, newer_release
):
    settings.REGISTRY_PUBLIC_STATISTICS = True
    newer_release()
    address = page_of(as_role(Role.RESEARCHER), protected)
    client.logout()

    assert not Citation.objects.get().is_public
    assert client.get(address).status_code == 403


def test_exact_numbers_are_for_whoever_may_ask_for_them(as_role, released, settings):
    settings.REGISTRY_PUBLIC_STATISTICS = True
    viewer = Viewer(exact_everywhere=True, label="reviewer")
    receipt = receipt_of(viewer, release="2026Q4")
    client = as_role(Role.REVIEWER)
    address = page_of(client, receipt)
    assert client.get(address).status_code == 200

    assert not Citation.objects.get().is_public
    assert as_role(Role.RESEARCHER).get(address).status_code == 404
    client.logout()
    assert client.get(address).status_code == 404


@pytest.mark.parametrize("labels", ["code", "both"])
def test_alternative_text_is_that_of_the_picture_in_words(labels, as_role, released):
    viewer = Viewer(exact_everywhere=True, label="reviewer")
    receipt = receipt_of(viewer, release="2026Q4", group_by="category", labels=labels)
    client = as_role(Role.REVIEWER)
    address = page_of(client, receipt)

    page, svg = (client.get(each).content.decode() for each in (address, f"{address}answer.svg"))

    said = re.search(r' alt="([^"]*)"', page)[1]
    width, height = re.search(r'<img src="[^"]*" width="(\d+)" height="(\d+)"', page).groups()
    assert "Catheter problem" in said
    assert said == re.search(r"<desc[^>]*>(.*?)</desc>", svg)[1]
    assert f'width="{width}" height="{height}"' in svg


def test_exact_numbers_in_words_are_asked_and_logged_once_a_page(as_role, released):
    viewer = Viewer(exact_everywhere=True, label="reviewer")
    receipt = receipt_of(viewer, release="2026Q4", group_by="category", labels="both")
    client = as_role(Role.REVIEWER)
    address = page_of(client, receipt)
    before = AccessLog.objects.filter(action="exact-statistics").count()

    client.get(address)

    assert AccessLog.objects.filter(action="exact-statistics").count() == before + 1


def test_somebody_elses_exact_receipt_has_no_page_here(as_role, released):
    receipt = receipt_of(Viewer(exact_everywhere=True, label="reviewer"), release="2026Q4")

    reply = as_role(Role.RESEARCHER).post("/cite/", {"receipt": receipt})

    assert "knows no such receipt" in reply.content.decode()
    assert not Citation.objects.exists()


def test_an_altered_receipt_has_no_page(as_role, protected):
    reply = as_role(Role.RESEARCHER).post("/cite/", {"receipt": protected[:-2]})

    assert "knows no such receipt" in reply.content.decode()
    assert not Citation.objects.exists()


def test_data_of_the_day_have_no_page(as_role, released):
    receipt = receipt_of(Viewer(exact_everywhere=True, label="reviewer"))

    reply = as_role(Role.REVIEWER).post("/cite/", {"receipt": receipt})

    assert "Only answers of a release last" in reply.content.decode()
    assert not Citation.objects.exists()


def test_a_table_that_is_written_otherwise_now_is_said(as_role, protected):
    client = as_role(Role.RESEARCHER)
    address = page_of(client, protected)
    Citation.objects.update(sha256="0" * 64, code_version="0.0.1")

    page = client.get(address).content.decode()

    assert "not, to the byte" in page
    assert "version 0.0.1 of the registry wrote it" in " ".join(page.split())


def test_unknown_code_is_missing(as_role, released):
    client = as_role(Role.RESEARCHER)

    assert client.get("/c/bcdfghjk/").status_code == 404
    assert client.get("/c/bcdfghjk/answer.csv").status_code == 404


def test_strangers_cite_nothing(client, protected):
    assert client.post("/cite/", {"receipt": protected})["Location"].startswith("/login/")
    assert not Citation.objects.exists()


def test_page_of_an_answer_offers_to_make_its_page(as_role, protected):
    client = as_role(Role.RESEARCHER)

    lasting = client.get("/dashboard/explore/?measure=counts").content.decode()

    assert 'action="/cite/"' in lasting
    assert "Make its permanent page" in lasting


def test_an_answer_cited_again_when_public_becomes_so(db):
    person = UserFactory()
    given = {"by": person, "sha256": "0" * 64, "code_version": "1"}

    first = keep_citation("a", is_public=False, **given)
    again = keep_citation("a", is_public=True, **given)
    later = keep_citation("a", is_public=False, **given)

    assert (first.is_public, again.is_public, later.is_public) == (False, True, True)
    assert first.code == again.code == later.code


def test_code_is_short_and_makes_no_words(db):
    given = {"receipt": "b", "receipt_digest": "b", "is_public": False, "sha256": "0"}
    person = UserFactory()

    for wrong in ("abcdefgh", "bcdf", "BCDFGHJK", ""):
        with pytest.raises(IntegrityError, match="code_is_short"), transaction.atomic():
            Citation.objects.create(code=wrong, cited_by=person, code_version="1", **given)
    kept = Citation.objects.create(cited_by=person, code_version="1", **given)

    assert len(kept.code) == CODE_LENGTH
    assert set(kept.code) <= set(CODE_LETTERS)
    assert not set(CODE_LETTERS) & set("aeiou")


REFERENCE = Reference(
    code="bcdfghjk",
    title="Rates of 5 % & more_than",
    year=2026,
    release="2026Q4",
    profile="protected",
    address="https://registry.example/c/bcdfghjk/",
    sha256="ab" * 32,
)


def test_reference_as_bibtex_escapes_what_tex_reads():
    assert bibtex(REFERENCE).decode() == (
        "@misc{pumpregistry-bcdfghjk,\n"
        "  title = {{Rates of 5 \\% \\& more\\_than}},\n"
        "  author = {{Pump registry}},\n"
        "  year = {2026},\n"
        "  version = {2026Q4},\n"
        "  howpublished = {\\url{https://registry.example/c/bcdfghjk/}},\n"
        f"  note = {{Release 2026Q4, protected numbers. SHA-256 of the CSV: {'ab' * 32}}}\n"
        "}\n"
    )


def test_reference_as_ris_is_a_data_set():
    lines = ris(REFERENCE).decode().split("\r\n")

    assert lines[0] == "TY  - DATA"
    assert "UR  - https://registry.example/c/bcdfghjk/" in lines
    assert lines[-2:] == ["ER  - ", ""]
