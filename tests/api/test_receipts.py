"""A receipt answers again, to the same bytes, for whoever may know the answer."""

import json
from datetime import timedelta

import pytest
from django.core import signing
from django.core.cache import cache
from django.core.management import call_command
from django.utils import timezone
from rest_framework.test import APIClient

from registry.models import AccessLog, Agreement, Complication, Membership, Snapshot, sealed
from registry.records import DIMENSIONS
from registry.reporting import receipts
from registry.reporting.asking import freshness
from registry.snapshot import shelf
from tests.api.conftest import client_of, make_user, stored

pytestmark = pytest.mark.usefixtures("own_folder")

STATISTICS = "/api/v1/statistics/"
QUESTIONS = [
    "counts/?group_by=category,sex",
    "rates/?group_by=complication&per=100&level=0.99&labels=both&ordering=-rate",
    "proportions/?category=catheter&drug=baclofen,morphine&year_min=2000",
]


@pytest.fixture
def released(cohort):
    call_command("freeze", release="2026Q4", verbosity=0)
    return cohort


@pytest.fixture
def researcher(released):
    return client_of(released.researcher)


def publish(registry, label):
    """Publish a release of other data than the one before."""
    stored(registry.reporter, source_id=f"ev-{label}")
    call_command("freeze", release=label, verbosity=0)


def ask(client, question):
    reply = client.get(STATISTICS + question)
    assert reply.status_code == 200, reply.content
    return reply


def receipt_of(reply):
    return reply.json()["meta"]["receipt"]


def address_of(receipt):
    return f"{STATISTICS}receipts/{receipt}/"


def code_of(reply):
    assert reply["Content-Type"] == "application/problem+json"
    return reply.status_code, reply.json()["code"]


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("who", ["researcher", "reviewer"])
def test_the_same_question_of_a_release_has_the_same_bytes(who, question, released):
    params = f"{question}&release=2026Q4"
    if who == "researcher":
        params = params.replace("&year_min=2000", "")  # a range of years is no protected question
    first = ask(client_of(getattr(released, who)), params)
    cache.clear()
    publish(released, "2027Q1")

    again = client_of(getattr(released, who)).get(address_of(receipt_of(first)))

    assert again.status_code == 200
    assert again.content == first.content
    assert json.loads(again.content)["rows"]


@pytest.mark.parametrize("kind", ["svg", "png", "vega"])
@pytest.mark.parametrize("labels", ["code", "label"])
def test_a_picture_of_a_receipt_has_the_same_bytes(labels, kind, researcher):
    question = f"counts/?group_by=category&labels={labels}"
    first = ask(researcher, f"{question}&format={kind}")
    receipt = receipt_of(ask(researcher, question))
    cache.clear()

    again = researcher.get(f"{address_of(receipt)}?format={kind}")

    assert again["Content-Type"] == first["Content-Type"]
    assert again.content == first.content
    assert len(again.content) > 1_000


def test_every_format_has_the_same_bytes(researcher):
    first = ask(researcher, "counts/?group_by=category&format=csv")
    receipt = receipt_of(ask(researcher, "counts/?group_by=category"))

    by_parameter = researcher.get(f"{address_of(receipt)}?format=csv")
    by_header = researcher.get(address_of(receipt), HTTP_ACCEPT="text/csv")

    assert by_parameter.content == by_header.content == first.content
    assert first.content.startswith(b"category,n,")


def test_a_protected_receipt_is_for_whoever_may_ask(released):
    first = ask(client_of(released.researcher), "counts/?group_by=category")
    receipt = receipt_of(first)

    for user in (released.reporter, released.reviewer, released.manager):
        again = client_of(user).get(address_of(receipt))
        assert again.content == first.content
        assert again.json()["meta"]["profile"] == "protected"
    assert client_of(released.auditor).get(address_of(receipt)).status_code == 403
    assert client_of(None).get(address_of(receipt)).status_code == 401
    assert not AccessLog.objects.filter(action="exact-statistics").exists()


def test_the_public_has_receipts_of_the_newest_release(released, settings):
    settings.REGISTRY_PUBLIC_STATISTICS = True
    public = APIClient()
    receipt = receipt_of(ask(public, "counts/"))

    assert public.get(address_of(receipt)).status_code == 200
    publish(released, "2027Q1")
    assert code_of(public.get(address_of(receipt))) == (403, "not-permitted")
    assert client_of(released.researcher).get(address_of(receipt)).status_code == 200


def test_an_exact_receipt_is_for_exact_viewers_and_logged(released):
    first = ask(client_of(released.reviewer), "counts/?release=2026Q4")
    before = list(AccessLog.objects.values_list("pk", flat=True))

    again = client_of(released.manager).get(address_of(receipt_of(first)))

    assert again.content == first.content
    log = AccessLog.objects.exclude(pk__in=before).get(action="exact-statistics")
    assert (log.user, log.count) == (released.manager, 1)
    assert log.what.startswith("counts ")


def test_an_exact_receipt_tells_others_no_more_than_an_altered_one(released):
    receipt = receipt_of(ask(client_of(released.reviewer), "counts/?release=2026Q4"))
    gone = receipt_of(ask(client_of(released.reviewer), "counts/"))
    stored(released.reporter)
    ask(client_of(released.reviewer), "counts/")

    for user in (released.researcher, released.reporter):
        client = client_of(user)
        refused = [client.get(address_of(each)) for each in (receipt, gone, receipt[:-1], "x:y")]
        assert code_of(refused[0]) == (404, "unknown-receipt")
        assert len({reply.content for reply in refused}) == 1


def test_a_member_repeats_the_own_site_and_no_other(released):
    stored(released.reporter, submit=True)
    own = receipt_of(ask(client_of(released.reporter), "counts/?site=HERE-1&state=submitted"))

    again = client_of(released.reporter).get(address_of(own))

    assert again.json()["rows"][0]["n"] == 1
    assert not AccessLog.objects.filter(action="exact-statistics").exists()
    assert code_of(client_of(released.stranger).get(address_of(own))) == (404, "unknown-receipt")


def test_who_has_left_the_site_has_no_more_receipts_of_it(released):
    own = receipt_of(ask(client_of(released.reporter), "counts/?site=HERE-1"))
    with sealed(by=None, action="test") as seal:
        member = Membership.objects.get(user=released.reporter)
        member.active = False
        seal.save(member)
        released.reporter.set_roles(["researcher"], seal=seal)

    reply = client_of(released.reporter).get(address_of(own))

    assert code_of(reply) == (404, "unknown-receipt")


def test_an_agreement_that_has_run_out_ends_its_receipts(released):
    analyst = make_user("analyst", "analyst")
    with sealed(by=None, action="test") as seal:
        seal.save(
            Agreement(
                user=analyst,
                reference="DUA-1",
                purpose="device-performance",
                decision="granted",
                expires_on=timezone.now().date() + timedelta(days=1),
            )
        )
    receipt = receipt_of(ask(client_of(analyst), "counts/?release=2026Q4"))
    assert client_of(analyst).get(address_of(receipt)).status_code == 200

    held = Agreement.objects.get(user=analyst)
    with sealed(by=None, action="test") as seal:
        held.expires_on = timezone.now().date() - timedelta(days=1)
        seal.save(held)

    assert code_of(client_of(analyst).get(address_of(receipt))) == (404, "unknown-receipt")


@pytest.mark.parametrize(
    "alter",
    [
        lambda receipt: receipt[:-1],
        lambda receipt: receipt.swapcase(),
        lambda receipt: receipt.split(":")[0],
        lambda receipt: signing.Signer(salt="registry.receipt", key="other").sign_object({"a": 1}),
        lambda receipt: signing.Signer(salt="elsewhere").sign_object({"a": 1}),
        lambda receipt: signing.Signer(salt="registry.receipt").sign_object({"a": 1}),
        lambda receipt: signing.Signer(salt="registry.receipt").sign_object([1]),
        lambda receipt: "zzqzz",
    ],
)
def test_an_altered_receipt_is_unknown_and_not_repeated(alter, researcher):
    altered = alter(receipt_of(ask(researcher, "counts/")))

    reply = researcher.get(address_of(altered))

    assert code_of(reply) == (404, "unknown-receipt")
    assert altered not in reply.text


def test_a_question_of_another_version_is_unknown(researcher):
    receipt = receipt_of(ask(researcher, "counts/"))
    signer = signing.Signer(salt="registry.receipt")
    content = signer.unsign_object(receipt)
    content["query"]["colour"] = "red"

    assert code_of(researcher.get(address_of(signer.sign_object(content)))) == (
        404,
        "unknown-receipt",
    )


def test_a_working_snapshot_that_has_given_way_is_gone(cohort):
    reviewer = client_of(cohort.reviewer)
    first = ask(reviewer, "counts/?group_by=category")
    assert reviewer.get(address_of(receipt_of(first))).content == first.content

    stored(cohort.reporter)
    ask(reviewer, "counts/")

    reply = reviewer.get(address_of(receipt_of(first)))
    assert code_of(reply) == (410, "snapshot-gone")
    assert "cite an answer from a release" in reply.json()["detail"]


def test_a_working_snapshot_that_was_published_answers_as_before(cohort):
    reviewer = client_of(cohort.reviewer)
    first = ask(reviewer, "counts/?group_by=category")
    call_command("freeze", release="2026Q4", verbosity=0)
    stored(cohort.reporter)
    ask(reviewer, "counts/")

    assert reviewer.get(address_of(receipt_of(first))).content == first.content
    assert first.json()["meta"]["snapshot"]["kind"] == "working"


def test_no_receipt_has_protected_numbers_of_the_day(released, researcher):
    receipt = receipt_of(ask(researcher, "counts/"))
    signer = signing.Signer(salt="registry.receipt")
    content = signer.unsign_object(receipt)
    del content["label"]
    stored(released.reporter)
    content["snapshot"] = freshness.current().snapshot_id

    assert code_of(researcher.get(address_of(signer.sign_object(content)))) == (
        410,
        "snapshot-gone",
    )


def test_a_release_that_is_not_kept_here_is_gone(released, researcher):
    receipt = receipt_of(ask(researcher, "counts/"))
    publish(released, "2027Q1")
    Snapshot.objects.filter(label="2026Q4")._raw_delete("default")

    assert code_of(researcher.get(address_of(receipt))) == (410, "snapshot-gone")


def test_a_release_without_its_files_says_so(released, researcher, tmp_path):
    receipt = receipt_of(ask(researcher, "counts/"))
    release = Snapshot.objects.get(label="2026Q4")
    shelf.forget_open()
    (freshness.root() / release.snapshot_id).rename(tmp_path / "elsewhere")

    assert code_of(researcher.get(address_of(receipt))) == (503, "snapshot-unusable")


def test_receipts_outlive_a_new_secret_key(researcher, settings):
    first = ask(researcher, "counts/?group_by=category")
    old = settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "a new one", [old]

    assert researcher.get(address_of(receipt_of(first))).content == first.content

    settings.SECRET_KEY_FALLBACKS = []
    assert code_of(researcher.get(address_of(receipt_of(first)))) == (404, "unknown-receipt")


def test_the_key_of_protection_stays_the_condition(researcher, settings):
    receipt = receipt_of(ask(researcher, "counts/"))
    settings.REGISTRY_KEY_NOISE = "f" * 64
    settings.REGISTRY_KEY_RECORDS = "e" * 64

    assert code_of(researcher.get(address_of(receipt))) == (409, "no-snapshot")


def test_a_receipt_is_revalidated_by_its_tag(researcher):
    receipt = receipt_of(ask(researcher, "counts/"))
    first = researcher.get(address_of(receipt))

    assert {"Accept", "Authorization", "Cookie"} <= set(first["Vary"].split(", "))
    again = researcher.get(address_of(receipt), HTTP_IF_NONE_MATCH=first["ETag"])
    assert again.status_code == 304


def test_a_receipt_takes_no_other_parameter(researcher):
    receipt = receipt_of(ask(researcher, "counts/"))

    assert code_of(researcher.get(f"{address_of(receipt)}?site=HERE-1"))[1] == "unknown-parameter"


def test_receipts_fit_into_an_address(reviewer):
    """Web servers take request lines of 4,094 bytes (gunicorn's default), often of 8,190."""
    short = receipt_of(ask(reviewer, "counts/"))
    codes = ",".join(
        each["code"] for each in reviewer.get("/api/v1/complications/").json()["results"]
    )
    long = receipt_of(
        ask(
            reviewer,
            f"counts/?complication={codes}&drug=morphine,baclofen,ziconotide&pump_model=medtronic"
            "&group_by=complication,site,year&labels=both&counting=events",
        )
    )

    assert len(codes) > 500
    assert len(short) < 300
    assert len(long) < 2_500
    assert reviewer.get(address_of(long)).status_code == 200


def test_a_question_by_any_dimension_comes_back_as_it_was(reviewer):
    values = {"window": "0-3,13-", "year": "2009,2011", "period": "2005-2009"}
    for name in DIMENSIONS:
        reply = ask(reviewer, f"counts/?{name}={values.get(name, 'not-recorded')}")

        assert reviewer.get(address_of(receipt_of(reply))).content == reply.content
        assert receipts.read(receipt_of(reply)).signed() == receipt_of(reply)


def test_a_complication_retired_since_changes_no_byte(released):
    reviewer = client_of(released.reviewer)
    first = ask(reviewer, "counts/?complication=catheter-kink&release=2026Q4")
    retired = Complication.objects.get(code="catheter-kink")
    retired.retired = True
    with sealed(by=None, action="test") as seal:
        seal.save(retired)

    assert reviewer.get(address_of(receipt_of(first))).content == first.content
    working = ask(reviewer, "counts/?complication=catheter-kink").json()
    assert "The complication catheter-kink is retired." in working["meta"]["warnings"]
