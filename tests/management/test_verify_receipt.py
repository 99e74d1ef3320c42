"""`verify_receipt` says what a cited answer was, or why it cannot be had any more."""

import hashlib
import json

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command

from registry.models import AccessLog
from registry.vocabulary import Role
from tests.factories import EventFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def reply_of(client, tmp_path, settings):
    """The reply of the API to a reviewer's question of a release, in a registry of one event."""
    settings.REGISTRY_VAR = tmp_path
    cache.clear()
    EventFactory()
    call_command("freeze", release="2026Q4", verbosity=0)
    client.force_login(
        UserFactory(roles=[Role.REVIEWER]),
        backend="django.contrib.auth.backends.ModelBackend",
    )

    def ask(question):
        reply = client.get(f"/api/v1/statistics/{question}")
        assert reply.status_code == 200
        return reply

    return ask


def said(capsys, *arguments):
    capsys.readouterr()
    call_command("verify_receipt", *arguments, skip_checks=True)
    return capsys.readouterr().out


def test_a_receipt_that_holds_is_told_with_the_digest_of_the_reply(reply_of, capsys):
    reply = reply_of("counts/?group_by=category&release=2026Q4")
    table = reply_of("counts/?group_by=category&release=2026Q4&format=csv")
    meta = reply.json()["meta"]

    lines = said(capsys, meta["receipt"]).splitlines()

    assert lines[0] == "The receipt holds."
    assert lines[1] == f"Question: {meta['title']}"
    assert lines[3].startswith("Data: release 2026Q4, as of 20")
    assert lines[3].endswith(meta["snapshot"]["id"])
    assert lines[4] == "Profile: exact"
    assert lines[6].startswith("Worked out again from a snapshot whose files")
    assert lines[7] == f"SHA-256 as json: {hashlib.sha256(reply.content).hexdigest()}"
    assert lines[8] == f"SHA-256 as csv: {hashlib.sha256(table.content).hexdigest()}"


def test_the_answer_is_written_as_the_api_replies_it(reply_of, capsys):
    reply = reply_of("rates/?release=2026Q4")
    receipt = reply.json()["meta"]["receipt"]

    assert said(capsys, receipt, "--format=json") == reply.text
    written = said(capsys, receipt, "--format=csv").splitlines()
    assert written[0] == ",".join(each["name"] for each in reply.json()["columns"])
    assert json.loads(reply.content)["rows"][0]["events"] == int(written[1].split(",")[0])


def test_an_exact_answer_is_logged_without_a_user(reply_of, capsys):
    receipt = reply_of("counts/?release=2026Q4").json()["meta"]["receipt"]
    before = list(AccessLog.objects.values_list("pk", flat=True))

    said(capsys, receipt)

    logged = AccessLog.objects.exclude(pk__in=before)
    assert [(each.user, each.action) for each in logged] == [(None, "exact-statistics")]


def test_an_altered_receipt_does_not_hold(reply_of):
    receipt = reply_of("counts/").json()["meta"]["receipt"]

    with pytest.raises(CommandError, match=r"does not hold\. Copy the whole receipt") as caught:
        call_command("verify_receipt", receipt[:-1], skip_checks=True)

    assert caught.value.returncode == 1
    assert receipt[:-1] not in str(caught.value)


def test_a_receipt_of_yesterdays_working_data_does_not_hold(reply_of):
    EventFactory()
    receipt = reply_of("counts/").json()["meta"]["receipt"]
    EventFactory()
    reply_of("counts/")

    with pytest.raises(CommandError, match="working data, which have changed since"):
        call_command("verify_receipt", receipt, skip_checks=True)
